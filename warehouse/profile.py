"""What one scan of a partition brings back: counts that add and subtract, and nothing else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from warehouse.grid import Ints

Group = tuple[str, str | None]
"""A slice or protected column and one of its values; ``EVERYONE`` is the whole population."""
EVERYONE: Group = ("", None)

OPEN, BLOCKED, FRAUD, LEGITIMATE = range(4)
"""Label states of a scored payment: no label yet, blocked (no honest label can come), fraud, legitimate."""
COUNT, PENCE, SCORE = range(3)
"""What the cube sums: payments, amount in pence, score in billionths of its range."""


@dataclass(frozen=True)
class Counts:
    """One column's counts: ``rows == nulls + nonfinite + sum(cells)``.

    ``cells`` maps cell to rows, without zeros; ``total`` is the fixed-point sum of finite values in the grid's unit.
    """

    nulls: int = 0
    nonfinite: int = 0
    total: int = 0
    cells: Mapping[int, int] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """Return all rows, nulls and non-finite values included."""
        return self.nulls + self.nonfinite + self.finite

    @property
    def finite(self) -> int:
        """Return the rows that have a cell."""
        return sum(self.cells.values())

    def __add__(self, other: Counts) -> Counts:
        return self._with(other, 1)

    def __sub__(self, other: Counts) -> Counts:
        return self._with(other, -1)

    def _with(self, other: Counts, sign: int) -> Counts:
        cells = Counter(self.cells)
        for cell, rows in other.cells.items():
            cells[cell] += sign * rows
        return Counts(
            self.nulls + sign * other.nulls,
            self.nonfinite + sign * other.nonfinite,
            self.total + sign * other.total,
            {cell: rows for cell, rows in sorted(cells.items()) if rows},
        )


@dataclass(frozen=True)
class Cube:
    """Scores by label state and group: ``cells[group]`` has the shape (score cell, state, what), integers.

    The first axis is the score grid's cell plus its ``half``, so a payment raised an alert when index >= half.
    """

    cells: Mapping[Group, Ints] = field(default_factory=dict)

    def __add__(self, other: Cube) -> Cube:
        return self._with(other, 1)

    def __sub__(self, other: Cube) -> Cube:
        return self._with(other, -1)

    def _with(self, other: Cube, sign: int) -> Cube:
        cells = dict(self.cells)
        for group, part in other.cells.items():
            cells[group] = cells[group] + sign * part if group in cells else sign * part
        return Cube({group: part for group, part in sorted(cells.items(), key=_group_order) if part.any()})

    def labelled(self, labels: Cube) -> Cube:
        """Return the cube after the payments in ``labels`` (states fraud and legitimate) left the open state."""
        known = {group: part.sum(axis=1) for group, part in labels.cells.items()}
        opened = {group: np.zeros_like(labels.cells[group]) for group in known}
        for group, part in known.items():
            opened[group][:, OPEN] = part
        return self - Cube(opened) + labels

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Cube):
            return NotImplemented
        return self.cells.keys() == other.cells.keys() and all(
            np.array_equal(part, other.cells[group]) for group, part in self.cells.items()
        )

    __hash__ = None  # type: ignore[assignment]  # arrays inside: equal by value, so not hashable


def _group_order(item: tuple[Group, Ints]) -> tuple[str, bool, str]:
    (column, value), _ = item
    return column, value is None, value or ""


@dataclass(frozen=True)
class Profile:
    """Everything Watchkeeper keeps of a partition, or of any sum of partitions.

    ``features[group][column]`` are counts for ``EVERYONE`` and for each value of each slice column;
    ``cube`` also has the protected columns. Only profiles with the same ``frame`` add and subtract.
    """

    frame: str
    rows: int = 0
    features: Mapping[Group, Mapping[str, Counts]] = field(default_factory=dict)
    cube: Cube = field(default_factory=Cube)

    def __add__(self, other: Profile) -> Profile:
        return self._with(other, 1)

    def __sub__(self, other: Profile) -> Profile:
        return self._with(other, -1)

    def _with(self, other: Profile, sign: int) -> Profile:
        if self.frame != other.frame:
            raise ValueError(f"profiles of frames {self.frame} and {other.frame} don't add up")
        features: dict[Group, dict[str, Counts]] = {group: dict(columns) for group, columns in self.features.items()}
        for group, columns in other.features.items():
            mine = features.setdefault(group, {})
            for column, counts in columns.items():
                mine[column] = mine.get(column, Counts())._with(counts, sign)
        alive = {group: columns for group, columns in features.items() if any(c.rows for c in columns.values())}
        ordered = dict(sorted(alive.items(), key=lambda item: (item[0][0], item[0][1] is None, item[0][1] or "")))
        return Profile(self.frame, self.rows + sign * other.rows, ordered, self.cube._with(other.cube, sign))


def total(profiles: Iterable[Profile], frame: str) -> Profile:
    """Return the sum of profiles; of none, the empty profile of the frame."""
    result = Profile(frame)
    for profile in profiles:
        result = result + profile
    return result


@dataclass(frozen=True)
class Cohort:
    """What was known, as of some day, about the payments scored on one day.

    ``labels`` holds the labelled payments only (states fraud and legitimate); ``delays`` counts the
    frauds among them, blocked ones left out, by the days between scoring and their first fraud label.
    """

    labels: Cube = field(default_factory=Cube)
    delays: Mapping[int, int] = field(default_factory=dict)
