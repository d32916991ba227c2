"""The distances that daily drift tests measure: each one function of binned rows, under its key in the catalogue."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum, auto
from types import MappingProxyType
from typing import TypeVar

import numpy as np

import catalogue
from catalogue import CatalogueError, Effect, Metric
from models.errors import did_you_mean
from profiles.bins import Floats, Ints

DistanceFunction = Callable[..., Floats]
"""Given the rows of some days by bin (days, bins) and those expected (days, bins), the distance of each day (days)."""
_Function = TypeVar("_Function", bound=DistanceFunction)


class Scale(Enum):
    """How a distance grows with a small shift, and so on which scale chance adds up."""

    DISTANCE = auto()
    """In proportion to the shift: chance adds to its square."""
    SQUARE = auto()
    """As the square of the shift, like PSI: chance adds to the figure itself."""
    ROOT = auto()
    """The function gives a square; the figure is its root, as the Jensen-Shannon distance is of the divergence."""


@dataclass(frozen=True)
class Statistic:
    """A distance of two distributions, as ``statistic`` registered it under the key of its metric."""

    key: str
    function: DistanceFunction
    scale: Scale = Scale.DISTANCE
    largest: float = math.inf
    fine: bool = False
    by_position: bool = False

    def squares(self, today: Ints | Floats, before: Ints | Floats, widths: Floats | None = None) -> Floats:
        """Return the distance of each day on the scale on which chance adds up.

        Args:
            today: rows: (days, bins), or (bins) for every day.
            before: expected rows: (days, bins), or (bins) for every day.
            widths: the steps from bin to bin in standard deviations, for a distance ``by_position``: (bins - 1).
        Returns:
            Squared distances, or the distance itself where it grows like a square: (days).
        Source:
            the registered function.
        """
        sides = np.broadcast_arrays(np.atleast_2d(today), np.atleast_2d(before))
        found = self.function(*sides, widths) if self.by_position else self.function(*sides)
        return np.asarray(found**2 if self.scale is Scale.DISTANCE else found, dtype=np.float64)

    def figures(self, squares: Floats) -> Floats:
        """Return distances as people read them.

        Args:
            squares: what ``squares`` returned, of any shape.
        Returns:
            Figures of the same shape.
        Source:
            ``scale``.
        """
        return squares if self.scale is Scale.SQUARE else np.sqrt(squares)

    def figure_of(self, square: float) -> float:
        """Return one figure as people read it.

        Args:
            square: a value on the scale on which chance adds up.
        Returns:
            At most ``largest``.
        Source:
            ``scale``.
        """
        return min(self.largest, square if self.scale is Scale.SQUARE else math.sqrt(max(0.0, square)))

    def square_of(self, figure: float) -> float:
        """Return a figure on the scale on which chance adds up.

        Args:
            figure: a distance as people read it.
        Returns:
            Its square, or the figure itself where it grows like a square.
        Source:
            ``scale``.
        """
        return figure if self.scale is Scale.SQUARE else figure**2


_statistics: dict[str, Statistic] = {}
STATISTICS: Mapping[str, Statistic] = MappingProxyType(_statistics)
"""The registered distances by the keys of their metrics."""


def statistic(
    key: str,
    *,
    scale: Scale = Scale.DISTANCE,
    largest: float = math.inf,
    fine: bool = False,
    by_position: bool = False,
) -> Callable[[_Function], _Function]:
    """Register a distance under the key of its metric in the catalogue.

    The function is given rows of days by bin (days, bins) and those that were expected (days, bins), and returns one
    distance a day (days), 0 where nothing changed. Each day has a row on both sides. Nothing else needs writing:
    interval, p-value and limit come from ``monitors.stats.simulation`` unless ``monitors.stats.closed_forms`` has
    better ones.

    Args:
        key: the metric's key in the catalogue.
        scale: how the distance grows with a small shift.
        largest: the most that it can be.
        fine: take it on all bins of a profile, instead of on the PSI bins (about ten).
        by_position: give the function a third argument, the steps from bin to bin (bins - 1) in standard deviations:
            only numbers have them, and the bins are then the fine ones.
    Returns:
        A decorator that registers the function and returns it.
    Raises:
        CatalogueError: at import, where the catalogue has no such metric, one that is no distance of columns, or
            another function is registered under the key.
    """
    entry = catalogue.METRICS.get(key)
    if entry is None:
        raise CatalogueError(
            f"statistic {key}: the catalogue has no metric of this key; add its entry first"
            f"{did_you_mean(key, catalogue.METRICS)}"
        )
    _check_entry(entry, by_position=by_position)

    def register(function: _Function) -> _Function:
        found = Statistic(key, function, scale, largest, fine or by_position, by_position)
        if _statistics.setdefault(key, found).function is not function:
            raise CatalogueError(f"statistic {key}: another function is registered under this key already")
        return function

    return register


@contextmanager
def registered_for_now() -> Iterator[None]:
    """Let statistics be registered inside a ``with`` block; after it they are as before it (for tests)."""
    before = dict(_statistics)
    try:
        yield
    finally:
        _statistics.clear()
        _statistics.update(before)


def _check_entry(entry: Metric, *, by_position: bool) -> None:
    """Raise CatalogueError where an entry lacks what the daily drift tests need to judge a distance."""
    if not entry.columns or entry.effect is not Effect.DISTANCE or entry.minimum_effect is None:
        raise CatalogueError(
            f"statistic {entry.key}: its entry in the catalogue needs columns, a minimum_effect and Effect.DISTANCE"
        )
    if by_position and "category" in entry.columns:
        raise CatalogueError(f"statistic {entry.key}: it goes by position, and a category's bins have none")
