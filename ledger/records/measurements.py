"""What was learned: one figure about one model and day, and its verdict."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class Verdict(StrEnum):
    """What a measurement says; only ``ok`` is good news and only ``breach`` is bad news, the rest is no news."""

    OK = "ok"
    BREACH = "breach"
    INSUFFICIENT = "insufficient"
    IMMATURE = "immature"
    ERRORED = "errored"
    MISSING = "missing"


@dataclass(frozen=True)
class Measurement:
    """One figure about one model and day.

    ``day`` is the partition or cohort day, ``as_of`` the day up to which data was known. ``monitor`` is one of
    arrival, schema, check, fault (a column or partition broken in a way that its distribution gives away), drift, slow
    (drift too slow for one day to show), score, performance (one cohort day), nowcast (what an immature cohort day will
    come to), decay (recent mature cohorts pooled, against the baseline's), estimate (the newest week, by its scores
    alone), selective (mature days, adjusted for declined payments), fairness, custom (the bank's own),
    clue (diagnostics) and cost (its ``day`` is the one on which bytes were billed).
    ``feature`` is the column (or '' for the table), ``slice`` reads ``column=value``
    (or '' for everyone). ``value`` lies between ``low`` and ``high`` (95 %
    interval), rests on ``n`` cases, and is judged against ``limit``; ``reason`` says the verdict in words.
    Natural key: model, as_of, day, monitor, metric, feature, slice.
    """

    model: str
    day: date
    as_of: date
    monitor: str
    metric: str
    feature: str = ""
    slice: str = ""
    value: float | None = None
    low: float | None = None
    high: float | None = None
    n: int = 0
    limit: float | None = None
    verdict: Verdict = Verdict.OK
    reason: str = ""

    @property
    def natural_key(self) -> tuple[str, date, date, str, str, str, str]:
        """Return what no two measurements share; the ledger returns them in this order."""
        return self.model, self.as_of, self.day, self.monitor, self.metric, self.feature, self.slice

    @property
    def figure(self) -> str:
        """Return its name within its model and day, as incidents name it: ``monitor/metric/feature/slice``."""
        return f"{self.monitor}/{self.metric}/{self.feature}/{self.slice}"
