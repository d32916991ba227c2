"""Distances with what chance alone makes of them: interval, p-value, limit and the smallest significant value.

Every distance of two samples of one distribution is above 0, the more so the smaller the samples: PSI is about
(1/n + 1/m) x chi-square(B - 1). So the limit of a plain distance is the minimum effect size on top of that
expectation, and the interval of PSI and Jensen-Shannon is one of the distance freed of it, widened to hold the plain
value. n and m are today's and the baseline's rows; rows are taken as independent, so minimum effect sizes must cover
natural variation.

Common to all: ``today`` and ``baseline`` are rows by bin, at least one each; ``minimum_effect`` is the smallest
change that matters, on the figure's own scale; ``alpha`` is the false-alarm probability of the test.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from scipy import special

from monitors.stats import distances
from monitors.stats.distances import chi_square, floored_shares, occupied_bins, shares_by_bin
from monitors.stats.intervals import wilson
from monitors.stats.vectors import bin_midpoints, quantile_bin
from profiles.bins import Floats, Grid, Ints

Z = 1.959964
"""Normal quantile of a 95 % interval."""
MEAN_KOLMOGOROV = math.sqrt(math.pi / 2) * math.log(2)
"""Expectation of the Kolmogorov distribution: of the KS statistic without change, over sqrt(1/n + 1/m)."""
KOLMOGOROV_95 = float(special.kolmogi(0.05))
"""Its 95 % quantile."""


class Comparison(NamedTuple):
    """A figure today against the baseline: plain ``value`` between ``low`` and ``high`` (95 %), and how to judge it.

    ``limit`` is the minimum effect size on the value's own scale; ``critical`` the smallest value that is significant.
    """

    value: float
    low: float
    high: float
    limit: float
    critical: float
    p_value: float


def compare_psi(today: Ints, baseline: Ints, minimum_effect: float, alpha: float) -> Comparison:
    """Compare by PSI, with the chi-square test on the same bins.

    Args:
        today: rows by PSI bin: (bins).
        baseline: rows by PSI bin: (bins).
        minimum_effect: smallest PSI that matters.
        alpha: false-alarm probability of ``critical``.
    Returns:
        The PSI and how to judge it. The interval is at least as wide as PSI varies without change.
    Source:
        ``critical``: Yurdakul & Naranjo (2020); interval: delta method on two multinomials.
    Example:
        >>> found = compare_psi(np.array([300, 700]), np.array([5_000, 5_000]), minimum_effect=0.1, alpha=0.001)
        >>> round(found.value, 4), round(found.limit, 4), found.p_value < 0.001
        (0.1695, 0.1011, True)
    """
    a, b = occupied_bins(today, baseline)
    noise, freedom = _sampling_noise(a, b), len(a) - 1
    p, q = floored_shares(a), floored_shares(b)
    value, log_ratio = float(distances.psi(a, b)), np.log(p / q)
    variance = (
        multinomial_variance(p, log_ratio + 1 - q / p) / a.sum()
        + multinomial_variance(q, -log_ratio + 1 - p / q) / b.sum()
    )
    low, high = distance_interval(value, freedom * noise, variance, 2 * freedom * noise**2)
    critical = _chi_square_critical(freedom, alpha) * noise
    return Comparison(value, low, high, minimum_effect + freedom * noise, critical, chi_square(a, b).p_value)


def compare_jensen_shannon(today: Ints, baseline: Ints, minimum_effect: float, alpha: float) -> Comparison:
    """Compare by Jensen-Shannon distance: as PSI, on the divergence (without change about PSI / 8), then its root.

    Args:
        today: rows by bin: (bins).
        baseline: rows by bin: (bins).
        minimum_effect: smallest distance that matters, 0 to 1.
        alpha: false-alarm probability of ``critical``.
    Returns:
        The distance, 0 to 1, and how to judge it.
    Source:
        the divergence is PSI / 8 ln 2 to second order; the rest as ``compare_psi``.
    """
    a, b = occupied_bins(today, baseline)
    noise, freedom = _sampling_noise(a, b) / (8 * math.log(2)), len(a) - 1
    p, q = shares_by_bin(a), shares_by_bin(b)
    bits = float(distances.jensen_shannon(a, b)) ** 2
    middle = (p + q) / 2
    to_p = np.log2(np.where(p > 0, p, 1) / middle) / 2
    to_q = np.log2(np.where(q > 0, q, 1) / middle) / 2
    variance = multinomial_variance(p, to_p) / a.sum() + multinomial_variance(q, to_q) / b.sum()
    low, high = distance_interval(bits, freedom * noise, variance, 2 * freedom * noise**2)
    limit, critical = minimum_effect**2 + freedom * noise, _chi_square_critical(freedom, alpha) * noise
    value, low, high, limit, critical = (math.sqrt(x) for x in (bits, low, min(1.0, high), limit, critical))
    return Comparison(value, low, high, limit, critical, chi_square(a, b).p_value)


def compare_wasserstein(
    today: Ints, baseline: Ints, midpoints: Floats, minimum_effect: float, alpha: float, spread: float | None = None
) -> Comparison:
    """Compare by Wasserstein distance over the baseline's standard deviation.

    A column narrower than its bin is measured in that bin's width. By the triangle inequality the distance is
    off by at most the area between true and observed curves, which in convex order is at most |Z| times the area
    under their standard errors (as if all edges moved together): that gives interval, p-value and expectation
    without change, all on the safe side.

    Args:
        today: rows by bin: (bins).
        baseline: rows by bin: (bins).
        midpoints: the value that stands for each bin, ascending: (bins).
        minimum_effect: smallest distance that matters, in standard deviations.
        alpha: false-alarm probability of ``critical``.
        spread: the standard deviation, in the unit of ``midpoints``, where ``baseline`` isn't all of the baseline;
            None takes that of ``baseline``.
    Returns:
        The distance in standard deviations and how to judge it.
    Source:
        ``distances.wasserstein``; bounds derived above.
    """
    n, m, steps = int(today.sum()), int(baseline.sum()), np.diff(midpoints)
    spread = column_standard_deviation(baseline / m, midpoints) if spread is None else spread
    value = float(distances.wasserstein(today, baseline, steps)) / spread
    below, below_baseline, below_both = (
        _variance_below_edges(counts) for counts in (today, baseline, today + baseline)
    )
    error = float(np.sum(np.sqrt(below / n + below_baseline / m) * steps)) / spread
    chance = float(np.sum(np.sqrt(below_both * (1 / n + 1 / m)) * steps)) / spread
    p_value = 2 * float(special.ndtr(-value / chance)) if chance > 0 else 1.0
    limit, critical = minimum_effect + chance * math.sqrt(2 / math.pi), -float(special.ndtri(alpha / 2)) * chance
    return Comparison(value, max(0.0, value - Z * error), value + Z * error, limit, critical, p_value)


def compare_ks(today: Ints, baseline: Ints, minimum_effect: float, alpha: float) -> Comparison:
    """Compare by the Kolmogorov-Smirnov statistic over bin edges.

    Args:
        today: rows by bin: (bins).
        baseline: rows by bin: (bins).
        minimum_effect: smallest gap that matters, 0 to 1.
        alpha: false-alarm probability of ``critical``.
    Returns:
        The statistic, 0 to 1, and how to judge it.
    Source:
        p-value: Kolmogorov's distribution, on the safe side in bins; interval: his band about both curves, by the
        triangle inequality.
    """
    value, noise = float(distances.ks(today, baseline)), math.sqrt(_sampling_noise(today, baseline))
    low, high = max(0.0, value - KOLMOGOROV_95 * noise), min(1.0, value + KOLMOGOROV_95 * noise)
    limit, critical = minimum_effect + MEAN_KOLMOGOROV * noise, float(special.kolmogi(alpha)) * noise
    return Comparison(value, low, high, limit, critical, float(special.kolmogorov(value / noise)))


def compare_shares(
    count: int, rows: int, count_baseline: int, rows_baseline: int, minimum_effect: float, alpha: float
) -> Comparison:
    """Compare a share with the baseline's, for a rise.

    Args:
        count: today's rows with the event, 0 to ``rows``.
        rows: today's rows, at least 1.
        count_baseline: the baseline's rows with the event.
        rows_baseline: the baseline's rows, at least 1.
        minimum_effect: smallest rise that matters, as a share.
        alpha: false-alarm probability of ``critical``.
    Returns:
        The share today and how to judge it.
    Source:
        interval: Wilson; p-value: exact, given the total of the rarer outcome, which is binomial where that is rare
        and on the safe side where it isn't.
    Example:
        >>> found = compare_shares(31, 100, 3, 1_000, minimum_effect=0.01, alpha=0.001)
        >>> found.value, round(found.limit, 3), found.p_value < 1e-9
        (0.31, 0.013, True)
    """
    value, before = count / rows, count_baseline / rows_baseline
    low, high = wilson(count, rows)
    low, high = min(low, value), max(high, value)  # at 0 and 1 rounding may put a bound past the value
    today_part = rows / (rows + rows_baseline)
    if 2 * (count + count_baseline) <= rows + rows_baseline:
        p_value = float(special.betainc(count, count_baseline + 1, today_part)) if count else 1.0
    else:
        others, others_baseline = rows - count, rows_baseline - count_baseline
        p_value = float(special.betainc(others_baseline, others + 1, 1 - today_part)) if others_baseline else 1.0
    noise = math.sqrt(before * (1 - before) * (1 / rows + 1 / rows_baseline))
    return Comparison(
        value, low, high, min(1.0, before + minimum_effect), before - float(special.ndtri(alpha)) * noise, p_value
    )


def compare_medians(
    today: Ints, baseline: Ints, grid: Grid, means: tuple[float, float], minimum_effect: float
) -> Comparison | None:
    """Compare medians by their ratio, the sign of a change of unit.

    Where today's median lies in an end bin or in a bin at 0, the bins no longer say how far it moved, and the ratio is
    that of ``means``. The p-value is that of the KS statistic; ``critical`` is 0.

    Args:
        today: rows by bin: (bins).
        baseline: rows by bin: (bins).
        grid: the column's grid, of as many bins.
        means: today's mean and the baseline's, in the column's own unit.
        minimum_effect: smallest ratio that matters, above 1.
    Returns:
        The ratio, and how to judge it; None where it has no meaning: the baseline's median lies in a bin at 0, or the
        signs differ.
    Source:
        interval: order statistics; for means, as if the spread had scaled with the mean.
    """
    median_bins = [quantile_bin(vector, 0.5) - grid.half for vector in (today, baseline)]
    if _bin_touches_zero(grid, median_bins[1]):
        return None
    noise, values = math.sqrt(_sampling_noise(today, baseline)), bin_midpoints(grid)
    p_value = float(special.kolmogorov(distances.ks(today, baseline) / noise))
    if _bin_touches_zero(grid, median_bins[0]) or any(
        bin_index in (-grid.half, grid.half - 1) for bin_index in median_bins
    ):
        if means[0] * means[1] <= 0:
            return None
        value = means[0] / means[1]
        half = Z * value * abs(_standard_deviation(shares_by_bin(baseline), values) / means[1]) * noise
        return Comparison(value, max(0.0, value - half), value + half, minimum_effect, 0.0, p_value)
    around = (0.5 - Z * noise / 2, 0.5, 0.5 + Z * noise / 2)
    ratios = [float(values[quantile_bin(today, q)] / values[median_bins[1] + grid.half]) for q in around]
    return Comparison(ratios[1], min(ratios), max(ratios), minimum_effect, 0.0, p_value) if ratios[1] > 0 else None


def _sampling_noise(a: Ints, b: Ints) -> float:
    return 1 / float(a.sum()) + 1 / float(b.sum())


def multinomial_variance(p: Floats, slope: Floats) -> float:
    """Return the variance of a linear function of one multinomial row.

    Args:
        p: share of rows by bin: (bins).
        slope: the function's value in each bin: (bins).
    Returns:
        The variance, in the unit of ``slope`` squared.
    Source:
        definition.
    """
    return float(np.sum(p * slope**2) - np.sum(p * slope) ** 2)


def distance_interval(value: float, expected: float, variance: float, variance_without: float) -> tuple[float, float]:
    """Return the 95 % interval of a distance freed of its expectation without change, widened to hold the value.

    PSI / noise is about noncentral chi-square: its variance is 2 df + 4 lambda, of which 2 df is there without
    change. The delta method comes to 4 (df + lambda) on average, 2 df too much.

    Args:
        value: the distance, on the scale on which chance adds up, as all four.
        expected: its expectation without change.
        variance: by the delta method.
        variance_without: its variance without change.
    Returns:
        Bounds, at least 0.
    Source:
        noncentral chi-square; delta method.
    """
    half = Z * math.sqrt(max(variance_without, variance - variance_without))
    freed = max(0.0, value - expected)
    return max(0.0, freed - half), max(value, freed + half)


def _chi_square_critical(freedom: int, alpha: float) -> float:
    return float(special.chdtri(freedom, alpha)) if freedom else 0.0


def _variance_below_edges(counts: Ints) -> Floats:
    """Return the variance of one row's being below each inner edge."""
    below = np.cumsum(counts)[:-1] / counts.sum()
    return np.asarray(below * (1 - below), dtype=np.float64)


def column_standard_deviation(q: Floats, midpoints: Floats) -> float:
    """Return a column's standard deviation, at least the width of the bin that holds its median.

    Args:
        q: share of rows by bin: (bins).
        midpoints: the value that stands for each bin, ascending: (bins).
    Returns:
        Above 0, in the unit of ``midpoints``.
    Source:
        definition, over midpoints.
    """
    centre = min(max(int(np.searchsorted(np.cumsum(q), 0.5)), 1), len(q) - 2)
    return max(_standard_deviation(q, midpoints), float(midpoints[centre + 1] - midpoints[centre - 1]) / 2)


def _standard_deviation(q: Floats, midpoints: Floats) -> float:
    mean = float(np.sum(q * midpoints))
    return math.sqrt(max(0.0, float(np.sum(q * (midpoints - mean) ** 2))))


def _bin_touches_zero(grid: Grid, bin_index: int) -> bool:
    return grid.edge(bin_index) <= 0 <= grid.edge(bin_index + 1)
