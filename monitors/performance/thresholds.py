"""Figures that look at other thresholds than today's, or at all of them: from the score cube, at bin resolution.

``frauds`` and ``legitimate`` are counts by score bin, ascending. Payments in one bin are tied, and taken in random
order: a figure that cuts through a bin is what random order gives on average. A ``part`` is one group's array of the
cube: (score bins, states, sums).
"""

from __future__ import annotations

import math

import numpy as np
from scipy import special

from monitors.stats import calibration_interval, intervals
from monitors.stats.intervals import ALPHA, Estimate
from profiles.bins import Ints
from profiles.profile import COUNT, FRAUD, LEGITIMATE, SCORE

BILLION = 1e9
CALIBRATION_BINS = 10


def recall_at_false_positive_rate(rate: float, frauds: Ints, legitimate: Ints) -> Estimate:
    """Return the recall at the threshold at which a given share of legitimate payments raises an alert.

    It is read from the ROC curve, straight between bins.

    Args:
        rate: the false-positive rate, 0 to 1.
        frauds: frauds by score bin, ascending: (score bins).
        legitimate: legitimate payments by score bin: (score bins).
    Returns:
        A share, 0 to 1, with its 95 % interval; n is the number of frauds.
    Raises:
        ValueError: where either class is empty.
    Source:
        var = T (1 - T) / frauds + slope^2 rate (1 - rate) / legitimate (Linnet, Statist. Med. 1987), for the threshold
        itself is only known from the legitimate payments; the slope is that over two standard errors of it. The
        interval is Jeffreys' at the effective number of frauds.
    Example:
        >>> round(recall_at_false_positive_rate(0.1, np.array([0, 1, 3]), np.array([8, 2, 0])).value, 3)
        0.875
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
    """Return the false alarms for each fraud caught.

    Args:
        caught: frauds that raised an alert.
        false_alarms: legitimate payments that did.
    Returns:
        At least 0; n is the number of alerts with a label. None where there are none. Where no fraud was caught, figure
        and upper end are infinite: there are at least as many as the lower end says.
    Source:
        (1 - p) / p, with Wilson's interval of the precision p turned round.
    """
    n = caught + false_alarms
    if not n:
        return None
    ratio = false_alarms / caught if caught else math.inf
    low, high = intervals.wilson(caught, n)
    return Estimate(ratio, (1 - high) / high, (1 - low) / low if low > 0 else math.inf, n)


def brier_score(part: Ints) -> Estimate | None:
    """Return the mean square of score less outcome over labelled payments, with each bin's mean score.

    That leaves out the spread within a bin, at most 0.0001 of a score in [0, 1]. Few payments make most of it, so
    the interval is a gamma's: the sum varies like that of (sum e)^2 / (sum e^2) equal squares e, Poisson many. For the
    upper end sum e^2 gets half a payment at its worst, because few frauds don't show how bad one can be.

    Args:
        part: (score bins, states, sums).
    Returns:
        From 0 to 1, with its 95 % interval; n is the number of labelled payments. None where there are none.
    Source:
        Brier, Mon. Weather Rev. 1950.
    """
    counts, scores = part[:, :, COUNT].astype(np.float64), part[:, :, SCORE] / BILLION
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


def calibration_error(part: Ints) -> Estimate | None:
    """Return the expected calibration error: mean gap of score and fraud rate over ten bins of equal mass.

    A score bin goes into one of the ten whole, by the middle of its mass. Mean scores are exact (the cube sums them).
    What noise alone adds to a gap is taken off, so that figures of few and of many payments compare.

    Args:
        part: (score bins, states, sums).
    Returns:
        From 0 to 1; n is the number of labelled payments. None where there are none.
    Source:
        Naeini, Cooper & Hauskrecht, AAAI 2015; interval: ``calibration_interval``.
    """
    frauds = part[:, FRAUD, COUNT]
    counts = frauds + part[:, LEGITIMATE, COUNT]
    n = int(counts.sum())
    if not n:
        return None
    calibration_bins = np.minimum(CALIBRATION_BINS * (np.cumsum(counts) - counts / 2) / n, CALIBRATION_BINS - 1).astype(
        np.int64
    )
    scores = (part[:, FRAUD, SCORE] + part[:, LEGITIMATE, SCORE]) / BILLION
    variance = scores * (1 - scores / np.maximum(counts, 1))
    summed = [
        np.bincount(calibration_bins, each, CALIBRATION_BINS).astype(np.float64)
        for each in (counts, frauds, scores, variance)
    ]
    return calibration_interval.estimate_calibration_error(calibration_interval.CalibrationBins(*summed))


def mean_score_and_prevalence(part: Ints) -> tuple[float, float]:
    """Return the mean score and the fraud rate of a part's labelled payments.

    Args:
        part: (score bins, states, sums).
    Returns:
        The mean score as a share of its range, and the fraud rate, 0 to 1; nan without labels.
    """
    labelled = part[:, FRAUD].sum(axis=0) + part[:, LEGITIMATE].sum(axis=0)
    n = int(labelled[COUNT])
    return (float(labelled[SCORE]) / BILLION / n, int(part[:, FRAUD, COUNT].sum()) / n) if n else (math.nan, math.nan)


def _jeffreys_interval(value: float, n: float) -> tuple[float, float]:
    low, high = (
        float(special.betaincinv(value * n + 0.5, (1 - value) * n + 0.5, q)) for q in (ALPHA / 2, 1 - ALPHA / 2)
    )
    return (0.0 if value <= 0 else low), (1.0 if value >= 1 else high)
