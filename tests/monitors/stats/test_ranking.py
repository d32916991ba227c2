"""Areas under curves against scikit-learn and DeLong's error over all pairs."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from monitors.stats import ranking

bins = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=1, max_size=12).filter(
    lambda pairs: sum(f for f, _ in pairs) and sum(n for _, n in pairs)
)


def _rows(pairs):
    score = np.repeat(np.arange(len(pairs)), [f + n for f, n in pairs])
    label = np.concatenate([np.r_[np.ones(f), np.zeros(n)] for f, n in pairs])
    frauds, legitimate = np.array(pairs, np.int64).T
    return score, label, frauds, legitimate


@given(bins)
def test_areas_equal_scikit_learn_with_ties(pairs):
    score, label, frauds, legitimate = _rows(pairs)
    assert ranking.roc_auc(frauds, legitimate).value == pytest.approx(roc_auc_score(label, score), abs=1e-12)
    expected = average_precision_score(label, score)
    assert ranking.average_precision(frauds, legitimate).value == pytest.approx(expected, abs=1e-12)


@given(bins)
def test_the_error_of_roc_auc_is_delong_s_over_all_pairs(pairs):
    score, label, frauds, legitimate = _rows(pairs)
    x, y = score[label == 1], score[label == 0]
    wins = (x[:, None] > y) + 0.5 * (x[:, None] == y)
    parts = [wins.mean(axis=1), wins.mean(axis=0)]
    expected = math.sqrt(sum(p.var(ddof=1) / len(p) for p in parts if len(p) > 1))
    assert ranking.roc_auc(frauds, legitimate).error == pytest.approx(expected, abs=1e-9)


def test_a_perfect_ranking_still_has_an_interval():
    perfect = ranking.roc_auc(np.array([0, 40]), np.array([1000, 0]))
    assert (perfect.value, perfect.high) == (1.0, 1.0)
    assert 0.85 < perfect.low < 0.95


def test_areas_need_both_classes():
    nothing = np.zeros(3, np.int64)
    for area in (ranking.roc_auc, ranking.average_precision):
        with pytest.raises(ValueError, match="needs"):
            area(nothing, nothing + 1)
