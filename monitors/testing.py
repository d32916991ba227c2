"""Each metric of one column tested against what its calibration expects of the day, before a limit is drawn."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

from ledger.records import Verdict
from models.spec import Spec
from monitors import comparisons, limits
from monitors.bins import binned, places
from monitors.calibration import CELLS, NONFINITE, NULLS, Learned
from monitors.comparisons import Comparison
from monitors.nulls import Null, angle, share_at
from warehouse.grid import Grid, Ints
from warehouse.profile import Counts

LEAST_VALUES = 100
"""Fewer finite values than this, on either side, are never judged."""
FRESH_FACTOR = 2.0
"""So many times the expected share of levels never seen is still usual."""
SCALE_MARGIN = 1.5
"""By how much (in logarithms) a median must move farther than on any baseline day to be one of another scale."""
WIDEST_SCALE = 100.0
"""A ratio whose limit would lie beyond this tells nothing."""
SHARES = ("null_share", "nonfinite_share", "unseen_share")
DISTANCES = ("psi", "jensen_shannon", "wasserstein", "ks")
SOFT = (*DISTANCES, "top_score_share", "top_score_psi")
"""Metrics that tell another population from the baseline's, not a broken column from a sound one."""


class Tested(NamedTuple):
    """One metric before its limit: ``figure`` is None, with a verdict and a reason, where it wasn't measured.

    ``p_value`` is its chance on a quiet day, ``effect`` the limit of the effect floor alone, ``before``
    the share that is expected; ``rises`` is False of a share that fell. What pages only
    when it persists has a ``credit``: so many times as often it may breach.
    """

    metric: str
    verdict: Verdict | None = None
    reason: str = ""
    figure: Comparison | None = None
    null: Null | None = None
    p_value: float = 1.0
    floor: float = 0.0
    effect: float = 0.0
    values: int = 0
    values_before: int = 0
    before: float = 0.0
    rises: bool = True
    credit: float = 1.0
    sides: tuple[Ints, Ints] | None = None

    def limit(self, alpha: float) -> float:
        """Return the value that is both worth a look and passed with chance ``alpha`` at most on a quiet day."""
        if self.null is None:
            return self.effect
        critical = self.null.critical(alpha * self.credit, self.values, self.values_before)
        if self.metric in ("psi", "top_score_psi"):
            return max(self.effect, critical)
        if self.metric in DISTANCES:
            found = max(self.effect, math.sqrt(max(0.0, critical)))
            return found if self.metric == "wasserstein" else min(1.0, found)
        if self.rises:
            return max(self.effect, share_at(float(angle(self.before)) + critical))
        return min(self.effect, share_at(float(angle(self.before)) - critical))

    def chance_at(self, limit: float) -> float | None:
        """Return the chance that a quiet day passes a limit; None where that wasn't learned."""
        if self.null is None:
            return None
        if self.metric in ("psi", "top_score_psi"):
            return self.null.p_value(limit, self.values, self.values_before)
        if self.metric in DISTANCES:
            return self.null.p_value(limit**2, self.values, self.values_before)
        gap = float(angle(limit)) - float(angle(self.before))
        return self.null.p_value(gap if self.rises else -gap, self.values, self.values_before)


def tested(
    spec: Spec, day: date, metrics: tuple[str, ...], counts: Counts, learned: Learned | None, alpha: float
) -> Iterator[Tested]:
    """Test each metric of a column's rows; a scale ratio without a meaning is left out.

    ``alpha`` is the share of false alarms of one test if it were the day's most unusual one.
    """
    if learned is None:
        reason = _too_few(counts.rows, 0, "rows")
        yield from (Tested(metric, Verdict.INSUFFICIENT, reason) for metric in metrics)
        return
    today = learned.vector(counts)
    before = learned.reference.on(day, today, learned.coarse)
    sides = learned.places_of(today), learned.places_of(before)
    finite, finite_before = (int(side.sum()) for side in sides)
    for metric in metrics:
        null = learned.nulls.get(metric)
        floor = limits.floor(spec, metric, learned=null is not None)
        if metric in SHARES:
            yield _share(metric, today, before, learned, floor, alpha)
        elif min(finite, finite_before) < LEAST_VALUES:
            yield Tested(metric, Verdict.INSUFFICIENT, _too_few(finite, finite_before, "finite values"))
        elif metric == "wasserstein" and learned.reference.moves:
            yield Tested(metric, Verdict.INSUFFICIENT, MOVING)
        elif metric in DISTANCES:
            yield _distance(metric, learned, sides, floor, alpha)
        elif metric == "top_score_share":
            yield _top_share(learned, sides, floor, alpha)
        elif metric == "top_score_psi":
            yield _top_psi(learned, sides, floor, alpha)
        elif isinstance(learned.cells, Grid):
            yield from _scale(learned.cells, counts, learned, sides, floor)


def _too_few(today: int, before: int, what: str) -> str:
    who, count = ("today has", today) if today < LEAST_VALUES else ("the baseline has", before)
    return f"{who} {count} {what}; at least {LEAST_VALUES} are needed"


def _with_chance(found: Tested, times: int = 1) -> Tested:
    """Return a test with the larger of two chances: of drawing such rows from what is expected, and of such a day."""
    assert found.figure is not None
    chance = found.chance_at(found.figure.value) or 0.0
    return found._replace(p_value=min(1.0, times * max(found.figure.p_value, chance)))


def _share(metric: str, today: Ints, before: Ints, learned: Learned, floor: float, alpha: float) -> Tested:
    """Test the rise of a share: of all rows, and for unseen levels of the rows that have a value."""
    unseen = metric == "unseen_share"
    first = CELLS if unseen else 0
    place = len(today) - 2 if unseen else {"null_share": NULLS, "nonfinite_share": NONFINITE}[metric]
    count, rows = int(today[place]), int(today[first:].sum())
    count_before, rows_before = int(before[place]), int(before[first:].sum())
    if min(rows, rows_before) < LEAST_VALUES:
        return Tested(metric, Verdict.INSUFFICIENT, _too_few(rows, rows_before, "rows"))
    if unseen:
        count_before += min(rows_before - count_before, round(FRESH_FACTOR * learned.fresh_share * rows_before))
    figure = comparisons.share(count, rows, count_before, rows_before, floor, alpha)
    null = None if unseen else learned.nulls.get(metric)
    return _with_chance(
        Tested(
            metric, figure=figure, null=null, floor=floor, effect=figure.limit,
            values=rows, values_before=rows_before, before=count_before / rows_before,
        )
    )  # fmt: skip


def _distance(metric: str, learned: Learned, sides: tuple[Ints, Ints], floor: float, alpha: float) -> Tested:
    """Test a distance of two distributions; PSI is taken on bins."""
    today, before = sides
    if metric == "psi":
        figure = comparisons.psi(binned(today, learned.bins), binned(before, learned.bins), floor, alpha)
    elif metric == "wasserstein":
        assert isinstance(learned.cells, Grid)
        figure = comparisons.wasserstein(today, before, places(learned.cells), floor, alpha, learned.spread)
    else:
        compare = {"jensen_shannon": comparisons.jensen_shannon, "ks": comparisons.ks}[metric]
        figure = compare(today, before, floor, alpha)
    return _with_chance(
        Tested(
            metric, figure=figure, null=learned.nulls.get(metric), floor=floor, effect=figure.limit,
            values=int(today.sum()), values_before=int(before.sum()), sides=sides,
        )
    )  # fmt: skip


def _top_share(learned: Learned, sides: tuple[Ints, Ints], floor: float, alpha: float) -> Tested:
    """Test, either way, the share of scores above the baseline's 99 % point; the floor is a ratio."""
    if learned.top is None:
        return Tested("top_score_share", Verdict.INSUFFICIENT, NO_TOP)
    (count, rows), (count_before, rows_before) = ((int(side[learned.top :].sum()), int(side.sum())) for side in sides)
    before = count_before / rows_before
    rises = count / rows >= before
    figure = comparisons.share(count, rows, count_before, rows_before, before * (floor - 1), alpha)
    if not rises:
        others = comparisons.share(rows - count, rows, rows_before - count_before, rows_before, 0.0, alpha)
        figure = figure._replace(limit=before / floor, critical=1 - others.critical, p_value=others.p_value)
    null = learned.nulls.get("top_score_share" if rises else "top_score_share_fall")
    found = Tested(
        "top_score_share", figure=figure, null=null, floor=floor, effect=figure.limit,
        values=rows, values_before=rows_before, before=before, rises=rises,
    )  # fmt: skip
    return _with_chance(found, times=2)


def _top_psi(learned: Learned, sides: tuple[Ints, Ints], floor: float, alpha: float) -> Tested:
    """Test the shape of the scores above the baseline's 99 % point."""
    if learned.top is None or learned.top_bins is None:
        return Tested("top_score_psi", Verdict.INSUFFICIENT, NO_TOP)
    today, before = (binned(side[learned.top :], learned.top_bins) for side in sides)
    values, values_before = int(today.sum()), int(before.sum())
    if min(values, values_before) < LEAST_VALUES:
        return Tested("top_score_psi", Verdict.INSUFFICIENT, _too_few(values, values_before, "scores in the top 1 %"))
    figure = comparisons.psi(today, before, floor, alpha)
    return _with_chance(
        Tested(
            "top_score_psi", figure=figure, null=learned.nulls.get("top_score_psi"), floor=floor, effect=figure.limit,
            values=values, values_before=values_before,
        )
    )  # fmt: skip


MOVING = "the column moves along a trend by itself, so how far it is from its baseline tells nothing"
NO_TOP = "the baseline's scores have no top 1 % of their own: too many share one cell"


def _scale(grid: Grid, today: Counts, learned: Learned, sides: tuple[Ints, Ints], floor: float) -> Iterator[Tested]:
    """Test the ratio of medians; where the baseline's own days have any ratio, it has no meaning."""
    limit = max(floor, learned.widest_scale**SCALE_MARGIN)
    if limit > WIDEST_SCALE:
        return
    means = (today.total * grid.unit / today.finite, learned.mean * grid.unit)
    figure = comparisons.scale(*sides, grid, means, limit)
    if figure is not None:
        yield Tested("scale_ratio", figure=figure, p_value=figure.p_value, floor=floor, effect=figure.limit)
