"""How the values of a column are spread, from stored profiles: now beside the baseline, and day by day."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from markupsafe import Markup

from profiles.bins import REST, UNSEEN, Grid, Levels
from profiles.profile import BinCounts, Counts
from reports.charts.svg import DayScale, Plot, Scale
from reports.wording import formatting

MOST_BARS = 40
LEAST_ROWS = 20
"""A level of fewer payments is counted under the others: a rare value may point at a person."""
MOST_LEVELS = 14
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
TAIL_SHARE = 0.005
"""Share of the values at either end that a histogram puts into its first and last bar."""
MIN_TICK_DISTANCE = 0.13
"""Least distance of two ticks, as a part of the plot's width."""


@dataclass(frozen=True)
class Bar:
    """Payments in one range of values: its edges in the column's unit, and shares now and in the baseline."""

    low: float
    high: float
    now: float
    baseline: float


@dataclass(frozen=True)
class Level:
    """A level of a category: shares now and in the baseline, and the first and last day on which it came of late."""

    name: str
    now: float
    baseline: float
    first: date | None = None
    last: date | None = None


def quantile_bins(counts: Counts, shares: Sequence[float]) -> list[int] | None:
    """Return the bins in which quantiles lie; None without a value."""
    bin_counts = BinCounts.of(counts.bins)
    if not len(bin_counts):
        return None
    reached = np.cumsum(bin_counts.rows)
    indexes = np.searchsorted(reached, np.array(shares) * reached[-1], side="left")
    return [int(bin_counts.bins[min(index, len(bin_counts) - 1)]) for index in indexes]


def quantile_values(counts: Counts, grid: Grid) -> list[float] | None:
    """Return the quantiles of ``QUANTILES`` as values; None without a value."""
    found = quantile_bins(counts, QUANTILES)
    return None if found is None else [grid.midpoint(bin_index) for bin_index in found]


def _histogram_layout(now: Counts, baseline: Counts) -> tuple[int, int, int] | None:
    """Return the first bin shown, the number of bars and the bins in each; None without a value."""
    ends = [found for counts in (now, baseline) if (found := quantile_bins(counts, (TAIL_SHARE, 1 - TAIL_SHARE)))]
    if not ends:
        return None
    low, high = min(end[0] for end in ends), max(end[1] for end in ends)
    per = max(1, math.ceil((high - low + 1) / MOST_BARS))
    return low, math.ceil((high - low + 1) / per), per


def _bar_shares(counts: Counts, low: int, number: int, per: int) -> list[float]:
    bin_counts = BinCounts.of(counts.bins)
    sums = np.zeros(number)
    np.add.at(sums, np.clip((bin_counts.bins - low) // per, 0, number - 1), bin_counts.rows)
    whole = sums.sum()
    return [float(share) for share in (sums / whole if whole else sums)]


def histogram_bars(now: Counts, baseline: Counts, grid: Grid) -> list[Bar]:
    """Return at most ``MOST_BARS`` bars of equal width on the grid; what lies beyond is in the first and last one."""
    found = _histogram_layout(now, baseline)
    if found is None:
        return []
    low, number, per = found
    both = zip(_bar_shares(now, low, number, per), _bar_shares(baseline, low, number, per), strict=True)
    return [
        Bar(grid.edge(low + i * per), grid.edge(low + (i + 1) * per), mine, theirs)
        for i, (mine, theirs) in enumerate(both)
    ]


def draw_histogram(now: Counts, baseline: Counts, grid: Grid, height: int = 210) -> Markup:
    """Draw the values now as bars over the baseline's, which are the filled shape behind."""
    found, layout = histogram_bars(now, baseline, grid), _histogram_layout(now, baseline)
    if layout is None:
        return Markup("")
    low, number, per = layout
    plot = Plot(Scale(0, max(max(bar.now, bar.baseline) for bar in found) * 1.04 or 1), height)
    plot.grid(formatting.format_share, plot.y.ticks(4))
    for i, bar in enumerate(found):
        plot.box(i / number, 1 / number, 0, bar.baseline, "was")
        plot.box((i + 0.22) / number, 0.56 / number, 0, bar.now, "is")
        share, before = formatting.format_share(bar.now), formatting.format_share(bar.baseline)
        says = f"{_describe_range(bar)}: {share} now, {before} in the baseline"
        plot.column((i + 0.5) / number, 1 / number, says, "")
    for x, value in _value_ticks(grid, low, number * per):
        plot.text(
            x,
            height - 6,
            formatting.format_number(value),
            "t",
            "start" if x < 0.03 else "end" if x > 0.95 else "middle",
        )
    return plot.markup()


def _describe_range(bar: Bar) -> str:
    if math.isinf(bar.low):
        return f"below {formatting.format_number(bar.high)}"
    return (
        f"{formatting.format_number(bar.low)} and more"
        if math.isinf(bar.high)
        else f"{formatting.format_number(bar.low)} to {formatting.format_number(bar.high)}"
    )


def _value_ticks(grid: Grid, low: int, bin_number: int) -> list[tuple[float, float]]:
    """Return round values with their place from 0 to 1, the roundest first chosen, none too near another."""
    ends = grid.midpoint(low), grid.midpoint(low + bin_number - 1)
    chosen: list[tuple[float, float]] = []
    for value in _round_values(grid, *ends):
        x = (float(grid.position(np.float64(value))) - low) / bin_number
        if 0 <= x <= 1 and all(abs(x - other) >= MIN_TICK_DISTANCE for other, _ in chosen):
            chosen.append((x, value))
    return sorted(chosen)


def _round_values(grid: Grid, low: float, high: float) -> list[float]:
    if grid.kind == "linear" or not high > low:
        return Scale(low, high).ticks(6)
    largest = max(abs(low), abs(high))
    smallest = (high - low) * 1e-4
    decades = range(math.floor(math.log10(smallest)), math.ceil(math.log10(largest)) + 1) if largest > 0 else range(0)
    sizes = [times * 10.0**decade for times in (1, 5, 2) for decade in reversed(decades)]
    upper = [1 - size for size in sizes if 0.001 <= size < 0.5] if grid.kind == "logit" else []
    return [value for size in [0.0, *sizes, *upper] for value in dict.fromkeys((size, -size)) if low <= value <= high]


def draw_quantile_bands(
    by_day: Mapping[date, Counts], baseline: Counts, grid: Grid, span: DayScale, *, threshold: float | None = None
) -> Markup:
    """Draw for each day where the middle half and nine tenths of the values lie, beside the baseline's, dashed."""
    found = {day: at for day, counts in by_day.items() if (at := quantile_bins(counts, QUANTILES)) is not None}
    normal = quantile_bins(baseline, QUANTILES)
    if not found:
        return Markup("")
    every = [*found.values(), *([normal] if normal else [])]
    low, high = min(at[0] for at in every), max(at[-1] for at in every)
    if threshold is not None:
        high = max(high, int(grid.bin_of(np.float64(threshold))))
    plot = Plot(Scale(low - 0.5, high + 1.5), 230)
    marks = [
        (plot.y.low + x * (plot.y.high - plot.y.low), value) for x, value in _value_ticks(grid, low, high - low + 1)
    ]
    said = {position: formatting.format_number(value) for position, value in marks}
    plot.grid(said.__getitem__, list(said))
    for day, at in found.items():
        x, width = span.at(day) - 0.4 * span.width, 0.8 * span.width
        plot.box(x, width, at[0], at[4] + 1, "b90")
        plot.box(x, width, at[1], at[3] + 1, "b50")
        plot.box(x, width, at[2] + 0.25, at[2] + 0.75, "b0")
        values = [formatting.format_number(grid.midpoint(bin_index)) for bin_index in at]
        says = (
            f"{formatting.format_short_day(day)}: half lie within {values[1]} to {values[3]}, "
            f"nine in ten within {values[0]} to {values[4]}; the middle is {values[2]}"
        )
        plot.column(span.at(day), span.width, says, "")
    for bin_index, kind in zip(normal or [], ("q5", "q25", "q50", "q25", "q5"), strict=False):
        plot.line([(0, bin_index + 0.5), (1, bin_index + 0.5)], f"was-line {kind}")
    if threshold is not None:
        at_threshold = float(grid.position(np.float64(threshold)))
        plot.line([(0, at_threshold), (1, at_threshold)], "limit")
        plot.text(1, plot.up(at_threshold) - 4, "threshold", "note", "end")
    span.axis(plot)
    return plot.markup()


def level_name(levels: Levels, bin_index: int) -> str:
    """Return what a category's bin is called."""
    if bin_index == UNSEEN:
        return "(never seen in the baseline)"
    return "(other)" if bin_index == REST or bin_index >= len(levels.top) else levels.top[bin_index]


def level_shares(by_day: Mapping[date, Counts], now: Counts, baseline: Counts, names: Levels) -> list[Level]:
    """Return a category's levels, the most frequent first; rare ones are one, under '(other)'."""
    mine, theirs = now.finite or 1, baseline.finite or 1
    bins = {*now.bins, *baseline.bins}
    plain = [c for c in bins if c >= 0 and max(now.bins.get(c, 0), baseline.bins.get(c, 0)) >= LEAST_ROWS]
    plain = sorted(plain, key=lambda c: (-max(now.bins.get(c, 0) / mine, baseline.bins.get(c, 0) / theirs), c))
    shown = plain[:MOST_LEVELS] + ([UNSEEN] if UNSEEN in bins else [])
    rest = bins - set(shown)
    days = {bin_index: [day for day, counts in by_day.items() if counts.bins.get(bin_index)] for bin_index in shown}
    found = [
        Level(
            level_name(names, bin_index), now.bins.get(bin_index, 0) / mine, baseline.bins.get(bin_index, 0) / theirs,
            min(days[bin_index], default=None), max(days[bin_index], default=None),
        )
        for bin_index in shown
    ]  # fmt: skip
    if rest:
        shares = [sum(counts.bins.get(bin_index, 0) for bin_index in rest) for counts in (now, baseline)]
        found.append(Level("(other)", shares[0] / mine, shares[1] / theirs))
    return found
