"""What chance makes of any distance, without a formula for it: slopes by difference quotients, and drawn samples.

- Interval: the delta method on two independent multinomials (Agresti, Categorical Data Analysis, 3rd ed., section
  16.1), with numeric slopes; at least as wide as the distance varies without change, and widened to hold the value.
- Without change: samples of both sides are drawn from one multinomial of all rows (the parametric bootstrap; Efron and
  Tibshirani 1993, chapter 6), always the same ones. Expectation and variance are those of the draws. Their tail is
  that of the scaled chi-square with the same two (Satterthwaite 1946; Box 1954), for a distance grows like a square.
- p-value: Pearson's chi-square test on the same bins.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy import special

from monitors.stats.comparisons import Comparison, distance_interval, multinomial_variance
from monitors.stats.distances import chi_square, shares_by_bin
from monitors.stats.registry import Statistic
from profiles.bins import Floats, Ints

DRAWS = 400
"""Pairs of samples drawn: their mean is then off by about 1 / 20 of their spread."""
SEED = 7
"""The same draws at every run, so that a figure changes only when its data does."""
STEP = 1e-4
"""Part of a bin's rows by which they are moved, up and down, to see how a distance changes."""


class NoChange(NamedTuple):
    """A distance on the scale on which chance adds up, where nothing changed."""

    mean: float
    variance: float

    @property
    def freedom(self) -> float:
        """Return the degrees of freedom of the scaled chi-square with this mean and variance, at least 1."""
        return max(1.0, 2 * self.mean**2 / self.variance) if self.variance > 0 else 1.0

    def critical(self, alpha: float) -> float:
        """Return the value that chance alone exceeds with a given probability.

        Args:
            alpha: the probability.
        Returns:
            A distance on the scale on which chance adds up.
        Source:
            scaled chi-square (Satterthwaite 1946; Box 1954).
        """
        return self.mean / self.freedom * float(special.chdtri(self.freedom, alpha))


def simulate_no_change(
    statistic: Statistic, pooled: Ints | Floats, rows: tuple[float, float], widths: Floats | None = None
) -> NoChange:
    """Return mean and variance of a distance between two samples of one distribution.

    Args:
        statistic: the distance.
        pooled: rows by bin whose shares are drawn from, at least one in all: (bins).
        rows: sizes of the two samples, n and m.
        widths: the steps from bin to bin in standard deviations, for a distance ``by_position``: (bins - 1).
    Returns:
        Both on the scale on which chance adds up; the same at every run.
    Source:
        parametric bootstrap (Efron & Tibshirani 1993, chapter 6).
    """
    rng, shares = np.random.default_rng(SEED), shares_by_bin(pooled)
    today, before = (rng.multinomial(max(1, round(each)), shares, DRAWS) for each in rows)
    squares = statistic.squares(today, before, widths)
    return NoChange(float(squares.mean()), float(squares.var(ddof=1)))


def compare_by_simulation(
    statistic: Statistic,
    today: Ints,
    baseline: Ints,
    minimum_effect: float,
    alpha: float,
    widths: Floats | None = None,
) -> Comparison:
    """Compare by any registered distance, without a formula for what chance makes of it.

    Args:
        statistic: the distance.
        today: rows by bin, at least one: (bins).
        baseline: rows by bin, at least one: (bins).
        minimum_effect: smallest distance that matters, on its own scale.
        alpha: false-alarm probability of ``critical``.
        widths: the steps from bin to bin in standard deviations, for a distance ``by_position``: (bins - 1).
    Returns:
        The distance and how to judge it.
    Source:
        delta method with numeric slopes; parametric bootstrap; chi-square test; see the module.
    """
    n, m = int(today.sum()), int(baseline.sum())
    chance = simulate_no_change(statistic, today + baseline, (n, m), widths)
    square = float(statistic.squares(today, baseline, widths)[0])
    to_today = _slopes(lambda rows: statistic.squares(rows, baseline, widths), today)
    to_baseline = _slopes(lambda rows: statistic.squares(today, rows, widths), baseline)
    variance = multinomial_variance(today / n, to_today) / n + multinomial_variance(baseline / m, to_baseline) / m
    low, high = distance_interval(square, chance.mean, variance, chance.variance)
    limit = statistic.square_of(minimum_effect) + chance.mean
    value, low, high, limit, critical = (
        statistic.figure_of(each) for each in (square, low, high, limit, chance.critical(alpha))
    )
    return Comparison(value, low, high, limit, critical, chi_square(today, baseline).p_value)


def _slopes(of: Callable[[Ints | Floats], Floats], counts: Ints) -> Floats:
    """Return how a distance changes with each bin's share (bins), by central differences; 0 in empty bins."""
    steps, total = np.asarray(STEP * counts, dtype=np.float64), counts.sum()
    up, down = of(counts + np.diag(steps)), of(counts - np.diag(steps))
    return np.asarray(np.divide((up - down) * total, 2 * steps, out=np.zeros(len(counts)), where=steps > 0))
