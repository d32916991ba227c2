"""Distances between counts over the same bins, as the field defines them, of one day or of many at once.

Each takes the rows of today and of the baseline by bin (days, bins), at least 0, and returns a distance a day (days),
nan where a side has no row. All go along the last axis, so that two vectors (bins) give one distance. They are plain
statistics: what they come to by chance alone is in ``closed_forms`` and ``simulation``.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from scipy import special

from catalogue.metrics import drift
from monitors.stats.registry import Scale, statistic
from profiles.bins import Floats, Ints

LEAST_EXPECTED = 5.0
"""Bins that expect fewer rows are pooled before a chi-square test (Cochran 1954)."""
LEAST_OCCUPIED = 0.25
"""A bin with fewer rows on both sides together is empty: expected rows are shares of rows, and hardly ever 0."""


def shares_by_bin(counts: Ints | Floats) -> Floats:
    """Return each bin's share of the rows.

    Args:
        counts: rows by bin: (..., bins).
    Returns:
        Shares that add up to 1 along the last axis: (..., bins); nan without a row.
    Source:
        definition.
    """
    return _divide(counts, counts)


def floored_shares(counts: Ints | Floats) -> Floats:
    """Return each bin's share, an empty bin counted as half a row, so that a logarithm of it exists.

    Args:
        counts: rows by bin: (..., bins).
    Returns:
        Shares above 0: (..., bins); nan without a row.
    Source:
        definition.
    """
    return _divide(np.maximum(counts, 0.5), counts)


def _divide(rows: Ints | Floats, counts: Ints | Floats) -> Floats:
    total = counts.sum(axis=-1, keepdims=True)
    empty = np.full_like(counts, math.nan, dtype=np.float64)
    return np.asarray(np.divide(rows, total, out=empty, where=total > 0))


def occupied_bins(today: Ints, baseline: Ints) -> tuple[Ints, Ints]:
    """Return the bins that hold a row on either side; no distance depends on the others.

    Args:
        today: rows by bin: (bins).
        baseline: rows by bin: (bins).
    Returns:
        Both without the bins that are empty on both sides.
    """
    used = (today + baseline) > 0
    return today[used], baseline[used]


@statistic(drift.PSI, scale=Scale.SQUARE)
def psi(today: Ints | Floats, baseline: Ints | Floats) -> Floats:
    """Return the population stability index, sum of (p - q) ln(p / q); an empty bin counts as half a row.

    Args:
        today: rows by bin: (..., bins).
        baseline: rows by bin: (..., bins).
    Returns:
        At least 0, without unit: (...); nan where a side has no row.
    Source:
        Yurdakul & Naranjo (2020), Statistical properties of the population stability index.
    Example:
        >>> round(float(psi(np.array([30, 70]), np.array([50, 50]))), 4)
        0.1695
    """
    p, q = floored_shares(today), floored_shares(baseline)
    return np.asarray(((p - q) * np.log(p / q) * (today + baseline > LEAST_OCCUPIED)).sum(axis=-1))


@statistic(drift.JENSEN_SHANNON, scale=Scale.ROOT, largest=1.0, fine=True)
def jensen_shannon_divergence(today: Ints | Floats, baseline: Ints | Floats) -> Floats:
    """Return the Jensen-Shannon divergence in bits; its root is the distance.

    Args:
        today: rows by bin: (..., bins).
        baseline: rows by bin: (..., bins).
    Returns:
        From 0 to 1: (...); nan where a side has no row.
    Source:
        Lin, IEEE Trans. Inf. Theory 1991.
    """
    both = today + baseline
    used = np.any(both, axis=tuple(range(both.ndim - 1)))
    p, q = shares_by_bin(today[..., used]), shares_by_bin(baseline[..., used])
    middle = (p + q) / 2
    nats = (special.rel_entr(p, middle) + special.rel_entr(q, middle)).sum(axis=-1) / 2
    return np.asarray(np.clip(nats / math.log(2), 0, 1))


def jensen_shannon(today: Ints | Floats, baseline: Ints | Floats) -> Floats:
    """Return the Jensen-Shannon distance, base 2: the root of the divergence.

    Args:
        today: rows by bin: (..., bins).
        baseline: rows by bin: (..., bins).
    Returns:
        From 0 to 1: (...); nan where a side has no row.
    Source:
        Endres & Schindelin, IEEE Trans. Inf. Theory 2003; as ``scipy.spatial.distance.jensenshannon``.
    Example:
        >>> float(jensen_shannon(np.array([4, 0]), np.array([0, 9])))
        1.0
    """
    return np.sqrt(jensen_shannon_divergence(today, baseline))


@statistic(drift.WASSERSTEIN, by_position=True)
def wasserstein(today: Ints | Floats, baseline: Ints | Floats, widths: Floats) -> Floats:
    """Return the first Wasserstein distance: the area between the two cumulative curves.

    Args:
        today: rows by bin: (..., bins).
        baseline: rows by bin: (..., bins).
        widths: the steps from bin to bin: (bins - 1).
    Returns:
        At least 0, in the unit of ``widths``: (...); nan where a side has no row.
    Source:
        Vallender, Theory Probab. Appl. 1974; as ``scipy.stats.wasserstein_distance``.
    Example:
        >>> float(wasserstein(np.array([1, 0]), np.array([0, 1]), np.array([15.0])))
        15.0
    """
    gap = np.cumsum(shares_by_bin(today) - shares_by_bin(baseline), axis=-1)[..., :-1]
    return np.asarray((np.abs(gap) * widths).sum(axis=-1))


@statistic(drift.KS, largest=1.0, fine=True)
def ks(today: Ints | Floats, baseline: Ints | Floats) -> Floats:
    """Return the Kolmogorov-Smirnov statistic over bin edges; on raw rows it is at most one bin's share more.

    Args:
        today: rows by bin: (..., bins).
        baseline: rows by bin: (..., bins).
    Returns:
        From 0 to 1: (...); nan where a side has no row.
    Source:
        Smirnov, Ann. Math. Statist. 1948: the largest gap of the two cumulative curves.
    """
    gap = np.cumsum(shares_by_bin(today) - shares_by_bin(baseline), axis=-1)
    return np.asarray(np.minimum(1.0, np.abs(gap).max(axis=-1)))


class ChiSquare(NamedTuple):
    """Pearson's statistic, its degrees of freedom and its p-value."""

    statistic: float
    freedom: int
    p_value: float


def chi_square(today: Ints, baseline: Ints) -> ChiSquare:
    """Test by Pearson's chi-square whether two vectors of counts come from one distribution.

    Bins that expect fewer than 5 rows on either side are pooled into one first.

    Args:
        today: rows by bin: (bins).
        baseline: rows by bin: (bins).
    Returns:
        Statistic, degrees of freedom and p-value. One bin alone can't differ: p = 1; nan where a side has no row.
    Source:
        Pearson 1900, the test of homogeneity; pooling: Cochran, Biometrics 1954.
    """
    if not (today.any() and baseline.any()):
        return ChiSquare(math.nan, 0, math.nan)
    n, m = float(today.sum()), float(baseline.sum())
    both = today + baseline
    rare = both * (min(n, m) / (n + m)) < LEAST_EXPECTED
    a, b = _pool_rare_bins(today, rare), _pool_rare_bins(baseline, rare)
    a, b = occupied_bins(a, b)
    freedom = len(a) - 1
    if freedom < 1:
        return ChiSquare(0.0, 0, 1.0)
    statistic = float(np.sum((a * math.sqrt(m / n) - b * math.sqrt(n / m)) ** 2 / (a + b)))
    return ChiSquare(statistic, freedom, float(special.chdtrc(freedom, statistic)))


def _pool_rare_bins(counts: Ints, rare: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> Ints:
    return np.append(counts[~rare], counts[rare].sum())
