"""From stored cells to vectors: where each cell stands, and the baseline's deciles drawn on cell borders."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from profiles.bins import Floats, Grid, Ints, Levels, logit_like_inverse
from profiles.profile import BinCounts, Counts

DECILES = 10


def number_vector(grid: Grid, counts: Counts) -> Ints:
    """Return a number's rows by cell, from the grid's lowest cell to its highest, ``2 * half`` of them."""
    return _count_vector(counts, 2 * grid.half, grid.half)


def category_vector(levels: Levels, counts: Counts) -> Ints:
    """Return a category's rows by level: ``top`` in order, then UNSEEN, then REST."""
    return _count_vector(counts, len(levels.top) + 2, 0)  # UNSEEN = -2 and REST = -1 index from the end


def _count_vector(counts: Counts, size: int, shift: int) -> Ints:
    vector = np.zeros(size, dtype=np.int64)
    own = BinCounts.of(counts.bins)
    vector[own.bins + shift] = own.rows
    return vector


@lru_cache(maxsize=4096)
def bin_midpoints(grid: Grid) -> Floats:
    """Return the value that stands for each cell, as ``Grid.middle`` does one by one, for the whole grid at once."""
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
    """Return the bin of each cell: tenths of the baseline, as near as cell borders allow.

    A cell with a tenth of the rows or more (a spike) is a bin of its own. A stretch between spikes, or beyond
    them, that holds under a hundredth is too light for a bin; all such cells, also those the baseline never
    reached, share one bin. So a constant column has two bins: its value, and everything else.
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
    """Return the rows of each bin."""
    return np.bincount(psi_bins, weights=vector, minlength=int(psi_bins.max()) + 1).astype(np.int64)


def daily_rows_by_psi_bin(days: Ints | Floats, psi_bins: Ints) -> Floats:
    """Return the rows of each bin of each day (days, bins)."""
    many = int(psi_bins.max()) + 1
    offsets = psi_bins + many * np.arange(len(days))[:, None]
    rows = np.bincount(offsets.ravel(), weights=days.ravel().astype(np.float64), minlength=many * len(days))
    return np.asarray(rows.reshape(len(days), many), dtype=np.float64)


def quantile_bin(vector: Ints, share: float) -> int:
    """Return the index of the cell that holds a quantile, for a vector with at least one row."""
    through = np.cumsum(vector)
    return int(np.searchsorted(through, share * through[-1], side="left"))
