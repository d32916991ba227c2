"""What a threshold costs a day, and which one would cost least: from the score cubes of the newest mature days."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from datetime import date

import numpy as np
from scipy import special

from ledger.records import Measurement, Verdict
from models.spec import Spec
from monitors import intervals, scoring
from monitors.intervals import ALPHA, Estimate
from monitors.maturity import Curve, ages, window
from warehouse.grid import Floats, Frame, Ints
from warehouse.profile import BLOCKED, COUNT, EVERYONE, FRAUD, PENCE, Cube

MONITOR = "decay"
COST_DAYS = 56
"""Newest mature cohort days over which costs are averaged: eight of each weekday."""
LEAST_DAYS = 14


def by_threshold(review_cost_gbp: float, part: Ints) -> Floats:
    """Return what a day's payments cost in GBP at each threshold: the lower border of each cell, and above all.

    Each alert that wasn't blocked costs a review, and each fraud below the threshold its amount.
    """
    alerts = part[:, :, COUNT].sum(axis=1) - part[:, BLOCKED, COUNT]
    looked_at = np.append(np.cumsum(alerts[::-1])[::-1], 0)
    lost = np.append(0, np.cumsum(part[:, FRAUD, PENCE])) / 100
    return np.asarray(review_cost_gbp * looked_at + lost)


def measure(spec: Spec, frame: Frame, as_of: date, cubes: Mapping[date, Cube], curve: Curve) -> list[Measurement]:
    """Return the cost a day of the threshold over the newest mature days, and that of the cheapest one.

    Nothing without ``score.review_cost_gbp``. Costs have Student's t interval over days. The cheapest threshold's
    interval holds every threshold whose days aren't dearer, by a paired t-test, than those of the cheapest. That one
    was chosen on these very days, so its cost is a little too low. Never judged.
    """
    price = spec.score.review_cost_gbp
    if frame.score is None or price is None or spec.labels is None or spec.score.threshold is None:
        return []
    mature = ages(spec.labels, curve)
    scored = [day for day, cube in cubes.items() if EVERYONE in cube.cells]
    days = window(scored, as_of, mature.labels, COST_DAYS)
    frauds = sum(int(cubes[day].cells[EVERYONE][:, FRAUD, COUNT].sum()) for day in days)
    if len(days) < LEAST_DAYS or frauds < scoring.MIN_FRAUDS:
        reason = f"{len(days)} mature days with {frauds} frauds; needed are {LEAST_DAYS} with {scoring.MIN_FRAUDS}."
        verdict = Verdict.IMMATURE if len(days) < LEAST_DAYS else Verdict.INSUFFICIENT
        names = ("cost_gbp_per_day", "least_cost_gbp_per_day", "least_cost_threshold")
        return [scoring.measurement(spec, as_of, as_of, MONITOR, name, None, verdict, reason) for name in names]
    daily = np.stack([by_threshold(price, cubes[day].cells[EVERYONE]) for day in days])
    return list(_cheapest(spec, frame, as_of, daily, days))


def _cheapest(spec: Spec, frame: Frame, as_of: date, daily: Floats, days: list[date]) -> Iterator[Measurement]:
    assert frame.score is not None
    now, mean = frame.score.half, daily.mean(axis=0)
    best = min(np.flatnonzero(mean <= mean.min() + 1e-9).tolist(), key=lambda cell: abs(cell - now))
    excess = daily - daily[:, [best]]
    half = float(special.stdtrit(len(daily) - 1, 1 - ALPHA / 2)) * excess.std(axis=0, ddof=1) / math.sqrt(len(daily))
    alike = np.flatnonzero(excess.mean(axis=0) <= half).tolist()
    value, low, high = (_threshold(frame, spec, cell) for cell in (best, alike[0], alike[-1]))
    span = f"{days[0]} to {days[-1]}"
    current, least = intervals.daily_mean(daily[:, now]), intervals.daily_mean(daily[:, best])
    price, today = spec.score.review_cost_gbp, spec.score.threshold
    alike_words = f"From {low:.3g} to {high:.3g} none is surely dearer."
    chosen = f"GBP {least.value:,.0f} a day; GBP {current.value:,.0f} at today's {today:g}. {alike_words}"
    found = (
        ("cost_gbp_per_day", current, f"Missed fraud, and GBP {price:g} for each alert, {span}."),
        ("least_cost_gbp_per_day", least, f"At the cheapest threshold, {value:.3g}, {span}."),
        ("least_cost_threshold", Estimate(value, low, high, len(days)), chosen),
    )
    for name, estimate, reason in found:
        yield scoring.measurement(spec, as_of, as_of, MONITOR, name, estimate, Verdict.OK, reason)


def _threshold(frame: Frame, spec: Spec, cell: int) -> float:
    """Return the lower border of a cell, counted from 0, within the score's range."""
    assert frame.score is not None
    low, high = spec.score.range
    if cell == frame.score.half and spec.score.threshold is not None:
        return spec.score.threshold
    return min(high, max(low, frame.score.border(cell - frame.score.half)))
