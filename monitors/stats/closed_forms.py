"""What theory says of four distances, so that nothing needs drawing; any other distance is simulated.

``compare_distance`` and ``expected_by_chance`` choose between the two.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from catalogue.metrics import drift
from monitors.stats import comparisons, simulation
from monitors.stats.comparisons import Comparison
from monitors.stats.registry import Statistic
from profiles.bins import Floats, Ints

MEAN_SQUARE_KOLMOGOROV = math.pi**2 / 12
"""Expectation of the square of the Kolmogorov distribution."""


class BinnedSides(NamedTuple):
    """Rows by bin today and as expected; ``midpoints`` (bins) of a number's, and the ``spread`` of the baseline."""

    today: Ints
    before: Ints
    midpoints: Floats | None = None
    spread: float = 1.0

    @property
    def widths(self) -> Floats | None:
        """Return the steps from bin to bin in standard deviations of the baseline: (bins - 1); None of a category."""
        return None if self.midpoints is None else np.asarray(np.diff(self.midpoints) / self.spread)


class ExpectedByChance(NamedTuple):
    """What a distance squared is by chance, over 1/n + 1/m, and as how many degrees of freedom it varies."""

    chance: float
    freedom: float


def compare_distance(statistic: Statistic, sides: BinnedSides, minimum_effect: float, alpha: float) -> Comparison:
    """Compare two sides by a registered distance, with its own formulas where it has any.

    Args:
        statistic: the distance.
        sides: rows today and as expected.
        minimum_effect: smallest distance that matters, on its own scale.
        alpha: false-alarm probability of ``critical``.
    Returns:
        The distance and how to judge it.
    Source:
        ``comparisons`` for the four that theory knows, else ``simulation``.
    """
    if statistic.key in _COMPARISONS:
        return _COMPARISONS[statistic.key](sides, minimum_effect, alpha)
    return simulation.compare_by_simulation(
        statistic, sides.today, sides.before, minimum_effect, alpha, sides.widths if statistic.by_position else None
    )


def expected_by_chance(
    statistic: Statistic, before: Floats, rows: tuple[float, float], widths: Floats | None
) -> ExpectedByChance:
    """Return what a registered distance is by chance.

    Args:
        statistic: the distance.
        before: expected rows by bin: (bins).
        rows: a usual day's rows (n) and those that its expectation rests on (m).
        widths: the steps from bin to bin in standard deviations, of a distance that goes by position: (bins - 1).
    Returns:
        Its expectation squared, over 1/n + 1/m, and its degrees of freedom.
    Source:
        the formula of each distance, else ``simulation.simulate_no_change``.
    """
    if statistic.key in _EXPECTATIONS:
        return _EXPECTATIONS[statistic.key](before, widths)
    found = simulation.simulate_no_change(statistic, before, rows, widths)
    return ExpectedByChance(found.mean / (1 / rows[0] + 1 / rows[1]), found.freedom)


def _compare_wasserstein(sides: BinnedSides, minimum_effect: float, alpha: float) -> Comparison:
    assert sides.midpoints is not None
    return comparisons.compare_wasserstein(
        sides.today, sides.before, sides.midpoints, minimum_effect, alpha, sides.spread
    )


_COMPARISONS: Mapping[str, Callable[[BinnedSides, float, float], Comparison]] = {
    drift.PSI: lambda sides, least, alpha: comparisons.compare_psi(sides.today, sides.before, least, alpha),
    drift.JENSEN_SHANNON: lambda sides, least, alpha: comparisons.compare_jensen_shannon(
        sides.today, sides.before, least, alpha
    ),
    drift.KS: lambda sides, least, alpha: comparisons.compare_ks(sides.today, sides.before, least, alpha),
    drift.WASSERSTEIN: _compare_wasserstein,
}


def _occupied_freedom(before: Floats) -> float:
    return max(1.0, float(np.count_nonzero(before > 0.25)) - 1)


def _expected_psi(before: Floats, _: Floats | None) -> ExpectedByChance:
    """Return that PSI is about (1/n + 1/m) times chi-square (Yurdakul & Naranjo 2020)."""
    freedom = _occupied_freedom(before)
    return ExpectedByChance(freedom, freedom)


def _expected_jensen_shannon(before: Floats, _: Floats | None) -> ExpectedByChance:
    """Return that the divergence is about PSI / 8 nats for small changes, or PSI / (8 ln 2) bits."""
    freedom = _occupied_freedom(before)
    return ExpectedByChance(freedom / (8 * math.log(2)), freedom)


def _expected_ks(_: Floats, __: Floats | None) -> ExpectedByChance:
    """Return that the square is about that of the Kolmogorov distribution."""
    return ExpectedByChance(MEAN_SQUARE_KOLMOGOROV, 3.0)


def _expected_wasserstein(before: Floats, widths: Floats | None) -> ExpectedByChance:
    """Return that the distance is at most |Z| times the area under the standard errors of the two curves."""
    assert widths is not None
    below = np.cumsum(before)[:-1] / before.sum()
    errors = np.sqrt(np.clip(below * (1 - below), 0, None)) * widths
    return ExpectedByChance(max(float(errors.sum()) ** 2 * 2 / math.pi, 1e-3), 2.0)


_EXPECTATIONS: Mapping[str, Callable[[Floats, Floats | None], ExpectedByChance]] = {
    drift.PSI: _expected_psi,
    drift.JENSEN_SHANNON: _expected_jensen_shannon,
    drift.KS: _expected_ks,
    drift.WASSERSTEIN: _expected_wasserstein,
}
