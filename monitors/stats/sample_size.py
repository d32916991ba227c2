"""How many cases a comparison needs to show a difference that matters."""

from __future__ import annotations

import math

from scipy import special

from monitors.stats.intervals import ALPHA

POWER = 0.8
"""Probability with which a difference that is there should show."""


def cases_needed(share: float, ratio: float, power: float = POWER, times: float = 1.0) -> int:
    """Return the cases that a group needs to show a ratio of shares at 5 %.

    Args:
        share: the other group's share, between 0 and 1.
        ratio: the smallest one that matters; where share x ratio passes 1, share / ratio is looked for instead.
        power: probability of showing it.
        times: how many times as large the other group is.
    Returns:
        Cases in the smaller group.
    Source:
        normal approximation: Fleiss, Levin & Paik, Statistical Methods for Rates and Proportions, 2003, sections 4.2
        and 4.4.
    Example:
        >>> cases_needed(share=0.02, ratio=1.25)
        13809
    """
    other = share * ratio if share * ratio < 1 else share / ratio
    mean = (other + times * share) / (1 + times)
    chance = math.sqrt((1 + 1 / times) * mean * (1 - mean))
    spread = math.sqrt(other * (1 - other) + share * (1 - share) / times)
    z = special.ndtri(1 - ALPHA / 2) * chance + special.ndtri(power) * spread
    return math.ceil(float(z) ** 2 / (share - other) ** 2)
