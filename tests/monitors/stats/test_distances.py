"""Plain distances against scipy and the published example, and the properties that make them distances."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import special, stats
from scipy.spatial import distance

from monitors.stats import comparisons, distances
from monitors.stats.vectors import bin_midpoints, number_vector
from profiles.bins import number_grid
from tests.monitors.made import counted

YURDAKUL_BASE = np.array([253, 302, 204, 134, 72, 26, 8])
YURDAKUL_TODAY = np.array([177, 262, 285, 158, 88, 25, 6])


@st.composite
def pairs(draw, least=1):
    bins = draw(st.integers(1, 12))
    side = st.lists(st.integers(0, 500), min_size=bins, max_size=bins).filter(lambda counts: sum(counts) >= least)
    return np.array(draw(side)), np.array(draw(side))


def test_psi_is_the_published_example_with_its_critical_value_and_p_value():
    found = comparisons.compare_psi(YURDAKUL_TODAY, YURDAKUL_BASE, minimum_effect=0.1, alpha=0.05)
    assert found.value == pytest.approx(0.067693, abs=5e-7)
    assert found.critical == pytest.approx(0.025183, abs=5e-7)
    noise = 1 / YURDAKUL_TODAY.sum() + 1 / YURDAKUL_BASE.sum()
    assert special.chdtrc(6, found.value / noise) == pytest.approx(7.20e-6, rel=0.01)
    assert found.p_value == pytest.approx(7.20e-6, rel=0.3), "the chi-square test says the same"


@pytest.mark.parametrize(("bins", "rows", "critical"), [(10, 100, 0.3384), (10, 1000, 0.0338), (20, 10_000, 0.00603)])
def test_the_critical_value_of_psi_is_the_published_table(bins, rows, critical):
    even = np.full(bins, rows // bins)
    assert comparisons.compare_psi(even, even, minimum_effect=0.1, alpha=0.05).critical == pytest.approx(
        critical, rel=2e-3
    )


@settings(deadline=None)
@given(pairs())
def test_jensen_shannon_is_scipys(pair):
    today, baseline = pair
    assert distances.jensen_shannon(today, baseline) == pytest.approx(
        distance.jensenshannon(today, baseline, base=2), abs=1e-7
    )


@settings(deadline=None)
@given(pairs())
def test_wasserstein_from_cells_is_scipys_on_the_same_places(pair):
    today, baseline = pair
    where = np.cumsum(np.arange(1.0, len(today) + 1))
    assert distances.wasserstein(today, baseline, np.diff(where)) == pytest.approx(
        stats.wasserstein_distance(where, where, today, baseline), abs=1e-9
    )


@settings(deadline=None)
@given(pairs(least=3))
def test_ks_from_cells_is_scipys_on_rows_that_stand_in_the_cells(pair):
    today, baseline = pair
    rows = [np.repeat(np.arange(len(side)), side) for side in pair]
    assert distances.ks(today, baseline) == pytest.approx(stats.ks_2samp(*rows, method="asymp").statistic, abs=1e-12)


@settings(deadline=None)
@given(pairs(least=200))
def test_chi_square_is_scipys_where_no_cell_is_rare(pair):
    today, baseline = pair[0] + 20, pair[1] + 20
    mine = distances.chi_square(today, baseline)
    theirs = stats.chi2_contingency(np.array([today, baseline]), correction=False)
    assume(theirs.expected_freq.min() >= distances.LEAST_EXPECTED)
    assert (mine.statistic, mine.freedom) == (pytest.approx(theirs.statistic), theirs.dof)
    assert mine.p_value == pytest.approx(theirs.pvalue, abs=1e-12)


def test_chi_square_pools_rare_cells_into_one():
    today, baseline = np.array([60, 30, 2, 1, 7]), np.array([70, 20, 1, 2, 7])
    pooled = np.array([[60, 30, 7, 3], [70, 20, 7, 3]])
    mine = distances.chi_square(today, baseline)
    assert mine.statistic == pytest.approx(stats.chi2_contingency(pooled, correction=False).statistic)
    assert mine.freedom == 3


@pytest.mark.parametrize("draw", [lambda rng, n: rng.normal(50, 10, n), lambda rng, n: rng.lognormal(3, 1, n)])
def test_distances_from_cells_equal_raw_rows_within_a_cell(draw):
    rng = np.random.default_rng(7)
    baseline, today = draw(rng, 50_000), draw(rng, 20_000) * 1.15
    grid = number_grid(tuple(np.quantile(baseline, [0.01, 0.5, 0.99])))
    a, b = (number_vector(grid, counted(grid, x)) for x in (today, baseline))
    raw = stats.ks_2samp(today, baseline).statistic
    assert raw - max((a / a.sum()).max(), (b / b.sum()).max()) <= distances.ks(a, b) <= raw + 1e-12
    found = comparisons.compare_wasserstein(a, b, bin_midpoints(grid), minimum_effect=0.25, alpha=0.001)
    oracle = stats.wasserstein_distance(today, baseline) / baseline.std()
    assert found.value == pytest.approx(oracle, rel=0.03)


@settings(deadline=None)
@given(pairs())
def test_every_distance_is_at_least_nought_symmetric_and_nought_on_itself(pair):
    today, baseline = pair
    where = np.arange(float(len(today)))
    for measure in (
        distances.psi,
        distances.jensen_shannon,
        distances.ks,
        lambda a, b: distances.wasserstein(a, b, np.diff(where)),
    ):
        assert measure(today, baseline) >= 0
        assert measure(today, baseline) == pytest.approx(measure(baseline, today), abs=1e-9)
        assert measure(today, today) == pytest.approx(0, abs=1e-9)


@settings(deadline=None)
@given(pairs(), st.randoms())
def test_the_order_of_categories_doesnt_matter(pair, shuffler):
    order = list(range(len(pair[0])))
    shuffler.shuffle(order)
    shuffled = [side[order] for side in pair]
    for measure in (distances.psi, distances.jensen_shannon, lambda a, b: distances.chi_square(a, b).statistic):
        assert measure(*shuffled) == pytest.approx(measure(*pair), abs=1e-9)


@settings(deadline=None)
@given(pairs(), st.integers(1, 5))
def test_cells_that_nobody_uses_dont_matter(pair, more):
    today, baseline = pair
    padded = [np.concatenate([side, np.zeros(more, dtype=np.int64)]) for side in pair]
    for measure in (comparisons.compare_psi, comparisons.compare_jensen_shannon):
        assert measure(*padded, 0.1, 0.01) == pytest.approx(measure(today, baseline, 0.1, 0.01))


@settings(deadline=None)
@given(pairs(), st.sampled_from([0.05, 1e-6]))
def test_a_value_lies_in_its_interval_and_everything_is_a_number(pair, alpha):
    today, baseline = pair[0], pair[1]
    where = np.arange(float(len(today) + 2))
    wide = [np.concatenate([[0], side, [0]]) for side in pair]
    for found in (
        comparisons.compare_psi(today, baseline, 0.1, alpha),
        comparisons.compare_jensen_shannon(today, baseline, 0.1, alpha),
        comparisons.compare_ks(today, baseline, 0.1, alpha),
        comparisons.compare_wasserstein(*wide, where, 0.25, alpha),
        comparisons.compare_shares(int(today[0]), int(today.sum()), int(baseline[0]), int(baseline.sum()), 0.02, alpha),
    ):
        assert all(math.isfinite(number) for number in found)
        assert found.low <= found.value <= found.high
        assert 0 <= found.p_value <= 1


def test_without_rows_on_a_side_there_is_no_distance():
    none, some = np.zeros(3, dtype=np.int64), np.array([1, 2, 3])
    assert math.isnan(distances.psi(none, some))
    assert math.isnan(distances.jensen_shannon(some, none))
    assert math.isnan(distances.wasserstein(none, some, np.ones(2)))
    assert math.isnan(distances.ks(none, some))
    assert math.isnan(distances.chi_square(none, some).p_value)
