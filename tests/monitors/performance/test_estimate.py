"""Estimated performance of the newest week: what it says, when it is silent, and its own record."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

import catalogue
from ledger.records.measurements import Measurement, Verdict
from monitors.performance import estimate
from monitors.performance.maturity import learn_delay_curve
from tests.monitors.scored import START, THRESHOLD, Day, frame, known, spec

LAST = 119
END = START + timedelta(days=LAST)
MODEL = spec(baseline={"from": START, "to": START + timedelta(days=59)})


def bank(days=LAST + 1, rows=3000, seed=21, shift=lambda day: 0.0, blind=lambda day: 0.0, blocked=0.0):
    """Return days whose score ranks by the chance of fraud, but is no chance; a share ``blind`` of fraud hides."""
    made = []
    for number in range(days):
        rng = np.random.default_rng([seed, number])
        logit = rng.normal(-3.5 + shift(number), 1.6, rows)
        fraud = rng.random(rows) < 1 / (1 + np.exp(-logit))
        hidden = fraud & (rng.random(rows) < blind(number))
        logit[hidden] = -6
        score = 1 / (1 + np.exp(-1.3 * (logit + 2.0)))
        pence = np.rint(rng.lognormal(8, 1, rows))
        stopped = (score >= THRESHOLD) & (rng.random(rows) < blocked)
        delay = rng.integers(0, 20, rows)
        made.append(Day(START + timedelta(days=number), score, fraud, pence, delay, stopped))
    return made


def measured(payments, model=MODEL, as_of=END, earlier=()):
    cubes, cohorts = known(payments, as_of)
    curve = learn_delay_curve(cohorts, as_of, 120)
    days = set(model.baseline.days()) & cubes.keys()
    return {m.metric: m for m in estimate.measure_estimates(model, frame(), as_of, cubes, curve, days, earlier)}


def recall(payments, first, last):
    caught = np.concatenate([(day.score >= THRESHOLD)[day.fraud & ~day.blocked] for day in payments[first : last + 1]])
    return caught.mean()


QUIET = bank()


def past(payments, weeks, off=0.0, stated=0.05):
    """Return estimates of the recall of separate mature weeks that were ``off`` what came true."""
    found = []
    for week in range(weeks):
        last = 80 - 7 * week
        value = recall(payments, last - 6, last) + off
        day = START + timedelta(days=last)
        found.append(Measurement("card", day, day, "estimate", "recall", value=value,
                                 low=value - 1.96 * stated, high=value + 1.96 * stated, n=99))  # fmt: skip
    return found


def test_a_quiet_week_is_estimated_near_what_comes_true_and_said_to_be_estimated():
    found = measured(QUIET)
    assert set(found) == set(catalogue.monitor("estimate").metrics)
    m = found["recall"]
    assert (m.verdict, m.day, m.as_of) == (Verdict.OK, END, END)
    assert m.low < recall(QUIET, LAST - 6, LAST) < m.high
    assert m.reason.startswith("Estimated from scores, before labels: about")
    assert "Calibrated on 60 mature days" in m.reason
    assert "No earlier estimate has come true or false yet." in m.reason
    assert all(m.verdict is Verdict.OK for m in found.values())


def test_no_label_of_the_newest_week_is_used():
    early = [
        replace(day, known_after_days=np.full(len(day.score), 0 if n > 100 else 99)) for n, day in enumerate(QUIET)
    ]
    cubes, _ = known(early, END)
    blind = {day: found for day, found in cubes.items() if day > END - timedelta(days=7)}
    assert all(found.bins for found in blind.values())
    curve, days = learn_delay_curve(known(QUIET, END)[1], END, 120), set(MODEL.baseline.days())
    mature = known(QUIET, END)[0] | blind
    told = estimate.measure_estimates(MODEL, frame(), END, mature, curve, days, [])
    assert {m.metric: m for m in told} == measured(QUIET)


def test_a_drop_that_shows_in_scores_is_a_breach_by_an_estimator_with_a_sound_record_only():
    fallen = bank(shift=lambda day: -1.2 if day > LAST - 7 else 0.0)
    assert recall(fallen, LAST - 6, LAST) < recall(fallen, 0, 59) - 0.15
    unproven = measured(fallen)["recall"]
    assert unproven.verdict is Verdict.INSUFFICIENT
    assert "weeks are needed before a drop is judged" in unproven.reason
    proven = measured(fallen, earlier=past(fallen, 6))["recall"]
    assert proven.verdict is Verdict.BREACH
    assert proven.low < recall(fallen, LAST - 6, LAST) < proven.high
    assert proven.value < proven.limit


def test_the_record_says_how_far_off_and_in_which_direction():
    found = measured(QUIET, earlier=past(QUIET, 5, off=0.02))
    assert "Of 5 earlier weeks that are mature now, 5 came true within the stated interval" in found["recall"].reason
    assert "2.0 points off on average, 2.0 points too high." in found["recall"].reason
    error = found["recall_estimate_error"]
    assert (error.value, error.n, error.verdict) == (pytest.approx(0.02), 5, Verdict.OK)
    assert error.limit == pytest.approx(0.05)
    assert "precision_estimate_error" not in found


def test_a_bad_record_silences_the_estimate_but_keeps_its_value_for_the_record():
    found = measured(QUIET, earlier=past(QUIET, 5, off=0.2, stated=0.02))
    assert found["recall"].verdict is Verdict.INSUFFICIENT
    assert found["recall"].value is not None
    assert "too far off, so the estimate is not judged" in found["recall"].reason
    assert found["recall_estimate_error"].verdict is Verdict.INSUFFICIENT
    assert found["precision"].verdict is Verdict.OK


def test_only_separate_weeks_that_are_mature_make_the_record():
    weeks = past(QUIET, 5)
    overlapping = [replace(m, day=m.day - timedelta(days=1), as_of=m.day - timedelta(days=1)) for m in weeks]
    young = [replace(weeks[0], day=END - timedelta(days=3), as_of=END - timedelta(days=3))]
    restated = [replace(weeks[0], as_of=END - timedelta(days=1), value=0.0)]
    found = measured(QUIET, earlier=[*weeks, *overlapping, *young, *restated])
    assert found["recall_estimate_error"] == measured(QUIET, earlier=weeks)["recall_estimate_error"]


def test_it_is_silent_where_the_score_no_longer_means_what_it_did():
    lost = bank(blind=lambda day: 0.7 if day >= 60 else 0.0)
    found = measured(lost)
    for m in found.values():
        assert (m.verdict, m.value) == (Verdict.INSUFFICIENT, None)
        assert "the score no longer means what it did" in m.reason


def test_it_is_silent_where_scores_lie_beyond_those_of_mature_payments():
    moved = [replace(day, score=np.where(day.score > 0.7, 0.7, day.score)) if n < LAST - 6 else day
             for n, day in enumerate(QUIET)]  # fmt: skip
    found = measured(moved)
    assert {m.verdict for m in found.values()} == {Verdict.INSUFFICIENT}
    assert "of alerts have scores that no mature payments had" in found["recall"].reason


def test_it_is_silent_on_few_mature_frauds_and_before_two_mature_weeks():
    few = measured(bank(rows=15))
    assert {m.verdict for m in few.values()} == {Verdict.INSUFFICIENT}
    assert "mature frauds are known, 100 are needed" in few["recall"].reason
    young = measured(QUIET, as_of=START + timedelta(days=40))
    assert {(m.verdict, m.value) for m in young.values()} == {(Verdict.IMMATURE, None)}
    assert "cohort days are mature" in young["recall"].reason


def test_it_is_silent_where_most_payments_never_get_a_label():
    explicit = spec(labels={"table": "l", "negative": "explicit"}, baseline=MODEL.baseline.model_dump(by_alias=True))
    found = measured(QUIET, model=explicit)
    assert {m.verdict for m in found.values()} == {Verdict.INSUFFICIENT}
    assert "of mature payments have no label" in found["recall"].reason


def test_without_labels_threshold_or_baseline_nothing_is_estimated_that_needs_them():
    assert measured(QUIET, model=spec(labels=None)) == {}
    plain = measured(QUIET, model=spec(score={}, baseline=MODEL.baseline.model_dump(by_alias=True)))
    assert set(plain) == {"roc_auc", "pr_auc"}
    cubes, cohorts = known(QUIET, END)
    assert estimate.measure_estimates(MODEL, frame(), END, cubes, learn_delay_curve(cohorts, END, 120), set(), []) == []


def test_the_same_days_always_give_the_same_estimate():
    assert measured(QUIET) == measured(QUIET)
