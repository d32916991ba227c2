"""Columns that hold another column's values, values in another unit, and levels under another name."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy import special

from catalogue.metrics.faults import RENAMED_SHARE, SCALED_SHARE, SWAPPED_COLUMN
from ledger.records.measurements import Measurement, Verdict
from monitors.faults.baseline_behaviour import ColumnOfDay, format_percent, insufficient_measurement
from monitors.stats.intervals import wilson
from monitors.stats.vectors import bin_midpoints
from profiles.bins import REST, UNSEEN, Floats, Grid, Ints, Levels

SWAP_FIT_FACTOR = 3.0
"""How many times nearer another column's baseline must be than the column's own, on both sides of a swap."""
UNIT_FACTORS = (100.0, 10.0, 1000.0, 60.0)
"""Changes of unit that happen, the likeliest first: pence, a decimal point, thousands, minutes; each either way."""
LEAST_BINS_MOVED = 1.0
"""A column that moved by less than a bin on average holds its own values."""
LEAST_SHAPE_BINS = 5
"""Bins of a thousandth or more that scaled values must fill to be known by their shape."""
USUAL_RANGE_FACTOR = 2.0
MIXTURE_SHARES = np.linspace(0, 1, 401)
"""Shares that are tried for a mixture."""
LEAST_EXPLAINED_FACTOR = 6.0
"""How many times farther values must have moved than what another unit leaves unexplained."""
ORDINARY_FACTORS = (2.0, 3.0, 5.0)
"""Factors by which customers' own values may change: a third of them spending a third looks much like a fifth in
another unit, so another unit must fit better than any of these, or their inverses, for a part of the rows."""


def mean_bins_moved(today: Floats, other: Floats) -> float:
    """Return how far two distributions over one grid lie apart: by how many bins a value moves on average.

    Args:
        today: shares: (..., bins).
        other: shares: (bins).
    Returns:
        At least 0, in bins.
    Source:
        first Wasserstein distance, in bins.
    Example:
        >>> mean_bins_moved(np.array([1.0, 0.0, 0.0]), np.array([0.0, 0.0, 1.0]))
        2.0
    """
    return float(np.abs(np.cumsum(today - other, axis=-1)).sum(axis=-1))


def shares_on_grid(rows: Ints, values: Floats, target: Grid) -> Floats:
    """Return the shares that rows with given values have over the bins of a grid.

    Args:
        rows: rows of each value: (values).
        values: finite values: (values).
        target: the grid.
    Returns:
        Shares: (2 * half).
    """
    found = np.bincount(target.bin_of(values) + target.half, weights=rows, minlength=2 * target.half)
    return np.asarray(found / found.sum())


def lower_edges(grid: Grid) -> Floats:
    """Return the lower edge of each bin, where zeros and whole numbers often stand; of the lowest its upper one.

    Args:
        grid: any grid.
    Returns:
        Edges in the column's own unit, ascending: (2 * half).
    """
    return np.array([grid.edge(bin_number) for bin_number in (1 - grid.half, *range(1 - grid.half, grid.half))])


def measure_column_swaps(blank: Measurement, columns: Sequence[ColumnOfDay]) -> list[Measurement]:
    """Measure ``swapped_column`` of each number: how many times nearer another's baseline is than its own.

    Breach: the columns of a circle (two that were swapped, three that were rotated) each left what is usual for them,
    and each holds what the next one's baseline does at least 3 times better than its own.

    Args:
        blank: the measurement to fill in.
        columns: the day's columns.
    Returns:
        A measurement for each number; n is finite values.
    """
    judged = [column for column in columns if isinstance(column.bins, Grid) and column.enough]
    own = {column.name: mean_bins_moved(column.shares, column.usual.shares) for column in judged}
    moved = [c for c in judged if own[c.name] > max(LEAST_BINS_MOVED, USUAL_RANGE_FACTOR * c.usual.moved)]
    fits = {column.name: _fits_of_other_columns(column, moved, own[column.name]) for column in moved}
    found = []
    for column in (column for column in columns if isinstance(column.bins, Grid)):
        mine = replace(blank, metric=SWAPPED_COLUMN, feature=column.name, n=int(column.today.sum()))
        if not column.enough:
            found.append(insufficient_measurement(mine, column))
            continue
        candidates = fits.get(column.name, {})
        circle = [other for other in _best_fitting_columns(candidates) if column.name in _columns_reached(other, fits)]
        reason = "its values are its own, as in the baseline"
        if candidates:
            best = next(iter(candidates))
            reason = f"of the columns that moved, '{best}' is nearest: it fits {candidates[best]:.3g} times better"
        times = max(candidates.values(), default=0.0)
        if circle:
            times = candidates[circle[0]]
            reason = f"holds the values of '{circle[0]}', whose baseline fits {times:.3g} times better than its own"
        verdict = Verdict.BREACH if circle else Verdict.OK
        found.append(
            replace(mine, value=times, low=times, high=times, limit=SWAP_FIT_FACTOR, verdict=verdict, reason=reason)
        )
    return found


def _fits_of_other_columns(column: ColumnOfDay, moved: Sequence[ColumnOfDay], own: float) -> dict[str, float]:
    """Return how many times nearer than its own the baseline of each other column is, the nearest first.

    Where in its bin a baseline's value stands isn't known: the midpoints and the lower edges are tried.
    """
    fits: dict[str, float] = {}
    for other in moved:
        if other.name != column.name and isinstance(other.bins, Grid) and isinstance(column.bins, Grid):
            rows, ways = other.usual.together, (bin_midpoints(other.bins), lower_edges(other.bins))
            left = min(mean_bins_moved(column.shares, shares_on_grid(rows, way, column.bins)) for way in ways)
            fits[other.name] = min(own / max(left, 0.01), 1e6)
    return dict(sorted(fits.items(), key=lambda fit: -fit[1]))


def _best_fitting_columns(fits: dict[str, float]) -> list[str]:
    """Return the columns whose baseline fits much better than the own one, and about as well as the best does."""
    most = max(fits.values(), default=0.0)
    return [other for other, times in fits.items() if times >= max(SWAP_FIT_FACTOR, most / 2)]


def _columns_reached(start: str, fits: dict[str, dict[str, float]]) -> set[str]:
    """Return the columns come by in going from each column to those whose values it seems to hold."""
    seen: set[str] = set()
    ahead = [start]
    while ahead:
        ahead = [other for name in ahead for other in _best_fitting_columns(fits.get(name, {})) if other not in seen]
        seen |= set(ahead)
    return seen


def measure_scaled_share(blank: Measurement, column: ColumnOfDay, minimum_effect: float) -> Measurement | None:
    """Measure ``scaled_share``: the share of values that are in another unit, from the mixture that fits best.

    Today is fitted as the baseline, of which a share is times a factor. Breach: the share is beyond the minimum effect
    size, and the fit explains five sixths of how far the values moved, which is twice what any baseline day moved.

    Args:
        blank: the measurement to fill in.
        column: the column.
        minimum_effect: smallest share that matters.
    Returns:
        The measurement; None for a category.
    """
    if not isinstance(column.bins, Grid):
        return None
    own = replace(blank, metric=SCALED_SHARE, feature=column.name, n=int(column.today.sum()))
    if not column.enough:
        return insufficient_measurement(own, column)
    baseline = column.usual.shares
    moved = mean_bins_moved(column.shares, baseline)
    unremarkable = replace(own, value=0.0, low=0.0, high=wilson(0, own.n)[1], limit=minimum_effect)
    usual = column.usual.moved
    if moved <= max(minimum_effect * LEAST_BINS_MOVED, USUAL_RANGE_FACTOR * usual):
        return replace(unremarkable, reason="the values lie where the baseline's do, within what its days differ")
    factor, share, left = _best_unit_factor(column, column.bins, baseline)
    words = f"{factor:,.0f} times" if factor > 1 else f"1/{1 / factor:,.0f} of"
    if left > moved / LEAST_EXPLAINED_FACTOR:
        return replace(
            unremarkable, reason=f"the values moved, but not as by another unit: {words} explains too little of it"
        )
    low, high = wilson(round(share * own.n), own.n)
    reason = (
        f"{format_percent(share)} of the values are {words} what they were, as in another unit; "
        f"limit {format_percent(minimum_effect)}"
    )
    verdict = Verdict.BREACH if share > minimum_effect else Verdict.OK
    return replace(
        own,
        value=share,
        low=min(low, share),
        high=max(high, share),
        limit=minimum_effect,
        verdict=verdict,
        reason=reason,
    )


def _best_unit_factor(column: ColumnOfDay, grid: Grid, baseline: Floats) -> tuple[float, float, float]:
    """Return the factor that fits today best, the share of values with it, and the distance that is left.

    Infinite is what is left where an ordinary factor, of customers and not of units, fits about as well.
    Of factors that fit about as well, as where most of the values lie beyond the grid, the likelier one is taken.
    """
    rows, fits, ordinary = column.usual.together, {1.0: (0.0, mean_bins_moved(column.shares, baseline))}, math.inf
    for factor in (f for size in (*UNIT_FACTORS, *ORDINARY_FACTORS) for f in (size, 1 / size)):
        other = shares_on_grid(rows, bin_midpoints(grid) * factor, grid)
        share, left = _fit_mixture(column.shares - baseline, other - baseline)
        if max(factor, 1 / factor) <= max(ORDINARY_FACTORS):
            ordinary = min(ordinary, left)
        elif (other >= 0.001).sum() >= LEAST_SHAPE_BINS:
            fits[factor] = share, left
    least = min(left for _, left in fits.values())
    factor = next(f for f, (_, left) in fits.items() if left <= 1.3 * least)
    share, left = fits[factor]
    return factor, share, left if left < ordinary / 1.2 else math.inf


def _fit_mixture(moved: Floats, towards: Floats) -> tuple[float, float]:
    """Return the share of a move towards another distribution that leaves the least distance, and that distance.

    By distance, not by likelihood, for the scaled values are known to a bin only: round ones fall beside it.
    """
    left = np.abs(np.cumsum(moved) - MIXTURE_SHARES[:, None] * np.cumsum(towards)).sum(axis=1)
    best = int(left.argmin())
    return float(MIXTURE_SHARES[best]), float(left[best])


def measure_renamed_levels(blank: Measurement, column: ColumnOfDay, minimum_effect: float) -> Measurement | None:
    """Measure ``renamed_share``: the share of values that left known levels and came back under other names.

    A level counts as left where it has at most half of its smallest share of a baseline day, by more than chance. Other
    names are levels that the baseline never saw, or saw too rarely to count apart. Breach: as much came there as left
    (within a quarter, and chance), beyond the minimum effect size. Of names never seen only the count is kept, not the
    name.

    Args:
        blank: the measurement to fill in.
        column: the column.
        minimum_effect: smallest share that matters.
    Returns:
        The measurement; None for a number.
    """
    if not isinstance(column.bins, Levels):
        return None
    own = replace(blank, metric=RENAMED_SHARE, feature=column.name, n=int(column.today.sum()))
    if not column.enough:
        return insufficient_measurement(own, column)
    known = len(column.bins.top)
    least, usual = column.usual.day_shares[:, :known].min(axis=0), column.usual.shares[:known]
    shares = column.shares[:known]
    chance = special.bdtr(column.today[:known], own.n, least)
    gone = (shares <= least / 2) & (chance < column.chance / max(1, known))
    lost = float((usual - shares)[gone].sum())
    new, before = column.shares[[UNSEEN, REST]], column.usual.day_shares[:, [UNSEEN, REST]]
    came = float(np.maximum(0, new - column.usual.shares[[UNSEEN, REST]]).sum())
    most = float(before.sum(axis=1).max() - before.sum(axis=1).mean())
    noise = 4 * np.sqrt(max(came, 1 / own.n) / own.n) + most
    matches = abs(lost - came) <= lost / 4 + noise
    value = min(lost, came)
    names = [f"'{column.bins.top[level]}'" for level in np.argsort(-usual) if gone[level]]
    low, high = wilson(round(value * own.n), own.n)
    reason = "no level vanished"
    if names:
        shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
        reason = (
            f"{shown} vanished, {format_percent(lost)} of the values, and {format_percent(came)} came under other "
            f"names; limit {format_percent(minimum_effect)}"
        )
    verdict = Verdict.BREACH if value > minimum_effect and matches and names else Verdict.OK
    return replace(
        own,
        value=value,
        low=min(low, value),
        high=max(high, value),
        limit=minimum_effect,
        verdict=verdict,
        reason=reason,
    )
