"""The label-delay curve against naive counting, a worked example and simulated delays."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.duration.survfunc import SurvfuncRight

from catalogue import Needs
from monitors.performance.maturity import CAUGHT, learn_delay_curve, maturity_ages, newest_days
from profiles.profile import MISSED, Cohort
from tests.monitors.scored import START, bank, known, spec

FAR = START + timedelta(days=1000)


def cohorts_of(delays_by_day, as_of):
    """Return cohorts that show of each day's delays only those that are over by ``as_of``."""
    made = {}
    for number, delays in enumerate(delays_by_day):
        day = START + timedelta(days=number)
        made[day] = Cohort(delays=Counter(int(d) for d in delays if d <= (as_of - day).days))
    return made


@given(st.lists(st.lists(st.integers(0, 25), min_size=1, max_size=9), min_size=8, max_size=20))
def test_of_final_cohorts_the_curve_is_plain_counting(delays_by_day):
    every = np.array([d for delays in delays_by_day for d in delays])
    curve = learn_delay_curve(cohorts_of(delays_by_day, FAR), FAR, horizon_days=25)
    if len(every) < 30:
        assert curve.share(10) is None
    else:
        for age in range(25):
            assert curve.share(age).value == pytest.approx(np.mean(every <= age), abs=1e-12)


@settings(max_examples=60)
@given(st.lists(st.lists(st.integers(0, 20), max_size=25), min_size=2, max_size=15), st.integers(2, 25))
def test_the_curve_is_kaplan_meier_s_in_reversed_time_where_late_labels_enter_late(delays_by_day, horizon_days):
    """A delay d can be seen only when d <= age: in reversed time -d, that is an entry at -age (left truncation)."""
    as_of = START + timedelta(days=len(delays_by_day) - 1)
    curve = learn_delay_curve(cohorts_of(delays_by_day, as_of), as_of, horizon_days)
    if curve.reach_days < 0:
        return
    reach = curve.reach_days
    shown = [
        (delay, min(len(delays_by_day) - 1 - number, horizon_days))
        for number, delays in enumerate(delays_by_day)
        for delay in delays
        if delay <= min(len(delays_by_day) - 1 - number, reach)
    ]
    delay, age = np.array(shown).T
    oracle = SurvfuncRight(100.0 - delay, np.ones(len(delay)), entry=99.5 - age)
    for a in range(reach):
        before = np.flatnonzero(oracle.surv_times <= 100 - (a + 1))  # delays above a, in reversed time the earlier
        expected = oracle.surv_prob[before[-1]] if len(before) else 1.0
        assert curve.known[a] == pytest.approx(expected, abs=1e-12)
        if 0 < expected < 1:
            assert curve.errors[a] == pytest.approx(oracle.surv_prob_se[before[-1]], abs=1e-12)


def test_a_young_cohort_counts_only_among_cohorts_that_could_show_as_much():
    # day 0, two days old, has shown delays 0, 1, 2 as 40, 20, 20; day 1, one day old, 50 and 30; day 2 has shown 60
    as_of = START + timedelta(days=2)
    cohorts = {
        START: Cohort(delays={0: 40, 1: 20, 2: 20}),
        START + timedelta(days=1): Cohort(delays={0: 50, 1: 30}),
        as_of: Cohort(delays={0: 60}),
    }
    curve = learn_delay_curve(cohorts, as_of, horizon_days=2)
    q2, q1 = 20 / 80, 50 / 140
    assert curve.share(1).value == pytest.approx(1 - q2)
    assert curve.share(0).value == pytest.approx((1 - q2) * (1 - q1))
    assert curve.share(0).error == pytest.approx(
        (1 - q2) * (1 - q1) * np.sqrt(q2 / (80 * (1 - q2)) + q1 / (140 * (1 - q1)))
    )


def test_late_labels_are_expected_although_most_cohorts_are_young():
    rng, as_of = np.random.default_rng(3), START + timedelta(days=89)
    truth = stats.lognorm(0.66, scale=9)
    delays = [np.ceil(truth.rvs(60, random_state=rng)) for _ in range(90)]
    cohorts = cohorts_of(delays, as_of)
    curve = learn_delay_curve(cohorts, as_of, horizon_days=120)
    for age in (3, 9, 21, 40):
        assert curve.share(age).value == pytest.approx(truth.cdf(age), abs=0.03)


def test_with_a_short_history_the_curve_errs_to_too_little_known_where_plain_counting_errs_to_too_much():
    rng, as_of = np.random.default_rng(3), START + timedelta(days=24)
    truth = stats.lognorm(0.66, scale=9)
    cohorts = cohorts_of([np.ceil(truth.rvs(60, random_state=rng)) for _ in range(25)], as_of)
    shown = np.concatenate([np.repeat(list(c.delays), list(c.delays.values())) for c in cohorts.values()])
    curve = learn_delay_curve(cohorts, as_of, horizon_days=120)
    for age in (6, 9, 12):
        assert np.mean(shown <= age) > truth.cdf(age) + 0.1
        assert curve.share(age).value < truth.cdf(age) + 0.02
        assert curve.share(age).high > truth.cdf(age)


def test_the_interval_holds_the_true_share_about_as_often_as_it_says():
    rng, as_of = np.random.default_rng(4), START + timedelta(days=79)
    truth = stats.lognorm(0.5, scale=6)
    held = []
    for _ in range(150):
        delays = [np.ceil(truth.rvs(8, random_state=rng)) for _ in range(80)]
        share = learn_delay_curve(cohorts_of(delays, as_of), as_of, horizon_days=79).share(6)
        held.append(share.low <= truth.cdf(6) <= share.high)
    assert 0.90 <= np.mean(held) <= 1.0


def test_without_frauds_nothing_is_learnt():
    for cohorts in ({}, {START: Cohort()}, {START: Cohort(delays={1: 29})}):
        curve = learn_delay_curve(cohorts, FAR, 120)
        assert curve.share(50) is None
        assert curve.missed_share(50) is None
        assert "too few" in maturity_ages(spec().labels, curve).why


@given(st.lists(st.lists(st.integers(-1, 60), max_size=30), min_size=1, max_size=30), st.integers(0, 40))
def test_a_curve_rises_and_stays_between_its_bounds(delays_by_day, horizon_days):
    as_of = START + timedelta(days=30)
    curve = learn_delay_curve(cohorts_of(delays_by_day, as_of), as_of, horizon_days)
    shares = [curve.share(age) for age in range(-1, 130)]
    if shares[0] is not None:
        values = [share.value for share in shares]
        assert values == sorted(values)
        assert values[0] == 0
        assert values[-1] == 1
        assert all(-1e-9 <= s.low <= s.value + 1e-9 <= s.high + 2e-9 <= 1 + 3e-9 for s in shares)


def test_labels_of_later_days_teach_nothing_about_today():
    payments = bank(60, seed=1, rows=2000)
    as_of = START + timedelta(days=40)
    now = known(payments, as_of)[1]
    later = {**now, as_of + timedelta(days=1): Cohort(delays={0: 500})}
    for age in range(41):
        assert learn_delay_curve(later, as_of, 120).share(age) == learn_delay_curve(now, as_of, 120).share(age)


def test_few_days_of_history_don_t_make_labels_look_complete():
    payments = bank(120, seed=2, rows=8000)
    for age in (4, 10, 20):
        as_of = START + timedelta(days=age)
        curve = learn_delay_curve(known(payments, as_of)[1], as_of, 120)
        mature = maturity_ages(spec().labels, curve)
        assert mature.frauds == 120
        assert f"followed for {curve.reach_days} days, 30 are needed" in mature.why
    as_of = START + timedelta(days=119)
    assert maturity_ages(spec().labels, learn_delay_curve(known(payments, as_of)[1], as_of, 120)).why == ""


def test_recall_is_mature_when_enough_of_the_missed_fraud_is_known_not_of_the_caught():
    payments = bank(120, seed=2, rows=8000)
    as_of = START + timedelta(days=119)
    curve = learn_delay_curve(known(payments, as_of)[1], as_of, 120)
    truth = stats.lognorm(0.66, scale=9)
    assert curve.share(9).value > 0.85  # four of five frauds are known in two days, by analysts
    assert curve.missed_share(9) == pytest.approx(truth.cdf(9), abs=0.08)
    mature = maturity_ages(spec().labels, curve)
    assert mature.frauds == pytest.approx(truth.ppf(0.9), abs=4)
    assert mature.labels == 30  # the file's after_days is later


def test_where_caught_and_missed_fraud_keep_pace_nobody_waits_for_the_worst_case():
    as_of, truth = START + timedelta(days=119), stats.lognorm(0.66, scale=9)
    for recall in (lambda day: 0.8, lambda day: 0.8 if day < 100 else 0.5):
        payments = bank(120, seed=3, rows=8000, analysts=False, recall=recall)
        curve = learn_delay_curve(known(payments, as_of)[1], as_of, 120)
        assert curve.missed_share(9) == pytest.approx(curve.share(9).value, abs=0.05)
        assert maturity_ages(spec().labels, curve).frauds == pytest.approx(truth.ppf(0.9), abs=4)


def test_a_model_that_misses_more_doesn_t_make_missed_fraud_look_early():
    as_of = START + timedelta(days=119)
    payments = bank(120, seed=3, rows=8000, recall=lambda day: 0.8 if day < 100 else 0.5)
    curve = learn_delay_curve(known(payments, as_of)[1], as_of, 120)
    assert curve.missed_share(9) == pytest.approx(stats.lognorm(0.66, scale=9).cdf(9), abs=0.08)
    assert maturity_ages(spec().labels, curve).frauds >= 18


def test_before_missed_fraud_has_a_curve_all_caught_fraud_is_taken_to_come_first():
    delays = {0: 80, 30: 20}
    cohorts = {START: Cohort(delays=delays, delays_by_group={MISSED: {30: 20}})}
    curve = learn_delay_curve(cohorts, FAR, 120)
    assert (curve.share(5).value, curve.missed_share(5)) == (pytest.approx(0.8), pytest.approx(0))
    assert curve.missed_share(30) == 1
    fewer = learn_delay_curve({START: Cohort(delays=delays, delays_by_group={MISSED: {0: 10, 30: 10}})}, FAR, 120)
    assert fewer.missed_share(5) == pytest.approx(0)


def test_each_part_of_the_fraud_has_the_curve_that_it_would_have_alone():
    payments = bank(90, seed=4, rows=4000)
    cohorts, as_of = known(payments, START + timedelta(days=89))[1], START + timedelta(days=89)
    curve = learn_delay_curve(cohorts, as_of, 120)
    missed = {day: Cohort(delays=own.delays_by_group[MISSED]) for day, own in cohorts.items() if own.delays_by_group}
    alone = learn_delay_curve(missed, as_of, 120)
    assert curve.parts[MISSED].share(9) == alone.share(9)
    assert curve.parts[CAUGHT].frauds + curve.parts[MISSED].frauds == curve.frauds
    assert curve.parts[CAUGHT].share(3).value > 0.97


def test_explicit_labels_and_those_due_at_once_are_mature_with_the_frauds():
    delays = [np.full(40, 7) for _ in range(60)]
    as_of = START + timedelta(days=59)
    curve = learn_delay_curve(cohorts_of(delays, as_of), as_of, 120)
    for negative in ("explicit", {"after_days": 0}, {"after_days": 5}):
        labels = spec(labels={"table": "l", "negative": negative}).labels
        assert (maturity_ages(labels, curve).frauds, maturity_ages(labels, curve).labels) == (7, 7)
    assert maturity_ages(None, curve).of(Needs.LABELS) == 0
    assert maturity_ages(labels, curve).describe_when(date(2026, 5, 1), Needs.LABELS) == "mature on 2026-05-08"


def test_a_window_is_the_newest_calendar_days_old_enough_whatever_is_missing():
    days = [START + timedelta(days=n) for n in (0, 1, 2, 4, 5, 9)]
    assert newest_days(days, START + timedelta(days=9), 4, 4) == [days[2], days[3], days[4]]
    assert newest_days(days, START + timedelta(days=9), 0, 1) == [days[5]]
    assert newest_days([], START, 0, 7) == []
