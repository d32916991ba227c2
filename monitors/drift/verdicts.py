"""From a tested metric to its verdict, and each limit in words: what was learned, and how seldom chance passes it."""

from __future__ import annotations

from collections.abc import Callable

import catalogue
from catalogue import Effect, Evidence
from catalogue.metrics.drift import SCALE_RATIO
from ledger.records.measurements import Verdict
from models.spec import Spec
from monitors import limits
from monitors.drift.calibration import ColumnCalibration
from monitors.drift.hypothesis_tests import HypothesisTest
from monitors.drift.references import ReferenceKind
from monitors.stats.null_distributions import NullDistribution
from monitors.stats.registry import Scale
from monitors.stats.vectors import bin_midpoints, quantile_bin
from profiles.bins import Grid, Ints, Levels

EVENT_FACTOR = 3.0
"""On the day of a known event a PSI must reach so many times its limit, other figures what goes with that."""
CONCLUSIVE_FACTOR = 2.5
"""A figure is insufficient where chance alone reaches so many times the minimum effect size of an unknown column."""
DAYS_PER_YEAR = 365.25


def judge_hypothesis_test(
    spec: Spec,
    one: HypothesisTest,
    learned: ColumnCalibration | None,
    strictest: float,
    alpha: float,
    event: str | None,
) -> tuple[float | None, Verdict, str]:
    """Return a metric's limit, verdict and reason.

    Args:
        spec: the model file.
        one: the tested metric.
        learned: what the baseline says of the column; None where it says nothing.
        strictest: false-alarm probability of the day's most unusual test.
        alpha: that which the day allows.
        event: name of a known event that the day belongs to; None for none.
    Returns:
        The limit on the metric's own scale (None where it wasn't measured), the verdict, and why, in words.
    """
    if one.figure is None or learned is None:
        return None, one.verdict or Verdict.INSUFFICIENT, one.reason
    if one.metric == SCALE_RATIO:
        return _judge_scale(one, strictest)
    limit = one.limit(alpha)
    beyond = one.figure.value > limit if one.rises else one.figure.value < limit
    significant = one.p_value < alpha * one.persistence_factor
    # Rounding may part what is significant from what is beyond a learned limit; where both say so, it is a breach.
    verdict = limits.verdict_of_test(beyond=beyond, significant=significant, conclusive=_is_conclusive(one))
    reason = describe_limit(one, learned, limit)
    if verdict is Verdict.INSUFFICIENT:
        said = _format_percent(one.figure.critical) if _is_share_metric(one) else f"{one.figure.critical:.3f}"
        reason += f"; chance alone reaches {said} in {one.values:,} {'rows' if _is_rise(one) else 'values'}"
    elif verdict is Verdict.BREACH and one.sides is not None:
        reason += f"; {_describe_change(learned.bins, *one.sides)}"
    if (
        verdict is Verdict.BREACH
        and event is not None
        and catalogue.metric(one.metric).evidence is Evidence.SOFT
        and not _is_beyond_event_limit(one, limit)
    ):
        verdict = Verdict.INSUFFICIENT
        reason += f"; the day belongs to {event}, when this figure counts only from three times its limit on"
    return limit, verdict, reason


def describe_limit(one: HypothesisTest, learned: ColumnCalibration, limit: float) -> str:
    """Return a limit in words: the value, what was usual on how many days, the minimum effect size, and the odds.

    Args:
        one: the tested metric, with a figure.
        learned: what the baseline says of the column.
        limit: on the metric's own scale.
    Returns:
        A sentence without its full stop.
    """
    assert one.figure is not None
    share, phrase = _is_share_metric(one), catalogue.metric(one.metric).in_a_reason
    show = _format_percent if share else _format_decimals
    value = f"{show(one.figure.value)} {phrase}" if share else f"{phrase} {show(one.figure.value)}"
    if one.null is None:
        rows = f"{learned.rows:,} rows" if share else f"{one.values_before:,} baseline values"
        before = f"; baseline {show(one.before)} of {rows}" if share else f" against {rows}"
        return f"{value}{before}; limit {show(limit)}"
    before = f"; baseline {show(one.before)}, usually" if share else " against a usual"
    said = describe_usual_range(one.null, learned, show)
    return (
        f"{value}{before} {said}; limit {show(limit)} ({_describe_minimum_effect(one)}), "
        f"{_describe_passing_chance(one, limit)}"
    )


def describe_usual_range(null: NullDistribution, learned: ColumnCalibration, show: Callable[[float], str]) -> str:
    """Return what nine in ten of a statistic's baseline days were, and what each was compared with.

    Args:
        null: the statistic's distribution on the baseline's days.
        learned: what the baseline says of the column.
        show: how a figure is written.
    Returns:
        Words, as '0.001 to 0.012 on 58 baseline days'.
    """
    against = "" if learned.reference.kind is ReferenceKind.LEVEL else f", each against {learned.reference.kind.value}"
    return f"{show(null.low)} to {show(null.high)} on {null.days} baseline days{against}"


def describe_chance(chance: float) -> str:
    """Return how seldom something happens by chance.

    Args:
        chance: probability a day.
    Returns:
        Words.
    Example:
        >>> describe_chance(1 / 1461)
        'about once in 4 years'
    """
    days = 1 / max(chance, 1e-12)
    if days < 2 * DAYS_PER_YEAR:
        return f"about once in {days:.0f} days"
    years = days / DAYS_PER_YEAR
    return f"about once in {years:,.0f} years" if years < 1000 else "less than once in 1,000 years"


def _describe_minimum_effect(one: HypothesisTest) -> str:
    if _is_factor(one):
        return f"at least {one.minimum_effect:g} times as many or as few"
    least = _format_percent(one.minimum_effect) if _is_share_metric(one) else f"{one.minimum_effect:g}"
    return f"at least {least} more than chance"


def _describe_passing_chance(one: HypothesisTest, limit: float) -> str:
    chance = one.chance_at(limit)
    return f"passed by chance {describe_chance(chance)}" if chance is not None else ""


def _is_share_metric(one: HypothesisTest) -> bool:
    return one.distance is None


def _is_rise(one: HypothesisTest) -> bool:
    return catalogue.metric(one.metric).effect is Effect.RISE


def _is_factor(one: HypothesisTest) -> bool:
    return catalogue.metric(one.metric).effect is Effect.FACTOR


def _grows_as_a_square(one: HypothesisTest) -> bool:
    return one.distance is None or one.distance.scale is Scale.SQUARE


def _is_beyond_event_limit(one: HypothesisTest, limit: float) -> bool:
    """Return whether a figure is beyond three times its limit as PSI counts; the other distances are roots of it."""
    assert one.figure is not None
    if _is_factor(one):
        return abs(one.figure.value - one.before) > EVENT_FACTOR * abs(limit - one.before)
    factor = EVENT_FACTOR if _grows_as_a_square(one) else EVENT_FACTOR**0.5
    return one.figure.value > factor * limit


def _is_conclusive(one: HypothesisTest) -> bool:
    """Return whether a change that is large by any measure would show among so few values."""
    assert one.figure is not None
    if _is_factor(one):
        return True
    minimum_effect = max(one.minimum_effect, catalogue.metric(one.metric).minimum_effect_unlearned or 0.0)
    factor = CONCLUSIVE_FACTOR if _grows_as_a_square(one) else CONCLUSIVE_FACTOR**0.5
    return one.figure.critical <= max(one.effect_limit, one.before + factor * minimum_effect)


def _judge_scale(one: HypothesisTest, alpha: float) -> tuple[float, Verdict, str]:
    figure = one.figure
    assert figure is not None
    beyond = not 1 / figure.limit <= figure.value <= figure.limit
    verdict = limits.verdict_of_test(beyond=beyond, significant=one.p_value < alpha)
    reason = f"typical value {figure.value:.3g} times the baseline's; limit {figure.limit:.3g} times either way"
    return figure.limit, verdict, reason


def _describe_change(bins: Grid | Levels, today: Ints, baseline: Ints) -> str:
    """Say what moved most: a number's median, or the level whose share changed most."""
    if isinstance(bins, Grid):
        now, before = (float(bin_midpoints(bins)[quantile_bin(vector, 0.5)]) for vector in (today, baseline))
        if now == before:
            return f"the median stays about {_format_number(before)}, the shape changed"
        return f"median about {_format_number(now)}, baseline {_format_number(before)}"
    p, q = today / today.sum(), baseline / baseline.sum()
    most = int(abs(p - q).argmax())
    level = [*(f"'{level}'" for level in bins.top), "unseen levels", "rare levels"][most]
    return f"most by {level}: {_format_percent(p[most])}, baseline {_format_percent(q[most])}"


def _format_number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def _format_decimals(value: float) -> str:
    return f"{value:.3f}"


def _format_percent(share: float) -> str:
    return f"{100 * share:.3g} %"
