"""Which seeds are run, and what one is: a history and every kind of incident in it, or a quiet quarter."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

SEEDS = {"tune": (101, 301), "report": (9_001, 9_301)}
"""The first seed of incidents and of quiet quarters. Limits may be tuned on the first pair only, and only the second
is reported."""
QUARTERS_APART = 100
"""How far the sets' quiet quarters are from each other, so that each has days of its own."""
SETS = {"bank": ("bank", 2_000), "handbook": ("handbook", 9_591), "large-bank": ("bank", 50_000)}
"""Each set's data, and its rows a day; the handbook's are its own."""
Amount = Mapping[str, tuple[int, int]]
FAST, SLOW = ("watchkeeper", "psi", "ks"), ("nannyml", "evidently")
REPORT: Mapping[str, Amount] = {
    "bank": {"watchkeeper": (5, 40), "psi": (5, 8), "ks": (5, 8), "nannyml": (5, 4), "evidently": (5, 2)},
    "handbook": {**dict.fromkeys(FAST, (5, 6)), "nannyml": (2, 1), "evidently": (2, 1)},
    "large-bank": {**dict.fromkeys(FAST, (5, 4)), "nannyml": (1, 1), "evidently": (1, 0)},
}
"""How many seeds of incidents and how many quiet quarters each detector looks at: the slow ones at fewer."""
TUNE: Mapping[str, Amount] = {name: dict.fromkeys(FAST, (2, 2)) | dict.fromkeys(SLOW, (1, 0)) for name in SETS}
AMOUNTS = {"tune": TUNE, "report": REPORT}


@dataclass(frozen=True)
class Unit:
    """One seed of one data set and size: the kinds of incident to put into its days, or none for a quiet quarter.

    ``tools`` are the detectors that look at it.
    """

    data: str
    rows: int
    seed: int
    kinds: tuple[str, ...]
    tools: tuple[str, ...]

    @property
    def name(self) -> str:
        """Return what it is called while it runs."""
        what = f"{len(self.kinds)} kinds" if self.kinds else "quiet quarter"
        return f"{self.data}, {self.rows:,} rows a day, seed {self.seed}, {what}, {', '.join(self.tools)}"


@dataclass(frozen=True)
class Asked:
    """What to run: sets, kinds and detectors, and at most so many seeds and quiet quarters of each."""

    which: str
    sets: Sequence[str]
    kinds: Sequence[str]
    tools: Sequence[str]
    most_seeds: int | None = None
    most_quarters: int | None = None


def units(asked: Asked) -> Iterator[Unit]:
    """Yield the units of a run: incidents before quiet quarters, and in each set the slow detectors last."""
    for quiet, most in ((False, asked.most_seeds), (True, asked.most_quarters)):
        first = SEEDS[asked.which][quiet]
        for name in asked.sets:
            amounts = {tool: AMOUNTS[asked.which][name][tool][quiet] for tool in asked.tools}
            for group in (FAST, SLOW):
                several = max((amounts.get(tool, 0) for tool in group), default=0)
                for number in range(several if most is None else min(several, most)):
                    tools = tuple(tool for tool in group if number < amounts.get(tool, 0))
                    seed = first + number + (QUARTERS_APART * [*SETS].index(name) if quiet else 0)
                    yield Unit(*SETS[name], seed, () if quiet else tuple(asked.kinds), tools)
