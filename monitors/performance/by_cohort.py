"""How well the model did on each cohort day, by what was known of it as of another day."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import date, timedelta

from catalogue import Needs
from catalogue.metrics.labels import LABEL_DELAY
from catalogue.metrics.performance import ALERT_RATE, CALIBRATION_ERROR, PRECISION, RECALL
from catalogue.metrics.performance_monitors import COHORT_MONITOR
from ledger.records.measurements import Measurement, Verdict
from models.spec import Spec
from monitors.inputs import DayInputs
from monitors.measurements import build_measurement
from monitors.performance import figures, thresholds
from monitors.performance.maturity import CAUGHT, LabelDelayCurve, MaturityAges, maturity_ages, maturity_ages_of_type
from monitors.registry import monitor
from profiles.bins import Ints
from profiles.profile import EVERYONE, FRAUD_TYPE, MISSED, Cube, Group
from profiles.schema import ProfileSchema

DELAY_AGES = (0, 1, 2, 3, 5, 7, 10, 14, 21, 28, 35, 45, 60, 90, 120)
"""Ages in days, up to the model file's horizon, at which the label-delay curve is written down."""
SLICE_METRICS = (RECALL, PRECISION, ALERT_RATE)
"""Metrics that are also measured for each value of each slice column; the rest is for everyone, to bound volume."""


def measure_cohort_performance(
    spec: Spec,
    schema: ProfileSchema,
    as_of: date,
    cubes: Mapping[date, Cube],
    curve: LabelDelayCurve,
    changed: Collection[date],
) -> list[Measurement]:
    """Return the figures of each cohort day in ``changed``, and of its slices, as known at the end of ``as_of``.

    A cohort day alone is never a breach, for a day holds few frauds: ``decay`` judges. Verdicts are ok, immature
    (with the day it will be mature) and insufficient. Recall and value detection rate are shown while immature,
    for what is known so far, with a lower bound that holds even if all fraud still unknown was missed; what needs
    legitimate payments has no value until then.

    Args:
        spec: the model file.
        schema: how partitions are profiled; without a score nothing is measured.
        as_of: day at whose end the labels were read.
        cubes: score cubes with these labels, by cohort day.
        curve: the label-delay curve.
        changed: cohort days to measure; those without a cube, or after ``as_of``, are left out.
    Returns:
        Measurements in order of day, of everyone and of each slice and fraud type.
    """
    if schema.score is None:
        return []
    metrics = figures.available_metrics(spec)
    mature = maturity_ages(spec.labels, curve)
    return [
        found
        for day in sorted(changed)
        if day in cubes and day <= as_of
        for group, part in _measured_groups(schema, cubes[day])
        for found in _cohort_measurements(spec, as_of, day, group, part, mature, curve, metrics)
    ]


def measure_label_delay(spec: Spec, as_of: date, curve: LabelDelayCurve) -> list[Measurement]:
    """Return the share of a cohort's fraud that is known by now, of cohorts of some ages: the label-delay curve.

    Args:
        spec: the model file; without labels nothing is measured.
        as_of: day at whose end the labels were read.
        curve: the label-delay curve; an age that it doesn't reach is left out.
    Returns:
        A measurement for each of DELAY_AGES, of all fraud and of the caught and the missed ones, whose labels come at
        different times.
    """
    if spec.labels is None:
        return []
    curves = {EVERYONE: curve} | {group: curve.parts[group] for group in (CAUGHT, MISSED) if group in curve.parts}
    return [
        build_measurement(
            spec, as_of - timedelta(days=age), as_of, COHORT_MONITOR, LABEL_DELAY, share, Verdict.OK, "", group=group
        )
        for group, own in curves.items()
        for age in DELAY_AGES
        if age <= min(own.reach_days, spec.labels.horizon_days) and (share := own.share(age)) is not None
    ]


def _measured_groups(schema: ProfileSchema, cube: Cube) -> Iterator[tuple[Group, Ints]]:
    for group, part in cube.bins.items():
        if group == EVERYONE or group[0] in (*schema.slices, FRAUD_TYPE):
            yield group, part


def _cohort_measurements(
    spec: Spec,
    as_of: date,
    day: date,
    group: Group,
    part: Ints,
    mature: MaturityAges,
    curve: LabelDelayCurve,
    metrics: list[str],
) -> Iterator[Measurement]:
    age_days = (as_of - day).days
    is_fraud_type = group[0] == FRAUD_TYPE
    if is_fraud_type and spec.labels is not None:
        curve, mature = curve.parts.get(group, curve), maturity_ages_of_type(spec.labels, curve, mature, group)
    share = curve.share(age_days)
    if age_days >= mature.labels:
        part = figures.count_unlabelled_as_legitimate(spec, part)
    counts = figures.count_confusion(part)
    for metric in metrics:
        if (group != EVERYONE and metric not in SLICE_METRICS) or (
            is_fraud_type and figures.labels_needed(metric) is not Needs.FRAUDS
        ):
            continue
        needs = figures.labels_needed(metric)
        is_immature = age_days < mature.of(needs)
        found = (
            None
            if is_immature and needs is Needs.LABELS
            else figures.compute_metric(metric, part, counts, spec.score.false_positive_rate)
        )
        found = figures.allow_for_unknown_fraud(metric, found, share.value if share else 0.0)
        verdict, reason = Verdict.OK, ""
        if is_immature:
            known = f"About {share.value:.0%} of its fraud is known" if share else "Its fraud is not known yet"
            verdict, reason = Verdict.IMMATURE, f"{known}; {mature.describe_when(day, needs)}."
        elif lacking := figures.describe_too_few_cases(metric, counts):
            verdict, reason = Verdict.INSUFFICIENT, f"{lacking[0].upper()}{lacking[1:]}."
        elif metric == CALIBRATION_ERROR:
            score, prevalence = thresholds.mean_score_and_prevalence(part)
            reason = f"Mean score {score:.4f}, fraud rate {prevalence:.4f}."
        reason = (reason + figures.describe_exclusions(spec, metric, counts)).strip()
        yield build_measurement(spec, day, as_of, COHORT_MONITOR, metric, found, verdict, reason, group=group)


@monitor(COHORT_MONITOR, for_incidents=False)
def measure_cohorts_of_day(inputs: DayInputs) -> list[Measurement]:
    """Return the figures of the cohort days that changed, and the delay of labels, as known on a day."""
    known = inputs.scored
    if known is None:
        return []
    changed = known.changed & known.cubes.keys()
    found = measure_cohort_performance(inputs.spec, inputs.schema, inputs.day, known.cubes, known.curve, changed)
    return [*found, *measure_label_delay(inputs.spec, inputs.day, known.curve)]
