"""How far a statistic usually strays, learned from the baseline's own days, and how seldom it would stray farther.

A squared distance of n rows from m others is about chance x (1/n + 1/m), and on top comes what days differ by nature.
Divided by both, its cube root is about normal (Wilson and Hilferty 1931), so the next day's is judged by Student's t
with the baseline's days less the terms fitted as degrees of freedom (a prediction interval). Days may also differ in
one direction only, as by their mean: then the extra is a square of one normal, with a longer tail than the cube root
of the sum shows, and the rest is chance in the other directions. The less unusual of the two readings counts. Whatever
they say, nothing is unusual that lies within what the baseline itself has seen, and a quarter beyond.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from profiles.bins import Floats

LEAST_DAYS = 7
"""Baseline days from which a statistic's usual range is learned."""
HEADROOM = 0.25
"""A rarer day than the baseline's most unusual one may lie this much farther from its middle."""


@dataclass(frozen=True)
class NullDistribution:
    """The distribution of one statistic on in-control days.

    ``chance`` and ``extra`` give its expected square for n rows against m: ``chance`` times 1/n + 1/m, and ``extra``
    for how days differ, more so where little is known of what to expect: m is then few days of ``rows_a_day``.
    Chance moves it in ``directions``. ``root`` is 3 for a squared distance and 2 for a signed gap. ``centre``,
    ``spread`` and ``top`` are of the scaled values of ``days`` days with ``freedom`` degrees of freedom; ``low`` to
    ``high`` held nine in ten plain values.
    """

    days: int
    freedom: int
    chance: float
    extra: float
    directions: float
    rows_a_day: float
    root: int
    centre: float
    spread: float
    top: float
    low: float
    high: float

    def p_value(self, gap: float, n: float, m: float) -> float:
        """Return the probability that an in-control day reaches a value.

        Args:
            gap: a squared distance, or a signed gap of angles.
            n: rows of the day.
            m: rows that the expectation rests on.
        Returns:
            From 0 to 1; at least 1 / (days + 1) within what the baseline has seen, and a quarter beyond.
        Source:
            Student's t of the scaled cube root (Wilson & Hilferty, PNAS 1931); see the module.
        """
        expected = self._expected(n, m)
        scaled = gap / math.sqrt(expected) if self.root == 2 else (gap / expected) ** (1 / 3)
        chance = float(special.stdtr(self.freedom, -(scaled - self.centre) / self.spread))
        if self.root == 3:
            beside, along = self._one_way(n, m)
            chance = max(chance, 2 * float(special.stdtr(self.freedom, -math.sqrt(max(0.0, gap - beside) / along))))
        return chance if scaled > self._seen else max(chance, 1 / (self.days + 1))

    def critical(self, alpha: float, n: float, m: float) -> float:
        """Return the value that an in-control day exceeds with a given probability at most.

        Args:
            alpha: the probability.
            n: rows of the day.
            m: rows that the expectation rests on.
        Returns:
            A squared distance, or a gap of angles.
        Source:
            ``p_value``, inverted.
        """
        scaled = self.centre - float(special.stdtrit(self.freedom, alpha)) * self.spread
        scaled = max(scaled, self._seen)
        expected = self._expected(n, m)
        if self.root == 2:
            return scaled * math.sqrt(expected)
        beside, along = self._one_way(n, m)
        return max(scaled**3 * expected, beside + along * float(special.stdtrit(self.freedom, alpha / 2)) ** 2)

    @property
    def _seen(self) -> float:
        return self.top + HEADROOM * (self.top - self.centre)

    def _one_way(self, n: float, m: float) -> tuple[float, float]:
        """Return what chance makes at most in all directions but one, and the variance along that one."""
        each = self.chance * (1 / n + 1 / m) / self.directions
        others = self.directions - 1
        generous = (1 - 2 / (9 * others) + 2 * math.sqrt(2 / (9 * others))) ** 3 if others else 0.0
        return each * others * generous, each + self.extra * (1 + self.rows_a_day / m)

    def _expected(self, n: float, m: float) -> float:
        return self.chance * (1 / n + 1 / m) + self.extra * (1 + self.rows_a_day / m)


def learn_distance_null(
    squares: Floats, rows: tuple[Floats, Floats], chance: float, freedom: float, terms: int, plain: Floats
) -> NullDistribution:
    """Learn how a squared distance varies from the baseline's own days.

    Args:
        squares: squared distances: (days).
        rows: rows of each day, and rows that its expectation rests on: (days) each.
        chance: expectation by chance over 1/n + 1/m (see ``daily_distances.expected_by_chance``).
        freedom: degrees of freedom as which it varies by chance.
        terms: parameters fitted to say what to expect.
        plain: the figures as people read them: (days).
    Returns:
        The null distribution, with ``root`` 3.
    Source:
        cube root of chi-square: Wilson & Hilferty, PNAS 1931; prediction interval by Student's t.
    """
    least = math.sqrt(2 / (9 * max(1.0, freedom)))
    return _learn_null(squares, squares, rows, chance, max(1.0, freedom), 3, least, terms, plain)


def learn_share_null(gaps: Floats, rows: tuple[Floats, Floats], terms: int, plain: Floats) -> NullDistribution:
    """Learn how a share varies from the baseline's own days.

    Args:
        gaps: signed gaps of shares, as angles (``share_to_angle``): (days).
        rows: rows of each day, and rows that its expectation rests on: (days) each.
        terms: parameters fitted to say what to expect.
        plain: the shares as people read them: (days).
    Returns:
        The null distribution, with ``root`` 2.
    Source:
        the variance of an angle by chance is a quarter of 1/n + 1/m (``share_to_angle``).
    """
    return _learn_null(gaps, gaps**2, rows, 0.25, 1.0, 2, 1.0, terms, plain)


def share_to_angle(share: Floats | float) -> Floats:
    """Return the arcsine of a share's root: its variance by chance is 1/(4 n), whatever the share.

    Args:
        share: shares of any shape; clipped to 0 and 1.
    Returns:
        Angles from 0 to pi / 2, of the shape of ``share``.
    Source:
        Anscombe, Biometrika 1948 (variance-stabilising transformation of the binomial).
    Example:
        >>> round(angle_to_share(float(share_to_angle(0.03))), 12)
        0.03
    """
    return np.asarray(np.arcsin(np.sqrt(np.clip(share, 0, 1))))


def angle_to_share(angle_: float) -> float:
    """Return the share of an angle.

    Args:
        angle_: radians; clipped to 0 and pi / 2.
    Returns:
        From 0 to 1.
    Source:
        ``share_to_angle``, inverted.
    """
    return math.sin(min(max(angle_, 0.0), math.pi / 2)) ** 2


def _learn_null(
    values: Floats,
    squares: Floats,
    rows: tuple[Floats, Floats],
    chance: float,
    directions: float,
    root: int,
    least: float,
    terms: int,
    plain: Floats,
) -> NullDistribution:
    n, m = rows
    days, rows_a_day = len(values), _interpolated_quantile(sorted(n.tolist()), 0.5)
    noise, unknown = 1 / n + 1 / m, 1 + rows_a_day / m
    extra = max(0.0, float(np.mean((squares - chance * noise) / unknown)))
    expected = chance * noise + extra * unknown
    scaled = np.cbrt(values / expected) if root == 3 else values / np.sqrt(expected)
    spread = max(float(scaled.std(ddof=1)), least) * math.sqrt(1 + 1 / days)
    usual = sorted(plain.tolist())
    low, high = _interpolated_quantile(usual, 0.05), _interpolated_quantile(usual, 0.95)
    freedom, centre, top = max(1, days - terms), float(scaled.mean()), float(scaled.max())
    return NullDistribution(days, freedom, chance, extra, directions, rows_a_day, root, centre, spread, top, low, high)


def _interpolated_quantile(ordered: Sequence[float], share: float) -> float:
    """Return a quantile as numpy's, between two values in proportion; numpy's own takes ten times as long on a few."""
    position = share * (len(ordered) - 1)
    at = min(int(position), len(ordered) - 1)
    low, high = ordered[at], ordered[min(at + 1, len(ordered) - 1)]
    return low + (high - low) * (position - at)
