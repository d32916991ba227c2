"""Counts of columns: one by one as they are read, and as a few arrays as they are stored and added up."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from profiles.bins import Ints

Group = tuple[str, str | None]
"""A slice or protected column and one of its values; ``EVERYONE`` is the whole population."""
GroupColumn = tuple[Group, str]
"""A group and a column."""
_Part = TypeVar("_Part")
BigInts = npt.NDArray[np.object_]
"""Integers of any size: a total may exceed 64 bits."""
NarrowInts = npt.NDArray[np.signedinteger]
_BEYOND_ANY_BIN = 2**40
"""Beyond any bin number."""


class BinCounts(Mapping[int, int]):
    """Rows by bin, as stored: two arrays, bins in order and their rows. A dict is made for those who look one up.

    A window of 90 days has millions of bins; as arrays they take a fifth of the time and memory of dicts.
    """

    def __init__(self, bins: Ints, rows: Ints) -> None:
        self.bins, self.rows = bins, rows

    @classmethod
    def of(cls, bins: Mapping[int, int]) -> BinCounts:
        """Return rows by bin as arrays.

        Args:
            bins: rows by bin number, in any order.
        Returns:
            The same counts in order of bin; the mapping itself where it is one already.
        Example:
            >>> BinCounts.of({3: 7, -1: 2}).bins.tolist()
            [-1, 3]
        """
        if isinstance(bins, cls):
            return bins
        found = np.array(sorted(bins.items()), dtype=np.int64).reshape(-1, 2)
        return cls(found[:, 0], found[:, 1])

    @cached_property
    def _by_bin(self) -> dict[int, int]:
        return dict(zip(self.bins.tolist(), self.rows.tolist(), strict=True))

    def __getitem__(self, bin_number: int) -> int:
        return self._by_bin[bin_number]

    def __iter__(self) -> Iterator[int]:
        return iter(self._by_bin)

    def __len__(self) -> int:
        return len(self.bins)

    def __repr__(self) -> str:
        return repr(self._by_bin)


@dataclass(frozen=True)
class Counts:
    """One column's counts: ``rows == nulls + nonfinite + sum(bins)``.

    ``bins`` maps bin number to rows, without zeros; ``total`` is the fixed-point sum of finite values in the grid's
    unit, and of a score that of where it lies in its range, in billionths.
    """

    nulls: int = 0
    nonfinite: int = 0
    total: int = 0
    bins: Mapping[int, int] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """Return all rows, nulls and non-finite values included."""
        return self.nulls + self.nonfinite + self.finite

    @property
    def finite(self) -> int:
        """Return the rows that have a bin."""
        return int(BinCounts.of(self.bins).rows.sum())

    def __add__(self, other: Counts) -> Counts:
        return _sum_counts([(1, self), (1, other)])

    def __sub__(self, other: Counts) -> Counts:
        return _sum_counts([(1, self), (-1, other)])


class PackedCounts(Mapping[Group, Mapping[str, Counts]]):
    """The counts of many columns of many groups as a few arrays; a group's counts are made for those who ask.

    ``names`` are group and column of each, those of a group together (a group may have none); ``totals`` has a row of
    nulls, nonfinite and total, and ``sizes`` how many of ``bins`` and ``rows`` are its own; these are integers of any
    width, as they were stored.
    """

    def __init__(
        self,
        groups: Iterable[Group],
        names: Sequence[GroupColumn],
        totals: BigInts,
        sizes: Ints,
        bins: NarrowInts,
        rows: NarrowInts,
    ) -> None:
        self.names, self.totals, self.sizes, self.bins, self.rows = names, totals, sizes, bins, rows
        self._groups, self._made = groups, dict[Group, dict[str, Counts]]()

    @classmethod
    def of(cls, features: Mapping[Group, Mapping[str, Counts]]) -> PackedCounts:
        """Return counts as a few arrays.

        Args:
            features: counts by group and column.
        Returns:
            The same counts in the same order; the mapping itself where it is packed already.
        """
        if isinstance(features, cls):
            return features
        names = [(group, column) for group, columns in features.items() for column in columns]
        every = [counts for columns in features.values() for counts in columns.values()]
        own = [BinCounts.of(counts.bins) for counts in every]
        empty = [np.zeros(0, dtype=np.int64)]
        totals = np.array([(each.nulls, each.nonfinite, each.total) for each in every], dtype=object).reshape(-1, 3)
        sizes = np.array([len(each) for each in own], dtype=np.int64)
        bins, rows = (np.concatenate(empty + part) for part in ([c.bins for c in own], [c.rows for c in own]))
        return cls(features, names, totals, sizes, bins, rows)

    @cached_property
    def _spans(self) -> dict[Group, tuple[int, int]]:
        spans = dict.fromkeys(self._groups, (0, 0))
        for i, (group, _) in enumerate(self.names):
            first, last = spans[group]
            spans[group] = (first if last else i, i + 1)
        return spans

    @cached_property
    def bounds(self) -> Ints:
        """Return where in ``bins`` each column's begin, and where the last one's end: (columns + 1)."""
        return np.concatenate([[0], np.cumsum(self.sizes)])

    def __getitem__(self, group: Group) -> Mapping[str, Counts]:
        if group not in self._made:
            first, last = self._spans[group]
            bounds, own = self.bounds[first : last + 1].tolist(), (self.bins, self.rows)
            self._made[group] = {
                column: Counts(nulls, nonfinite, total, BinCounts(*(each[start:end].astype(np.int64) for each in own)))
                for (_, column), (nulls, nonfinite, total), start, end in zip(
                    self.names[first:last], self.totals[first:last].tolist(), bounds[:-1], bounds[1:], strict=True
                )
            }
        return self._made[group]

    def __repr__(self) -> str:
        return repr(dict(self))

    def __iter__(self) -> Iterator[Group]:
        return iter(self._spans)

    def __len__(self) -> int:
        return len(self._spans)


class LazyArrays(Mapping[Group, Ints]):
    """Arrays by group that are made when one is first asked for."""

    def __init__(self, make: Callable[[], dict[Group, Ints]]) -> None:
        self._make = make

    @cached_property
    def _made(self) -> dict[Group, Ints]:
        return self._make()

    def __getitem__(self, group: Group) -> Ints:
        return self._made[group]

    def __iter__(self) -> Iterator[Group]:
        return iter(self._made)

    def __len__(self) -> int:
        return len(self._made)


def sort_groups(groups: Mapping[Group, _Part]) -> dict[Group, _Part]:
    """Return groups in their one order: by column, then by value with null last.

    Args:
        groups: anything by group.
    Returns:
        The same items, ordered.
    """
    return dict(sorted(groups.items(), key=lambda item: (item[0][0], item[0][1] is None, item[0][1] or "")))


def _sum_counts(parts: Sequence[tuple[int, Counts]]) -> Counts:
    """Return the signed sum of counts, its bins in order and without zeros."""
    return Counts(
        sum(sign * counts.nulls for sign, counts in parts),
        sum(sign * counts.nonfinite for sign, counts in parts),
        sum(sign * counts.total for sign, counts in parts),
        sum_bin_counts([(sign, counts.bins) for sign, counts in parts]),
    )


def sum_bin_counts(parts: Sequence[tuple[int, Mapping[int, int]]]) -> BinCounts:
    """Return the signed sum of rows by bin.

    Args:
        parts: pairs of a sign (1 or -1) and rows by bin; a negative sum is kept.
    Returns:
        The sum in order of bin, without zeros.
    Example:
        >>> sum_bin_counts([(1, {0: 5, 2: 1}), (-1, {2: 1})])
        {0: 5}
    """
    bins = [BinCounts.of(own) for _, own in parts]
    signed = [own.rows if sign > 0 else -own.rows for own, (sign, _) in zip(bins, parts, strict=True)]
    bin_numbers = np.concatenate([own.bins for own in bins])
    lowest = int(bin_numbers.min()) if len(bin_numbers) else 0
    sums = np.zeros(int(bin_numbers.max()) - lowest + 1 if len(bin_numbers) else 0, dtype=np.int64)
    np.add.at(sums, bin_numbers - lowest, np.concatenate(signed))
    left = np.flatnonzero(sums)
    return BinCounts(left + lowest, sums[left])


def sum_packed_counts(parts: Sequence[tuple[int, PackedCounts]]) -> PackedCounts:
    """Return the signed sum of counts.

    All bins that any part has lie in one array, column after column, into which each part is added.

    Args:
        parts: pairs of a sign (1 or -1) and packed counts.
    Returns:
        The sum; a column of which nothing is left is left out.
    """
    of_group: dict[Group, dict[GroupColumn, None]] = {}
    for name in dict.fromkeys(name for _, own in parts for name in own.names):
        of_group.setdefault(name[0], {})[name] = None
    names = [name for mine in sort_groups(of_group).values() for name in mine]
    index_of = {name: i for i, name in enumerate(names)}
    at = [np.array([index_of[name] for name in own.names], dtype=np.intp) for _, own in parts]
    lowest, highest = np.full(len(names), _BEYOND_ANY_BIN), np.full(len(names), -_BEYOND_ANY_BIN)
    for (_, own), where in zip(parts, at, strict=True):
        filled = own.sizes > 0
        here, ends = where[filled], own.bounds[1:][filled]
        lowest[here] = np.minimum(lowest[here], own.bins[ends - own.sizes[filled]])
        highest[here] = np.maximum(highest[here], own.bins[ends - 1])
    ends = np.cumsum(np.maximum(highest - lowest + 1, 0))
    shift = ends - np.maximum(highest - lowest + 1, 0) - lowest
    sums, totals = np.zeros(ends[-1] if len(ends) else 0, dtype=np.int64), np.zeros((len(names), 3), dtype=object)
    for (sign, own), where in zip(parts, at, strict=True):
        bins = np.repeat(shift[where], own.sizes) + own.bins
        if sign > 0:
            sums[bins] += own.rows
            totals[where] += own.totals
        else:
            sums[bins] -= own.rows
            totals[where] -= own.totals
    left = np.flatnonzero(sums)
    which = np.searchsorted(ends, left, side="right")
    sizes = np.bincount(which, minlength=len(names)).astype(np.int64)
    some = (sizes > 0) | totals.astype(bool).any(axis=1)
    names = [name for name, is_left in zip(names, some.tolist(), strict=True) if is_left]
    groups = dict.fromkeys(group for group, _ in names)
    return PackedCounts(groups, names, totals[some], sizes[some], left - shift[which], sums[left])
