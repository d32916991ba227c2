"""From stored counts to vectors: what value stands for each bin, and the baseline's deciles drawn on bin edges."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from profiles.bins import Floats, Grid, Ints, Levels, logit_like_inverse
from profiles.profile import BinCounts, Counts

DECILES = 10


def number_vector(grid: Grid, counts: Counts) -> Ints:
    """Return a number's rows by bin.

    Args:
        grid: the column's grid.
        counts: its counts.
    Returns:
        Rows from the grid's lowest bin to its highest: (2 * half).
    """
    return _count_vector(counts, 2 * grid.half, grid.half)


def category_vector(levels: Levels, counts: Counts) -> Ints:
    """Return a category's rows by level.

    Args:
        levels: the column's levels.
        counts: its counts.
    Returns:
        Rows of ``top`` in order, then UNSEEN, then REST: (top + 2).
    """
    return _count_vector(counts, len(levels.top) + 2, 0)  # UNSEEN = -2 and REST = -1 index from the end


def _count_vector(counts: Counts, size: int, shift: int) -> Ints:
    vector = np.zeros(size, dtype=np.int64)
    own = BinCounts.of(counts.bins)
    vector[own.bins + shift] = own.rows
    return vector


@lru_cache(maxsize=4096)
def bin_midpoints(grid: Grid) -> Floats:
    """Return the value that stands for each bin, as ``Grid.midpoint`` does one by one.

    Args:
        grid: any grid.
    Returns:
        Midpoints in the column's own unit, ascending: (2 * half); read-only.
    Source:
        ``Grid.midpoint``.
    """
    inner = np.arange(-grid.half + 1, grid.half)
    u = np.asarray(inner * grid.width, dtype=np.float64)
    if grid.kind == "log":
        u = np.copysign(np.expm1(np.abs(u)), u)
    elif grid.kind == "logit":
        u = logit_like_inverse(u + grid.shift)
    edges = grid.centre + grid.scale * u
    result: Floats = np.concatenate([edges[:1], (edges[:-1] + edges[1:]) / 2, edges[-1:]])
    result.flags.writeable = False
    return result


def decile_bins(baseline: Ints) -> Ints:
    """Return the PSI bin of each bin: tenths of the baseline, as near as bin edges allow.

    A bin with a tenth of the rows or more (a spike) is a PSI bin of its own. A stretch between spikes, or beyond
    them, that holds under a hundredth is too light for one; all such bins, also those the baseline never
    reached, share one. So a constant column has two PSI bins: its value, and everything else.

    Args:
        baseline: rows by bin, at least one in all: (bins).
    Returns:
        PSI bins numbered from 0 without gaps: (bins).
    Source:
        deciles of the baseline, the field's custom for PSI.
    Example:
        >>> decile_bins(np.array([0, 90, 0, 0])).tolist()
        [0, 1, 0, 0]
    """
    share = baseline / baseline.sum()
    spike = share >= 1 / DECILES
    starts = spike.copy()
    starts[1:] |= spike[:-1]
    stretch = np.cumsum(starts)
    weight = np.bincount(stretch, weights=share)
    parts = np.maximum(1, np.rint(weight * DECILES))
    position = np.cumsum(share) - share / 2 - (np.cumsum(weight) - weight)[stretch]
    part = np.floor(position / np.maximum(weight, 1e-300)[stretch] * parts[stretch])
    label = stretch * (DECILES + 1) + 1 + np.clip(part, 0, parts[stretch] - 1).astype(np.int64)
    label[(weight < 0.1 / DECILES)[stretch]] = 0
    return np.asarray(np.unique(label, return_inverse=True)[1], dtype=np.int64)


def rows_by_psi_bin(vector: Ints, psi_bins: Ints) -> Ints:
    """Return the rows of each PSI bin.

    Args:
        vector: rows by bin: (bins).
        psi_bins: the PSI bin of each bin, from 0: (bins).
    Returns:
        Rows: (PSI bins).
    """
    return np.bincount(psi_bins, weights=vector, minlength=int(psi_bins.max()) + 1).astype(np.int64)


def daily_rows_by_psi_bin(days: Ints | Floats, psi_bins: Ints) -> Floats:
    """Return the rows of each PSI bin of each day.

    Args:
        days: rows by bin: (days, bins).
        psi_bins: the PSI bin of each bin, from 0: (bins).
    Returns:
        Rows: (days, PSI bins).
    Source:
        sums.
    Example:
        >>> daily_rows_by_psi_bin(np.array([[1, 2, 3]]), np.array([0, 1, 1])).tolist()
        [[1.0, 5.0]]
    """
    many = int(psi_bins.max()) + 1
    offsets = psi_bins + many * np.arange(len(days))[:, None]
    rows = np.bincount(offsets.ravel(), weights=days.ravel().astype(np.float64), minlength=many * len(days))
    return np.asarray(rows.reshape(len(days), many), dtype=np.float64)


def quantile_bin(vector: Ints, share: float) -> int:
    """Return the bin that holds a quantile.

    Args:
        vector: rows by bin, at least one in all: (bins).
        share: of the rows, 0 to 1.
    Returns:
        An index into ``vector``.
    Source:
        definition.
    Example:
        >>> quantile_bin(np.array([10, 30, 60]), 0.5)
        2
    """
    through = np.cumsum(vector)
    return int(np.searchsorted(through, share * through[-1], side="left"))
