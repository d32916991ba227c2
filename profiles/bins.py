"""Cells: the fixed places into which a column's values are counted, so that any two profiles add up."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

REST = -1
"""Category cell of the levels that were seen in the baseline but are too rare for a cell of their own."""
UNSEEN = -2
"""Category cell of the levels that the baseline never saw."""

LOGIT_SOFTENING = 1e-3
EDGE_SLACK = 1e-12
"""How far below a score's threshold, in logit units, its border lies: logarithms differ in the last digit between
engines and machines, and a score that equals the threshold must always be on the alert's side."""
LARGEST = 1e150
"""Beyond this, the quantiles of a number say nothing about its cells."""


@dataclass(frozen=True)
class Grid:
    """Cells of a number: ``floor(position(x))``, clipped to ``-half .. half - 1``, with u = (x - centre) / scale.

    - linear: position = u / width
    - log:    position = sign(u) ln(1 + |u|) / width, fine near the centre and coarse in heavy tails
    - logit:  position = (t(u) - shift) / width with t(p) = ln((p + s) / (1 - p + s)), s = 0.001, fine near 0 and
      near 1; for scores. ``shift`` puts the model's threshold on the border of cell 0, and a score outside its
      range counts as the nearer end of it.

    The two end cells also hold everything beyond. ``unit`` is the resolution of the column's fixed-point sum.
    """

    kind: Literal["linear", "log", "logit"]
    centre: float
    scale: float
    width: float
    half: int = 128
    shift: float = 0.0
    unit: float = 1e-6

    def __post_init__(self) -> None:
        if self.kind not in ("linear", "log", "logit"):
            raise ValueError(f"a grid of kind {self.kind} is not known; known are linear, log and logit")

    @property
    def per_unit(self) -> float:
        """Return the units in 1: a power of ten, as exact as ``unit`` can't be."""
        return float(10.0 ** -round(math.log10(self.unit)))

    def position(self, x: Floats | np.float64, out: Floats | None = None) -> Floats:
        """Return the cell coordinate of finite values, before floor and clip; into ``out`` where that is given."""
        u = np.empty(np.shape(x)) if out is None else out
        with np.errstate(over="ignore"):  # the largest doubles become infinite here, and fall into the end cells
            np.subtract(x, self.centre, out=u)
            if self.kind == "linear":
                return np.multiply(u, 1 / (self.scale * self.width), out=u)
            u *= 1 / self.scale
            if self.kind == "log":
                size = np.abs(u, out=np.empty_like(u))
                size += 1
                np.copysign(np.log(size, out=size), u, out=u)
            else:
                np.subtract(logit_like(np.clip(u, 0, 1, out=u)), self.shift, out=u)
            u *= 1 / self.width
        return u

    def bin_of(self, x: Floats | np.float64) -> Ints:
        """Return the cell of each finite value, from ``-half`` to ``half - 1``."""
        return np.clip(np.floor(self.position(x)), -self.half, self.half - 1).astype(np.int64)

    def edge(self, bin_number: int) -> float:
        """Return the lower border of a cell in the column's own unit; the end cells reach to infinity."""
        if bin_number <= -self.half:
            return -math.inf
        if bin_number >= self.half:
            return math.inf
        u = bin_number * self.width
        if self.kind == "log":
            u = math.copysign(math.expm1(abs(u)), u)
        elif self.kind == "logit":
            u = float(logit_like_inverse(np.float64(u + self.shift)))
        return self.centre + self.scale * u

    def midpoint(self, bin_number: int) -> float:
        """Return a value that stands for the cell: its middle, or the inner border of an end cell."""
        low, high = self.edge(bin_number), self.edge(bin_number + 1)
        if math.isinf(low):
            return high
        return low if math.isinf(high) else (low + high) / 2


def logit_like(p: Floats | np.float64) -> Floats:
    """Return ``ln((p + s) / (1 - p + s))`` of p from 0 to 1: odd about 1/2, steep near 0 and 1, finite at both."""
    result: Floats = np.log((p + LOGIT_SOFTENING) / (1 - p + LOGIT_SOFTENING))
    return result


def logit_like_inverse(t: Floats | np.float64) -> Floats:
    """Return p with ``logit_like(p) = t``; a t that no p from 0 to 1 has gives a p a little outside."""
    odds = np.exp(t)
    result: Floats = (odds * (1 + LOGIT_SOFTENING) - LOGIT_SOFTENING) / (1 + odds)
    return result


def score_grid(low: float, high: float, threshold: float | None) -> Grid:
    """Return the grid of a score in ``[low, high]``: 800 cells, with the threshold on a border (of cell 0)."""
    share = 0.5 if threshold is None else (threshold - low) / (high - low)
    shift = float(logit_like(np.float64(share))) - EDGE_SLACK
    return Grid("logit", low, high - low, width=0.04, half=400, shift=shift, unit=1e-9)


def number_grid(quantiles: tuple[float, float, float]) -> Grid:
    """Return the grid of a number from its baseline's 1 %, 50 % and 99 % quantiles.

    Linear where the body is about symmetric; log where one tail is much longer than the other.
    A constant column gets a grid of width 1 about its value (or of its size, when it is large).
    """
    low, middle, high = (min(max(quantile, -LARGEST), LARGEST) for quantile in quantiles)
    spread = high - low
    if spread <= 1 / LARGEST:
        size = max(1.0, abs(middle))
        return Grid("linear", middle - size / 2, size, width=1.0, unit=_sum_unit(size))
    longer, shorter = max(high - middle, middle - low), min(high - middle, middle - low)
    if longer <= 3 * max(shorter, spread / 100):
        return Grid("linear", middle, spread / 2, width=1 / 48, unit=_sum_unit(spread))
    scale = max(shorter, spread / 1000)
    # A trifle more than 80 cells: the quantile, often a value that many rows have, mustn't itself be on a border.
    return Grid("log", middle, scale, width=math.log1p(longer / scale) / (80 + 1e-6), unit=_sum_unit(scale))


def embedding_grid(largest: float) -> Grid:
    """Return the grid of an embedding's elements from the largest size of one: it holds twice that, about 0."""
    size = min(largest, LARGEST)
    return Grid("linear", 0.0, size if size > 1 / LARGEST else 1.0, width=1 / 64)


def _sum_unit(spread: float) -> float:
    """Return the power of ten at most a millionth of the spread."""
    return float(10.0 ** (math.floor(math.log10(spread)) - 6))


@dataclass(frozen=True)
class Levels:
    """Cells of a category: a level's index in ``top``, or REST if only in ``seen``, or UNSEEN."""

    top: tuple[str, ...]
    seen: frozenset[str]


@dataclass(frozen=True)
class Embedding:
    """An array column: how many elements a sound one has, and the grid that all elements share."""

    dimensions: int
    grid: Grid
