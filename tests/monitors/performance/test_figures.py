"""Figures from the cube against scikit-learn on the rows behind it."""

from __future__ import annotations

import math
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from sklearn import metrics

import catalogue
from monitors.measurements import slice_name
from monitors.performance import figures, thresholds
from profiles.profile import BLOCKED, EVERYONE, FRAUD, LEGITIMATE, OPEN
from tests.monitors.scored import GRID, START, THRESHOLD, cube, part, spec

sizes = st.shared(st.integers(2, 300))
scores = npst.arrays(float, sizes, elements=st.one_of(st.floats(0, 1), st.sampled_from([0.0, 0.2, 0.5, 0.9, 1.0])))
labels = npst.arrays(bool, sizes)
states = npst.arrays(int, sizes, elements=st.integers(0, 3))


def figure(metric, score, state, pence=None):
    made = part(score, state, pence)
    found = figures.compute_metric(metric, made, figures.count_confusion(made))
    return None if found is None else found.value


def rounded(score):
    """Return each score as the lower border of its cell, where ties are what the cube sees."""
    return GRID.bin_of(score).astype(float)


@given(scores, labels)
def test_figures_at_the_threshold_equal_scikit_learn_on_the_raw_scores(score, fraud):
    state, alert = np.where(fraud, FRAUD, LEGITIMATE), score >= THRESHOLD
    tn, fp, fn, tp = metrics.confusion_matrix(fraud, alert, labels=[False, True]).ravel()
    expected = {
        "recall": (tp, tp + fn),
        "precision": (tp, tp + fp),
        "false_positive_rate": (fp, fp + tn),
        "alert_rate": (tp + fp, len(score)),
    }
    for metric, (events, n) in expected.items():
        assert figure(metric, score, state) == (pytest.approx(events / n) if n else None)


@given(scores, labels)
def test_areas_equal_scikit_learn_at_cell_resolution(score, fraud):
    state, cell = np.where(fraud, FRAUD, LEGITIMATE), rounded(score)
    if fraud.all() or not fraud.any():
        assert figure("roc_auc", score, state) is None
        assert figure("pr_auc", score, state) is None
        return
    assert figure("roc_auc", score, state) == pytest.approx(metrics.roc_auc_score(fraud, cell))
    assert figure("pr_auc", score, state) == pytest.approx(metrics.average_precision_score(fraud, cell))


@given(scores, labels)
def test_roc_auc_is_within_half_the_pairs_of_one_cell_of_the_raw_scores(score, fraud):
    if fraud.all() or not fraud.any():
        return
    cell = rounded(score)
    shared = np.mean(cell[fraud][:, None] == cell[~fraud])
    mine = figure("roc_auc", score, np.where(fraud, FRAUD, LEGITIMATE))
    assert abs(mine - metrics.roc_auc_score(fraud, score)) <= shared / 2 + 1e-9


def test_on_continuous_scores_the_cells_cost_little():
    rng = np.random.default_rng(1)
    fraud = rng.random(200_000) < 0.006
    score = 1 / (1 + np.exp(-rng.normal(np.where(fraud, 0.0, -5.0), 1.8)))
    state = np.where(fraud, FRAUD, LEGITIMATE)
    assert figure("roc_auc", score, state) == pytest.approx(metrics.roc_auc_score(fraud, score), abs=1e-4)
    assert figure("pr_auc", score, state) == pytest.approx(metrics.average_precision_score(fraud, score), abs=5e-3)


@given(scores, states)
def test_blocked_and_unlabelled_payments_count_in_the_alert_rate_alone(score, state):
    labelled = (state == FRAUD) | (state == LEGITIMATE)
    for metric in catalogue.labels_needed():
        assert figure(metric, score, state) == (
            pytest.approx(np.mean(score >= THRESHOLD))
            if metric == "alert_rate"
            else figure(metric, score[labelled], state[labelled])
        )


@given(scores, labels, npst.arrays(int, sizes, elements=st.integers(0, 10**9)))
def test_value_detection_is_the_money_of_caught_frauds_over_that_of_all(score, fraud, pence):
    found = figure("value_detection_rate", score, np.where(fraud, FRAUD, LEGITIMATE), pence)
    total = pence[fraud].sum()
    assert found == (pytest.approx(pence[fraud & (score >= THRESHOLD)].sum() / total) if total else None)


def test_calibration_error_is_the_gap_of_score_and_fraud_share_over_ten_equal_bins():
    rng = np.random.default_rng(2)
    score = rng.beta(1, 8, 50_000)
    for truth, low, high in ((score, 0.0, 0.002), (score / 2, 0.05, 0.06)):
        fraud = rng.random(len(score)) < truth
        bins = np.array_split(np.argsort(score), 10)
        gaps = [abs(fraud[b].mean() - score[b].mean()) for b in bins]
        noise = 0.8 * math.sqrt(score.mean() * (1 - score.mean()) / 5000)  # what chance alone adds to a gap
        naive = sum(len(b) / len(score) * gap for b, gap in zip(bins, gaps, strict=True))
        made = part(score, np.where(fraud, FRAUD, LEGITIMATE))
        found = thresholds.calibration_error(made)
        assert naive - noise - 1e-3 <= found.value <= naive + 1e-3
        assert low <= found.value <= high
        assert found.low <= found.value <= found.high
        assert thresholds.mean_score_and_prevalence(made) == pytest.approx((score.mean(), fraud.mean()))


def test_of_no_labelled_payment_every_figure_but_the_alert_rate_is_undefined():
    made = part([0.1, 0.9, 0.7], [OPEN, OPEN, BLOCKED])
    counts = figures.count_confusion(made)
    for metric in catalogue.labels_needed():
        assert (figures.compute_metric(metric, made, counts) is None) == (metric != "alert_rate")
    assert all(math.isnan(x) for x in thresholds.mean_score_and_prevalence(made))
    assert (counts.alerts, counts.rows, counts.blocked, counts.blocked_alerts, counts.open) == (2, 3, 1, 1, 2)


def test_silence_turns_legitimate_only_where_the_model_file_says_so():
    made = part([0.1, 0.9, 0.7, 0.8], [OPEN, OPEN, BLOCKED, FRAUD])
    after, explicit = spec(), spec(labels={"table": "l", "negative": "explicit"})
    counts = figures.count_confusion(figures.count_unlabelled_as_legitimate(after, made))
    assert (counts.false_alarms, counts.passed, counts.open, counts.blocked, counts.frauds) == (1, 1, 0, 1, 1)
    assert figures.count_confusion(figures.count_unlabelled_as_legitimate(explicit, made)).legitimate == 0
    assert figures.count_confusion(made).legitimate == 0  # the given part stays as it was


def test_few_cases_are_named_with_the_number_needed():
    counts = figures.count_confusion(
        part(np.r_[np.full(29, 0.9), np.full(900, 0.1)], [FRAUD] * 29 + [LEGITIMATE] * 900)
    )
    assert figures.describe_too_few_cases("recall", counts) == "29 known frauds, 30 needed"
    assert figures.describe_too_few_cases("precision", counts) == "29 alerts with a label, 30 needed"
    assert figures.describe_too_few_cases("false_positive_rate", counts) == "900 legitimate payments, 1,000 needed"
    assert figures.describe_too_few_cases("alert_rate", counts) == ""


def test_only_figures_that_the_model_file_allows_are_measured():
    assert figures.available_metrics(spec()) == list(catalogue.labels_needed())
    assert figures.available_metrics(spec(labels=None)) == ["alert_rate"]
    assert "value_detection_rate" not in figures.available_metrics(spec(score={"threshold": 0.5}))
    assert figures.available_metrics(spec(score={})) == [
        "pr_auc", "roc_auc", "calibration_error", "recall_at_false_positive_rate", "brier_score"
    ]  # fmt: skip
    points = spec(score={"threshold": 500, "range": [0, 999]})
    assert "calibration_error" not in figures.available_metrics(points)


def test_the_notes_say_what_is_left_out():
    counts = figures.count_confusion(part([0.1, 0.9, 0.7, 0.8], [OPEN, LEGITIMATE, BLOCKED, FRAUD]))
    assert "get no label: 1 blocked (33 % of the alerts)" in figures.describe_exclusions(spec(), "recall", counts)
    assert figures.describe_exclusions(spec(), "alert_rate", counts) == ""
    explicit = spec(labels={"table": "l", "negative": "explicit"})
    assert "1 have no label" in figures.describe_exclusions(explicit, "precision", counts)


def test_pooling_adds_the_days_that_have_the_group():
    rng = np.random.default_rng(3)
    days = {}
    for number in range(4):
        score, state = rng.random(50), rng.integers(0, 4, 50)
        days[START + timedelta(days=number)] = cube(score, state, channel=["app" if number else None] * 50)
    pooled = figures.pool_cohort_days(days, days, EVERYONE)
    assert pooled[:, :, 0].sum() == 200
    assert figures.pool_cohort_days(days, days, ("channel", "app"))[:, :, 0].sum() == 150
    assert figures.pool_cohort_days(days, days, ("channel", "web")) is None
    assert days[START].bins[EVERYONE][:, :, 0].sum() == 50  # adding leaves the days as they were
    assert [slice_name(g) for g in (EVERYONE, ("channel", "app"), ("channel", None))] == [
        "",
        "channel=app",
        "channel=(null)",
    ]
