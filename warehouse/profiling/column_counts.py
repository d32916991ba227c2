"""Columns counted in this process, as Arrow reads them: numbers by numpy, categories by their dictionaries.

Parquet keeps a text once for many rows, and Arrow hands over its index in that list: counting indexes costs a tenth of
grouping texts in SQL, and adding a slice costs one addition a row. What isn't plain (decimals, dates, texts that hold
numbers) is counted by SQL. The bins are the same: SQL repeats ``Grid.position`` operation by operation, and one suite
compares them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from profiles.bins import Ints
from profiles.schema import ProfileSchema
from warehouse.profiling.binning import NumberBinning, ScratchBuffers, TextBinning, group_binning, level_binning
from warehouse.source import Source
from warehouse.sql import expressions as sql
from warehouse.sql import scan_queries
from warehouse.sql.expressions import TWO_32
from warehouse.sql.statement import StatementRunner

if TYPE_CHECKING:
    import pyarrow as pa

    from warehouse.profiling.assembly import GroupedRows


class RowBatch(NamedTuple):
    """Rows of one day."""

    day: date
    columns: Mapping[str, pa.Array]


class ColumnReader(StatementRunner, Protocol):
    """Reads whole columns into this process; what isn't plain it counts by a statement."""

    def readable(self, source: Source, names: Sequence[str]) -> set[str]:
        """Return the columns that ``batches`` can read."""
        ...

    def batches(self, source: Source, names: Sequence[str]) -> Iterator[RowBatch]:
        """Yield a source's rows, at most BATCH_ROWS at a time."""
        ...


def count_columns(
    schema: ProfileSchema, source: Source, names: Sequence[str], slices: Sequence[str], reader: ColumnReader
) -> Iterator[tuple[str, GroupedRows]]:
    """Yield the rows of ``scan_queries.column_counts_query`` for each column."""
    readable = reader.readable(source, [*names, *slices])
    plain = [name for name in names if name in readable and _is_plain(schema, name, source.columns[name])]
    if not all(name in readable and has_text_levels(source.columns[name]) for name in slices):
        plain = []
    if plain:
        scratch = ScratchBuffers()
        columns = {name: _column_binning(schema, name, scratch) for name in plain}
        tally = _ColumnTally(columns, {name: group_binning(schema.groups[name]) for name in slices})
        for batch in reader.batches(source, list(dict.fromkeys([*plain, *slices]))):
            tally.add(batch)
        for name in plain:
            yield name, tally.rows(name)
    for name in names:
        if name not in plain:
            yield name, reader.arrays(scan_queries.column_counts_query(schema, source, name, slices))


def _is_plain(schema: ProfileSchema, name: str, kind: str) -> bool:
    return is_plain_number(kind) if name in schema.numbers else has_text_levels(kind)


def is_plain_number(kind: str) -> bool:
    """Return whether numpy holds a type's values as they are."""
    return kind in ("DOUBLE", "FLOAT") or sql.is_integer_type(kind)


def has_text_levels(kind: str) -> bool:
    """Return whether ``TextBinning`` writes a type's values as ``expressions.as_level`` does."""
    return kind in ("VARCHAR", "BOOLEAN") or sql.is_integer_type(kind)


def _column_binning(schema: ProfileSchema, name: str, scratch: ScratchBuffers) -> NumberBinning | TextBinning:
    return (
        NumberBinning(schema.numbers[name], scratch)
        if name in schema.numbers
        else level_binning(schema.categories[name])
    )


class _ColumnTally:
    """Rows and sums of columns by day, slice value and bin; without slices everyone is the one value of one."""

    def __init__(self, columns: Mapping[str, NumberBinning | TextBinning], slices: Mapping[str, TextBinning]) -> None:
        self._columns, self._slices = columns, slices
        self._counts: dict[tuple[str, int, int], Ints] = {}
        self._sums: dict[tuple[str, int, int], Ints] = {}

    def add(self, batch: RowBatch) -> None:
        """Add a batch."""
        day = (batch.day - date(1970, 1, 1)).days
        codes = [(of.binned(batch.columns[name]).bin_indexes(), len(of.bins)) for name, of in self._slices.items()]
        for name, column in self._columns.items():
            binned, width = column.binned(batch.columns[name]), len(column.bins)
            for j, (code, groups) in enumerate(codes or [(None, 1)]):
                few = binned.size * groups <= len(binned.at)
                counts, sums = (binned if few else binned.spread(width)).counted(code, groups, width)
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

    def rows(self, name: str) -> GroupedRows:
        """Return one column's counts as rows of ``d, s, g, c, n, high, low``; a group's sum is in its first row."""
        bins, parts = self._columns[name].bins, [np.zeros((7, 0), dtype=np.int64)]
        groups = [texts.bins for texts in self._slices.values()]
        for key, counts in self._counts.items():
            column, day, j = key
            if column != name:
                continue
            code, bin_index = np.divmod(np.flatnonzero(counts), len(bins))
            first = np.diff(code, prepend=-1) != 0
            low, high = np.where(first, self._sums[key][:, code], 0)
            which, group = (np.full_like(code, j), groups[j][code]) if groups else (code - 1, code)
            days, rows = np.full_like(code, day), counts[counts > 0]
            parts.append(np.stack([days, which, group, bins[bin_index], rows, high, low]))
        return dict(zip(("d", "s", "g", "c", "n", "high", "low"), np.concatenate(parts, axis=1), strict=True))
