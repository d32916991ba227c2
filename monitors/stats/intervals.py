"""Estimates with their uncertainty: intervals of shares, differences, ratios, areas under curves and money.

Every function is vector-free and closed-form, at the two-sided confidence ``1 - alpha``; scipy.special only,
because scipy.stats takes seconds to import.
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
    """Return the exact interval of a share (Clopper & Pearson, Biometrika 1934), by quantiles of the beta.

    Events and n need not be whole, so that it also takes effective sample sizes; n of 0 gives (0, 1).
    """
    low = 0.0 if events <= 0 else float(special.betaincinv(events, n - events + 1, alpha / 2))
    high = 1.0 if events >= n else float(special.betaincinv(events + 1, n - events, 1 - alpha / 2))
    return Interval(low, high)


def share_estimate(events: int, n: int, *, exact: bool = False) -> Estimate:
    """Return ``events / n`` with its Wilson interval, or the exact one; ValueError where n is 0.

    Wilson's contains the truth in about 95 % of cases at any n; Clopper-Pearson's in at least 95 %, and at 5 cases
    in 99 %. See docs/decisions/015.
    """
    if n <= 0:
        raise ValueError("a share of nothing is undefined")
    value = events / n
    interval = clopper_pearson(events, n) if exact else wilson(events, n)
    return Estimate(value, *interval, n, math.sqrt(value * (1 - value) / n))


def wilson(events: float, n: float, alpha: float = ALPHA) -> Interval:
    """Return the score interval of a share (Wilson, JASA 1927); n of 0 gives (0, 1)."""
    if n <= 0:
        return Interval(0.0, 1.0)
    z2 = _two_sided_quantile(alpha) ** 2
    p = events / n
    centre = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = math.sqrt(z2 * (p * (1 - p) / n + z2 / (4 * n * n))) / (1 + z2 / n)
    low, high = max(0.0, centre - half), min(1.0, centre + half)
    return Interval(low if events > 0 else 0.0, high if events < n else 1.0)


def newcombe_interval(events: float, n: float, other_events: float, other_n: float, alpha: float = ALPHA) -> Interval:
    """Return the interval of ``events/n - other_events/other_n`` (Newcombe, Statist. Med. 1998, method 10)."""
    p, q = events / n, other_events / other_n
    (l1, u1), (l2, u2) = wilson(events, n, alpha), wilson(other_events, other_n, alpha)
    return Interval(p - q - math.hypot(p - l1, u2 - q), p - q + math.hypot(u1 - p, q - l2))


def ratio_interval(events: float, n: float, other_events: float, other_n: float, alpha: float = ALPHA) -> Interval:
    """Return the score interval of ``(events/n) / (other_events/other_n)`` (Miettinen & Nurminen, Statist. Med. 1985).

    Koopman's (Biometrics 1984) but for the factor N / (N - 1) of the variance. It needs no continuity correction:
    it reaches to 0 where the first count is 0, to infinity where the other is, and to both where both are.
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
    """Return the exact p-value of two equal shares (Fisher, 1935), two-sided: twice the smaller tail, at most 1.

    It is at least as large as it should be at any counts and however small, which no normal approximation is.
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
    """Return the interval of ``a - b`` for two independent estimates, from the arms of their intervals.

    Newcombe's square-and-add for any two estimates (MOVER; Zou & Donner, Statist. Med. 2008): it is as skewed as they
    are. The arms are 95 % ones, and for another ``alpha`` grow as those of a normal distribution.
    """
    scale, value = _two_sided_quantile(alpha) / _two_sided_quantile(ALPHA), a.value - b.value
    down, up = math.hypot(a.value - a.low, b.high - b.value), math.hypot(a.high - a.value, b.value - b.low)
    return Interval(value - scale * down, value + scale * up)


PRIOR_CASES = 5
"""Cases' worth of belief in a typical variance: a handful of frauds tells little of its own."""


def effective_cases_estimate(value: float, error: float, typical: float, n: int) -> Estimate:
    """Return a mean of n figures in [0, 1] with its standard error, and the Wilson interval of its effective cases.

    Its dispersion is its variance over that of a share of n; n / dispersion cases of a share would tell as much. Few
    cases show too little of it (five frauds that all scored high have hardly any), so it is drawn towards a
    ``typical`` one by PRIOR_CASES. Survey statistics do alike (Korn & Graubard, Survey Methodology 1998). At 0 or 1
    none is seen at all, and n cases count as n.
    """
    cases = float(n)
    if 0 < value < 1:
        dispersion = n * error**2 / (value * (1 - value))
        cases = n * (n - 1 + PRIOR_CASES) / ((n - 1) * dispersion + PRIOR_CASES * typical)
    return Estimate(value, *wilson(value * cases, cases), n, error)


def roc_auc(frauds: Ints, legitimate: Ints) -> Estimate:
    """Return the area under the ROC curve of counts by score cell (ascending), with its interval.

    Mann-Whitney: a fraud and a legitimate payment in one cell count half. The error is DeLong's (DeLong, DeLong &
    Clarke-Pearson, Biometrics 1988); the interval is that of ``effective_cases_estimate``, with the variance of
    Hanley & McNeil (Radiology 1982), A / (1 + A) of a yes or no's, as the typical one. n is the number of frauds;
    ValueError where either class is empty.
    """
    m, n = int(frauds.sum()), int(legitimate.sum())
    if not (m and n):
        raise ValueError("the area needs a fraud and a legitimate payment")
    above_legitimate = (np.cumsum(legitimate) - legitimate / 2) / n  # share of legitimate payments below a fraud
    below_frauds = 1 - (np.cumsum(frauds) - frauds / 2) / m
    value = min(1.0, float(frauds @ above_legitimate) / m)
    error = math.sqrt(
        _weighted_variance(frauds, above_legitimate) / m + _weighted_variance(legitimate, below_frauds) / n
    )
    return effective_cases_estimate(value, error, max(value, 0.5) / (1 + max(value, 0.5)), m)


def average_precision(frauds: Ints, legitimate: Ints) -> Estimate:
    """Return the average precision of counts by score cell (ascending), as scikit-learn's at cell resolution.

    The error is by linearisation: what one more fraud or legitimate payment in a cell would change, with counts that
    are Poisson, so that the fraud share may vary too. The interval is that of ``effective_cases_estimate`` with the
    variance of a yes or no as the typical one (Boyd, Eng & Page, ECML PKDD 2013). n is the number of frauds; ValueError
    where there are none.
    """
    m = int(frauds.sum())
    if not m:
        raise ValueError("average precision needs a fraud")
    own, others = frauds[::-1].astype(np.float64), legitimate[::-1].astype(np.float64)
    hits = np.cumsum(own)
    raised = np.maximum(hits + np.cumsum(others), 1)
    value = min(1.0, float(own @ (hits / raised)) / m)  # a sum of shares may end a rounding error above 1
    gains = own * (raised - hits) / raised**2
    costs = own * hits / raised**2
    of_fraud = hits / raised - value + np.cumsum(gains[::-1])[::-1]  # what a fraud adds, also to those scored lower
    of_legitimate = np.cumsum(costs[::-1])[::-1]
    error = math.sqrt(float(own @ of_fraud**2 + others @ of_legitimate**2)) / m
    return effective_cases_estimate(value, error, 1.0, m)


def amount_share_estimate(caught: tuple[Ints, Floats], missed: tuple[Ints, Floats]) -> Estimate:
    """Return the share of an amount that was caught, with its interval.

    ``caught`` and ``missed`` are (payments, amount) by unit, e.g. a score cell of one day. Each side is a compound
    Poisson sum: payments are Poisson, so the variance of its amount is n E[amount^2], and E[amount^2] is estimated
    from the variation between units, which is all that a cube keeps. The error is the delta method's. The interval is
    Wilson's with as many cases as tell as much: the mean of the error's dispersion and of that of one distribution of
    amounts on both sides, because few payments on one side show too little of theirs. n is the number of payments;
    ValueError where the amount is 0.
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
    """Return the mean of amounts by day, with Student's t interval over days on the log scale of the mean.

    Days of money are skewed to the right, and so is its interval. A mean of 0 has none: low and high are 0.
    ValueError below two days.
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


def _two_sided_quantile(alpha: float) -> float:
    return float(special.ndtri(1 - alpha / 2))


def _weighted_variance(weights: Ints, values: Floats) -> float:
    """Return the sample variance of values that occur ``weights`` times each; 0 for a single one."""
    n = weights.sum()
    mean = weights @ values / n
    return float(weights @ (values - mean) ** 2 / (n - 1)) if n > 1 else 0.0


def compound_poisson_variance(payments: Ints | Floats, amount: Floats) -> float:
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
