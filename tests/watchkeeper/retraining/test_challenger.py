"""The comparison of champion and challenger, against other people's arithmetic and against known truths."""

from __future__ import annotations

import math
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from fairlearn.metrics import MetricFrame, false_positive_rate
from hypothesis import given
from hypothesis import settings as settings_of
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import average_precision_score, brier_score_loss, recall_score

from models.spec import Spec
from watchkeeper.retraining import challenger
from watchkeeper.retraining.challenger import Judgement, compare_with_champion

DAYS = 7


def payments(n: int = 28_000, days: int = DAYS, seed: int = 1) -> pd.DataFrame:
    """Return payments of an honest champion: its score is the probability of fraud, given what it sees."""
    draw = np.random.default_rng(seed)
    label = draw.random(n) < 0.02
    noise = draw.normal(size=n)
    return pd.DataFrame(
        {
            "day": [str(date(2026, 1, 10) + timedelta(days=number % days)) for number in range(n)],
            "label": label,
            "noise": noise,
            "amount_gbp": draw.lognormal(4, 1, n),
            "score": probability(noise, label, 2.0),
            "age_band": draw.choice(["18-29", "30-59", "60+"], n),
            "sex": draw.choice(["F", "M"], n),
        }
    )


def probability(noise: np.ndarray, label: np.ndarray, separation: float) -> np.ndarray:
    """Return the probability of fraud by a normal signal that frauds have ``separation`` more of."""
    logit = math.log(0.02 / 0.98) - separation**2 / 2 + separation * (noise + separation * label)
    return 1 / (1 + np.exp(-logit))


def judged(spec: Spec, shift: float, *, unfair: bool = False, days: int = DAYS, times: float = 1.0) -> Judgement:
    """Judge a challenger that separates fraud by ``shift`` standard deviations more than the champion does."""
    rows = payments(days=days)
    noise = rows["noise"].to_numpy() + (1.5 if unfair else 0) * ((rows["age_band"] == "60+") & ~rows["label"])
    return compare_with_champion(
        spec, rows, np.minimum(1, times * probability(noise, rows["label"].to_numpy(), 2 + shift)), seed=1
    )


def test_only_a_surely_better_challenger_is_better(spec: Spec) -> None:
    assert judged(spec, shift=1.0).better, judged(spec, shift=1.0).reasons
    assert not judged(spec, shift=0.0).better
    assert not judged(spec, shift=-1.0).better


def test_a_better_but_less_fair_challenger_is_not_better(spec: Spec) -> None:
    judgement = judged(spec, shift=1.5, unfair=True)
    assert not judgement.better
    assert any("less fair than the champion: false_positive_rate_ratio" in reason for reason in judgement.reasons)


def test_a_challenger_that_finds_one_groups_frauds_less_often_is_not_better(spec: Spec) -> None:
    rows = payments()
    blind = rows["label"] & (rows["age_band"] == "60+")
    score = probability(rows["noise"].to_numpy(), (rows["label"] & ~blind).to_numpy(), 4.0)
    judgement = compare_with_champion(spec, rows, score, seed=1)
    assert not judgement.better
    assert any("recall_ratio age_band=60+" in reason for reason in judgement.reasons)


def test_a_better_challenger_whose_scores_are_no_probabilities_is_not_better(spec: Spec) -> None:
    judgement = judged(spec, shift=1.0, times=3.0)
    (reason,) = judgement.reasons
    assert reason.startswith("scores are further from the share of fraud")


def test_too_few_days_tell_nothing(spec: Spec) -> None:
    assert "only 4 days to judge on; at least 5 are wanted" in judged(spec, shift=1.0, days=4).reasons
    assert not judged(spec, shift=1.0, days=1).better


def test_champion_and_challenger_are_compared_at_the_same_number_of_alerts(spec: Spec) -> None:
    same = judged(spec, shift=0.0).figures
    assert same["recall"]["difference"] == 0
    assert same["pr_auc"]["low"] <= 0 <= same["pr_auc"]["high"]


def test_each_figure_is_that_of_scikit_learn_and_fairlearn(spec: Spec) -> None:
    rows = payments()
    figures = judged(spec, shift=1.0).figures
    label, score = rows["label"], rows["score"]
    alerted = score >= spec.score.threshold
    assert figures["pr_auc"]["champion"] == pytest.approx(average_precision_score(label, score))
    assert figures["brier_score"]["champion"] == pytest.approx(brier_score_loss(label, score))
    assert figures["recall"]["champion"] == pytest.approx(recall_score(label, alerted))
    value = recall_score(label, alerted, sample_weight=rows["amount_gbp"])
    assert figures["value_detection_rate"]["champion"] == pytest.approx(value)
    rates = MetricFrame(
        metrics=false_positive_rate, y_true=label, y_pred=alerted, sensitive_features=rows["age_band"]
    ).by_group
    ratio = figures["false_positive_rate_ratio age_band=60+"]["champion"]
    assert ratio == pytest.approx(rates["60+"] / rates["30-59"])
    bins = pd.qcut(score.rank(method="first"), 10)
    gaps = rows.groupby(bins, observed=True)[["score", "label"]].mean().diff(axis=1)["label"].abs()
    assert figures["calibration_error"]["champion"] == pytest.approx(gaps.mean(), rel=1e-6)


def test_the_interval_of_a_mean_over_days_of_one_size_is_students(spec: Spec) -> None:
    """Where each day counts alike, resampling days must give the t interval of the days' differences."""
    rows = payments(n=7_000)
    rows["label"] = np.arange(len(rows)) // DAYS % 10 == 0
    better = probability(rows["noise"].to_numpy(), rows["label"].to_numpy(), 2.5)
    found = compare_with_champion(spec, rows, better, seed=1).figures["brier_score"]
    squares = ((better - rows["label"]) ** 2 - (rows["score"] - rows["label"]) ** 2).groupby(rows["day"]).mean()
    low, high = stats.ttest_1samp(squares, 0).confidence_interval(0.95)
    assert found["difference"] == pytest.approx(squares.mean())
    assert (found["low"], found["high"]) == (pytest.approx(low, rel=0.1), pytest.approx(high, rel=0.1))


def test_a_day_that_differs_from_the_others_widens_the_interval(spec: Spec) -> None:
    rows = payments()
    good, one = judged(spec, shift=1.0).figures["recall"], rows["day"] == "2026-01-12"
    score = probability(rows["noise"].to_numpy(), rows["label"].to_numpy(), 3.0)
    broken = compare_with_champion(spec, rows, np.where(one, 0.0, score), seed=1).figures["recall"]
    assert broken["high"] - broken["low"] > 2 * (good["high"] - good["low"])


@settings_of(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.booleans(), st.integers(0, 3)), min_size=1, max_size=40))
def test_average_precision_is_scikit_learns_with_weights_and_ties(rows: list[tuple[int, bool, int]]) -> None:
    score, label, weight = (np.array(column) for column in zip(*rows, strict=True))
    each = np.arange(len(rows))  # every payment its own day, counted as often as its weight says
    ours = challenger.average_precision(each, score.astype(float), label)(weight.astype(float))
    if not (weight[label] > 0).any():
        assert np.isnan(ours)
        return
    assert ours == pytest.approx(average_precision_score(label, score, sample_weight=weight))
