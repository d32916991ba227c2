"""Two rules of thumb that many teams run: PSI above 0.2 on the baseline's deciles, and a test at 0.05 a column."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

PSI_LIMIT, BINS, LEAST_SHARE = 0.2, 10, 1e-4
KS_LIMIT = 0.05

Shares = NDArray[np.float64]


def psi(baseline: Shares, today: Shares) -> float:
    """Return the population stability index of two lists of shares; an empty bin counts as one in ten thousand."""
    p, q = np.maximum(baseline, LEAST_SHARE), np.maximum(today, LEAST_SHARE)
    return float(((q - p) * np.log(q / p)).sum())


@dataclass(frozen=True)
class _Number:
    """A number's baseline: the borders of its deciles (ties make fewer), and the share between them."""

    borders: Shares
    shares: Shares
    values: Shares

    @classmethod
    def of(cls, values: pd.Series[Any]) -> _Number:
        known = values.dropna().to_numpy(np.float64)
        borders = np.unique(np.quantile(known, np.arange(1, BINS) / BINS))
        return cls(borders, _shares(np.searchsorted(borders, known, side="left"), len(borders) + 1), np.sort(known))

    def psi(self, values: pd.Series[Any]) -> float:
        known = values.dropna().to_numpy(np.float64)
        return psi(self.shares, _shares(np.searchsorted(self.borders, known, side="left"), len(self.shares)))

    def p_value(self, values: pd.Series[Any]) -> float:
        return ks_p_value(self.values, np.sort(values.dropna().to_numpy(np.float64)))


class Rules:
    """The baseline of every column, against which days are held."""

    def __init__(self, baseline: pd.DataFrame, columns: Mapping[str, str]) -> None:
        self.numbers = {name: _Number.of(baseline[name]) for name, kind in columns.items() if kind == "number"}
        self.levels = {
            name: baseline[name].value_counts(normalize=True) for name, kind in columns.items() if kind == "category"
        }

    def psi(self, name: str, values: pd.Series[Any]) -> float | None:
        """Return the PSI of a column's day if it is above its limit."""
        if name in self.numbers:
            found = self.numbers[name].psi(values)
        else:
            before, now = self.levels[name], values.value_counts(normalize=True)
            both = before.index.union(now.index)
            found = psi(*(side.reindex(both, fill_value=0).to_numpy() for side in (before, now)))
        return found if found > PSI_LIMIT else None

    def ks(self, name: str, values: pd.Series[Any]) -> float | None:
        """Return minus p of the Kolmogorov-Smirnov test of a number's day if p is below its limit."""
        p_value = self.numbers[name].p_value(values) if name in self.numbers else 1.0
        return -p_value if p_value < KS_LIMIT else None


def ks_p_value(baseline: Shares, today: Shares) -> float:
    """Return the asymptotic p-value of the two-sample Kolmogorov-Smirnov test; both samples are sorted.

    As `scipy.stats.ks_2samp` has it, but without sorting a baseline of millions anew for every day: between two values
    of ``today`` its own share stands still, so the greatest distance is just before or at one of them.
    """
    if not len(today):
        return 0.0
    n, m = len(baseline), len(today)
    values = np.unique(today)
    at, just_before = (np.searchsorted(baseline, values, side) / n for side in ("right", "left"))
    own_at, own_before = (np.searchsorted(today, values, side) / m for side in ("right", "left"))
    distance = max(np.max(own_at - at), np.max(just_before - own_before), 0.0)
    return float(np.clip(stats.kstwo.sf(distance, np.round(n * m / (n + m))), 0, 1))


def _shares(bins: NDArray[np.int64], count: int) -> Shares:
    counts: Shares = np.bincount(bins, minlength=count) / max(1, len(bins))
    return counts
