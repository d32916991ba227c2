"""Bins: the fixed intervals in which a column's values are counted, so that any two profiles add up."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

REST = -1
"""Bin of the levels that were seen in the baseline but are too rare for a bin of their own."""
UNSEEN = -2
"""Bin of the levels that the baseline never saw."""

LOGIT_SOFTENING = 1e-3
EDGE_SLACK = 1e-12
"""How far below a score's threshold, in logit units, its edge lies: logarithms differ in the last digit between
engines and machines, and a score that equals the threshold must always be on the alert's side."""
LARGEST = 1e150
"""Beyond this, the quantiles of a number say nothing about its bins."""


@dataclass(frozen=True)
class Grid:
    """Bins of a number: ``floor(position(x))``, clipped to ``-half .. half - 1``, with u = (x - centre) / scale.

    - linear: position = u / width
    - log:    position = sign(u) ln(1 + |u|) / width, fine near the centre and coarse in heavy tails
    - logit:  position = (t(u) - shift) / width with t(p) = ln((p + s) / (1 - p + s)), s = 0.001, fine near 0 and
      near 1; for scores. ``shift`` puts the model's threshold on the lower edge of bin 0, and a score outside its
      range counts as the nearer end of it.

    The two end bins also hold everything beyond. ``unit`` is the resolution of the column's fixed-point sum.
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
        """Return where values lie on the grid, before floor and clip.

        Args:
            x: finite values, of any shape.
            out: an array of the same shape to write into; None makes a new one.
        Returns:
            Positions in bins, of the shape of x; infinite for the largest doubles.
        """
        u = np.empty(np.shape(x)) if out is None else out
        with np.errstate(over="ignore"):  # the largest doubles become infinite here, and fall into the end bins
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
        """Return the bin of each value.

        Args:
            x: finite values, of any shape.
        Returns:
            Bin numbers from ``-half`` to ``half - 1``, of the shape of x.
        Example:
            >>> grid = Grid("linear", centre=100.0, scale=50.0, width=0.1, half=20)
            >>> grid.bin_of(np.array([100.0, 104.9, 105.0, 1e9])).tolist()
            [0, 0, 1, 19]
        """
        return np.clip(np.floor(self.position(x)), -self.half, self.half - 1).astype(np.int64)

    def edge(self, bin_number: int) -> float:
        """Return the lower edge of a bin.

        Args:
            bin_number: any integer; ``bin_number + 1`` gives the upper edge.
        Returns:
            The edge in the column's own unit; infinite for the outer edges of the end bins.
        Example:
            >>> grid = Grid("linear", centre=100.0, scale=50.0, width=0.1, half=20)
            >>> grid.edge(1), grid.edge(-20)
            (105.0, -inf)
        """
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
        """Return a value that stands for a bin.

        Args:
            bin_number: from ``-half`` to ``half - 1``.
        Returns:
            The mean of its edges, or the inner edge of an end bin, in the column's own unit.
        """
        low, high = self.edge(bin_number), self.edge(bin_number + 1)
        if math.isinf(low):
            return high
        return low if math.isinf(high) else (low + high) / 2


def logit_like(p: Floats | np.float64) -> Floats:
    """Return ``ln((p + s) / (1 - p + s))`` with s = 0.001: odd about 1/2, steep near 0 and 1, finite at both.

    Args:
        p: shares, 0 to 1, of any shape.
    Returns:
        Values from about -6.9 to 6.9, of the shape of p.
    Source:
        the logit, with s added above and below the line so that 0 and 1 have one too.
    """
    result: Floats = np.log((p + LOGIT_SOFTENING) / (1 - p + LOGIT_SOFTENING))
    return result


def logit_like_inverse(t: Floats | np.float64) -> Floats:
    """Return p with ``logit_like(p) = t``.

    Args:
        t: any finite values.
    Returns:
        Shares of the shape of t; a little outside 0 to 1 where no p from 0 to 1 has that t.
    Source:
        ``logit_like``, solved for p.
    Example:
        >>> round(float(logit_like_inverse(logit_like(np.float64(0.85)))), 12)
        0.85
    """
    odds = np.exp(t)
    result: Floats = (odds * (1 + LOGIT_SOFTENING) - LOGIT_SOFTENING) / (1 + odds)
    return result


def score_grid(low: float, high: float, threshold: float | None) -> Grid:
    """Return the grid of a score: 800 bins, with the threshold on the lower edge of bin 0.

    Args:
        low: least score.
        high: largest score, above ``low``.
        threshold: the score from which a payment raises an alert; None takes the middle of the range.
    Returns:
        A logit grid, fine near both ends of the range.
    Example:
        >>> grid = score_grid(0.0, 1.0, threshold=0.85)
        >>> grid.bin_of(np.array([0.8499, 0.85])).tolist()
        [-1, 0]
    """
    share = 0.5 if threshold is None else (threshold - low) / (high - low)
    shift = float(logit_like(np.float64(share))) - EDGE_SLACK
    return Grid("logit", low, high - low, width=0.04, half=400, shift=shift, unit=1e-9)


def number_grid(quantiles: tuple[float, float, float]) -> Grid:
    """Return the grid of a number from quantiles of its baseline.

    Linear where the body is about symmetric; log where one tail is more than three times as long as the other.
    A constant column gets a grid of width 1 about its value (or of its size, when it is large).

    Args:
        quantiles: the 1 %, 50 % and 99 % quantiles, ascending; clipped to +-1e150.
    Returns:
        A grid of 256 bins that reaches well beyond the outer quantiles.
    Example:
        >>> number_grid((0.0, 50.0, 100.0)).kind, number_grid((1.0, 20.0, 900.0)).kind
        ('linear', 'log')
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
    # A trifle more than 80 bins: the quantile, often a value that many rows have, mustn't itself be on an edge.
    return Grid("log", middle, scale, width=math.log1p(longer / scale) / (80 + 1e-6), unit=_sum_unit(scale))


def embedding_grid(largest: float) -> Grid:
    """Return the grid that an embedding's elements share.

    Args:
        largest: the largest absolute value of an element in the baseline.
    Returns:
        A linear grid about 0 that holds twice that.
    """
    size = min(largest, LARGEST)
    return Grid("linear", 0.0, size if size > 1 / LARGEST else 1.0, width=1 / 64)


def _sum_unit(spread: float) -> float:
    """Return the power of ten at most a millionth of the spread."""
    return float(10.0 ** (math.floor(math.log10(spread)) - 6))


@dataclass(frozen=True)
class Levels:
    """Bins of a category: a level's index in ``top``, or REST if only in ``seen``, or UNSEEN."""

    top: tuple[str, ...]
    seen: frozenset[str]


@dataclass(frozen=True)
class Embedding:
    """An array column: how many elements a sound one has, and the grid that all elements share."""

    dimensions: int
    grid: Grid
