"""What figures are expected to be by scores alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import average_precision_score, roc_auc_score

import catalogue
from monitors.performance import expected, figures
from profiles.profile import FRAUD, LEGITIMATE
from tests.monitors.scored import GRID, THRESHOLD, part

CELLS = 2 * GRID.half
counts = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=2, max_size=40)


def made(score, fraud, pence=None):
    return expected.labelled_payments(part(score, np.where(fraud, FRAUD, LEGITIMATE), pence))


def payments(rng, n, shift=0.0):
    """Return true chances, scores that rank by them but are no chances, frauds and pence of n payments."""
    logit = rng.normal(-3.5 + shift, 1.6, n)
    chance = 1 / (1 + np.exp(-logit))
    score = 1 / (1 + np.exp(-1.3 * (logit + 2.0)))
    fraud = rng.random(n) < chance
    return chance, score, fraud, np.rint(rng.lognormal(8, 1, n) * (1 + 2 * fraud))


@settings(max_examples=60)
@given(counts)
def test_shares_are_scikit_learn_s_isotonic_regression(pairs):
    events, others = np.array(pairs, float).T
    cases = events + others
    if not cases.any():
        return
    at = np.flatnonzero(cases)
    oracle = IsotonicRegression(out_of_bounds="clip").fit(at, events[at] / cases[at], sample_weight=cases[at])
    assert expected.isotonic_shares(events, cases) == pytest.approx(oracle.predict(np.arange(len(cases))), abs=1e-9)


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 9), st.booleans(), st.integers(1, 99)), min_size=2, max_size=60))
def test_figures_of_known_frauds_are_those_of_the_rows(rows):
    score, fraud, pence = (np.array(own) for own in zip(*rows, strict=True))
    score = 0.05 + score / 10
    if not 0 < fraud.sum() < len(fraud) or not (score >= THRESHOLD).any():
        return
    found = expected.compute_metrics(made(score, fraud, pence))
    raised = score >= THRESHOLD
    assert found["recall"] == pytest.approx(raised[fraud].mean())
    assert found["precision"] == pytest.approx(fraud[raised].mean())
    assert found["false_positive_rate"] == pytest.approx(raised[~fraud].mean())
    assert found["roc_auc"] == pytest.approx(roc_auc_score(fraud, score))
    assert found["pr_auc"] == pytest.approx(average_precision_score(fraud, score))
    assert found["value_detection_rate"] == pytest.approx(pence[fraud & raised].sum() / pence[fraud].sum())


def test_the_days_it_was_learnt_from_are_estimated_to_be_what_they_were():
    rng = np.random.default_rng(1)
    days = expected.labelled_payments(np.stack([part(s, np.where(f, FRAUD, LEGITIMATE), p) for _, s, f, p in
                                    (payments(rng, 2000) for _ in range(20))]))  # fmt: skip
    pooled = days.resample(np.ones(20))
    found = expected.estimate_metrics(days, pooled)
    for metric, value in expected.compute_metrics(pooled).items():
        assert found[metric].value == pytest.approx(value)


def test_without_a_mature_fraud_nothing_is_expected():
    days = expected.labelled_payments(np.stack([part([0.2, 0.9], [LEGITIMATE, LEGITIMATE])] * 3))
    assert expected.estimate_metrics(days, expected.unblocked_payments(part([0.3], [0]))) == {}


def test_a_shift_of_the_score_is_followed_without_labels():
    rng = np.random.default_rng(2)
    days = expected.labelled_payments(np.stack([part(s, np.where(f, FRAUD, LEGITIMATE), p) for _, s, f, p in
                                    (payments(rng, 5000) for _ in range(30))]))  # fmt: skip
    chance, score, _, _ = payments(rng, 200_000, shift=-0.8)
    raised = score >= THRESHOLD
    found = expected.estimate_metrics(days, made(score, np.zeros(len(score), bool)))
    assert found["recall"].value == pytest.approx(chance[raised].sum() / chance.sum(), abs=0.03)
    assert found["precision"].value == pytest.approx(chance[raised].mean(), abs=0.03)
    unshifted = payments(rng, 200_000)
    assert abs(found["recall"].value - (unshifted[1] >= THRESHOLD)[unshifted[2]].mean()) > 0.08


def test_intervals_hold_what_comes_true():
    """Of 50 weeks, with 600 mature frauds; by three standard errors of a share near 95 % (300 of them: 92 to 98 %)."""
    rng, repeats, rows = np.random.default_rng(3), 50, 1500
    held = dict.fromkeys(catalogue.monitor("estimate").metrics, 0)
    for number in range(repeats):
        days = np.stack([part(s, np.where(f, FRAUD, LEGITIMATE), p) for _, s, f, p in
                         (payments(rng, rows // 2) for _ in range(14))])  # fmt: skip
        _, score, fraud, pence = payments(rng, rows, shift=-0.3)
        true = expected.compute_metrics(made(score, fraud, pence))
        now = expected.unblocked_payments(part(score, np.zeros(rows), pence))
        found = expected.estimate_metrics(expected.labelled_payments(days), now, seed=number)
        for metric in held:
            held[metric] += found[metric].low <= true[metric] <= found[metric].high
    assert min(held.values()) >= 0.857 * repeats, held


def test_misfit_sees_a_calibration_that_no_longer_holds_and_no_other():
    rng = np.random.default_rng(4)
    older, newer = (made(s, f) for _, s, f, _ in (payments(rng, 50_000) for _ in range(2)))
    share, chance = expected.calibration_misfit(older, newer)
    assert share < 0.15
    assert chance > 0.001
    _, score, fraud, _ = payments(rng, 50_000)
    caught = fraud & (score >= THRESHOLD) & (rng.random(50_000) < 0.5)
    share, chance = expected.calibration_misfit(older, made(score, fraud & ~caught))
    assert share > 0.25
    assert chance < 1e-6


def test_scores_beyond_the_mature_ones_are_not_supported():
    rng = np.random.default_rng(5)
    learnt = made(rng.uniform(0.1, 0.6, 5000), rng.random(5000) < 0.1)
    now = expected.unblocked_payments(part(np.array([0.2, 0.3, 0.55, 0.9]), np.zeros(4)))
    assert expected.shares_outside_support(learnt, now) == (pytest.approx(0.25), pytest.approx(0.5))


def test_blocked_payments_are_not_among_those_estimated():
    score = np.array([0.2, 0.9, 0.9])
    now = expected.unblocked_payments(part(score, np.array([0, 1, 2]), np.array([100, 200, 300])))
    assert (now.cases.sum(), now.pence.sum()) == (2, 400)
    assert figures.count_confusion(part(score, np.array([0, 1, 2]))).blocked == 1
