"""Each metric of one column tested against what its calibration expects of the day, before a limit is drawn."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

from ledger.records.measurements import Verdict
from models.spec import Spec
from monitors import limits
from monitors.drift.calibration import BINS_FROM, NONFINITE, NULLS, ColumnCalibration
from monitors.stats import comparisons
from monitors.stats.comparisons import Comparison
from monitors.stats.null_distributions import NullDistribution, angle_to_share, share_to_angle
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
"""A ratio whose limit would lie beyond this tells nothing."""
SHARE_METRICS = ("null_share", "nonfinite_share", "unseen_share")
DISTANCE_METRICS = ("psi", "jensen_shannon", "wasserstein", "ks")
SOFT_METRICS = (*DISTANCE_METRICS, "top_score_share", "top_score_psi")
"""Metrics that tell another population from the baseline's, not a broken column from a sound one."""


class HypothesisTest(NamedTuple):
    """One metric before its limit: ``figure`` is None, with a verdict and a reason, where it wasn't measured.

    ``p_value`` is its chance on a quiet day, ``effect_limit`` the limit of the effect floor alone, ``before`` the share
    that is expected; ``rises`` is False of a share that fell. What pages only when it persists has a
    ``persistence_factor``: so many times as often it may breach.
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

    def limit(self, alpha: float) -> float:
        """Return the value that is both worth a look and passed with chance ``alpha`` at most on a quiet day."""
        if self.null is None:
            return self.effect_limit
        critical = self.null.critical(alpha * self.persistence_factor, self.values, self.values_before)
        if self.metric in ("psi", "top_score_psi"):
            return max(self.effect_limit, critical)
        if self.metric in DISTANCE_METRICS:
            found = max(self.effect_limit, math.sqrt(max(0.0, critical)))
            return found if self.metric == "wasserstein" else min(1.0, found)
        if self.rises:
            return max(self.effect_limit, angle_to_share(float(share_to_angle(self.before)) + critical))
        return min(self.effect_limit, angle_to_share(float(share_to_angle(self.before)) - critical))

    def chance_at(self, limit: float) -> float | None:
        """Return the chance that a quiet day passes a limit; None where that wasn't learned."""
        if self.null is None:
            return None
        if self.metric in ("psi", "top_score_psi"):
            return self.null.p_value(limit, self.values, self.values_before)
        if self.metric in DISTANCE_METRICS:
            return self.null.p_value(limit**2, self.values, self.values_before)
        gap = float(share_to_angle(limit)) - float(share_to_angle(self.before))
        return self.null.p_value(gap if self.rises else -gap, self.values, self.values_before)


def run_hypothesis_tests(
    spec: Spec, day: date, metrics: tuple[str, ...], counts: Counts, learned: ColumnCalibration | None, alpha: float
) -> Iterator[HypothesisTest]:
    """Test each metric of a column's rows; a scale ratio without a meaning is left out.

    ``alpha`` is the share of false alarms of one test if it were the day's most unusual one.
    """
    if learned is None:
        reason = _too_few_reason(counts.rows, 0, "rows")
        yield from (HypothesisTest(metric, Verdict.INSUFFICIENT, reason) for metric in metrics)
        return
    today = learned.vector(counts)
    before = learned.reference.on(day, today, learned.coarse_bins)
    sides = learned.comparable_bins(today), learned.comparable_bins(before)
    finite, finite_before = (int(side.sum()) for side in sides)
    for metric in metrics:
        null = learned.null_distributions.get(metric)
        minimum_effect = limits.minimum_effect(spec, metric, learned=null is not None)
        if metric in SHARE_METRICS:
            yield _test_share(metric, today, before, learned, minimum_effect, alpha)
        elif min(finite, finite_before) < LEAST_VALUES:
            yield HypothesisTest(metric, Verdict.INSUFFICIENT, _too_few_reason(finite, finite_before, "finite values"))
        elif metric == "wasserstein" and learned.reference.has_trend:
            yield HypothesisTest(metric, Verdict.INSUFFICIENT, COLUMN_HAS_TREND)
        elif metric in DISTANCE_METRICS:
            yield _test_distance(metric, learned, sides, minimum_effect, alpha)
        elif metric == "top_score_share":
            yield _test_top_share(learned, sides, minimum_effect, alpha)
        elif metric == "top_score_psi":
            yield _test_top_psi(learned, sides, minimum_effect, alpha)
        elif isinstance(learned.bins, Grid):
            yield from _test_scale(learned.bins, counts, learned, sides, minimum_effect)


def _too_few_reason(today: int, before: int, what: str) -> str:
    who, count = ("today has", today) if today < LEAST_VALUES else ("the baseline has", before)
    return f"{who} {count} {what}; at least {LEAST_VALUES} are needed"


def _with_larger_p_value(found: HypothesisTest, times: int = 1) -> HypothesisTest:
    """Return a test with the larger of two chances: of drawing such rows from what is expected, and of such a day."""
    assert found.figure is not None
    chance = found.chance_at(found.figure.value) or 0.0
    return found._replace(p_value=min(1.0, times * max(found.figure.p_value, chance)))


def _test_share(
    metric: str, today: Ints, before: Ints, learned: ColumnCalibration, minimum_effect: float, alpha: float
) -> HypothesisTest:
    """Test the rise of a share: of all rows, and for unseen levels of the rows that have a value."""
    unseen = metric == "unseen_share"
    first = BINS_FROM if unseen else 0
    position = len(today) - 2 if unseen else {"null_share": NULLS, "nonfinite_share": NONFINITE}[metric]
    count, rows = int(today[position]), int(today[first:].sum())
    count_before, rows_before = int(before[position]), int(before[first:].sum())
    if min(rows, rows_before) < LEAST_VALUES:
        return HypothesisTest(metric, Verdict.INSUFFICIENT, _too_few_reason(rows, rows_before, "rows"))
    if unseen:
        count_before += min(
            rows_before - count_before, round(UNSEEN_FACTOR * learned.expected_unseen_share * rows_before)
        )
    figure = comparisons.compare_shares(count, rows, count_before, rows_before, minimum_effect, alpha)
    null = None if unseen else learned.null_distributions.get(metric)
    return _with_larger_p_value(
        HypothesisTest(
            metric, figure=figure, null=null, minimum_effect=minimum_effect, effect_limit=figure.limit,
            values=rows, values_before=rows_before, before=count_before / rows_before,
        )
    )  # fmt: skip


def _test_distance(
    metric: str, learned: ColumnCalibration, sides: tuple[Ints, Ints], minimum_effect: float, alpha: float
) -> HypothesisTest:
    """Test a distance of two distributions; PSI is taken on bins."""
    today, before = sides
    if metric == "psi":
        figure = comparisons.compare_psi(
            rows_by_psi_bin(today, learned.psi_bins), rows_by_psi_bin(before, learned.psi_bins), minimum_effect, alpha
        )
    elif metric == "wasserstein":
        assert isinstance(learned.bins, Grid)
        figure = comparisons.compare_wasserstein(
            today, before, bin_midpoints(learned.bins), minimum_effect, alpha, learned.spread
        )
    else:
        compare = {"jensen_shannon": comparisons.compare_jensen_shannon, "ks": comparisons.compare_ks}[metric]
        figure = compare(today, before, minimum_effect, alpha)
    return _with_larger_p_value(
        HypothesisTest(
            metric, figure=figure, null=learned.null_distributions.get(metric), minimum_effect=minimum_effect,
            effect_limit=figure.limit, values=int(today.sum()), values_before=int(before.sum()), sides=sides,
        )
    )  # fmt: skip


def _test_top_share(
    learned: ColumnCalibration, sides: tuple[Ints, Ints], minimum_effect: float, alpha: float
) -> HypothesisTest:
    """Test, either way, the share of scores above the baseline's 99 % point; the floor is a ratio."""
    if learned.top is None:
        return HypothesisTest("top_score_share", Verdict.INSUFFICIENT, SCORES_HAVE_NO_TOP)
    (count, rows), (count_before, rows_before) = ((int(side[learned.top :].sum()), int(side.sum())) for side in sides)
    before = count_before / rows_before
    rises = count / rows >= before
    figure = comparisons.compare_shares(count, rows, count_before, rows_before, before * (minimum_effect - 1), alpha)
    if not rises:
        others = comparisons.compare_shares(rows - count, rows, rows_before - count_before, rows_before, 0.0, alpha)
        figure = figure._replace(limit=before / minimum_effect, critical=1 - others.critical, p_value=others.p_value)
    null = learned.null_distributions.get("top_score_share" if rises else "top_score_share_fall")
    found = HypothesisTest(
        "top_score_share", figure=figure, null=null, minimum_effect=minimum_effect, effect_limit=figure.limit,
        values=rows, values_before=rows_before, before=before, rises=rises,
    )  # fmt: skip
    return _with_larger_p_value(found, times=2)


def _test_top_psi(
    learned: ColumnCalibration, sides: tuple[Ints, Ints], minimum_effect: float, alpha: float
) -> HypothesisTest:
    """Test the shape of the scores above the baseline's 99 % point."""
    if learned.top is None or learned.top_psi_bins is None:
        return HypothesisTest("top_score_psi", Verdict.INSUFFICIENT, SCORES_HAVE_NO_TOP)
    today, before = (rows_by_psi_bin(side[learned.top :], learned.top_psi_bins) for side in sides)
    values, values_before = int(today.sum()), int(before.sum())
    if min(values, values_before) < LEAST_VALUES:
        return HypothesisTest(
            "top_score_psi", Verdict.INSUFFICIENT, _too_few_reason(values, values_before, "scores in the top 1 %")
        )
    figure = comparisons.compare_psi(today, before, minimum_effect, alpha)
    return _with_larger_p_value(
        HypothesisTest(
            "top_score_psi", figure=figure, null=learned.null_distributions.get("top_score_psi"),
            minimum_effect=minimum_effect, effect_limit=figure.limit, values=values, values_before=values_before,
        )
    )  # fmt: skip


COLUMN_HAS_TREND = "the column moves along a trend by itself, so how far it is from its baseline tells nothing"
SCORES_HAVE_NO_TOP = "the baseline's scores have no top 1 % of their own: too many share one cell"


def _test_scale(
    grid: Grid, today: Counts, learned: ColumnCalibration, sides: tuple[Ints, Ints], minimum_effect: float
) -> Iterator[HypothesisTest]:
    """Test the ratio of medians; where the baseline's own days have any ratio, it has no meaning."""
    limit = max(minimum_effect, learned.widest_scale**SCALE_MARGIN)
    if limit > WIDEST_SCALE:
        return
    means = (today.total * grid.unit / today.finite, learned.mean * grid.unit)
    figure = comparisons.compare_medians(*sides, grid, means, limit)
    if figure is not None:
        yield HypothesisTest(
            "scale_ratio",
            figure=figure,
            p_value=figure.p_value,
            minimum_effect=minimum_effect,
            effect_limit=figure.limit,
        )
