"""Where the values of a batch are counted: numbers by their grid, texts by their index in Arrow's dictionary.

A value is looked up once for many rows wherever that can be: the rows of each key are counted first, and only then
put into their bin. Numpy works in place on batches that fit into a processor's cache, for moving eight megabytes
through memory costs more than computing with them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import repeat
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from profiles.bins import REST, UNSEEN, Floats, Grid, Ints, Levels
from warehouse.sql import expressions as sql
from warehouse.sql.expressions import NONFINITE, NULL_GROUP, NULLS, OTHER_GROUP, TWO_32

if TYPE_CHECKING:
    import pyarrow as pa

BinIndexes = npt.NDArray[np.intp]
BATCH_ROWS = 2**15
"""Rows looked at together: few enough for a processor's cache, and for sums of 2^36 to be exact in a double."""
EXACT_BELOW = 2.0**36
FEW_VALUES = 4096
"""Whole numbers within so short a span are keys: each value's bin is computed once a batch."""


class BinnedBatch(NamedTuple):
    """A batch of one column: each row's key ``at``, below ``size``, and ``where`` the rows of each key are counted.

    Without ``where`` a key is an index into the column's ``bins``. ``units`` are whole units of each row, or of each
    key: none, or all of them, or, where they are large, what is below 2^32 and then what is above, over 2^32.
    """

    at: npt.NDArray[np.integer]
    size: int
    where: BinIndexes | None = None
    units: Sequence[Floats] = ()

    def bin_indexes(self) -> BinIndexes:
        """Return the bin index of each row."""
        return np.asarray(self.at if self.where is None else self.where[self.at], dtype=np.intp)

    def counted(self, codes: BinIndexes | None, groups: int, width: int) -> tuple[Ints, list[Ints]]:
        """Return rows by group and bin index (of ``width``), and units by group; ``codes`` gives each row's group."""
        at = self.at if codes is None else codes * self.size + self.at
        rows = np.bincount(at, minlength=groups * self.size)
        if self.where is None:
            if codes is None:
                return rows, [np.array([part.sum()]).astype(np.int64) for part in self.units]
            return rows, [np.bincount(codes, part, groups).astype(np.int64) for part in self.units]
        used = np.flatnonzero(rows)
        code, key = np.divmod(used, self.size)
        rows = rows[used]
        sums = [np.bincount(code, rows * part[key], groups) for part in self.units]
        binned = np.bincount(code * width + self.where[key], rows, groups * width)
        return binned.astype(np.int64), [each.astype(np.int64) for each in sums]

    def spread(self, width: int) -> BinnedBatch:
        """Return the same with bin indexes for keys, for where there are more keys than rows."""
        if self.where is None:
            return self
        return BinnedBatch(self.bin_indexes(), width, None, [part[self.at] for part in self.units])


class TextBinning:
    """The bins of a column's texts; ``bins`` holds the number of each, by index."""

    def __init__(self, known: Mapping[str, int], unknown: int, null: int, bins: Sequence[int]) -> None:
        self.bins = np.array(bins, dtype=np.int64)
        self._known, self._unknown, self._null = dict[object, int]([*known.items(), (None, null)]), unknown, null
        self._dictionary: pa.Array | None = None
        self._bin_indexes = np.zeros(0, dtype=np.intp)

    def binned(self, values: pa.Array) -> BinnedBatch:
        """Return the batch by its dictionary's keys. Batches mostly share one, which is looked up once."""
        encoded = values if hasattr(values, "dictionary") else values.dictionary_encode()
        if self._dictionary is None or not self._dictionary.equals(encoded.dictionary):
            self._dictionary = encoded.dictionary
            texts = _as_text(encoded.dictionary.to_pylist())
            self._bin_indexes = np.array(
                [*map(self._known.get, texts, repeat(self._unknown)), self._null], dtype=np.intp
            )
        at, missing = _numbers_and_nulls(encoded.indices)
        if len(missing):
            at = at.copy()
            at[missing] = len(self._bin_indexes) - 1
        return BinnedBatch(at, len(self._bin_indexes), self._bin_indexes)


def level_binning(of: Levels) -> TextBinning:
    """Return a category's bins: its top levels, the rest, the unseen, null."""
    known = dict.fromkeys(of.seen, len(of.top)) | {level: i for i, level in enumerate(of.top)}
    return TextBinning(known, len(of.top) + 1, len(of.top) + 2, [*range(len(of.top)), REST, UNSEEN, NULLS])


def group_binning(values: Sequence[str | None]) -> TextBinning:
    """Return a group column's bins: the codes of ``expressions.group_code``, from the lowest on."""
    known = {value: i - OTHER_GROUP for i, value in enumerate(v for v in values if v is not None)}
    null = NULL_GROUP - OTHER_GROUP if None in values else 0
    return TextBinning(known, 0, null, range(OTHER_GROUP, len(known)))


def _as_text(values: Sequence[object]) -> Sequence[object]:
    if not values or isinstance(values[0], str):  # an Arrow array has one type, and a dictionary no nulls
        return values
    return [value if value is None else str(value).lower() for value in values]  # whole numbers, true and false


class ScratchBuffers:
    """Memory that columns use one after the other: each with its own would push the others' out of the cache."""

    def __init__(self) -> None:
        self.position, self.units = np.empty(BATCH_ROWS), np.empty(BATCH_ROWS)
        self.at = np.empty(BATCH_ROWS, dtype=np.intp)


class NumberBinning:
    """The bins of a number: its grid's bins, then one for what isn't finite, and one for nulls.

    What it returns of a batch stands until the scratch is used again.
    """

    def __init__(self, grid: Grid, scratch: ScratchBuffers) -> None:
        self._grid, self._scratch = grid, scratch
        self.bins = np.array([*range(-grid.half, grid.half), NONFINITE, NULLS], dtype=np.int64)

    def binned(self, values: pa.Array) -> BinnedBatch:
        """Return the batch by its values where they are few whole numbers, and else by bin index."""
        x, missing = _numbers_and_nulls(values)
        if len(x) and np.issubdtype(x.dtype, np.signedinteger):
            low, high = int(x.min()), int(x.max())
            if high - low < FEW_VALUES:
                return self._by_value(x, low, high, missing)
        found = self._of_floats(x.astype(np.float64, copy=False), self._scratch.at[: len(x)])
        found.at[missing] = len(self.bins) - 1
        for part in found.units:
            part[missing] = 0
        return found

    def _by_value(self, x: npt.NDArray[np.signedinteger], low: int, high: int, missing: BinIndexes) -> BinnedBatch:
        key = np.subtract(x, low, out=self._scratch.at[: len(x)], dtype=np.intp)
        key[missing] = high - low + 1
        span = np.arange(low, high + 1)
        each = self._of_floats(span.astype(np.float64), np.empty_like(span))
        where = np.append(each.at, len(self.bins) - 1)
        return BinnedBatch(key, len(where), where, [np.append(part, 0) for part in each.units])

    def _of_floats(self, x: Floats, at: BinIndexes) -> BinnedBatch:
        """Write the bin indexes of doubles into ``at``."""
        grid, bin_position, units = self._grid, self._scratch.position[: len(x)], self._scratch.units[: len(x)]
        other: BinIndexes | None = None
        largest = max(-x.min(), x.max()) if len(x) else np.float64(0)
        if not np.isfinite(largest):  # a nan makes either end nan
            other = np.flatnonzero(~np.isfinite(x))
            x = x.copy()
            x[other] = grid.centre
            largest = np.abs(x).max()
        grid.position(x, out=bin_position)
        np.floor(bin_position, out=bin_position)
        np.clip(bin_position, -grid.half, grid.half - 1, out=bin_position)
        np.add(bin_position, grid.half, out=at, casting="unsafe")
        with np.errstate(over="ignore"):
            np.multiply(x, grid.per_unit, out=units)
            large = largest * grid.per_unit + 1 >= EXACT_BELOW
        units += 0.5
        np.floor(units, out=units)
        if other is not None:
            at[other] = 2 * grid.half
            units[other] = 0
        return BinnedBatch(at, len(self.bins), None, _split_units(units) if large else [units])


def _numbers_and_nulls(values: pa.Array) -> tuple[npt.NDArray[Any], BinIndexes]:
    """Return numbers as they lie in memory, and where there are nulls, whose numbers mean nothing."""
    if not values.null_count:
        return values.to_numpy(zero_copy_only=False), np.zeros(0, dtype=np.intp)
    valid, numbers = values.buffers()
    plain = type(values).from_buffers(values.type, len(values), [None, numbers], 0, values.offset)
    first, skip = divmod(values.offset, 8)
    bits = np.unpackbits(np.frombuffer(valid, np.uint8)[first:], bitorder="little", count=skip + len(values))[skip:]
    return plain.to_numpy(), np.flatnonzero(bits == 0)


def _split_units(units: Floats) -> list[Floats]:
    """Return whole units as what is below 2^32 and what is above."""
    units = np.clip(units, -sql.MOST_UNITS, sql.MOST_UNITS)
    high = np.floor(units / TWO_32)
    return [units - high * TWO_32, high]


def exact_sums(codes: BinIndexes, units: Floats, size: int) -> Ints:
    """Return the exact sums of a batch's whole units by code, where no sum exceeds 64 bits."""
    if not len(units) or units.max() < EXACT_BELOW:
        return np.bincount(codes, units, size).astype(np.int64)
    low, high = (np.bincount(codes, half, size).astype(np.int64) for half in _split_units(units))
    return high * TWO_32 + low
