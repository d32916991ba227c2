"""Whether the model treats the groups of a protected column alike: rates by group, against the reference group's."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

import catalogue
from catalogue import Needs
from catalogue.metrics.fairness import (
    CALIBRATION_GAP,
    DIFFERENCE,
    FAIRNESS_MONITOR,
    RATES,
    RATIO,
    SELECTION_RATE,
    TRUE_POSITIVE_RATE,
)
from catalogue.metrics.performance import FALSE_POSITIVE_RATE
from ledger.records.measurements import Measurement, Verdict
from models.spec import Protected, Spec
from monitors import limits
from monitors.inputs import DayInputs
from monitors.measurements import build_measurement
from monitors.performance import figures, thresholds
from monitors.performance.cubes import CumulativeCounts
from monitors.performance.figures import ConfusionCounts
from monitors.performance.maturity import LabelDelayCurve, MaturityAges, maturity_ages, newest_days
from monitors.registry import monitor
from monitors.stats import intervals
from monitors.stats.intervals import Estimate
from monitors.stats.sample_size import cases_needed
from profiles.profile import COUNT, FRAUD, LEGITIMATE, Cube, Group
from profiles.schema import OTHER_VALUES, ProfileSchema

WINDOWS_DAYS = (7, 28, 91)
"""Cohort days that are pooled: the newest week, or more where it is too small for a verdict. Short windows see a change
at once and forget it soon; long ones see small groups and small gaps."""
JUDGED_RATES = (SELECTION_RATE, FALSE_POSITIVE_RATE, TRUE_POSITIVE_RATE)
"""Rates whose ratio may breach. Precision differs wherever base rates do, so it is shown only."""
LEAST_CASES = 30
LEAST_EVENTS = 10


@dataclass(frozen=True)
class GroupCounts:
    """A group's counts over the window: events among n cases, of all its payments."""

    events: int
    n: int
    counts: ConfusionCounts


class ComparedGroups(NamedTuple):
    """One group beside its reference group over one window; None where it has no case or too few payments."""

    days: list[date]
    own: GroupCounts | None
    reference: GroupCounts | None


def measure_group_rates(
    spec: Spec, schema: ProfileSchema, as_of: date, cubes: Mapping[date, Cube], curve: LabelDelayCurve
) -> list[Measurement]:
    """Return each rate by group of each protected column and pair, and its difference and ratio to the reference group.

    Rates have Clopper-Pearson, differences Newcombe and ratios score intervals. Only the ratios of JUDGED_RATES may
    breach: the ratio or its inverse reaches the minimum effect size, the 95 % interval lies beyond that size's square
    root, and Fisher's exact test is significant at the model's false-alarm budget. The window widens from a week to a
    quarter until it gives a verdict. The budget is spent evenly over every look: days of a quarter, columns, groups,
    rates and windows; so looking every day adds no false alarm (union bound), and the exact test holds at any count.

    Args:
        spec: the model file; without ``score.threshold`` nothing is measured.
        schema: how partitions are profiled; without a score nothing is measured.
        as_of: day at whose end the labels were read.
        cubes: score cubes with these labels, by cohort day.
        curve: the label-delay curve.
    Returns:
        Measurements. Groups below ``min_rows`` payments are not shown; groups with too few cases are insufficient, with
        the number that would do. Payments without a value, or with a rare one, have rates but are not compared.
    """
    if schema.score is None or spec.score.threshold is None:
        return []
    mature = maturity_ages(spec.labels, curve)
    rates = [rate for rate in RATES if spec.labels or figures.labels_needed(_metric_of(rate)) is Needs.NOTHING]
    columns = [column for column in spec.compared if column in schema.groups]
    tests = sum(max(0, len(schema.groups[column]) - 1) for column in columns) * len(JUDGED_RATES) * len(WINDOWS_DAYS)
    alpha = limits.alpha_per_test(spec, tests)
    pools = CumulativeCounts(cubes, as_of - timedelta(days=max(WINDOWS_DAYS) + max(mature.frauds, mature.labels)))
    return [
        each
        for column in columns
        for rate in rates
        for each in _measure_column_rate(spec, schema, as_of, cubes, pools, mature, column, rate, alpha)
    ]


def measure_calibration_gaps(
    spec: Spec, schema: ProfileSchema, as_of: date, cubes: Mapping[date, Cube], curve: LabelDelayCurve
) -> list[Measurement]:
    """Return the calibration gap of each group of each protected column and pair, over a month; never a breach.

    Args:
        spec: the model file; without threshold or labels, or with a score beyond [0, 1], nothing is measured.
        schema: how partitions are profiled; without a score nothing is measured.
        as_of: day at whose end the labels were read.
        cubes: score cubes with these labels, by cohort day.
        curve: the label-delay curve.
    Returns:
        Measurements of mean score less fraud rate, and of its difference to the reference group's.
    """
    if schema.score is None or spec.score.threshold is None or not spec.labels or spec.score.range != (0.0, 1.0):
        return []
    mature, columns = maturity_ages(spec.labels, curve), [column for column in spec.compared if column in schema.groups]
    return [each for column in columns for each in _column_gaps(spec, schema, as_of, cubes, mature, column)]


def _measure_column_rate(
    spec: Spec,
    schema: ProfileSchema,
    as_of: date,
    cubes: Mapping[date, Cube],
    pools: CumulativeCounts,
    mature: MaturityAges,
    column: str,
    rate: str,
    alpha: float,
) -> Iterator[Measurement]:
    """Yield one rate of one column: by group, and against the reference."""
    needs, protected = figures.labels_needed(_metric_of(rate)), spec.compared[column]
    windows = [newest_days(cubes, as_of, mature.of(needs), count) for count in WINDOWS_DAYS]
    windows = [days for i, days in enumerate(windows) if days and days not in windows[:i]]
    references = [_count_group(spec, pools, days, (column, protected.reference), rate) for days in windows]
    for value in dict.fromkeys([protected.reference, *schema.groups[column], OTHER_VALUES]):
        group = (column, value)
        compared = value not in (protected.reference, None, OTHER_VALUES)
        names = [rate, f"{rate}{DIFFERENCE}", f"{rate}{RATIO}"] if compared else [rate]
        if not windows and cubes:
            reason = f"The first cohort is {mature.describe_when(min(cubes), needs)}."
            yield from (
                _fairness_measurement(spec, as_of, name, group, None, Verdict.IMMATURE, reason) for name in names
            )
            continue
        pooled = [
            ComparedGroups(days, _count_group(spec, pools, days, group, rate), reference)
            for days, reference in zip(windows, references, strict=True)
        ]
        if not any(each.own for each in pooled) and value in (None, OTHER_VALUES):
            continue
        shown = [each for each in pooled if each.own and each.own.n and each.own.counts.rows >= protected.min_rows]
        if not shown:
            reason = f"Fewer than {protected.min_rows} payments, or no {catalogue.quality(rate).cases}: not shown."
            yield from (
                _fairness_measurement(spec, as_of, name, group, None, Verdict.INSUFFICIENT, reason) for name in names
            )
        elif compared:
            yield from _first_conclusive_window(spec, as_of, rate, group, shown, protected, alpha)
        else:
            yield _rate_measurement(spec, as_of, rate, group, shown, None)


def _first_conclusive_window(
    spec: Spec, as_of: date, rate: str, group: Group, windows: list[ComparedGroups], protected: Protected, alpha: float
) -> list[Measurement]:
    """Return a group's rate, difference and ratio over the first window with a verdict, or over the widest one."""
    found: list[Measurement] = []
    for pooled in windows:
        against = list(_compare_with_reference(spec, as_of, rate, group, pooled, protected, alpha))
        found = [_rate_measurement(spec, as_of, rate, group, [pooled], pooled.reference), *against]
        if found[-1].verdict is not Verdict.INSUFFICIENT:
            break
    return found


def _count_group(spec: Spec, pools: CumulativeCounts, days: list[date], group: Group, rate: str) -> GroupCounts | None:
    found, metric = pools.tally(days, group), _metric_of(rate)
    if found is None:
        return None
    counts = figures.confusion_from_counts(
        figures.count_unlabelled_as_legitimate(spec, found) if figures.labels_needed(metric) is Needs.LABELS else found
    )
    return GroupCounts(*figures.EVENTS_AND_CASES[metric](counts), counts)


def _rate_measurement(
    spec: Spec, as_of: date, rate: str, group: Group, windows: list[ComparedGroups], reference: GroupCounts | None
) -> Measurement:
    """Return a group's rate, over the first window that has enough cases beside the reference group's share."""
    sufficient = [each for each in windows if each.own and _has_enough_cases(each.own, reference or each.own)]
    pooled = sufficient[0] if sufficient else windows[-1]
    tally = pooled.own
    assert tally is not None
    exclusions = figures.describe_exclusions(spec, _metric_of(rate), tally.counts).strip()
    reason = f"{_describe_days(pooled.days)}. {exclusions}".strip()
    if not sufficient:
        minimum_effect = limits.minimum_effect(spec, f"{rate}{RATIO}")
        reason = f"{_describe_cases_needed(rate, tally, reference or tally, minimum_effect)} {reason}".strip()
    verdict = Verdict.OK if sufficient else Verdict.INSUFFICIENT
    return _fairness_measurement(
        spec, as_of, rate, group, intervals.share_estimate(tally.events, tally.n, exact=True), verdict, reason
    )


def _compare_with_reference(
    spec: Spec,
    as_of: date,
    rate: str,
    group: Group,
    pooled: ComparedGroups,
    protected: Protected,
    alpha: float,
) -> Iterator[Measurement]:
    """Yield a group's difference and ratio to the reference group over one window."""
    tally, reference = pooled.own, pooled.reference
    assert tally is not None
    names = (f"{rate}{DIFFERENCE}", f"{rate}{RATIO}")
    enough = reference is not None and reference.counts.rows >= protected.min_rows and reference.events >= LEAST_EVENTS
    if reference is None or not enough:
        reason = (
            f"The reference group {protected.reference} has too few {catalogue.quality(rate).cases} to compare with."
        )
        yield from (
            _fairness_measurement(spec, as_of, name, group, None, Verdict.INSUFFICIENT, reason) for name in names
        )
        return
    minimum_effect = limits.minimum_effect(spec, f"{rate}{RATIO}")
    x, n, y, m = tally.events, tally.n, reference.events, reference.n
    gap = Estimate(x / n - y / m, *intervals.newcombe_interval(x, n, y, m), n)
    ratio = Estimate(x / n / (y / m), *intervals.ratio_interval(x, n, y, m), n)
    verdict = Verdict.OK
    if rate in JUDGED_RATES:
        verdict = _verdict(ratio, intervals.fisher_p_value(x, n, y, m), alpha, math.log(minimum_effect))
    if not _has_enough_cases(tally, reference):
        verdict = Verdict.INSUFFICIENT
    lacks = (
        f" {_describe_cases_needed(rate, tally, reference, minimum_effect)}" if verdict is Verdict.INSUFFICIENT else ""
    )
    quality = catalogue.quality(rate)
    sides = (
        f"{_describe_days(pooled.days)}, {_percent(x / n)} of {n:,} {quality.cases} {quality.event}; "
        f"{_percent(y / m)} of {m:,} with {protected.reference}"
    )
    low, high = (100 * end for end in gap[1:3])
    apart = f"{sides}: {100 * gap.value:+.2f} points ({low:+.2f} to {high:+.2f}).{lacks}"
    gap_verdict = verdict if verdict is Verdict.INSUFFICIENT else Verdict.OK
    yield _fairness_measurement(spec, as_of, names[0], group, gap, gap_verdict, apart)
    limit = (minimum_effect if ratio.value >= 1 else 1 / minimum_effect) if rate in JUDGED_RATES else None
    times = f"{sides}: {ratio.value:.2f} times as many ({ratio.low:.2f} to {ratio.high:.2f}).{lacks}"
    yield _fairness_measurement(spec, as_of, names[1], group, ratio, verdict, times, limit)


def _verdict(ratio: Estimate, p_value: float, alpha: float, minimum_effect: float) -> Verdict:
    """Judge a ratio either way, on the log scale; ``minimum_effect`` is the logarithm of the smallest that matters."""
    value, low, high = (intervals.log_ratio(x) for x in ratio[:3])
    if value < 0:
        value, low, high = -value, -high, -low
    return limits.verdict_of_test(
        beyond=value >= minimum_effect and low >= minimum_effect / 2,
        significant=p_value <= alpha,
        conclusive=(high - low) / 2 <= minimum_effect,
    )


def _column_gaps(
    spec: Spec, schema: ProfileSchema, as_of: date, cubes: Mapping[date, Cube], mature: MaturityAges, column: str
) -> Iterator[Measurement]:
    """Yield the calibration gap of each group of a column, and its difference to the reference group's; never a breach.

    Scores are taken as given, so that the gap's interval is that of the fraud rate (Wilson's), turned round.
    """
    protected, names = spec.compared[column], (CALIBRATION_GAP, f"{CALIBRATION_GAP}{DIFFERENCE}")
    days = newest_days(cubes, as_of, mature.labels, WINDOWS_DAYS[1])
    reference = _calibration_gap(spec, cubes, days, (column, protected.reference), protected)
    for value in dict.fromkeys([protected.reference, *(v for v in schema.groups[column] if v is not None)]):
        group, found = (column, value), None
        if not days and cubes:
            reason, verdict = f"The first cohort is {mature.describe_when(min(cubes), Needs.LABELS)}.", Verdict.IMMATURE
        else:
            found = _calibration_gap(spec, cubes, days, group, protected)
            reason, verdict = f"Fewer than {protected.min_rows} payments, or none labelled: not shown.", Verdict.OK
        if found is None:
            verdict = verdict if verdict is Verdict.IMMATURE else Verdict.INSUFFICIENT
            wanted = names[: 1 if value == protected.reference else 2]
            yield from (_fairness_measurement(spec, as_of, name, group, None, verdict, reason) for name in wanted)
            continue
        words = f"{_describe_days(days)}, scores are {100 * abs(found.value):.3g} points"
        words += f" {'above' if found.value > 0 else 'below'} the fraud rate."
        yield _fairness_measurement(spec, as_of, CALIBRATION_GAP, group, found, Verdict.OK, words)
        if value != protected.reference and reference is not None:
            apart = intervals.difference_interval(found, reference)
            gap = Estimate(found.value - reference.value, *apart, found.n)
            reason = f"{words} With {protected.reference}: {100 * reference.value:+.3g} points."
            yield _fairness_measurement(spec, as_of, names[1], group, gap, Verdict.OK, reason)


def _calibration_gap(
    spec: Spec, cubes: Mapping[date, Cube], days: list[date], group: Group, protected: Protected
) -> Estimate | None:
    part = figures.pool_cohort_days(cubes, days, group)
    if part is None or part[:, :, COUNT].sum() < protected.min_rows:
        return None
    part = figures.count_unlabelled_as_legitimate(spec, part)
    frauds, legitimate = (int(part[:, state, COUNT].sum()) for state in (FRAUD, LEGITIMATE))
    if not frauds + legitimate:
        return None
    score, _ = thresholds.mean_score_and_prevalence(part)
    share = intervals.share_estimate(frauds, frauds + legitimate)
    return Estimate(score - share.value, score - share.high, score - share.low, share.n, share.error)


def _describe_days(days: list[date]) -> str:
    """Return which days are pooled, as in ``Over 28 days to 3 Mar``."""
    return f"Over {len(days)} day{'s' * (len(days) != 1)} to {days[-1].day} {days[-1]:%b}"


def _has_enough_cases(tally: GroupCounts, reference: GroupCounts) -> bool:
    """Return whether a group's share says something: ten events at the reference's share, and thirty cases.

    Expected events, not observed ones: none where a thousand were due says a lot.
    """
    return tally.n >= LEAST_CASES and tally.n * reference.events >= LEAST_EVENTS * reference.n


def _describe_cases_needed(rate: str, tally: GroupCounts, reference: GroupCounts, minimum_effect: float) -> str:
    """Return how many cases of the group would show the smallest ratio that matters beside such a reference group."""
    if not 0 < reference.events < reference.n:
        return f"Only {tally.n:,} {catalogue.quality(rate).cases}."
    needed = cases_needed(reference.events / reference.n, minimum_effect, times=max(1.0, reference.n / tally.n))
    return (
        f"Only {tally.n:,} {catalogue.quality(rate).cases}; about {needed:,} would show a ratio of {minimum_effect:g}."
    )


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"


def _metric_of(rate: str) -> str:
    return catalogue.quality(rate).same_as or rate


def _fairness_measurement(
    spec: Spec,
    as_of: date,
    metric: str,
    group: Group,
    found: Estimate | None,
    verdict: Verdict,
    reason: str,
    limit: float | None = None,
) -> Measurement:
    return build_measurement(
        spec, as_of, as_of, FAIRNESS_MONITOR, metric, found, verdict, reason, group=group, limit=limit
    )


@monitor(FAIRNESS_MONITOR)
def measure_group_rates_of_day(inputs: DayInputs) -> list[Measurement]:
    """Return the rates of groups, compared, as known on a day; nothing of a model without a score."""
    known = inputs.scored
    return measure_group_rates(inputs.spec, inputs.schema, inputs.day, known.cubes, known.curve) if known else []


@monitor(FAIRNESS_MONITOR, for_incidents=False)
def measure_calibration_gaps_of_day(inputs: DayInputs) -> list[Measurement]:
    """Return the calibration gaps of groups, as known on a day; nothing of a model without a score."""
    known = inputs.scored
    return measure_calibration_gaps(inputs.spec, inputs.schema, inputs.day, known.cubes, known.curve) if known else []
