"""Each metric of one column tested against what its calibration expects of the day, before a limit is drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from typing import NamedTuple

import catalogue
from catalogue import CatalogueError
from catalogue.drift import (
    NONFINITE_SHARE,
    NULL_SHARE,
    PSI,
    SCALE_RATIO,
    TOP_SCORE_PSI,
    TOP_SCORE_SHARE,
    UNSEEN_SHARE,
)
from ledger.records.measurements import Verdict
from models.spec import Spec
from monitors import limits
from monitors.drift.calibration import BINS_FROM, NONFINITE, NULLS, TOP_SCORE_SHARE_FALL, ColumnCalibration
from monitors.stats import comparisons
from monitors.stats.closed_forms import BinnedSides, compare_distance
from monitors.stats.comparisons import Comparison
from monitors.stats.null_distributions import NullDistribution, angle_to_share, share_to_angle
from monitors.stats.registry import STATISTICS, Statistic
from monitors.stats.vectors import bin_midpoints, rows_by_psi_bin
from profiles.bins import Grid, Ints
from profiles.profile import Counts

LEAST_VALUES = 100
"""Fewer finite values than this, on either side, are never judged."""
UNSEEN_FACTOR = 2.0
"""So many times the expected share of levels never seen is still usual."""
SCALE_MARGIN = 1.5
"""By how much (in logarithms) a median must move farther than on any baseline day to be one of another scale."""
WIDEST_SCALE = 100.0
"""A ratio whose limit would lie beyond this says nothing."""


class HypothesisTest(NamedTuple):
    """One metric before its limit: ``figure`` is None, with a verdict and a reason, where it wasn't measured.

    ``p_value`` is its chance on an in-control day, ``effect_limit`` the limit by size alone, ``before`` the share
    that is expected; ``rises`` is False of a share that fell. What pages only when it persists has a
    ``persistence_factor``: so many times as often it may breach. ``distance`` is the distance that was measured, None
    of a share or a ratio.
    """

    metric: str
    verdict: Verdict | None = None
    reason: str = ""
    figure: Comparison | None = None
    null: NullDistribution | None = None
    p_value: float = 1.0
    minimum_effect: float = 0.0
    effect_limit: float = 0.0
    values: int = 0
    values_before: int = 0
    before: float = 0.0
    rises: bool = True
    persistence_factor: float = 1.0
    sides: tuple[Ints, Ints] | None = None
    distance: Statistic | None = None

    def limit(self, alpha: float) -> float:
        """Return the value that is both worth a look and seldom reached on an in-control day.

        Args:
            alpha: probability with which an in-control day may exceed it.
        Returns:
            On the metric's own scale; that of the minimum effect size alone where no distribution was learned.
        """
        if self.null is None:
            return self.effect_limit
        critical = self.null.critical(alpha * self.persistence_factor, self.values, self.values_before)
        if self.distance is not None:
            return min(self.distance.largest, max(self.effect_limit, self.distance.figure_of(critical)))
        if self.rises:
            return max(self.effect_limit, angle_to_share(float(share_to_angle(self.before)) + critical))
        return min(self.effect_limit, angle_to_share(float(share_to_angle(self.before)) - critical))

    def chance_at(self, limit: float) -> float | None:
        """Return the probability that an in-control day exceeds a limit.

        Args:
            limit: on the metric's own scale.
        Returns:
            From 0 to 1; None where no distribution was learned.
        """
        if self.null is None:
            return None
        if self.distance is not None:
            return self.null.p_value(self.distance.square_of(limit), self.values, self.values_before)
        gap = float(share_to_angle(limit)) - float(share_to_angle(self.before))
        return self.null.p_value(gap if self.rises else -gap, self.values, self.values_before)


class ColumnOfDay(NamedTuple):
    """One metric of a column to be tested on a day.

    ``today`` and ``before`` are its rows and those that were expected, as ``calibration.column_vector`` has them, and
    ``sides`` both as distances compare them; ``alpha`` is the share of false alarms of the day's most unusual test.
    """

    metric: str
    counts: Counts
    today: Ints
    before: Ints
    sides: tuple[Ints, Ints]
    learned: ColumnCalibration
    minimum_effect: float
    alpha: float


def run_hypothesis_tests(
    spec: Spec, day: date, metrics: tuple[str, ...], counts: Counts, learned: ColumnCalibration | None, alpha: float
) -> Iterator[HypothesisTest]:
    """Test each metric of a column's rows; a scale ratio without a meaning is left out.

    Args:
        spec: the model file.
        day: the day.
        metrics: keys of the column's metrics.
        counts: the column's counts of the day.
        learned: what the baseline says of the column; None where it says nothing.
        alpha: false-alarm probability of one test if it were the day's most unusual one.
    Returns:
        A test for each metric, in their order.
    Raises:
        CatalogueError: for a metric that has neither a registered distance nor a test of its own.
    """
    if learned is None:
        reason = _too_few_reason(counts.rows, 0, "rows")
        yield from (HypothesisTest(metric, Verdict.INSUFFICIENT, reason) for metric in metrics)
        return
    check_tests(metrics)
    today = learned.vector(counts)
    before = learned.reference.on(day, today, learned.coarse_bins)
    sides = learned.comparable_bins(today), learned.comparable_bins(before)
    for metric in metrics:
        minimum_effect = limits.minimum_effect(spec, metric, learned=metric in learned.null_distributions)
        column = ColumnOfDay(metric, counts, today, before, sides, learned, minimum_effect, alpha)
        found = _test_distance(column) if metric in STATISTICS else _TESTS[metric](column)
        if found is not None:
            yield found


def check_tests(metrics: Iterable[str]) -> None:
    """Check that something tests each metric that the catalogue has for columns.

    Args:
        metrics: keys of metrics.
    Returns:
        Nothing.
    Raises:
        CatalogueError: where nothing tests one of them.
    """
    untested = next((metric for metric in metrics if metric not in STATISTICS and metric not in _TESTS), None)
    if untested is not None:
        raise CatalogueError(
            f"metric {untested}: the catalogue has it for columns, but no function measures it; register one with "
            f'@statistic("{untested}")'
        )


def _too_few_reason(today: int, before: int, what: str) -> str:
    who, count = ("today has", today) if today < LEAST_VALUES else ("the baseline has", before)
    return f"{who} {count} {what}; at least {LEAST_VALUES} are needed"


def _with_larger_p_value(found: HypothesisTest, times: int = 1) -> HypothesisTest:
    """Return a test with the larger of two chances: of drawing such rows from what is expected, and of such a day."""
    assert found.figure is not None
    chance = found.chance_at(found.figure.value) or 0.0
    return found._replace(p_value=min(1.0, times * max(found.figure.p_value, chance)))


def _test_share(column: ColumnOfDay) -> HypothesisTest:
    """Test the rise of a share: of all rows, and for unseen levels of the rows that have a value."""
    metric, today, before = column.metric, column.today, column.before
    unseen = metric == UNSEEN_SHARE
    first = BINS_FROM if unseen else 0
    position = len(today) - 2 if unseen else {NULL_SHARE: NULLS, NONFINITE_SHARE: NONFINITE}[metric]
    count, rows = int(today[position]), int(today[first:].sum())
    count_before, rows_before = int(before[position]), int(before[first:].sum())
    if min(rows, rows_before) < LEAST_VALUES:
        return HypothesisTest(metric, Verdict.INSUFFICIENT, _too_few_reason(rows, rows_before, "rows"))
    if unseen:
        usual = round(UNSEEN_FACTOR * column.learned.expected_unseen_share * rows_before)
        count_before += min(rows_before - count_before, usual)
    figure = comparisons.compare_shares(count, rows, count_before, rows_before, column.minimum_effect, column.alpha)
    return _with_larger_p_value(
        HypothesisTest(
            metric, figure=figure, null=column.learned.null_distributions.get(metric),
            minimum_effect=column.minimum_effect, effect_limit=figure.limit, values=rows, values_before=rows_before,
            before=count_before / rows_before,
        )
    )  # fmt: skip


def _why_no_test_of_values(column: ColumnOfDay) -> HypothesisTest | None:
    """Return that there are too few finite values to test, or None."""
    finite, finite_before = (int(side.sum()) for side in column.sides)
    if min(finite, finite_before) >= LEAST_VALUES:
        return None
    return HypothesisTest(column.metric, Verdict.INSUFFICIENT, _too_few_reason(finite, finite_before, "finite values"))


def _test_distance(column: ColumnOfDay) -> HypothesisTest:
    """Test a registered distance of two distributions, on the bins that it is taken on."""
    if untestable := _why_no_test_of_values(column):
        return untestable
    distance, learned = STATISTICS[column.metric], column.learned
    if distance.by_position and learned.reference.has_trend:
        return HypothesisTest(column.metric, Verdict.INSUFFICIENT, COLUMN_HAS_TREND)
    today, before = column.sides
    if distance.fine:
        midpoints = bin_midpoints(learned.bins) if isinstance(learned.bins, Grid) else None
        binned = BinnedSides(today, before, midpoints, learned.spread)
    else:
        binned = BinnedSides(rows_by_psi_bin(today, learned.psi_bins), rows_by_psi_bin(before, learned.psi_bins))
    figure = compare_distance(distance, binned, column.minimum_effect, column.alpha)
    return _with_larger_p_value(
        HypothesisTest(
            column.metric, figure=figure, null=learned.null_distributions.get(column.metric),
            minimum_effect=column.minimum_effect, effect_limit=figure.limit, values=int(today.sum()),
            values_before=int(before.sum()), sides=column.sides, distance=distance,
        )
    )  # fmt: skip


def _test_top_share(column: ColumnOfDay) -> HypothesisTest:
    """Test, either way, the share of scores above the baseline's 99 % point; its minimum effect size is a ratio."""
    if untestable := _why_no_test_of_values(column):
        return untestable
    top, least, alpha = column.learned.top, column.minimum_effect, column.alpha
    if top is None:
        return HypothesisTest(column.metric, Verdict.INSUFFICIENT, SCORES_HAVE_NO_TOP)
    (count, rows), (count_before, rows_before) = ((int(side[top:].sum()), int(side.sum())) for side in column.sides)
    before = count_before / rows_before
    rises = count / rows >= before
    figure = comparisons.compare_shares(count, rows, count_before, rows_before, before * (least - 1), alpha)
    if not rises:
        others = comparisons.compare_shares(rows - count, rows, rows_before - count_before, rows_before, 0.0, alpha)
        figure = figure._replace(limit=before / least, critical=1 - others.critical, p_value=others.p_value)
    null = column.learned.null_distributions.get(TOP_SCORE_SHARE if rises else TOP_SCORE_SHARE_FALL)
    found = HypothesisTest(
        column.metric, figure=figure, null=null, minimum_effect=least, effect_limit=figure.limit,
        values=rows, values_before=rows_before, before=before, rises=rises,
    )  # fmt: skip
    return _with_larger_p_value(found, times=2)


def _test_top_psi(column: ColumnOfDay) -> HypothesisTest:
    """Test the shape of the scores above the baseline's 99 % point."""
    if untestable := _why_no_test_of_values(column):
        return untestable
    top, bins = column.learned.top, column.learned.top_psi_bins
    if top is None or bins is None:
        return HypothesisTest(column.metric, Verdict.INSUFFICIENT, SCORES_HAVE_NO_TOP)
    today, before = (rows_by_psi_bin(side[top:], bins) for side in column.sides)
    values, values_before = int(today.sum()), int(before.sum())
    if min(values, values_before) < LEAST_VALUES:
        reason = _too_few_reason(values, values_before, "scores in the top 1 %")
        return HypothesisTest(column.metric, Verdict.INSUFFICIENT, reason)
    distance = STATISTICS[PSI]
    figure = compare_distance(distance, BinnedSides(today, before), column.minimum_effect, column.alpha)
    return _with_larger_p_value(
        HypothesisTest(
            column.metric, figure=figure, null=column.learned.null_distributions.get(column.metric),
            minimum_effect=column.minimum_effect, effect_limit=figure.limit, values=values,
            values_before=values_before, distance=distance,
        )
    )  # fmt: skip


def _test_scale(column: ColumnOfDay) -> HypothesisTest | None:
    """Test the ratio of medians; where the baseline's own days have any ratio, it has no meaning."""
    if untestable := _why_no_test_of_values(column):
        return untestable
    counts, learned, grid = column.counts, column.learned, column.learned.bins
    limit = max(column.minimum_effect, learned.widest_scale**SCALE_MARGIN)
    if limit > WIDEST_SCALE or not isinstance(grid, Grid):
        return None
    means = (counts.total * grid.unit / counts.finite, learned.mean * grid.unit)
    figure = comparisons.compare_medians(*column.sides, grid, means, limit)
    if figure is None:
        return None
    return HypothesisTest(
        column.metric,
        figure=figure,
        p_value=figure.p_value,
        minimum_effect=column.minimum_effect,
        effect_limit=figure.limit,
    )


COLUMN_HAS_TREND = "the column moves along a trend by itself, so how far it is from its baseline says nothing"
SCORES_HAVE_NO_TOP = "the baseline's scores have no top 1 % of their own: too many share one bin"
_TESTS: Mapping[str, Callable[[ColumnOfDay], HypothesisTest | None]] = {
    NULL_SHARE: _test_share,
    NONFINITE_SHARE: _test_share,
    UNSEEN_SHARE: _test_share,
    SCALE_RATIO: _test_scale,
    TOP_SCORE_SHARE: _test_top_share,
    TOP_SCORE_PSI: _test_top_psi,
}
"""What tests the metrics of columns that are no distance of whole distributions."""
check_tests(key for kind in ("number", "category", "score") for key in catalogue.column_metrics(kind))
