"""Distances of many days at once, each (days, cells) from what was expected of it: those of ``distances``, by rows."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from scipy import special

from monitors.stats.comparisons import column_standard_deviation
from monitors.stats.vectors import bin_midpoints
from profiles.bins import Floats, Grid, Ints, Levels

MEAN_SQUARE_KOLMOGOROV = math.pi**2 / 12
"""Expectation of the square of the Kolmogorov distribution."""


def expected_by_chance(metric: str, before: Floats, widths: Floats | None) -> tuple[float, float]:
    """Return what a squared metric is by chance, over 1/n + 1/m, and as how many degrees of freedom it varies.

    ``widths`` are the cells' (see ``bin_widths``), which Wasserstein's distance needs.
    """
    freedom = max(1.0, float(np.count_nonzero(before > 0.25)) - 1)
    if metric == "psi":
        return freedom, freedom
    if metric == "jensen_shannon":
        return freedom / (8 * math.log(2)), freedom
    if metric == "ks":
        return MEAN_SQUARE_KOLMOGOROV, 3.0
    below = np.cumsum(before)[:-1] / before.sum()
    errors = np.sqrt(np.clip(below * (1 - below), 0, None)) * widths
    return max(float(errors.sum()) ** 2 * 2 / math.pi, 1e-3), 2.0


def daily_psi(today: Floats, before: Floats, _: Floats | None) -> Floats:
    """Return the PSI of each day."""
    p = np.maximum(today, 0.5) / today.sum(axis=1, keepdims=True)
    q = np.maximum(before, 0.5) / before.sum(axis=1, keepdims=True)
    return np.asarray(np.where(today + before > 0.25, (p - q) * np.log(p / q), 0.0).sum(axis=1))


def _daily_shares(today: Floats, before: Floats) -> tuple[Floats, Floats]:
    return today / today.sum(axis=1, keepdims=True), before / before.sum(axis=1, keepdims=True)


def _squared_jensen_shannon(today: Floats, before: Floats, _: Floats | None) -> Floats:
    used = (today + before).any(axis=0)
    p, q = _daily_shares(today[:, used], before[:, used])
    middle = (p + q) / 2
    nats = (special.rel_entr(p, middle) + special.rel_entr(q, middle)).sum(axis=1) / 2
    return np.asarray(np.clip(nats / math.log(2), 0, 1))


def _squared_ks(today: Floats, before: Floats, _: Floats | None) -> Floats:
    p, q = _daily_shares(today, before)
    return np.asarray(np.abs(np.cumsum(p - q, axis=1)).max(axis=1) ** 2)


def _squared_wasserstein(today: Floats, before: Floats, widths: Floats | None) -> Floats:
    p, q = _daily_shares(today, before)
    return np.asarray((np.abs(np.cumsum(p - q, axis=1)[:, :-1]) * widths).sum(axis=1) ** 2)


SQUARED_DISTANCES: dict[str, Callable[[Floats, Floats, Floats | None], Floats]] = {
    "psi": daily_psi,
    "jensen_shannon": _squared_jensen_shannon,
    "ks": _squared_ks,
    "wasserstein": _squared_wasserstein,
}
"""Distances of days (days, cells) from what was expected: PSI as it is, the others squared."""


def bin_widths(bins: Grid | Levels, before: Floats) -> Floats:
    """Return the cells' breadths in standard deviations of the baseline."""
    assert isinstance(bins, Grid)
    return np.asarray(
        np.diff(bin_midpoints(bins)) / column_standard_deviation(before / before.sum(), bin_midpoints(bins))
    )


def daily_rows_by_psi_bin(days: Ints | Floats, psi_bins: Ints) -> Floats:
    """Return the rows of each bin (days, bins)."""
    many = int(psi_bins.max()) + 1
    offsets = psi_bins + many * np.arange(len(days))[:, None]
    rows = np.bincount(offsets.ravel(), weights=days.ravel().astype(np.float64), minlength=many * len(days))
    return np.asarray(rows.reshape(len(days), many), dtype=np.float64)
