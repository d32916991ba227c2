"""Areas under curves: how well scores rank frauds above legitimate payments, with their uncertainty."""

from __future__ import annotations

import math

import numpy as np

from monitors.stats.intervals import Estimate, effective_cases_estimate
from profiles.bins import Floats, Ints


def roc_auc(frauds: Ints, legitimate: Ints) -> Estimate:
    """Return the area under the ROC curve; a fraud and a legitimate payment in one bin count half.

    Args:
        frauds: frauds by score bin, ascending: (bins).
        legitimate: legitimate payments by score bin: (bins).
    Returns:
        The area, 0 to 1, with its 95 % interval; n is the number of frauds.
    Raises:
        ValueError: where either class is empty.
    Source:
        Mann-Whitney; error: DeLong, DeLong & Clarke-Pearson, Biometrics 1988; interval: ``effective_cases_estimate``
        with Hanley & McNeil's dispersion A / (1 + A) (Radiology 1982) as the typical one.
    Example:
        >>> roc_auc(np.array([0, 1, 3]), np.array([5, 1, 0])).value
        0.9791666666666666
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
    """Return the average precision, as scikit-learn's at bin resolution.

    The error is by linearisation: what one more fraud or legitimate payment in a bin would change, with counts that
    are Poisson, so that the fraud rate may vary too.

    Args:
        frauds: frauds by score bin, ascending: (bins).
        legitimate: legitimate payments by score bin: (bins).
    Returns:
        The average precision, 0 to 1, with its 95 % interval; n is the number of frauds.
    Raises:
        ValueError: where there is no fraud.
    Source:
        interval: ``effective_cases_estimate`` with a share's dispersion as the typical one (Boyd, Eng & Page, ECML
        PKDD 2013).
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


def _weighted_variance(weights: Ints, values: Floats) -> float:
    """Return the sample variance of values that occur ``weights`` times each; 0 for a single one."""
    n = weights.sum()
    mean = weights @ values / n
    return float(weights @ (values - mean) ** 2 / (n - 1)) if n > 1 else 0.0
