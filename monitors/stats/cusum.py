"""One-sided CUSUM of standardised days: its sums, and how long it runs on average without a change."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from profiles.bins import Floats

LARGEST_Z = 3.0
"""A day counts at most as so many standard deviations, so that no one day, and no two, raise an alarm."""


def average_run_length(allowance: float, limit: float) -> float:
    """Return the average days between false alarms of a one-sided CUSUM of independent standard normal days.

    Args:
        allowance: k, what is taken off each day, in standard deviations, above 0.
        limit: h, the sum from which it raises an alarm, in standard deviations.
    Returns:
        Days.
    Source:
        (exp(2kb) - 2kb - 1) / 2k^2 with b = h + 1.166: Siegmund (1985), Sequential Analysis, eq. 2.49 with 10.1.
    Example:
        >>> round(average_run_length(allowance=0.5, limit=5.0))
        938
    """
    reach = 2 * allowance * (limit + 1.166)
    return (math.exp(reach) - reach - 1) / (2 * allowance**2)


@lru_cache(maxsize=1024)
def limit_for_run_length(allowance: float, days: float) -> float:
    """Return the limit at which a one-sided CUSUM runs so many days on average without a change.

    Args:
        allowance: k, what is taken off each day, in standard deviations, above 0.
        days: wanted average days between false alarms.
    Returns:
        The limit h, 0 to 100, in standard deviations.
    Source:
        ``average_run_length``, inverted by bisection.
    """
    low, high = 0.0, 100.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if average_run_length(allowance, middle) < days else (low, middle)
    return high


def latest_cusum(standard: Floats, allowance: float) -> float:
    """Return the last value of the one-sided CUSUM, ``S = max(0, S + z - k)``; S begins at 0.

    Args:
        standard: standardised days z in order: (days); each counts as 3 at most.
        allowance: k, in standard deviations.
    Returns:
        The sum, at least 0, in standard deviations.
    Source:
        Page, Biometrika 1954.
    Example:
        >>> latest_cusum(np.array([2.0, -3.0, 1.5, 1.5]), allowance=0.5)
        2.0
    """
    total = 0.0
    for z in np.minimum(standard, LARGEST_Z):
        total = max(0.0, total + float(z) - allowance)
    return total


def highest_cusum(standard: Floats, allowance: float) -> float:
    """Return the highest value that the one-sided CUSUM reaches.

    Args:
        standard: standardised days z in order: (days); each counts as 3 at most.
        allowance: k, in standard deviations.
    Returns:
        The largest sum, at least 0, in standard deviations.
    Source:
        Page, Biometrika 1954.
    """
    total = most = 0.0
    for z in np.minimum(standard, LARGEST_Z):
        total = max(0.0, total + float(z) - allowance)
        most = max(most, total)
    return most
