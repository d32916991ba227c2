"""What a day should look like by the baseline's other days: their sum, or a weekday's, or along a trend.

All four kinds are one weighted least squares of each bin's share on the calendar, rows as weights: with nothing but a
level it is the sum of the days, with weekdays the sum of the same weekdays. Leaving a day out needs no second fit.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

import numpy as np

from monitors.stats.vectors import daily_rows_by_psi_bin
from profiles.bins import Floats, Ints

LEAST_OF_A_WEEKDAY = 4
"""Days that each weekday needs before days are compared with their own weekday only."""
LEAST_TREND_DAYS = 28
SETTLED_DAYS = (28, 21, 14)
"""The last days of a baseline that a column may have stood still on, the longest that it has counting."""
LONGEST_TREND = 3.0
"""How far a trend is continued: from the baseline's first day, at most three times the baseline's length."""
PATH_POINTS = 13
CLEARLY_NEARER = 0.93
"""A finer kind is taken where it brings days this much nearer, in cube roots: a fifth of the distance itself."""


class ReferenceKind(StrEnum):
    """What a day is compared with."""

    LEVEL = "days"
    WEEKDAY = "the same weekdays"
    TREND = "their trend"
    BOTH = "the same weekdays and their trend"


@dataclass(frozen=True)
class DayReference:
    """A fit: ``shares`` (terms, bins) per term of the calendar, ``inverse`` (terms, terms) of the normal matrix."""

    kind: ReferenceKind
    start: date
    span_days: int
    shares: Floats
    inverse: Floats

    expected_by_weekday: dict[int, Ints] = field(default_factory=dict, repr=False, compare=False)

    @property
    def has_trend(self) -> bool:
        """Return whether days follow a trend: their bins can be expected beforehand, their distances hardly."""
        return self.kind in (ReferenceKind.TREND, ReferenceKind.BOTH)

    def on(self, day: date, today: Ints, psi_bins: Ints) -> Ints:
        """Return the counts that stand for normal on a day: expected shares of as many rows as they rest on.

        A trend may go on, slow down or have ended: of the ways from the baseline's middle to the day, the one
        nearest to today's counts is taken.

        Args:
            day: the day.
            today: its rows by bin: (bins).
            psi_bins: the coarse bin of each bin, in which nearness is measured: (bins).
        Returns:
            Expected rows by bin: (bins).
        """
        if not self.has_trend:
            key = day.weekday() if self.kind is ReferenceKind.WEEKDAY else 0
            if key not in self.expected_by_weekday:
                self.expected_by_weekday[key] = self._expected(
                    _calendar_terms(self.kind, [day], self.start, self.span_days)
                )[0]
            return self.expected_by_weekday[key]
        end = min(LONGEST_TREND, (day - self.start).days / self.span_days)
        terms = np.repeat(_calendar_terms(self.kind, [day], self.start, self.span_days), PATH_POINTS, axis=0)
        terms[:, -1] = np.linspace(min(0.5, end), end, PATH_POINTS) - 0.5
        found = self._expected(terms)
        now, then = (daily_rows_by_psi_bin(np.atleast_2d(side).astype(np.float64), psi_bins) for side in (today, found))
        apart = squared_hellinger(now / max(1.0, now.sum()), then / then.sum(axis=1, keepdims=True))
        return np.asarray(found[int(np.argmin(apart))])

    def _expected(self, terms: Floats) -> Ints:
        rows = 1 / np.einsum("ij,jk,ik->i", terms, self.inverse, terms)
        return np.asarray(np.rint(_as_proper_shares(terms @ self.shares) * rows[:, None]), dtype=np.int64)


def choose_reference_kind(days: Sequence[date], counts: Ints | Floats) -> ReferenceKind:
    """Return the kind under which days lie nearest to what the others lead to expect of them.

    Args:
        days: days of the baseline.
        counts: rows: (days, bins).
    Returns:
        The simplest kind, unless a finer one brings days clearly nearer.
    """
    best, nearest = ReferenceKind.LEVEL, np.inf
    for kind in ReferenceKind:
        if not is_kind_usable(kind, days):
            continue
        shares, _ = leave_one_out_shares(kind, days, counts)
        apart = float(np.cbrt(squared_hellinger(counts / counts.sum(axis=1, keepdims=True), shares)).mean())
        if apart < CLEARLY_NEARER * nearest:
            best, nearest = kind, apart
    return best


def days_before_settling(kind: ReferenceKind, days: Sequence[date], counts: Ints | Floats) -> int:
    """Return how many of a baseline's first days to leave out of a column that moved, and stands still since.

    A window that fills moves along no straight line, and then not at all: were its first days kept, what the last
    ones never do would pass for usual. It has settled where its last weeks need no trend, and where they lie much
    nearer to each other than the trend of all days brings them.

    Args:
        kind: what was chosen for all days.
        days: days of the baseline.
        counts: rows: (days, bins).
    Returns:
        Days to leave out; 0 where the column hasn't settled, or never moved.
    """
    if kind not in (ReferenceKind.TREND, ReferenceKind.BOTH):
        return 0
    left_out, nearest = 0, _last_days_distance(kind, days, counts)
    for last in SETTLED_DAYS:
        first = max(0, len(days) - last)
        own = choose_reference_kind(days[first:], counts[first:])
        apart = _last_days_distance(own, days[first:], counts[first:])
        if first and own not in (ReferenceKind.TREND, ReferenceKind.BOTH) and apart < CLEARLY_NEARER * nearest:
            left_out, nearest = first, apart
    lately = days[left_out:], counts[left_out:]
    return 0 if _last_days_distance(ReferenceKind.TREND, *lately) < CLEARLY_NEARER * nearest else left_out


def _last_days_distance(kind: ReferenceKind, days: Sequence[date], counts: Ints | Floats) -> float:
    """Return how far a baseline's last days lie from what the others say of them, in cube roots."""
    shares, _ = leave_one_out_shares(kind, days, counts)
    last = slice(-SETTLED_DAYS[-1], None)
    return float(np.cbrt(squared_hellinger((counts / counts.sum(axis=1, keepdims=True))[last], shares[last])).mean())


def is_kind_usable(kind: ReferenceKind, days: Sequence[date]) -> bool:
    """Return whether a baseline has the days that a kind needs.

    Args:
        kind: what to compare days with.
        days: days of the baseline.
    Returns:
        False below four of each weekday, or four weeks for a trend.
    """
    weekdays = Counter(day.weekday() for day in days)
    weeks = len(weekdays) == 7 and min(weekdays.values()) >= LEAST_OF_A_WEEKDAY
    return (kind in (ReferenceKind.LEVEL, ReferenceKind.TREND) or weeks) and (
        kind in (ReferenceKind.LEVEL, ReferenceKind.WEEKDAY) or len(days) >= LEAST_TREND_DAYS
    )


def fit_reference(kind: ReferenceKind, days: Sequence[date], counts: Ints) -> DayReference:
    """Fit what a day should look like.

    Args:
        kind: what to compare days with.
        days: days of the baseline.
        counts: rows, at least one a day: (days, bins).
    Returns:
        The fit.
    Source:
        weighted least squares; see the module.
    """
    start, span_days = _date_span(days)
    terms = _calendar_terms(kind, days, start, span_days)
    inverse = np.linalg.inv((terms * counts.sum(axis=1)[:, None]).T @ terms)
    return DayReference(kind, start, span_days, inverse @ (terms.T @ counts), inverse)


def leave_one_out_shares(kind: ReferenceKind, days: Sequence[date], counts: Ints | Floats) -> tuple[Floats, Floats]:
    """Return what the other days lead to expect of each day.

    Args:
        kind: what to compare days with.
        days: days of the baseline.
        counts: rows, at least one a day: (days, bins).
    Returns:
        Expected shares (days, bins), and the rows that they rest on (days).
    Source:
        leverages of weighted least squares (Cook & Weisberg, Residuals and Influence in Regression, 1982).
    """
    rows = counts.sum(axis=1).astype(np.float64)
    terms = _calendar_terms(kind, days, *_date_span(days))
    inverse = np.linalg.inv((terms * rows[:, None]).T @ terms)
    leverage = np.einsum("ij,jk,ik->i", terms, inverse, terms) * rows
    left = np.maximum(1 - leverage, 1e-9)
    shares = counts / rows[:, None]
    gap = (shares - terms @ (inverse @ (terms.T @ counts))) / left[:, None]
    return _as_proper_shares(shares - gap), rows * left / leverage


def squared_hellinger(a: Floats, b: Floats) -> Floats:
    """Return the sum over bins of (root a - root b)^2.

    Args:
        a: shares: (..., bins).
        b: shares: (..., bins).
    Returns:
        From 0 to 2: (...).
    Source:
        twice the squared Hellinger distance.
    """
    return np.asarray(((np.sqrt(a) - np.sqrt(b)) ** 2).sum(axis=-1))


def _date_span(days: Sequence[date]) -> tuple[date, int]:
    return min(days), max(1, (max(days) - min(days)).days)


def _calendar_terms(kind: ReferenceKind, days: Sequence[date], start: date, span_days: int) -> Floats:
    """Return the calendar (days, terms): a level or one for each weekday, then the time from -1/2 to 1/2."""
    columns = [np.ones((len(days), 1))]
    if kind in (ReferenceKind.WEEKDAY, ReferenceKind.BOTH):
        columns = [np.eye(7)[[day.weekday() for day in days]]]
    if kind in (ReferenceKind.TREND, ReferenceKind.BOTH):
        columns.append(np.array([[(day - start).days / span_days - 0.5] for day in days]))
    return np.hstack(columns)


def _as_proper_shares(shares: Floats) -> Floats:
    """Return shares that are at least 0 and add up to 1; what rounding leaves below a trillionth is nothing."""
    clipped = np.where(shares > 1e-12, shares, 0.0)
    return np.asarray(clipped / clipped.sum(axis=-1, keepdims=True))
