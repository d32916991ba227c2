"""Is today an earlier day again, in whole or in one column? Two days that differ less than chance makes them differ.

Two independent samples of one distribution differ by a chi-square with one degree of freedom per bin but one; days
that are not of one distribution differ by more. Only rows that were delivered before differ by less.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import NamedTuple

import numpy as np
from scipy import special

from catalogue.faults import REPEATED_COLUMN, REPEATED_SHARE
from ledger.records.measurements import Measurement, Verdict
from monitors.faults.baseline_behaviour import LEAST_DAYS, LEAST_VALUES, ColumnOfDay, DayVectors, format_percent
from profiles.bins import Floats, Ints

BACK_DAYS = 8
"""How many days back rows may have been delivered before: a week, and the day before it."""
LEAST_ROWS_IN_A_BIN = 10
"""Bins that hold fewer rows on both days together are taken as one."""
USUAL_PAIRS_SHARE = 0.02
"""Share of the baseline's pairs of days whose likeness counts as usual; a day repeated once in it doesn't."""
_LEAST_CHANCE = 1e-300


class DayLikeness(NamedTuple):
    """How much two days differ, over what chance alone gives (1), its 95 % interval, and the log of its chance."""

    ratio: float
    low: float
    high: float
    log_chance: float
    freedom: int


def compare_days(today: Ints, earlier: Ints) -> DayLikeness:
    """Compare two days' rows of a column.

    Every difference is taken half a row larger than it is, which keeps the chance on the safe side of the exact one
    of whole numbers: for equal vectors it is above the chance of drawing just that vector.

    Args:
        today: rows by bin, at least one: (bins + 2).
        earlier: the same of the other day.
    Returns:
        How much they differ, over what chance alone gives; 1 with chance 1 where one bin holds all, which says nothing.
    Source:
        Pearson's chi-square, lower tail.
    """
    statistic, freedom = _chi_square_statistics(today[None, :], earlier[None, :])
    s, f = float(statistic[0]), int(freedom[0])
    if f < 1:
        return DayLikeness(1.0, 0.0, math.inf, 0.0, 0)
    low, high = s / special.chdtri(f, 0.025), s / special.chdtri(f, 0.975)
    return DayLikeness(s / f, float(low), float(high), float(_log_chance(statistic, freedom)[0]), f)


def _chi_square_statistics(today: Ints, earlier: Ints) -> tuple[Floats, Ints]:
    """Return Pearson's statistic of each pair of rows (pairs, bins), a half added to each difference."""
    n, m = today.sum(axis=1, keepdims=True), earlier.sum(axis=1, keepdims=True)
    both = today + earlier
    rare = both < LEAST_ROWS_IN_A_BIN
    difference = np.abs(today * np.sqrt(m / n) - earlier * np.sqrt(n / m))
    terms = np.where(rare, 0, (difference + 0.5) ** 2 / np.maximum(both, 1))
    left, left_earlier = (np.where(rare, side, 0).sum(axis=1, keepdims=True) for side in (today, earlier))
    together = (left + left_earlier)[:, 0]
    rest = np.abs(left * np.sqrt(m / n) - left_earlier * np.sqrt(n / m))[:, 0]
    counted = together >= LEAST_ROWS_IN_A_BIN
    statistic = terms.sum(axis=1) + np.where(counted, (rest + 0.5) ** 2 / np.maximum(together, 1), 0)
    return np.asarray(statistic), np.asarray((~rare).sum(axis=1) + counted - 1)


def _log_chance(statistic: Floats, freedom: Ints) -> Floats:
    """Return the log of the chance that two days of one distribution differ by no more; 0 without freedom."""
    chance = np.where(freedom > 0, special.gammainc(np.maximum(freedom, 1) / 2, statistic / 2), 1.0)
    return np.asarray(np.log(np.maximum(chance, _LEAST_CHANCE)))


def usual_log_chance(days: Ints) -> float:
    """Return the log of the chance below which hardly any two near days of the baseline lie.

    Args:
        days: rows of at least two days: (days, bins + 2).
    Returns:
        At most 0.
    Source:
        quantile USUAL_PAIRS_SHARE of ``compare_days`` over pairs at most BACK_DAYS apart.
    """
    days = days[:, days.any(axis=0)]
    most = min(BACK_DAYS, len(days) - 1)
    found = [_log_chance(*_chi_square_statistics(days[back:], days[:-back])) for back in range(1, most + 1)]
    return float(np.quantile(np.concatenate(found), USUAL_PAIRS_SHARE))


def measure_stale_data(
    blank: Measurement, columns: Sequence[ColumnOfDay], recent: Mapping[date, DayVectors], minimum_effect: float
) -> list[Measurement]:
    """Return ``repeated_column`` of each column and ``repeated_share`` of the partition.

    A column's value is how much it differs from the most alike of the last eight days, over what chance gives; the
    limit is where chance would come to a column's share of the false-alarm budget, shared over columns and days, and
    where the baseline's own near days are far more unlike. A partition's value is the share of its conclusive columns
    that repeat one and the same day; one that says yes or no, is constant within a day, or has few rows could be equal
    by chance and isn't conclusive.

    Args:
        blank: the measurement to fill in.
        columns: the day's columns.
        recent: rows by column of earlier days.
        minimum_effect: smallest ``repeated_share`` that matters, 0 to 1.
    Returns:
        The partition's measurement, whose n are the conclusive columns, then each column's, whose n is rows.
    """
    earlier = {day: own for day, own in sorted(recent.items()) if 0 < (blank.day - day).days <= BACK_DAYS}
    found: list[Measurement] = []
    repeats: dict[date, int] = dict.fromkeys(earlier, 0)
    conclusive_columns = 0
    for column in columns:
        own = replace(blank, metric=REPEATED_COLUMN, feature=column.name, n=int(column.full_vector.sum()))
        pairs = {
            day: rows[column.name]
            for day, rows in earlier.items()
            if column.name in rows and rows[column.name].sum() >= LEAST_VALUES
        }
        if own.n < LEAST_VALUES or not pairs:
            found.append(replace(own, verdict=Verdict.INSUFFICIENT, reason=_too_few_reason(own.n)))
            continue
        log_chance = _log_chance(*_chi_square_statistics(column.full_vector[None, :], np.array(list(pairs.values()))))
        limit = _log_chance_limit(column, math.log(column.chance / BACK_DAYS / len(columns)), float(log_chance.min()))
        if compare_days(column.full_vector, column.full_vector).log_chance >= limit:
            found.append(replace(own, verdict=Verdict.INSUFFICIENT, reason=NOT_CONCLUSIVE))
            continue
        conclusive_columns += 1
        for day, alike in zip(pairs, log_chance < limit, strict=True):
            repeats[day] += bool(alike)
        closest = list(pairs)[int(log_chance.argmin())]
        found.append(_judge_column(own, compare_days(column.full_vector, pairs[closest]), closest, limit))
    return [_judge_partition(blank, repeats, conclusive_columns, minimum_effect), *found]


def _log_chance_limit(column: ColumnOfDay, chance: float, found: float) -> float:
    """Return the log of the chance below which a column repeats; what is usual matters only to one that seems to."""
    if found >= chance or len(column.usual.when) < LEAST_DAYS:
        return chance
    return min(chance, 2 * usual_log_chance(column.usual.full_vector))


NOT_CONCLUSIVE = "two days can be alike by chance, of so few values or rows, or as the baseline's days are"


def _too_few_reason(rows: int) -> str:
    if rows < LEAST_VALUES:
        return f"{rows} rows; at least {LEAST_VALUES} are needed"
    return f"none of the {BACK_DAYS} days before has {LEAST_VALUES} rows to compare with"


def _judge_column(own: Measurement, pair: DayLikeness, closest: date, limit: float) -> Measurement:
    bound = 2 * float(special.gammaincinv(pair.freedom / 2, math.exp(limit))) / pair.freedom
    repeated = pair.log_chance < limit
    groups = f"{pair.freedom + 1} groups of values"
    reason = f"differs from {closest:%a %-d %b} by {pair.ratio:.2g} of what chance alone gives, over {groups}"
    if repeated:
        reason = (
            f"the values of {closest:%a %-d %b} again: over {groups} the two days differ by "
            f"{format_percent(pair.ratio)} of what chance alone makes any two days differ"
        )
    verdict = Verdict.BREACH if repeated else Verdict.OK
    return replace(own, value=pair.ratio, low=pair.low, high=pair.high, limit=bound, verdict=verdict, reason=reason)


def _judge_partition(
    blank: Measurement, repeats: Mapping[date, int], conclusive_columns: int, minimum_effect: float
) -> Measurement:
    own = replace(blank, metric=REPEATED_SHARE, n=conclusive_columns)
    if not conclusive_columns:
        reason = "no column varies enough, or no day before is there, to see whether the partition is an older one"
        return replace(own, verdict=Verdict.INSUFFICIENT, reason=reason)
    day = max(repeats, key=lambda other: (repeats[other], other))
    share = repeats[day] / conclusive_columns
    stale = share >= minimum_effect and (repeats[day] >= 2 or conclusive_columns == 1)
    shown = f"{conclusive_columns} columns that differ from day to day"
    reason = f"{repeats[day]} of {shown} hold the values of {day:%a %-d %b} again"
    if not repeats[day]:
        reason = f"none of {shown} repeats one of the {len(repeats)} days before"
    verdict = Verdict.BREACH if stale else Verdict.OK
    return replace(own, value=share, low=share, high=share, limit=minimum_effect, verdict=verdict, reason=reason)
