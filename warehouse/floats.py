"""Columns counted in this process: floating point numbers by numpy, as DuckDB reads them; the others by SQL.

Numpy does a grid's arithmetic at half the cost of SQL, and adding a slice costs it one addition a row. The cells are
the same: SQL repeats ``Grid.position`` operation by operation, and one suite compares them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

from warehouse import scans, sql
from warehouse.grid import Floats, Frame, Grid, Ints
from warehouse.scans import Statement
from warehouse.source import Source
from warehouse.sql import NONFINITE, NULLS, OTHER_GROUP, TWO_32, Bound, column

if TYPE_CHECKING:
    import pyarrow as pa

    from warehouse.assemble import Rows

Places = npt.NDArray[np.intp]
KINDS = ("DOUBLE", "FLOAT")
BATCH_ROWS = 2**16
"""Rows looked at together: few enough for a processor's cache, and for sums of 2^36 to be exact in a double."""
EXACT = 2.0**36


class Engine(Protocol):
    """Runs a statement in this process."""

    def arrays(self, statement: Statement) -> dict[str, Ints]:
        """Run a statement whose columns are whole numbers and return them."""
        ...

    def batches(self, statement: Statement, rows: int) -> Iterator[pa.RecordBatch]:
        """Run a statement and yield what it finds, so many rows at a time."""
        ...


def column_counts(
    frame: Frame, source: Source, names: Sequence[str], slices: Sequence[str], engine: Engine
) -> Iterator[tuple[str, Rows]]:
    """Yield the rows of ``scans.column_counts`` for each column."""
    floats = [name for name in names if name in frame.numbers and source.columns[name] in KINDS]
    if floats:
        codes = [len(frame.groups[name]) + 2 for name in slices]
        tally = _Tally([frame.numbers[name] for name in floats], codes, source.only_day)
        for batch in engine.batches(_statement(frame, source, floats, slices), BATCH_ROWS):
            tally.add(batch)
        for i, name in enumerate(floats):
            yield name, tally.rows(i)
    for name in names:
        if name not in floats:
            yield name, engine.arrays(scans.column_counts(frame, source, name, slices))


def _statement(frame: Frame, source: Source, names: Sequence[str], slices: Sequence[str]) -> Statement:
    """Read the day number, where rows may be of several days, the code of each slice value from 0, and the numbers."""
    bound = Bound()
    codes = [
        sql.group_code(sql.level(column(name), source.columns[name]), frame.groups[name], bound) for name in slices
    ]
    wanted = [
        *([] if source.only_day else [f"{source.day_number()} AS d"]),
        *(f"CAST({code} - ({OTHER_GROUP}) AS SMALLINT) AS s{j}" for j, code in enumerate(codes)),
        *(f"{sql.number(name, source.columns[name])} AS x{i}" for i, name in enumerate(names)),
    ]
    text = f"SELECT {', '.join(wanted)} FROM {source.scan(bound)}{scans.where(source.wanted(bound))}"
    return Statement(text, bound.values)


class _Tally:
    """Rows and sums of numbers by day, slice value and cell; without slices everyone is the one value of one."""

    def __init__(self, grids: Sequence[Grid], codes: Sequence[int], only_day: date | None) -> None:
        self._only_day = None if only_day is None else (only_day - date(1970, 1, 1)).days
        self._grids, self._codes, self._sliced = grids, codes or [1], bool(codes)
        self._counts: dict[tuple[int, int, int], Ints] = {}
        self._sums: dict[tuple[int, int, int], list[int]] = defaultdict(lambda: [0, 0])

    def add(self, batch: pa.RecordBatch) -> None:
        """Add a batch of days (unless there is only one), codes and numbers."""
        if self._only_day is not None:
            self._add_day(self._only_day, batch.columns)
            return
        days = batch.column(0).to_numpy()
        alike = not len(days) or bool((days == days[0]).all())
        for day in (days[:1] if alike else np.unique(days)).tolist():
            self._add_day(day, (batch if alike else batch.filter(days == day)).columns[1:])

    def _add_day(self, day: int, arrays: Sequence[pa.Array]) -> None:
        codes = [array.to_numpy().astype(np.intp) for array in arrays[: len(arrays) - len(self._grids)]]
        for i, grid in enumerate(self._grids):
            self._add(day, i, grid, arrays[len(codes) + i], codes)

    def _add(self, day: int, i: int, grid: Grid, values: pa.Array, codes: Sequence[Places]) -> None:
        x = values.to_numpy(zero_copy_only=False)
        cells, units = places(grid, x, values.is_null().to_numpy(zero_copy_only=False) if values.null_count else None)
        for j, size in enumerate(self._codes):
            width = 2 * grid.half + 2
            at = cells + codes[j] * width if self._sliced else cells
            counts = np.bincount(at, minlength=size * width)
            key = (day, i, j)
            self._counts[key] = self._counts[key] + counts if key in self._counts else counts
            self._sum(key, units, codes[j] if self._sliced else None, size)

    def _sum(self, key: tuple[int, int, int], units: Floats, codes: Places | None, size: int) -> None:
        """Add up units, exactly: in halves where they are so large that a double can't hold their sum."""
        halves = [np.zeros(0), units]
        if len(units) and max(units.max(), -units.min()) >= EXACT:
            units = np.clip(units, -sql.MOST_UNITS, sql.MOST_UNITS)
            high = np.floor(units / TWO_32)
            halves = [high, units - high * TWO_32]
        for place, half in enumerate(halves):
            if len(half):
                sums = [half.sum()] if codes is None else np.bincount(codes, weights=half, minlength=size).tolist()
                for code, total in enumerate(sums):
                    self._sums[(*key[:2], key[2] * 2**16 + code)][place] += int(total)

    def rows(self, i: int) -> Rows:
        """Return one column's counts as rows of ``d, s, g, c, n, high, low``; a group's sum is in its first row."""
        half = self._grids[i].half
        parts: list[Ints] = []
        for (day, column_, j), counts in self._counts.items():
            if column_ != i:
                continue
            code, cell = np.divmod(np.flatnonzero(counts), 2 * half + 2)
            first = np.diff(code, prepend=-1) != 0
            sums = np.zeros((2, len(code)), dtype=np.int64)
            sums[:, first] = np.array([self._sums[day, i, j * 2**16 + each] for each in code[first].tolist()]).T
            named = np.where(cell < 2 * half, cell - half, np.where(cell == 2 * half, NONFINITE, NULLS))
            slice_ = np.full_like(code, j if self._sliced else -1)
            group = code + OTHER_GROUP if self._sliced else np.zeros_like(code)
            parts.append(np.stack([np.full_like(code, day), slice_, group, named, counts[counts > 0], *sums]))
        whole = np.concatenate(parts, axis=1) if parts else np.zeros((7, 0), dtype=np.int64)
        return dict(zip(("d", "s", "g", "c", "n", "high", "low"), whole, strict=True))


def places(grid: Grid, x: Floats, nulls: npt.NDArray[np.bool_] | None) -> tuple[Places, Floats]:
    """Return the place of each value and its whole units.

    Places count from 0: the cells, then one place for what isn't finite, whose units are 0, and one for nulls.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        whole = bool(np.isfinite(x.sum()))  # cheaper than looking at each; a sum that overflows only costs a look
    finite = np.isfinite(x) if not whole else np.ones(0, dtype=np.bool_)
    if not whole:
        x = np.where(finite, x, grid.centre)
    place = np.asarray(grid.position(x))
    np.floor(place, out=place)
    np.clip(place, -grid.half, grid.half - 1, out=place)
    cells = place.astype(np.intp) + grid.half
    with np.errstate(over="ignore"):
        units = x * grid.per_unit
    units += 0.5
    np.floor(units, out=units)
    if not whole:
        cells[~finite] = 2 * grid.half
        units[~finite] = 0
        if nulls is not None:
            cells[nulls] = 2 * grid.half + 1
    return cells, units
