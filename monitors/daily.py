"""Distances of many days at once, each (days, cells) from what was expected of it: those of ``distances``, by rows."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from scipy import special

from monitors.bins import places
from monitors.comparisons import spread_of
from warehouse.grid import Floats, Grid, Ints, Levels

MEAN_SQUARE_KOLMOGOROV = math.pi**2 / 12
"""Expectation of the square of the Kolmogorov distribution."""


def chance(metric: str, before: Floats, breadths: Floats | None) -> tuple[float, float]:
    """Return what a squared metric is by chance, over 1/n + 1/m, and as how many degrees of freedom it varies.

    ``breadths`` are the cells' (see ``steps``), which Wasserstein's distance needs.
    """
    freedom = max(1.0, float(np.count_nonzero(before > 0.25)) - 1)
    if metric == "psi":
        return freedom, freedom
    if metric == "jensen_shannon":
        return freedom / (8 * math.log(2)), freedom
    if metric == "ks":
        return MEAN_SQUARE_KOLMOGOROV, 3.0
    below = np.cumsum(before)[:-1] / before.sum()
    errors = np.sqrt(np.clip(below * (1 - below), 0, None)) * breadths
    return max(float(errors.sum()) ** 2 * 2 / math.pi, 1e-3), 2.0


def psi(today: Floats, before: Floats, _: Floats | None) -> Floats:
    """Return the PSI of each day."""
    p = np.maximum(today, 0.5) / today.sum(axis=1, keepdims=True)
    q = np.maximum(before, 0.5) / before.sum(axis=1, keepdims=True)
    return np.asarray(np.where(today + before > 0.25, (p - q) * np.log(p / q), 0.0).sum(axis=1))


def _shares(today: Floats, before: Floats) -> tuple[Floats, Floats]:
    return today / today.sum(axis=1, keepdims=True), before / before.sum(axis=1, keepdims=True)


def _jensen_shannon(today: Floats, before: Floats, _: Floats | None) -> Floats:
    used = (today + before).any(axis=0)
    p, q = _shares(today[:, used], before[:, used])
    middle = (p + q) / 2
    nats = (special.rel_entr(p, middle) + special.rel_entr(q, middle)).sum(axis=1) / 2
    return np.asarray(np.clip(nats / math.log(2), 0, 1))


def _ks(today: Floats, before: Floats, _: Floats | None) -> Floats:
    p, q = _shares(today, before)
    return np.asarray(np.abs(np.cumsum(p - q, axis=1)).max(axis=1) ** 2)


def _wasserstein(today: Floats, before: Floats, breadths: Floats | None) -> Floats:
    p, q = _shares(today, before)
    return np.asarray((np.abs(np.cumsum(p - q, axis=1)[:, :-1]) * breadths).sum(axis=1) ** 2)


SQUARES: dict[str, Callable[[Floats, Floats, Floats | None], Floats]] = {
    "psi": psi,
    "jensen_shannon": _jensen_shannon,
    "ks": _ks,
    "wasserstein": _wasserstein,
}
"""Distances of days (days, cells) from what was expected: PSI as it is, the others squared."""


def steps(cells: Grid | Levels, before: Floats) -> Floats:
    """Return the cells' breadths in standard deviations of the baseline."""
    assert isinstance(cells, Grid)
    return np.asarray(np.diff(places(cells)) / spread_of(before / before.sum(), places(cells)))


def binned_days(days: Ints | Floats, bins: Ints) -> Floats:
    """Return the rows of each bin (days, bins)."""
    many = int(bins.max()) + 1
    places_ = bins + many * np.arange(len(days))[:, None]
    rows = np.bincount(places_.ravel(), weights=days.ravel().astype(np.float64), minlength=many * len(days))
    return np.asarray(rows.reshape(len(days), many), dtype=np.float64)
