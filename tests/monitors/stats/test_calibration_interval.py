from __future__ import annotations

import math

import numpy as np
import pytest

from monitors.stats.calibration_interval import CalibrationBins, estimate_calibration_error, nonnegative_mean_arms


def test_a_gap_of_bins_is_zero_for_noise_and_the_gap_itself_for_many_cases():
    size, expected = np.full(10, 1e6), np.full(10, 1e5)
    noise = expected + np.sqrt(9e4) * np.array([1, -1] * 5) * 0.7
    found = estimate_calibration_error(CalibrationBins(size, noise, expected, np.full(10, 9e4)))
    assert (found.value, found.low) == (0, 0)
    assert 0 < found.high < 4e-4
    found = estimate_calibration_error(CalibrationBins(size, 1.2 * expected, expected, np.full(10, 9e4)))
    assert found.value == pytest.approx(0.02, rel=1e-3)
    assert found.high - found.value == pytest.approx(1.96 * math.sqrt(10 * 1.2e5 * (1 - 0.12)) / 1e7, rel=0.02)
    assert estimate_calibration_error(CalibrationBins(size, expected, expected, np.full(10, 9e4)))[:2] == (0, 0)


def test_scores_that_are_certain_and_wrong_are_off_by_all_that_they_are_off():
    size = np.full(3, 40.0)
    found = estimate_calibration_error(CalibrationBins(size, size, np.zeros(3), np.zeros(3)))
    assert (found.value, found.low, found.error) == (pytest.approx(1), pytest.approx(1), pytest.approx(0, abs=1e-6))


def test_a_distance_of_nothing_is_undefined():
    with pytest.raises(ValueError, match="needs"):
        estimate_calibration_error(CalibrationBins(*[np.zeros(2)] * 4))


@pytest.mark.parametrize("mean", [0.2, 0.5, 1.0, 1.5, 1.9, 3.0])
def test_near_0_the_values_that_are_no_surprise_are_those_with_the_highest_likelihood_ratios(mean):
    seen = np.arange(-20, 8, 0.001)
    ratio = np.exp(-((seen - mean) ** 2) / 2 + (seen - np.maximum(seen, 0)) ** 2 / 2)  # to the best mean from 0 up
    best = np.argsort(-ratio)
    chance = np.cumsum(np.exp(-((seen[best] - mean) ** 2) / 2)) * 0.001 / math.sqrt(2 * math.pi)
    accepted = seen[best[chance <= 0.95]]
    below, above = nonnegative_mean_arms(np.array([mean]))
    assert (mean - below[0], mean + above[0]) == pytest.approx((accepted.min(), accepted.max()), abs=0.005)


@pytest.mark.parametrize(("seen", "high"), [(-3.0, 0.42), (0.0, 1.96), (1.0, 2.96), (3.0, 4.96)])
def test_near_0_the_upper_end_is_that_of_feldman_and_cousins_table(seen, high):
    sizes = np.linspace(0, 6, 60_001)
    assert sizes[sizes - nonnegative_mean_arms(sizes)[0] <= seen][-1] == pytest.approx(high, abs=0.006)
