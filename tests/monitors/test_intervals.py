"""Intervals against scipy, scikit-learn, published tables and simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.stats.contingency import relative_risk
from sklearn.metrics import average_precision_score, roc_auc_score

from monitors import intervals

counts = st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
cells = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=1, max_size=12).filter(
    lambda pairs: sum(f for f, _ in pairs) and sum(n for _, n in pairs)
)


@given(counts)
def test_clopper_pearson_and_wilson_equal_scipy(case):
    events, n = case
    test = stats.binomtest(events, n)
    for mine, method in ((intervals.clopper_pearson, "exact"), (intervals.wilson, "wilson")):
        theirs = test.proportion_ci(0.95, method=method)
        assert mine(events, n) == pytest.approx((theirs.low, theirs.high), abs=1e-9)


@pytest.mark.parametrize(
    ("a", "m", "b", "n", "low", "high"),
    [
        (56, 70, 48, 80, 0.0524, 0.3339),
        (9, 10, 3, 10, 0.1705, 0.8090),
        (6, 7, 2, 7, 0.0582, 0.8062),
        (5, 56, 0, 29, -0.0381, 0.1926),
        (0, 10, 0, 20, -0.1611, 0.2775),
        (0, 10, 0, 10, -0.2775, 0.2775),
        (10, 10, 0, 20, 0.6791, 1.0),
        (10, 10, 0, 10, 0.6075, 1.0),
    ],
)
def test_newcombe_equals_the_table_of_his_paper(a, m, b, n, low, high):
    assert intervals.newcombe(a, m, b, n) == pytest.approx((low, high), abs=6e-5)


@given(counts, counts)
def test_katz_equals_scipy_where_both_groups_have_events(case, other):
    (x, n), (y, m) = case, other
    if x and y and not (x == n and y == m):
        theirs = relative_risk(x, n, y, m).confidence_interval(0.95)
        assert intervals.katz(x, n, y, m) == pytest.approx((theirs.low, theirs.high), rel=1e-9)


def test_katz_is_defined_where_a_group_has_no_event():
    low, high = intervals.katz(0, 500, 50, 500)
    assert low == 0
    assert 0 < high < 0.2
    low, high = intervals.katz(50, 500, 0, 500)
    assert low > 5
    assert math.isinf(high)
    assert intervals.katz(0, 5, 0, 5) == (0, math.inf)


@given(counts, counts)
def test_an_interval_holds_its_point_and_widens_with_the_confidence(case, other):
    (x, n), (y, m) = case, other
    for low, high, value in (
        (*intervals.clopper_pearson(x, n), x / n),
        (*intervals.newcombe(x, n, y, m), x / n - y / m),
        *([(*intervals.katz(x, n, y, m), (x / n) / (y / m))] if y else []),
    ):
        assert low - 1e-9 <= value <= high + 1e-9
    wide, narrow = intervals.newcombe(x, n, y, m, 0.001), intervals.newcombe(x, n, y, m)
    assert wide.low <= narrow.low + 1e-9
    assert wide.high >= narrow.high - 1e-9


def _rows(pairs):
    score = np.repeat(np.arange(len(pairs)), [f + n for f, n in pairs])
    label = np.concatenate([np.r_[np.ones(f), np.zeros(n)] for f, n in pairs])
    frauds, legitimate = np.array(pairs, np.int64).T
    return score, label, frauds, legitimate


@given(cells)
def test_areas_equal_scikit_learn_with_ties(pairs):
    score, label, frauds, legitimate = _rows(pairs)
    assert intervals.roc_auc(frauds, legitimate).value == pytest.approx(roc_auc_score(label, score), abs=1e-12)
    expected = average_precision_score(label, score)
    assert intervals.average_precision(frauds, legitimate).value == pytest.approx(expected, abs=1e-12)


@given(cells)
def test_the_error_of_roc_auc_is_delong_s_over_all_pairs(pairs):
    score, label, frauds, legitimate = _rows(pairs)
    x, y = score[label == 1], score[label == 0]
    wins = (x[:, None] > y) + 0.5 * (x[:, None] == y)
    parts = [wins.mean(axis=1), wins.mean(axis=0)]
    expected = math.sqrt(sum(p.var(ddof=1) / len(p) for p in parts if len(p) > 1))
    assert intervals.roc_auc(frauds, legitimate).error == pytest.approx(expected, abs=1e-9)


def _coverage(truth, estimates):
    return np.mean([e.low <= truth <= e.high for e in estimates])


def test_the_intervals_of_both_areas_hold_the_truth_about_as_often_as_they_say():
    rng = np.random.default_rng(5)
    edges = np.linspace(-4, 6, 201)

    def sample(frauds, legitimate):
        f, n = rng.normal(2, 1, frauds), rng.normal(0, 1, legitimate)
        return np.histogram(f, edges)[0], np.histogram(n, edges)[0]

    f, n = np.diff(stats.norm.cdf(edges, 2, 1)), np.diff(stats.norm.cdf(edges, 0, 1))
    n_share, f_share = 1e9 * n, 1e7 * f  # 1 % fraud
    draws = [sample(60, 5940) for _ in range(600)]
    roc = _coverage(stats.norm.cdf(2 / math.sqrt(2)), [intervals.roc_auc(*draw) for draw in draws])
    truth = intervals.average_precision(f_share.astype(np.int64), n_share.astype(np.int64)).value
    ap = _coverage(truth, [intervals.average_precision(*draw) for draw in draws])
    assert 0.92 <= roc <= 0.98
    assert 0.91 <= ap <= 0.99


@pytest.mark.parametrize("frauds", [40, 400])
def test_the_interval_of_the_value_share_holds_the_truth_about_as_often_as_it_says(frauds):
    rng = np.random.default_rng(6)
    estimates = []
    for _ in range(500):
        sides = []
        for mean in (0.8 * frauds, 0.2 * frauds):
            units = rng.integers(0, 120, rng.poisson(mean))
            amount = rng.lognormal(4, 0.9, len(units))
            sides.append((np.bincount(units, minlength=120), np.bincount(units, amount, minlength=120)))
        estimates.append(intervals.value_share(*sides))
    assert 0.90 <= _coverage(0.8, estimates) <= 0.99


def test_a_certain_figure_still_has_an_interval():
    perfect = intervals.roc_auc(np.array([0, 40]), np.array([1000, 0]))
    assert (perfect.value, perfect.high) == (1.0, 1.0)
    assert 0.85 < perfect.low < 0.95
    assert intervals.value_share((np.array([30]), np.array([9e4])), (np.array([0]), np.array([0.0]))).low < 0.95


def test_the_mean_of_days_has_student_s_interval():
    values = np.array([3.0, 5.0, 4.0, 8.0, 6.5])
    theirs = stats.ttest_1samp(values, 0).confidence_interval()
    assert intervals.daily_mean(values)[:4] == pytest.approx((values.mean(), theirs.low, theirs.high, 5))


def test_the_design_effect_is_1_for_independent_payments_and_grows_with_bursts():
    rng = np.random.default_rng(7)
    n = np.full(400, 200)
    assert intervals.design_effect(rng.binomial(n, 0.3), n) < 1.25
    p = rng.beta(3, 7, 400)  # intra-class correlation 1 / 11, so the effect is 1 + 199 / 11
    assert intervals.design_effect(rng.binomial(n, p), n) == pytest.approx(1 + 199 / 11, rel=0.25)
    assert intervals.design_effect(np.array([1, 90]), np.array([100, 100])) == 1.0


def test_what_is_undefined_says_so():
    nothing = np.zeros(3, np.int64)
    for call in (
        lambda: intervals.share(0, 0),
        lambda: intervals.roc_auc(nothing, nothing + 1),
        lambda: intervals.average_precision(nothing, nothing + 1),
        lambda: intervals.value_share((nothing, nothing * 0.0), (nothing, nothing * 0.0)),
        lambda: intervals.daily_mean(np.array([1.0])),
    ):
        with pytest.raises(ValueError, match=r"undefined|needs"):
            call()
