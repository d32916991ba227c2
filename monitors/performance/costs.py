"""What a threshold costs a day, and which one would cost least: from the score cubes of the newest mature days."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from datetime import date

import numpy as np
from scipy import special

from catalogue.metrics import money
from catalogue.metrics.performance_monitors import DECAY_MONITOR
from ledger.records.measurements import Measurement, Verdict
from models.spec import Spec
from monitors.inputs import DayInputs
from monitors.measurements import build_measurement
from monitors.performance import figures
from monitors.performance.maturity import LabelDelayCurve, maturity_ages, newest_days
from monitors.registry import monitor
from monitors.stats import intervals
from monitors.stats.intervals import ALPHA, Estimate
from profiles.bins import Floats, Ints
from profiles.profile import BLOCKED, COUNT, EVERYONE, FRAUD, PENCE, Cube
from profiles.schema import ProfileSchema

COST_DAYS = 56
"""Newest mature cohort days over which costs are averaged: eight of each weekday."""
LEAST_DAYS = 14


def cost_by_threshold(review_cost_gbp: float, part: Ints) -> Floats:
    """Return what a day's payments cost at each threshold: the lower edge of each bin, and above all of them.

    Each alert that wasn't blocked costs a review, and each fraud below the threshold its amount.

    Args:
        review_cost_gbp: GBP for each alert that is looked at.
        part: a day's part of the score cube: (score bins, states, sums).
    Returns:
        GBP a day: (score bins + 1).
    Source:
        the cost of a classifier, example-dependent (Elkan, IJCAI 2001).
    """
    alerts = part[:, :, COUNT].sum(axis=1) - part[:, BLOCKED, COUNT]
    reviewed = np.append(np.cumsum(alerts[::-1])[::-1], 0)
    lost = np.append(0, np.cumsum(part[:, FRAUD, PENCE])) / 100
    return np.asarray(review_cost_gbp * reviewed + lost)


def measure_threshold_costs(
    spec: Spec, schema: ProfileSchema, as_of: date, cubes: Mapping[date, Cube], curve: LabelDelayCurve
) -> list[Measurement]:
    """Return the cost a day of the threshold over the newest mature days, and that of the cheapest one.

    The cheapest threshold's interval holds every threshold whose days aren't dearer, by a paired t-test, than those of
    the cheapest. That one was chosen on these very days, so its cost is a little too low. Never judged.

    Args:
        spec: the model file; without ``score.review_cost_gbp``, threshold or labels nothing is measured.
        schema: how partitions are profiled; without a score nothing is measured.
        as_of: day at whose end the labels were read.
        cubes: score cubes with these labels, by cohort day.
        curve: the label-delay curve.
    Returns:
        Three measurements: two costs in GBP a day, with Student's t interval over days, and a threshold.
    """
    price = spec.score.review_cost_gbp
    if schema.score is None or price is None or spec.labels is None or spec.score.threshold is None:
        return []
    mature = maturity_ages(spec.labels, curve)
    scored = [day for day, cube in cubes.items() if EVERYONE in cube.bins]
    days = newest_days(scored, as_of, mature.labels, COST_DAYS)
    frauds = sum(int(cubes[day].bins[EVERYONE][:, FRAUD, COUNT].sum()) for day in days)
    if len(days) < LEAST_DAYS or frauds < figures.MIN_FRAUDS:
        reason = f"{len(days)} mature days with {frauds} frauds; needed are {LEAST_DAYS} with {figures.MIN_FRAUDS}."
        verdict = Verdict.IMMATURE if len(days) < LEAST_DAYS else Verdict.INSUFFICIENT
        names = (money.COST, money.LEAST_COST, money.LEAST_COST_THRESHOLD)
        return [build_measurement(spec, as_of, as_of, DECAY_MONITOR, name, None, verdict, reason) for name in names]
    daily = np.stack([cost_by_threshold(price, cubes[day].bins[EVERYONE]) for day in days])
    return list(_cheapest_measurements(spec, schema, as_of, daily, days))


def _cheapest_measurements(
    spec: Spec, schema: ProfileSchema, as_of: date, daily: Floats, days: list[date]
) -> Iterator[Measurement]:
    assert schema.score is not None
    now, mean = schema.score.half, daily.mean(axis=0)
    best = min(np.flatnonzero(mean <= mean.min() + 1e-9).tolist(), key=lambda bin_index: abs(bin_index - now))
    excess = daily - daily[:, [best]]
    half = float(special.stdtrit(len(daily) - 1, 1 - ALPHA / 2)) * excess.std(axis=0, ddof=1) / math.sqrt(len(daily))
    alike = np.flatnonzero(excess.mean(axis=0) <= half).tolist()
    value, low, high = (_threshold_of_bin(schema, spec, bin_index) for bin_index in (best, alike[0], alike[-1]))
    span = f"{days[0]} to {days[-1]}"
    current, least = intervals.daily_mean_estimate(daily[:, now]), intervals.daily_mean_estimate(daily[:, best])
    price, today = spec.score.review_cost_gbp, spec.score.threshold
    alike_words = f"From {low:.3g} to {high:.3g} none is surely dearer."
    chosen = f"GBP {least.value:,.0f} a day; GBP {current.value:,.0f} at today's {today:g}. {alike_words}"
    found = (
        (money.COST, current, f"Missed fraud, and GBP {price:g} for each alert, {span}."),
        (money.LEAST_COST, least, f"At the cheapest threshold, {value:.3g}, {span}."),
        (money.LEAST_COST_THRESHOLD, Estimate(value, low, high, len(days)), chosen),
    )
    for name, estimate, reason in found:
        yield build_measurement(spec, as_of, as_of, DECAY_MONITOR, name, estimate, Verdict.OK, reason)


def _threshold_of_bin(schema: ProfileSchema, spec: Spec, bin_index: int) -> float:
    """Return the lower edge of a bin, counted from 0, within the score's range."""
    assert schema.score is not None
    low, high = spec.score.range
    if bin_index == schema.score.half and spec.score.threshold is not None:
        return spec.score.threshold
    return min(high, max(low, schema.score.edge(bin_index - schema.score.half)))


@monitor(DECAY_MONITOR, for_incidents=False)
def measure_threshold_costs_of_day(inputs: DayInputs) -> list[Measurement]:
    """Return what the threshold costs, as known on a day; nothing of a model without a score."""
    known = inputs.scored
    return measure_threshold_costs(inputs.spec, inputs.schema, inputs.day, known.cubes, known.curve) if known else []
