"""How one column of a feature table is drawn, and what a model can learn from it about fraud.

Given fraud or not, columns are independent; so the log-likelihood ratios of the columns add up, and their sum is the
best score there is. That is how the bank's champion scores: well, roughly calibrated, and the same for everybody.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Codes = NDArray[np.int32]
Level = str | bool | int

NULL_CODE = -1  # the code of a null in a choice


@dataclass(frozen=True)
class Number:
    """A log-normal number, with zeros, round values and nulls where the real ones have them.

    `lift` is by how many standard deviations (of the logarithm) fraud lies above legitimate cases. `season` is by how
    many the whole column moves between a slow day and a busy one.
    """

    median: float
    sigma: float
    lift: float = 0.0
    zeros: float = 0.0
    fraud_zeros: float = 0.0
    nulls: float = 0.0
    whole: bool = False
    decimals: int = 2
    round_to: float = 0.0
    round_share: float = 0.0
    season: float = 0.0
    most: float = math.inf

    def draw(self, rng: np.random.Generator, fraud: Flags, busy: float) -> Floats:
        """Return one value for each row of `fraud`; NaN is null."""
        rows = len(fraud)
        z = rng.standard_normal(rows) + self.season * busy
        z[fraud] += self.lift
        values = self.median * np.exp(self.sigma * z)
        values = np.ceil(values) if self.whole else np.round(values, self.decimals)
        values = np.minimum(values, self.most)
        if self.round_share:
            chosen = rng.random(rows) < self.round_share
            values[chosen] = np.maximum(np.round(values[chosen] / self.round_to), 1) * self.round_to
        if self.zeros:
            values[rng.random(rows) < np.where(fraud, self.fraud_zeros, self.zeros)] = 0
        if self.nulls:
            values[rng.random(rows) < self.nulls] = np.nan
        return values

    def evidence(self, values: Floats | Codes) -> Floats:
        """Return the log-likelihood ratio of fraud to legitimate of each value; a null counts as an average value.

        Two normals with means 0 and `lift` and unit variance have the ratio exp(lift z - lift^2 / 2).
        """
        middle = values - 0.5 if self.whole else values
        with np.errstate(invalid="ignore", divide="ignore"):
            z = np.log(np.maximum(middle, 1e-9) / self.median) / self.sigma
        ratio = self.lift * np.clip(np.nan_to_num(z), -4, 4) - self.lift**2 / 2
        if not self.zeros:
            return ratio
        present = ratio + np.log((1 - self.fraud_zeros) / (1 - self.zeros))
        return np.asarray(np.where(values == 0, np.log(self.fraud_zeros / self.zeros), present))


@dataclass(frozen=True)
class Choice:
    """A column with a fixed set of levels. Fraud picks a level `tilt` times as often, before normalising."""

    levels: tuple[Level, ...]
    shares: tuple[float, ...]
    tilt: tuple[float, ...] = ()
    nulls: float = 0.0

    @property
    def _legitimate(self) -> Floats:
        shares: Floats = np.asarray(self.shares, dtype=np.float64)
        return np.asarray(shares / shares.sum())

    @property
    def _fraudulent(self) -> Floats:
        weights = self._legitimate * (np.asarray(self.tilt) if self.tilt else 1.0)
        return np.asarray(weights / weights.sum())

    def draw(self, rng: np.random.Generator, fraud: Flags) -> Codes:
        """Return the code of a level for each row of `fraud`; `NULL_CODE` is null."""
        codes = _draw_codes(rng, self._legitimate, len(fraud))
        codes[fraud] = _draw_codes(rng, self._fraudulent, int(fraud.sum()))
        if self.nulls:
            codes[rng.random(len(fraud)) < self.nulls] = NULL_CODE
        return codes

    def evidence(self, codes: Floats | Codes) -> Floats:
        """Return the log-likelihood ratio of each row; a null, or a level the model never saw, says nothing."""
        beyond = max(int(codes.max(initial=0)) + 1 - len(self.levels), 0)
        ratios = np.log(self._fraudulent / self._legitimate)
        return np.asarray(
            np.concatenate([ratios, np.zeros(beyond + 1)])[codes.astype(np.int32)]
        )  # NULL_CODE is -1: the last entry


def _draw_codes(rng: np.random.Generator, shares: Floats, rows: int) -> Codes:
    edges = np.cumsum(shares)
    return np.asarray(np.searchsorted(edges[:-1], rng.random(rows), side="right"), dtype=np.int32)


def zipf_choice(prefix: str, count: int, tilt: float, seed: int, exponent: float = 1.05) -> Choice:
    """Return a large category: `count` levels with Zipf shares 1/(rank+3)^exponent and log-normal tilts of fraud.

    The offset 3 keeps the first level from taking a fifth of all rows.
    """
    ranks = np.arange(count)
    shares = 1 / (ranks + 3.0) ** exponent
    tilts = np.exp(tilt * np.random.default_rng(seed).standard_normal(count))
    return Choice(_level_names(prefix, count), tuple(shares.tolist()), tuple(tilts.tolist()))


def _level_names(prefix: str, count: int) -> tuple[str, ...]:
    return tuple(f"{prefix}{rank:04d}" for rank in range(count))


def hour_of_day(night: float) -> Choice:
    """Return the hour of the day: quiet nights, busy days; fraud picks the hours 0 to 5 `night` times as often."""
    shares: Any = 0.12 + np.exp(-0.5 * ((np.arange(24) - 14.5) / 4.2) ** 2)
    tilt = tuple(night if hour < 6 else 1.0 for hour in range(24))
    return Choice(tuple(range(24)), tuple(shares.tolist()), tilt)
