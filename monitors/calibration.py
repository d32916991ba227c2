"""What each statistic usually is, learned once from the days of a baseline: each day against the other days."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import TypeVar

import numpy as np

from models.spec import Spec
from monitors import daily, nulls, references
from monitors.bins import deciles, places
from monitors.comparisons import spread_of
from monitors.nulls import Null, angle
from monitors.references import Kind, Reference
from warehouse.grid import Floats, Frame, Grid, Ints, Levels
from warehouse.profile import EVERYONE, Cells, Counts, Group, Profile

NUMBER = ("psi", "jensen_shannon", "wasserstein", "ks", "null_share", "nonfinite_share", "scale_ratio")
SCORE = (*NUMBER[:-1], "top_score_share", "top_score_psi")
CATEGORY = ("psi", "jensen_shannon", "null_share", "unseen_share")
IN_SLICES = ("psi", "wasserstein", "null_share", "unseen_share")
"""Metrics that are also measured in each slice, where they apply."""

_Rows = TypeVar("_Rows", Ints, Floats)

LEAST_ROWS = 20
"""A baseline day with fewer rows of a column or group teaches nothing about it."""
LEAST_IN_A_BIN = 5.0
"""Levels that expect fewer rows than this on a usual day are pooled for PSI."""
TOP_SHARE = 0.01
TOP_BINS = 4
NULLS, NONFINITE, CELLS = 0, 1, 2
"""Places in a column's vector: rows without a value, values not finite, and from the third on its cells."""


@dataclass(frozen=True)
class Learned:
    """What the baseline says of one column in one group.

    ``rows`` are the baseline's, ``mean`` is of its finite values in the grid's unit, ``spread`` their standard
    deviation. ``bins`` (cells) are those of PSI, ``top`` the score's first cell above its 99 % point, ``top_bins`` the
    bins from there on. ``blended`` says that levels never seen count as rare ones in distances: they are no news where
    rare levels come and go, and ``fresh_share`` of a day's rows is then expected to be of them.
    """

    cells: Grid | Levels
    rows: int
    mean: float
    spread: float
    reference: Reference
    bins: Ints
    nulls: Mapping[str, Null]
    widest_scale: float = 1.0
    blended: bool = False
    fresh_share: float = 0.0
    top: int | None = None
    top_bins: Ints | None = None

    @cached_property
    def coarse(self) -> Ints:
        """Return the bin of each place of a column's vector: nulls, not finite, then those of PSI."""
        return np.concatenate([[NULLS, NONFINITE], self.bins + CELLS])

    def vector(self, counts: Counts) -> Ints:
        """Return a column's rows: nulls, not finite, then by cell."""
        return vector(self.cells, counts)

    def places_of(self, rows: _Rows) -> _Rows:
        """Return the cells (last axis) of a vector, or of one for each day, as distances compare them."""
        return _blended(rows[..., CELLS:]) if self.blended else rows[..., CELLS:]


@dataclass(frozen=True)
class Calibration:
    """What the days of a baseline say of every column and group, and the sum of the days' rows."""

    days: int
    learned: Mapping[tuple[Group, str], Learned]


def columns(spec: Spec, frame: Frame) -> Iterator[tuple[str, str, Grid | Levels, tuple[str, ...]]]:
    """Yield the monitor, name, cells and metrics of each column."""
    yield from (("drift", name, grid, NUMBER) for name, grid in frame.numbers.items())
    yield from (("drift", name, levels, CATEGORY) for name, levels in frame.categories.items())
    if frame.score is not None:
        yield "score", spec.score.column, frame.score, SCORE


def learn(spec: Spec, frame: Frame, baseline: Mapping[date, Profile]) -> Calibration:
    """Learn from the profiles of a baseline's days; days left out of it (events, exclusions) aren't among them.

    For each column, of everyone and of each slice: what a day is compared with (all days, the same weekdays, a
    trend), and for each statistic the distribution that the days have, each against the others.
    """
    learned: dict[tuple[Group, str], Learned] = {}
    groups = dict.fromkeys(group for profile in baseline.values() for group in profile.features)
    slices = [group for group in groups if group != EVERYONE and group[0] in frame.slices]
    for _, name, cells, metrics in columns(spec, frame):
        kind, since = None, None
        for group in (EVERYONE, *slices):
            if group[0] == name:
                continue
            own = {day: mine[name] for day, one in baseline.items() if name in (mine := one.features.get(group, {}))}
            wanted = metrics if group == EVERYONE else tuple(metric for metric in metrics if metric in IN_SLICES)
            found = _learn(cells, own, wanted, kind, since)
            if found is not None:
                kind, since = kind or found.reference.kind, since or found.reference.start
                learned[group, name] = found
    return Calibration(len(baseline), learned)


def vector(cells: Grid | Levels, counts: Counts) -> Ints:
    """Return a column's rows: nulls, not finite, then by cell."""
    size, shift = (2 * cells.half, cells.half) if isinstance(cells, Grid) else (len(cells.top) + 2, 0)
    result, own = np.zeros(CELLS + size, dtype=np.int64), Cells.of(counts.cells)
    result[NULLS], result[NONFINITE] = counts.nulls, counts.nonfinite
    result[CELLS:][own.cells + shift] = own.rows  # UNSEEN and REST index from the end
    return result


def _learn(
    cells: Grid | Levels, by_day: Mapping[date, Counts], metrics: Sequence[str], kind: Kind | None, since: date | None
) -> Learned | None:
    rows = {day: vector(cells, counts) for day, counts in by_day.items()}
    enough = {day: own for day, own in rows.items() if own.sum() >= LEAST_ROWS and (since is None or day >= since)}
    if not enough:
        return None
    days, counts = list(enough), np.array(list(enough.values()))
    together = counts.sum(axis=0)
    typical = float(np.median(counts[:, CELLS:].sum(axis=1)))
    blended = isinstance(cells, Levels) and bool(together[-1])
    inner = _blended(together[CELLS:]) if blended else together[CELLS:]
    bins = deciles(inner) if isinstance(cells, Grid) and inner.any() else _level_bins(inner, typical)
    if kind is None:
        coarse = np.concatenate([[NULLS, NONFINITE], bins + CELLS])
        binned = daily.binned_days(counts, coarse)
        kind = references.choose(days, binned)
        if first := references.settled(kind, days, binned):
            return _learn(cells, by_day, metrics, None, days[first])
    kind = kind if references.usable(kind, days) else Kind.LEVEL
    finite, total = int(together[CELLS:].sum()), sum(by_day[day].total for day in days)
    spread = spread_of(inner / finite, places(cells)) if isinstance(cells, Grid) and finite else 1.0
    top, top_bins = _top(inner) if "top_score_share" in metrics else (None, None)
    found = Learned(
        cells, int(together.sum()), total / finite if finite else 0.0, spread,
        references.fit(kind, days, counts), bins, {}, _widest_scale(cells, counts[:, CELLS:]),
        blended, _fresh_share(cells, together), top, top_bins,
    )  # fmt: skip
    return replace(found, nulls=_nulls(found, days, counts, metrics))


def _nulls(found: Learned, days: Sequence[date], counts: Ints, metrics: Sequence[str]) -> dict[str, Null]:
    """Return the distribution of each metric on the baseline's days, where there are enough."""
    if len(days) < nulls.LEAST_DAYS:
        return {}
    kind, terms = found.reference.kind, found.reference.inverse.shape[0]
    shares, rows_before = references.leave_one_out(kind, days, counts)
    rows = counts.sum(axis=1)
    result: dict[str, Null] = {}
    for metric, place in (("null_share", NULLS), ("nonfinite_share", NONFINITE)):
        if metric in metrics:
            gaps = angle(counts[:, place] / rows) - angle(shares[:, place])
            result[metric] = nulls.of_shares(gaps, (rows, rows_before), terms, counts[:, place] / rows)
    finite = counts[:, CELLS:].sum(axis=1)
    told = (finite >= LEAST_ROWS) & (shares[:, CELLS:].sum(axis=1) * rows_before >= LEAST_ROWS)
    if told.sum() < nulls.LEAST_DAYS:
        return result
    today = found.places_of(counts[told]).astype(np.float64)
    before = found.places_of(shares[told]) * rows_before[told][:, None]
    for metric in metrics:
        if metric in daily.SQUARES:
            result[metric] = _distance_null(metric, found, today, before, terms)
    if found.top is not None and found.top_bins is not None:
        result |= _top_nulls(found.top, found.top_bins, today, before, terms)
    return result


def _distance_null(metric: str, found: Learned, today: Floats, before: Floats, terms: int) -> Null:
    if metric == "psi":
        today, before = (daily.binned_days(side, found.bins) for side in (today, before))
    together = before.sum(axis=0)
    steps = daily.steps(found.cells, together) if metric == "wasserstein" else None
    squares = daily.SQUARES[metric](today, before, steps)
    rows = today.sum(axis=1), before.sum(axis=1)
    chance, freedom = daily.chance(metric, together, steps)
    plain = squares if metric == "psi" else np.sqrt(squares)
    return nulls.of_distances(squares, rows, chance, freedom, terms, plain)


def _top_nulls(top: int, bins: Ints, today: Floats, before: Floats, terms: int) -> dict[str, Null]:
    """Return the distributions of the share of scores above the baseline's 99 % point, and of the shape there."""
    rows = today.sum(axis=1), before.sum(axis=1)
    above, above_before = (side[:, top:].sum(axis=1) / side.sum(axis=1) for side in (today, before))
    gaps = angle(above) - angle(above_before)
    result = {
        "top_score_share": nulls.of_shares(gaps, rows, terms, above),
        "top_score_share_fall": nulls.of_shares(-gaps, rows, terms, above),
    }
    a, b = (daily.binned_days(side[:, top:], bins) for side in (today, before))
    told = (a.sum(axis=1) >= LEAST_ROWS) & (b.sum(axis=1) >= LEAST_ROWS)
    if told.sum() >= nulls.LEAST_DAYS:
        a, b = a[told], b[told]
        squares = daily.psi(a, b, None)
        rows = a.sum(axis=1), b.sum(axis=1)
        freedom = max(1.0, float(np.count_nonzero(b.sum(axis=0))) - 1)
        result["top_score_psi"] = nulls.of_distances(squares, rows, freedom, freedom, terms, squares)
    return result


def _blended(cells: _Rows) -> _Rows:
    """Return the cells (last axis) of a category with the levels never seen counted among the rare ones."""
    result = cells.copy()
    result[..., -1] += result[..., -2]
    result[..., -2] = 0
    return result


def _level_bins(inner: Ints, typical: float) -> Ints:
    """Return a bin for each level that a usual day has at least five rows of, and one for the rest."""
    if not inner.any():
        return np.zeros(len(inner), dtype=np.int64)
    rare = (inner / inner.sum() * typical < LEAST_IN_A_BIN) & (inner > 0)
    rare[-1] |= bool(rare.any())
    bins = np.arange(len(inner))
    bins[rare] = len(inner) - 1
    return bins


def _fresh_share(cells: Grid | Levels, together: Ints) -> float:
    """Return the share of rows to expect in levels never seen (Good-Turing: levels seen once, over all rows).

    Of the rare levels only their number and rows are known; if rows per level are geometric, the levels seen once are
    the number of levels over their mean.
    """
    if isinstance(cells, Grid) or not together[-1]:
        return 0.0
    rare_levels = max(0, len(cells.seen) - len(cells.top))
    return min(1.0, rare_levels / int(together[-1])) * rare_levels / float(together[CELLS:].sum())


def _widest_scale(cells: Grid | Levels, days: Ints) -> float:
    """Return the largest ratio, either way, of a baseline day's median to that of all days; infinite across signs."""
    if isinstance(cells, Levels) or not days.any():
        return 1.0
    where = places(cells)
    through = np.cumsum(np.vstack([days[days.any(axis=1)], days.sum(axis=0)]), axis=1)
    medians = where[(through >= through[:, -1:] / 2).argmax(axis=1)]
    ratios = medians[:-1] / medians[-1] if medians[-1] else np.ones(len(medians) - 1)
    either_way = np.maximum(ratios, 1 / np.where(ratios > 0, ratios, 1))
    return float(np.max(np.where(ratios > 0, either_way, np.inf)))


def _top(inner: Ints) -> tuple[int, Ints] | tuple[None, None]:
    """Return the first cell above the 99 % point, and the bins from there on; None where too few are above it."""
    above = np.cumsum(inner[::-1])[::-1] / max(1, inner.sum())
    top = int(np.argmax(above <= TOP_SHARE))
    if not TOP_SHARE / 10 <= above[top] <= TOP_SHARE:
        return None, None
    middle = np.cumsum(inner[top:]) - inner[top:] / 2
    return top, np.minimum((middle / inner[top:].sum() * TOP_BINS).astype(np.int64), TOP_BINS - 1)
