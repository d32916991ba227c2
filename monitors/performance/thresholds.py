"""Figures that look at other thresholds than today's, or at all of them: from the score cube, at cell resolution.

``frauds`` and ``legitimate`` are counts by score cell, ascending. Payments in one cell are tied, and taken in random
order: a figure that cuts through a cell is what random order gives on average.
"""

from __future__ import annotations

import math

import numpy as np
from scipy import special

from monitors.stats import intervals
from monitors.stats.intervals import ALPHA, Estimate
from profiles.bins import Ints
from profiles.profile import COUNT, FRAUD, LEGITIMATE, SCORE


def recall_at_false_positive_rate(rate: float, frauds: Ints, legitimate: Ints) -> Estimate:
    """Return the recall at the threshold at which a share ``rate`` of legitimate payments raises an alert.

    It is read from the ROC curve, straight between cells. The interval is Jeffreys' at the effective number of frauds:
    var = T (1 - T) / frauds + slope^2 rate (1 - rate) / legitimate (Linnet, Statist. Med. 1987), for the threshold
    itself is only known from the legitimate payments; the slope is that over two standard errors of it. n is the number
    of frauds; ValueError where either class is empty.
    """
    m, n = int(frauds.sum()), int(legitimate.sum())
    if not (m and n):
        raise ValueError("recall at a false-positive rate needs a fraud and a legitimate payment")
    false_alarms = np.append(0, np.cumsum(legitimate[::-1])) / n
    caught = np.append(0, np.cumsum(frauds[::-1])) / m

    def at(share: float) -> float:
        return float(np.interp(share, false_alarms, caught))

    value, spread = at(rate), math.sqrt(rate * (1 - rate) / n)
    low, high = max(0.0, rate - 2 * spread), min(1.0, rate + 2 * spread)
    slope = (at(high) - at(low)) / (high - low)
    error = math.sqrt(value * (1 - value) / m + (slope * spread) ** 2)
    effective = value * (1 - value) / error**2 if 0 < value < 1 else float(m)
    return Estimate(value, *_jeffreys_interval(value, effective), m, error)


def false_positive_ratio(caught: int, false_alarms: int) -> Estimate | None:
    """Return the false alarms for each fraud caught, with the interval of precision p turned into (1 - p) / p.

    n is the number of alerts with a label; None where there are none. Where no fraud was caught, figure and upper end
    are infinite: there are at least as many as the lower end says.
    """
    n = caught + false_alarms
    if not n:
        return None
    ratio = false_alarms / caught if caught else math.inf
    low, high = intervals.wilson(caught, n)
    return Estimate(ratio, (1 - high) / high, (1 - low) / low if low > 0 else math.inf, n)


def brier_score(part: Ints) -> Estimate | None:
    """Return the mean square of score less outcome (Brier, 1950) over labelled payments, with each cell's mean score.

    That leaves out the spread within a cell, at most 0.0001 of a score in [0, 1]. Few payments make most of it, so
    the interval is a gamma's: the sum varies like that of (sum e)^2 / (sum e^2) equal squares e, Poisson many. For the
    upper end sum e^2 gets half a payment at its worst, because few frauds don't show how bad one can be. n is the
    number of labelled payments; None where there are none.
    """
    counts, scores = part[:, :, COUNT].astype(np.float64), part[:, :, SCORE] / 1e9
    labelled = [(counts[:, state], scores[:, state], state == FRAUD) for state in (FRAUD, LEGITIMATE)]
    n = sum(int(own.sum()) for own, _, _ in labelled)
    if not n:
        return None
    squares = [(own, (total / np.maximum(own, 1) - fraud) ** 2) for own, total, fraud in labelled]
    total = sum(float(own @ square) for own, square in squares)
    spread = sum(float(own @ square**2) for own, square in squares)
    if total <= 0:
        return Estimate(0.0, 0.0, min(1.0, -math.log(ALPHA) / n), n)
    low, high = (
        float(special.gammaincinv(total**2 / squared + more, q)) * squared / total / n
        for squared, more, q in ((spread, 0.5, ALPHA / 2), (spread + 0.5, 0.0, 1 - ALPHA / 2))
    )
    return Estimate(total / n, min(low, total / n), min(1.0, max(high, total / n)), n, math.sqrt(spread) / n)


def _jeffreys_interval(value: float, n: float) -> tuple[float, float]:
    low, high = (
        float(special.betaincinv(value * n + 0.5, (1 - value) * n + 0.5, q)) for q in (ALPHA / 2, 1 - ALPHA / 2)
    )
    return (0.0 if value <= 0 else low), (1.0 if value >= 1 else high)
