"""Which seeds are run, and what one is: a history and every kind of incident in it, or a quiet quarter."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

SEEDS = {"tune": (101, 301), "report": (9_001, 9_301)}
"""The first seed of incidents and of quiet quarters. Limits may be tuned on the first pair only, and only the second
is reported."""
DEFAULTS = {"tune": (2, 4), "report": (5, 40)}
"""How many seeds of incidents there are for each data set and size, and how many quiet quarters over all of them."""


@dataclass(frozen=True)
class Unit:
    """One seed of one data set and size: the kinds of incident to put into its days, or none for a quiet quarter.

    ``peers`` are the detectors that look at it beside Watchkeeper.
    """

    data: str
    rows: int
    seed: int
    kinds: tuple[str, ...]
    peers: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Return what it is called while it runs."""
        what = f"{len(self.kinds)} kinds" if self.kinds else "quiet quarter"
        return f"{self.data}, {self.rows:,} rows a day, seed {self.seed}, {what}"


@dataclass(frozen=True)
class Asked:
    """What to run. ``slow`` peers only look at the first ``slow_seeds`` seeds of incidents and quiet quarters each."""

    which: str
    data: Sequence[str]
    rows: Sequence[int]
    kinds: Sequence[str]
    seeds: int
    quiet: int
    peers: Sequence[str] = ()
    slow: Sequence[str] = ()
    slow_seeds: int = 1


def units(asked: Asked) -> Iterator[Unit]:
    """Yield the units of a run; quiet quarters are dealt out evenly over data sets and sizes."""
    first, first_quiet = SEEDS[asked.which]
    cells = [(data, rows) for rows in asked.rows for data in asked.data]
    for place, (data, rows) in enumerate(cells):
        quiet = len(range(place, asked.quiet, len(cells)))
        for number in range(asked.seeds if asked.kinds else 0):
            yield Unit(data, rows, first + number, tuple(asked.kinds), _peers(asked, number))
        for number in range(quiet):
            seed = first_quiet + place + number * len(cells)
            yield Unit(data, rows, seed, (), _peers(asked, number))


def _peers(asked: Asked, number: int) -> tuple[str, ...]:
    return tuple(name for name in asked.peers if name not in asked.slow or number < asked.slow_seeds)
