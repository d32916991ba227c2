"""Intervals against scipy, scikit-learn, published tables and simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.stats.contingency import relative_risk
from statsmodels.stats.proportion import confint_proportions_2indep

from monitors.stats import intervals

counts = st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


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
    assert intervals.newcombe_interval(a, m, b, n) == pytest.approx((low, high), abs=6e-5)


@given(counts, counts)
def test_newcombe_and_the_score_ratio_equal_statsmodels(case, other):
    (x, n), (y, m) = case, other
    theirs = confint_proportions_2indep(x, n, y, m, method="newcomb", compare="diff")
    assert intervals.newcombe_interval(x, n, y, m) == pytest.approx(theirs, abs=1e-9)
    if 0 < x < n and 0 < y < m:  # elsewhere statsmodels' root finding may end in a complex number
        theirs = confint_proportions_2indep(x, n, y, m, method="score", compare="ratio")
        assert intervals.ratio_interval(x, n, y, m) == pytest.approx(theirs, rel=1e-4)


def test_the_score_ratio_comes_to_katz_s_with_many_events():
    theirs = relative_risk(40_000, 900_000, 35_000, 850_000).confidence_interval(0.95)
    assert intervals.ratio_interval(40_000, 900_000, 35_000, 850_000) == pytest.approx(
        (theirs.low, theirs.high), rel=1e-4
    )


def test_a_ratio_is_defined_where_a_group_has_no_event():
    low, high = intervals.ratio_interval(0, 500, 50, 500)
    assert low == 0
    assert 0.05 < high < 0.1
    low, high = intervals.ratio_interval(50, 500, 0, 500)
    assert 10 < low < 20
    assert math.isinf(high)
    assert intervals.ratio_interval(0, 5, 0, 5) == (0, math.inf)
    assert intervals.ratio_interval(5, 5, 5, 5) == pytest.approx((0.539, 1.854), abs=1e-3)


@given(counts, counts)
def test_fisher_is_twice_the_smaller_tail_of_the_hypergeometric(case, other):
    (x, n), (y, m) = case, other
    law = stats.hypergeom(n + m, x + y, n)
    expected = min(1.0, 2 * min(law.cdf(x), law.sf(x - 1)))
    assert intervals.fisher_p_value(x, n, y, m) == pytest.approx(expected, rel=1e-6, abs=1e-15)


@pytest.mark.parametrize(("share", "n", "m"), [(0.002, 2_000, 20_000), (0.02, 500, 50_000), (0.8, 40, 400)])
def test_fisher_never_errs_more_often_than_it_says_however_small_the_chance(share, n, m):
    rng = np.random.default_rng(3)
    draws = zip(rng.binomial(n, share, 4000).tolist(), rng.binomial(m, share, 4000).tolist(), strict=True)
    p = np.array([intervals.fisher_p_value(x, n, y, m) for x, y in draws])
    for alpha in (0.05, 0.01, 0.001):
        assert np.mean(p <= alpha) <= alpha + 3 * math.sqrt(alpha / 4000)


@given(counts, counts)
def test_an_interval_holds_its_point_and_widens_with_the_confidence(case, other):
    (x, n), (y, m) = case, other
    for low, high, value in (
        (*intervals.clopper_pearson(x, n), x / n),
        (*intervals.newcombe_interval(x, n, y, m), x / n - y / m),
        *([(*intervals.ratio_interval(x, n, y, m), (x / n) / (y / m))] if y else []),
    ):
        assert low - 1e-9 <= value <= high * (1 + 1e-9) + 1e-9
    wide, narrow = intervals.newcombe_interval(x, n, y, m, 0.001), intervals.newcombe_interval(x, n, y, m)
    assert wide.low <= narrow.low + 1e-9
    assert wide.high >= narrow.high - 1e-9


def test_a_certain_share_of_money_still_has_an_interval():
    assert (
        intervals.amount_share_estimate((np.array([30]), np.array([9e4])), (np.array([0]), np.array([0.0]))).low < 0.95
    )


def test_the_mean_of_days_has_student_s_interval_on_the_log_scale():
    values = np.array([3.0, 5.0, 4.0, 8.0, 6.5])
    theirs = stats.ttest_1samp(values, 0).confidence_interval()
    factor = math.exp((theirs.high - values.mean()) / values.mean())
    expected = (values.mean(), values.mean() / factor, values.mean() * factor, 5)
    assert intervals.daily_mean_estimate(values)[:4] == pytest.approx(expected)
    assert intervals.daily_mean_estimate(np.zeros(4))[:3] == (0, 0, 0)


def test_the_difference_of_two_shares_is_newcombe_s():
    for (x, n), (y, m) in (((9, 10), (3, 10)), ((56, 70), (48, 80)), ((0, 10), (0, 20))):
        found = intervals.difference_interval(intervals.share_estimate(x, n), intervals.share_estimate(y, m))
        assert found == pytest.approx(intervals.newcombe_interval(x, n, y, m))


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
        lambda: intervals.share_estimate(0, 0),
        lambda: intervals.amount_share_estimate((nothing, nothing * 0.0), (nothing, nothing * 0.0)),
        lambda: intervals.daily_mean_estimate(np.array([1.0])),
    ):
        with pytest.raises(ValueError, match=r"undefined|needs"):
            call()
