"""How far a statistic usually strays, learned from the baseline's own days, and how seldom it would stray farther.

A squared distance of n rows from m others is about chance x (1/n + 1/m), and on top comes what days differ by nature.
Divided by both, its cube root is about normal (Wilson and Hilferty 1931), heavy on the safe side where one direction
dominates; so the next day's is judged by Student's t with the baseline's days less the terms fitted as degrees of
freedom (a prediction interval). Whatever the fit says, nothing counts as unusual that lies within what the baseline
itself has seen, and a quarter beyond.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import special

from warehouse.grid import Floats

LEAST_DAYS = 7
"""Baseline days from which a statistic's usual range is learned."""
HEADROOM = 0.25
"""A rarer day than the baseline's most unusual one may lie this much farther from its middle."""


@dataclass(frozen=True)
class Null:
    """The distribution of one statistic on quiet days.

    ``chance`` and ``extra`` give its expected square, ``chance * noise + extra``, where noise is 1/n + 1/m; ``root``
    is 3 for a squared distance and 2 for a signed gap. ``centre``, ``spread`` and ``top`` are of the scaled values of
    ``days`` days with ``freedom`` degrees of freedom; ``low`` to ``high`` held nine in ten of the plain values.
    """

    days: int
    freedom: int
    chance: float
    extra: float
    root: int
    centre: float
    spread: float
    top: float
    low: float
    high: float

    def p_value(self, gap: float, noise: float) -> float:
        """Return the chance that a quiet day's gap (or squared distance) is at least this one."""
        scaled = float(_scaled(np.array([gap]), np.array([self._expected(noise)]), self.root)[0])
        chance = float(special.stdtr(self.freedom, -(scaled - self.centre) / self.spread))
        return chance if scaled > self._seen else max(chance, 1 / (self.days + 1))

    def critical(self, alpha: float, noise: float) -> float:
        """Return the gap (or squared distance) that a quiet day passes with chance ``alpha`` at most."""
        scaled = self.centre - float(special.stdtrit(self.freedom, alpha)) * self.spread
        scaled = max(scaled, self._seen)
        expected = self._expected(noise)
        return scaled * math.sqrt(expected) if self.root == 2 else scaled**3 * expected

    @property
    def _seen(self) -> float:
        return self.top + HEADROOM * (self.top - self.centre)

    def _expected(self, noise: float) -> float:
        return self.chance * noise + self.extra


def of_distances(squares: Floats, noise: Floats, chance: float, freedom: float, terms: int, plain: Floats) -> Null:
    """Learn from squared distances (days): each about ``chance * noise`` by chance, as chi-square of ``freedom``."""
    extra = max(0.0, float(np.mean(squares - chance * noise)))
    scaled = _scaled(squares, chance * noise + extra, 3)
    return _null(scaled, chance, extra, 3, math.sqrt(2 / (9 * max(1.0, freedom))), terms, plain)


def of_shares(gaps: Floats, noise: Floats, terms: int, plain: Floats) -> Null:
    """Learn from gaps of shares (days), as angles: by chance alone their variance is a quarter of ``noise``."""
    extra = max(0.0, float(np.mean(gaps**2 - noise / 4)))
    return _null(_scaled(gaps, noise / 4 + extra, 2), 0.25, extra, 2, 1.0, terms, plain)


def angle(share: Floats | float) -> Floats:
    """Return the arcsine of a share's root: its variance by chance is 1/(4 n), whatever the share."""
    return np.asarray(np.arcsin(np.sqrt(np.clip(share, 0, 1))))


def share_at(angle_: float) -> float:
    """Return the share of an angle."""
    return math.sin(min(max(angle_, 0.0), math.pi / 2)) ** 2


def _scaled(values: Floats, expected: Floats, root: int) -> Floats:
    if root == 2:
        return np.asarray(values / np.sqrt(expected))
    return np.asarray(np.cbrt(values / expected))


def _null(scaled: Floats, chance: float, extra: float, root: int, least: float, terms: int, plain: Floats) -> Null:
    days = len(scaled)
    spread = max(float(scaled.std(ddof=1)), least) * math.sqrt(1 + 1 / days)
    low, high = (float(q) for q in np.quantile(plain, [0.05, 0.95]))
    freedom = max(1, days - terms)
    return Null(days, freedom, chance, extra, root, float(scaled.mean()), spread, float(scaled.max()), low, high)
