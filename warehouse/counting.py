"""Columns counted in this process, as Arrow reads them: numbers by numpy, categories by their dictionaries.

Parquet keeps a text once for many rows, and Arrow hands over its place in that list: counting places costs a tenth of
grouping texts in SQL, and adding a slice costs one addition a row. What isn't plain (decimals, dates, texts that hold
numbers) is counted by SQL. The cells are the same: SQL repeats ``Grid.position`` operation by operation, and one suite
compares them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from itertools import repeat
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from warehouse import scans, sql
from warehouse.grid import REST, UNSEEN, Floats, Frame, Grid, Ints, Levels
from warehouse.scans import Statement
from warehouse.source import Source
from warehouse.sql import NONFINITE, NULL_GROUP, NULLS, OTHER_GROUP, TWO_32

if TYPE_CHECKING:
    import pyarrow as pa

    from warehouse.assemble import Rows

Places = npt.NDArray[np.intp]
BATCH_ROWS = 2**16
"""Rows looked at together: few enough for a processor's cache, and for sums of 2^36 to be exact in a double."""
EXACT = 2.0**36
FEW_VALUES = 4096
"""Whole numbers within so short a span are looked up: each value's place is computed once a batch."""


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
        columns = {name: _column(frame, name) for name in plain}
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
    """Return whether ``_texts`` tells a type's values as ``sql.level`` does."""
    return kind in ("VARCHAR", "BOOLEAN") or sql.is_integer(kind)


def _column(frame: Frame, name: str) -> Number | Texts:
    return Number(frame.numbers[name]) if name in frame.numbers else _levels(frame.categories[name])


def _levels(levels: Levels) -> Texts:
    """Return a category's places: its top levels, the rest, the unseen, null."""
    known = dict.fromkeys(levels.seen, len(levels.top)) | {level: i for i, level in enumerate(levels.top)}
    return Texts(known, len(levels.top) + 1, len(levels.top) + 2, [*range(len(levels.top)), REST, UNSEEN, NULLS])


def coded(values: Sequence[str | None]) -> Texts:
    """Return a group column's places: the codes of ``sql.group_code``, from the lowest on."""
    known = {value: i - OTHER_GROUP for i, value in enumerate(v for v in values if v is not None)}
    null = NULL_GROUP - OTHER_GROUP if None in values else 0
    return Texts(known, 0, null, range(OTHER_GROUP, len(known)))


class Texts:
    """The places of a column's texts; ``cells`` says what each place is called."""

    def __init__(self, known: Mapping[str, int], unknown: int, null: int, cells: Sequence[int]) -> None:
        self.cells = np.array(cells, dtype=np.int64)
        self._known, self._unknown, self._null = dict[object, int]([*known.items(), (None, null)]), unknown, null
        self._dictionary: pa.Array | None = None
        self._places = np.zeros(0, dtype=np.intp)

    def places(self, values: pa.Array) -> tuple[Places, None]:
        """Return the place of each value. Batches mostly share one dictionary, which is looked up once."""
        encoded = values if hasattr(values, "dictionary") else values.dictionary_encode()
        if self._dictionary is None or not self._dictionary.equals(encoded.dictionary):
            self._dictionary = encoded.dictionary
            texts = _as_text(encoded.dictionary.to_pylist())
            self._places = np.array([*map(self._known.get, texts, repeat(self._unknown)), self._null], dtype=np.intp)
        at = encoded.indices
        if at.null_count:
            at = at.fill_null(len(self._places) - 1)
        return self._places[at.to_numpy()], None


def _as_text(values: Sequence[object]) -> Sequence[object]:
    if all(isinstance(value, str) for value in values):
        return values
    return [value if value is None else str(value).lower() for value in values]  # whole numbers, true and false


class Number:
    """The places of a number: its grid's cells, then one for what isn't finite, and one for nulls."""

    def __init__(self, grid: Grid) -> None:
        self._grid = grid
        self.cells = np.array([*range(-grid.half, grid.half), NONFINITE, NULLS], dtype=np.int64)

    def places(self, values: pa.Array) -> tuple[Places, Floats]:
        """Return the place of each value, and its whole units."""
        nulls = values.is_null().to_numpy(zero_copy_only=False) if values.null_count else None
        x = values.to_numpy(zero_copy_only=False)
        if len(x) and np.issubdtype(x.dtype, np.signedinteger) and int(x.max()) - int(low := x.min()) < FEW_VALUES:
            cells, units = places(self._grid, np.arange(low, int(x.max()) + 1).astype(np.float64), None)
            return cells[x - low], units[x - low]
        return places(self._grid, x.astype(np.float64, copy=False), nulls)


class _Tally:
    """Rows and sums of columns by day, slice value and place; without slices everyone is the one value of one."""

    def __init__(self, columns: Mapping[str, Number | Texts], slices: Mapping[str, Texts]) -> None:
        self._columns, self._slices = columns, slices
        self._counts: dict[tuple[str, int, int], Ints] = {}
        self._sums: dict[tuple[str, int, int, int], list[int]] = defaultdict(lambda: [0, 0])

    def add(self, batch: Batch) -> None:
        """Add a batch."""
        day = (batch.day - date(1970, 1, 1)).days
        codes = [(texts.places(batch.columns[name])[0], len(texts.cells)) for name, texts in self._slices.items()]
        for name, column in self._columns.items():
            at, units = column.places(batch.columns[name])
            for j, (code, codes_in_all) in enumerate(codes or [(None, 1)]):
                width = len(column.cells)
                counts = np.bincount(at if code is None else at + code * width, minlength=codes_in_all * width)
                key = (name, day, j)
                self._counts[key] = self._counts[key] + counts if key in self._counts else counts
                if units is not None:
                    for half, sums in enumerate(_halved_sums(units, code, codes_in_all)):
                        for each, total in enumerate(sums):
                            self._sums[(*key, each)][half] += int(total)

    def rows(self, name: str) -> Rows:
        """Return one column's counts as rows of ``d, s, g, c, n, high, low``; a group's sum is in its first row."""
        cells, parts = self._columns[name].cells, [np.zeros((7, 0), dtype=np.int64)]
        groups = [texts.cells for texts in self._slices.values()]
        for (column, day, j), counts in self._counts.items():
            if column != name:
                continue
            code, place = np.divmod(np.flatnonzero(counts), len(cells))
            first = np.diff(code, prepend=-1) != 0
            sums = np.zeros((2, len(code)), dtype=np.int64)
            sums[:, first] = np.array([self._sums[name, day, j, each] for each in code[first].tolist()]).T
            which, group = (np.full_like(code, j), groups[j][code]) if groups else (code - 1, code)
            parts.append(np.stack([np.full_like(code, day), which, group, cells[place], counts[counts > 0], *sums]))
        return dict(zip(("d", "s", "g", "c", "n", "high", "low"), np.concatenate(parts, axis=1), strict=True))


def _halved_sums(units: Floats, codes: Places | None, size: int) -> tuple[list[float], list[float]]:
    """Return the exact sums of whole units by code, as high * 2^32 + low; high is only used where they are large."""
    if not len(units) or max(units.max(), -units.min()) < EXACT:
        return [], _sums(units, codes, size)
    units = np.clip(units, -sql.MOST_UNITS, sql.MOST_UNITS)
    high = np.floor(units / TWO_32)
    return _sums(high, codes, size), _sums(units - high * TWO_32, codes, size)


def _sums(values: Floats, codes: Places | None, size: int) -> list[float]:
    return [float(values.sum())] if codes is None else np.bincount(codes, values, size).tolist()


def exact_sums(codes: Places, units: Floats, size: int) -> Ints:
    """Return the exact sums of a batch's whole units by code, where no sum exceeds 64 bits."""
    if not len(units) or units.max() < EXACT:
        return np.bincount(codes, units, size).astype(np.int64)
    high = np.floor(units / TWO_32)
    halves = (np.bincount(codes, half, size).astype(np.int64) for half in (high, units - high * TWO_32))
    return next(halves) * TWO_32 + next(halves)


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
    place += grid.half
    cells = place.astype(np.intp)
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
