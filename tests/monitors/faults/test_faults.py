"""Each fault is found on its first day, in its own column, and a quiet day of many habits has none."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from ledger.records.measurements import Verdict
from monitors.faults import baseline_behaviour, column_faults, column_swap, spikes, stale_data
from monitors.stats.vectors import bin_midpoints
from profiles.bins import Grid, Levels, number_grid
from profiles.profile import EVERYONE, Profile
from tests.monitors import months
from tests.monitors.months import (
    AGE,
    AMOUNT,
    BALANCE,
    BASELINE_DAYS,
    FRAME,
    QUIET,
    RATIO,
    START,
    WINDOW,
    at,
    day_profile,
    days,
    faults_of,
    mixed,
    over,
)  # fmt: skip

TODAY = START + timedelta(days=BASELINE_DAYS)
BASELINES = {rows: days(0, BASELINE_DAYS, rows, seed=1) for rows in (20, 2000, 50_000)}
ROWS = pytest.mark.parametrize("rows", [2000, 50_000])


def found(rows: int, today: Profile, day=TODAY):
    """Return what breaches today, as metric and feature, with its measurement."""
    base = BASELINES[rows]
    recent = {d: base[d] for d in list(base)[-8:]}
    measured = faults_of(day, today, recent, base)
    return {(m.metric, m.feature): m for m in measured if m.verdict is Verdict.BREACH}


def today(rows: int, **changed: months.Shares) -> Profile:
    return day_profile(BASELINE_DAYS, rows, np.random.default_rng(rows), changed)


def heaped(name: str, share: float, values: np.ndarray) -> months.Shares:
    return lambda n, shock: mixed(share, QUIET[name](n, shock), values)


def level(name: str, old: int, new: int) -> months.Shares:
    def shares(n: int, shock: float) -> np.ndarray:
        known = QUIET[name](n, shock).copy()
        known[new] += known[old]
        known[old] = 0.0
        return known

    return shares


def amount_gbp(times: float) -> np.ndarray:
    """Return the amount's shares with every value multiplied, the round ones too."""
    round_ones = at(AMOUNT, {5 * times: 1 / 6, 10 * times: 1 / 3, 20 * times: 1 / 3, 50 * times: 1 / 6})
    return mixed(0.2, over(AMOUNT, stats.lognorm(1.1, scale=28 * times).cdf), round_ones)


@pytest.mark.parametrize(("rows", "count"), [(20, 20), (2000, 20), (50_000, 10)])
def test_quiet_days_with_habits_have_no_fault(rows, count):
    base = BASELINES[rows]
    later = days(BASELINE_DAYS, 60, rows, seed=2)
    every = {**base, **later}
    for day in list(later)[:: 60 // count]:
        recent = {day - timedelta(days=n): every[day - timedelta(days=n)] for n in range(1, 9)}
        measured = faults_of(day, later[day], recent, base)
        assert [m for m in measured if m.verdict is Verdict.BREACH] == []
        if rows == 20:
            assert {m.verdict for m in measured} == {Verdict.INSUFFICIENT}


@ROWS
@pytest.mark.parametrize("back", [1, 7])
def test_a_partition_delivered_again_is_found_and_says_of_which_day(rows, back):
    day = TODAY - timedelta(days=back)
    seen = found(rows, BASELINES[rows][day])
    stale = seen["repeated_share", ""]
    assert stale.value == 1.0
    assert f"{day:%a %-d %b}" in stale.reason
    assert {metric for metric, _ in seen} == {"repeated_share", "repeated_column"}


@ROWS
def test_a_partition_delivered_again_with_a_few_late_rows_is_found(rows):
    late = day_profile(BASELINE_DAYS - 1, rows // 50, np.random.default_rng(3))
    assert ("repeated_share", "") in found(rows, BASELINES[rows][TODAY - timedelta(days=1)] + late)


@ROWS
def test_one_column_that_was_not_refreshed_is_found_alone(rows):
    fresh, old = today(rows), BASELINES[rows][TODAY - timedelta(days=2)]
    features = {**fresh.features[EVERYONE], "ratio": old.features[EVERYONE]["ratio"]}
    assert set(found(rows, Profile("f", fresh.rows, {EVERYONE: features}))) == {("repeated_column", "ratio")}


def test_a_column_whose_days_are_alike_by_habit_is_not_called_stale():
    base = BASELINES[2000]
    same = base[START].features[EVERYONE]["age"]
    fixed = {day: Profile("f", p.rows, {EVERYONE: {**p.features[EVERYONE], "age": same}}) for day, p in base.items()}
    recent = {day: fixed[day] for day in list(fixed)[-8:]}
    measured = faults_of(TODAY, fixed[START], recent, fixed)
    age = next(m for m in measured if (m.metric, m.feature) == ("repeated_column", "age"))
    assert age.verdict is Verdict.INSUFFICIENT


@ROWS
@pytest.mark.parametrize(
    ("name", "values"),
    [("amount_gbp", at(AMOUNT, {0.0: 1})), ("age", at(AGE, {45.0: 1})), ("balance_gbp", at(BALANCE, {0.0: 1}))],
)
def test_a_column_of_one_value_is_found(rows, name, values):
    seen = found(rows, today(rows, **{name: lambda n, shock: values}))
    assert ("constant_share", name) in seen
    assert {feature for _, feature in seen} == {name}


@ROWS
@pytest.mark.parametrize(
    ("name", "share", "values"),
    [
        ("amount_gbp", 0.05, at(AMOUNT, {0.0: 1})),
        ("amount_gbp", 0.05, at(AMOUNT, {999_999.0: 1})),
        ("age", 0.3, at(AGE, {40.0: 1})),
    ],
)
def test_a_default_value_for_a_part_of_the_rows_is_found(rows, name, share, values):
    seen = found(rows, today(rows, **{name: heaped(name, share, values)}))
    spike = seen["spike_share", name]
    assert spike.value == pytest.approx(share, abs=0.04)
    assert {feature for _, feature in seen} == {name}


@ROWS
@pytest.mark.parametrize(
    ("name", "values"),
    [("amount_gbp", over(AMOUNT, stats.norm(700, 20).cdf)), ("age", over(AGE, stats.norm(75, 0.5).cdf))],
)
def test_a_new_dense_cluster_of_four_per_cent_is_found_and_is_no_fault(rows, name, values):
    seen = found(rows, today(rows, **{name: heaped(name, 0.04, values)}))
    assert set(seen) == {("cluster_share", name)}
    assert seen["cluster_share", name].value == pytest.approx(0.04, abs=0.012)


@ROWS
@pytest.mark.parametrize(("share", "times"), [(1, 100), (0.3, 100), (0.3, 10), (1, 0.01), (0.3, 0.01)])
def test_another_unit_for_all_or_a_part_of_the_rows_is_found_with_its_factor(rows, share, times):
    seen = found(rows, today(rows, amount_gbp=heaped("amount_gbp", share, amount_gbp(times))))
    scaled = seen["scaled_share", "amount_gbp"]
    assert scaled.value == pytest.approx(share, abs=0.07)
    assert (f"{times:,.0f} times" if times > 1 else f"1/{1 / times:,.0f} of") in scaled.reason


@ROWS
def test_two_swapped_columns_are_found_and_each_names_the_other(rows):
    swap = {
        "amount_gbp": lambda n, shock: over(AMOUNT, stats.norm(45, 10).cdf),
        "age": lambda n, shock: mixed(
            0.2,
            over(AGE, stats.lognorm(1.1, scale=28).cdf),
            at(AGE, {5.0: 1 / 6, 10.0: 1 / 3, 20.0: 1 / 3, 50.0: 1 / 6}),
        ),
    }
    seen = {key: m for key, m in found(rows, today(rows, **swap)).items() if key[0] == "swapped_column"}
    assert {feature for _, feature in seen} == {"amount_gbp", "age"}
    assert "'age'" in seen["swapped_column", "amount_gbp"].reason


@ROWS
def test_three_rotated_columns_are_found(rows):
    turned = {
        "amount_gbp": lambda n, shock: over(AMOUNT, stats.norm(45, 10).cdf),
        "age": lambda n, shock: over(AGE, stats.lognorm(1.1, scale=0.07).cdf),
        "ratio": lambda n, shock: over(RATIO, stats.lognorm(1.1, scale=28).cdf),
    }
    seen = found(rows, today(rows, **turned))
    assert {feature for metric, feature in seen if metric == "swapped_column"} == set(turned)


@ROWS
@pytest.mark.parametrize("new", [-2, -1])
def test_a_level_under_a_new_or_a_rare_name_is_found_and_named(rows, new):
    seen = found(rows, today(rows, mcc=level("mcc", 1, new)))
    assert set(seen) == {("renamed_share", "mcc")}
    assert "'b' vanished" in seen["renamed_share", "mcc"].reason


@ROWS
@pytest.mark.parametrize(
    ("name", "shares"),
    [
        ("age", lambda n, shock: over(AGE, stats.norm(50, 10).cdf)),
        ("age", lambda n, shock: over(AGE, stats.norm(45, 15).cdf)),
        ("amount_gbp", lambda n, shock: mixed(0.35, QUIET["amount_gbp"](n, shock), amount_gbp(0.3))),
        ("payments_90d", lambda n, shock: months._poisson(WINDOW, 9)),
        ("mcc", lambda n, shock: mixed(0.35, QUIET["mcc"](n, shock), np.eye(10)[3])),
        ("mcc", lambda n, shock: mixed(0.04, QUIET["mcc"](n, shock), np.eye(10)[-2])),
    ],
)
def test_a_population_that_moved_is_no_fault(rows, name, shares):
    assert found(rows, today(rows, **{name: shares})) == {}


def test_every_figure_lies_in_its_interval_and_says_why():
    base = BASELINES[2000]
    recent = {d: base[d] for d in list(base)[-8:]}
    for m in faults_of(TODAY, today(2000), recent, base):
        assert m.reason
        assert m.verdict is Verdict.INSUFFICIENT or m.low <= m.value <= m.high, m


def test_a_missing_column_has_no_figure_and_few_baseline_days_are_too_few():
    base = dict(list(BASELINES[2000].items())[: baseline_behaviour.LEAST_DAYS - 1])
    fresh = today(2000)
    without = {name: counts for name, counts in fresh.features[EVERYONE].items() if name != "age"}
    measured = faults_of(TODAY, Profile("f", fresh.rows, {EVERYONE: without}), {}, base)
    assert not [m for m in measured if m.feature == "age"]
    assert {m.verdict for m in measured} == {Verdict.INSUFFICIENT}


@given(st.lists(st.integers(0, 300), min_size=2, max_size=20).filter(lambda rows: sum(rows) >= 100))
def test_the_chance_of_equal_days_is_never_below_the_exact_one_of_drawing_that_day(rows):
    """P(X = x) of a multinomial is at most that at its own shares, whatever the true ones are."""
    counts = np.array(rows)
    large = counts[counts >= stale_data.LEAST_ROWS_IN_A_BIN / 2]
    if len(large) < 2:
        return
    exact = stats.multinomial(int(large.sum()), large / large.sum()).logpmf(large)
    assert stale_data.compare_days(large, large).log_chance >= exact - np.log(2) * len(large) / 2


def test_two_days_of_one_distribution_are_alike_no_more_often_than_their_chance_says():
    rng = np.random.default_rng(4)
    shares = rng.dirichlet(np.full(30, 3.0))
    pairs = [stale_data.compare_days(*rng.multinomial(3000, shares, 2)) for _ in range(4000)]
    chances = np.exp([pair.log_chance for pair in pairs])
    for share in (0.001, 0.01, 0.05):
        assert (chances < share).mean() <= share + 3 * np.sqrt(share / len(pairs))


@given(st.integers(0, 2**32 - 1))
def test_the_distance_over_cells_is_scipy_s_wasserstein_distance(seed):
    rng = np.random.default_rng(seed)
    a, b = rng.dirichlet(np.ones(12), 2)
    assert column_swap.mean_bins_moved(a, b) == pytest.approx(
        stats.wasserstein_distance(np.arange(12), np.arange(12), a, b)
    )


@given(st.lists(st.lists(st.floats(0, 1), min_size=3, max_size=3), min_size=2, max_size=8))
def test_the_largest_of_the_others_is_that_without_the_day_itself(rows):
    values = np.array(rows)
    expected = [np.delete(values, i, axis=0).max(axis=0) for i in range(len(values))]
    assert np.array_equal(baseline_behaviour.largest_of_others(values), expected)


@pytest.mark.parametrize("quantiles", [(0.0, 1.0, 5.0), (2.0, 28.0, 360.0), (-5.0, 0.0, 5.0)])
def test_the_lower_ends_of_cells_lie_in_their_cells(quantiles):
    grid = number_grid(quantiles)
    inner = slice(1, None)
    between = (column_swap.lower_edges(grid) + bin_midpoints(grid)) / 2
    assert np.array_equal(grid.bin_of(between[inner][:-1]), np.arange(-grid.half + 1, grid.half - 1))


@given(st.integers(0, 2**32 - 1))
def test_a_column_with_the_shares_of_its_baseline_never_has_a_fault_by_itself(seed):
    """No rise above the highest of the baseline's days, so no spike and no cluster, whatever the column is."""
    rng = np.random.default_rng(seed)
    grid = Grid("linear", 0.0, 1.0, width=1 / 4, half=8)
    drawn = rng.multinomial(500, rng.dirichlet(np.full(16, 0.3)), 10)
    counts = [months.from_vector(grid, row, 0) for row in drawn]
    rows = {START + timedelta(days=n): {"x": baseline_behaviour.full_vector(grid, own)} for n, own in enumerate(counts)}
    column = baseline_behaviour.ColumnOfDay(
        baseline_behaviour.learn_column_behaviour("x", grid, rows),
        baseline_behaviour.full_vector(grid, counts[3]),
        chance=1e-6,
    )
    blank = column_faults.Measurement("m", TODAY, TODAY, "fault", "")
    judged = [
        spikes.measure_constant_share(blank, column),
        spikes.measure_spike(blank, column, 0.03),
        spikes.measure_cluster(blank, column, 0.02),
    ]
    assert all(one is None or one.verdict is not Verdict.BREACH for one in judged)
    assert isinstance(FRAME.categories["mcc"], Levels)
