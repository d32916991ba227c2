"""What is done about what was learned: an incident, its cause and where it is in its life."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

import catalogue


class Status(StrEnum):
    """Where an incident is in its life."""

    PENDING = "pending"
    FIRING = "firing"
    RESOLVED = "resolved"
    WITHDRAWN = "withdrawn"
    """It was pending and went away before it fired; nobody was notified."""


@dataclass(frozen=True)
class Incident:
    """One cause on one model, as concluded on one day. Natural key: id, concluded.

    ``cause`` is a key of the catalogue, which says what follows from it (``cause_entry``).
    ``opened`` is the first bad day, ``fired`` the day it was concluded to be an incident, ``last_bad`` the latest
    bad day, ``clean_days`` the evaluated days without a finding since. ``reopened`` is the first bad day since it came
    back after it was resolved, and ``earlier_bad_days`` are those of ``bad_days`` before that.
    ``amount_*_gbp_per_day`` is the money at stake with its interval. ``explains`` counts the breaches it accounts for,
    ``evidence`` are sentences, the strongest first, and ``figures`` names the measurements behind them as
    ``monitor/metric/feature/slice``; ``explained`` names so the first of those that it accounts for.
    """

    id: str
    model: str
    cause: str
    concluded: date
    opened: date
    last_bad: date
    status: Status
    feature: str = ""
    slice: str = ""
    fired: date | None = None
    resolved: date | None = None
    clean_days: int = 0
    bad_days: int = 1
    amount_gbp_per_day: float | None = None
    amount_low_gbp_per_day: float | None = None
    amount_high_gbp_per_day: float | None = None
    summary: str = ""
    confidence: str = ""
    first_step: str = ""
    evidence: tuple[str, ...] = ()
    figures: tuple[str, ...] = ()
    explains: int = 0
    reopened: date | None = None
    earlier_bad_days: int = 0
    explained: tuple[str, ...] = ()

    @property
    def cause_entry(self) -> catalogue.Cause:
        """Return what the catalogue says of its cause; a bare entry where it no longer knows the key."""
        return catalogue.recorded_cause(self.cause)

    @property
    def data_fault(self) -> bool:
        """Return whether the data is broken (retraining is blocked) rather than the world changed."""
        return self.cause_entry.data_fault

    @property
    def page(self) -> str:
        """Return the incident's page, relative to the root of the site."""
        return f"incidents/{self.id}.html"

    @property
    def live(self) -> bool:
        """Return whether it still asks for attention or may come to."""
        return self.status in (Status.PENDING, Status.FIRING)
