"""How seldom a quiet day is called unusual, by simulation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitors.stats import null_distributions
from monitors.stats.null_distributions import NullDistribution


def learned(rng, days, rows=5000.0, extra=0.0, freedom=9, one_direction=False):
    """A null from days whose distance is chance, and on top what days differ by."""
    n, m = np.full(days, rows), np.full(days, rows * (days - 1))
    return null_distributions.learn_distance_null(
        squares(rng, days, rows, rows * (days - 1), extra, freedom, one_direction),
        (n, m), freedom, freedom, 1, np.zeros(days),
    )  # fmt: skip


def squares(rng, days, n, m, extra, freedom, one_direction=False):
    by_chance = rng.chisquare(freedom, days) * (1 / n + 1 / m)
    natural = rng.chisquare(1, days) if one_direction else rng.chisquare(freedom, days) / freedom
    return by_chance + extra * natural


@pytest.mark.parametrize("days", [14, 28, 59])
@pytest.mark.parametrize("extra", [0.0, 0.002, 0.01, 0.1])
@pytest.mark.parametrize("one_direction", [True, False])
def test_a_quiet_day_passes_a_limit_no_more_often_than_alpha_says(days, extra, one_direction):
    """Over many baselines; days may differ in all directions alike or, as by their mean, in one."""
    rng = np.random.default_rng(days)
    quiet = np.sort(squares(rng, 500_000, 5000.0, 5000.0 * days, extra, 9, one_direction))
    baselines = [learned(rng, days, extra=extra, one_direction=one_direction) for _ in range(100)]
    for alpha in (2e-3, 1e-4):
        limits = [null.critical(alpha, 5000.0, 5000.0 * days) for null in baselines]
        passed = 1 - np.searchsorted(quiet, limits) / len(quiet)
        assert passed.mean() <= alpha + 3 * passed.std() / 10


@pytest.mark.parametrize("rows", [500, 50_000])
def test_a_day_of_another_size_is_no_reason_for_an_alarm_but_thirty_times_the_usual_is(rows):
    rng = np.random.default_rng(rows)
    null = learned(rng, 59)
    p = [null.p_value(float(one), rows, 295_000.0) for one in squares(rng, 5000, rows, 295_000.0, 0, 9)]
    assert np.mean(np.array(p) < 0.001) <= 0.003
    assert null.p_value(30 * 9 * (1 / rows + 1 / 295_000), rows, 295_000.0) < 1e-5


@given(st.floats(1e-9, 0.01), st.floats(100, 1e6), st.floats(1e4, 1e8))
def test_a_limit_is_where_the_chance_is_alpha_or_lies_beyond_all_that_was_seen(alpha, n, m):
    null = learned(np.random.default_rng(5), 59, extra=0.002)
    limit = null.critical(alpha, n, m)
    assert null.p_value(limit * (1 + 1e-9), n, m) <= alpha * (1 + 1e-6)


def test_nothing_is_unusual_that_the_baseline_has_seen_itself():
    rng = np.random.default_rng(1)
    gaps = rng.normal(0, 0.01, 59)
    gaps[7] = 0.3
    null = null_distributions.learn_share_null(gaps, (np.full(59, 1e4), np.full(59, 58e4)), 1, gaps)
    assert null.p_value(0.3, 1e4, 59e4) >= 1 / 60
    assert null.critical(1e-2, 1e4, 59e4) >= 0.3


def test_few_days_give_wide_limits_and_little_to_compare_with_too():
    rng = np.random.default_rng(2)
    few, many = (np.median([learned(rng, d, extra=0.01).critical(1e-5, 5e3, 3e5) for _ in range(50)]) for d in (8, 59))
    assert few > 2 * many
    null: NullDistribution = learned(rng, 59, extra=0.01)
    assert null.critical(1e-5, 5e3, 5e3) > 1.5 * null.critical(1e-5, 5e3, 3e5)


@given(st.floats(0, 1))
def test_a_share_comes_back_from_its_angle(share):
    assert null_distributions.angle_to_share(float(null_distributions.share_to_angle(share))) == pytest.approx(
        share, abs=1e-12
    )
