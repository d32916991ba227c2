"""A bank's own metrics: one plain function over the sum of some days gets an interval, a learnt limit and a verdict.

The function is given the newest week of days, summed, and answers with a number. Days are the units of everything
else: the interval comes from drawing the week's own days again and again (bootstrap), the limit from drawing weeks
from the baseline's days. So a function needs no formula for its error, and payments of one day may depend on another.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date, timedelta
from functools import reduce
from operator import add
from typing import Any, NamedTuple

import numpy as np
from scipy import special

from ledger.records import Measurement, Verdict
from models.spec import Metric, Spec
from monitors import intervals, limits, scoring
from monitors.intervals import Estimate
from monitors.lazy import Lazy
from monitors.maturity import Curve, Needs, ages, window
from warehouse.grid import Frame
from warehouse.profile import Counts, Cube, Group, Moments, Profile

MONITOR = "custom"
WINDOW_DAYS = 7
LEAST_DAYS = 4
"""Of the window's seven days at least these must be there."""
LEAST_BASELINE_DAYS = 14
"""Fewer days don't show how much weeks differ by chance."""
DRAWS = 200
MOST_UNDEFINED = 0.1
"""Share of drawn weeks of which a metric may be undefined."""

Function = Callable[[Any, Frame], float]
"""Given a Profile (``of: profile``) or its score Cube (``of: cube``) and the frame that says what its cells mean."""


class Spread(NamedTuple):
    """What drawn weeks showed: their standard deviation, and how many of them had a figure."""

    error: float
    defined: float


def summed(days: Sequence[Profile]) -> Profile:
    """Return the sum of days, a day as often as it is named, of which only what is read is ever added up."""

    def columns(group: Group) -> Mapping[str, Counts]:
        own = [day.features[group] for day in days if group in day.features]
        return Lazy(
            lambda: (name for each in own for name in each),
            lambda name: reduce(add, [each[name] for each in own if name in each]),
        )

    def part(group: Group) -> Any:
        return np.sum([day.cube.cells[group] for day in days if group in day.cube.cells], axis=0)

    def moments(name: str) -> Moments:
        return reduce(add, [day.moments[name] for day in days if name in day.moments])

    return Profile(
        frame=days[0].frame,
        rows=sum(day.rows for day in days),
        features=Lazy(lambda: (group for day in days for group in day.features), columns),
        cube=Cube(Lazy(lambda: (group for day in days for group in day.cube.cells), part)),
        moments=Lazy(lambda: (name for day in days for name in day.moments), moments),
    )


def measure(
    spec: Spec,
    frame: Frame,
    as_of: date,
    profiles: Mapping[date, Profile],
    curve: Curve,
    baseline_days: Collection[date],
    functions: Mapping[str, Function | str],
    seed: int,
) -> list[Measurement]:
    """Return each metric of the model file over its newest week, against what weeks of the baseline look like.

    ``profiles`` hold cubes with the labels known by the end of ``as_of``; ``functions`` has for each metric's name
    its function, or the sentence why there is none. The interval is Student's t over the week's days with the
    bootstrap's error (percentiles of so few days would be too narrow). A breach is both material (worse than the
    baseline by the model file's ``floor``) and significant at the share of the false-alarm budget, by Student's t
    over the baseline's days. A function that raises, or returns no number, is errored, and the others go on.
    """
    found = []
    for place, metric in enumerate(spec.metrics):
        function = functions[metric.name]
        rng = np.random.default_rng([seed, place])
        if isinstance(function, str):
            found.append(_found(spec, as_of, metric, None, Verdict.ERRORED, function))
            continue
        try:
            found.append(_judged(spec, frame, as_of, metric, function, profiles, curve, baseline_days, rng))
        except Exception as error:  # noqa: BLE001  the bank's own code may raise anything
            said = f"{metric.function} raised {error.__class__.__name__}: {error}".rstrip(": ")
            found.append(_found(spec, as_of, metric, None, Verdict.ERRORED, f"{said}."))
    return found


def _judged(
    spec: Spec,
    frame: Frame,
    as_of: date,
    metric: Metric,
    function: Function,
    profiles: Mapping[date, Profile],
    curve: Curve,
    baseline_days: Collection[date],
    rng: np.random.Generator,
) -> Measurement:
    needs, mature = needs_of(spec, metric), ages(spec.labels, curve)
    days = window([day for day in profiles if profiles[day].rows], as_of, mature.of(needs), WINDOW_DAYS)
    end = as_of - timedelta(days=mature.of(needs))
    normal = sorted(day for day in baseline_days if day in profiles and day <= end and day not in days)
    if len(days) < LEAST_DAYS or len(normal) < LEAST_BASELINE_DAYS:
        young = needs != "nothing" and end < min(baseline_days) + timedelta(days=WINDOW_DAYS + LEAST_BASELINE_DAYS)
        reason = (
            f"{len(days)} of the {WINDOW_DAYS} days to {end} and {len(normal)} other baseline days are there; "
            f"{LEAST_DAYS} and {LEAST_BASELINE_DAYS} are needed."
        )
        return _found(spec, as_of, metric, None, Verdict.IMMATURE if young else Verdict.INSUFFICIENT, reason)

    def figure(chosen: Sequence[date]) -> float:
        pooled = summed([profiles[day] for day in chosen])
        return float(function(pooled if metric.of == "profile" else pooled.cube, frame))

    value, before = figure(days), figure(normal)
    own, usual = _spread(figure, days, len(days), rng), _spread(figure, normal, len(days), rng)
    if not (math.isfinite(value) and math.isfinite(before) and min(own.defined, usual.defined) >= 1 - MOST_UNDEFINED):
        reason = f"{metric.function} has no figure of this week, of the baseline, or of too many weeks drawn from them."
        return _found(spec, as_of, metric, None, Verdict.INSUFFICIENT, reason)
    k, n = len(days), len(normal)
    error = own.error * math.sqrt(k / (k - 1))
    half = _t(k, intervals.ALPHA) * error
    found = Estimate(value, value - half, value + half, k, error)
    chance = usual.error * math.sqrt(n / (n - 1)) * math.sqrt(1 + k / n)
    by_chance = _t(n, limits.alpha(spec, len(spec.metrics))) * chance
    worse = {"higher": value - before, "lower": before - value, "either": abs(value - before)}[metric.worse]
    verdict = limits.judge(
        beyond=worse >= metric.floor,
        significant=worse > by_chance,
        telling=_t(n, intervals.ALPHA) * chance <= metric.floor,
    )
    falls = metric.worse == "lower" or (metric.worse == "either" and value < before)
    limit = before + (-1 if falls else 1) * max(metric.floor, by_chance)
    way = "higher" if value >= before else "lower"
    reason = (
        f"{value:.4g} in the {k} days to {_day(days[-1])}, {before:.4g} in the baseline: "
        f"{abs(value - before):.3g} {way}. "
        f"A breach is {metric.floor:g} ({_ways(metric)}) and more than {by_chance:.3g}, which the {n} baseline days "
        f"leave to chance."
    )
    if verdict is Verdict.INSUFFICIENT:
        reason += " Weeks differ too much by chance to tell a change of the size that matters."
    return _found(spec, as_of, metric, found, verdict, reason, limit)


def needs_of(spec: Spec, metric: Metric) -> Needs:
    """Return which labels a metric waits for: what the model file says, else none for a profile and all for a cube."""
    if spec.labels is None:
        return "nothing"
    return metric.needs or ("nothing" if metric.of == "profile" else "labels")


def _spread(
    figure: Callable[[Sequence[date]], float], days: Sequence[date], size: int, rng: np.random.Generator
) -> Spread:
    """Return how much a metric differs between weeks of ``size`` days drawn, with replacement, from some days."""
    drawn = rng.integers(0, len(days), (DRAWS, size))
    figures = np.array([figure([days[i] for i in own]) for own in drawn])
    finite = figures[np.isfinite(figures)]
    return Spread(float(finite.std(ddof=1)) if len(finite) > 1 else math.nan, len(finite) / DRAWS)


def _ways(metric: Metric) -> str:
    return {"higher": "or more, upwards", "lower": "or more, downwards", "either": "or more, either way"}[metric.worse]


def _t(days: int, alpha: float) -> float:
    return float(special.stdtrit(days - 1, 1 - alpha / 2))


def _day(day: date) -> str:
    return f"{day.day} {day:%b}"


def _found(
    spec: Spec,
    as_of: date,
    metric: Metric,
    found: Estimate | None,
    verdict: Verdict,
    reason: str,
    limit: float | None = None,
) -> Measurement:
    return scoring.measurement(spec, as_of, as_of, MONITOR, metric.name, found, verdict, reason, limit=limit)
