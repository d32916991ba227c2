"""How well the model did on each cohort day, by what was known of it as of another day."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import date, timedelta

from ledger.records import Measurement, Verdict
from models.spec import Spec
from monitors import scoring
from monitors.maturity import CAUGHT, Ages, Curve, ages, ages_of_type
from warehouse.grid import Frame, Ints
from warehouse.profile import EVERYONE, FRAUD_TYPE, MISSED, Cube, Group

MONITOR = "performance"
DELAY_AGES = (0, 1, 2, 3, 5, 7, 10, 14, 21, 28, 35, 45, 60, 90, 120)
"""Ages in days, up to the model file's horizon, at which the label-delay curve is written down."""
IN_SLICES = ("recall", "precision", "alert_rate")
"""Metrics that are also measured for each value of each slice column; the rest is for everyone, to bound volume."""


def measure(
    spec: Spec, frame: Frame, as_of: date, cubes: Mapping[date, Cube], curve: Curve, changed: Collection[date]
) -> list[Measurement]:
    """Return the figures of each cohort day in ``changed``, and of its slices, as known at the end of ``as_of``.

    A cohort day alone is never a breach, for a day holds few frauds: ``decay`` judges. Verdicts are ok, immature
    (with the day it will be mature) and insufficient. Recall and value detection rate are shown while immature,
    for what is known so far, with a lower bound that holds even if all fraud still unknown was missed; what needs
    legitimate payments has no value until then.
    """
    if frame.score is None:
        return []
    metrics = scoring.metrics_of(spec)
    mature = ages(spec.labels, curve)
    return [
        found
        for day in sorted(changed)
        if day in cubes and day <= as_of
        for group, part in _parts(frame, cubes[day])
        for found in _figures(spec, as_of, day, group, part, mature, curve, metrics)
    ]


def label_delay(spec: Spec, as_of: date, curve: Curve) -> list[Measurement]:
    """Return the share of a cohort's fraud that is known by now, of cohorts of some ages: the label-delay curve.

    For all fraud, and for the caught and the missed ones, whose labels come at different times. No labels, no curve;
    an age that the curve doesn't reach is left out.
    """
    if spec.labels is None:
        return []
    curves = {EVERYONE: curve} | {group: curve.parts[group] for group in (CAUGHT, MISSED) if group in curve.parts}
    return [
        scoring.measurement(
            spec, as_of - timedelta(days=age), as_of, MONITOR, "label_delay", share, Verdict.OK, "", group=group
        )
        for group, own in curves.items()
        for age in DELAY_AGES
        if age <= min(own.reach_days, spec.labels.horizon_days) and (share := own.share(age)) is not None
    ]


def _parts(frame: Frame, cube: Cube) -> Iterator[tuple[Group, Ints]]:
    for group, part in cube.cells.items():
        if group == EVERYONE or group[0] in (*frame.slices, FRAUD_TYPE):
            yield group, part


def _figures(
    spec: Spec, as_of: date, day: date, group: Group, part: Ints, mature: Ages, curve: Curve, metrics: list[str]
) -> Iterator[Measurement]:
    age_days = (as_of - day).days
    typed = group[0] == FRAUD_TYPE
    if typed and spec.labels is not None:
        curve, mature = curve.parts.get(group, curve), ages_of_type(spec.labels, curve, mature, group)
    share = curve.share(age_days)
    if age_days >= mature.labels:
        part = scoring.settled(spec, part)
    counts = scoring.confusion(part)
    for metric in metrics:
        if (group != EVERYONE and metric not in IN_SLICES) or (typed and scoring.NEEDS[metric] != "frauds"):
            continue
        needs = scoring.NEEDS[metric]
        waits = age_days < mature.of(needs)
        found = (
            None
            if waits and needs == "labels"
            else scoring.figure(metric, part, counts, spec.score.false_positive_rate)
        )
        found = scoring.allowing_for_unknown(metric, found, share.value if share else 0.0)
        verdict, reason = Verdict.OK, ""
        if waits:
            known = f"About {share.value:.0%} of its fraud is known" if share else "Its fraud is not known yet"
            verdict, reason = Verdict.IMMATURE, f"{known}; {mature.when(day, needs)}."
        elif lacking := scoring.lacking(metric, counts):
            verdict, reason = Verdict.INSUFFICIENT, f"{lacking[0].upper()}{lacking[1:]}."
        elif metric == "calibration_error":
            score, prevalence = scoring.mean_score_and_prevalence(part)
            reason = f"Mean score {score:.4f}, share of fraud {prevalence:.4f}."
        reason = (reason + scoring.notes(spec, metric, counts)).strip()
        yield scoring.measurement(spec, day, as_of, MONITOR, metric, found, verdict, reason, group=group)
