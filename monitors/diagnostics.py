"""What points at the cause of a breach: which mix moved the score, which slice lost most, which model version scored.

Diagnostics are never a breach; they say why, once something else has said that.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date
from typing import NamedTuple

import numpy as np
from scipy import special

from catalogue import Needs
from catalogue.metrics.diagnostics import DIAGNOSTICS_MONITOR, NEW_VERSION_SHARE, SCORE_MIX, SCORE_WITHIN, WORST
from catalogue.metrics.performance import FALSE_POSITIVE_RATE, RECALL
from ledger.records.measurements import Measurement, Verdict
from models.spec import Spec
from monitors.inputs import DayInputs
from monitors.measurements import build_measurement
from monitors.performance import figures
from monitors.performance.cubes import count_days_at_threshold, sums_by_score_bin
from monitors.performance.maturity import LabelDelayCurve, maturity_ages, newest_days
from monitors.performance.thresholds import BILLION
from monitors.registry import monitor
from monitors.stats.intervals import ALPHA, Estimate, share_estimate
from profiles.bins import Floats, Ints
from profiles.profile import Cube, Group
from profiles.schema import ProfileSchema

WINDOW_DAYS = 7
"""Cohort days pooled, as the decay monitor does."""
LEAST_CASES = 10
"""Slices with fewer frauds (or legitimate payments), now or in the baseline, aren't searched."""
RARE_VERSION_SHARE = 0.01
"""Versions with a smaller share of the baseline's payments are new ones."""
SEARCHED_METRICS = {RECALL: "frauds caught", FALSE_POSITIVE_RATE: "legitimate payments raised an alert"}


class MeanChange(NamedTuple):
    """How a mean changed: ``mix`` by the shares of its groups, ``within`` them; they add up to the whole change."""

    mix: Estimate
    within: Estimate


def measure_diagnostics(
    spec: Spec,
    schema: ProfileSchema,
    as_of: date,
    cubes: Mapping[date, Cube],
    curve: LabelDelayCurve,
    baseline_days: Collection[date],
) -> list[Measurement]:
    """Return the diagnostics of a day: of its score against the baseline's, and of the newest mature week's slices.

    ``score_mix`` and ``score_within`` (feature: the slice column) split the change of the mean score, as a share of
    its range. ``worst_recall`` and ``worst_false_positive_rate`` name the slice, or joint group of two slices, that got
    significantly worse by the smallest p-value, Holm-corrected over all that were searched, or none.
    ``new_version_share`` is the share of payments scored by a version that the baseline hardly had.

    Args:
        spec: the model file.
        schema: how partitions are profiled; without a score nothing is measured.
        as_of: the day, at whose end the labels were read.
        cubes: score cubes with these labels, by cohort day.
        curve: the label-delay curve.
        baseline_days: days of the baseline.
    Returns:
        Measurements; verdicts are ok, insufficient and immature.
    """
    if schema.score is None:
        return []
    normal = sorted(day for day in baseline_days if day in cubes and day != as_of)
    found: list[Measurement] = []
    if as_of in cubes and normal:
        found += _mix_measurements(spec, schema, as_of, cubes, normal)
    if spec.score.threshold is not None and spec.labels is not None:
        found += [
            _measure_worst_slice(spec, schema, as_of, cubes, curve, normal, metric) for metric in SEARCHED_METRICS
        ]
    return found


def decompose_mean_change(now: Mapping[Group, Ints], before: Mapping[Group, Ints]) -> MeanChange | None:
    """Split the change of a mean score into mix and within.

    mix = sum (p1 - p0)(m0 + m1)/2, within = sum (m1 - m0)(p0 + p1)/2 over groups with shares p and mean scores m; a
    group that one side lacks has the other's mean.

    Args:
        now: the groups of one column with their payments and scores by bin (``cubes.sums_by_score_bin``): (2, score
            bins).
        before: the same of the baseline.
    Returns:
        Two changes as shares of the score's range, with normal intervals; None where a side has no payment.
    Source:
        Kitagawa, JASA 1955 (Oaxaca-Blinder by groups); errors from multinomial shares and the scores' variance.
    """
    groups = sorted(now.keys() | before.keys(), key=repr)
    n1, m1, v1 = _score_moments([now.get(group) for group in groups])
    n0, m0, v0 = _score_moments([before.get(group) for group in groups])
    if not n1.sum() or not n0.sum():
        return None
    m1, m0 = np.where(n1 > 0, m1, m0), np.where(n0 > 0, m0, m1)
    p1, p0 = n1 / n1.sum(), n0 / n0.sum()
    middle, weight = (m0 + m1) / 2, (p0 + p1) / 2
    mix_error = math.sqrt(sum(_weighted_variance(p, middle) / n.sum() for p, n in ((p1, n1), (p0, n0))))
    errors = sum(np.divide(v, n, out=np.zeros_like(v), where=n > 0) for v, n in ((v1, n1), (v0, n0)))
    within_error = math.sqrt(float((weight**2 * errors).sum()))
    n = int(n1.sum())
    return MeanChange(
        _normal_estimate(float(((p1 - p0) * middle).sum()), mix_error, n),
        _normal_estimate(float(((m1 - m0) * weight).sum()), within_error, n),
    )


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values corrected for their number.

    Args:
        p_values: in any order.
    Returns:
        Corrected ones, at most 1, in the same order.
    Source:
        Holm, Scand. J. Statist. 1979.
    Example:
        >>> holm([0.01, 0.04, 0.03])
        [0.03, 0.06, 0.06]
    """
    order = np.argsort(p_values, kind="stable")
    factors = np.arange(len(p_values), 0, -1)
    rising = np.minimum(1.0, np.maximum.accumulate(np.asarray(p_values, dtype=np.float64)[order] * factors))
    result = np.empty(len(p_values))
    result[order] = rising
    return [float(p) for p in result]


def fisher_less(events: int, n: int, other_events: int, other_n: int) -> float:
    """Return the p-value that one share is no smaller than another.

    Args:
        events: cases with the event, 0 to n.
        n: cases.
        other_events: those of the other group.
        other_n: cases of the other group.
    Returns:
        From 0 to 1; small where ``events / n`` is smaller beyond chance.
    Source:
        Fisher's exact test, one-sided.
    Example:
        >>> round(fisher_less(1, 4, 3, 4), 4)
        0.2429
    """
    every = events + other_events
    k = np.arange(max(0, every - other_n), events + 1)
    logs = _log_choose(n, k) + _log_choose(other_n, every - k) - _log_choose(n + other_n, np.array([every]))
    return float(min(1.0, np.exp(logs).sum()))


def _log_choose(n: int, k: Ints) -> Floats:
    result: Floats = special.gammaln(n + 1) - special.gammaln(k + 1) - special.gammaln(n - k + 1)
    return result


def _score_moments(found: Sequence[Ints | None]) -> tuple[Ints, Floats, Floats]:
    """Return each group's payments, mean score as a share of its range, and variance between score bins."""
    n, mean, variance = np.zeros(len(found), np.int64), np.zeros(len(found)), np.zeros(len(found))
    for i, part in enumerate(found):
        if part is None or not part[0].any():
            continue
        counts, scores = part[0], part[1] / BILLION
        n[i] = counts.sum()
        mean[i] = scores.sum() / n[i]
        bin_means = np.divide(scores, counts, out=np.zeros(len(counts)), where=counts > 0)
        variance[i] = float((counts * (bin_means - mean[i]) ** 2).sum() / n[i])
    return n, mean, variance


def _weighted_variance(p: Floats, values: Floats) -> float:
    return max(0.0, float((p * values**2).sum() - (p * values).sum() ** 2))


def _normal_estimate(value: float, error: float, n: int) -> Estimate:
    return Estimate(value, value - 1.959964 * error, value + 1.959964 * error, n, error)


def _groups_of_column(cube_days: Mapping[date, Cube], days: Collection[date], column: str) -> set[Group]:
    return {group for day in days for group in cube_days[day].bins if group[0] == column}


def _sum_groups(cube_days: Mapping[date, Cube], days: Collection[date], column: str) -> dict[Group, Ints]:
    """Return the payments and scores of each group of a column by score bin, over days."""
    own = {
        group: [scores for day in days if (scores := sums_by_score_bin(cube_days[day], group)) is not None]
        for group in _groups_of_column(cube_days, days, column)
    }
    return {group: np.asarray(np.sum(each, axis=0)) for group, each in own.items()}


def _mix_measurements(
    spec: Spec, schema: ProfileSchema, as_of: date, cubes: Mapping[date, Cube], normal: Sequence[date]
) -> Iterator[Measurement]:
    for column in schema.groups:
        if column not in schema.slices and column != spec.score.version:
            continue
        now, before = _sum_groups(cubes, [as_of], column), _sum_groups(cubes, normal, column)
        if column == spec.score.version:
            yield from _new_version_measurements(spec, as_of, now, before)
        if column not in schema.slices:
            continue
        found = decompose_mean_change(now, before)
        if found is None:
            continue
        whole = found.mix.value + found.within.value
        reason = f"the mean score changed by {whole:+.4f} against the baseline: {found.mix.value:+.4f} by the mix of "
        reason += f"'{column}', {found.within.value:+.4f} within its groups"
        for metric, own in ((SCORE_MIX, found.mix), (SCORE_WITHIN, found.within)):
            made = build_measurement(spec, as_of, as_of, DIAGNOSTICS_MONITOR, metric, own, Verdict.OK, reason)
            yield _of_feature(made, column)


def _new_version_measurements(
    spec: Spec, as_of: date, now: Mapping[Group, Ints], before: Mapping[Group, Ints]
) -> Iterator[Measurement]:
    rows, usual = ({group: int(part[0].sum()) for group, part in side.items()} for side in (now, before))
    if not sum(rows.values()) or not sum(usual.values()):
        return
    new = {group for group in rows if usual.get(group, 0) < RARE_VERSION_SHARE * sum(usual.values())}
    found = share_estimate(sum(rows[group] for group in new), sum(rows.values()))
    names = ", ".join(sorted(str(value) for _, value in new)) or "none"
    reason = (
        f"{100 * found.value:.3g} % of payments were scored by a model version that the baseline hardly had: {names}"
    )
    made = build_measurement(spec, as_of, as_of, DIAGNOSTICS_MONITOR, NEW_VERSION_SHARE, found, Verdict.OK, reason)
    yield _of_feature(made, spec.score.version or "")


def _of_feature(m: Measurement, feature: str) -> Measurement:
    return Measurement(**{**vars(m), "feature": feature})


class _SearchedSlice(NamedTuple):
    group: Group
    events: int
    n: int
    other_events: int
    other_n: int
    p_value: float


def _measure_worst_slice(
    spec: Spec,
    schema: ProfileSchema,
    as_of: date,
    cubes: Mapping[date, Cube],
    curve: LabelDelayCurve,
    normal: Sequence[date],
    metric: str,
) -> Measurement:
    """Search the slices of the newest mature week for the one that got worse beyond chance."""
    name = f"{WORST}{metric}"
    from_days = maturity_ages(spec.labels, curve).of(figures.labels_needed(metric))
    recent = newest_days(cubes.keys(), as_of, from_days, WINDOW_DAYS)
    past = [day for day in normal if day not in recent and (as_of - day).days >= from_days]
    if not recent or not past:
        reason = "no week of cohorts, or no baseline day, is mature yet"
        return build_measurement(spec, as_of, as_of, DIAGNOSTICS_MONITOR, name, None, Verdict.IMMATURE, reason)
    searched = [
        found
        for column in (*schema.slices, *spec.joint_slices)
        for group in sorted(_groups_of_column(cubes, recent, column), key=repr)
        if (found := _search_slice(spec, cubes, recent, past, group, metric)) is not None
    ]
    if not searched:
        reason = f"no slice has {LEAST_CASES} cases now and in the baseline"
        return build_measurement(spec, as_of, as_of, DIAGNOSTICS_MONITOR, name, None, Verdict.INSUFFICIENT, reason)
    corrected = holm([found.p_value for found in searched])
    position = int(np.argmin(corrected))
    if corrected[position] >= ALPHA:
        reason = f"none of {len(searched)} slices got worse beyond chance"
        return build_measurement(spec, as_of, as_of, DIAGNOSTICS_MONITOR, name, None, Verdict.OK, reason)
    worst, before = searched[position], searched[position].other_events / searched[position].other_n
    reason = (
        f"{100 * worst.events / worst.n:.3g} % of {worst.n:,} {SEARCHED_METRICS[metric]}, {100 * before:.3g} % in the "
        f"baseline; worst of {len(searched)} slices, by chance {_describe_odds(corrected[position])}"
    )
    reason += _describe_excess(searched, position)
    figure = share_estimate(worst.events, worst.n)
    return build_measurement(
        spec, as_of, as_of, DIAGNOSTICS_MONITOR, name, figure, Verdict.OK, reason, group=worst.group, limit=before
    )


def _search_slice(
    spec: Spec, cubes: Mapping[date, Cube], recent: Sequence[date], past: Sequence[date], group: Group, metric: str
) -> _SearchedSlice | None:
    now, before = count_days_at_threshold(cubes, recent, group), count_days_at_threshold(cubes, past, group)
    if now is None or before is None:
        return None
    if figures.labels_needed(metric) is Needs.LABELS:
        now, before = (
            figures.count_unlabelled_as_legitimate(spec, now),
            figures.count_unlabelled_as_legitimate(spec, before),
        )
    events, n = figures.EVENTS_AND_CASES[metric](figures.confusion_from_counts(now))
    other_events, other_n = figures.EVENTS_AND_CASES[metric](figures.confusion_from_counts(before))
    if min(n, other_n) < LEAST_CASES:
        return None
    falls = metric == RECALL
    a, b = (events, other_events) if falls else (n - events, other_n - other_events)
    return _SearchedSlice(group, events, n, other_events, other_n, fisher_less(a, n, b, other_n))


def _describe_excess(searched: Sequence[_SearchedSlice], position: int) -> str:
    """Say which part of all that got worse in the slice's column lies in the slice, and which part of the cases."""
    column = searched[position].group[0]
    own = [found for found in searched if found.group[0] == column]
    excess = {f.group: abs(f.events - f.n * f.other_events / f.other_n) for f in own}
    whole, cases = sum(excess.values()), sum(found.n for found in own)
    if len(own) < 2 or not whole:
        return ""
    worst = searched[position]
    change, part = 100 * excess[worst.group] / whole, 100 * worst.n / cases
    return f"; {change:.0f} % of the change lies there, with {part:.0f} % of the cases"


def _describe_odds(chance: float) -> str:
    """Return a small chance in words."""
    return "less than once in a million" if chance < 1e-6 else f"in {100 * chance:.1g} of 100 cases"


@monitor(DIAGNOSTICS_MONITOR)
def measure_diagnostics_of_day(inputs: DayInputs) -> list[Measurement]:
    """Return what ``measure_diagnostics`` finds on a day; nothing of a model without a score."""
    known = inputs.scored
    if known is None:
        return []
    return measure_diagnostics(inputs.spec, inputs.schema, inputs.day, known.cubes, known.curve, known.baseline_days)
