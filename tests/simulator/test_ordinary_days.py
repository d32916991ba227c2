"""A day on which nothing goes wrong looks like any other."""

import numpy as np
from scipy.stats import binomtest, chi2_contingency
from sklearn.metrics import roc_auc_score

from simulator.recipes import RECIPES
from tests.simulator.conftest import drift, together


def test_no_feature_and_no_score_drifts(model, ordinary, later):
    for column in [*RECIPES[model].columns, "score"]:
        assert drift(later[model], column, ordinary[model]) < 0.03, column


def test_row_counts_keep_within_a_third_of_the_usual(model, ordinary, later):
    usual = np.median([len(batch.ids) for batch in ordinary[model]])
    rows = [len(batch.ids) for batch in later[model]]
    assert min(rows) > 0.65 * usual
    assert max(rows) < 1.35 * usual


def test_there_are_about_a_hundred_frauds_a_day(model, ordinary):
    frauds = [batch.fraud.sum() for batch in ordinary[model]]
    assert 95 < np.mean(frauds) < 140
    assert 0.004 < together(ordinary[model], "fraud").mean() < 0.008


def test_the_champion_catches_most_of_it_at_a_bearable_price(model, ordinary):
    fraud, alerted = together(ordinary[model], "fraud"), together(ordinary[model], "alerted")
    labelled = ~together(ordinary[model], "blocked")
    assert 0.75 < alerted[fraud & labelled].mean() < 0.85
    assert 0.15 < fraud[alerted].mean() < 0.40
    assert 0.010 < alerted.mean() < 0.025
    assert 0.04 < 1 - labelled[alerted].mean() < 0.10
    assert 0.94 < roc_auc_score(fraud, together(ordinary[model], "score")) < 0.98


def test_the_score_is_a_calibrated_probability(model, ordinary):
    fraud, score = together(ordinary[model], "fraud"), together(ordinary[model], "score")
    assert np.isclose(score.mean(), fraud.mean(), rtol=0.06)
    for low, high in [(0, 0.005), (0.005, 0.03), (0.03, 0.2), (0.2, 1)]:
        inside = (score >= low) & (score < high)
        assert np.isclose(score[inside].mean(), fraud[inside].mean(), rtol=0.25), (low, high)


def test_the_champion_treats_all_groups_alike(model, ordinary):
    fraud, alerted = together(ordinary[model], "fraud"), together(ordinary[model], "alerted")
    for column in ("age_band", "sex"):
        group = together(ordinary[model], column)
        for truth in (True, False):
            rows = (fraud == truth) & (group >= 0)
            counts = [[(alerted & rows & (group == g)).sum(), (~alerted & rows & (group == g)).sum()] for g in range(2)]
            assert chi2_contingency(counts).pvalue > 0.001, (column, truth)


def test_fraud_is_no_more_frequent_in_one_group_than_in_another(model, ordinary):
    fraud, group = together(ordinary[model], "fraud"), together(ordinary[model], "age_band")
    share = fraud.mean()
    for g in range(3):
        inside = fraud[group == g]
        assert binomtest(int(inside.sum()), len(inside), share).pvalue > 0.001
