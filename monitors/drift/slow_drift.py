"""Does a column creep away from its baseline, too slowly for any one day to show? CUSUM over days.

Each day's level is standardised by what the baseline's days did: their mean, weekday, spread and dependence on the day
before. What a day exceeds an allowance by is added up, and once the sum is beyond its limit the column has moved.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from catalogue.metrics.drift_monitors import SLOW_MONITOR
from catalogue.metrics.multivariate import SLOW_DRIFT
from ledger.records.measurements import Measurement, Verdict
from models.spec import Spec
from monitors import limits
from monitors.faults.baseline_behaviour import LEAST_VALUES, BaselineBehaviour, ColumnBehaviour, DayVectors
from monitors.inputs import DayInputs
from monitors.registry import monitor
from monitors.stats.cusum import highest_cusum, latest_cusum, limit_for_run_length
from profiles.bins import Floats, Grid, Ints, Levels

WINDOW_DAYS = 28
"""Days over which a sum is taken, the day itself included: a slower drift is the business of a new baseline."""
LATEST_DAYS = 5
"""Days whose median is said to be the level now; a broken day or two don't move it."""
LEAST_BASELINE_DAYS = 21
"""Baseline days, with enough values, from which level and spread are learned: three of each weekday."""
MOST_LEVELS = 8
LEAST_SHARE = 0.02
"""Levels of a category that have a sum of their own: the most frequent ones, from this share on."""
HALF_SHIFT = 0.5
"""Allowance of the CUSUM: half of the shift, in standard deviations of a day, that is to be found soonest."""
MOST_DEPENDENCE = 0.8
LEAST_SPREAD = 0.01
"""Standard deviation, in those of the column's values, that the level of any day has besides chance; so a column that
says which weekday it is isn't taken at its word to the last digit."""
_TINY = 1e-12
TREND_STANDARD_ERRORS = 4.0
"""Standard errors beyond which the baseline itself was moving, so that there is no level to hold days against."""
BASELINE_SUM_MARGIN = 1.25
"""A baseline that once summed up so high without an alarm sets a limit a quarter above it."""


@dataclass(frozen=True)
class _DailyLevels:
    """Levels of a column day by day: ``values`` (days, components), rows and date of each."""

    days: tuple[date, ...]
    rows: Floats
    values: Floats


@dataclass(frozen=True)
class _Variances:
    """Variance of each component over the rows of all baseline days, and the part of it within days."""

    total: Floats
    within: Floats


@dataclass(frozen=True)
class _UsualLevel:
    """What the baseline says of one component: its level by weekday, and how a day varies.

    A day of n rows has the variance ``between + within / n``; ``dependence`` is the correlation with the day before.
    """

    weekday: Floats
    between: float
    within: float
    dependence: float
    trending: bool
    days: int


@dataclass(frozen=True)
class _Component:
    """One level of a column: its index, what is usual, its spread over rows, and how high its own days once summed."""

    component_index: int
    usual: _UsualLevel
    spread: float
    highest_above: float
    highest_below: float


@dataclass(frozen=True, eq=False)
class _LearnedColumn:
    """What the baseline says of a column: nothing of one with too few ``days`` of enough values."""

    bins: Grid | Levels
    days: int
    weights: Floats
    components: list[_Component]


@dataclass(frozen=True)
class SlowDriftBaseline:
    """What a baseline that ends on ``last`` says of the levels of each column; learned once, for all days after it."""

    last: date | None
    columns: Mapping[str, _LearnedColumn]


def learn_slow_drift_baseline(behaviour: BaselineBehaviour) -> SlowDriftBaseline:
    """Learn each column's levels by weekday, and how a day's level varies.

    Args:
        behaviour: the columns on each day of the baseline.
    Returns:
        What days are held against; nothing of a column with too few days.
    """
    return SlowDriftBaseline(behaviour.last, {name: _learn_column(usual) for name, usual in behaviour.columns.items()})


def measure_slow_drift(
    spec: Spec, day: date, today: DayVectors, recent: Mapping[date, DayVectors], learned: SlowDriftBaseline
) -> list[Measurement]:
    """Return ``slow_drift`` of monitor 'slow' for each number, category and the score.

    The components of a number are the mean of its position on the grid and the shares below and above the baseline's
    tenths; those of a category the shares of its frequent levels. Two one-sided CUSUMs run over each component's last
    28 days, begun after the baseline. Breach: a sum is beyond its limit and the value beyond the minimum effect size.
    The limit gives the model one false alarm in ten of those that its budget allows, over all its columns.

    Args:
        spec: the model file.
        day: the day.
        today: its rows by column and bin.
        recent: those of days before.
        learned: what the baseline says of each column.
    Returns:
        A measurement for each column of the day: how far the median of the last 5 days lies from the baseline, in
        standard deviations of the column's values, of the component whose sum is farthest beyond its limit (or nearest
        to it).
    """
    last = learned.last or day
    window = {d: own for d, own in sorted(recent.items()) if 0 < (day - d).days < WINDOW_DAYS and d > last}
    window[day] = today
    blank = Measurement(spec.model, day, day, SLOW_MONITOR, SLOW_DRIFT)
    minimum_effect, in_control_days = (
        limits.minimum_effect(spec, SLOW_DRIFT),
        limits.in_control_days(spec, len(learned.columns)),
    )
    found = []
    for name, column in learned.columns.items():
        if name in today:
            rows = {d: own[name][:-2] for d, own in window.items() if name in own}
            latest = {d: own for d, own in rows.items() if own.sum() >= LEAST_VALUES}
            found.append(_measure_column(replace(blank, feature=name), column, latest, in_control_days, minimum_effect))
    return found


def _learn_column(usual: ColumnBehaviour) -> _LearnedColumn:
    if len(usual.when) < LEAST_BASELINE_DAYS:
        return _LearnedColumn(usual.bins, len(usual.when), np.zeros((0, 0)), [])
    weights = _component_weights(usual.bins, usual.together)
    days = _daily_levels(usual.when, usual.days, weights)
    spreads = _component_variances(usual.days, weights, days)
    allowance = _cusum_allowance(len(days.days))
    components = []
    for component_index in (int(each) for each in np.flatnonzero(spreads.total > _TINY)):
        values = days.values[:, component_index]
        own = _learn_usual_level(
            days, values, float(spreads.within[component_index]), float(spreads.total[component_index])
        )
        past, spread = _standardise(own, days, values), math.sqrt(float(spreads.total[component_index]))
        components.append(
            _Component(component_index, own, spread, highest_cusum(past, allowance), highest_cusum(-past, allowance))
        )
    return _LearnedColumn(usual.bins, len(usual.when), weights, components)


def _cusum_allowance(baseline_days: int) -> float:
    """Return the allowance of the CUSUM: a baseline's mean is itself off by some part of a day's spread, twice that."""
    return HALF_SHIFT + 2 / math.sqrt(baseline_days)


def _measure_column(
    blank: Measurement,
    column: _LearnedColumn,
    window: Mapping[date, Ints],
    in_control_days: float,
    minimum_effect: float,
) -> Measurement:
    rows = int(window[blank.day].sum()) if blank.day in window else 0
    own = replace(blank, n=rows)
    if column.days < LEAST_BASELINE_DAYS or len(window) < LATEST_DAYS or not rows:
        reason = (
            f"{len(window)} days since the baseline and {column.days} in it have {LEAST_VALUES} values; "
            f"{LATEST_DAYS} and {LEAST_BASELINE_DAYS} are needed, and the day itself"
        )
        return replace(own, verdict=Verdict.INSUFFICIENT, reason=reason)
    if not column.components:
        return replace(own, verdict=Verdict.INSUFFICIENT, reason="the baseline has one value only, which has no spread")
    today = _daily_levels(tuple(window), np.array(list(window.values())), column.weights)
    return _judge_column(own, column, today, in_control_days, minimum_effect)


def _component_weights(bins: Grid | Levels, together: Ints) -> Floats:
    """Return what each bin counts for in each component: (bins, components)."""
    if isinstance(bins, Levels):
        shares = together / together.sum()
        kept = [i for i in np.argsort(-shares, kind="stable")[:MOST_LEVELS] if shares[i] >= LEAST_SHARE]
        return np.asarray(np.eye(len(together))[:, kept])
    position = np.arange(len(together), dtype=np.float64)
    through = np.cumsum(together) / together.sum()
    low, high = (int(np.searchsorted(through, share)) for share in (0.1, 0.9))
    return np.stack([position, position <= low, position >= high], axis=1)


def _daily_levels(days: tuple[date, ...], vectors: Ints, weights: Floats) -> _DailyLevels:
    rows = vectors.sum(axis=1).astype(np.float64)
    return _DailyLevels(days, rows, vectors @ weights / rows[:, None])


def _component_variances(vectors: Ints, weights: Floats, days: _DailyLevels) -> _Variances:
    mean = vectors.sum(axis=0) @ weights / vectors.sum()
    squares = vectors.sum(axis=0) @ weights**2 / vectors.sum()
    within = squares - days.rows @ days.values**2 / days.rows.sum()
    return _Variances(np.maximum(0.0, squares - mean**2), np.maximum(0.0, within))


def _learn_usual_level(days: _DailyLevels, values: Floats, within: float, total: float) -> _UsualLevel:
    """Learn one component from the baseline's days; weekdays are drawn towards the mean by what chance gives them."""
    mean = float(values.mean())
    weekdays = np.array([day.weekday() for day in days.days])
    effect = np.zeros(7)
    counts = np.bincount(weekdays, minlength=7)
    for weekday in np.flatnonzero(counts):
        effect[weekday] = values[weekdays == weekday].mean() - mean
    raw = values - mean - effect[weekdays]
    freedom = max(1, len(values) - int((counts > 0).sum()))
    noise = float(raw @ raw) / freedom
    signal = float((counts * effect**2).sum()) / max(1, int((counts > 0).sum()) - 1)
    effect *= max(0.0, 1 - noise / signal) if signal > 0 else 0.0
    left = values - mean - effect[weekdays]
    variance = float(left @ left) / max(1, len(values) - 1)
    next_days = np.array([(b - a).days == 1 for a, b in zip(days.days, days.days[1:], strict=False)])
    pairs = left[:-1][next_days], left[1:][next_days]
    dependence = float(pairs[0] @ pairs[1] / max(1e-300, pairs[0] @ pairs[0])) if next_days.any() else 0.0
    dependence = min(max(dependence, 0.0), MOST_DEPENDENCE)
    between = max((LEAST_SPREAD**2) * total, variance - within * float((1 / days.rows).mean()))
    return _UsualLevel(mean + effect, between, within, dependence, _is_trending(days, left, dependence), len(values))


def _is_trending(days: _DailyLevels, left: Floats, dependence: float) -> bool:
    """Return whether the baseline's own days moved by a tenth of their spread or more from its first to its last."""
    when = np.array([(day - days.days[0]).days for day in days.days], dtype=np.float64)
    when -= when.mean()
    slope = float(when @ left / (when @ when))
    rest = left - slope * when
    error = math.sqrt(float(rest @ rest) / max(1, len(left) - 2) / float(when @ when))
    error *= math.sqrt((1 + dependence) / (1 - dependence))
    return abs(slope) > TREND_STANDARD_ERRORS * error


def _standardise(usual: _UsualLevel, days: _DailyLevels, values: Floats) -> Floats:
    """Return each day's level in standard deviations of what the day before lets expect of it."""
    gap = values - usual.weekday[[day.weekday() for day in days.days]]
    spread = np.sqrt(usual.between + usual.within / days.rows)
    result = gap / spread
    step = usual.dependence
    follows = [(b - a).days == 1 for a, b in zip(days.days, days.days[1:], strict=False)]
    result[1:] = np.where(follows, (gap[1:] - step * gap[:-1]) / (spread[1:] * math.sqrt(1 - step**2)), result[1:])
    return np.asarray(result)


def _judge_column(
    own: Measurement, column: _LearnedColumn, today: _DailyLevels, in_control_days: float, minimum_effect: float
) -> Measurement:
    """Return the figure of the component whose sum is farthest beyond its limit, or nearest to it."""
    allowance = _cusum_allowance(column.days)
    needed = limit_for_run_length(HALF_SHIFT, 2 * len(column.components) * in_control_days)
    best: tuple[float, Measurement] | None = None
    for component in column.components:
        usual, spread, values = component.usual, component.spread, today.values[:, component.component_index]
        standard = _standardise(usual, today, values)
        gap = values - usual.weekday[[day.weekday() for day in today.days]]
        shift = float(np.median(gap[-LATEST_DAYS:])) / spread
        sign = 1 if shift >= 0 else -1
        limit = max(needed, BASELINE_SUM_MARGIN * (component.highest_above if sign > 0 else component.highest_below))
        total = latest_cusum(sign * standard, allowance)
        a_day = usual.between + usual.within / float(np.median(today.rows[-LATEST_DAYS:]))
        # A median's standard error is 1.2533 times the mean's; the weekdays' own levels are off as well.
        parts = 1.2533**2 / LATEST_DAYS + 7 / usual.days / LATEST_DAYS
        error = math.sqrt(a_day * parts * (1 + usual.dependence) / (1 - usual.dependence)) / spread
        found = _judge_component(own, usual, abs(shift), error, total / limit, minimum_effect, sign)
        rank = (total / limit) * (1 if abs(shift) > minimum_effect else 0.5)
        if best is None or rank > best[0]:
            best = rank, found
    assert best is not None  # there is a component
    if any(component.usual.trending for component in column.components):
        reason = "the column was moving all through its baseline, so there is no level to hold later days against"
        return replace(best[1], verdict=Verdict.INSUFFICIENT, reason=reason)
    return best[1]


def _judge_component(
    own: Measurement, usual: _UsualLevel, shift: float, error: float, reached: float, minimum_effect: float, sign: int
) -> Measurement:
    way = "above" if sign > 0 else "below"
    reason = (
        f"over the last {LATEST_DAYS} days {shift:.2g} standard deviations {way} the {usual.days} baseline days; what "
        f"the days add up to is {reached:.0%} of what would be chance once in many years; limit {minimum_effect:g}"
    )
    verdict = Verdict.BREACH if reached > 1 and shift > minimum_effect else Verdict.OK
    return replace(
        own, value=shift, low=max(0.0, shift - 1.96 * error), high=shift + 1.96 * error, limit=minimum_effect,
        verdict=verdict, reason=reason,
    )  # fmt: skip


@monitor(SLOW_MONITOR)
def measure_slow_drift_of_day(inputs: DayInputs) -> list[Measurement]:
    """Return the slow drift of the weeks up to a day; nothing of a day without rows."""
    own = inputs.own
    return measure_slow_drift(inputs.spec, inputs.day, own.vectors, own.recent, own.levels) if own else []
