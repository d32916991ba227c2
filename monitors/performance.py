"""How well the model did on each cohort day, by what was known of it as of another day."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import date, timedelta

from ledger.records import Measurement, Verdict
from models.spec import Spec
from monitors import scoring
from monitors.intervals import Estimate
from monitors.maturity import Ages, Curve, ages
from warehouse.grid import Frame, Ints
from warehouse.profile import EVERYONE, Cube, Group

MONITOR = "performance"
IN_SLICES = ("recall", "precision", "alert_rate")
"""Metrics that are also measured for each value of each slice column; the rest is for everyone, to bound volume."""


def measure(
    spec: Spec, frame: Frame, as_of: date, cubes: Mapping[date, Cube], curve: Curve, changed: Collection[date]
) -> list[Measurement]:
    """Return the figures of each cohort day in ``changed``, and of its slices, as known at the end of ``as_of``.

    A cohort day alone is never a breach, for a day holds few frauds: ``decay`` judges. Verdicts are ok, immature
    (with the day it will be mature) and insufficient. Recall and value detection rate are shown while immature,
    for what is known so far; what needs legitimate payments has no value until then.
    """
    if frame.score is None:
        return []
    metrics = scoring.metrics_of(spec)
    mature = ages(spec.labels, curve) if spec.labels else Ages(None, None)
    return [
        found
        for day in sorted(changed)
        if day in cubes and day <= as_of
        for group, part in _parts(frame, cubes[day])
        for found in _figures(spec, as_of, day, group, part, mature, curve, metrics)
    ]


def _parts(frame: Frame, cube: Cube) -> Iterator[tuple[Group, Ints]]:
    for group, part in cube.cells.items():
        if group == EVERYONE or group[0] in frame.slices:
            yield group, part


def _figures(
    spec: Spec, as_of: date, day: date, group: Group, part: Ints, mature: Ages, curve: Curve, metrics: list[str]
) -> Iterator[Measurement]:
    age_days = (as_of - day).days
    by_owner = spec.labels is not None and spec.labels.negative != "explicit"
    if by_owner and mature.labels is not None and age_days >= mature.labels:
        part = scoring.settled(part)
    counts = scoring.confusion(part)
    for metric in metrics:
        if group != EVERYONE and metric not in IN_SLICES:
            continue
        waits = _waits(metric, mature, age_days)
        needs = scoring.NEEDS[metric]
        found = None if waits and needs == "labels" else scoring.figure(metric, part, counts)
        verdict, reason = Verdict.OK, ""
        if waits:
            verdict, reason = Verdict.IMMATURE, _immature(metric, mature, day, age_days, curve)
        elif lacking := scoring.lacking(metric, counts):
            verdict, reason = Verdict.INSUFFICIENT, f"{lacking[0].upper()}{lacking[1:]}."
        elif metric == "calibration_error":
            score, prevalence = scoring.mean_score_and_prevalence(part)
            reason = f"Mean score {score:.4f}, share of fraud {prevalence:.4f}."
        reason = (reason + scoring.notes(spec, metric, counts)).strip()
        yield measurement(spec, day, as_of, metric, group, found, verdict, reason)


def _waits(metric: str, mature: Ages, age_days: int) -> bool:
    needs = scoring.NEEDS[metric]
    if needs == "nothing":
        return False
    from_days = mature.frauds if needs == "frauds" else mature.labels
    return from_days is None or age_days < from_days


def _immature(metric: str, mature: Ages, day: date, age_days: int, curve: Curve) -> str:
    """Return why a cohort's figure is immature: how much fraud is known, and the day it will be mature."""
    from_days = mature.frauds if scoring.NEEDS[metric] == "frauds" else mature.labels
    share = curve.share(age_days)
    known = f"about {share.value:.0%} of its fraud is known" if share else "its fraud is not known yet"
    when = f"mature on {day + timedelta(days=from_days)}" if from_days is not None else mature.why
    return f"{known[0].upper()}{known[1:]}; {when}."


def measurement(
    spec: Spec,
    day: date,
    as_of: date,
    metric: str,
    group: Group,
    found: Estimate | None,
    verdict: Verdict,
    reason: str,
) -> Measurement:
    """Return the measurement of a cohort day's figure, without a value where there is none."""
    return Measurement(
        model=spec.model,
        day=day,
        as_of=as_of,
        monitor=MONITOR,
        metric=metric,
        slice=scoring.slice_name(group),
        value=found.value if found else None,
        low=found.low if found else None,
        high=found.high if found else None,
        n=found.n if found else 0,
        verdict=verdict,
        reason=reason,
    )
