"""Estimates with their uncertainty: intervals of shares, differences, ratios, areas under curves and money.

Every function is vector-free and closed-form, at the two-sided confidence ``1 - alpha``; scipy.special only,
because scipy.stats takes seconds to import.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from scipy import special

from warehouse.grid import Floats, Ints

ALPHA = 0.05
"""Every interval that is shown is a 95 % interval."""


class Interval(NamedTuple):
    """A lower and an upper bound."""

    low: float
    high: float


class Estimate(NamedTuple):
    """A figure between ``low`` and ``high`` (95 %) that rests on ``n`` cases, with its standard ``error``."""

    value: float
    low: float
    high: float
    n: int
    error: float = 0.0


def clopper_pearson(events: float, n: float, alpha: float = ALPHA) -> Interval:
    """Return the exact interval of a share (Clopper & Pearson, Biometrika 1934), by quantiles of the beta.

    Events and n need not be whole, so that it also takes effective sample sizes; n of 0 gives (0, 1).
    """
    low = 0.0 if events <= 0 else float(special.betaincinv(events, n - events + 1, alpha / 2))
    high = 1.0 if events >= n else float(special.betaincinv(events + 1, n - events, 1 - alpha / 2))
    return Interval(low, high)


def share(events: int, n: int) -> Estimate:
    """Return ``events / n`` with its Clopper-Pearson interval; ValueError where n is 0."""
    if n <= 0:
        raise ValueError("a share of nothing is undefined")
    value = events / n
    return Estimate(value, *clopper_pearson(events, n), n, math.sqrt(value * (1 - value) / n))


def wilson(events: float, n: float, alpha: float = ALPHA) -> Interval:
    """Return the score interval of a share (Wilson, JASA 1927); n of 0 gives (0, 1)."""
    if n <= 0:
        return Interval(0.0, 1.0)
    z2 = _z(alpha) ** 2
    p = events / n
    centre = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = math.sqrt(z2 * (p * (1 - p) / n + z2 / (4 * n * n))) / (1 + z2 / n)
    return Interval(max(0.0, centre - half), min(1.0, centre + half))


def newcombe(events: float, n: float, other_events: float, other_n: float, alpha: float = ALPHA) -> Interval:
    """Return the interval of ``events/n - other_events/other_n`` (Newcombe, Statist. Med. 1998, method 10)."""
    p, q = events / n, other_events / other_n
    (l1, u1), (l2, u2) = wilson(events, n, alpha), wilson(other_events, other_n, alpha)
    return Interval(p - q - math.hypot(p - l1, u2 - q), p - q + math.hypot(u1 - p, q - l2))


def katz(events: float, n: float, other_events: float, other_n: float, alpha: float = ALPHA) -> Interval:
    """Return the interval of ``(events/n) / (other_events/other_n)`` on the log scale (Katz et al., Biometrics 1978).

    Where a count is 0, or both shares are 1, half an event is added to each count and to each n (Walter, Biometrika
    1975), and the interval reaches to 0 or to infinity on the side of the empty count.
    """
    empty, other_empty = events <= 0, other_events <= 0
    if empty or other_empty or (events >= n and other_events >= other_n):
        events, n, other_events, other_n = events + 0.5, n + 0.5, other_events + 0.5, other_n + 0.5
    centre = math.log(events / n) - math.log(other_events / other_n)
    half = _z(alpha) * math.sqrt(1 / events - 1 / n + 1 / other_events - 1 / other_n)
    low = 0.0 if empty else math.exp(centre - half)
    return Interval(low, math.inf if other_empty else math.exp(centre + half))


def difference(a: Estimate, b: Estimate, alpha: float = ALPHA) -> Interval:
    """Return the normal interval of ``a - b`` for two independent estimates, from their standard errors."""
    half = _z(alpha) * math.hypot(a.error, b.error)
    return Interval(a.value - b.value - half, a.value - b.value + half)


def logit_normal(value: float, error: float, n: int, alpha: float = ALPHA) -> Interval:
    """Return an interval of a figure in [0, 1] that is normal on the logit scale (delta method).

    At 0 or 1, or without an error, where the logit has none, the Clopper-Pearson interval of n cases stands in.
    """
    if not 0 < value < 1 or error <= 0:
        return clopper_pearson(value * n, n, alpha)
    half = _z(alpha) * error / (value * (1 - value))
    centre = math.log(value / (1 - value))
    return Interval(float(special.expit(centre - half)), float(special.expit(centre + half)))


def roc_auc(frauds: Ints, legitimate: Ints) -> Estimate:
    """Return the area under the ROC curve of counts by score cell (ascending), and DeLong's interval.

    Mann-Whitney: a fraud and a legitimate payment in one cell count half. DeLong, DeLong & Clarke-Pearson
    (Biometrics 1988), on the logit scale. n is the number of frauds; ValueError where either class is empty.
    """
    m, n = int(frauds.sum()), int(legitimate.sum())
    if not (m and n):
        raise ValueError("the area needs a fraud and a legitimate payment")
    above_legitimate = (np.cumsum(legitimate) - legitimate / 2) / n  # share of legitimate payments below a fraud
    below_frauds = 1 - (np.cumsum(frauds) - frauds / 2) / m
    value = float(frauds @ above_legitimate) / m
    variance = _variance(frauds, above_legitimate) / m + _variance(legitimate, below_frauds) / n
    error = math.sqrt(variance)
    return Estimate(value, *logit_normal(value, error, m), m, error)


def average_precision(frauds: Ints, legitimate: Ints) -> Estimate:
    """Return the average precision of counts by score cell (ascending), as scikit-learn's at cell resolution.

    Interval: logit-normal with ``sqrt(AP (1 - AP) / frauds)``, which keeps its coverage where the bootstrap loses
    it (Boyd, Eng & Page, ECML PKDD 2013). n is the number of frauds; ValueError where there are none.
    """
    m = int(frauds.sum())
    if not m:
        raise ValueError("average precision needs a fraud")
    hits = np.cumsum(frauds[::-1])
    raised = hits + np.cumsum(legitimate[::-1])
    value = float(np.sum(frauds[::-1] * (hits / np.maximum(raised, 1)))) / m
    value = min(1.0, value)  # a sum of shares may end a rounding error above 1
    error = math.sqrt(value * (1 - value) / m)
    return Estimate(value, *logit_normal(value, error, m), m, error)


def value_share(caught: tuple[Ints, Floats], missed: tuple[Ints, Floats]) -> Estimate:
    """Return the share of an amount that was caught, with its interval.

    ``caught`` and ``missed`` are (payments, amount) by unit, e.g. a score cell of one day. Each side is a compound
    Poisson sum: payments are Poisson, so the variance of its amount is n E[amount^2], and E[amount^2] is estimated
    from the variation between units, which is all that a cube keeps. Delta method for the share, on the logit scale.
    n is the number of payments; ValueError where the amount is 0.
    """
    a, b = float(caught[1].sum()), float(missed[1].sum())
    n = int(caught[0].sum() + missed[0].sum())
    if a + b <= 0:
        raise ValueError("a share of no money is undefined")
    value = a / (a + b)
    error = math.sqrt((1 - value) ** 2 * compound_variance(*caught) + value**2 * compound_variance(*missed)) / (a + b)
    return Estimate(value, *logit_normal(value, error, n), n, error)


def daily_mean(values: Floats) -> Estimate:
    """Return the mean of figures by day, with Student's t interval over days; ValueError below two days."""
    n = len(values)
    if n < 2:
        raise ValueError("a spread needs two days")
    value, error = float(values.mean()), float(values.std(ddof=1)) / math.sqrt(n)
    half = float(special.stdtrit(n - 1, 1 - ALPHA / 2)) * error
    return Estimate(value, value - half, value + half, n, error)


def design_effect(events: Ints, n: Ints) -> float:
    """Return by how much shares by day vary more than chance within a day allows, at least 1.

    Pearson's chi-square over its degrees of freedom. Events and n divided by it are what independent payments
    would have told (Rao & Scott, Biometrics 1992). Below ten days it is too uncertain to use, and is 1.
    """
    events, n = events[n > 0], n[n > 0]
    if len(n) < 10 or not 0 < events.sum() < n.sum():
        return 1.0
    p = events.sum() / n.sum()
    return max(1.0, float(np.sum((events - n * p) ** 2 / (n * p * (1 - p)))) / (len(n) - 1))


def log_ratio(ratio: float) -> float:
    """Return the logarithm of a ratio that may be 0 (minus infinity) or infinite."""
    return math.log(ratio) if ratio > 0 else -math.inf


def _z(alpha: float) -> float:
    return float(special.ndtri(1 - alpha / 2))


def _variance(weights: Ints, values: Floats) -> float:
    """Return the sample variance of values that occur ``weights`` times each; 0 for a single one."""
    n = weights.sum()
    mean = weights @ values / n
    return float(weights @ (values - mean) ** 2 / (n - 1)) if n > 1 else 0.0


def compound_variance(payments: Ints | Floats, amount: Floats) -> float:
    """Return the variance of a compound Poisson sum from its units' payments and amounts.

    Within a unit of k payments the mean amount varies by s^2 / k, so the weighted variation between units
    estimates s^2 (one-way analysis of variance); with a single unit, s is taken as the mean itself.
    """
    amount, payments = amount[payments > 0], payments[payments > 0]
    n = payments.sum()
    if not n:
        return 0.0
    mean = amount.sum() / n
    if len(payments) < 2:
        return float(2 * n * mean**2)
    spread = float(payments @ (amount / payments - mean) ** 2) / (len(payments) - 1)
    return float(n * (mean**2 + spread))
