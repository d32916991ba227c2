"""Cases needed against a published table and simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from monitors.stats.sample_size import cases_needed


@pytest.mark.parametrize(
    ("share", "ratio", "negatives"),
    [
        (0.05, 1.25, 5330), (0.05, 1.5, 1468), (0.05, 2, 432), (0.01, 1.25, 27935), (0.01, 1.5, 7747), (0.01, 2, 2316),
        (0.001, 1.25, 282_238), (0.001, 1.5, 78387), (0.001, 2, 23508),
    ],
)  # fmt: skip
def test_the_cases_needed_are_those_of_the_table(share, ratio, negatives):
    assert cases_needed(share, ratio) == pytest.approx(negatives, rel=0.01)


@pytest.mark.parametrize(("share", "ratio", "times"), [(0.05, 1.5, 1.0), (0.05, 1.5, 8.0), (0.6, 1.25, 4.0)])
def test_the_cases_needed_are_enough_in_eight_of_ten_draws(share, ratio, times):
    rng = np.random.default_rng(51)
    n = cases_needed(share, ratio, times=times)
    m = round(times * n)
    p, q = rng.binomial(n, share * ratio, 4000) / n, rng.binomial(m, share, 4000) / m
    mean = (n * p + m * q) / (n + m)
    z = (p - q) / np.sqrt(mean * (1 - mean) * (1 / n + 1 / m))
    assert np.mean(z > norm.ppf(0.975)) == pytest.approx(0.8, abs=0.03)
