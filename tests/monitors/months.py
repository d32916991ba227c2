"""Days of a model whose habits are traps: every column is drawn from its shares over cells, day by day."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta

import numpy as np
from scipy import stats

from monitors.drift import slow_drift
from monitors.faults import baseline_behaviour, column_faults
from monitors.stats.vectors import bin_midpoints
from profiles.bins import REST, UNSEEN, Grid, Levels, number_grid, score_grid
from profiles.profile import EVERYONE, BinCounts, Counts, Profile
from profiles.schema import ProfileSchema
from tests.monitors.made import spec

START = date(2026, 1, 1)
BASELINE_DAYS = 59
Shares = Callable[[int, float], np.ndarray]
"""The shares over cells on the nth day, with a shock of that day in standard deviations of the column."""


def over(grid: Grid, cdf: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Return the share of each cell under a distribution function."""
    edges = np.array([grid.edge(cell) for cell in range(-grid.half + 1, grid.half)])
    return np.diff(np.concatenate([[0.0], cdf(edges), [1.0]]))


def at(grid: Grid, values: Mapping[float, float]) -> np.ndarray:
    """Return the share of each cell for a few values with their shares."""
    found = np.zeros(2 * grid.half)
    for value, share in values.items():
        found[int(grid.bin_of(np.float64(value))) + grid.half] += share
    return found


def mixed(share: float, shares: np.ndarray, other: np.ndarray) -> np.ndarray:
    return (1 - share) * shares + share * other


def _poisson(grid: Grid, rate: float) -> np.ndarray:
    values = range(int(rate + 8 * np.sqrt(rate) + 8))
    return at(grid, {float(k): float(stats.poisson.pmf(k, rate)) for k in values})


AMOUNT, AGE = number_grid((2.0, 28.0, 360.0)), number_grid((22.0, 45.0, 68.0))
RETURNS, FLAG, MONTH_DAY = number_grid((0.0, 1.0, 5.0)), number_grid((0.0, 0.0, 1.0)), number_grid((1.0, 15.0, 31.0))
BALANCE, RATIO, WINDOW = number_grid((0.0, 0.0, 9000.0)), number_grid((0.001, 0.07, 0.6)), number_grid((0.0, 4.0, 22.0))
NUMBERS = {
    "amount_gbp": AMOUNT, "age": AGE, "returns": RETURNS, "new_payee": FLAG, "weekend": FLAG, "month_day": MONTH_DAY,
    "balance_gbp": BALANCE, "ratio": RATIO, "payments_90d": WINDOW,
}  # fmt: skip
MCC = Levels(tuple("abcdefgh"), frozenset())
SHOP = Levels(tuple(map(str, range(500))), frozenset())
FRAME = ProfileSchema("f", NUMBERS, {"mcc": MCC, "shop": SHOP}, score_grid(0, 1, 0.85), (), {})
ZIPF = 1 / np.arange(1.0, 20_001)
ZIPF = np.concatenate([ZIPF[:500], [0.0, ZIPF[500:].sum()]]) / ZIPF.sum()
LETTERS = np.concatenate([1 / np.arange(1.0, 9), [0.0, 0.0]]) / (1 / np.arange(1.0, 9)).sum()
ROUND = at(AMOUNT, {5.0: 0.05, 10.0: 0.1, 20.0: 0.1, 50.0: 0.05}) / 0.3
TILT = np.array([1, -1, 1, -1, 1, -1, 1, -1, 0, 0])


def _weekend(n: int) -> bool:
    return (START + timedelta(days=n)).weekday() >= 5


def _returns(n: int, shock: float) -> np.ndarray:
    return _poisson(RETURNS, 1.2 * np.exp(0.3 * shock + 0.1 * _weekend(n)))


def _mcc(n: int, shock: float) -> np.ndarray:
    tilted = LETTERS * np.exp((0.1 * _weekend(n) + shock) * TILT)
    return tilted / tilted.sum()


QUIET: dict[str, Shares] = {
    "amount_gbp": lambda n, shock: mixed(
        0.2, over(AMOUNT, stats.lognorm(1.1, scale=28 * np.exp(shock + 0.1 * _weekend(n))).cdf), ROUND
    ),
    "age": lambda n, shock: over(AGE, stats.norm(45 + 10 * shock, 10).cdf),
    "returns": _returns,
    "new_payee": lambda n, shock: at(FLAG, {0.0: 0.6 - shock / 5, 1.0: 0.4 + shock / 5}),
    "weekend": lambda n, shock: at(FLAG, {float(_weekend(n)): 1.0}),
    "month_day": lambda n, shock: at(MONTH_DAY, {float((START + timedelta(days=n)).day): 1.0}),
    "balance_gbp": lambda n, shock: mixed(
        0.7, over(BALANCE, stats.lognorm(2, scale=1000 * np.exp(shock)).cdf), at(BALANCE, {0.0: 1.0})
    ),
    "ratio": lambda n, shock: over(RATIO, stats.lognorm(1.1, scale=0.07 * np.exp(shock)).cdf),
    "payments_90d": lambda n, shock: _poisson(WINDOW, 0.1 * min(n + 1, 90)),
    "mcc": _mcc,
    "shop": lambda n, shock: ZIPF,
    "score": lambda n, shock: over(FRAME.score, stats.beta(0.5, 12 * np.exp(-shock)).cdf),
}
"""Weekly patterns, round values, zeros, constants within a day, a window of 90 days that is still filling."""
SPREAD = 0.02
"""How much a quiet day moves by itself, in standard deviations of a column."""


def counts(bins: Grid | Levels, shares: np.ndarray, rows: int, rng: np.random.Generator) -> Counts:
    """Draw rows from shares; a hundredth of them are null."""
    nulls = int(rng.binomial(rows, 0.01))
    drawn = rng.multinomial(rows - nulls, shares / shares.sum())
    return from_vector(bins, drawn, nulls)


def from_vector(bins: Grid | Levels, drawn: np.ndarray, nulls: int) -> Counts:
    if isinstance(bins, Grid):
        named, total = np.arange(-bins.half, bins.half), int(np.rint((bin_midpoints(bins) * drawn).sum() / bins.unit))
        return Counts(nulls, 0, total, BinCounts(named[drawn > 0], drawn[drawn > 0]))
    named = np.append([UNSEEN, REST], np.arange(len(bins.top)))
    ordered = np.append(drawn[-2:], drawn[:-2])
    return Counts(nulls, 0, 0, BinCounts(named[ordered > 0], ordered[ordered > 0]))


def day_profile(n: int, rows: int, rng: np.random.Generator, changed: Mapping[str, Shares] | None = None) -> Profile:
    """Return the nth day's profile: fewer rows at weekends, a little growth, every column with a shock of its own."""
    rows = round(rows * (0.8 if _weekend(n) else 1.0) * 1.0005**n * np.exp(0.02 * rng.standard_normal()))
    bins = {**FRAME.numbers, **FRAME.categories, "score": FRAME.score}
    columns = {}
    for name, shares in {**QUIET, **(changed or {})}.items():
        columns[name] = counts(bins[name], shares(n, SPREAD * rng.standard_normal()), rows, rng)
    return Profile("f", rows, {EVERYONE: columns})


def days(first: int, count: int, rows: int, seed: int, changed: Mapping[str, Shares] | None = None):
    """Return profiles by day from the ``first`` day on."""
    rng = np.random.default_rng([seed, first, rows])
    return {START + timedelta(days=n): day_profile(n, rows, rng, changed) for n in range(first, first + count)}


def faults_of(day, today, recent, baseline):
    """Return what monitor 'fault' says of a day's profile, from the profiles of days before and of the baseline."""
    own = baseline_behaviour.day_vectors(spec(), FRAME, today)
    return column_faults.measure_column_faults(
        spec(),
        FRAME,
        day,
        own,
        vectors(recent),
        baseline_behaviour.learn_baseline_behaviour(spec(), FRAME, vectors(baseline)),
    )


def slow_of(day, recent, baseline):
    """Return what monitor 'slow' says of the last of some days, by their profiles."""
    learned = slow_drift.learn_slow_drift_baseline(
        baseline_behaviour.learn_baseline_behaviour(spec(), FRAME, vectors(baseline))
    )
    return slow_drift.measure_slow_drift(spec(), day, vectors(recent)[day], vectors(recent), learned)


def vectors(profiles):
    """Return profiles by day as rows by cell."""
    return {day: baseline_behaviour.day_vectors(spec(), FRAME, profile) for day, profile in profiles.items()}
