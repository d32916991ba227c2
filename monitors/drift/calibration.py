"""What each statistic usually is, learned once from the days of a baseline: each day against the other days."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import NamedTuple, TypeVar

import numpy as np

import catalogue
from catalogue.metrics.drift import NONFINITE_SHARE, NULL_SHARE, TOP_SCORE_PSI, TOP_SCORE_SHARE
from catalogue.metrics.drift_monitors import DRIFT_MONITOR, SCORE_MONITOR
from models.spec import Spec
from monitors.drift import references
from monitors.drift.references import DayReference, ReferenceKind
from monitors.stats import closed_forms, null_distributions
from monitors.stats.comparisons import column_standard_deviation
from monitors.stats.distances import psi
from monitors.stats.null_distributions import NullDistribution, share_to_angle
from monitors.stats.registry import STATISTICS, Statistic
from monitors.stats.vectors import bin_midpoints, daily_rows_by_psi_bin, decile_bins
from profiles.bins import Floats, Grid, Ints, Levels
from profiles.profile import EVERYONE, BinCounts, Counts, Group, Profile
from profiles.schema import ProfileSchema

_Rows = TypeVar("_Rows", Ints, Floats)

LEAST_ROWS = 20
"""A baseline day with fewer rows of a column or group teaches nothing about it."""
LEAST_ROWS_IN_A_PSI_BIN = 5.0
"""Levels that expect fewer rows than this on a usual day are pooled for PSI."""
TOP_SHARE = 0.01
TOP_PSI_BINS = 4
NULLS, NONFINITE, BINS_FROM = 0, 1, 2
"""Positions in a column's vector: rows without a value, values not finite, and from the third on its bins."""
TOP_SCORE_SHARE_FALL = f"{TOP_SCORE_SHARE}_fall"
"""Key of the null distribution of a top score share that fell."""


class TestedColumn(NamedTuple):
    """A column of the daily drift tests: its monitor, its bins, and its metrics, of everyone and in each slice."""

    monitor: str
    name: str
    bins: Grid | Levels
    metrics: tuple[str, ...]
    slice_metrics: tuple[str, ...]

    @classmethod
    def of_kind(cls, kind: str, monitor: str, name: str, bins: Grid | Levels) -> TestedColumn:
        """Return a column with the metrics that the catalogue has for its kind.

        Args:
            kind: number, category or score.
            monitor: key of the monitor.
            name: the column's name.
            bins: its grid or levels.
        Returns:
            The column.
        """
        every, in_slices = (catalogue.column_metrics(kind, in_slices=each) for each in (False, True))
        return cls(monitor, name, bins, every, in_slices)


@dataclass(frozen=True)
class ColumnCalibration:
    """What the baseline says of one column in one group.

    ``rows`` are the baseline's, ``mean`` is of its finite values in the grid's unit, ``spread`` their standard
    deviation. ``psi_bins`` are those of PSI, ``top`` the score's first bin above its 99 % point, ``top_psi_bins`` the
    PSI bins from there on. ``unseen_as_rare`` says that levels never seen count as rare ones in distances: they are no
    news where rare levels come and go, and ``expected_unseen_share`` of a day's rows is then expected to be of them.
    """

    bins: Grid | Levels
    rows: int
    mean: float
    spread: float
    reference: DayReference
    psi_bins: Ints
    null_distributions: Mapping[str, NullDistribution]
    widest_scale: float = 1.0
    unseen_as_rare: bool = False
    expected_unseen_share: float = 0.0
    top: int | None = None
    top_psi_bins: Ints | None = None

    @cached_property
    def coarse_bins(self) -> Ints:
        """Return the coarse bin of each element of a vector: nulls, not finite, then the PSI bins: (bins + 2)."""
        return np.concatenate([[NULLS, NONFINITE], self.psi_bins + BINS_FROM])

    def vector(self, counts: Counts) -> Ints:
        """Return a column's rows by bin.

        Args:
            counts: the column's counts.
        Returns:
            Nulls, not finite, then rows by bin: (bins + 2).
        """
        return column_vector(self.bins, counts)

    def comparable_bins(self, rows: _Rows) -> _Rows:
        """Return the bins of vectors as distances compare them.

        Args:
            rows: (..., bins + 2).
        Returns:
            Without nulls and values not finite, levels never seen among the rare ones where they are no news: (...,
            bins).
        """
        return _count_unseen_as_rare(rows[..., BINS_FROM:]) if self.unseen_as_rare else rows[..., BINS_FROM:]


@dataclass(frozen=True)
class Calibration:
    """What the days of a baseline say of every column and group, and the sum of the days' rows."""

    days: int
    learned: Mapping[tuple[Group, str], ColumnCalibration]


def tested_columns(spec: Spec, schema: ProfileSchema) -> Iterator[TestedColumn]:
    """Yield each column of the daily drift tests.

    Args:
        spec: the model file.
        schema: how partitions are profiled.
    Returns:
        Numbers, categories, then the score.
    """
    for name, grid in schema.numbers.items():
        yield TestedColumn.of_kind("number", DRIFT_MONITOR, name, grid)
    for name, levels in schema.categories.items():
        yield TestedColumn.of_kind("category", DRIFT_MONITOR, name, levels)
    if schema.score is not None:
        yield TestedColumn.of_kind("score", SCORE_MONITOR, spec.score.column, schema.score)


def learn_calibration(spec: Spec, schema: ProfileSchema, baseline: Mapping[date, Profile]) -> Calibration:
    """Learn from a baseline's days what each statistic usually is, each day against the others.

    For each column, of everyone and of each slice: what a day is compared with (all days, the same weekdays, a
    trend), and for each statistic the distribution that the days have.

    Args:
        spec: the model file.
        schema: how partitions are profiled.
        baseline: profiles by day; days left out of it (events, exclusions) aren't among them.
    Returns:
        What was learned by group and column; a column with too few rows on every day is left out.
    """
    learned: dict[tuple[Group, str], ColumnCalibration] = {}
    groups = dict.fromkeys(group for profile in baseline.values() for group in profile.features)
    slices = [group for group in groups if group != EVERYONE and group[0] in schema.slices]
    for column in tested_columns(spec, schema):
        name = column.name
        kind, since = None, None
        for group in (EVERYONE, *slices):
            if group[0] == name:
                continue
            own = {day: mine[name] for day, one in baseline.items() if name in (mine := one.features.get(group, {}))}
            wanted = column.metrics if group == EVERYONE else column.slice_metrics
            found = _learn_column(column.bins, own, wanted, kind, since)
            if found is not None:
                kind, since = kind or found.reference.kind, since or found.reference.start
                learned[group, name] = found
    return Calibration(len(baseline), learned)


def column_vector(bins: Grid | Levels, counts: Counts) -> Ints:
    """Return a column's rows by bin.

    Args:
        bins: the column's grid or levels.
        counts: its counts.
    Returns:
        Nulls, not finite, then rows by bin: (bins + 2).
    """
    size, shift = (2 * bins.half, bins.half) if isinstance(bins, Grid) else (len(bins.top) + 2, 0)
    result, own = np.zeros(BINS_FROM + size, dtype=np.int64), BinCounts.of(counts.bins)
    result[NULLS], result[NONFINITE] = counts.nulls, counts.nonfinite
    result[BINS_FROM:][own.bins + shift] = own.rows  # UNSEEN and REST index from the end
    return result


def _learn_column(
    bins: Grid | Levels,
    by_day: Mapping[date, Counts],
    metrics: Sequence[str],
    kind: ReferenceKind | None,
    since: date | None,
) -> ColumnCalibration | None:
    rows = {day: column_vector(bins, counts) for day, counts in by_day.items()}
    enough = {day: own for day, own in rows.items() if own.sum() >= LEAST_ROWS and (since is None or day >= since)}
    if not enough:
        return None
    days, counts = list(enough), np.array(list(enough.values()))
    together = counts.sum(axis=0)
    typical = float(np.median(counts[:, BINS_FROM:].sum(axis=1)))
    unseen_as_rare = isinstance(bins, Levels) and bool(together[-1])
    inner = _count_unseen_as_rare(together[BINS_FROM:]) if unseen_as_rare else together[BINS_FROM:]
    psi_bins = decile_bins(inner) if isinstance(bins, Grid) and inner.any() else _psi_bins_of_levels(inner, typical)
    if kind is None:
        coarse_bins = np.concatenate([[NULLS, NONFINITE], psi_bins + BINS_FROM])
        binned = daily_rows_by_psi_bin(counts, coarse_bins)
        kind = references.choose_reference_kind(days, binned)
        if first := references.days_before_settling(kind, days, binned):
            return _learn_column(bins, by_day, metrics, None, days[first])
    kind = kind if references.is_kind_usable(kind, days) else ReferenceKind.LEVEL
    finite, total = int(together[BINS_FROM:].sum()), sum(by_day[day].total for day in days)
    spread = (
        column_standard_deviation(inner / finite, bin_midpoints(bins)) if isinstance(bins, Grid) and finite else 1.0
    )
    top, top_psi_bins = _top_of_score(inner) if TOP_SCORE_SHARE in metrics else (None, None)
    found = ColumnCalibration(
        bins, int(together.sum()), total / finite if finite else 0.0, spread,
        references.fit_reference(kind, days, counts), psi_bins, {}, _widest_scale(bins, counts[:, BINS_FROM:]),
        unseen_as_rare, _expected_unseen_share(bins, together), top, top_psi_bins,
    )  # fmt: skip
    return replace(found, null_distributions=_learn_nulls(found, days, counts, metrics))


def _learn_nulls(
    found: ColumnCalibration, days: Sequence[date], counts: Ints, metrics: Sequence[str]
) -> dict[str, NullDistribution]:
    """Return the distribution of each metric on the baseline's days, where there are enough."""
    if len(days) < null_distributions.LEAST_DAYS:
        return {}
    kind, terms = found.reference.kind, found.reference.inverse.shape[0]
    shares, rows_before = references.leave_one_out_shares(kind, days, counts)
    rows = counts.sum(axis=1)
    result: dict[str, NullDistribution] = {}
    for metric, position in ((NULL_SHARE, NULLS), (NONFINITE_SHARE, NONFINITE)):
        if metric in metrics:
            gaps = share_to_angle(counts[:, position] / rows) - share_to_angle(shares[:, position])
            result[metric] = null_distributions.learn_share_null(
                gaps, (rows, rows_before), terms, counts[:, position] / rows
            )
    finite = counts[:, BINS_FROM:].sum(axis=1)
    has_enough = (finite >= LEAST_ROWS) & (shares[:, BINS_FROM:].sum(axis=1) * rows_before >= LEAST_ROWS)
    if has_enough.sum() < null_distributions.LEAST_DAYS:
        return result
    today = found.comparable_bins(counts[has_enough]).astype(np.float64)
    before = found.comparable_bins(shares[has_enough]) * rows_before[has_enough][:, None]
    for metric in metrics:
        if metric in STATISTICS:
            result[metric] = _learn_distance_null(STATISTICS[metric], found, today, before, terms)
    if found.top is not None and found.top_psi_bins is not None:
        result |= _learn_top_nulls(found.top, found.top_psi_bins, today, before, terms)
    return result


def _learn_distance_null(
    statistic: Statistic, found: ColumnCalibration, today: Floats, before: Floats, terms: int
) -> NullDistribution:
    if not statistic.fine:
        today, before = (daily_rows_by_psi_bin(side, found.psi_bins) for side in (today, before))
    together = before.sum(axis=0)
    widths = _bin_widths(found.bins, together) if statistic.by_position else None
    squares = statistic.squares(today, before, widths)
    n, m = today.sum(axis=1), before.sum(axis=1)
    usual_rows = float(np.median(n)), float(np.median(m))
    chance, freedom = closed_forms.expected_by_chance(statistic, together, usual_rows, widths)
    return null_distributions.learn_distance_null(squares, (n, m), chance, freedom, terms, statistic.figures(squares))


def _bin_widths(bins: Grid | Levels, before: Floats) -> Floats:
    """Return the steps from bin to bin (bins - 1) in standard deviations of the baseline."""
    assert isinstance(bins, Grid)
    midpoints = bin_midpoints(bins)
    return np.asarray(np.diff(midpoints) / column_standard_deviation(before / before.sum(), midpoints))


def _learn_top_nulls(
    top: int, psi_bins: Ints, today: Floats, before: Floats, terms: int
) -> dict[str, NullDistribution]:
    """Return the distributions of the share of scores above the baseline's 99 % point, and of the shape there."""
    rows = today.sum(axis=1), before.sum(axis=1)
    above, above_before = (side[:, top:].sum(axis=1) / side.sum(axis=1) for side in (today, before))
    gaps = share_to_angle(above) - share_to_angle(above_before)
    result = {
        TOP_SCORE_SHARE: null_distributions.learn_share_null(gaps, rows, terms, above),
        TOP_SCORE_SHARE_FALL: null_distributions.learn_share_null(-gaps, rows, terms, above),
    }
    a, b = (daily_rows_by_psi_bin(side[:, top:], psi_bins) for side in (today, before))
    has_enough = (a.sum(axis=1) >= LEAST_ROWS) & (b.sum(axis=1) >= LEAST_ROWS)
    if has_enough.sum() >= null_distributions.LEAST_DAYS:
        a, b = a[has_enough], b[has_enough]
        squares = psi(a, b)
        rows = a.sum(axis=1), b.sum(axis=1)
        freedom = max(1.0, float(np.count_nonzero(b.sum(axis=0))) - 1)
        result[TOP_SCORE_PSI] = null_distributions.learn_distance_null(squares, rows, freedom, freedom, terms, squares)
    return result


def _count_unseen_as_rare(bins: _Rows) -> _Rows:
    """Return the bins (last axis) of a category with the levels never seen counted among the rare ones."""
    result = bins.copy()
    result[..., -1] += result[..., -2]
    result[..., -2] = 0
    return result


def _psi_bins_of_levels(inner: Ints, typical: float) -> Ints:
    """Return a PSI bin for each level that a usual day has at least five rows of, and one for the rest."""
    if not inner.any():
        return np.zeros(len(inner), dtype=np.int64)
    rare = (inner / inner.sum() * typical < LEAST_ROWS_IN_A_PSI_BIN) & (inner > 0)
    rare[-1] |= bool(rare.any())
    psi_bins = np.arange(len(inner))
    psi_bins[rare] = len(inner) - 1
    return psi_bins


def _expected_unseen_share(bins: Grid | Levels, together: Ints) -> float:
    """Return the share of rows to expect in levels never seen (Good-Turing: levels seen once, over all rows).

    Of the rare levels only their number and rows are known; if rows per level are geometric, the levels seen once are
    the number of levels over their mean.
    """
    if isinstance(bins, Grid) or not together[-1]:
        return 0.0
    rare_levels = max(0, len(bins.seen) - len(bins.top))
    return min(1.0, rare_levels / int(together[-1])) * rare_levels / float(together[BINS_FROM:].sum())


def _widest_scale(bins: Grid | Levels, days: Ints) -> float:
    """Return the largest ratio, either way, of a baseline day's median to that of all days; infinite across signs."""
    if isinstance(bins, Levels) or not days.any():
        return 1.0
    where = bin_midpoints(bins)
    through = np.cumsum(np.vstack([days[days.any(axis=1)], days.sum(axis=0)]), axis=1)
    medians = where[(through >= through[:, -1:] / 2).argmax(axis=1)]
    ratios = medians[:-1] / medians[-1] if medians[-1] else np.ones(len(medians) - 1)
    either_way = np.maximum(ratios, 1 / np.where(ratios > 0, ratios, 1))
    return float(np.max(np.where(ratios > 0, either_way, np.inf)))


def _top_of_score(inner: Ints) -> tuple[int, Ints] | tuple[None, None]:
    """Return the first bin above the 99 % point, and the PSI bins from there on; None where too few are above it."""
    above = np.cumsum(inner[::-1])[::-1] / max(1, inner.sum())
    top = int(np.argmax(above <= TOP_SHARE))
    if not TOP_SHARE / 10 <= above[top] <= TOP_SHARE:
        return None, None
    middle = np.cumsum(inner[top:]) - inner[top:] / 2
    return top, np.minimum((middle / inner[top:].sum() * TOP_PSI_BINS).astype(np.int64), TOP_PSI_BINS - 1)
