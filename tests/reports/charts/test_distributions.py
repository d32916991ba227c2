"""How values are spread is drawn from counts as it would be from the values themselves."""

from __future__ import annotations

import itertools
from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from profiles.bins import REST, UNSEEN, Grid, Levels, number_grid, score_grid
from profiles.profile import BinCounts, Counts
from reports.charts import distributions

VALUES = np.random.default_rng(3).lognormal(3, 1, 20_000)
GRID = number_grid(tuple(np.quantile(VALUES, [0.01, 0.5, 0.99]).tolist()))


def counted(values: np.ndarray, grid: Grid = GRID) -> Counts:
    bins, rows = np.unique(grid.bin_of(values), return_counts=True)
    return Counts(bins=BinCounts(bins, rows.astype(np.int64)))


def test_quantiles_from_cells_are_those_of_the_values_within_a_cell() -> None:
    found = distributions.quantile_values(counted(VALUES), GRID)
    assert found is not None
    assert found == pytest.approx(np.quantile(VALUES, distributions.QUANTILES).tolist(), rel=0.09)


def test_the_bars_hold_every_payment_once_and_never_overlap() -> None:
    found = distributions.histogram_bars(counted(VALUES * 1.5), counted(VALUES), GRID)
    assert len(found) <= distributions.MOST_BARS
    assert sum(bar.now for bar in found) == pytest.approx(1)
    assert sum(bar.baseline for bar in found) == pytest.approx(1)
    assert all(left.high == right.low for left, right in itertools.pairwise(found))
    share = float(np.mean((found[5].low <= VALUES) & (found[5].high > VALUES)))
    assert found[5].baseline == pytest.approx(share, abs=1e-9)


def test_a_column_without_a_value_has_no_bars_and_no_quantiles() -> None:
    assert distributions.histogram_bars(Counts(nulls=9), Counts(nulls=3), GRID) == []
    assert distributions.quantile_values(Counts(nulls=9), GRID) is None
    assert distributions.draw_histogram(Counts(), Counts(), GRID) == ""


def test_what_is_empty_now_is_still_compared_with_the_baseline() -> None:
    found = distributions.histogram_bars(Counts(nulls=9), counted(VALUES), GRID)
    assert sum(bar.now for bar in found) == 0
    assert "<rect" in distributions.draw_histogram(Counts(nulls=9), counted(VALUES), GRID)


@settings(deadline=None)
@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6), st.floats(1e-3, 1e6))
def test_ticks_of_any_grid_are_inside_and_apart(middle: float, below: float, above: float) -> None:
    grid = number_grid((middle - below, middle, middle + above))
    low, high = int(grid.bin_of(np.float64(middle - below))), int(grid.bin_of(np.float64(middle + above)))
    found = distributions._value_ticks(grid, low, high - low + 1)
    places = [x for x, _ in found]
    assert all(0 <= x <= 1 for x in places)
    assert all(right - left >= distributions.MIN_TICK_DISTANCE - 1e-9 for left, right in itertools.pairwise(places))


def test_ticks_of_a_score_are_round() -> None:
    grid = score_grid(0, 1, 0.85)
    low, high = (int(grid.bin_of(np.float64(value))) for value in (0.0005, 0.99))
    said = [value for _, value in distributions._value_ticks(grid, low, high - low + 1)]
    assert 0.5 in said or 0.1 in said
    assert len(said) >= 4


LEVELS = Levels(("grocery", "travel", "gaming"), frozenset(("grocery", "travel", "gaming", "rare")))
DAYS = {date(2026, 4, 1): Counts(bins={0: 50, 2: 9}), date(2026, 4, 2): Counts(bins={0: 60, UNSEEN: 30})}


def test_levels_that_went_and_came_are_told_with_their_days() -> None:
    now, normal = Counts(bins={0: 600, UNSEEN: 300}), Counts(bins={0: 500, 2: 90})
    found = {level.name: level for level in distributions.level_shares(DAYS, now, normal, LEVELS)}
    gone, came = found["gaming"], found["(never seen in the baseline)"]
    assert (gone.now, gone.last) == (0, date(2026, 4, 1))
    assert (came.baseline, came.first) == (0, date(2026, 4, 2))
    assert found["grocery"].now == pytest.approx(2 / 3)


def test_rare_levels_are_told_together_and_shares_still_add_up() -> None:
    now, normal = Counts(bins={0: 600, 1: 3, REST: 7}), Counts(bins={0: 500, 1: 2})
    found = distributions.level_shares({}, now, normal, LEVELS)
    assert [level.name for level in found] == ["grocery", "(other)"]
    assert sum(level.now for level in found) == pytest.approx(1)
