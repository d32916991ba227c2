"""Whether the model still does what it did in its baseline: recent mature cohorts pooled, against the baseline's.

Each metric waits only for the labels that it needs: the alert rate for none, recall and value detection for frauds,
the others for legitimate payments too.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from datetime import date, timedelta
from typing import NamedTuple

import numpy as np

import catalogue
from catalogue import Effect, Needs, Worse, labels, money
from catalogue.performance import BRIER_SCORE, FALSE_POSITIVE_RATIO, RECALL_AT_FALSE_POSITIVE_RATE, VALUE_DETECTION_RATE
from catalogue.performance_monitors import DECAY_MONITOR
from ledger.records.measurements import Measurement, Verdict
from models.spec import Spec
from monitors import limits
from monitors.inputs import DayInputs
from monitors.performance import figures
from monitors.performance.maturity import LabelDelayCurve, MaturityAges, newest_days
from monitors.performance.pooled import CohortComparison, KnownCohorts, NotComparable
from monitors.registry import monitor
from monitors.stats import intervals
from monitors.stats.intervals import Estimate, Interval
from profiles.profile import COUNT, EVERYONE, FRAUD, FRAUD_TYPE, Cube, Group
from profiles.schema import ProfileSchema

MATURE_FRAUDS_DAYS = 60
"""Mature cohort days whose frauds are counted as what a challenger could learn from."""


class MetricChange(NamedTuple):
    """How much worse a metric is, as a drop or rise, or as a log ratio; with its intervals and its minimum effect size.

    ``safe_low`` is the lower bound at the confidence that the false-alarm budget asks for.
    """

    value: float
    low: float
    high: float
    safe_low: float
    minimum_effect: float


def measure_decay(
    spec: Spec,
    schema: ProfileSchema,
    as_of: date,
    cubes: Mapping[date, Cube],
    curve: LabelDelayCurve,
    baseline_days: Collection[date],
) -> list[Measurement]:
    """Return each metric over the newest mature days against the baseline's, and the money behind it.

    A breach needs three things. Material: the metric is worse by at least its minimum effect size, and the 95 %
    interval of the change lies beyond half of it. Significant: the interval at the model's false-alarm budget, shared
    over the metrics (Bonferroni), excludes no change. Shares at the threshold use effective sample sizes, so that days
    that vary more than chance make no alarm. What chance alone could move by the minimum effect size is insufficient,
    not ok.

    Args:
        spec: the model file.
        schema: how partitions are profiled; without a score nothing is measured.
        as_of: day at whose end the labels were read.
        cubes: score cubes with these labels, by cohort day; days before the baseline's first are left out.
        curve: the label-delay curve.
        baseline_days: days of the baseline; of none, nothing is measured.
    Returns:
        A measurement of each metric, of recall and value detection also for each fraud type that the model file names.
    """
    if schema.score is None or not baseline_days:
        return []
    metrics, never_judged = figures.available_metrics(spec), catalogue.never_judged_quality()
    scored = [day for day in cubes if min(baseline_days) <= day <= as_of and EVERYONE in cubes[day].bins]
    known = KnownCohorts(spec, as_of, cubes, scored, frozenset(baseline_days), curve)
    types = [(FRAUD_TYPE, name) for name in spec.labels.types] if spec.labels else []
    wanted = [(metric, EVERYONE) for metric in metrics if metric not in never_judged]
    wanted += [
        (metric, group) for group in types for metric in metrics if figures.labels_needed(metric) is Needs.FRAUDS
    ]
    alpha = limits.alpha_per_test(spec, len(wanted))
    found = [_judge_metric(known, metric, group, alpha) for metric, group in wanted]
    found += [_show_metric(known, metric) for metric in metrics if metric in never_judged]
    if VALUE_DETECTION_RATE in metrics:
        found += _measure_fraud_money(spec, as_of, known.first_sufficient_window(VALUE_DETECTION_RATE, EVERYONE))
    if spec.labels is not None:
        found += _measure_maturity(spec, as_of, cubes, known.ages(EVERYONE))
    return found


def _judge_metric(known: KnownCohorts, metric: str, group: Group, alpha: float) -> Measurement:
    spec, as_of, comparison = known.spec, known.as_of, known.first_sufficient_window(metric, group)
    if isinstance(comparison, NotComparable):
        return _decay_measurement(spec, as_of, metric, None, comparison.verdict, comparison.reason, group=group)
    now, before = comparison.recent.estimate(metric), comparison.normal.estimate(metric)
    lacking = figures.describe_too_few_cases(metric, comparison.recent.counts)
    which = f"in {comparison.span}"
    if not lacking:
        lacking, which = figures.describe_too_few_cases(metric, comparison.normal.counts), "in the baseline"
    if lacking or now is None or before is None:
        reason = f"Only {lacking}, {which}." if lacking else "It is undefined for want of fraud or money."
        return _decay_measurement(spec, as_of, metric, now, Verdict.INSUFFICIENT, reason, group=group)
    effect = _effect(metric, comparison, now, before, limits.minimum_effect(spec, metric), alpha)
    verdict = limits.verdict_of_test(
        beyond=effect.value >= effect.minimum_effect and effect.low >= effect.minimum_effect / 2,
        significant=effect.safe_low > 0,
        # A figure that is surely not worse by what matters is conclusive, however wide its interval is.
        conclusive=(effect.high - effect.low) / 2 <= effect.minimum_effect or effect.high < effect.minimum_effect,
    )
    reason = _describe_change(metric, comparison, now, before, effect) + figures.describe_exclusions(
        spec, metric, comparison.recent.counts
    )
    if verdict is Verdict.INSUFFICIENT:
        reason += " Too few cases to distinguish a change of the size that matters from chance."
    limit = _limit(metric, now, before, effect.minimum_effect)
    return _decay_measurement(spec, as_of, metric, now, verdict, reason, limit, group=group)


def _show_metric(known: KnownCohorts, metric: str) -> Measurement:
    """Return a metric that is shown and never judged, over the first window with enough cases."""
    spec, as_of, comparison = known.spec, known.as_of, known.first_sufficient_window(metric, EVERYONE)
    if isinstance(comparison, NotComparable):
        return _decay_measurement(spec, as_of, metric, None, comparison.verdict, comparison.reason)
    now = comparison.recent.estimate(metric, spec.score.false_positive_rate)
    lacking = figures.describe_too_few_cases(metric, comparison.recent.counts)
    if lacking or now is None:
        reason = f"Only {lacking}, in {comparison.span}." if lacking else f"It is undefined in {comparison.span}."
        return _decay_measurement(spec, as_of, metric, now, Verdict.INSUFFICIENT, reason)
    descriptions = {
        RECALL_AT_FALSE_POSITIVE_RATE: f"Frauds caught if {_percent(spec.score.false_positive_rate)} of legitimate "
        "payments raised an alert",
        FALSE_POSITIVE_RATIO: "False alarms for each fraud caught",
        BRIER_SCORE: "Mean square of score less outcome",
    }
    description = descriptions.get(metric, catalogue.metric(metric).title)
    reason = f"{description}, in {comparison.span}." + figures.describe_exclusions(
        spec, metric, comparison.recent.counts
    )
    return _decay_measurement(spec, as_of, metric, now, Verdict.OK, reason)


def _effect(
    metric: str, comparison: CohortComparison, now: Estimate, before: Estimate, minimum_effect: float, alpha: float
) -> MetricChange:
    """Return how much worse ``now`` is than ``before``; for the alert rate, how different, either way."""
    shown, safe = (_change_interval(metric, comparison, now, before, level) for level in (intervals.ALPHA, alpha))
    if _is_factor(metric):
        value = intervals.log_ratio(now.value / before.value) if before.value else math.inf
        (low, high), (safe_low, safe_high) = (
            (intervals.log_ratio(bound) for bound in interval) for interval in (shown, safe)
        )
        minimum_effect = math.log(minimum_effect)
    else:
        value, (low, high), (safe_low, safe_high) = now.value - before.value, shown, safe
    worse = catalogue.metric(metric).worse
    worse_when_lower = value < 0 if worse is Worse.EITHER else worse is Worse.LOWER
    if worse_when_lower:
        value, low, high, safe_low = -value, -high, -low, -safe_high
    return MetricChange(value, low, high, safe_low, minimum_effect)


def _is_factor(metric: str) -> bool:
    return catalogue.metric(metric).effect is Effect.FACTOR


def _is_judged_either_way(metric: str) -> bool:
    return catalogue.metric(metric).worse is Worse.EITHER


def _change_interval(
    metric: str, comparison: CohortComparison, now: Estimate, before: Estimate, alpha: float
) -> Interval:
    """Return the interval of the change of a metric: the ratio where its effect is a factor, else the difference."""
    events_of = figures.EVENTS_AND_CASES.get(metric)
    if events_of is None:
        return intervals.difference_interval(now, before, alpha)
    daily = np.array([events_of(counts) for counts in comparison.normal.daily], np.int64)
    effect = intervals.design_effect(daily[:, 0], daily[:, 1])
    x, n = (count / effect for count in events_of(comparison.recent.counts))
    y, m = (count / effect for count in events_of(comparison.normal.counts))
    return (intervals.ratio_interval if _is_factor(metric) else intervals.newcombe_interval)(x, n, y, m, alpha)


def _limit(metric: str, now: Estimate, before: Estimate, minimum_effect: float) -> float:
    """Return the minimum effect size on the metric's own scale."""
    if _is_factor(metric):
        falling = _is_judged_either_way(metric) and now.value < before.value
        return before.value * math.exp(-minimum_effect if falling else minimum_effect)
    return (
        min(1.0, before.value + minimum_effect)
        if catalogue.metric(metric).worse is Worse.HIGHER
        else max(0.0, before.value - minimum_effect)
    )


def _describe_change(
    metric: str, comparison: CohortComparison, now: Estimate, before: Estimate, effect: MetricChange
) -> str:
    """Return what the metric was in the newest days and in the baseline, and the change with its interval."""
    sentence_end = figures.sentence_end(metric)
    shown = _percent if sentence_end else _three_digits
    span = f"{shown(now.value)}{sentence_end} in {comparison.span}; {shown(before.value)} in the baseline"
    if _is_factor(metric):
        low, high = sorted(math.exp(sign) for sign in (effect.low, effect.high))
        if _is_judged_either_way(metric) and now.value < before.value:
            return f"{span}: lower by a factor of {math.exp(effect.value):.2f} ({low:.2f} to {high:.2f})."
        return f"{span}: {math.exp(effect.value):.2f} times as high ({low:.2f} to {high:.2f})."
    sign = 1 if catalogue.metric(metric).worse is Worse.HIGHER else -1
    changes = (sign * each for each in (effect.value, effect.low, effect.high))
    difference = _describe_difference(*changes, points=bool(sentence_end))
    return f"{span}: {difference}."


def _describe_difference(value: float, *ends: float, points: bool) -> str:
    """Return a change with its interval, as in ``28 points lower (24 to 32)``; both ways where it spans none."""
    scale, digits, unit = (100, 1, " points") if points else (1, 3, "")

    def size(x: float) -> str:
        return f"{abs(x) * scale:.{digits}f}"

    def way(x: float) -> str:
        return "higher" if x > 0 else "lower"

    if min(ends) * max(ends) < 0:
        between = f"{size(min(ends))} lower to {size(max(ends))} higher"
    else:
        between = " to ".join(size(end) for end in sorted(ends, key=abs))
    return f"{size(value)}{unit} {way(value)} ({between})"


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"


def _three_digits(value: float) -> str:
    return f"{value:.3g}"


def _measure_fraud_money(
    spec: Spec, as_of: date, comparison: CohortComparison | NotComparable
) -> Iterator[Measurement]:
    """Yield the fraud's amount a day now, what the baseline caught a day, and what is lost a day since.

    Lost is the drop of the value detection rate times the fraud's amount a day now, with the delta method's
    interval; where detection rose it is 0. Days are the units of the other two (Student's t).
    """
    names = (money.FRAUD, money.CAUGHT, money.LOST)
    if isinstance(comparison, NotComparable):
        yield from (
            _decay_measurement(spec, as_of, name, None, comparison.verdict, comparison.reason) for name in names
        )
        return
    now, before = (side.estimate(VALUE_DETECTION_RATE) for side in comparison[:2])
    if now is None or before is None or len(comparison.normal.days) < 2:
        reason = "There was no fraud with an amount, or a single baseline day."
        yield from (_decay_measurement(spec, as_of, name, None, Verdict.INSUFFICIENT, reason) for name in names)
        return
    fraud = intervals.daily_mean_estimate(comparison.recent.fraud_gbp(caught=False))
    caught = intervals.daily_mean_estimate(comparison.normal.fraud_gbp(caught=True))
    drop = before.value - now.value
    error = math.hypot(fraud.value * math.hypot(now.error, before.error), drop * fraud.error)
    lost = Estimate(drop * fraud.value, drop * fraud.value - 1.96 * error, drop * fraud.value + 1.96 * error, now.n)
    words = (
        f"Known fraud a day in {comparison.span}.",
        f"Fraud stopped a day in the baseline, over {caught.n} days, without blocked payments.",
        f"{_percent(now.value)} of GBP {fraud.value:,.0f} a day caught, {_percent(before.value)} in the baseline.",
    )
    for name, found, reason in zip(names, (fraud, caught, lost), words, strict=True):
        positive = Estimate(max(0.0, found.value), max(0.0, found.low), max(0.0, found.high), found.n)
        yield _decay_measurement(spec, as_of, name, positive, Verdict.OK, reason)


def _measure_maturity(
    spec: Spec, as_of: date, cubes: Mapping[date, Cube], mature: MaturityAges
) -> Iterator[Measurement]:
    """Yield the frauds on the newest mature cohort days, and the ages from which cohorts are mature."""
    days = newest_days(cubes, as_of, mature.labels, MATURE_FRAUDS_DAYS)
    part = figures.pool_cohort_days(cubes, days, EVERYONE)
    frauds = int(part[:, FRAUD, COUNT].sum()) if part is not None else 0
    span = f"{days[0]} to {days[-1]}" if days else "no mature cohort day yet"
    reason = f"Frauds known on mature cohort days, the newest {MATURE_FRAUDS_DAYS}: {span}."
    verdict = Verdict.IMMATURE if mature.why else Verdict.OK
    yield _decay_measurement(
        spec, as_of, labels.MATURE_FRAUDS, Estimate(frauds, frauds, frauds, frauds), verdict, reason
    )
    for name, age in ((labels.MATURE_UNTIL, mature.labels), (labels.FRAUDS_MATURE_UNTIL, mature.frauds)):
        what = "Cohorts" if name == labels.MATURE_UNTIL else "Recall and value detected of cohorts"
        reason = f"{what} are mature from {age} days on, up to {as_of - timedelta(days=age)}"
        reason += f"; {mature.why}." if mature.why else "."
        yield _decay_measurement(spec, as_of, name, Estimate(age, age, age, age), verdict, reason)


def _decay_measurement(
    spec: Spec,
    as_of: date,
    metric: str,
    found: Estimate | None,
    verdict: Verdict,
    reason: str,
    limit: float | None = None,
    *,
    group: Group = EVERYONE,
) -> Measurement:
    return figures.build_measurement(
        spec, as_of, as_of, DECAY_MONITOR, metric, found, verdict, reason, group=group, limit=limit
    )


@monitor(DECAY_MONITOR)
def measure_decay_of_day(inputs: DayInputs) -> list[Measurement]:
    """Return what ``measure_decay`` finds on a day; nothing of a model without a score."""
    known = inputs.scored
    if known is None:
        return []
    return measure_decay(inputs.spec, inputs.schema, inputs.day, known.cubes, known.curve, known.baseline_days)
