"""Values heaped up where they never were: one value, one narrow cluster, or one level for all rows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy import special

from catalogue.faults import CLUSTER_SHARE, CONSTANT_SHARE, SPIKE_SHARE
from ledger.records.measurements import Measurement, Verdict
from monitors.faults.baseline_behaviour import (
    CLUSTER_WIDTHS,
    LEAST_VALUES,
    ColumnOfDay,
    format_number,
    format_percent,
    insufficient_measurement,
    rise_above_neighbours,
    run_shares,
)
from monitors.stats.intervals import wilson
from monitors.stats.vectors import bin_midpoints
from profiles.bins import Floats, Grid, Ints

LEAST_OTHER_BINS = 5
"""Other bins of a hundredth or more that it takes to distinguish a heap on one value from a shift of all."""
USUAL_RANGE_FACTOR = 1.5
"""How many times what a baseline day did against the others is still usual."""


def measure_constant_share(blank: Measurement, column: ColumnOfDay) -> Measurement:
    """Measure the share of the most frequent bin, where all rows have one value and the baseline's days never had.

    Breach: the other values' share is below a tenth of what it was on any baseline day, and so few of them would be
    chance less often than the budget allows, about once in a million days. A column that is constant within some day
    of the baseline never breaches.

    Args:
        blank: the measurement to fill in.
        column: the column.
    Returns:
        The measurement.
    """
    own = replace(blank, metric=CONSTANT_SHARE, feature=column.name, n=int(column.today.sum()))
    if not column.enough:
        return insufficient_measurement(own, column)
    most = int(column.today.argmax())
    value = float(column.shares[most])
    usual = 1 - column.usual.day_shares.max(axis=1)
    others, least = own.n - int(column.today[most]), float(usual.min())
    limit = 1 - least / 10
    unlikely = float(special.bdtr(others, own.n, least)) < column.chance
    low, high = wilson(int(column.today[most]), own.n)
    reason = (
        f"{format_percent(value)} of the values are {_describe_bin(column, most)}; on {len(usual)} baseline days "
        f"the most frequent one had at most {format_percent(1 - least)}"
    )
    verdict = Verdict.BREACH if value > limit and unlikely else Verdict.OK
    return replace(
        own, value=value, low=min(low, value), high=max(high, value), limit=limit, verdict=verdict, reason=reason
    )


def measure_spike(blank: Measurement, column: ColumnOfDay, minimum_effect: float) -> Measurement | None:
    """Measure by how much one bin holds more than on any baseline day, as when a default value fills gaps.

    Breach: more than the minimum effect size and than baseline days rose above the others, more than chance, and the
    other values keep their shape among themselves.

    Args:
        blank: the measurement to fill in.
        column: the column.
        minimum_effect: smallest rise that matters, as a share.
    Returns:
        The measurement; None for a category, and for a column of few values, where a spike and a shift look alike.
    """
    if not isinstance(column.bins, Grid):
        return None
    own = replace(blank, metric=SPIKE_SHARE, feature=column.name, n=int(column.today.sum()))
    if not column.enough:
        return insufficient_measurement(own, column)
    usual = column.usual.most
    excess = column.shares - usual
    bin_index = int(excess.argmax())
    together = column.usual.together
    rest = together / max(1, together.sum() - together[bin_index]) >= 0.01
    if rest.sum() - rest[bin_index] < LEAST_OTHER_BINS:
        return None
    limit = max(minimum_effect, USUAL_RANGE_FACTOR * column.usual.rise)
    before, count = float(usual[bin_index]), int(column.today[bin_index])
    chance = float(special.bdtrc(count - 1, own.n, max(before, 3 / together.sum()))) if count else 1.0
    value = max(0.0, float(excess[bin_index]))
    heaped = (
        value > limit
        and chance < column.chance / len(together)
        and _others_keep_their_shape(column, np.array([bin_index]))
    )
    low, high = wilson(count, own.n)
    reason = (
        f"{format_percent(column.shares[bin_index])} of the values are {_describe_bin(column, bin_index)}; "
        f"at most {format_percent(before)} on {len(column.usual.days)} baseline days; "
        f"limit {format_percent(limit)} more"
    )
    return replace(
        own, value=value, low=min(value, max(0.0, low - before)), high=max(value, high - before), limit=limit,
        verdict=Verdict.BREACH if heaped else Verdict.OK, reason=reason,
    )  # fmt: skip


def _others_keep_their_shape(column: ColumnOfDay, run: Ints) -> bool:
    """Return whether the values outside a run of bins keep their shape, by KS, within what the baseline's days do.

    That distinguishes values that were put there from a shift, under which the others move as well.
    """
    today, days = np.delete(column.today, run), np.delete(column.usual.days, run, axis=1)
    if today.sum() < LEAST_VALUES:
        return True
    days = days[days.sum(axis=1) > 0]
    together = days.sum(axis=0)
    left = together - days
    usual = np.abs(_cumulative_shares(days) - _cumulative_shares(left)).max(axis=1)
    found = float(np.abs(_cumulative_shares(today) - _cumulative_shares(together)).max())
    smaller = max(0.0, 1 / np.sqrt(today.sum()) - 1 / np.sqrt(np.median(days.sum(axis=1))))
    return bool(found <= USUAL_RANGE_FACTOR * float(usual.max()) + 0.01 + 1.6 * smaller)


def _cumulative_shares(rows: Ints) -> Floats:
    return np.asarray(np.cumsum(rows, axis=-1) / np.maximum(1, rows.sum(axis=-1, keepdims=True)))


def measure_cluster(blank: Measurement, column: ColumnOfDay, minimum_effect: float) -> Measurement | None:
    """Measure the share of the densest new cluster: a run of bins that hold far more than on any baseline day.

    The run's rise is taken without the rise of its neighbours on either side, so a broad shift is no cluster. All runs
    of up to 12 bins are tried, and the chance is shared over them. Breach: beyond the minimum effect size and what
    baseline days did against the others, where the baseline held less than half as much, and the other values keep
    their shape.

    Args:
        blank: the measurement to fill in.
        column: the column.
        minimum_effect: smallest rise that matters, as a share.
    Returns:
        The measurement; None for a category.
    """
    if not isinstance(column.bins, Grid):
        return None
    own = replace(blank, metric=CLUSTER_SHARE, feature=column.name, n=int(column.today.sum()))
    if not column.enough:
        return insufficient_measurement(own, column)
    used = np.flatnonzero(column.today + column.usual.together)
    today, days, runs_before = column.shares[used], column.usual.day_shares[:, used], column.usual.runs_over(used)
    value, start, width = 0.0, 0, 1
    for breadth, most in runs_before.most.items():
        rise = rise_above_neighbours(run_shares(today, breadth), most, breadth)
        if rise.max() > value:
            value, start, width = float(rise.max()), int(rise.argmax()), breadth
    run = slice(start, start + width)
    before, count = float(days[:, run].sum(axis=1).max()), int(column.today[used][run].sum())
    limit = max(minimum_effect, USUAL_RANGE_FACTOR * runs_before.rise)
    chance = float(special.bdtrc(count - 1, own.n, max(before, 3 / column.usual.together.sum()))) if count else 1.0
    found = value > limit and before < value / 2 and chance < column.chance / (len(used) * len(CLUSTER_WIDTHS))
    found = found and _others_keep_their_shape(column, used[run])
    low, high = wilson(count, own.n)
    ends = [format_number(float(bin_midpoints(column.bins)[used[at]])) for at in (start, start + width - 1)]
    around = f"about {ends[0]}" if ends[0] == ends[1] else f"between about {ends[0]} and {ends[1]}"
    reason = (
        f"{format_percent(float(today[run].sum()))} of the values lie {around}; at most {format_percent(before)} on "
        f"{len(days)} baseline days, and the values beside them didn't rise alike; limit {format_percent(limit)} more"
    )
    return replace(
        own, value=value, low=min(value, max(0.0, low - before)), high=max(value, high - before), limit=limit,
        verdict=Verdict.BREACH if found else Verdict.OK, reason=reason,
    )  # fmt: skip


def _describe_bin(column: ColumnOfDay, bin_index: int) -> str:
    if not isinstance(column.bins, Grid):
        return [*(f"'{level}'" for level in column.bins.top), "unseen levels", "rare levels"][bin_index]
    beyond = {0: " or less", 2 * column.bins.half - 1: " or more"}.get(bin_index, "")
    return f"about {format_number(float(bin_midpoints(column.bins)[bin_index]))}{beyond}"
