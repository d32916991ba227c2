"""How well the model probably does on cohorts whose labels are still to come: estimated from scores, and said so.

The newest week's figures are expected from its scores (``monitors.performance.expected``), calibrated on the newest
mature cohorts, and compared with the baseline's. An estimate sees what moves the score; it can't see a fraud that the
score doesn't (concept drift). So it keeps its own record - what it said of weeks that are mature now, against what came
true - and gives no estimate, but the reason, where the calibration or the record shows that its assumptions don't hold.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import NamedTuple

import numpy as np

import catalogue
from catalogue import Effect
from catalogue.metrics.performance import ESTIMATE_ERROR
from catalogue.metrics.performance_monitors import ESTIMATE_MONITOR
from ledger.records.measurements import Measurement, Verdict
from models.spec import Spec
from monitors import limits
from monitors.inputs import DayInputs
from monitors.measurements import build_measurement
from monitors.performance import expected, figures
from monitors.performance.expected import PaymentSums
from monitors.performance.maturity import LabelDelayCurve, maturity_ages, newest_days
from monitors.registry import monitor
from monitors.stats import intervals
from monitors.stats.intervals import Estimate
from profiles.bins import Ints
from profiles.profile import COUNT, EVERYONE, OPEN, Cube
from profiles.schema import ProfileSchema

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
WORSE_THAN_STATED = 1.5
"""A track record is bad where the mean error is this many times what the estimates' own intervals allow."""


class TrackRecord(NamedTuple):
    """What became of earlier estimates of a metric: of each separate week, estimated minus true, and how far it said.

    ``errors`` and ``stated`` (standard errors) have one entry a week; ``inside`` counts those within their interval.
    """

    errors: list[float]
    stated: list[float]
    inside: int

    @property
    def mean_error(self) -> float:
        """Return the mean absolute error, on the metric's own scale; nan without a week."""
        return float(np.mean(np.abs(self.errors))) if self.errors else math.nan

    def is_sound(self, tolerance: float) -> bool:
        """Return whether earlier estimates were near enough to go on estimating.

        Args:
            tolerance: largest mean error that is small whatever was stated, on the metric's own scale.
        Returns:
            True below LEAST_WEEKS weeks, within the tolerance, or within WORSE_THAN_STATED times what the intervals
            allow.
        """
        allowed_error = math.sqrt(2 / math.pi) * float(np.mean(self.stated)) if self.stated else 0.0
        return len(self.errors) < LEAST_WEEKS or self.mean_error <= max(tolerance, WORSE_THAN_STATED * allowed_error)


def measure_estimates(
    spec: Spec,
    schema: ProfileSchema,
    as_of: date,
    cubes: Mapping[date, Cube],
    curve: LabelDelayCurve,
    baseline_days: Collection[date],
    earlier: Iterable[Measurement],
) -> list[Measurement]:
    """Return the estimate of each metric over the newest week, and how wrong such estimates have been.

    A breach is a drop against the baseline's mature days beyond the metric's minimum effect size, certain at the
    model's false-alarm budget, by an estimator whose record of at least LEAST_WEEKS weeks is sound. Where nothing can
    be estimated the verdict is insufficient and says why; a value is kept only where the record alone speaks against
    it, so that the record can become better.

    Args:
        spec: the model file; without labels nothing is measured.
        schema: how partitions are profiled; without a score nothing is measured.
        as_of: day at whose end the labels were read.
        cubes: score cubes with these labels, by cohort day.
        curve: the label-delay curve.
        baseline_days: days of the baseline; of none, nothing is measured.
        earlier: this monitor's measurements of days before, from the ledger.
    Returns:
        Measurements; none where every cohort is mature at once.
    """
    if schema.score is None or spec.labels is None or not baseline_days:
        return []
    mature_days = maturity_ages(spec.labels, curve).labels
    estimated = catalogue.monitor(ESTIMATE_MONITOR).metrics
    metrics = [metric for metric in figures.available_metrics(spec) if metric in estimated]
    scored = [day for day in cubes if min(baseline_days) <= day <= as_of and EVERYONE in cubes[day].bins]
    recent = newest_days(scored, as_of, 0, WINDOW_DAYS)
    mature = newest_days(scored, as_of, mature_days, CALIBRATION_DAYS)
    if mature_days <= 0:
        return []
    silent = _why_too_few_days(recent, mature, mature_days)
    if silent is None:
        parts = np.stack([figures.count_unlabelled_as_legitimate(spec, cubes[day].bins[EVERYONE]) for day in mature])
        now = expected.unblocked_payments(sum((cubes[day].bins[EVERYONE] for day in recent), np.zeros_like(parts[0])))
        silent = _why_not_estimable(parts, now)
    if silent is not None:
        verdict, reason = silent
        return [
            build_measurement(spec, as_of, as_of, ESTIMATE_MONITOR, metric, None, verdict, reason) for metric in metrics
        ]
    days = expected.labelled_payments(parts)
    found = expected.estimate_metrics(days, now, seed=as_of.toordinal())
    on = f"Calibrated on {len(mature)} mature days with {int(days.frauds.sum()):,} frauds."
    end = as_of - timedelta(days=mature_days)
    normal = figures.pool_cohort_days(
        cubes, (day for day in scored if day in set(baseline_days) and day <= end), EVERYONE
    )
    before = figures.count_unlabelled_as_legitimate(spec, normal) if normal is not None else None
    past = _matured_weeks(spec, cubes, end, earlier)
    return [m for metric in metrics for m in _judge_estimate(spec, as_of, metric, found.get(metric), before, past, on)]


def _why_too_few_days(recent: Sequence[date], mature: Sequence[date], mature_days: int) -> tuple[Verdict, str] | None:
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


def _why_not_estimable(parts: Ints, now: PaymentSums) -> tuple[Verdict, str] | None:
    """Return why mature days ``parts`` (days, score bins, states, sums) don't allow an estimate, or None."""
    days = expected.labelled_payments(parts)
    learnt = days.resample(np.ones(len(parts)))
    reason = _why_calibration_fails(parts, days, learnt)
    if not reason:
        payments, alerts = expected.shares_outside_support(learnt, now)
        if payments > MOST_OUTSIDE or alerts > MOST_ALERTS_OUTSIDE:
            reason = (
                f"{100 * payments:.2g} % of payments and {100 * alerts:.2g} % of alerts have scores that no mature "
                "payments had"
            )
    return (Verdict.INSUFFICIENT, f"Not estimated: {reason}.") if reason else None


def _why_calibration_fails(parts: Ints, days: PaymentSums, learnt: PaymentSums) -> str:
    frauds = int(learnt.frauds.sum())
    if frauds < LEAST_MATURE_FRAUDS:
        return f"{frauds} mature frauds are known, {LEAST_MATURE_FRAUDS} are needed to calibrate the score"
    unlabelled = int(parts[:, :, OPEN, COUNT].sum())
    share = unlabelled / (unlabelled + learnt.cases.sum())
    if share > MOST_UNLABELLED:
        return f"{100 * share:.2g} % of mature payments have no label, so those that have one can't stand for all"
    half = len(parts) // 2
    first = (np.arange(len(parts)) < half).astype(np.float64)
    older, newer = days.resample(first), days.resample(1 - first)
    if not older.frauds.any():
        return "the older half of the mature days has no fraud"
    misplaced, chance = expected.calibration_misfit(older, newer)
    if misplaced > MOST_MISFIT and chance < MISFIT_ALPHA:
        return (
            f"the score no longer means what it did: calibrated on the older half of the mature days, it is "
            f"{100 * misplaced:.2g} % off the newer half's fraud"
        )
    return ""


def _matured_weeks(
    spec: Spec, cubes: Mapping[date, Cube], end: date, earlier: Iterable[Measurement]
) -> list[tuple[dict[str, Measurement], dict[str, float]]]:
    """Return earlier estimates of separate weeks up to ``end``, the newest first, each with what came true."""
    made: dict[date, dict[str, Measurement]] = {}
    for m in earlier:
        if (
            m.monitor == ESTIMATE_MONITOR
            and m.as_of == m.day <= end
            and m.value is not None
            and not m.metric.endswith(ESTIMATE_ERROR)
        ):
            made.setdefault(m.day, {})[m.metric] = m
    found: list[tuple[dict[str, Measurement], dict[str, float]]] = []
    first = end + timedelta(days=1)
    for day in sorted(made, reverse=True):
        days = [day - timedelta(days=back) for back in range(WINDOW_DAYS)]
        part = figures.pool_cohort_days(cubes, (own for own in days if own in cubes), EVERYONE) if day < first else None
        if part is not None and days[-1] in cubes:
            found.append(
                (made[day], {k: float(v) for k, v in expected.compute_metrics(_labelled_sums(spec, part)).items()})
            )
            first = days[-1]
    return found


def _labelled_sums(spec: Spec, part: Ints) -> PaymentSums:
    return expected.labelled_payments(figures.count_unlabelled_as_legitimate(spec, part))


def _build_track_record(
    metric: str, past: Sequence[tuple[Mapping[str, Measurement], Mapping[str, float]]]
) -> TrackRecord:
    track = TrackRecord([], [], 0)
    for made, true in past:
        m, value = made.get(metric), true[metric]
        if m is None or m.value is None or m.low is None or m.high is None or not math.isfinite(value):
            continue
        track.errors.append(m.value - value)
        track.stated.append((m.high - m.low) / 2 / 1.96)
        track = track._replace(inside=track.inside + (m.low <= value <= m.high))
    return track


def _judge_estimate(
    spec: Spec,
    as_of: date,
    metric: str,
    found: Estimate | None,
    normal: Ints | None,
    past: Sequence[tuple[Mapping[str, Measurement], Mapping[str, float]]],
    on: str,
) -> list[Measurement]:
    """Return a metric's estimate with its verdict, and its track record."""
    before = figures.compute_metric(metric, normal, figures.count_confusion(normal)) if normal is not None else None
    track, minimum_effect = _build_track_record(metric, past), limits.minimum_effect(spec, metric)
    tolerance = _tolerance(metric, minimum_effect, before)
    verdict, reason, limit = Verdict.INSUFFICIENT, "", None
    if found is None or before is None or normal is None:
        reason = "Not estimated: it is undefined for want of fraud, alerts or money."
    elif lacking := figures.describe_too_few_cases(metric, figures.count_confusion(normal)):
        reason = f"Estimated, but not judged: only {lacking} in the baseline."
    elif found.n < figures.MIN_FRAUDS:
        reason = f"Estimated, but not judged: about {found.n} frauds expected, {figures.MIN_FRAUDS} needed."
    else:
        verdict = _verdict(
            metric,
            found,
            before,
            minimum_effect,
            limits.alpha_per_test(spec, len(catalogue.monitor(ESTIMATE_MONITOR).metrics)),
        )
        limit = _limit(metric, before, minimum_effect)
        reason = f"{_describe_estimate(metric, found, before, as_of)} {on} {_describe_track_record(metric, track)}"
        if not track.is_sound(tolerance):
            verdict, reason = Verdict.INSUFFICIENT, f"{reason} That is too far off, so the estimate is not judged."
        elif verdict is Verdict.BREACH and len(track.errors) < LEAST_WEEKS:
            verdict = Verdict.INSUFFICIENT
            reason += f" At least {LEAST_WEEKS} such weeks are needed before a drop is judged."
    result = [build_measurement(spec, as_of, as_of, ESTIMATE_MONITOR, metric, found, verdict, reason, limit=limit)]
    return result + ([_error_measurement(spec, as_of, metric, track, tolerance)] if track.errors else [])


def _verdict(metric: str, now: Estimate, before: Estimate, minimum_effect: float, alpha: float) -> Verdict:
    """Judge a worse figure; both errors count in full, though the two sides share days (cautious)."""
    if _is_factor(metric):
        now, before = _logarithm(now), _logarithm(before)
        worse, minimum_effect = (now, before), math.log(minimum_effect)
    else:
        worse = (before, now)
    value = worse[0].value - worse[1].value
    (low, high), safe = (intervals.difference_interval(*worse, level) for level in (intervals.ALPHA, alpha))
    return limits.verdict_of_test(
        beyond=value >= minimum_effect and low >= minimum_effect / 2,
        significant=safe.low > 0,
        conclusive=(high - low) / 2 <= minimum_effect,
    )


def _logarithm(of: Estimate) -> Estimate:
    value, low, high = (intervals.log_ratio(x) for x in of[:3])
    return Estimate(value, low, high, of.n, of.error / of.value if of.value else math.inf)


def says_before_labels(metric: str) -> str:
    """Return what follows a share in a sentence before labels are known.

    Args:
        metric: key of a quality metric.
    Returns:
        Words, as 'of frauds caught'; '' for what is no share.
    """
    quality = catalogue.quality(metric)
    return quality.says_estimated or quality.says


def _is_factor(metric: str) -> bool:
    return catalogue.metric(metric).effect is Effect.FACTOR


def _limit(metric: str, before: Estimate, minimum_effect: float) -> float:
    return before.value * minimum_effect if _is_factor(metric) else max(0.0, before.value - minimum_effect)


def _tolerance(metric: str, minimum_effect: float, before: Estimate | None) -> float:
    """Return half of the change that matters, on the metric's own scale: a mean error beyond it is too much."""
    if _is_factor(metric):
        return (minimum_effect - 1) * (before.value if before else 0.0) / 2
    return minimum_effect / 2


def _format_value(metric: str, value: float) -> str:
    return f"{100 * value:.3g} %" if says_before_labels(metric) else f"{value:.3f}"


def _describe_estimate(metric: str, now: Estimate, before: Estimate, as_of: date) -> str:
    of = f" {says_before_labels(metric)}".rstrip()
    return (
        f"Estimated from scores, before labels: about {_format_value(metric, now.value)}{of} in the week to "
        f"{as_of.day} {as_of:%b} ({_format_value(metric, now.low)} to {_format_value(metric, now.high)}); "
        f"{_format_value(metric, before.value)} in the baseline."
    )


def _describe_track_record(metric: str, track: TrackRecord) -> str:
    """Return how earlier estimates turned out, as a sentence."""
    weeks = len(track.errors)
    if not weeks:
        return "No earlier estimate has come true or false yet."
    bias = float(np.mean(track.errors))
    way = "high" if bias > 0 else "low"
    size = (
        f"{100 * x:.1f} points" if says_before_labels(metric) else f"{x:.3f}" for x in (track.mean_error, abs(bias))
    )
    off, aside = size
    return (
        f"Of {weeks} earlier week{'s' * (weeks != 1)} that {'are' if weeks != 1 else 'is'} mature now, {track.inside} "
        f"came true within the stated interval; {off} off on average, {aside} too {way}."
    )


def _error_measurement(spec: Spec, as_of: date, metric: str, track: TrackRecord, tolerance: float) -> Measurement:
    off, weeks = track.mean_error, len(track.errors)
    found = intervals.daily_mean_estimate(np.abs(track.errors)) if weeks > 1 else Estimate(off, 0.0, math.inf, weeks)
    found = found._replace(low=max(0.0, found.low))
    few, is_sound = weeks < LEAST_WEEKS, track.is_sound(tolerance)
    verdict = Verdict.OK if is_sound and not few else Verdict.INSUFFICIENT
    reason = _describe_track_record(metric, track)
    return build_measurement(
        spec, as_of, as_of, ESTIMATE_MONITOR, f"{metric}{ESTIMATE_ERROR}", found, verdict, reason, limit=tolerance
    )


@monitor(ESTIMATE_MONITOR, for_incidents=False)
def measure_estimates_of_day(inputs: DayInputs) -> list[Measurement]:
    """Return what ``measure_estimates`` finds on a day; nothing of a model without a score."""
    known = inputs.scored
    if known is None:
        return []
    normal, earlier = known.baseline_days, known.estimates
    return measure_estimates(inputs.spec, inputs.schema, inputs.day, known.cubes, known.curve, normal, earlier)
