from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiles.bins import number_grid, score_grid

QUANTILES = st.lists(st.floats(-1e9, 1e9), min_size=3, max_size=3).map(lambda values: tuple(sorted(values)))
GRIDS = [number_grid((-2, 0, 2.5)), number_grid((1, 20, 400)), number_grid((5, 5, 5)), score_grid(0, 1000, 850)]


@pytest.mark.parametrize("grid", GRIDS)
def test_a_value_lies_between_the_borders_of_its_cell(grid):
    values = np.random.default_rng(0).normal(grid.centre, 3 * grid.scale, 2000)
    if grid.kind == "logit":
        values = np.clip(values, 0, 1000)
    for value, cell in zip(values, grid.bin_of(values), strict=True):
        slack = 1e-9 * (abs(value) + 1)
        assert grid.edge(cell) - slack <= value <= grid.edge(cell + 1) + slack
        assert grid.edge(cell) <= grid.midpoint(cell) <= grid.edge(cell + 1)


@pytest.mark.parametrize("grid", GRIDS[:3])
def test_the_end_cells_hold_everything_beyond(grid):
    extreme = np.array([-1.7e308, -1e200, 1e200, 1.7e308])
    assert grid.bin_of(extreme).tolist() == [-grid.half, -grid.half, grid.half - 1, grid.half - 1]
    assert math.isinf(grid.edge(-grid.half))
    assert math.isinf(grid.edge(grid.half))
    assert math.isfinite(grid.midpoint(-grid.half))
    assert math.isfinite(grid.midpoint(grid.half - 1))


def test_a_score_outside_its_range_counts_as_the_nearer_end():
    grid = score_grid(0, 1000, 850)
    assert grid.bin_of(np.array([-1e300, -0.1])).tolist() == [grid.bin_of(np.float64(0))] * 2
    assert grid.bin_of(np.array([1000.1, 1e300])).tolist() == [grid.bin_of(np.float64(1000))] * 2


@given(QUANTILES, st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1))
def test_any_quantiles_give_a_grid_that_keeps_the_order_of_values(quantiles, values):
    grid = number_grid(quantiles)
    assert grid.width > 0
    assert grid.scale > 0
    assert grid.unit > 0
    bins = grid.bin_of(np.sort(np.array(values)))
    assert (np.diff(bins) >= 0).all()


@given(QUANTILES)
def test_the_body_of_a_number_is_spread_over_many_cells(quantiles):
    low, _, high = quantiles
    grid = number_grid(quantiles)
    first, last = grid.bin_of(np.array([low, high]))
    if high - low > 1e-3 * max(abs(low), abs(high), 1e-9):
        assert -grid.half < first
        assert last < grid.half - 1
        assert last - first >= 40


@given(st.floats(1e-6, 1), st.floats(-1000, 1000), st.floats(0.01, 1000))
def test_an_alert_is_a_cell_from_zero_on(share, low, width):
    high = low + width
    threshold = min(max(low + share * width, low), high)
    grid = score_grid(low, high, threshold)
    below = threshold - 1e-9 * width
    assert grid.bin_of(np.array([threshold, below])).tolist() == [0, -1]
