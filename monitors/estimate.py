"""How well the model probably does on cohorts whose labels are still to come: estimated from scores, and said so.

The newest week's figures are expected from its scores (``monitors.expected``), calibrated on the newest mature
cohorts, and compared with the baseline's. An estimate sees what moves the score; it can't see a fraud that the score
doesn't (concept drift). So it keeps its own record - what it said of weeks that are mature now, against what came
true - and is silent, with the reason, where the calibration or the record shows that its assumptions don't hold.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import NamedTuple

import numpy as np

from ledger.records import Measurement, Verdict
from models.spec import Spec
from monitors import expected, intervals, limits, scoring
from monitors.expected import Sums
from monitors.intervals import Estimate
from monitors.maturity import Curve, ages, window
from warehouse.grid import Frame, Ints
from warehouse.profile import COUNT, EVERYONE, OPEN, Cube

MONITOR = "estimate"
ERROR = "_estimate_error"
"""Ends the name of the metric that says how far a metric's estimates were from what came true."""
WINDOW_DAYS = 7
LEAST_DAYS = 4
CALIBRATION_DAYS = 60
LEAST_CALIBRATION_DAYS = 14
LEAST_MATURE_FRAUDS = 100
MOST_UNLABELLED = 0.05
"""Share of mature payments without a label above which those with one can't stand for all."""
MOST_MISFIT, MISFIT_ALPHA = 0.25, 0.001
"""A calibration is broken where the older mature days foretell the newer ones' fraud this badly, and not by chance."""
MOST_OUTSIDE, MOST_ALERTS_OUTSIDE = 0.01, 0.05
"""Shares of payments and of alerts that may have scores beyond those of mature payments."""
LEAST_WEEKS = 4
"""Fewer separate weeks that came true are no track record: an estimated drop is then shown, not judged."""
WORSE_THAN_TOLD = 1.5
"""A track record is bad where the mean error is this many times what the estimates' own intervals allow."""
SAYS = {
    "recall": "of frauds caught",
    "precision": "of alerts are fraud",
    "false_positive_rate": "of legitimate payments raise an alert",
    "value_detection_rate": "of the fraud's value caught",
}


class Track(NamedTuple):
    """What became of earlier estimates of a metric: of each separate week, estimated minus true, and how far it said.

    ``errors`` and ``stated`` (standard errors) have one entry a week; ``inside`` counts those within their interval.
    """

    errors: list[float]
    stated: list[float]
    inside: int

    @property
    def mean_error(self) -> float:
        """Return the mean absolute error; nan without a week."""
        return float(np.mean(np.abs(self.errors))) if self.errors else math.nan

    def sound(self, tolerance: float) -> bool:
        """Return whether the mean error is within the tolerance, or no more than the intervals told."""
        told = math.sqrt(2 / math.pi) * float(np.mean(self.stated)) if self.stated else 0.0
        return len(self.errors) < LEAST_WEEKS or self.mean_error <= max(tolerance, WORSE_THAN_TOLD * told)


def measure(
    spec: Spec,
    frame: Frame,
    as_of: date,
    cubes: Mapping[date, Cube],
    curve: Curve,
    baseline_days: Collection[date],
    earlier: Iterable[Measurement],
) -> list[Measurement]:
    """Return the estimate of each metric over the newest week, and how wrong such estimates have been.

    ``earlier`` are this monitor's measurements of days before, from the ledger. A breach is a drop against the
    baseline's mature days beyond the metric's floor, certain at the model's false-alarm budget, by an estimator whose
    record of at least LEAST_WEEKS weeks is sound. Where the estimate is silent its verdict is insufficient and says
    why; it keeps a value only where its record alone speaks against it, so that the record can become better.
    Returns nothing where every cohort is mature at once, or there are no labels to learn from.
    """
    if frame.score is None or spec.labels is None or not baseline_days:
        return []
    mature_days = ages(spec.labels, curve).labels
    metrics = [metric for metric in scoring.metrics_of(spec) if metric in expected.METRICS]
    scored = [day for day in cubes if min(baseline_days) <= day <= as_of and EVERYONE in cubes[day].cells]
    recent = window(scored, as_of, 0, WINDOW_DAYS)
    mature = window(scored, as_of, mature_days, CALIBRATION_DAYS)
    if mature_days <= 0:
        return []
    silent = _too_little(recent, mature, mature_days)
    if silent is None:
        parts = np.stack([scoring.settled(spec, cubes[day].cells[EVERYONE]) for day in mature])
        now = expected.all_but_blocked(sum((cubes[day].cells[EVERYONE] for day in recent), np.zeros_like(parts[0])))
        silent = _broken(parts, now)
    if silent is not None:
        verdict, reason = silent
        return [scoring.measurement(spec, as_of, as_of, MONITOR, metric, None, verdict, reason) for metric in metrics]
    days = expected.known(parts)
    found = expected.estimates(days, now, seed=as_of.toordinal())
    on = f"Calibrated on {len(mature)} mature days with {int(days.frauds.sum()):,} frauds."
    end = as_of - timedelta(days=mature_days)
    normal = scoring.pool(cubes, (day for day in scored if day in set(baseline_days) and day <= end), EVERYONE)
    before = scoring.settled(spec, normal) if normal is not None else None
    past = _true_weeks(spec, cubes, end, earlier)
    return [m for metric in metrics for m in _judged(spec, as_of, metric, found.get(metric), before, past, on)]


def _too_little(recent: Sequence[date], mature: Sequence[date], mature_days: int) -> tuple[Verdict, str] | None:
    if len(mature) < LEAST_CALIBRATION_DAYS:
        reason = (
            f"Not estimated: {len(mature)} cohort days are mature (older than {mature_days} days), "
            f"{LEAST_CALIBRATION_DAYS} are needed to calibrate the score."
        )
        return Verdict.IMMATURE, reason
    if len(recent) < LEAST_DAYS:
        return (
            Verdict.INSUFFICIENT,
            f"Not estimated: only {len(recent)} of the newest {WINDOW_DAYS} days have payments.",
        )
    return None


def _broken(parts: Ints, now: Sums) -> tuple[Verdict, str] | None:
    """Return why the newest week can't be estimated from mature days ``parts`` (day, cell, state, what), or None."""
    days = expected.known(parts)
    learnt = days.drawn(np.ones(len(parts)))
    reason = _ill_learnt(parts, days, learnt)
    if not reason:
        payments, alerts = expected.unsupported(learnt, now)
        if payments > MOST_OUTSIDE or alerts > MOST_ALERTS_OUTSIDE:
            reason = (
                f"{100 * payments:.2g} % of payments and {100 * alerts:.2g} % of alerts have scores that no mature "
                "payments had"
            )
    return (Verdict.INSUFFICIENT, f"Not estimated: {reason}.") if reason else None


def _ill_learnt(parts: Ints, days: Sums, learnt: Sums) -> str:
    frauds = int(learnt.frauds.sum())
    if frauds < LEAST_MATURE_FRAUDS:
        return f"{frauds} mature frauds are known, {LEAST_MATURE_FRAUDS} are needed to calibrate the score"
    unlabelled = int(parts[:, :, OPEN, COUNT].sum())
    share = unlabelled / (unlabelled + learnt.cases.sum())
    if share > MOST_UNLABELLED:
        return f"{100 * share:.2g} % of mature payments have no label, so those that have one can't stand for all"
    half = len(parts) // 2
    first = (np.arange(len(parts)) < half).astype(np.float64)
    older, newer = days.drawn(first), days.drawn(1 - first)
    if not older.frauds.any():
        return "the older half of the mature days has no fraud"
    misplaced, chance = expected.misfit(older, newer)
    if misplaced > MOST_MISFIT and chance < MISFIT_ALPHA:
        return (
            f"the score no longer means what it did: calibrated on the older half of the mature days, it is "
            f"{100 * misplaced:.2g} % off the newer half's fraud"
        )
    return ""


def _true_weeks(
    spec: Spec, cubes: Mapping[date, Cube], end: date, earlier: Iterable[Measurement]
) -> list[tuple[dict[str, Measurement], dict[str, float]]]:
    """Return earlier estimates of separate weeks up to ``end``, the newest first, each with what came true."""
    made: dict[date, dict[str, Measurement]] = {}
    for m in earlier:
        if m.monitor == MONITOR and m.as_of == m.day <= end and m.value is not None and not m.metric.endswith(ERROR):
            made.setdefault(m.day, {})[m.metric] = m
    found: list[tuple[dict[str, Measurement], dict[str, float]]] = []
    first = end + timedelta(days=1)
    for day in sorted(made, reverse=True):
        days = [day - timedelta(days=back) for back in range(WINDOW_DAYS)]
        part = scoring.pool(cubes, (own for own in days if own in cubes), EVERYONE) if day < first else None
        if part is not None and days[-1] in cubes:
            found.append((made[day], {k: float(v) for k, v in expected.figures(_settled(spec, part)).items()}))
            first = days[-1]
    return found


def _settled(spec: Spec, part: Ints) -> Sums:
    return expected.known(scoring.settled(spec, part))


def _track(metric: str, past: Sequence[tuple[Mapping[str, Measurement], Mapping[str, float]]]) -> Track:
    track = Track([], [], 0)
    for made, true in past:
        m, value = made.get(metric), true[metric]
        if m is None or m.value is None or m.low is None or m.high is None or not math.isfinite(value):
            continue
        track.errors.append(m.value - value)
        track.stated.append((m.high - m.low) / 2 / 1.96)
        track = track._replace(inside=track.inside + (m.low <= value <= m.high))
    return track


def _judged(
    spec: Spec,
    as_of: date,
    metric: str,
    found: Estimate | None,
    normal: Ints | None,
    past: Sequence[tuple[Mapping[str, Measurement], Mapping[str, float]]],
    on: str,
) -> list[Measurement]:
    """Return a metric's estimate with its verdict, and its track record."""
    before = scoring.figure(metric, normal, scoring.confusion(normal)) if normal is not None else None
    track, floor = _track(metric, past), limits.floor(spec, metric)
    tolerance = _tolerance(metric, floor, before)
    verdict, reason, limit = Verdict.INSUFFICIENT, "", None
    if found is None or before is None or normal is None:
        reason = "Not estimated: it is undefined for want of fraud, alerts or money."
    elif lacking := scoring.lacking(metric, scoring.confusion(normal)):
        reason = f"Estimated, but not judged: only {lacking} in the baseline."
    elif found.n < scoring.MIN_FRAUDS:
        reason = f"Estimated, but not judged: about {found.n} frauds expected, {scoring.MIN_FRAUDS} needed."
    else:
        verdict = _verdict(metric, found, before, floor, limits.alpha(spec, len(expected.METRICS)))
        limit = _limit(metric, before, floor)
        reason = f"{_words(metric, found, before, as_of)} {on} {_record(metric, track)}"
        if not track.sound(tolerance):
            verdict, reason = Verdict.INSUFFICIENT, f"{reason} That is too far off, so the estimate is not judged."
        elif verdict is Verdict.BREACH and len(track.errors) < LEAST_WEEKS:
            verdict = Verdict.INSUFFICIENT
            reason += f" At least {LEAST_WEEKS} such weeks are needed before a drop is judged."
    result = [scoring.measurement(spec, as_of, as_of, MONITOR, metric, found, verdict, reason, limit=limit)]
    return result + ([_error(spec, as_of, metric, track, tolerance)] if track.errors else [])


def _verdict(metric: str, now: Estimate, before: Estimate, floor: float, alpha: float) -> Verdict:
    """Judge a worse figure by its floor; both errors count in full, though the two sides share days (cautious)."""
    if metric == "false_positive_rate":
        now, before = _logarithm(now), _logarithm(before)
        worse, floor = (now, before), math.log(floor)
    else:
        worse = (before, now)
    value = worse[0].value - worse[1].value
    (low, high), safe = (intervals.difference(*worse, level) for level in (intervals.ALPHA, alpha))
    return limits.judge(
        beyond=value >= floor and low >= floor / 2, significant=safe.low > 0, telling=(high - low) / 2 <= floor
    )


def _logarithm(of: Estimate) -> Estimate:
    value, low, high = (intervals.log_ratio(x) for x in of[:3])
    return Estimate(value, low, high, of.n, of.error / of.value if of.value else math.inf)


def _limit(metric: str, before: Estimate, floor: float) -> float:
    return before.value * floor if metric == "false_positive_rate" else max(0.0, before.value - floor)


def _tolerance(metric: str, floor: float, before: Estimate | None) -> float:
    """Return half of the change that matters, on the metric's own scale: a mean error beyond it is too much."""
    if metric == "false_positive_rate":
        return (floor - 1) * (before.value if before else 0.0) / 2
    return floor / 2


def _shown(metric: str, value: float) -> str:
    return f"{100 * value:.3g} %" if metric in SAYS else f"{value:.3f}"


def _words(metric: str, now: Estimate, before: Estimate, as_of: date) -> str:
    of = f" {SAYS[metric]}" if metric in SAYS else ""
    return (
        f"Estimated from scores, before labels: about {_shown(metric, now.value)}{of} in the week to "
        f"{as_of.day} {as_of:%b} ({_shown(metric, now.low)} to {_shown(metric, now.high)}); "
        f"{_shown(metric, before.value)} in the baseline."
    )


def _record(metric: str, track: Track) -> str:
    """Return how earlier estimates turned out, as a sentence."""
    weeks = len(track.errors)
    if not weeks:
        return "No earlier estimate has come true or false yet."
    bias = float(np.mean(track.errors))
    way = "high" if bias > 0 else "low"
    size = (f"{100 * x:.1f} points" if metric in SAYS else f"{x:.3f}" for x in (track.mean_error, abs(bias)))
    off, aside = size
    return (
        f"Of {weeks} earlier week{'s' * (weeks != 1)} that {'are' if weeks != 1 else 'is'} mature now, {track.inside} "
        f"came true within the stated interval; {off} off on average, {aside} too {way}."
    )


def _error(spec: Spec, as_of: date, metric: str, track: Track, tolerance: float) -> Measurement:
    off, weeks = track.mean_error, len(track.errors)
    found = intervals.daily_mean(np.abs(track.errors)) if weeks > 1 else Estimate(off, 0.0, math.inf, weeks)
    found = found._replace(low=max(0.0, found.low))
    few, sound = weeks < LEAST_WEEKS, track.sound(tolerance)
    verdict = Verdict.OK if sound and not few else Verdict.INSUFFICIENT
    reason = _record(metric, track)
    return scoring.measurement(spec, as_of, as_of, MONITOR, f"{metric}{ERROR}", found, verdict, reason, limit=tolerance)
