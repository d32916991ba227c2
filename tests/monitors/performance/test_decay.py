"""Recent mature cohorts against the baseline's."""

from __future__ import annotations

import re
from datetime import timedelta

import numpy as np
import pytest

from ledger.records.measurements import Verdict
from models.spec import Spec
from monitors.performance import decay
from monitors.performance.maturity import learn_delay_curve, maturity_ages
from profiles.profile import FRAUD
from tests.monitors.scored import START, bank, frame, known, spec

BASELINE = [START + timedelta(days=n) for n in range(30)]
END = START + timedelta(days=109)
METRICS = [
    "recall", "precision", "false_positive_rate", "alert_rate",
    "pr_auc", "roc_auc", "value_detection_rate", "calibration_error",
]  # fmt: skip
SHOWN = ["recall_at_false_positive_rate", "false_positive_ratio", "brier_score"]
MONEY = ["fraud_gbp_per_day", "caught_gbp_per_day", "lost_gbp_per_day"]


def measured(payments, as_of=END, model: Spec | None = None, without=(), slice_=""):
    cubes, cohorts = known([day for day in payments if day.day not in without], as_of)
    found = decay.measure_decay(
        model or spec(), frame(), as_of, cubes, learn_delay_curve(cohorts, as_of, 120), BASELINE
    )
    return {m.metric: m for m in found if m.slice == slice_}


def breaches(found):
    return {m.metric for m in found.values() if m.verdict is Verdict.BREACH}


QUIET = bank(110, seed=31, rows=6000)


def test_a_quiet_model_has_every_figure_and_no_breach_on_any_day():
    for age in range(50, 110, 6):
        found = measured(QUIET, START + timedelta(days=age))
        assert list(found) == [*METRICS, *SHOWN, *MONEY, "mature_frauds", "mature_until", "frauds_mature_until"]
        assert {m.verdict for m in found.values()} == {Verdict.OK}
        assert all(m.low <= m.value <= m.high and m.day == m.as_of for m in found.values())


def test_frauds_that_the_score_misses_are_decay_once_their_labels_came():
    payments = bank(110, seed=32, rows=6000, recall=lambda day: 0.8 if day < 75 else 0.5)
    assert not breaches(measured(payments, START + timedelta(days=85)))
    found = measured(payments)
    assert {"recall", "value_detection_rate"} <= breaches(found)
    recall = found["recall"]
    assert recall.low <= 0.5 <= recall.high
    assert recall.limit == pytest.approx(0.7, abs=0.03)
    newest = END - timedelta(days=int(found["frauds_mature_until"].value))
    assert f"{recall.value:.1%}".replace("%", " % of frauds caught in the week to") in recall.reason
    assert f"the week to {newest.day} {newest:%b}; " in recall.reason
    drop, low, high = map(float, re.findall(r": ([0-9.]+) points lower \(([0-9.]+) to ([0-9.]+)\)", recall.reason)[0])
    assert low < drop < high
    assert drop == pytest.approx(30, abs=5)


def test_what_is_lost_a_day_is_the_drop_of_value_detection_times_the_fraud_of_a_day():
    payments = bank(110, seed=33, rows=6000, recall=lambda day: 0.8 if day < 75 else 0.5)
    found = measured(payments)
    mature = maturity_ages(spec().labels, learn_delay_curve(known(payments, END)[1], END, 120)).frauds
    week = [day for day in payments if mature <= (END - day.day).days < mature + 7]
    daily = np.mean([(d.pence[d.fraud & ~d.blocked]).sum() / 100 for d in week])
    assert found["fraud_gbp_per_day"].value == pytest.approx(daily, rel=0.05)  # a few frauds are still unknown
    lost, fraud = found["lost_gbp_per_day"], found["fraud_gbp_per_day"]
    assert 0 < lost.low < lost.value < lost.high
    assert lost.low < 0.3 * fraud.value < lost.high
    before = np.mean([d.pence[d.fraud & ~d.blocked & (d.score >= 0.5)].sum() / 100 for d in payments[:30]])
    assert found["caught_gbp_per_day"].value == pytest.approx(before)
    assert measured(QUIET)["lost_gbp_per_day"].low == 0


def test_more_false_alarms_are_seen_in_the_alert_rate_at_once_and_later_in_the_rate_itself():
    payments = bank(110, seed=34, rows=6000, false_positive_rate=lambda day, _: 0.02 if day < 70 else 0.05)
    soon = measured(payments, START + timedelta(days=76))
    assert breaches(soon) == {"alert_rate"}
    assert "times as high" in soon["alert_rate"].reason
    assert soon["alert_rate"].limit < soon["alert_rate"].low
    assert {"alert_rate", "false_positive_rate", "precision"} <= breaches(measured(payments))


def test_a_score_that_falls_silent_is_seen_too():
    payments = bank(
        110, seed=35, rows=6000, recall=lambda day: 0.8 if day < 103 else 0.2,
        false_positive_rate=lambda day, _: 0.02 if day < 103 else 0.005,
    )  # fmt: skip
    found = measured(payments)
    assert breaches(found) == {"alert_rate"}
    assert "lower by a factor of" in found["alert_rate"].reason
    assert found["alert_rate"].high < found["alert_rate"].limit


def test_better_is_no_breach():
    payments = bank(
        110, seed=36, rows=6000, recall=lambda day: 0.6 if day < 60 else 0.95,
        false_positive_rate=lambda day, _: 0.02 if day < 60 else 0.012,
    )  # fmt: skip
    assert not breaches(measured(payments))


def test_a_change_below_the_floor_is_no_breach_however_certain():
    payments = bank(110, seed=37, rows=20_000, recall=lambda day: 0.8 if day < 60 else 0.73)
    found = measured(payments)["recall"]
    assert found.high < 0.78
    assert found.verdict is Verdict.OK
    strict = spec(alerts={"limits": {"recall": 0.03}})
    assert measured(payments, model=strict)["recall"].verdict is Verdict.BREACH


def test_too_few_frauds_to_tell_are_insufficient_not_ok():
    few = measured(bank(110, seed=38, rows=1000, fraud_share=0.008))
    for metric in ("recall", "value_detection_rate"):
        assert few[metric].verdict is Verdict.INSUFFICIENT
    some = measured(bank(110, seed=38, rows=1000, fraud_share=0.008), model=spec(alerts={"limits": {"recall": 0.02}}))
    assert some["recall"].verdict is Verdict.INSUFFICIENT
    assert some["alert_rate"].verdict is Verdict.OK


def test_few_frauds_that_are_surely_no_worse_are_ok_not_insufficient():
    better = bank(110, seed=38, rows=1000, fraud_share=0.01, recall=lambda day: 0.4 if day < 60 else 0.95)
    found = measured(better, model=spec(alerts={"limits": {"recall": 0.02}}))["recall"]
    assert "points higher (" in found.reason
    assert (found.verdict, "Too few" in found.reason) == (Verdict.OK, False)


def test_where_a_week_has_too_few_frauds_the_window_widens_until_there_are_enough_and_says_so():
    rare = bank(110, seed=40, rows=6000, fraud_share=0.0003, recall=lambda day: 0.9 if day < 60 else 0.3)
    found = measured(rare)
    assert found["recall"].verdict is Verdict.BREACH
    assert " of frauds caught in the 28 days to " in found["recall"].reason
    assert found["recall"].n >= 30
    assert "in the week to" in found["alert_rate"].reason
    rarer = measured(bank(110, seed=40, rows=6000, fraud_share=0.0001))["recall"]
    assert rarer.verdict is Verdict.INSUFFICIENT
    assert "known frauds, 30 needed, in the 28 days to " in rarer.reason
    assert rarer.low < rarer.value <= rarer.high


def test_a_window_never_widens_into_the_baseline():
    rare = bank(110, seed=40, rows=6000, fraud_share=0.0003, recall=lambda day: 0.9 if day < 60 else 0.3)
    found = measured(rare, BASELINE[-1] + timedelta(days=31))
    newest = BASELINE[-1] + timedelta(days=31 - int(found["frauds_mature_until"].value))
    assert 7 <= (newest - BASELINE[-1]).days < 14
    assert f"known frauds, 30 needed, in the week to {newest.day} {newest:%b}." in found["recall"].reason


def test_the_decay_of_one_type_of_fraud_is_seen_although_recall_over_all_is_hardly_lower():
    typed = spec(labels={"table": "l", "negative": {"after_days": 30}, "type": "kind", "types": ["card", "scam"]})
    recalls = {"card": lambda day: 0.8, "scam": lambda day: 0.8 if day < 75 else 0.3}
    payments = bank(110, seed=41, rows=6000, recall_of_kind=recalls)
    assert "recall" not in breaches(measured(payments, model=typed))
    scams, cards = (measured(payments, model=typed, slice_=f"fraud_type={kind}") for kind in ("scam", "card"))
    assert set(scams) == set(cards) == {"recall", "value_detection_rate"}
    assert scams["recall"].verdict is Verdict.BREACH
    assert scams["recall"].low <= 0.3 <= scams["recall"].high
    assert cards["recall"].verdict is Verdict.OK
    unheard = {m.verdict for m in measured(payments, model=spec(labels={
        "table": "l", "negative": {"after_days": 30}, "type": "kind", "types": ["mule"]}), slice_="fraud_type=mule"
    ).values()}  # fmt: skip
    assert unheard <= {Verdict.IMMATURE, Verdict.INSUFFICIENT}


def test_until_the_first_week_is_mature_the_answer_says_when():
    found = measured(QUIET, START + timedelta(days=20))
    assert found["alert_rate"].verdict is Verdict.OK
    for metric in [*METRICS, *MONEY]:
        if metric != "alert_rate":
            assert (found[metric].verdict, found[metric].value) == (Verdict.IMMATURE, None)
            assert "The first week of cohorts is mature on 2026-05-07 at the latest" in found[metric].reason
    assert found["mature_until"].verdict is Verdict.IMMATURE
    first_week = measured(QUIET, START + timedelta(days=6))["alert_rate"]
    assert first_week.verdict is Verdict.IMMATURE
    assert "no baseline day is mature" in first_week.reason


def test_a_week_with_most_days_missing_is_insufficient():
    gone = [END - timedelta(days=n) for n in range(4)]
    found = measured(QUIET, without=gone)["alert_rate"]
    assert found.verdict is Verdict.INSUFFICIENT
    assert "Only 3 of the 7" in found.reason
    assert measured(QUIET, without=gone[:3])["alert_rate"].verdict is Verdict.OK


def test_the_age_of_maturity_and_the_frauds_to_learn_from_are_told():
    found = measured(QUIET)
    assert (found["mature_until"].value, found["mature_until"].n) == (30, 30)
    assert 0 < found["frauds_mature_until"].value < 30
    cubes, _ = known(QUIET, END)
    days = [END - timedelta(days=30 + n) for n in range(60)]
    frauds = sum(int(part[:, FRAUD, 0].sum()) for day in days if (part := cubes[day].bins["", None]) is not None)
    assert found["mature_frauds"].n == found["mature_frauds"].value == frauds


def test_days_of_bursts_in_the_baseline_make_the_test_patient():
    rng = np.random.default_rng(39)
    wild = rng.choice([0.6, 1.0], 200)
    payments = bank(110, seed=39, rows=6000, recall=lambda day: wild[day] if day < 75 else 0.66)
    calm = bank(110, seed=39, rows=6000, recall=lambda day: 0.8 if day < 75 else 0.66)

    def half_width(found):
        one, sign, other = re.findall(r"\(([0-9.]+)( lower)? to ([0-9.]+)", found["recall"].reason)[0]
        return (float(other) + float(one) if sign else float(other) - float(one)) / 2

    assert half_width(measured(payments)) > 1.8 * half_width(measured(calm))


def test_without_labels_threshold_or_score_only_what_can_be_told_is_told():
    assert list(measured(QUIET, model=spec(labels=None))) == ["alert_rate"]
    no_threshold = measured(QUIET, model=spec(score={}))
    ripeness = ["mature_frauds", "mature_until", "frauds_mature_until"]
    assert list(no_threshold) == ["pr_auc", "roc_auc", "calibration_error", SHOWN[0], SHOWN[2], *ripeness]
    cubes, cohorts = known(QUIET[:10], END)
    assert decay.measure_decay(spec(), frame(), END, cubes, learn_delay_curve(cohorts, END, 120), []) == []
