"""What chance alone makes of a distance: its expectation, its tail and its interval, by simulation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from monitors.stats import comparisons, distances
from monitors.stats.vectors import (
    bin_midpoints,
    category_vector,
    decile_bins,
    number_vector,
    quantile_bin,
    rows_by_psi_bin,
)
from profiles.bins import REST, UNSEEN, Grid, Levels, number_grid, score_grid
from profiles.profile import Counts
from tests.monitors.made import counted, levels_counted

SHAPE = np.array([2, 5, 9, 14, 20, 20, 14, 9, 5, 2]) / 100
PLACES = np.arange(10.0)


def draws(shape, n, m, times=400):
    rng = np.random.default_rng(11)
    return zip(rng.multinomial(n, shape, times), rng.multinomial(m, SHAPE, times), strict=True)


@pytest.mark.parametrize(
    ("compare", "scale"),
    [(comparisons.compare_psi, 1), (comparisons.compare_jensen_shannon, 2), (comparisons.compare_ks, 1)],
)
@pytest.mark.parametrize(("n", "m"), [(500, 2000), (20_000, 1_000_000)])
def test_without_change_a_distance_is_its_limit_less_its_floor_on_average(compare, scale, n, m):
    found = [compare(today, baseline, 0.0, 0.01) for today, baseline in draws(SHAPE, n, m)]
    mean = np.mean([one.value**scale for one in found])
    bias = np.mean([one.limit**scale for one in found])
    assert mean == pytest.approx(bias, rel=0.1 if compare is not comparisons.compare_ks else 0.3)
    assert mean <= bias * 1.1


@pytest.mark.parametrize(
    "compare", [comparisons.compare_psi, comparisons.compare_jensen_shannon, comparisons.compare_ks, "wasserstein"]
)
def test_without_change_no_more_are_significant_than_alpha_says(compare):
    found = [
        comparisons.compare_wasserstein(today, baseline, PLACES, 0.0, 0.05)
        if compare == "wasserstein"
        else compare(today, baseline, 0.0, 0.05)
        for today, baseline in draws(SHAPE, 2000, 50_000, times=1000)
    ]
    false_alarms = sum(one.p_value < 0.05 for one in found)
    assert stats.binom.sf(false_alarms - 1, 1000, 0.05) > 0.001
    beyond = [one.value > one.critical for one in found]
    assert stats.binom.sf(sum(beyond) - 1, 1000, 0.05) > 0.001


def test_without_change_a_share_rises_significantly_no_more_often_than_alpha_says():
    rng = np.random.default_rng(3)
    for share in (0.002, 0.1, 0.5, 0.97):
        pairs = zip(rng.binomial(2000, share, 1000), rng.binomial(50_000, share, 1000), strict=True)
        alarms = sum(
            comparisons.compare_shares(int(a), 2000, int(b), 50_000, 0.0, 0.05).p_value < 0.05 for a, b in pairs
        )
        assert stats.binom.sf(alarms - 1, 1000, 0.05) > 0.001
        if share < 0.2:
            assert alarms > 15, "and it isn't blind"


def test_in_two_cells_wasserstein_is_the_test_of_two_shares():
    today, baseline = np.array([0, 380, 620, 0]), np.array([0, 4200, 5800, 0])
    found = comparisons.compare_wasserstein(today, baseline, np.arange(4.0), 0.25, 0.01)
    table = np.array([today, baseline])[:, 1:3]
    assert found.p_value == pytest.approx(stats.chi2_contingency(table, correction=False).pvalue)
    assert comparisons.compare_wasserstein(
        today, baseline, np.arange(4.0), 0.25, found.p_value
    ).critical == pytest.approx(found.value)


@pytest.mark.parametrize("shift", [0.0, 0.2, 0.5])
def test_the_interval_of_psi_is_as_wide_as_psi_varies(shift):
    moved = SHAPE * (1 - shift) + np.roll(SHAPE, 2) * shift
    found = [comparisons.compare_psi(today, baseline, 0.0, 0.01) for today, baseline in draws(moved, 1000, 20_000)]
    spread = np.std([one.value for one in found])
    half = np.median([one.high - max(0.0, one.value - one.limit) for one in found])
    assert half / comparisons.Z == pytest.approx(spread, rel=0.25)


@pytest.mark.parametrize("shift", [0.0, 0.1, 0.4])
def test_the_interval_covers_the_true_distance(shift):
    moved = SHAPE * (1 - shift) + np.roll(SHAPE, 2) * shift
    huge = 10**9
    truth = (moved * huge).round().astype(np.int64), (SHAPE * huge).round().astype(np.int64)
    spread = np.sqrt(np.cov(PLACES, aweights=SHAPE, ddof=0))
    expected = {
        "psi": distances.psi(*truth),
        "jensen_shannon": distances.jensen_shannon(*truth),
        "ks": distances.ks(*truth),
        "wasserstein": distances.wasserstein(*truth, np.diff(PLACES)) / spread,
    }
    covered = dict.fromkeys(expected, 0)
    for today, baseline in draws(moved, 1000, 20_000):
        found = {
            "psi": comparisons.compare_psi(today, baseline, 0.1, 0.01),
            "jensen_shannon": comparisons.compare_jensen_shannon(today, baseline, 0.1, 0.01),
            "ks": comparisons.compare_ks(today, baseline, 0.1, 0.01),
            "wasserstein": comparisons.compare_wasserstein(today, baseline, PLACES, 0.1, 0.01),
        }
        for name, one in found.items():
            covered[name] += one.low - 1e-4 <= expected[name] <= one.high + 1e-4
    assert min(covered.values()) >= 0.92 * 400, covered


def test_the_exact_share_test_is_scipys_binomial_test():
    found = comparisons.compare_shares(7, 1000, 20, 9000, 0.02, 0.01)
    assert found.p_value == pytest.approx(stats.binomtest(7, 27, 0.1, alternative="greater").pvalue)
    assert (found.low, found.high) == pytest.approx(
        tuple(stats.binomtest(7, 1000).proportion_ci(method="wilson")), abs=1e-7
    )
    mostly = comparisons.compare_shares(990, 1000, 8800, 9000, 0.02, 0.01)
    assert mostly.p_value == pytest.approx(stats.binomtest(10, 210, 0.1, alternative="less").pvalue)


@pytest.mark.parametrize(
    "grid", [number_grid((1, 5, 9)), number_grid((0.1, 2, 900)), score_grid(0, 1, 0.85), number_grid((4, 4, 4))]
)
def test_each_cell_stands_where_the_grid_says(grid: Grid):
    where = bin_midpoints(grid)
    assert len(where) == 2 * grid.half
    assert np.all(np.diff(where) >= 0)
    for bin_index in range(-grid.half, grid.half, 37):
        assert where[bin_index + grid.half] == pytest.approx(grid.midpoint(bin_index), rel=1e-9, abs=1e-9)
    assert where[-1] == pytest.approx(grid.midpoint(grid.half - 1))


@settings(deadline=None)
@given(st.lists(st.integers(0, 1000), min_size=2, max_size=60).filter(any))
def test_deciles_are_whole_keep_spikes_alone_and_lose_no_row(rows):
    baseline = np.array(rows)
    psi_bins = decile_bins(baseline)
    for bin_index in np.flatnonzero(baseline >= baseline.sum() / 10):
        assert np.count_nonzero(baseline[psi_bins == psi_bins[bin_index]]) == 1
    counts = rows_by_psi_bin(baseline, psi_bins)
    assert counts.sum() == baseline.sum()
    assert (counts > 0).sum() <= 21
    assert counts.max() <= max(baseline.max(), 0.2 * baseline.sum())


def test_deciles_of_a_smooth_column_are_tenths():
    values = np.random.default_rng(5).normal(50, 10, 100_000)
    grid = number_grid(tuple(np.quantile(values, [0.01, 0.5, 0.99])))
    vector = number_vector(grid, counted(grid, values))
    counts = rows_by_psi_bin(vector, decile_bins(vector))
    counts = counts[counts > 0]
    assert len(counts) == 10
    assert counts / 100_000 == pytest.approx(np.full(10, 0.1), abs=0.025)


def test_a_constant_column_has_two_bins_its_value_and_everything_else():
    baseline = np.zeros(20, dtype=np.int64)
    baseline[7] = 5000
    psi_bins = decile_bins(baseline)
    assert len(set(psi_bins)) == 2
    assert np.count_nonzero(psi_bins == psi_bins[7]) == 1
    elsewhere = np.zeros(20, dtype=np.int64)
    elsewhere[3] = 5000
    assert distances.psi(rows_by_psi_bin(baseline, psi_bins), rows_by_psi_bin(baseline, psi_bins)) == 0
    assert distances.psi(rows_by_psi_bin(elsewhere, psi_bins), rows_by_psi_bin(baseline, psi_bins)) > 5


def test_levels_take_their_places_with_unseen_and_rest_last():
    counts = Counts(bins={0: 5, 1: 4, UNSEEN: 2, REST: 3})
    assert category_vector(Levels(("a", "b"), frozenset("abz")), counts).tolist() == [5, 4, 2, 3]


def test_a_quantile_lies_in_the_cell_that_reaches_it():
    assert [quantile_bin(np.array([0, 5, 0, 5, 0]), q) for q in (0.01, 0.5, 0.51, 1.0)] == [1, 1, 3, 3]


def test_twenty_thousand_stable_levels_are_quiet_at_a_hundred_thousand_rows():
    rng = np.random.default_rng(2)
    levels = Levels(tuple(map(str, range(500))), frozenset())
    for weights in (np.ones(20_000), 1 / np.arange(1, 20_001)):
        shape = weights / weights.sum()
        today, baseline = (
            category_vector(levels, levels_counted(rng.multinomial(n, shape))) for n in (100_000, 1_000_000)
        )
        for compare, minimum_effect in ((comparisons.compare_psi, 0.1), (comparisons.compare_jensen_shannon, 0.12)):
            found = compare(today, baseline, minimum_effect, 1e-5)
            assert found.value < found.limit
            assert found.p_value > 1e-5
            assert found.critical < found.limit, "and it would have told"
