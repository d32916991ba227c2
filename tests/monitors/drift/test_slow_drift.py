"""A creeping column is found within two weeks; one that only wanders as its baseline did is left alone."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from scipy import stats

from ledger.records.measurements import Verdict
from monitors import limits
from monitors.stats import cusum
from tests.monitors.made import spec
from tests.monitors.months import AGE, BASELINE_DAYS, FLAG, QUIET, RATIO, START, at, days, over, slow_of

BASELINES = {rows: days(0, BASELINE_DAYS, rows, seed=11) for rows in (200, 2000, 50_000)}
GROWN_DAYS = 14


def grown(n: int, to: float = 0.3) -> float:
    """Return how many standard deviations a column has moved by: a little more each day for two weeks."""
    return to * min(max(n - BASELINE_DAYS + 1, 0), GROWN_DAYS) / GROWN_DAYS


CREEPING = {
    "age": lambda n, shock: QUIET["age"](n, shock + grown(n)),
    "ratio": lambda n, shock: over(RATIO, stats.lognorm(1.1, scale=0.07 * np.exp(shock + 1.1 * grown(n))).cdf),
    "new_payee": lambda n, shock: at(FLAG, {0.0: 0.6 - 0.49 * grown(n), 1.0: 0.4 + 0.49 * grown(n)}),
    "mcc": lambda n, shock: QUIET["mcc"](n, shock + grown(n, 1.0)),
    "score": lambda n, shock: QUIET["score"](n, shock + grown(n, 0.5)),
}


def breaches(rows, later, day):
    measured = slow_of(day, later, BASELINES[rows])
    return {m.feature: m for m in measured if m.verdict is Verdict.BREACH}


@pytest.mark.parametrize("rows", [2000, 50_000])
def test_a_third_of_a_standard_deviation_over_two_weeks_is_found_within_them(rows):
    later = days(BASELINE_DAYS, GROWN_DAYS, rows, seed=12, changed=CREEPING)
    found = breaches(rows, later, START + timedelta(days=BASELINE_DAYS + GROWN_DAYS - 1))
    assert set(found) == set(CREEPING)
    assert found["age"].value == pytest.approx(0.3 * 12 / 14, abs=0.04), "the middle of the last five days"
    assert "above" in found["age"].reason


@pytest.mark.parametrize(("rows", "step"), [(200, 3), (2000, 3), (50_000, 6)])
def test_quiet_months_with_habits_have_no_slow_drift(rows, step):
    later = days(BASELINE_DAYS, 90, rows, seed=13)
    assert [breaches(rows, later, day) for day in list(later)[::step]] == [{}] * (90 // step)


def test_two_broken_days_are_no_slow_drift():
    later = days(BASELINE_DAYS, 10, 2000, seed=14)
    broken = days(BASELINE_DAYS, 10, 2000, seed=14, changed={"age": lambda n, shock: over(AGE, stats.norm(99, 5).cdf)})
    last = list(later)[-2:]
    assert breaches(2000, later | {day: broken[day] for day in last}, last[-1]) == {}


def test_a_column_that_was_moving_in_its_baseline_has_no_level_and_says_so():
    later = days(BASELINE_DAYS, 10, 2000, seed=15)
    day = list(later)[-1]
    measured = {m.feature: m for m in slow_of(day, later, BASELINES[2000])}
    assert measured["payments_90d"].verdict is Verdict.INSUFFICIENT
    assert "moving" in measured["payments_90d"].reason
    assert measured["age"].verdict is Verdict.OK
    assert measured["age"].low <= measured["age"].value <= measured["age"].high


def test_the_first_days_after_a_baseline_and_short_baselines_are_too_few():
    later = days(BASELINE_DAYS, 3, 2000, seed=16)
    day = list(later)[-1]
    short = dict(list(BASELINES[2000].items())[-14:])
    for window, baseline in ((later, BASELINES[2000]), (days(BASELINE_DAYS, 10, 2000, seed=16), short)):
        measured = slow_of(day, window, baseline)
        assert {m.verdict for m in measured} == {Verdict.INSUFFICIENT}


@pytest.mark.parametrize(("limit", "published"), [(3.0, 117.6), (4.0, 335.4), (5.0, 930.9)])
def test_the_run_length_is_near_the_published_one(limit, published):
    """One-sided average run lengths at k = 0.5 of Montgomery's table 9.4 (two-sided 168 and 465 at h = 4 and 5)."""
    assert cusum.average_run_length(0.5, limit) == pytest.approx(published, rel=0.03)


def test_the_run_length_is_that_of_simulated_days():
    rng = np.random.default_rng(17)
    limit, allowance = cusum.limit_for_run_length(0.5, 100), 0.5
    lengths = []
    for _ in range(1500):
        total, n = 0.0, 0
        while total <= limit:
            total, n = max(0.0, total + rng.standard_normal() - allowance), n + 1
        lengths.append(n)
    assert np.mean(lengths) == pytest.approx(100, abs=4 * np.std(lengths) / np.sqrt(len(lengths)) + 4)


def test_the_sums_are_those_of_the_textbook():
    z = np.array([0.2, 1.0, -0.5, 2.0, 9.0])
    assert cusum.latest_cusum(z, 0.5) == pytest.approx(1.5 + (cusum.LARGEST_Z - 0.5))
    assert cusum.highest_cusum(np.append(z, [-3.0, -3.0]), 0.5) == pytest.approx(4.0)


def test_the_limit_gives_a_tenth_of_the_budget_whatever_the_number_of_columns():
    for columns in (1, 30):
        a_quarter = columns * limits.DAYS_PER_QUARTER / limits.in_control_days(spec(false_pages_per_quarter=2), columns)
        assert a_quarter == pytest.approx(0.2)
