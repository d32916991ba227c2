"""Columns counted in this process, as Arrow reads them: numbers by numpy, categories by their dictionaries.

Parquet keeps a text once for many rows, and Arrow hands over its place in that list: counting places costs a tenth of
grouping texts in SQL, and adding a slice costs one addition a row. What isn't plain (decimals, dates, texts that hold
numbers) is counted by SQL. The cells are the same: SQL repeats ``Grid.position`` operation by operation, and one suite
compares them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from warehouse import scans, sql
from warehouse.grid import Frame, Ints
from warehouse.placing import Number, Scratch, Texts, coded, levels
from warehouse.scans import Statement
from warehouse.source import Source
from warehouse.sql import TWO_32

if TYPE_CHECKING:
    import pyarrow as pa

    from warehouse.assemble import Rows


class Batch(NamedTuple):
    """Rows of one day."""

    day: date
    columns: Mapping[str, pa.Array]


class Engine(Protocol):
    """Reads columns, and runs a statement, in this process."""

    def readable(self, source: Source, names: Sequence[str]) -> set[str]:
        """Return the columns that ``batches`` can read."""
        ...

    def batches(self, source: Source, names: Sequence[str]) -> Iterator[Batch]:
        """Yield a source's rows, at most BATCH_ROWS at a time."""
        ...

    def arrays(self, statement: Statement) -> dict[str, Ints]:
        """Run a statement whose columns are whole numbers and return them."""
        ...


def column_counts(
    frame: Frame, source: Source, names: Sequence[str], slices: Sequence[str], engine: Engine
) -> Iterator[tuple[str, Rows]]:
    """Yield the rows of ``scans.column_counts`` for each column."""
    readable = engine.readable(source, [*names, *slices])
    plain = [name for name in names if name in readable and _is_plain(frame, name, source.columns[name])]
    if not all(name in readable and has_texts(source.columns[name]) for name in slices):
        plain = []
    if plain:
        scratch = Scratch()
        columns = {name: _column(frame, name, scratch) for name in plain}
        tally = _Tally(columns, {name: coded(frame.groups[name]) for name in slices})
        for batch in engine.batches(source, list(dict.fromkeys([*plain, *slices]))):
            tally.add(batch)
        for name in plain:
            yield name, tally.rows(name)
    for name in names:
        if name not in plain:
            yield name, engine.arrays(scans.column_counts(frame, source, name, slices))


def _is_plain(frame: Frame, name: str, kind: str) -> bool:
    return is_plain_number(kind) if name in frame.numbers else has_texts(kind)


def is_plain_number(kind: str) -> bool:
    """Return whether numpy holds a type's values as they are."""
    return kind in ("DOUBLE", "FLOAT") or sql.is_integer(kind)


def has_texts(kind: str) -> bool:
    """Return whether ``Texts`` tells a type's values as ``sql.level`` does."""
    return kind in ("VARCHAR", "BOOLEAN") or sql.is_integer(kind)


def _column(frame: Frame, name: str, scratch: Scratch) -> Number | Texts:
    return Number(frame.numbers[name], scratch) if name in frame.numbers else levels(frame.categories[name])


class _Tally:
    """Rows and sums of columns by day, slice value and place; without slices everyone is the one value of one."""

    def __init__(self, columns: Mapping[str, Number | Texts], slices: Mapping[str, Texts]) -> None:
        self._columns, self._slices = columns, slices
        self._counts: dict[tuple[str, int, int], Ints] = {}
        self._sums: dict[tuple[str, int, int], Ints] = {}

    def add(self, batch: Batch) -> None:
        """Add a batch."""
        day = (batch.day - date(1970, 1, 1)).days
        codes = [(of.placed(batch.columns[name]).places(), len(of.cells)) for name, of in self._slices.items()]
        for name, column in self._columns.items():
            placed, width = column.placed(batch.columns[name]), len(column.cells)
            for j, (code, groups) in enumerate(codes or [(None, 1)]):
                few = placed.size * groups <= len(placed.at)
                counts, sums = (placed if few else placed.spread(width)).counted(code, groups, width)
                self._add((name, day, j), counts, sums, groups)

    def _add(self, key: tuple[str, int, int], counts: Ints, sums: Sequence[Ints], groups: int) -> None:
        if key not in self._counts:
            self._counts[key], self._sums[key] = np.zeros_like(counts), np.zeros((2, groups), dtype=np.int64)
        self._counts[key] += counts
        total = self._sums[key]
        for half, own in enumerate(sums):
            total[half] += own
        total[1] += total[0] >> 32  # carried at once, so that no number of batches overflows
        total[0] &= TWO_32 - 1

    def rows(self, name: str) -> Rows:
        """Return one column's counts as rows of ``d, s, g, c, n, high, low``; a group's sum is in its first row."""
        cells, parts = self._columns[name].cells, [np.zeros((7, 0), dtype=np.int64)]
        groups = [texts.cells for texts in self._slices.values()]
        for key, counts in self._counts.items():
            column, day, j = key
            if column != name:
                continue
            code, place = np.divmod(np.flatnonzero(counts), len(cells))
            first = np.diff(code, prepend=-1) != 0
            low, high = np.where(first, self._sums[key][:, code], 0)
            which, group = (np.full_like(code, j), groups[j][code]) if groups else (code - 1, code)
            days, rows = np.full_like(code, day), counts[counts > 0]
            parts.append(np.stack([days, which, group, cells[place], rows, high, low]))
        return dict(zip(("d", "s", "g", "c", "n", "high", "low"), np.concatenate(parts, axis=1), strict=True))
