"""A bank's own metrics: one plain function over the sum of some days gets an interval, a learnt limit and a verdict.

The function is given the newest week of days, summed, and answers with a number. Days are the units of everything
else: the interval comes from drawing the week's own days again and again (bootstrap), the limit from drawing weeks
from the baseline's days. So a function needs no formula for its error, and payments of one day may depend on another.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from functools import reduce
from operator import add
from typing import Any, NamedTuple

import numpy as np
from scipy import special

from catalogue import Needs
from catalogue.performance_monitors import CUSTOM_MONITOR
from ledger.records.measurements import Measurement, Verdict
from models.spec import HISTORY_DAYS, Metric, Spec
from monitors import limits
from monitors.inputs import DayInputs
from monitors.performance import figures
from monitors.performance.maturity import LabelDelayCurve, learn_delay_curve, maturity_ages, newest_days
from monitors.registry import monitor
from monitors.stats import intervals
from monitors.stats.intervals import Estimate
from monitors.stats.lazy import LazyMapping
from profiles.profile import Counts, Cube, Group, Moments, Profile
from profiles.schema import ProfileSchema

WINDOW_DAYS = 7
LEAST_DAYS = 4
"""Of the window's seven days at least these must be there."""
LEAST_BASELINE_DAYS = 14
"""Fewer days don't show how much weeks differ by chance."""
BOOTSTRAP_DRAWS = 200
MOST_UNDEFINED_SHARE = 0.1
"""Share of drawn weeks of which a metric may be undefined."""

MetricFunction = Callable[[Any, ProfileSchema], float]
"""Given a Profile (``of: profile``) or its score Cube (``of: cube``) and the schema that says what its bins mean."""


class BootstrapSpread(NamedTuple):
    """What drawn weeks showed: their standard deviation, and how many of them had a figure."""

    error: float
    defined: float


def sum_profiles(days: Sequence[Profile]) -> Profile:
    """Return the sum of days, of which only what is read is ever added up.

    Args:
        days: profiles of one schema, at least one; a day as often as it is named.
    Returns:
        The sum; a mapping in it adds up a part when it is asked for.
    """

    def columns(group: Group) -> Mapping[str, Counts]:
        own = [day.features[group] for day in days if group in day.features]
        return LazyMapping(
            lambda: (name for each in own for name in each),
            lambda name: reduce(add, [each[name] for each in own if name in each]),
        )

    def part(group: Group) -> Any:
        return np.sum([day.cube.bins[group] for day in days if group in day.cube.bins], axis=0)

    def moments(name: str) -> Moments:
        return reduce(add, [day.moments[name] for day in days if name in day.moments])

    return Profile(
        schema_id=days[0].schema_id,
        rows=sum(day.rows for day in days),
        features=LazyMapping(lambda: (group for day in days for group in day.features), columns),
        cube=Cube(LazyMapping(lambda: (group for day in days for group in day.cube.bins), part)),
        moments=LazyMapping(lambda: (name for day in days for name in day.moments), moments),
    )


def measure_custom_metrics(
    spec: Spec,
    schema: ProfileSchema,
    as_of: date,
    profiles: Mapping[date, Profile],
    curve: LabelDelayCurve,
    baseline_days: Collection[date],
    functions: Mapping[str, MetricFunction | str],
    seed: int,
) -> list[Measurement]:
    """Return each metric of the model file over its newest week, against what weeks of the baseline look like.

    The interval is Student's t over the week's days with the bootstrap's error (percentiles of so few days would be too
    narrow). A breach is both material (worse than the baseline by the model file's minimum effect size, ``floor``) and
    significant at the share of the false-alarm budget, by Student's t over the baseline's days. A function that raises,
    or returns no number, is errored, and the others go on.

    Args:
        spec: the model file.
        schema: the profile schema, with the bins, as the functions get it.
        as_of: day at whose end the labels were read.
        profiles: profiles by day, their cubes with these labels.
        curve: the label-delay curve.
        baseline_days: days of the baseline.
        functions: by metric its function, or the sentence why there is none.
        seed: of the random draws.
    Returns:
        One measurement for each metric.
    """
    found = []
    for index, metric in enumerate(spec.metrics):
        function = functions[metric.name]
        rng = np.random.default_rng([seed, index])
        if isinstance(function, str):
            found.append(_metric_measurement(spec, as_of, metric, None, Verdict.ERRORED, function))
            continue
        try:
            found.append(_judge_metric(spec, schema, as_of, metric, function, profiles, curve, baseline_days, rng))
        except Exception as error:  # noqa: BLE001  the bank's own code may raise anything
            said = f"{metric.function} raised {error.__class__.__name__}: {error}".rstrip(": ")
            found.append(_metric_measurement(spec, as_of, metric, None, Verdict.ERRORED, f"{said}."))
    return found


def _judge_metric(
    spec: Spec,
    schema: ProfileSchema,
    as_of: date,
    metric: Metric,
    function: MetricFunction,
    profiles: Mapping[date, Profile],
    curve: LabelDelayCurve,
    baseline_days: Collection[date],
    rng: np.random.Generator,
) -> Measurement:
    needs, mature = labels_needed(spec, metric), maturity_ages(spec.labels, curve)
    days = newest_days([day for day in profiles if profiles[day].rows], as_of, mature.of(needs), WINDOW_DAYS)
    end = as_of - timedelta(days=mature.of(needs))
    normal = sorted(day for day in baseline_days if day in profiles and day <= end and day not in days)
    if len(days) < LEAST_DAYS or len(normal) < LEAST_BASELINE_DAYS:
        young = needs is not Needs.NOTHING and end < min(baseline_days) + timedelta(
            days=WINDOW_DAYS + LEAST_BASELINE_DAYS
        )
        reason = (
            f"{len(days)} of the {WINDOW_DAYS} days to {end} and {len(normal)} other baseline days are there; "
            f"{LEAST_DAYS} and {LEAST_BASELINE_DAYS} are needed."
        )
        return _metric_measurement(
            spec, as_of, metric, None, Verdict.IMMATURE if young else Verdict.INSUFFICIENT, reason
        )

    def figure(chosen: Sequence[date]) -> float:
        pooled = sum_profiles([profiles[day] for day in chosen])
        return float(function(pooled if metric.of == "profile" else pooled.cube, schema))

    value, before = figure(days), figure(normal)
    own, usual = _bootstrap_spread(figure, days, len(days), rng), _bootstrap_spread(figure, normal, len(days), rng)
    if not (
        math.isfinite(value) and math.isfinite(before) and min(own.defined, usual.defined) >= 1 - MOST_UNDEFINED_SHARE
    ):
        reason = f"{metric.function} has no figure of this week, of the baseline, or of too many weeks drawn from them."
        return _metric_measurement(spec, as_of, metric, None, Verdict.INSUFFICIENT, reason)
    k, n = len(days), len(normal)
    error = own.error * math.sqrt(k / (k - 1))
    half = _student_t_quantile(k, intervals.ALPHA) * error
    found = Estimate(value, value - half, value + half, k, error)
    chance = usual.error * math.sqrt(n / (n - 1)) * math.sqrt(1 + k / n)
    by_chance = _student_t_quantile(n, limits.alpha_per_test(spec, len(spec.metrics))) * chance
    worse = {"higher": value - before, "lower": before - value, "either": abs(value - before)}[metric.worse]
    verdict = limits.verdict_of_test(
        beyond=worse >= metric.floor,
        significant=worse > by_chance,
        conclusive=_student_t_quantile(n, intervals.ALPHA) * chance <= metric.floor,
    )
    falls = metric.worse == "lower" or (metric.worse == "either" and value < before)
    limit = before + (-1 if falls else 1) * max(metric.floor, by_chance)
    way = "higher" if value >= before else "lower"
    reason = (
        f"{value:.4g} in the {k} days to {_format_day(days[-1])}, {before:.4g} in the baseline: "
        f"{abs(value - before):.3g} {way}. "
        f"A breach is {metric.floor:g} ({_describe_direction(metric)}) and more than {by_chance:.3g}, "
        f"which the {n} baseline days leave to chance."
    )
    if verdict is Verdict.INSUFFICIENT:
        reason += " Weeks differ too much by chance to show a change of the size that matters."
    return _metric_measurement(spec, as_of, metric, found, verdict, reason, limit)


def labels_needed(spec: Spec, metric: Metric) -> Needs:
    """Return which labels a metric waits for.

    Args:
        spec: the model file.
        metric: one of its metrics.
    Returns:
        What the model file says; else none for a metric of profiles and all for one of cubes.
    """
    if spec.labels is None:
        return Needs.NOTHING
    return Needs(metric.needs or ("nothing" if metric.of == "profile" else "labels"))


def _bootstrap_spread(
    figure: Callable[[Sequence[date]], float], days: Sequence[date], size: int, rng: np.random.Generator
) -> BootstrapSpread:
    """Return how much a metric differs between weeks of ``size`` days drawn, with replacement, from some days."""
    drawn = rng.integers(0, len(days), (BOOTSTRAP_DRAWS, size))
    figures = np.array([figure([days[i] for i in own]) for own in drawn])
    finite = figures[np.isfinite(figures)]
    return BootstrapSpread(float(finite.std(ddof=1)) if len(finite) > 1 else math.nan, len(finite) / BOOTSTRAP_DRAWS)


def _describe_direction(metric: Metric) -> str:
    return {"higher": "or more, upwards", "lower": "or more, downwards", "either": "or more, either way"}[metric.worse]


def _student_t_quantile(days: int, alpha: float) -> float:
    return float(special.stdtrit(days - 1, 1 - alpha / 2))


def _format_day(day: date) -> str:
    return f"{day.day} {day:%b}"


def _metric_measurement(
    spec: Spec,
    as_of: date,
    metric: Metric,
    found: Estimate | None,
    verdict: Verdict,
    reason: str,
    limit: float | None = None,
) -> Measurement:
    return figures.build_measurement(
        spec, as_of, as_of, CUSTOM_MONITOR, metric.name, found, verdict, reason, limit=limit
    )


@monitor(CUSTOM_MONITOR)
def measure_custom_metrics_of_day(inputs: DayInputs) -> list[Measurement]:
    """Return the metrics of the model file over the week up to a day; the day's number is the seed of their draws."""
    spec, day = inputs.spec, inputs.day
    if not spec.metrics:
        return []
    horizon_days = spec.labels.horizon_days if spec.labels else HISTORY_DAYS
    start = min(*inputs.baseline, day - timedelta(days=horizon_days))
    known = inputs.scored.cohorts if inputs.scored and spec.labels else {}
    cohorts = {other: cohort for other, cohort in known.items() if other >= start}
    profiles = {
        other: replace(own, cube=own.cube.labelled(cohorts[other].labels)) if other in cohorts else own
        for other, own in inputs.profiles.items()
        if other >= start
    }
    curve = learn_delay_curve(cohorts, day, horizon_days)
    functions, normal = inputs.metric_functions, list(inputs.baseline)
    return measure_custom_metrics(spec, inputs.schema, day, profiles, curve, normal, functions, seed=day.toordinal())
