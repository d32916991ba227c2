"""Whether retraining was asked for, what became of it, and which days stand for normal since."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any


@dataclass(frozen=True)
class Decision:
    """Whether retraining was asked for on a day, and every reason. Natural key: model, day.

    ``verdict`` is 'requested', 'refused' or 'not needed'. Fit on ``fit_from .. fit_to`` without ``excluded`` (days
    of a data fault), judge on the days after ``fit_to`` up to ``evaluate_to``, all mature. ``evidence`` are the
    incident's sentences; ``gain_gbp_per_day`` is the most that a good challenger wins back a day: the fraud value
    lost a day since the baseline, with its 95 % interval.
    """

    model: str
    day: date
    verdict: str
    incident: str = ""
    reasons: tuple[str, ...] = ()
    fit_from: date | None = None
    fit_to: date | None = None
    evaluate_to: date | None = None
    excluded: tuple[date, ...] = ()
    approval: str = "required"
    evidence: tuple[str, ...] = ()
    gain_gbp_per_day: float | None = None
    gain_low_gbp_per_day: float | None = None
    gain_high_gbp_per_day: float | None = None

    @property
    def request(self) -> str:
        """Return the name of the request, under which its outcome is recorded."""
        return f"{self.model}/{self.day}"


@dataclass(frozen=True)
class BaselineChange:
    """A recorded decision that other days stand for normal from ``day`` on. Natural key: model, day."""

    model: str
    day: date
    start: date
    end: date
    reason: str


@dataclass(frozen=True)
class RetrainingOutcome:
    """What became of a retraining request. Natural key: request (``<model>/<day>``).

    ``outcome`` is 'promoted', 'kept champion', 'in shadow' (better, and to prove it on new days), 'not approved' or
    'rolled back' (``request`` is then ``<model>/rollback-<day>``, and ``challenger`` the champion that is back).
    ``comparison`` holds each figure of champion and challenger with its interval on the evaluation window;
    ``challenger`` names the stored model, or is empty where none was made; ``approved_by`` says who agreed, or not.
    """

    request: str
    model: str
    day: date
    outcome: str
    reasons: tuple[str, ...]
    fit_from: date
    fit_to: date
    evaluated_from: date
    evaluated_to: date
    champion: str
    challenger: str
    comparison: dict[str, Any]
    approved_by: str = ""
