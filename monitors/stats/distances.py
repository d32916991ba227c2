"""Distances between two vectors of counts over the same cells, as the field defines them.

Each takes today's and the baseline's counts (integers, at least 0, equal length, at least one row each; nan where
one has none). They are plain statistics: what they come to by chance alone is in ``comparisons``.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from scipy import special

from profiles.bins import Floats, Ints

LEAST_EXPECTED = 5.0
"""Cells that expect fewer rows are pooled before a chi-square test (Cochran 1954)."""


def shares_by_bin(counts: Ints) -> Floats:
    """Return each cell's share of the rows."""
    result: Floats = counts / counts.sum()
    return result


def floored_shares(counts: Ints) -> Floats:
    """Return each cell's share, an empty cell counted as half a row, so that a logarithm of it exists."""
    result: Floats = np.maximum(counts, 0.5) / counts.sum()
    return result


def occupied_bins(today: Ints, baseline: Ints) -> tuple[Ints, Ints]:
    """Return the cells that hold a row on either side; no distance depends on the others."""
    used = (today + baseline) > 0
    return today[used], baseline[used]


def psi(today: Ints, baseline: Ints) -> float:
    """Return the population stability index, sum of (p - q) ln(p / q); an empty cell counts as half a row.

    Source: Yurdakul & Naranjo (2020), Statistical properties of the population stability index.
    """
    if _is_either_empty(today, baseline):
        return math.nan
    today, baseline = occupied_bins(today, baseline)
    p, q = floored_shares(today), floored_shares(baseline)
    return float(np.sum((p - q) * np.log(p / q)))


def jensen_shannon(today: Ints, baseline: Ints) -> float:
    """Return the Jensen-Shannon distance, base 2, from 0 to 1: the root of the divergence, as scipy's."""
    if _is_either_empty(today, baseline):
        return math.nan
    p, q = shares_by_bin(today), shares_by_bin(baseline)
    middle = (p + q) / 2
    nats = float(np.sum(special.rel_entr(p, middle) + special.rel_entr(q, middle))) / 2
    return math.sqrt(min(1.0, max(0.0, nats / math.log(2))))


def wasserstein(today: Ints, baseline: Ints, midpoints: Floats) -> float:
    """Return the first Wasserstein distance, in the unit of ``midpoints``: where each cell's rows stand, ascending."""
    if _is_either_empty(today, baseline):
        return math.nan
    gap = np.cumsum(shares_by_bin(today) - shares_by_bin(baseline))[:-1]
    return float(np.sum(np.abs(gap) * np.diff(midpoints)))


def ks(today: Ints, baseline: Ints) -> float:
    """Return the Kolmogorov-Smirnov statistic over cell borders; on raw rows it is at most one cell's share more."""
    if _is_either_empty(today, baseline):
        return math.nan
    return min(1.0, float(np.max(np.abs(np.cumsum(shares_by_bin(today) - shares_by_bin(baseline))))))


class ChiSquare(NamedTuple):
    """Pearson's statistic, its degrees of freedom and its p-value."""

    statistic: float
    freedom: int
    p_value: float


def chi_square(today: Ints, baseline: Ints) -> ChiSquare:
    """Test by Pearson's chi-square whether two vectors of counts come from one distribution.

    Cells that expect fewer than 5 rows on either side are pooled into one first. One cell alone can't differ: p = 1.
    """
    if _is_either_empty(today, baseline):
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


def _is_either_empty(today: Ints, baseline: Ints) -> bool:
    return not (today.any() and baseline.any())
