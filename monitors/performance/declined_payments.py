"""What the model does on all payments, when those it blocks never get an honest label.

Where the bank lets some payments through that it would have blocked, with a known probability p, each of them stands
for 1 / p: sums of 1 / p over the labelled payments estimate what all labels would have shown (Hajek's ratio of
Horvitz-Thompson sums). Where it lets none through the truth is only bounded (Manski): by blocked payments that were
all fraud, or all legitimate; the score's calibrated rate lies between. Nothing here is judged against a limit.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import NamedTuple

import numpy as np
from scipy import special

import catalogue
from catalogue import Effect
from catalogue.performance import FALSE_POSITIVE_RATE, FRAUD_SHARE, PRECISION, TRAFFIC_SHARE, VALUE_DETECTION_RATE
from catalogue.performance_monitors import SELECTIVE_MONITOR
from ledger.records.measurements import Measurement, Verdict
from models.spec import Spec
from monitors import limits
from monitors.inputs import DayInputs
from monitors.performance import expected, figures
from monitors.performance.estimate import says_before_labels
from monitors.performance.maturity import LabelDelayCurve, maturity_ages, newest_days
from monitors.registry import monitor
from monitors.stats import intervals
from monitors.stats.intervals import Estimate
from profiles.bins import Floats, Ints
from profiles.profile import (
    BLOCKED,
    COUNT,
    EVERYONE,
    FRAUD,
    LEGITIMATE,
    OPEN,
    PENCE,
    UNWEIGHTED,
    WEIGHT,
    WEIGHTED_PENCE,
    Cube,
    Group,
)
from profiles.schema import ProfileSchema

WINDOW_DAYS = 28
LEAST_DAYS = 14
LEAST_EFFECTIVE = 30
"""Weighted cases that are worth no more than this many plain ones are too few."""
MOST_UNWEIGHTED = 0.05
"""Share of labelled alerts without a usable propensity above which the weights can't stand for all."""
MOST_MISMATCH, MISMATCH_ERRORS = 0.2, 4.0
"""Propensities are wrong where the alerts let through stand for this much more or less than all that were raised, and
by more than this many standard errors."""


class MetricBounds(NamedTuple):
    """What a share may be in truth: if all blocked payments speak against it or for it, and at the score's rate."""

    low: float
    high: float
    likely: float | None


def measure_declined_payments(
    spec: Spec, schema: ProfileSchema, as_of: date, cubes: Mapping[date, Cube], curve: LabelDelayCurve
) -> list[Measurement]:
    """Return recall, precision, false-positive rate and value detection adjusted for declined payments.

    Over the newest WINDOW_DAYS mature cohort days: weighted by propensity where the model file names one and it adds
    up, else as bounds; and by what was done with a payment (slices of the action column) its share of payments and
    its fraud rate. Verdicts are ok, immature and insufficient.

    Args:
        spec: the model file; without labels, threshold or ``score.blocked`` nothing is measured.
        schema: how partitions are profiled; without a score nothing is measured.
        as_of: day at whose end the labels were read.
        cubes: score cubes with these labels, by cohort day.
        curve: the label-delay curve.
    Returns:
        Measurements; none where no payment was blocked and none is weighted: the plain figures leave nothing out then.
    """
    if schema.score is None or spec.labels is None or spec.score.threshold is None or not spec.score.blocked:
        return []
    mature_days = maturity_ages(spec.labels, curve).labels
    days = newest_days([day for day in cubes if EVERYONE in cubes[day].bins], as_of, mature_days, WINDOW_DAYS)
    adjusted = catalogue.monitor(SELECTIVE_MONITOR).metrics
    metrics = [metric for metric in figures.available_metrics(spec) if metric in adjusted]
    if len(days) < LEAST_DAYS:
        reason = f"{len(days)} cohort days are mature (older than {mature_days} days), {LEAST_DAYS} are needed."
        return [
            figures.build_measurement(spec, as_of, as_of, SELECTIVE_MONITOR, metric, None, Verdict.IMMATURE, reason)
            for metric in metrics
        ]
    parts = np.stack([figures.count_unlabelled_as_legitimate(spec, cubes[day].bins[EVERYONE]) for day in days])
    if not (schema.weighted or parts[:, :, BLOCKED, COUNT].any()):
        return []
    unweightable_reason = _why_unweightable(parts) if schema.weighted else "no propensity is named (score.propensity)"
    found = [_adjusted_measurement(spec, as_of, metric, parts, unweightable_reason) for metric in metrics]
    return [*found, *_action_shares(spec, schema, as_of, cubes, days)]


def metric_sums(metric: str, parts: Ints, count: int, pence: int) -> tuple[Floats, Floats]:
    """Return a metric's numerator and denominator by day.

    Args:
        metric: recall, precision, false_positive_rate or value_detection_rate.
        parts: (days, score bins, states, sums).
        count: which sum counts payments: COUNT, or WEIGHT for weighted ones.
        pence: which sum is their amount: PENCE or WEIGHTED_PENCE.
    Returns:
        Two sums, in the unit of the chosen one: (days) each.
    """
    half = parts.shape[1] // 2
    what = pence if metric == VALUE_DETECTION_RATE else count
    raised, every = (own[:, :, :, what].sum(axis=1).astype(np.float64) for own in (parts[:, half:], parts))
    if metric == PRECISION:
        return raised[:, FRAUD], raised[:, FRAUD] + raised[:, LEGITIMATE]
    state = LEGITIMATE if metric == FALSE_POSITIVE_RATE else FRAUD
    return raised[:, state], every[:, state]


def ratio_over_days(a: Floats, b: Floats, n: int) -> Estimate | None:
    """Return ``sum(a) / sum(b)`` with days as the units drawn, whatever the weights within a day.

    Args:
        a: numerators by day: (days).
        b: denominators by day: (days).
        n: number of cases, as the estimate shows it.
    Returns:
        The ratio with its 95 % interval; None where b sums to 0, or of a single day.
    Source:
        linearised ratio (Woodruff, JASA 1971); Student's t on the logit scale.
    Example:
        >>> found = ratio_over_days(np.array([8.0, 6.0, 7.0]), np.array([10.0, 10.0, 10.0]), n=30)
        >>> round(found.low, 2), found.value, round(found.high, 2)
        (0.42, 0.7, 0.88)
    """
    days, total = len(a), float(b.sum())
    if total <= 0 or days < 2:
        return None
    value = float(a.sum()) / total
    error = math.sqrt(days / (days - 1) * float(((a - value * b) ** 2).sum())) / total
    if not 0 < value < 1 or error <= 0:
        return Estimate(value, *intervals.clopper_pearson(value * n, n), n, error)
    half = float(special.stdtrit(days - 1, 1 - intervals.ALPHA / 2)) * error / (value * (1 - value))
    centre = math.log(value / (1 - value))
    return Estimate(value, float(special.expit(centre - half)), float(special.expit(centre + half)), n, error)


def bound_metric(metric: str, part: Ints) -> MetricBounds | None:
    """Return what a metric may be in truth, whatever the blocked payments were.

    A blocked alert counts as caught where it was fraud, and as a false alarm where it wasn't.

    Args:
        metric: recall, precision, false_positive_rate or value_detection_rate.
        part: (score bins, states, sums).
    Returns:
        The bounds, and what the score's calibrated rate makes likely; None where the metric has no cases at all.
    Source:
        worst-case bounds (Manski, Partial Identification of Probability Distributions, 2003).
    """
    half = len(part) // 2
    what = PENCE if metric == VALUE_DETECTION_RATE else COUNT
    known, blocked = expected.labelled_payments(part), part[:, BLOCKED].astype(np.float64)
    learnt = (
        known.cases.sum() > 0
        and expected.shares_outside_support(known, known._replace(cases=blocked[:, COUNT]))[0] <= 0.05
    )
    likely = (
        expected.expect_frauds(expected.learn_fraud_rates(known), blocked[:, COUNT], blocked[:, PENCE])
        if learnt
        else None
    )
    of = blocked[:, what]
    raised, below = float(of[half:].sum()), float(of[:half].sum())
    values = []
    ends = [(0.0, below), (raised, 0.0)]
    if likely is not None:
        frauds = likely.fraud_pence if what == PENCE else likely.frauds
        ends.append((float(frauds[half:].sum()), float(frauds[:half].sum())))
    for caught, missed in ends:
        a, b = (float(own[0]) for own in metric_sums(metric, part[None], COUNT, PENCE))
        if metric == PRECISION:
            a, b = a + caught, b + raised
        elif metric == FALSE_POSITIVE_RATE:
            a, b = a + raised - caught, b + raised - caught + below - missed
        else:
            a, b = a + caught, b + caught + missed
        values.append(a / b if b > 0 else math.nan)
    if not all(math.isfinite(value) for value in values[:2]):
        return None
    middle = values[2] if len(values) > 2 and math.isfinite(values[2]) else None
    return MetricBounds(min(values[:2]), max(values[:2]), middle)


def _why_unweightable(parts: Ints) -> str:
    """Return why the propensities can't be used, or an empty string."""
    half = parts.shape[1] // 2
    raised = parts[:, half:].sum(axis=1)
    seen = raised[:, [OPEN, FRAUD, LEGITIMATE]].sum(axis=1)
    if not seen[:, COUNT].any():
        return "no alert was let through"
    without = seen[:, UNWEIGHTED].sum() / seen[:, COUNT].sum()
    if without > MOST_UNWEIGHTED:
        return (
            f"{_percent(without)} of the alerts let through have no usable propensity (empty, or not from 0.0001 to 1)"
        )
    stands, all_alerts = seen[:, WEIGHT] / 1e6, raised[:, :, COUNT].sum(axis=1).astype(np.float64)
    found = ratio_over_days(stands, all_alerts, int(all_alerts.sum()))
    if found is None or (abs(found.value - 1) > MOST_MISMATCH and abs(found.value - 1) > MISMATCH_ERRORS * found.error):
        return (
            f"the propensities don't add up: the alerts let through stand for {stands.sum():,.0f}, but "
            f"{all_alerts.sum():,.0f} were raised"
        )
    return ""


def _adjusted_measurement(spec: Spec, as_of: date, metric: str, parts: Ints, unweightable_reason: str) -> Measurement:
    pooled = parts.sum(axis=0)
    counts = figures.count_confusion(pooled)
    a, b = metric_sums(metric, parts, COUNT, PENCE)
    plain = float(a.sum() / b.sum()) if b.any() else None
    alone = ""
    if plain is not None:
        alone = f" Over payments let through alone it would read {_percent(plain)}, which is not the model's figure."
    found, verdict, reason = (
        _weighted_metric(metric, parts, counts)
        if not unweightable_reason
        else _bounded_metric(spec, metric, pooled, unweightable_reason)
    )
    lacking = figures.describe_too_few_cases(metric, counts)
    if lacking:
        verdict, reason = Verdict.INSUFFICIENT, f"{lacking[0].upper()}{lacking[1:]}. {reason}"
    return figures.build_measurement(spec, as_of, as_of, SELECTIVE_MONITOR, metric, found, verdict, reason + alone)


def _weighted_metric(metric: str, parts: Ints, counts: figures.ConfusionCounts) -> tuple[Estimate | None, Verdict, str]:
    """Return a metric weighted by 1 / p, and how far its weights can be trusted."""
    cases = int(metric_sums(metric, parts, COUNT, COUNT)[1].sum())
    found = ratio_over_days(*metric_sums(metric, parts, WEIGHT, WEIGHTED_PENCE), cases)
    if found is None:
        return None, Verdict.INSUFFICIENT, "It is undefined for want of labelled payments or money."
    without = int(parts[:, :, [FRAUD, LEGITIMATE], UNWEIGHTED].sum())
    reason = (
        f"{_percent(found.value)} {says_before_labels(metric)}, "
        "weighted by how likely each payment was to be let through: "
        f"{counts.alerts - counts.blocked_alerts:,} alerts that were let through stand for all {counts.alerts:,}, of "
        f"which {counts.blocked_alerts:,} were blocked. No weight is capped."
    )
    if without:
        reason += f" Left out: {without:,} labelled payments without a usable propensity."
    spread = found.value * (1 - found.value)
    effective = spread / found.error**2 if found.error > 0 and spread > 0 else float(cases)
    if effective < LEAST_EFFECTIVE:
        reason += f" It says no more than {effective:.0f} plain cases would, {LEAST_EFFECTIVE} are needed."
        return found, Verdict.INSUFFICIENT, reason
    return found, Verdict.OK, reason


def _bounded_metric(
    spec: Spec, metric: str, pooled: Ints, unweightable_reason: str
) -> tuple[Estimate | None, Verdict, str]:
    """Return what a metric may be, widened by the chance in the payments let through."""
    found = bound_metric(metric, pooled)
    if found is None:
        return None, Verdict.INSUFFICIENT, f"Not weighted: {unweightable_reason}. It is undefined for want of cases."
    blocked = int(pooled[:, BLOCKED, COUNT].sum())
    cases = int(metric_sums(metric, pooled[None], COUNT, COUNT)[1].sum())
    low = intervals.clopper_pearson(found.low * cases, cases).low
    high = intervals.clopper_pearson(found.high * cases, cases).high
    likely = "their scores were never seen on payments let through, so nothing likelier can be said"
    if found.likely is not None:
        likely = f"about {_percent(found.likely)} if they were fraud as often as their scores suggest"
    reason = (
        f"Not weighted: {unweightable_reason}. "
        f"{_percent(found.low)} to {_percent(found.high)} {says_before_labels(metric)}, "
        f"depending on whether the {blocked:,} blocked payments were fraud, of which nobody will know; {likely}."
    )
    minimum_effect = limits.minimum_effect(spec, metric)
    is_factor = catalogue.metric(metric).effect is Effect.FACTOR
    wide = found.high > found.low * minimum_effect if is_factor else found.high - found.low > minimum_effect
    if wide:
        reason += " That is too wide to see a change of the size that matters: let a few through on purpose."
    value = found.likely if found.likely is not None else math.nan
    return Estimate(value, low, high, cases), Verdict.INSUFFICIENT if wide else Verdict.OK, reason


def _action_shares(
    spec: Spec, schema: ProfileSchema, as_of: date, cubes: Mapping[date, Cube], days: list[date]
) -> Iterator[Measurement]:
    """Yield, by what was done with a payment, its share of payments and its fraud rate."""
    action = spec.score.action
    if action is None or action not in schema.groups:
        return
    rows = sum(int(cubes[day].bins[EVERYONE][:, :, COUNT].sum()) for day in days)
    values = dict.fromkeys(group for day in days for group in cubes[day].bins if group[0] == action)
    for group in sorted(values, key=lambda g: (g[1] is None, g[1] or "")):
        part = figures.pool_cohort_days(cubes, days, group)
        if part is not None and rows:
            yield from _action_measurements(
                spec, as_of, group, figures.count_unlabelled_as_legitimate(spec, part), rows, days[-1] - days[0]
            )


def _action_measurements(
    spec: Spec, as_of: date, group: Group, part: Ints, rows: int, span: timedelta
) -> Iterator[Measurement]:
    own, frauds = int(part[:, :, COUNT].sum()), int(part[:, FRAUD, COUNT].sum())
    labelled = frauds + int(part[:, LEGITIMATE, COUNT].sum())
    reason = f"{own:,} of {rows:,} payments in {span.days + 1} days."
    yield figures.build_measurement(
        spec,
        as_of,
        as_of,
        SELECTIVE_MONITOR,
        TRAFFIC_SHARE,
        intervals.share_estimate(own, rows),
        Verdict.OK,
        reason,
        group=group,
    )
    if group[1] in spec.score.blocked or not labelled:
        found, verdict, reason = None, Verdict.INSUFFICIENT, "No honest label can come for these payments."
    else:
        found, reason = (
            intervals.share_estimate(frauds, labelled),
            f"{frauds:,} of {labelled:,} labelled payments are fraud.",
        )
        verdict = Verdict.OK if labelled >= figures.MIN_ALERTS else Verdict.INSUFFICIENT
    yield figures.build_measurement(
        spec, as_of, as_of, SELECTIVE_MONITOR, FRAUD_SHARE, found, verdict, reason, group=group
    )


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"


@monitor(SELECTIVE_MONITOR, for_incidents=False)
def measure_declined_payments_of_day(inputs: DayInputs) -> list[Measurement]:
    """Return what ``measure_declined_payments`` finds on a day; nothing of a model without a score."""
    known = inputs.scored
    return measure_declined_payments(inputs.spec, inputs.schema, inputs.day, known.cubes, known.curve) if known else []
