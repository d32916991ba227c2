"""Estimates with their uncertainty: intervals of shares, differences, ratios and money.

Every function is closed-form, at the two-sided confidence ``1 - alpha``; scipy.special only, because scipy.stats
takes seconds to import.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from scipy import special

from profiles.bins import Floats, Ints

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
    """Return the exact interval of a share, by quantiles of the beta distribution.

    Args:
        events: cases with the event, 0 to n; need not be whole.
        n: cases; need not be whole, so that it also takes effective sample sizes.
        alpha: 1 - confidence.
    Returns:
        Bounds from 0 to 1; (0, 1) where n is 0.
    Source:
        Clopper & Pearson, Biometrika 1934.
    Example:
        >>> [round(bound, 4) for bound in clopper_pearson(3, 10)]
        [0.0667, 0.6525]
    """
    low = 0.0 if events <= 0 else float(special.betaincinv(events, n - events + 1, alpha / 2))
    high = 1.0 if events >= n else float(special.betaincinv(events + 1, n - events, 1 - alpha / 2))
    return Interval(low, high)


def share_estimate(events: int, n: int, *, exact: bool = False) -> Estimate:
    """Return ``events / n`` with its 95 % interval.

    Args:
        events: cases with the event, 0 to n.
        n: cases.
        exact: Clopper-Pearson's interval, which covers in at least 95 % of cases (at 5 cases in 99 %), instead of
            Wilson's, which covers in about 95 % at any n. See docs/decisions/015.
    Returns:
        The share, its interval, n and the binomial standard error.
    Raises:
        ValueError: where n is 0.
    Source:
        ``wilson`` and ``clopper_pearson``.
    Example:
        >>> found = share_estimate(30, 1_000)
        >>> round(found.low, 4), found.value, round(found.high, 4)
        (0.0211, 0.03, 0.0425)
    """
    if n <= 0:
        raise ValueError("a share of nothing is undefined")
    value = events / n
    interval = clopper_pearson(events, n) if exact else wilson(events, n)
    return Estimate(value, *interval, n, math.sqrt(value * (1 - value) / n))


def wilson(events: float, n: float, alpha: float = ALPHA) -> Interval:
    """Return the score interval of a share.

    Args:
        events: cases with the event, 0 to n; need not be whole.
        n: cases; need not be whole.
        alpha: 1 - confidence.
    Returns:
        Bounds from 0 to 1; (0, 1) where n is 0.
    Source:
        Wilson, JASA 1927.
    """
    if n <= 0:
        return Interval(0.0, 1.0)
    z2 = _two_sided_quantile(alpha) ** 2
    p = events / n
    centre = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = math.sqrt(z2 * (p * (1 - p) / n + z2 / (4 * n * n))) / (1 + z2 / n)
    low, high = max(0.0, centre - half), min(1.0, centre + half)
    return Interval(low if events > 0 else 0.0, high if events < n else 1.0)


def newcombe_interval(events: float, n: float, other_events: float, other_n: float, alpha: float = ALPHA) -> Interval:
    """Return the interval of the difference ``events/n - other_events/other_n``.

    Args:
        events: cases with the event, 0 to n; need not be whole, as all four.
        n: cases, above 0.
        other_events: those of the other group.
        other_n: cases of the other group, above 0.
        alpha: 1 - confidence.
    Returns:
        Bounds from -1 to 1.
    Source:
        Newcombe, Statist. Med. 1998, method 10.
    """
    p, q = events / n, other_events / other_n
    (l1, u1), (l2, u2) = wilson(events, n, alpha), wilson(other_events, other_n, alpha)
    return Interval(p - q - math.hypot(p - l1, u2 - q), p - q + math.hypot(u1 - p, q - l2))


def ratio_interval(events: float, n: float, other_events: float, other_n: float, alpha: float = ALPHA) -> Interval:
    """Return the score interval of the ratio ``(events/n) / (other_events/other_n)``, without continuity correction.

    Args:
        events: cases with the event, 0 to n; need not be whole, as all four.
        n: cases, above 0.
        other_events: those of the other group.
        other_n: cases of the other group, above 0.
        alpha: 1 - confidence.
    Returns:
        Bounds: from 0 where ``events`` is 0, to infinity where ``other_events`` is.
    Source:
        Miettinen & Nurminen, Statist. Med. 1985: Koopman's (Biometrics 1984) but for the variance's N / (N - 1).
    """
    low = 0.0 if events <= 0 else _ratio_bound(events, n, other_events, other_n, _two_sided_quantile(alpha))
    high = (
        math.inf
        if other_events <= 0
        else 1 / _ratio_bound(other_events, other_n, events, n, _two_sided_quantile(alpha))
    )
    return Interval(low, high)


def _ratio_bound(x: float, n: float, y: float, m: float, z: float) -> float:
    """Return the ratio below that of x of n to y of m whose score is z, by bisection of its logarithm."""
    low, high = -60.0, math.log(x / n) - math.log(max(y, 1e-9) / m)
    if y <= 0:
        high = 60.0
    for _ in range(48):  # to 1e-12
        middle = (low + high) / 2
        low, high = (low, middle) if _ratio_score(x, n, y, m, math.exp(middle)) < z else (middle, high)
    return math.exp((low + high) / 2)


def _ratio_score(x: float, n: float, y: float, m: float, theta: float) -> float:
    """Return the score of a ratio ``theta``: by how many standard errors, under it, x / n exceeds theta y / m."""
    half = (n * theta + x + m + y * theta) / 2
    q = (x + y) / (half + math.sqrt(max(0.0, half * half - (n + m) * theta * (x + y))))
    p = min(1.0, theta * q)
    variance = (p * (1 - p) / n + theta * theta * q * (1 - q) / m) * (n + m) / (n + m - 1)
    distance = x / n - theta * y / m
    return distance / math.sqrt(variance) if variance > 0 else math.copysign(math.inf, distance)


def fisher_p_value(events: int, n: int, other_events: int, other_n: int) -> float:
    """Return the exact p-value of two equal shares, two-sided: twice the smaller tail.

    It is never too small, at any counts, which holds for no normal approximation.

    Args:
        events: cases with the event, 0 to n.
        n: cases.
        other_events: those of the other group.
        other_n: cases of the other group.
    Returns:
        From 0 to 1.
    Source:
        Fisher, 1935.
    Example:
        >>> round(fisher_p_value(3, 4, 1, 4), 4)
        0.4857
    """
    total = events + other_events
    least, most = max(0, total - other_n), min(n, total)
    spread = math.sqrt(max(1.0, total * n / (n + other_n)))
    reach = int(40 * spread) + 40  # beyond it a tail has nothing left that a double could add
    tails = (np.arange(max(least, events - reach), events + 1), np.arange(events, min(most, events + reach) + 1))
    whole = _log_choose(n + other_n, np.array([total]))[0]
    smaller = min(float(np.exp(_log_choose(n, own) + _log_choose(other_n, total - own) - whole).sum()) for own in tails)
    return min(1.0, 2 * smaller)


def _log_choose(n: int, k: Ints) -> Floats:
    return np.asarray(special.gammaln(n + 1) - special.gammaln(k + 1) - special.gammaln(n - k + 1))


def difference_interval(a: Estimate, b: Estimate, alpha: float = ALPHA) -> Interval:
    """Return the interval of ``a - b`` for two independent estimates, as skewed as they are.

    Args:
        a: an estimate with its 95 % interval.
        b: the one to take off.
        alpha: 1 - confidence; for another than 5 % the arms grow as a normal distribution's.
    Returns:
        Bounds in the unit of a and b.
    Source:
        Newcombe's square-and-add for any two estimates (MOVER; Zou & Donner, Statist. Med. 2008).
    """
    scale, value = _two_sided_quantile(alpha) / _two_sided_quantile(ALPHA), a.value - b.value
    down, up = math.hypot(a.value - a.low, b.high - b.value), math.hypot(a.high - a.value, b.value - b.low)
    return Interval(value - scale * down, value + scale * up)


PRIOR_CASES = 5
"""Cases' worth of belief in a typical variance: a handful of frauds says little by itself."""


def effective_cases_estimate(value: float, error: float, typical: float, n: int) -> Estimate:
    """Return a mean of figures in [0, 1] with the Wilson interval of its effective cases.

    Its dispersion is its variance over that of a share of n; n / dispersion cases of a share would say as much. Few
    cases show too little of it (five frauds that all scored high have hardly any), so it is drawn towards a
    ``typical`` one by PRIOR_CASES. At 0 or 1 none is seen at all, and n cases count as n.

    Args:
        value: the mean, 0 to 1.
        error: its standard error.
        typical: the dispersion that is usual for such figures; 1 is a share's.
        n: cases.
    Returns:
        The mean with its 95 % interval, n and ``error``.
    Source:
        effective sample sizes of surveys (Korn & Graubard, Survey Methodology 1998).
    """
    cases = float(n)
    if 0 < value < 1:
        dispersion = n * error**2 / (value * (1 - value))
        cases = n * (n - 1 + PRIOR_CASES) / ((n - 1) * dispersion + PRIOR_CASES * typical)
    return Estimate(value, *wilson(value * cases, cases), n, error)


def amount_share_estimate(caught: tuple[Ints, Floats], missed: tuple[Ints, Floats]) -> Estimate:
    """Return the share of an amount that was caught.

    Each side is a compound Poisson sum: payments are Poisson, so the variance of its amount is n E[amount^2], and
    E[amount^2] is estimated from the variation between units, which is all that a cube keeps. The interval is Wilson's
    with as many cases as say as much: the mean of the error's dispersion and of that of one distribution of amounts on
    both sides, because few payments on one side show too little of theirs.

    Args:
        caught: payments and amount by unit, e.g. a score bin of one day: (units) each.
        missed: those of the other side, in the same unit of money.
    Returns:
        The share, 0 to 1, with its 95 % interval; n is the number of payments.
    Raises:
        ValueError: where the amount is 0.
    Source:
        ``compound_poisson_variance``; error by the delta method.
    """
    a, b = float(caught[1].sum()), float(missed[1].sum())
    n = int(caught[0].sum() + missed[0].sum())
    if a + b <= 0:
        raise ValueError("a share of no money is undefined")
    value = a / (a + b)
    first, second = compound_poisson_variance(*caught), compound_poisson_variance(*missed)
    error = math.sqrt((1 - value) ** 2 * first + value**2 * second) / (a + b)
    pooled = n * (first + second) / (a + b) ** 2
    own = n * error**2 / (value * (1 - value)) if 0 < value < 1 else pooled
    cases = n / max((own + pooled) / 2, 1.0)
    return Estimate(value, *wilson(value * cases, cases), n, error)


def daily_mean_estimate(values: Floats) -> Estimate:
    """Return the mean of amounts by day, with an interval that is as skewed to the right as days of money are.

    Args:
        values: one figure a day, at least 0: (days).
    Returns:
        The mean with its 95 % interval; n is the number of days. A mean of 0 has none: low and high are 0.
    Raises:
        ValueError: below two days.
    Source:
        Student's t over days, on the log scale of the mean.
    """
    n = len(values)
    if n < 2:
        raise ValueError("a spread needs two days")
    value, error = float(values.mean()), float(values.std(ddof=1)) / math.sqrt(n)
    if value <= 0:
        return Estimate(value, value, value, n, error)
    factor = math.exp(float(special.stdtrit(n - 1, 1 - ALPHA / 2)) * error / value)
    return Estimate(value, value / factor, value * factor, n, error)


def design_effect(events: Ints, n: Ints) -> float:
    """Return by how much shares by day vary more than chance within a day allows.

    Events and n divided by it are what independent payments would have shown.

    Args:
        events: cases with the event by day: (days).
        n: cases by day: (days); days without one are left out.
    Returns:
        At least 1; 1 below ten days, where it is too uncertain to use.
    Source:
        Pearson's chi-square over its degrees of freedom (Rao & Scott, Biometrics 1992).
    """
    events, n = events[n > 0], n[n > 0]
    if len(n) < 10 or not 0 < events.sum() < n.sum():
        return 1.0
    p = events.sum() / n.sum()
    return max(1.0, float(np.sum((events - n * p) ** 2 / (n * p * (1 - p)))) / (len(n) - 1))


def log_ratio(ratio: float) -> float:
    """Return the logarithm of a ratio.

    Args:
        ratio: at least 0; may be infinite.
    Returns:
        The natural logarithm; minus infinity for 0.
    Source:
        definition.
    """
    return math.log(ratio) if ratio > 0 else -math.inf


def _two_sided_quantile(alpha: float) -> float:
    return float(special.ndtri(1 - alpha / 2))


def compound_poisson_variance(payments: Ints | Floats, amount: Floats) -> float:
    """Return the variance of a compound Poisson sum.

    Within a unit of k payments the mean amount varies by s^2 / k, so the weighted variation between units
    estimates s^2; with a single unit, s is taken as the mean itself.

    Args:
        payments: payments by unit: (units).
        amount: amount by unit, in any unit of money: (units).
    Returns:
        The variance of the whole amount, in that unit squared; 0 without payments.
    Source:
        n E[amount^2], with s^2 by one-way analysis of variance.
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
