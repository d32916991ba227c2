"""What a young cohort will come to, against what it did, and against the intervals of what is wholly known."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from scipy import stats

from ledger.records.measurements import Verdict
from monitors.performance import nowcast
from monitors.performance.maturity import LabelDelayCurve, learn_delay_curve
from profiles.profile import COUNT, EVERYONE, FRAUD, LEGITIMATE, MISSED, OPEN, PENCE, Cohort
from tests.monitors.scored import GRID, START, bank, cube, frame, known, spec

PAYMENTS = bank(110, seed=11, rows=8000)
END = START + timedelta(days=109)
METRICS = ("recall", "value_detection_rate", "precision")


def measured(as_of=END, model=None, changed=(), payments=PAYMENTS):
    cubes, cohorts = known(payments, as_of)
    found = nowcast.measure_nowcasts(
        model or spec(), frame(), as_of, cubes, learn_delay_curve(cohorts, as_of, 120), changed
    )
    return {(m.day, m.metric): m for m in found}


def test_young_cohorts_are_estimated_for_all_of_their_fraud_and_mature_ones_are_not():
    days = [END - timedelta(days=age) for age in (3, 12, 29, 40)]
    found = measured(changed=days)
    assert set(found) == {(day, metric) for day in days[:2] for metric in METRICS} | {(days[2], "precision")}
    for m in found.values():
        assert (m.verdict, m.monitor, m.limit, m.as_of) == (Verdict.IMMATURE, "nowcast", None, END)
        assert m.low <= m.value <= m.high
        assert m.reason.startswith("Estimated for all of its fraud: about ")
        assert "% is known. Left out, for they get no label:" in m.reason
    widths = [found[day, "recall"].high - found[day, "recall"].low for day in days[:2]]
    assert widths[0] > widths[1]


def test_where_recall_so_far_is_too_high_its_estimate_is_what_it_comes_to():
    curve = learn_delay_curve(known(PAYMENTS, END)[1], END, 120)
    so_far, estimated, held = [], [], []
    for truth in PAYMENTS[:60]:
        part = truth.cube().labelled(truth.cohort(truth.day + timedelta(days=7)).labels).bins[EVERYONE]
        raised = part[len(part) // 2 :, FRAUD, COUNT].sum()
        found = nowcast.nowcast_metric("recall", part, curve, 7)
        so_far.append(raised / part[:, FRAUD, COUNT].sum())
        estimated.append(found.value)
        held.append(found.low <= 11 / 12 * 0.8 / (11 / 12 * 0.8 + 0.2) <= found.high)  # one alert in twelve is blocked
    assert np.mean(so_far) > 0.85
    assert np.mean(estimated) == pytest.approx(0.786, abs=0.02)
    assert np.mean(held) >= 0.9


def at_once(share=1.0, n=100_000):
    """Return the curves of caught and missed fraud of which a share is known at age 0."""
    error = np.sqrt(share * (1 - share) / n)
    one = LabelDelayCurve(np.array([share, 1.0]), np.array([error, 0.0]), np.array([n, n]), 0.0, n, 1)
    return LabelDelayCurve(one.known, one.errors, one.at_risk, 0.0, n, 1, {nowcast.CAUGHT: one, MISSED: one})


def cohort_of(caught, missed, false_alarms=0, pence=None):
    score = np.r_[np.full(caught + false_alarms, 0.9), np.full(missed, 0.1)]
    state = np.r_[np.full(caught, FRAUD), np.full(false_alarms, OPEN), np.full(missed, FRAUD)]
    return cube(score, state, pence).bins[EVERYONE]


@pytest.mark.parametrize(("caught", "missed"), [(4, 1), (0, 5), (35, 15), (350, 150)])
def test_of_a_cohort_whose_fraud_is_all_known_the_interval_is_jeffreys(caught, missed):
    part = cohort_of(caught, missed, false_alarms=2 * caught + 3)
    recall = nowcast.nowcast_metric("recall", part, at_once(), 0)
    expected = stats.beta(caught + 0.5, missed + 0.5).ppf([0.025, 0.975])
    assert recall.value == pytest.approx(caught / (caught + missed))
    assert (recall.low, recall.high) == (
        pytest.approx(min(expected[0], recall.value), abs=0.02), pytest.approx(expected[1], abs=0.02)
    )  # fmt: skip
    precision = nowcast.nowcast_metric("precision", part, at_once(), 0)
    assert precision.value == pytest.approx(caught / (3 * caught + 3))


@pytest.mark.parametrize("frauds", [5, 50, 500])
def test_the_intervals_hold_the_truth_as_often_as_they_say(frauds):
    """250 times here, with a known curve; benchmarks/nowcasts.py does it 1,000 times and learns the curve each time."""
    rng, curve, held = np.random.default_rng(frauds), at_once(0.6), []
    for _ in range(250):
        n = rng.poisson(frauds)
        raised, late, false_alarms = rng.random(n) < 0.7, rng.random(n) > 0.6, rng.poisson(1.4 * frauds)
        caught, missed = (raised & ~late).sum(), (~raised & ~late).sum()
        part = cohort_of(caught, missed, false_alarms=false_alarms + (raised & late).sum())
        found = [nowcast.nowcast_metric(metric, part, curve, 0) for metric in ("recall", "precision")]
        if all(found):
            held.append([e.low <= truth <= e.high for e, truth in zip(found, (0.7, 1 / 3), strict=True)])
    assert np.all(np.mean(held, axis=0) >= 0.91)
    assert np.all(np.mean(held, axis=0) <= 0.99)


def test_money_of_few_large_frauds_is_less_certain_than_that_of_equal_ones():
    part = cohort_of(35, 15, pence=np.r_[np.full(35, 1000), np.full(15, 3000)])
    equal, wild = (nowcast.nowcast_metric("value_detection_rate", part, at_once(), 0, spread) for spread in (1.0, 4.0))
    assert equal.value == wild.value == pytest.approx(35 / 80)
    assert wild.high - wild.low > 1.7 * (equal.high - equal.low)
    assert nowcast.nowcast_metric("value_detection_rate", cohort_of(3, 2), at_once(), 0) is None
    rng, many = np.random.default_rng(3), {}
    for number in range(40):
        gbp = rng.lognormal(4, 1, 200)
        many[START + timedelta(days=number)] = cube(rng.random(200), np.full(200, FRAUD), np.rint(gbp * 100))
    assert nowcast.spread_of_amounts(many) == pytest.approx(np.e, rel=0.15)
    assert nowcast.spread_of_amounts({}) == 1


def test_a_fraud_that_is_taken_back_counts_as_if_it_had_never_been_told():
    as_of = END
    cohorts = known(PAYMENTS, as_of)[1]
    day = as_of - timedelta(days=8)
    score, at = np.array([0.9]), GRID.bin_of(np.array([0.9]))[0] + GRID.half
    told = cohorts[day] + Cohort(cube(score, np.array([FRAUD]), np.array([5000])), {2: 1})
    cleared = cube(score, np.array([LEGITIMATE]), np.array([5000]))
    back = told + Cohort(cleared) - Cohort(cube(score, np.array([FRAUD]), np.array([5000])), {2: 1})
    assert told.labels.bins[EVERYONE][at, FRAUD, PENCE] != back.labels.bins[EVERYONE][at, FRAUD, PENCE]
    curves = [learn_delay_curve({**cohorts, day: own}, as_of, 120) for own in (cohorts[day], told, back)]
    parts = [PAYMENTS[101].cube().labelled(own.labels).bins[EVERYONE] for own in (cohorts[day], told, back)]
    for metric in METRICS:
        never, then, after = (nowcast.nowcast_metric(metric, p, c, 8) for p, c in zip(parts, curves, strict=True))
        assert never == after != then


def test_what_cannot_be_estimated_says_why():
    early = START + timedelta(days=2)
    found = measured(as_of=early, changed=[early], payments=bank(4, seed=5, rows=600))
    assert {m.verdict for m in found.values()} == {Verdict.INSUFFICIENT}
    assert all(m.value is None and "too few to learn how late their labels come" in m.reason for m in found.values())
    quiet = bank(110, seed=6, rows=3000)
    quiet[109].fraud[:] = False
    assert "None of its fraud is known yet." in measured(changed=[END], payments=quiet)[END, "recall"].reason
    explicit = spec(labels={"table": "l", "negative": "explicit"})
    assert {metric for _, metric in measured(model=explicit, changed=[END - timedelta(days=6)])} == set(METRICS[:2])
    assert measured(model=spec(labels=None), changed=[END]) == {}
