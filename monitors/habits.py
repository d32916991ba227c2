"""A column today beside each day of its baseline: what those days did among themselves is habit, and never a fault."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property

import numpy as np

from ledger.records import Measurement, Verdict
from monitors.bins import category_vector, number_vector
from warehouse.grid import Floats, Frame, Grid, Ints, Levels
from warehouse.profile import EVERYONE, Counts, Profile

LEAST_DAYS = 7
"""Baseline days from which a habit can be told."""
LEAST_VALUES = 100
"""Fewer finite values, today or on a baseline's day, are never judged."""
CHANCE = 1e-6
"""Chance that a rule of hard evidence may leave to each column and day: 30 columns, 8 rules and a quarter give 0.02
false faults, a trifle of any budget, so the budget is left to what moves by degrees."""


@dataclass(frozen=True)
class Column:
    """One column's rows by cell, then its nulls and its non-finite values: today's, and of each baseline day.

    ``whole`` has the shape (cells + 2), ``usual`` (days, cells + 2); of ``usual`` only days with enough values are
    kept, in order.
    """

    name: str
    cells: Grid | Levels
    whole: Ints
    usual: Ints

    @property
    def today(self) -> Ints:
        """Return today's finite values by cell."""
        return np.asarray(self.whole[:-2])

    @property
    def days(self) -> Ints:
        """Return the finite values by cell of each baseline day: (days, cells)."""
        return np.asarray(self.usual[:, :-2])

    @property
    def enough(self) -> bool:
        """Return whether there are values and days enough to judge."""
        return int(self.today.sum()) >= LEAST_VALUES and len(self.usual) >= LEAST_DAYS

    @cached_property
    def day_shares(self) -> Floats:
        """Return each cell's share of each baseline day: (days, cells)."""
        return np.asarray(self.days / self.days.sum(axis=1, keepdims=True))

    @cached_property
    def shares(self) -> Floats:
        """Return each cell's share of today's finite values."""
        return np.asarray(self.today / self.today.sum())


def columns(frame: Frame, day: date, profile: Profile, baseline: Mapping[date, Profile]) -> list[Column]:
    """Return every number and category of a frame that the day's profile has, against the baseline's other days."""
    before = [own.features.get(EVERYONE, {}) for other, own in sorted(baseline.items()) if other != day]
    found = []
    every: dict[str, Grid | Levels] = {**frame.numbers, **frame.categories}
    for name, cells in every.items():
        counts = profile.features.get(EVERYONE, {}).get(name)
        if counts is not None:
            found.append(column(name, cells, counts, [own[name] for own in before if name in own]))
    return found


def column(name: str, cells: Grid | Levels, today: Counts, days: list[Counts]) -> Column:
    """Return a column from its counts; a baseline's day with too few values tells nothing of habits."""
    kept = [whole(cells, counts) for counts in days if counts.finite >= LEAST_VALUES]
    own = whole(cells, today)
    return Column(name, cells, own, np.array(kept, dtype=np.int64).reshape(-1, len(own)))


def whole(cells: Grid | Levels, counts: Counts) -> Ints:
    """Return rows by cell, then nulls and non-finite values."""
    vector = number_vector(cells, counts) if isinstance(cells, Grid) else category_vector(cells, counts)
    return np.append(vector, [counts.nulls, counts.nonfinite])


def too_little(blank: Measurement, found: Column) -> Measurement:
    """Return the measurement that says what there is too little of."""
    reason = (
        f"{int(found.today.sum()):,} finite values and {len(found.usual)} baseline days with enough of them; "
        f"{LEAST_VALUES} and {LEAST_DAYS} are needed"
    )
    return replace(blank, verdict=Verdict.INSUFFICIENT, reason=reason)


def largest_of_others(values: Floats) -> Floats:
    """Return, for each day (first axis) and place, the largest value that any other day has there.

    ``values`` has at least two days. Used to hold each day against all others, as today is held against all of them.
    """
    top = np.partition(values, -2, axis=0)
    return np.asarray(np.where(values == top[-1], top[-2], top[-1]))


def percent(share: float) -> str:
    """Return a share in per cent, to three digits."""
    return f"{100 * share:.3g} %"


def number(value: float) -> str:
    """Return a value to about four digits."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
