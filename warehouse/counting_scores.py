"""The score cube counted in this process, as Arrow reads it; what isn't plain is counted by SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from models.spec import Spec
from warehouse import scans, sql
from warehouse.counting import Engine, has_texts, is_plain_number
from warehouse.grid import Floats, Frame, Ints
from warehouse.placing import Number, Places, Scratch, Texts, coded, exact_sums
from warehouse.profile import BLOCKED, OPEN
from warehouse.source import Source

if TYPE_CHECKING:
    import pyarrow as pa

    from warehouse.assemble import Rows

STATES = (OPEN, BLOCKED)


def score_counts(frame: Frame, spec: Spec, source: Source, groups: Sequence[str], engine: Engine) -> Rows:
    """Return the rows of ``scans.score_counts``."""
    assert frame.score is not None
    score = spec.score
    numbers = [name for name in (score.column, score.amount) if name and name in source.columns]
    texts = [name for name in (*groups, score.action) if name and name in source.columns]  # pairs are left to SQL
    names = list(dict.fromkeys([*numbers, *texts]))
    plain = all(is_plain_number(source.columns[name]) for name in numbers) and all(
        has_texts(source.columns[name]) for name in texts
    )
    if frame.weighted or spec.pairs or not plain or engine.readable(source, names) != set(names):
        return engine.arrays(scans.score_counts(frame, spec, source, groups))
    tally = _Tally(frame, spec, groups)
    for batch in engine.batches(source, names):
        tally.add((batch.day - date(1970, 1, 1)).days, batch.columns)
    return tally.rows()


class _Tally:
    """Payments, pence and billionths by day, group value, score cell and state."""

    def __init__(self, frame: Frame, spec: Spec, groups: Sequence[str]) -> None:
        assert frame.score is not None
        self._spec, self._score = spec.score, Number(frame.score, Scratch())
        self._groups = {name: coded(frame.groups[name]) for name in groups}
        self._states = Texts(dict.fromkeys(spec.score.blocked, 1), 0, 0, STATES)
        self._sums: dict[tuple[int, int], Ints] = {}

    def add(self, day: int, columns: Mapping[str, pa.Array]) -> None:
        """Add a batch of one day."""
        score, amount, action = self._spec.column, self._spec.amount, self._spec.action
        key = self._score.placed(columns[score]).places() * len(STATES)
        if action is not None and action in columns:
            key += self._states.placed(columns[action]).places()
        money = np.zeros(len(key))
        if amount is not None and amount in columns:
            money = pence(_doubles(columns[amount]))
        share = billionths(_doubles(columns[score]), *self._spec.range)
        width = len(self._score.cells) * len(STATES)
        groups = [(texts.placed(columns[name]).places(), len(texts.cells)) for name, texts in self._groups.items()]
        for j, (codes, size) in enumerate(groups or [(None, 1)]):
            self._add((day, j), key if codes is None else key + codes * width, size * width, money, share)

    def _add(self, key: tuple[int, int], at: Places, size: int, money: Floats, share: Floats) -> None:
        sums = np.stack([np.bincount(at, minlength=size), exact_sums(at, money, size), exact_sums(at, share, size)])
        self._sums[key] = self._sums[key] + sums if key in self._sums else sums

    def rows(self) -> Rows:
        """Return the rows of ``scans.score_counts``."""
        parts = [np.zeros((8, 0), dtype=np.int64)]
        groups = [texts.cells for texts in self._groups.values()]
        for (day, j), sums in self._sums.items():
            at = np.flatnonzero(sums[0])
            rest, state = np.divmod(at, len(STATES))
            code, cell = np.divmod(rest, len(self._score.cells))
            which, group = (np.full_like(code, j), groups[j][code]) if groups else (code - 1, code)  # everyone: -1, 0
            named = [np.full_like(at, day), which, group, self._score.cells[cell], np.array(STATES)[state]]
            parts.append(np.stack([*named, *sums[:, at]]))
        names = ("d", "s", "g", "c", "state", "n", "pence", "share")
        return dict(zip(names, np.concatenate(parts, axis=1), strict=True))


def pence(amount: Floats) -> Floats:
    """Return ``scans.pence`` of amounts in GBP: whole pence, 0 where it is negative, null or not finite."""
    most = sql.MOST_PENCE / 100
    with np.errstate(invalid="ignore"):
        whole = np.floor(np.clip(amount, 0, most) * 100 + 0.5)
    return np.where(np.isfinite(amount), whole, 0)


def billionths(score: Floats, low: float, high: float) -> Floats:
    """Return ``scans.share`` of scores: where they lie in their range, in billionths; 0 for what isn't finite."""
    with np.errstate(invalid="ignore", over="ignore"):
        place = np.clip((score - low) / (high - low), 0, 1)
    return np.where(np.isfinite(score), np.floor(place * 1e9 + 0.5), 0)


def _doubles(values: pa.Array) -> Floats:
    result: Floats = values.to_numpy(zero_copy_only=False).astype(np.float64, copy=False)
    return result
