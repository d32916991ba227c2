"""Whether 95 % intervals contain the truth as often as they say: few draws here, a thousand in decision 015."""

from __future__ import annotations

import pytest

import catalogue
from benchmarks import coverage


@pytest.mark.parametrize("frauds", coverage.FRAUDS)
@pytest.mark.parametrize("figure", coverage.FIGURES)
def test_a_95_percent_interval_contains_the_truth_in_95_of_100_draws(figure, frauds):
    held = coverage.coverage(figure, frauds, draws=75)
    assert held >= 0.93 - 3 * 0.0126  # three standard errors of 4 x 75 draws below the least that is accepted
    if figure not in coverage.AT_LEAST:
        assert held <= 0.97 + 3 * 0.0099


def test_every_figure_of_a_score_cube_is_among_them():
    assert set(catalogue.labels_needed()) <= set(coverage.FIGURES)
