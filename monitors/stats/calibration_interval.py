"""The interval of a calibration error: a mean distance that is never negative, and that noise alone lifts."""

from __future__ import annotations

import math
from functools import cache
from typing import Literal, NamedTuple

import numpy as np
from scipy import special

from monitors.stats.intervals import ALPHA, Estimate
from profiles.bins import Floats

Z = float(special.ndtri(1 - ALPHA / 2))


class CalibrationBins(NamedTuple):
    """Cases, events, expected events and the variance of events if what is expected holds, by bin: (bins) each."""

    size: Floats
    events: Floats
    expected: Floats
    variance: Floats


def estimate_calibration_error(bins: CalibrationBins) -> Estimate:
    """Return the mean distance of shares from expected ones over bins, without what noise alone adds to it.

    The distance seen is ``sum |events - expected| / n``. It is never negative, so noise lifts it, by 0.8 standard
    errors a bin where there is none. Take truths to be t times the distances seen. Each t has a mean and a variance of
    what would be seen (folded normal distributions); the figure is the t whose mean is what was seen, and the interval
    those t under which it is no surprise: 1.96 standard errors either way far from 0, and near it as
    ``nonnegative_mean_arms`` says.

    Args:
        bins: cases, events and what is expected; bins without cases are left out.
    Returns:
        The distance, 0 to 1, with its 95 % interval; n is the number of cases.
    Raises:
        ValueError: where there are no cases.
    Source:
        inverted means of folded normal distributions; near 0 Feldman & Cousins, Phys. Rev. D 1998.
    Example:
        >>> size, expected = np.full(10, 1e6), np.full(10, 1e5)
        >>> found = estimate_calibration_error(CalibrationBins(size, 1.2 * expected, expected, np.full(10, 9e4)))
        >>> round(found.value, 3)
        0.02
    """
    n = int(bins.size.sum())
    if not n:
        raise ValueError("a distance needs cases")
    bins = CalibrationBins(*(each[bins.size > 0] for each in bins))
    seen = float(np.abs(bins.events - bins.expected).sum() / n)
    if seen <= 0:
        return Estimate(0.0, 0.0, min(1.0, Z * _folded_normal_moments(bins, 0.0)[1]), n)
    t, least = _true_multiple(bins, seen, 0), _true_multiple(bins, seen, 1)
    most = _true_multiple(bins, seen + 0.5 / n, -1)  # half an event: a few events come in steps
    value, low, high = (min(1.0, each * seen) for each in (t, least, most))
    return Estimate(value, low, high, n, _folded_normal_moments(bins, t)[1])


def _true_multiple(bins: CalibrationBins, seen: float, side: Literal[-1, 0, 1]) -> float:
    """Return the t of ``estimate_calibration_error``.

    Under it what was seen is just too much (1), too little (-1) or usual (0).
    """
    least = _folded_normal_moments(bins, 0.0)[0]
    sizes, below, above = _arms_by_size()
    arms = {-1: -below, 0: np.zeros_like(above), 1: above}[side]

    def excess(t: float) -> float:
        mean, spread = _folded_normal_moments(bins, t)
        size = (mean - least) / spread if spread > 0 else Z  # where nothing can vary, there is no arm
        return mean + float(np.interp(size, sizes, arms)) * spread - seen

    if excess(0.0) >= 0:
        return 0.0
    low, high = 0.0, 1.0
    while excess(high) < 0 and high < 64:
        low, high = high, 2 * high
    for _ in range(30):
        middle = (low + high) / 2
        low, high = (middle, high) if excess(middle) < 0 else (low, middle)
    return (low + high) / 2


def nonnegative_mean_arms(size: Floats) -> tuple[Floats, Floats]:
    """Return by how many standard errors a mean that can't be negative may be missed, below and above, in 95 %.

    What is the least it can be is missed on one side only, where 1.645 do: with 1.96 its interval would contain it in
    97.5 %. From there to 1.96 the two sides share by likelihood ratio.

    Args:
        size: means in standard errors, at least 0, of any shape.
    Returns:
        The arms below and above, each of the shape of ``size``.
    Source:
        Feldman & Cousins, Phys. Rev. D 1998, for a normal mean that is bounded below.
    Example:
        >>> below, above = nonnegative_mean_arms(np.array([0.0, 5.0]))
        >>> above.round(3).tolist()
        [1.645, 1.96]
    """
    mean = np.maximum(size, 0.01)
    low, high = np.full_like(mean, special.ndtri(1 - ALPHA)), np.full_like(mean, Z)
    for _ in range(50):
        above = (low + high) / 2
        below = (mean**2 + above**2) / (2 * mean)
        covered = special.ndtr(above) - special.ndtr(-below) >= 1 - ALPHA
        low, high = np.where(covered, low, above), np.where(covered, above, high)
    near = mean < Z
    return np.where(near, below, Z), np.where(near, above, Z)


@cache
def _arms_by_size() -> tuple[Floats, Floats, Floats]:
    sizes = np.linspace(0.0, Z, 50)
    return sizes, *nonnegative_mean_arms(sizes)


def _folded_normal_moments(bins: CalibrationBins, t: float) -> tuple[float, float]:
    """Return mean and standard deviation of the distance that is seen if the true ones are t times those seen."""
    size, events, expected, variance = bins
    truth = np.clip(expected + t * (events - expected), 0.0, size)
    gap = np.abs(truth - expected)
    grown = truth * (1 - truth / size) / np.maximum(expected * (1 - expected / size), 1e-12)
    spread = np.sqrt(np.maximum(variance * grown, 1e-12))
    z = gap / spread
    mean = spread * math.sqrt(2 / math.pi) * np.exp(-z * z / 2) + gap * (1 - 2 * special.ndtr(-z))
    left = np.maximum(spread**2 + gap**2 - mean**2, 0.0)
    n = float(size.sum())
    return float(mean.sum()) / n, math.sqrt(float(left.sum())) / n
