"""Figures by cohort day, as known on another day."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.records.measurements import Verdict
from monitors.performance import by_cohort
from monitors.performance.maturity import learn_delay_curve
from profiles.profile import FRAUD, LEGITIMATE, Cohort
from tests.monitors.scored import START, bank, cube, frame, known, spec

PAYMENTS = bank(110, seed=11, rows=8000, columns=lambda rng, n: {"channel": rng.choice(["app", "web"], n)})
END = START + timedelta(days=109)


def measured(model, as_of, changed, payments=PAYMENTS, **options):
    cubes, cohorts = known(payments, as_of, **options)
    curve = learn_delay_curve(cohorts, as_of, 120)
    found = by_cohort.measure_cohort_performance(model, frame(), as_of, cubes, curve, changed)
    return {(m.day, m.metric, m.slice): m for m in found}


def test_a_mature_cohort_has_every_figure_with_its_interval():
    day = START + timedelta(days=20)
    found = measured(spec(), END, [day])
    truth = PAYMENTS[20]
    caught = (truth.fraud & (truth.score >= 0.5) & ~truth.blocked).sum()
    frauds = (truth.fraud & ~truth.blocked).sum()
    recall = found[day, "recall", ""]
    assert (recall.value, recall.n, recall.verdict) == (pytest.approx(caught / frauds), frauds, Verdict.OK)
    assert recall.low < recall.value < recall.high
    assert "blocked" in recall.reason
    assert {m.metric for m in found.values() if not m.slice} == {
        "recall", "precision", "false_positive_rate", "alert_rate",
        "pr_auc", "roc_auc", "value_detection_rate", "calibration_error",
        "recall_at_false_positive_rate", "false_positive_ratio", "brier_score",
    }  # fmt: skip
    assert {m.metric for m in found.values() if m.slice == "channel=app"} == {"recall", "precision", "alert_rate"}
    assert all(m.limit is None and m.day == day and m.as_of == END for m in found.values())
    assert "fraud rate" in found[day, "calibration_error", ""].reason


def test_a_young_cohort_is_immature_and_says_when_it_won_t_be():
    day = END - timedelta(days=5)
    found = measured(spec(), END, [day])
    assert found[day, "alert_rate", ""].verdict is Verdict.OK
    for metric in ("recall", "value_detection_rate"):
        assert found[day, metric, ""].verdict is Verdict.IMMATURE
        assert found[day, metric, ""].value is not None  # what is known so far is shown, shaded
    for metric in ("precision", "false_positive_rate", "roc_auc", "pr_auc", "calibration_error"):
        assert (found[day, metric, ""].verdict, found[day, metric, ""].value) == (Verdict.IMMATURE, None)
        assert f"mature on {day + timedelta(days=30)}" in found[day, metric, ""].reason
    assert "of its fraud is known; mature on" in found[day, "recall", ""].reason


def test_the_lower_bound_of_a_young_recall_holds_although_missed_fraud_comes_last():
    curve = learn_delay_curve(known(PAYMENTS, END)[1], END, 120)
    for age in (0, 2, 9, 15):
        held = []
        for truth in PAYMENTS[:100]:
            as_of = truth.day + timedelta(days=age)
            cubes = {truth.day: truth.cube().labelled(truth.cohort(as_of).labels)}
            found = by_cohort.measure_cohort_performance(spec(), frame(), as_of, cubes, curve, [truth.day])
            recall = next(m for m in found if m.metric == "recall" and not m.slice)
            held.append(recall.low <= np.mean(truth.score[truth.fraud & ~truth.blocked] >= 0.5))
        assert np.mean(held) >= 0.95


def test_silence_counts_as_legitimate_from_after_days_on_and_not_a_day_sooner():
    day = START + timedelta(days=60)
    before, after = (measured(spec(), day + timedelta(days=age), [day]) for age in (29, 30))
    assert before[day, "precision", ""].verdict is Verdict.IMMATURE
    assert after[day, "precision", ""].verdict is Verdict.OK
    truth = PAYMENTS[60]
    assert after[day, "false_positive_rate", ""].n >= (~truth.fraud & ~truth.blocked).sum()


def test_explicit_labels_leave_the_unlabelled_out():
    explicit = spec(labels={"table": "l", "negative": "explicit"})
    day = START + timedelta(days=20)
    silent = measured(explicit, END, [day])[day, "false_positive_rate", ""]
    assert (silent.verdict, silent.value) == (Verdict.INSUFFICIENT, None)
    assert "have no label" in silent.reason
    told = measured(explicit, END, [day], explicit_legitimate=True)
    plain = measured(spec(), END, [day])
    for metric in ("recall", "precision", "false_positive_rate", "roc_auc", "recall_at_false_positive_rate"):
        assert told[day, metric, ""].value == pytest.approx(plain[day, metric, ""].value, abs=0.01)
    for metric in ("false_positive_ratio", "brier_score"):
        assert told[day, metric, ""].value == pytest.approx(plain[day, metric, ""].value, rel=0.03)


def test_few_frauds_are_insufficient_not_ok():
    few = bank(110, seed=12, rows=2000, fraud_share=0.008)
    day = START + timedelta(days=20)
    found = measured(spec(), END, [day], payments=few)
    for metric in ("recall", "pr_auc", "roc_auc", "value_detection_rate", "calibration_error"):
        assert found[day, metric, ""].verdict is Verdict.INSUFFICIENT
        assert "30 needed" in found[day, metric, ""].reason
    assert found[day, "false_positive_rate", ""].verdict is Verdict.OK


def test_of_a_type_of_fraud_recall_alone_is_told_for_only_frauds_have_a_type():
    recalls = {"card": lambda day: 0.9, "scam": lambda day: 0.2}
    payments = bank(110, seed=14, rows=8000, recall_of_kind=recalls)
    typed = spec(labels={"table": "l", "type": "kind", "types": ["card", "scam"]})
    day, young = START + timedelta(days=20), END - timedelta(days=4)
    found = measured(typed, END, [day, young], payments=payments)
    assert {(m.metric, m.slice) for m in found.values() if m.slice} == {
        ("recall", "fraud_type=card"), ("recall", "fraud_type=scam")
    }  # fmt: skip
    cards, scams = (found[day, "recall", f"fraud_type={kind}"] for kind in ("card", "scam"))
    assert cards.low > scams.high
    assert cards.n + scams.n == found[day, "recall", ""].n
    assert cards.verdict is Verdict.OK
    assert scams.verdict is Verdict.INSUFFICIENT
    assert found[young, "recall", "fraud_type=scam"].verdict is Verdict.IMMATURE
    assert found[day, "alert_rate", ""].n == 8000  # the open payments of the day are untouched


def test_a_model_without_labels_has_its_alert_rate_only():
    day = START + timedelta(days=3)
    cubes, _ = known(PAYMENTS[:5], day)
    curve = learn_delay_curve({}, day, 120)
    found = by_cohort.measure_cohort_performance(spec(labels=None), frame(), day, cubes, curve, [day])
    assert {m.metric for m in found} == {"alert_rate"}
    assert {m.slice for m in found} == {"", "channel=app", "channel=web"}


def test_a_day_without_payments_or_after_as_of_is_left_out():
    cubes, cohorts = known(PAYMENTS[:5], START + timedelta(days=4))
    curve = learn_delay_curve(cohorts, START + timedelta(days=2), 120)
    days = [START + timedelta(days=n) for n in (1, 4, 50)]
    found = by_cohort.measure_cohort_performance(spec(), frame(), START + timedelta(days=2), cubes, curve, days)
    assert {m.day for m in found} == {days[0]}


events = st.lists(st.tuples(st.integers(0, 59), st.integers(0, 5), st.booleans(), st.integers(0, 12)), max_size=80)


@settings(max_examples=40)
@given(events, events)
def test_a_cohort_as_of_a_day_is_untouched_by_labels_known_later(early, late):
    """Label events are (payment, cohort day, is fraud, delay); the latest one known by ``as_of`` counts."""
    rng = np.random.default_rng(13)
    scores = {n: rng.random(60) for n in range(6)}
    as_of = START + timedelta(days=5)

    def cohort(number, labels):
        latest = {}
        for payment, day, fraud, delay in sorted(labels, key=lambda event: event[3]):
            if day == number and day + delay <= 5:
                first = latest.get(payment, (False, delay))[1]
                latest[payment] = (fraud, first)
        if not latest:
            return Cohort()
        at = list(latest)
        state = np.array([FRAUD if latest[p][0] else LEGITIMATE for p in at])
        delays = [delay for fraud, delay in latest.values() if fraud]
        return Cohort(cube(scores[number][at], state), {d: delays.count(d) for d in sorted(set(delays))})

    def found(labels):
        cohorts = {START + timedelta(days=n): cohort(n, labels) for n in scores}
        cubes = {day: cube(scores[n], np.zeros(60, int)).labelled(cohorts[day].labels) for n, day in enumerate(cohorts)}
        return by_cohort.measure_cohort_performance(
            spec(), frame(), as_of, cubes, learn_delay_curve(cohorts, as_of, 120), list(cubes)
        )

    later = [(p, day, fraud, delay + 6 - day) for p, day, fraud, delay in late if day + delay + 6 - day > 5]
    assert found(early) == found(early + later)


def test_the_label_delay_curve_is_written_down_by_age_and_tells_caught_from_missed_fraud():
    _, cohorts = known(PAYMENTS, END)
    curve = learn_delay_curve(cohorts, END, 120)
    found = {((END - m.day).days, m.slice): m for m in by_cohort.measure_label_delay(spec(), END, curve)}
    assert {slice_ for _, slice_ in found} >= {"", "alert=raised"}
    for (age, slice_), m in found.items():
        share = curve.share(age) if not slice_ else None
        assert m.low <= m.value <= m.high
        assert m.n > 0
        assert share is None or m.value == share.value
    values = [found[age, ""].value for age in by_cohort.DELAY_AGES if (age, "") in found]
    assert len(values) > 5
    assert values == sorted(values)
    assert by_cohort.measure_label_delay(spec(labels=None), END, curve) == []
