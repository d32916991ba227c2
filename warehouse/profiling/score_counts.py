"""The score cube counted in this process, as Arrow reads it; what isn't plain is counted by SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from models.spec import Spec
from profiles.bins import Floats, Ints
from profiles.profile import BLOCKED, OPEN
from profiles.schema import ProfileSchema
from warehouse.profiling.binning import (
    BinIndexes,
    NumberBinning,
    ScratchBuffers,
    TextBinning,
    exact_sums,
    group_binning,
)
from warehouse.profiling.column_counts import ColumnReader, has_text_levels, is_plain_number
from warehouse.source import Source
from warehouse.sql import expressions as sql
from warehouse.sql import scan_queries

if TYPE_CHECKING:
    import pyarrow as pa

    from warehouse.profiling.assembly import GroupedRows

STATES = (OPEN, BLOCKED)


def count_scores(
    schema: ProfileSchema, spec: Spec, source: Source, groups: Sequence[str], reader: ColumnReader
) -> GroupedRows:
    """Return the rows of ``scan_queries.score_counts_query``."""
    assert schema.score is not None
    score = spec.score
    numbers = [name for name in (score.column, score.amount) if name and name in source.columns]
    texts = [name for name in (*groups, score.action) if name and name in source.columns]  # pairs are left to SQL
    names = list(dict.fromkeys([*numbers, *texts]))
    plain = all(is_plain_number(source.columns[name]) for name in numbers) and all(
        has_text_levels(source.columns[name]) for name in texts
    )
    if schema.weighted or spec.pairs or not plain or reader.readable(source, names) != set(names):
        return reader.arrays(scan_queries.score_counts_query(schema, spec, source, groups))
    tally = _ScoreTally(schema, spec, groups)
    for batch in reader.batches(source, names):
        tally.add((batch.day - date(1970, 1, 1)).days, batch.columns)
    return tally.rows()


class _ScoreTally:
    """Payments, pence and billionths by day, group value, score bin and state."""

    def __init__(self, schema: ProfileSchema, spec: Spec, groups: Sequence[str]) -> None:
        assert schema.score is not None
        self._spec, self._score = spec.score, NumberBinning(schema.score, ScratchBuffers())
        self._groups = {name: group_binning(schema.groups[name]) for name in groups}
        self._states = TextBinning(dict.fromkeys(spec.score.blocked, 1), 0, 0, STATES)
        self._sums: dict[tuple[int, int], Ints] = {}

    def add(self, day: int, columns: Mapping[str, pa.Array]) -> None:
        """Add a batch of one day."""
        score, amount, action = self._spec.column, self._spec.amount, self._spec.action
        key = self._score.binned(columns[score]).bin_indexes() * len(STATES)
        if action is not None and action in columns:
            key += self._states.binned(columns[action]).bin_indexes()
        money = np.zeros(len(key))
        if amount is not None and amount in columns:
            money = whole_pence(_doubles(columns[amount]))
        share = billionths_of_range(_doubles(columns[score]), *self._spec.range)
        width = len(self._score.bins) * len(STATES)
        groups = [(texts.binned(columns[name]).bin_indexes(), len(texts.bins)) for name, texts in self._groups.items()]
        for j, (codes, size) in enumerate(groups or [(None, 1)]):
            self._add((day, j), key if codes is None else key + codes * width, size * width, money, share)

    def _add(self, key: tuple[int, int], at: BinIndexes, size: int, money: Floats, share: Floats) -> None:
        sums = np.stack([np.bincount(at, minlength=size), exact_sums(at, money, size), exact_sums(at, share, size)])
        self._sums[key] = self._sums[key] + sums if key in self._sums else sums

    def rows(self) -> GroupedRows:
        """Return the rows of ``scan_queries.score_counts_query``."""
        parts = [np.zeros((8, 0), dtype=np.int64)]
        groups = [texts.bins for texts in self._groups.values()]
        for (day, j), sums in self._sums.items():
            at = np.flatnonzero(sums[0])
            rest, state = np.divmod(at, len(STATES))
            code, bin_index = np.divmod(rest, len(self._score.bins))
            which, group = (np.full_like(code, j), groups[j][code]) if groups else (code - 1, code)  # everyone: -1, 0
            named = [np.full_like(at, day), which, group, self._score.bins[bin_index], np.array(STATES)[state]]
            parts.append(np.stack([*named, *sums[:, at]]))
        names = ("d", "s", "g", "c", "state", "n", "pence", "share")
        return dict(zip(names, np.concatenate(parts, axis=1), strict=True))


def whole_pence(amount: Floats) -> Floats:
    """Return ``scan_queries.amount_in_pence`` of amounts: whole pence, 0 where it is negative, null or not finite."""
    most = sql.MOST_PENCE / 100
    with np.errstate(invalid="ignore"):
        whole = np.floor(np.clip(amount, 0, most) * 100 + 0.5)
    return np.where(np.isfinite(amount), whole, 0)


def billionths_of_range(score: Floats, low: float, high: float) -> Floats:
    """Return ``score_in_billionths`` of scores: where they lie in their range; 0 for what isn't finite."""
    with np.errstate(invalid="ignore", over="ignore"):
        position = np.clip((score - low) / (high - low), 0, 1)
    return np.where(np.isfinite(score), np.floor(position * 1e9 + 0.5), 0)


def _doubles(values: pa.Array) -> Floats:
    result: Floats = values.to_numpy(zero_copy_only=False).astype(np.float64, copy=False)
    return result
