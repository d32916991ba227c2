"""What a past figure comes to with the labels that are known by now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from ledger.records import Measurement
from monitors import intervals
from monitors.decay import WINDOWS_DAYS

MOVED = 0.05
"""A recall that moved by so much since it was last told is told again."""


@dataclass(frozen=True)
class Restated:
    """A recall of cohort days from ``start`` to ``end``: what it ``was`` when it was judged, and what it is now.

    ``value`` is the share of ``n`` frauds that were caught, from ``low`` to ``high`` (95 %, Wilson).
    """

    start: date
    end: date
    was: float
    value: float
    low: float
    high: float
    n: int
    limit: float | None

    def worth_telling(self, last_told: float | None) -> bool:
        """Return whether it differs from what was last told (None: only ``was``) by much, or is on another side."""
        last = self.was if last_told is None else last_told
        return abs(self.value - last) >= MOVED or self._breaks(self.value) != self._breaks(last)

    def words(self, known_by: date) -> str:
        """Return what it says in a sentence."""
        beyond, was_beyond = self._breaks(self.value), self._breaks(self.was)
        means = " It would not have been a breach." if was_beyond and not beyond else ""
        return (
            f"with labels known by {_day(known_by)}, recall of {_day(self.start)} to {_day(self.end)} was "
            f"{self.value:.2f} ({self.low:.2f} to {self.high:.2f}, {self.n:,} frauds), not {self.was:.2f}.{means}"
        )

    def _breaks(self, value: float) -> bool:
        return self.limit is not None and value < self.limit


def recall(
    judged: Measurement, newest: date, then: Sequence[Measurement], now: Sequence[Measurement]
) -> Restated | None:
    """Return what a recall of pooled cohorts comes to by now; None where it can't be told from what is stored.

    ``judged`` is the figure (monitor decay) as it was judged, ``newest`` the newest cohort day in it. ``then`` and
    ``now`` are the recalls of single cohort days (monitor performance) as known when it was judged and by now; n are
    frauds, so that value times n are those caught. Which days were pooled is found by what gives the judged figure
    again: a figure that can't be had again isn't restated.
    """
    if judged.value is None:
        return None
    for length in WINDOWS_DAYS:
        start = newest - timedelta(days=length - 1)
        caught, frauds = _pooled(then, start, newest)
        if frauds == judged.n and frauds and abs(caught / frauds - judged.value) < 1e-9:
            caught, frauds = _pooled(now, start, newest)
            low, high = intervals.wilson(caught, frauds)
            return Restated(start, newest, judged.value, caught / frauds, low, high, frauds, judged.limit)
    return None


def _pooled(recalls: Sequence[Measurement], start: date, end: date) -> tuple[int, int]:
    """Return the frauds caught and all frauds of cohort days from ``start`` to ``end``."""
    known = [m for m in recalls if start <= m.day <= end and m.value is not None]
    return sum(round((m.value or 0.0) * m.n) for m in known), sum(m.n for m in known)


def _day(day: date) -> str:
    return f"{day.day} {day:%b}"
