"""Figures beyond today's threshold, against scikit-learn and counting by hand on the rows behind the cube."""

from __future__ import annotations

import math
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from ledger.records.measurements import Verdict
from monitors.performance import costs, thresholds
from monitors.performance.maturity import learn_delay_curve
from monitors.stats import intervals
from profiles.profile import BLOCKED, COUNT, FRAUD, LEGITIMATE, OPEN
from tests.monitors.performance.test_figures import figure, labels, rounded, scores
from tests.monitors.scored import GRID, START, THRESHOLD, bank, frame, known, part, spec


@given(scores, labels, st.floats(0.001, 0.999))
def test_recall_at_a_false_positive_rate_is_scikit_learn_s_curve_read_between_its_points(score, fraud, rate):
    made = part(score, np.where(fraud, FRAUD, LEGITIMATE))
    if fraud.all() or not fraud.any():
        assert figure("recall_at_false_positive_rate", score, np.where(fraud, FRAUD, LEGITIMATE)) is None
        return
    found = thresholds.recall_at_false_positive_rate(rate, made[:, FRAUD, COUNT], made[:, LEGITIMATE, COUNT])
    false_alarms, caught, _ = metrics.roc_curve(fraud, rounded(score), drop_intermediate=False)
    assert found.value == pytest.approx(np.interp(rate, false_alarms, caught))
    assert 0 <= found.low <= found.value <= found.high <= 1
    assert found.n == fraud.sum()


def test_tied_payments_are_taken_in_random_order_and_the_figure_is_what_that_gives_on_average():
    rng = np.random.default_rng(1)
    fraud, score = rng.random(400) < 0.3, rng.choice([0.2, 0.9], 400)
    made = part(score, np.where(fraud, FRAUD, LEGITIMATE))
    taken = []
    for _ in range(400):
        order = np.lexsort((rng.random(400), -score))
        taken.append(fraud[order][: np.flatnonzero(np.cumsum(~fraud[order]) == round(0.1 * (~fraud).sum()))[0]].sum())
    found = thresholds.recall_at_false_positive_rate(0.1, made[:, FRAUD, COUNT], made[:, LEGITIMATE, COUNT])
    assert found.value == pytest.approx(np.mean(taken) / fraud.sum(), abs=0.01)


@given(scores, labels)
def test_false_alarms_for_each_fraud_caught_are_counted_and_their_interval_is_that_of_precision(score, fraud):
    caught, false_alarms = ((score >= THRESHOLD) & fraud).sum(), ((score >= THRESHOLD) & ~fraud).sum()
    found = thresholds.false_positive_ratio(int(caught), int(false_alarms))
    if not caught + false_alarms:
        assert found is None
        return
    precision = intervals.share_estimate(int(caught), int(caught + false_alarms))
    assert found.value == (pytest.approx(false_alarms / caught) if caught else math.inf)
    assert 1 / (1 + found.low) == pytest.approx(precision.high)
    assert 1 / (1 + found.high) == pytest.approx(precision.low)


@given(scores, labels)
def test_the_brier_score_is_scikit_learn_s_within_what_a_cell_hides(score, fraud):
    found = figure("brier_score", score, np.where(fraud, FRAUD, LEGITIMATE))
    assert found == pytest.approx(metrics.brier_score_loss(fraud, score), abs=1e-4)


def test_a_perfect_score_has_a_brier_score_of_0_that_is_not_certain():
    found = thresholds.brier_score(part([0.0] * 95 + [1.0] * 5, [LEGITIMATE] * 95 + [FRAUD] * 5))
    assert (found.value, found.low) == (0, 0)
    assert 0 < found.high < 0.05
    assert thresholds.brier_score(part([0.5], [OPEN])) is None


@given(scores, st.integers(1, 50))
def test_the_cost_of_each_threshold_is_that_of_its_alerts_and_of_the_frauds_it_misses(score, price):
    rng = np.random.default_rng(len(score))
    state, pence = rng.integers(0, 4, len(score)), rng.integers(0, 10_000, len(score))
    found, cell = costs.cost_by_threshold(price, part(score, state, pence)), GRID.bin_of(score) + GRID.half
    for place in {0, GRID.half, 2 * GRID.half, *cell.tolist()}:
        looked_at = ((cell >= place) & (state != BLOCKED)).sum()
        assert found[place] == pytest.approx(price * looked_at + pence[(cell < place) & (state == FRAUD)].sum() / 100)


def measured(price, payments, age=109):
    as_of = START + timedelta(days=age)
    cubes, cohorts = known(payments, as_of)
    model = spec(score={"threshold": THRESHOLD, "amount": "amount_gbp", "review_cost_gbp": price})
    found = costs.measure_threshold_costs(model, frame(), as_of, cubes, learn_delay_curve(cohorts, as_of, 120))
    return {m.metric: m for m in found}


def test_the_cheapest_threshold_is_found_with_those_that_are_not_surely_dearer():
    """Alerts lie evenly above 0.5, everything else near 0: no fraud is cheaper to miss than the reviews above it."""
    payments = bank(110, seed=51, rows=3000, analysts=False)
    found = measured(5.0, payments)
    current, least, where = (found[f"{name}"] for name in ("cost_gbp_per_day", "least_cost_gbp_per_day",
                                                           "least_cost_threshold"))  # fmt: skip
    assert {m.verdict for m in found.values()} == {Verdict.OK}
    assert least.value <= current.value
    assert where.low <= where.value <= where.high
    assert where.low <= 0.5 <= where.high
    assert "GBP 5 for each alert" in current.reason
    days = [day for day in payments if 30 <= (START + timedelta(days=109) - day.day).days < 86]
    free = [
        (~d.blocked, d.fraud & ~d.blocked & (d.known_after_days <= (START + timedelta(days=109) - d.day).days))
        for d in days
    ]
    by_hand = [
        5 * ((d.score >= 0.5) & unblocked).sum() + d.pence[fraud & (d.score < 0.5)].sum() / 100
        for d, (unblocked, fraud) in zip(days, free, strict=True)
    ]
    assert current.value == pytest.approx(np.mean(by_hand), rel=1e-9)
    dear = measured(10_000.0, payments)
    assert dear["least_cost_threshold"].value > 0.95  # nobody is worth looking at
    assert dear["least_cost_gbp_per_day"].high < dear["cost_gbp_per_day"].low


def test_costs_wait_for_labels_and_frauds_and_for_a_price():
    payments = bank(60, seed=52, rows=2000)
    assert {m.verdict for m in measured(5.0, payments, age=20).values()} == {Verdict.IMMATURE}
    few = bank(110, seed=53, rows=2000, fraud_share=0.0002)
    assert all(m.value is None and "needed are 14 with 30" in m.reason for m in measured(5.0, few).values())
    assert measured(None, payments) == {}


@pytest.mark.parametrize("frauds", [5, 50, 500])
def test_the_intervals_hold_the_truth_as_often_as_they_say(frauds):
    """300 times here; benchmarks/nowcasts.py does it 1,000 times."""
    rng, held = np.random.default_rng(frauds), []
    truth_recall = 1 - (1 - 0.01 ** (1 / 21)) ** 3  # scores of frauds are beta(3, 1), of the others beta(1, 21)
    truth_brier = 0.01 * (3 / 5 - 2 * 3 / 4 + 1) + 0.99 * 2 / (22 * 23)
    for _ in range(300):
        m, n = rng.poisson(frauds), rng.poisson(frauds * 99)
        score = np.r_[rng.beta(3, 1, m), rng.beta(1, 21, n)]
        made = part(score, np.r_[np.full(m, FRAUD), np.full(n, LEGITIMATE)])
        if m and n:
            recall = thresholds.recall_at_false_positive_rate(0.01, made[:, FRAUD, COUNT], made[:, LEGITIMATE, COUNT])
            brier = thresholds.brier_score(made)
            held.append((recall.low <= truth_recall <= recall.high, brier.low <= truth_brier <= brier.high))
    assert np.all(np.mean(held, axis=0) >= 0.91)
