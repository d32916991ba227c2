"""A column today beside each day of its baseline: what those days did among themselves is usual, and never a fault."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import NamedTuple

import numpy as np

from ledger.records.measurements import Measurement, Verdict
from models.spec import Spec
from monitors.stats.vectors import category_vector, number_vector
from profiles.bins import Floats, Grid, Ints, Levels
from profiles.profile import EVERYONE, Counts, Profile
from profiles.schema import ProfileSchema

LEAST_DAYS = 7
"""Baseline days from which what is usual can be learned."""
LEAST_VALUES = 100
"""Fewer finite values, today or on a baseline's day, are never judged."""
CLUSTER_WIDTHS = (1, 2, 3, 4, 6, 8, 12)
"""Widths of a cluster, in bins that hold any row."""
DayVectors = Mapping[str, Ints]
"""A day's rows of each column: by bin, then nulls and non-finite values (bins + 2)."""


class LargestRuns(NamedTuple):
    """Runs of bins on the baseline's days: the largest share of each run, by width, and the most that any rose."""

    most: dict[int, Floats]
    rise: float


@dataclass(frozen=True, eq=False)
class ColumnBehaviour:
    """One column on each day of its baseline: (days, bins + 2); days with too few values say nothing of what is usual.

    What is learned of those days alone is learned once, however many days are then held against them.
    """

    name: str
    bins: Grid | Levels
    when: tuple[date, ...]
    full_vector: Ints

    @property
    def days(self) -> Ints:
        """Return the finite values by bin of each day: (days, bins)."""
        return np.asarray(self.full_vector[:, :-2])

    @cached_property
    def together(self) -> Ints:
        """Return the finite values by bin of all days: (bins)."""
        return np.asarray(self.days.sum(axis=0))

    @cached_property
    def shares(self) -> Floats:
        """Return each bin's share of all days together: (bins)."""
        return np.asarray(self.together / self.together.sum())

    @cached_property
    def day_shares(self) -> Floats:
        """Return each bin's share of each day: (days, bins)."""
        return np.asarray(self.days / self.days.sum(axis=1, keepdims=True))

    @cached_property
    def most(self) -> Floats:
        """Return each bin's largest share of any day: (bins)."""
        return np.asarray(self.day_shares.max(axis=0))

    @cached_property
    def rise(self) -> float:
        """Return the most by which a bin's share of a day rose above all other days', or above the earlier half's."""
        others = self.day_shares - largest_of_others(self.day_shares)
        later, earlier = later_and_earlier_half(self.day_shares)
        return max(float(others.max()), float((later - earlier).max()))

    def runs_over(self, used: Ints) -> LargestRuns:
        """Return the runs over some bins; those that the baseline itself used are gone through once only.

        Args:
            used: indices of bins, ascending.
        Returns:
            The largest share of each run by width, and the most that any rose.
        """
        return self._own_runs if np.array_equal(used, np.flatnonzero(self.together)) else self._runs(used)

    @cached_property
    def _own_runs(self) -> LargestRuns:
        return self._runs(np.flatnonzero(self.together))

    def _runs(self, used: Ints) -> LargestRuns:
        most, rise = {}, 0.0
        for breadth in (width for width in CLUSTER_WIDTHS if width <= len(used)):
            own = run_shares(self.day_shares[:, used], breadth)
            most[breadth] = np.asarray(own.max(axis=0))
            for some, others in ((own, largest_of_others(own)), later_and_earlier_half(own)):
                rise = max(rise, float(rise_above_neighbours(some, others, breadth).max()))
        return LargestRuns(most, rise)

    @cached_property
    def moved(self) -> float:
        """Return the largest distance of a day to the others together: by how many bins a value moves on average."""
        left = self.together - self.days
        gap = np.cumsum(self.day_shares - left / left.sum(axis=1, keepdims=True), axis=1)
        return float(np.abs(gap).sum(axis=1).max())


@dataclass(frozen=True, eq=False)
class BaselineBehaviour:
    """The columns of a profile schema on the days of a baseline, of which ``last`` is the last."""

    last: date | None
    columns: Mapping[str, ColumnBehaviour]


@dataclass(frozen=True, eq=False)
class ColumnOfDay:
    """One column's rows today, by bin, then its nulls and non-finite values, beside its baseline.

    ``chance`` is what a rule of hard evidence may leave to it: its share of the model's budget of false alarms.
    """

    usual: ColumnBehaviour
    full_vector: Ints
    chance: float

    @property
    def name(self) -> str:
        """Return the column's name."""
        return self.usual.name

    @property
    def bins(self) -> Grid | Levels:
        """Return the column's grid or levels."""
        return self.usual.bins

    @property
    def today(self) -> Ints:
        """Return today's finite values by bin: (bins)."""
        return np.asarray(self.full_vector[:-2])

    @property
    def enough(self) -> bool:
        """Return whether there are values and days enough to judge."""
        return int(self.today.sum()) >= LEAST_VALUES and len(self.usual.when) >= LEAST_DAYS

    @cached_property
    def shares(self) -> Floats:
        """Return each bin's share of today's finite values: (bins)."""
        return np.asarray(self.today / self.today.sum())


def day_vectors(spec: Spec, schema: ProfileSchema, profile: Profile) -> DayVectors:
    """Return the rows of each number, category and the score of a day.

    Args:
        spec: the model file.
        schema: how partitions are profiled.
        profile: the day's profile.
    Returns:
        By column (bins + 2); columns that the profile lacks are left out.
    """
    own = profile.features.get(EVERYONE, {})
    return {name: full_vector(bins, own[name]) for name, bins in binned_columns(spec, schema).items() if name in own}


def binned_columns(spec: Spec, schema: ProfileSchema) -> dict[str, Grid | Levels]:
    """Return the bins of each column.

    Args:
        spec: the model file.
        schema: how partitions are profiled.
    Returns:
        The grid or levels of each number, each category and, last, the score.
    """
    score = {} if schema.score is None else {spec.score.column: schema.score}
    return {**schema.numbers, **schema.categories, **score}


def learn_baseline_behaviour(
    spec: Spec, schema: ProfileSchema, baseline: Mapping[date, DayVectors]
) -> BaselineBehaviour:
    """Return what the days of a baseline say of each column.

    Args:
        spec: the model file.
        schema: how partitions are profiled.
        baseline: rows by day and column; today isn't one of the days.
    Returns:
        Every column on these days.
    """
    found = {name: learn_column_behaviour(name, bins, baseline) for name, bins in binned_columns(spec, schema).items()}
    return BaselineBehaviour(max(baseline, default=None), found)


def learn_column_behaviour(name: str, bins: Grid | Levels, baseline: Mapping[date, DayVectors]) -> ColumnBehaviour:
    """Return what a baseline says of one column.

    Args:
        name: the column's name.
        bins: its grid or levels.
        baseline: rows by day and column.
    Returns:
        The column on the days that have enough values of it.
    """
    days = {day: own[name] for day, own in sorted(baseline.items()) if name in own}
    kept = {day: own for day, own in days.items() if own[:-2].sum() >= LEAST_VALUES}
    return ColumnBehaviour(
        name, bins, tuple(kept), np.array(list(kept.values()), np.int64).reshape(len(kept), vector_length(bins))
    )


def vector_length(bins: Grid | Levels) -> int:
    """Return the length of a column's vector.

    Args:
        bins: the column's grid or levels.
    Returns:
        bins + 2.
    """
    return (2 * bins.half if isinstance(bins, Grid) else len(bins.top) + 2) + 2


def full_vector(bins: Grid | Levels, counts: Counts) -> Ints:
    """Return a column's rows by bin, then its nulls and non-finite values.

    Args:
        bins: the column's grid or levels.
        counts: its counts.
    Returns:
        Rows: (bins + 2).
    """
    vector = number_vector(bins, counts) if isinstance(bins, Grid) else category_vector(bins, counts)
    return np.append(vector, [counts.nulls, counts.nonfinite])


def insufficient_measurement(blank: Measurement, found: ColumnOfDay) -> Measurement:
    """Return the measurement that says what there is too little of.

    Args:
        blank: the measurement without a verdict.
        found: the column.
    Returns:
        ``blank`` with verdict insufficient and the reason.
    """
    reason = (
        f"{int(found.today.sum()):,} finite values and {len(found.usual.when)} baseline days with enough of them; "
        f"{LEAST_VALUES} and {LEAST_DAYS} are needed"
    )
    return replace(blank, verdict=Verdict.INSUFFICIENT, reason=reason)


def largest_of_others(values: Floats) -> Floats:
    """Return, for each day, the largest value that any other day has: each is held against all others, as today is.

    Args:
        values: at least two days: (days, ...).
    Returns:
        Of the shape of ``values``.
    """
    top = np.partition(values, -2, axis=0)
    return np.asarray(np.where(values == top[-1], top[-2], top[-1]))


def later_and_earlier_half(days: Floats) -> tuple[Floats, Floats]:
    """Return the later half of the days, and what the earlier half reached at most: a column on its way rises there.

    Args:
        days: (days, ...).
    Returns:
        (half of the days, ...) and (...).
    """
    half = len(days) // 2
    return np.asarray(days[half:]), np.asarray(days[:half].max(axis=0))


def run_shares(shares: Floats, breadth: int) -> Floats:
    """Return the share of each run of bins.

    Args:
        shares: by bin: (..., bins).
        breadth: bins in a run.
    Returns:
        Shares: (..., bins - breadth + 1).
    Example:
        >>> run_shares(np.array([1.0, 2.0, 4.0]), 2).tolist()
        [3.0, 6.0]
    """
    through = np.cumsum(shares, axis=-1)
    start = np.zeros((*shares.shape[:-1], 1))
    through = np.concatenate([start, through], axis=-1)
    return np.asarray(through[..., breadth:] - through[..., :-breadth])


def rise_above_neighbours(runs: Floats, usual: Floats, breadth: int) -> Floats:
    """Return each run's rise above the usual, without that of the runs next to it.

    Args:
        runs: share of each run: (..., runs).
        usual: the same, as usual, of a shape that fits.
        breadth: bins in a run.
    Returns:
        Rises: (..., runs).
    """
    rise = runs - usual
    beside = np.maximum(rise, 0)
    result = rise.copy()
    result[..., breadth:] -= beside[..., :-breadth]
    result[..., :-breadth] -= beside[..., breadth:]
    return np.asarray(result)


def format_percent(share: float) -> str:
    """Return a share in per cent, to three digits.

    Args:
        share: 0 to 1.
    Returns:
        Words, as '3.14 %'.
    """
    return f"{100 * share:.3g} %"


def format_number(value: float) -> str:
    """Return a value to about four digits.

    Args:
        value: in the column's own unit.
    Returns:
        Words, as '1,234' or '0.1235'.
    """
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
