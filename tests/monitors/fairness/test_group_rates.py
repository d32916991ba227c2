"""Rates by group against fairlearn, and gaps against what chance alone makes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from fairlearn import metrics as fair
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import precision_score, recall_score

from ledger.records.measurements import Verdict
from monitors import limits
from monitors.fairness import group_rates
from monitors.performance.maturity import learn_delay_curve
from monitors.stats import intervals
from profiles.profile import BLOCKED, FRAUD, LEGITIMATE, Cube
from profiles.schema import OTHER_VALUES
from tests.monitors.scored import START, bank, cube, frame, known, spec

PROTECTED = {"age_band": {"reference": "30-59"}, "sex": {"reference": "M"}}
FRAME = frame(age_band=("18-29", "30-59", "60+"), sex=("F", "M", None))
MODEL = spec(protected=PROTECTED)
END = START + timedelta(days=89)


def people(rng, n):
    return {
        "age_band": rng.choice(["18-29", "30-59", "60+"], n, p=[0.3, 0.5, 0.2]),
        "sex": rng.choice(np.array(["F", "M", None], object), n, p=[0.48, 0.48, 0.04]),
    }


def measured(payments, as_of=END, model=MODEL):
    cubes, cohorts = known(payments, as_of)
    found = group_rates.measure_group_rates(model, FRAME, as_of, cubes, learn_delay_curve(cohorts, as_of, 120))
    return {(m.metric, m.slice): m for m in found}


def breaches(found):
    return {key for key, m in found.items() if m.verdict is Verdict.BREACH}


QUIET = bank(90, seed=41, rows=8000, columns=people)


def test_rates_differences_and_ratios_equal_fairlearn_on_the_rows():
    rng = np.random.default_rng(42)
    n = 30_000
    group = rng.choice(["18-29", "30-59", "60+"], n)
    fraud = rng.random(n) < 0.05
    alert = rng.random(n) < np.where(fraud, 0.7, np.where(group == "60+", 0.08, 0.04))
    score = np.where(alert, 0.8, 0.1)
    made = cube(score, np.where(fraud, FRAUD, LEGITIMATE), age_band=group)
    day = END - timedelta(days=130)  # older than the horizon: final
    late = {day: made}
    model = spec(protected={"age_band": {"reference": "30-59"}}, labels={"table": "l", "horizon_days": 120})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(group_rates, "WINDOWS_DAYS", (200, 201))
        found = {
            (m.metric, m.slice): m
            for m in group_rates.measure_group_rates(model, FRAME, END, late, learn_delay_curve({}, END, 120))
        }
    oracles = {
        "selection_rate": fair.selection_rate,
        "true_positive_rate": recall_score,
        "false_positive_rate": fair.false_positive_rate,
        "precision": precision_score,
    }
    for rate, oracle in oracles.items():
        theirs = fair.MetricFrame(metrics=oracle, y_true=fraud, y_pred=alert, sensitive_features=group).by_group
        for value in ("18-29", "30-59", "60+"):
            assert found[rate, f"age_band={value}"].value == pytest.approx(theirs[value])
        for value in ("18-29", "60+"):
            difference = found[f"{rate}_difference", f"age_band={value}"]
            assert difference.value == pytest.approx(theirs[value] - theirs["30-59"])
            assert difference.low < difference.value < difference.high
            ratio = found[f"{rate}_ratio", f"age_band={value}"]
            assert ratio.value == pytest.approx(theirs[value] / theirs["30-59"])
            assert ratio.low < ratio.value < ratio.high


def test_a_fair_model_has_no_breach_on_any_day():
    for age in range(20, 90, 7):
        assert not breaches(measured(QUIET, START + timedelta(days=age)))


def test_a_gap_in_false_alarms_shows_at_once_in_selection_and_later_in_the_rate_itself():
    def rate(day, columns):
        return np.where((columns["age_band"] == "60+") & (day >= 40), 0.05, 0.02)

    payments = bank(90, seed=43, rows=8000, columns=people, false_positive_rate=rate)
    assert not breaches(measured(payments, START + timedelta(days=39)))
    soon = measured(payments, START + timedelta(days=47))
    assert breaches(soon) == {("selection_rate_ratio", "age_band=60+")}
    ratio = soon["selection_rate_ratio", "age_band=60+"]
    assert (ratio.limit, ratio.day) == (1.25, START + timedelta(days=47))
    assert ratio.reason.startswith("Over 7 days to 17 Feb, 6.48 % of 11,288 payments raised an alert; 3.57 % of 28,141")
    assert ratio.reason.endswith(" with 30-59: 1.81 times as many (1.65 to 1.99).")
    assert breaches(measured(payments)) == {
        ("selection_rate_ratio", "age_band=60+"),
        ("false_positive_rate_ratio", "age_band=60+"),
    }


def test_fraud_missed_in_one_group_is_a_gap_too():
    payments = bank(90, seed=44, rows=8000, columns=people)
    for day in payments:
        old = (day.columns["age_band"] == "18-29") & day.fraud & (day.score >= 0.5)
        lost = old & (np.arange(len(old)) % 2 == 0)
        day.score[lost] = 0.3
        day.blocked[lost] = False
    found = measured(payments)
    ratio = found["true_positive_rate_ratio", "age_band=18-29"]
    assert ratio.verdict is Verdict.BREACH
    assert ratio.limit == pytest.approx(1 / 1.25)
    assert ratio.high < ratio.limit


def test_precision_and_differences_never_breach():
    payments = bank(90, seed=45, rows=8000, columns=people)
    for day in payments:  # one group has hardly any fraud, so its alerts are mostly false
        day.fraud[day.columns["age_band"] == "60+"] = False
    found = measured(payments)
    assert found["precision_ratio", "age_band=60+"].value < 0.2
    assert found["precision_ratio", "age_band=60+"].verdict is Verdict.OK
    assert found["precision_ratio", "age_band=60+"].limit is None
    assert not {key for key in breaches(found) if not key[0].endswith("_ratio")}


def test_a_small_group_is_insufficient_and_says_how_many_would_do():
    def rare(rng, n):
        return {"age_band": rng.choice(["18-29", "30-59", "60+"], n, p=[0.003, 0.9, 0.097]), "sex": ["F"] * n}

    found = measured(bank(90, seed=46, rows=8000, columns=rare))
    ratio = found["false_positive_rate_ratio", "age_band=18-29"]
    assert ratio.verdict is Verdict.INSUFFICIENT
    assert "Over 60 days to 1 Mar" in ratio.reason  # as many days as there are
    assert "legitimate payments; about 7,2" in ratio.reason  # beside so large a reference group
    assert "would show a ratio of 1.25" in ratio.reason
    assert found["false_positive_rate", "age_band=18-29"].verdict is Verdict.OK  # its own rate can be told
    assert found["true_positive_rate_ratio", "age_band=18-29"].verdict is Verdict.INSUFFICIENT


def test_groups_below_the_smallest_size_are_not_shown():
    def tiny(rng, n):
        return {"age_band": rng.choice(["18-29", "30-59"], n, p=[0.0002, 0.9998]), "sex": ["F"] * n}

    found = measured(bank(90, seed=47, rows=8000, columns=tiny))
    for (metric, name), m in found.items():
        if name in ("age_band=18-29", "age_band=60+", "sex=M"):
            assert (m.value, m.low, m.high, m.n, m.verdict) == (None, None, None, 0, Verdict.INSUFFICIENT), metric
            assert "not shown" in m.reason
    compared = found["selection_rate_ratio", "sex=F"]
    assert (compared.verdict, compared.value) == (Verdict.INSUFFICIENT, None)
    assert "The reference group M has too few" in compared.reason


def test_payments_without_a_value_have_rates_but_are_not_compared():
    found = measured(QUIET)
    assert found["selection_rate", "sex=(null)"].value == pytest.approx(0.035, abs=0.01)
    assert ("selection_rate_ratio", "sex=(null)") not in found
    assert ("selection_rate", f"age_band={OTHER_VALUES}") not in found


def test_no_alert_where_a_thousand_were_due_is_told_although_there_is_no_event():
    rng = np.random.default_rng(48)
    group = rng.choice(["18-29", "30-59"], 20_000)
    score = np.where((rng.random(20_000) < 0.1) & (group == "30-59"), 0.9, 0.1)
    cubes = {END: cube(score, np.zeros(20_000, int), age_band=group)}
    model = spec(protected={"age_band": {"reference": "30-59"}}, labels=None)
    found = {
        (m.metric, m.slice): m
        for m in group_rates.measure_group_rates(model, FRAME, END, cubes, learn_delay_curve({}, END, 120))
    }
    ratio = found["selection_rate_ratio", "age_band=18-29"]
    assert (ratio.value, ratio.low, ratio.verdict) == (0.0, 0.0, Verdict.BREACH)
    assert {metric for metric, _ in found} == {"selection_rate", "selection_rate_difference", "selection_rate_ratio"}


def test_immature_labels_are_answered_with_the_day():
    found = measured(QUIET, START + timedelta(days=10))
    assert found["selection_rate_ratio", "age_band=60+"].verdict is Verdict.OK
    for rate in ("true_positive_rate", "false_positive_rate", "precision"):
        for suffix in ("", "_difference", "_ratio"):
            late = found[rate + suffix, "age_band=60+"]
            assert (late.verdict, late.value) == (Verdict.IMMATURE, None)
            assert "The first cohort is mature on 2026-05-01 at the latest" in late.reason


def test_blocked_payments_are_selected_but_have_no_true_or_false():
    group = np.array(["18-29", "30-59"] * 5000)
    state = np.full(10_000, LEGITIMATE)
    score = np.full(10_000, 0.1)
    score[:400], state[:400] = 0.9, BLOCKED
    day = END - timedelta(days=130)
    made = {day: cube(score, state, age_band=group)}
    model = spec(protected={"age_band": {"reference": "30-59"}})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(group_rates, "WINDOWS_DAYS", (200, 201))
        found = {
            (m.metric, m.slice): m
            for m in group_rates.measure_group_rates(model, FRAME, END, made, learn_delay_curve({}, END, 120))
        }
    assert found["selection_rate", "age_band=18-29"].value == pytest.approx(0.04)
    assert found["false_positive_rate", "age_band=18-29"].value == 0
    assert found["false_positive_rate", "age_band=18-29"].n == 4800


def test_without_a_threshold_or_a_score_there_is_nothing_to_compare():
    assert (
        group_rates.measure_group_rates(
            spec(score={}, protected=PROTECTED), FRAME, END, {}, learn_delay_curve({}, END, 120)
        )
        == []
    )
    assert measured(QUIET, model=spec()) == {}
    empty = group_rates.measure_group_rates(MODEL, FRAME, END, {END: Cube()}, learn_delay_curve({}, END, 120))
    assert {m.verdict for m in empty} <= {Verdict.INSUFFICIENT, Verdict.IMMATURE}


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.05, 0.6), st.integers(200, 600))
def test_rates_differences_and_ratios_equal_fairlearn_s_whatever_the_rows(seed, share, n):
    rng = np.random.default_rng(seed)
    group, fraud, alert = rng.choice(["F", "M"], n), rng.random(n) < share, rng.random(n) < 0.4
    made = cube(np.where(alert, 0.8, 0.1), np.where(fraud, FRAUD, LEGITIMATE), sex=group)
    day = END - timedelta(days=130)
    model = spec(protected={"sex": {"reference": "M", "min_rows": 20}}, labels={"table": "l", "horizon_days": 120})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(group_rates, "WINDOWS_DAYS", (200, 201))
        measured_ = group_rates.measure_group_rates(
            model, frame(sex=("F", "M")), END, {day: made}, learn_delay_curve({}, END, 120)
        )
    found = {(m.metric, m.slice): m for m in measured_}
    frame_ = fair.MetricFrame(
        metrics={"selection_rate": fair.selection_rate, "false_positive_rate": fair.false_positive_rate,
                 "true_positive_rate": fair.true_positive_rate},
        y_true=fraud, y_pred=alert, sensitive_features=group,
    )  # fmt: skip
    for rate in frame_.by_group:
        theirs = frame_.by_group[rate]
        own = found[rate, "sex=F"]
        assert own.value == pytest.approx(theirs["F"])
        assert own.low <= own.value <= own.high
        ratio = found[f"{rate}_ratio", "sex=F"]
        if ratio.value is not None:
            assert ratio.value == pytest.approx(theirs["F"] / theirs["M"])
            assert found[f"{rate}_difference", "sex=F"].value == pytest.approx(theirs["F"] - theirs["M"])
            assert ratio.low <= ratio.value <= ratio.high


def test_looking_every_week_for_a_quarter_adds_no_false_alarm():
    rng, quarters, weeks = np.random.default_rng(52), 500, 13
    alpha = limits.alpha_per_test(MODEL, len(group_rates.WINDOWS_DAYS))
    x, y = rng.binomial(700, 0.02, (quarters, weeks)), rng.binomial(7000, 0.02, (quarters, weeks))
    shares = {0.05: 0, alpha: 0}
    for own, others in zip(x, y, strict=True):
        smallest = min(
            intervals.fisher_p_value(
                int(own[start : week + 1].sum()), 700 * (week + 1 - start),
                int(others[start : week + 1].sum()), 7000 * (week + 1 - start),
            )
            for week in range(weeks)
            for start in {max(0, week + 1 - days // 7) for days in group_rates.WINDOWS_DAYS}
        )  # fmt: skip
        for level in shares:
            shares[level] += smallest <= level
    budget = (
        MODEL.alerts.false_pages_per_quarter
        / len(limits.budgeted_test_families(MODEL))
        * weeks
        / limits.DAYS_PER_QUARTER
    )
    assert shares[alpha] / quarters <= budget + 3 * np.sqrt(budget / quarters)
    assert shares[0.05] / quarters > 0.25  # as a test at 5 % each week would


def test_a_window_widens_until_it_tells():
    def few(rng, n):
        return {"age_band": rng.choice(["18-29", "30-59", "60+"], n, p=[0.08, 0.9, 0.02]), "sex": ["F"] * n}

    found = measured(bank(90, seed=53, rows=3000, columns=few))
    over = {group: found["selection_rate_ratio", f"age_band={group}"].reason for group in ("18-29", "60+")}
    assert over["18-29"].startswith("Over 28 days")
    assert over["60+"].startswith("Over 90 days")
    assert found["selection_rate_ratio", "age_band=60+"].verdict is Verdict.OK


def test_a_gap_that_was_mended_is_soon_forgotten():
    def rate(day, columns):
        return np.where((columns["age_band"] == "60+") & (40 <= day < 60), 0.06, 0.02)

    payments = bank(90, seed=54, rows=8000, columns=people, false_positive_rate=rate)
    assert ("selection_rate_ratio", "age_band=60+") in breaches(measured(payments, START + timedelta(days=59)))
    assert ("selection_rate_ratio", "age_band=60+") not in breaches(measured(payments, START + timedelta(days=67)))


def test_the_calibration_gap_of_a_group_is_its_mean_score_less_its_share_of_fraud():
    rng = np.random.default_rng(55)
    n = 20_000
    group, score = rng.choice(["18-29", "30-59"], n), rng.beta(1, 9, n)
    fraud = rng.random(n) < np.where(group == "18-29", score / 2, score)
    day = END - timedelta(days=130)
    made = {day: cube(score, np.where(fraud, FRAUD, LEGITIMATE), age_band=group)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(group_rates, "WINDOWS_DAYS", (200, 201))
        found = {
            (m.metric, m.slice): m
            for m in group_rates.measure_calibration_gaps(MODEL, FRAME, END, made, learn_delay_curve({}, END, 120))
        }
    for value in ("18-29", "30-59"):
        at = group == value
        own = found["calibration_gap", f"age_band={value}"]
        assert own.value == pytest.approx(score[at].mean() - fraud[at].mean())
        assert own.low < own.value < own.high
    apart = found["calibration_gap_difference", "age_band=18-29"]
    assert apart.low > 0.03
    assert apart.value == pytest.approx(0.05, abs=0.01)
    assert "points above the fraud rate" in apart.reason
    assert found["calibration_gap", "age_band=60+"].verdict is Verdict.INSUFFICIENT


def test_a_gap_of_a_joint_group_only_is_found_in_the_pair():
    def crossed(rng, n):
        made = people(rng, n)
        pairs = zip(made["age_band"], made["sex"], strict=True)
        return made | {"age_band & sex": np.array([f"{a} & {s}" if s else None for a, s in pairs], object)}

    def rate(day, columns):
        return np.where(columns["age_band & sex"] == "60+ & F", 0.05, 0.02)

    payments = bank(60, seed=56, rows=8000, columns=crossed, false_positive_rate=rate)
    joint = (*(f"{a} & {s}" for a in ("18-29", "30-59", "60+") for s in ("F", "M")), None)
    model = spec(protected=PROTECTED, protected_pairs=True)
    cubes, cohorts = known(payments, START + timedelta(days=59))
    own = frame(age_band=("18-29", "30-59", "60+"), sex=("F", "M", None))
    own = replace(own, groups=own.groups | {"age_band & sex": joint})
    as_of = START + timedelta(days=59)
    found = {
        (m.metric, m.slice): m
        for m in group_rates.measure_group_rates(model, own, as_of, cubes, learn_delay_curve(cohorts, as_of, 120))
    }
    pair = found["selection_rate_ratio", "age_band & sex=60+ & F"]
    assert pair.verdict is Verdict.BREACH
    assert pair.value > found["selection_rate_ratio", "age_band=60+"].value
    assert "with 30-59 & M" in pair.reason
    assert found["selection_rate_ratio", "age_band & sex=60+ & M"].verdict is Verdict.OK
    assert ("selection_rate_ratio", "age_band & sex=30-59 & M") not in found
