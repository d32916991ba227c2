"""Two rules of thumb that many teams run: PSI above 0.2 on the baseline's deciles, and a test at 0.05 a column."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
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
        known = values.dropna().to_numpy(np.float64)
        return float(stats.ks_2samp(self.values, known, method="asymp").pvalue) if len(known) else 0.0


class Rules:
    """The baseline of every column, against which days are held."""

    def __init__(self, baseline: pd.DataFrame, columns: Mapping[str, str]) -> None:
        self.numbers = {name: _Number.of(baseline[name]) for name, kind in columns.items() if kind == "number"}
        self.levels = {
            name: baseline[name].value_counts(normalize=True) for name, kind in columns.items() if kind == "category"
        }

    def psi(self, day: pd.DataFrame) -> Iterator[tuple[str, float]]:
        """Yield the columns whose PSI is above its limit, and the PSI."""
        found = {name: number.psi(day[name]) for name, number in self.numbers.items()}
        for name, before in self.levels.items():
            now = day[name].value_counts(normalize=True)
            both = before.index.union(now.index)
            found[name] = psi(before.reindex(both, fill_value=0).to_numpy(), now.reindex(both, fill_value=0).to_numpy())
        yield from _worst_first((name, value) for name, value in found.items() if value > PSI_LIMIT)

    def ks(self, day: pd.DataFrame) -> Iterator[tuple[str, float]]:
        """Yield the numbers whose Kolmogorov-Smirnov test against the baseline is below its limit, and minus p."""
        found = ((name, -number.p_value(day[name])) for name, number in self.numbers.items())
        yield from _worst_first((name, value) for name, value in found if value > -KS_LIMIT)


def _worst_first(found: Iterable[tuple[str, float]]) -> list[tuple[str, float]]:
    return sorted(found, key=lambda item: -item[1])


def _shares(bins: NDArray[np.int64], count: int) -> Shares:
    counts: Shares = np.bincount(bins, minlength=count) / max(1, len(bins))
    return counts
