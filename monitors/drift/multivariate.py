"""Do the features still move together as they did? Correlation, principal components, embeddings, from sums alone."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import reduce
from operator import add

import numpy as np
from scipy import special

import catalogue
from catalogue.metrics.drift_monitors import DRIFT_MONITOR
from catalogue.metrics.multivariate import CORRELATION_SHIFT, FRECHET_DISTANCE, RECONSTRUCTION_ERROR
from ledger.records.measurements import Measurement, Verdict
from models.spec import Spec
from monitors import limits
from monitors.inputs import DayInputs
from monitors.registry import monitor
from profiles.bins import Floats
from profiles.profile import ALL_NUMBERS, Moments, Profile
from profiles.schema import ProfileSchema

LEAST_ROWS = 100
LEAST_DAYS = 7
"""Baseline days from which a figure's own variation is learned."""
EXPLAINED_VARIANCE_SHARE = 0.65
"""Share of the baseline's variance that the kept principal components explain."""
LEAST_STANDARD_DEVIATIONS = 4.0
"""Standard deviations of the baseline's own days beyond their mean from which a figure is significant, at least: of few
days, or of many figures, more, so that Student's t for one more day keeps to the false-alarm budget."""

LARGEST_VALUE = 1e6
"""Stands for a figure without bound."""

MomentsDistance = Callable[[Moments, Moments], float]


@dataclass(frozen=True)
class _MomentsMetric:
    """A distance of the baseline to a day's moments, under the key of its metric."""

    metric: str
    of: MomentsDistance


def correlation_matrix(moments: Moments) -> Floats:
    """Return Pearson's correlations of the coordinates.

    Args:
        moments: of k coordinates.
    Returns:
        Correlations from -1 to 1: (k, k); 0 with a coordinate that doesn't vary, 1 on the diagonal.
    Source:
        definition.
    """
    covariance = moments.covariance
    spread = np.sqrt(np.clip(np.diag(covariance), 0, None))
    scale = np.outer(spread, spread)
    result = np.divide(covariance, scale, out=np.zeros_like(covariance), where=scale > _TINY)
    np.fill_diagonal(result, 1.0)
    return np.asarray(np.clip(result, -1, 1))


def correlation_shift(today: Moments, baseline: Moments) -> float:
    """Return the largest change of a correlation between two features.

    Args:
        today: moments of k coordinates.
        baseline: the same of the baseline.
    Returns:
        From 0 to 2.
    Source:
        ``correlation_matrix``.
    """
    return float(np.abs(correlation_matrix(today) - correlation_matrix(baseline)).max())


def reconstruction_error(today: Moments, baseline: Moments) -> float:
    """Return the mean squared error of today's rows rebuilt from the baseline's principal components, over its own.

    Rows are standardised by the baseline; kept are the fewest components that explain 65 % of its variance. The sum
    over rows of |x - PP'x|^2 is the trace of (I - PP') S, with S the second moment about the baseline's mean, so no
    row is needed.

    Args:
        today: moments of k coordinates.
        baseline: the same of the baseline.
    Returns:
        At least 0; 1 is as in the baseline. Infinite where the components rebuild the baseline exactly, and not today.
    Source:
        principal components (Jolliffe, Principal Component Analysis, 2002).
    """
    spread = np.sqrt(np.clip(np.diag(baseline.covariance), 0, None))
    varies = spread > _TINY
    if not varies.any():
        return 1.0
    scale = np.outer(spread[varies], spread[varies])
    own = baseline.covariance[np.ix_(varies, varies)] / scale
    shift = (today.mean - baseline.mean)[varies]
    about = (today.covariance[np.ix_(varies, varies)] + np.outer(shift, shift)) / scale
    values, vectors = np.linalg.eigh(own)
    order = np.argsort(values)[::-1]
    kept = int(np.searchsorted(np.cumsum(values[order]) / values.sum(), EXPLAINED_VARIANCE_SHARE - _TINY)) + 1
    left = vectors[:, order[kept:]]
    if not left.size:
        return 1.0
    error, before = (float(np.trace(left.T @ second @ left)) for second in (about, own))
    return error / before if before > _TINY else (1.0 if error <= _TINY else math.inf)


def frechet_distance(today: Moments, baseline: Moments) -> float:
    """Return the squared Frechet distance of two normal distributions with these moments, over the baseline's variance.

    Args:
        today: moments of k coordinates.
        baseline: the same of the baseline.
    Returns:
        At least 0; infinite where the baseline doesn't vary and the means differ.
    Source:
        |m - m'|^2 + tr(C + C' - 2 (C C')^(1/2)) over tr(C'): Dowson & Landau, J. Multivar. Anal. 1982.
    """
    variance = float(np.trace(baseline.covariance))
    if variance <= _TINY:
        return 0.0 if np.allclose(today.mean, baseline.mean) else math.inf
    values, vectors = np.linalg.eigh(baseline.covariance)
    root = vectors * np.sqrt(np.clip(values, 0, None)) @ vectors.T
    cross = np.sqrt(np.clip(np.linalg.eigvalsh(root @ today.covariance @ root), 0, None)).sum()
    shift = today.mean - baseline.mean
    distance = float(shift @ shift) + float(np.trace(today.covariance)) + variance - 2 * float(cross)
    return max(distance, 0.0) / variance


_TINY = 1e-12
_NUMBERS_METRICS = (
    _MomentsMetric(CORRELATION_SHIFT, correlation_shift),
    _MomentsMetric(RECONSTRUCTION_ERROR, reconstruction_error),
)
_EMBEDDING_METRICS = (_MomentsMetric(FRECHET_DISTANCE, frechet_distance),)


def measure_multivariate_drift(
    spec: Spec, schema: ProfileSchema, day: date, profile: Profile, baseline: Sequence[Profile]
) -> list[Measurement]:
    """Compare a day's second moments with those of the baseline's days, for monitor 'drift'.

    For the numbers together (feature ''): the largest correlation shift and the reconstruction error; for each
    embedding: the Frechet distance. The limit is learned from the baseline's days, each against the sum of the
    others: four standard deviations beyond their mean or more (``LEAST_STANDARD_DEVIATIONS``), and at least the minimum
    effect size beyond it. The interval is as wide as 95 % of the baseline's days vary.

    Args:
        spec: the model file.
        schema: how partitions are profiled.
        day: the day.
        profile: its profile.
        baseline: profiles of the baseline's days.
    Returns:
        Every figure. Fewer than 100 rows or 7 days: insufficient; a missing column: missing.
    """
    result = []
    alpha = limits.alpha_per_test(spec, (len(_NUMBERS_METRICS) if schema.moments else 0) + len(schema.embeddings))
    for name in ([ALL_NUMBERS] if schema.moments else []) + sorted(schema.embeddings):
        days = [own.moments[name] for own in baseline if name in own.moments]
        today = profile.moments.get(name)
        for figure in _NUMBERS_METRICS if name == ALL_NUMBERS else _EMBEDDING_METRICS:
            blank = Measurement(spec.model, day, day, DRIFT_MONITOR, figure.metric, name, n=today.n if today else 0)
            if today is None:
                reason = "a column that it is made of is not in the partition"
                result.append(replace(blank, verdict=Verdict.MISSING, reason=reason))
                continue
            found = _judge_metric(blank, figure, today, days, limits.minimum_effect(spec, figure.metric), alpha)
            if figure.of is correlation_shift and found.verdict is Verdict.BREACH:
                found = replace(found, reason=f"{found.reason}; {_describe_largest_change(schema, today, days)}")
            result.append(found)
    return result


def _judge_metric(
    blank: Measurement,
    figure: _MomentsMetric,
    today: Moments,
    days: Sequence[Moments],
    minimum_effect: float,
    alpha: float,
) -> Measurement:
    usable = [own for own in days if own.n >= LEAST_ROWS]
    if today.n < LEAST_ROWS or len(usable) < LEAST_DAYS:
        reason = f"{today.n:,} rows and {len(usable)} baseline days; {LEAST_ROWS} and {LEAST_DAYS} are needed"
        return replace(blank, verdict=Verdict.INSUFFICIENT, reason=reason)
    baseline = reduce(add, usable)
    usual = np.array([figure.of(own, baseline - own) for own in usable])
    mean, spread = float(usual.mean()), float(usual.std(ddof=1))
    fewer = max(1.0, baseline.n / len(usable) / today.n)  # a smaller day varies more, at most in this proportion
    critical = -float(special.stdtrit(len(usable) - 1, alpha)) * math.sqrt(1 + 1 / len(usable))
    limit = mean + fewer * max(max(LEAST_STANDARD_DEVIATIONS, critical) * spread, minimum_effect)
    value = min(figure.of(today, baseline), LARGEST_VALUE)
    phrase = catalogue.metric(figure.metric).in_a_reason
    reason = (
        f"{phrase} {value:.3g}; on {len(usable)} baseline days {mean:.3g}, at most {usual.max():.3g}; limit {limit:.3g}"
    )
    verdict = Verdict.BREACH if value > limit else Verdict.OK
    low, high = max(value - 1.96 * spread, 0.0), value + 1.96 * spread
    return replace(blank, value=value, low=low, high=high, limit=limit, verdict=verdict, reason=reason)


def _describe_largest_change(schema: ProfileSchema, today: Moments, days: Sequence[Moments]) -> str:
    """Name the two features whose correlation changed most."""
    now, before = correlation_matrix(today), correlation_matrix(reduce(add, days))
    i, j = np.unravel_index(np.abs(now - before).argmax(), now.shape)
    pair = f"'{schema.moments[i]}' and '{schema.moments[j]}'"
    return f"most between {pair}: {now[i, j]:.2f}, baseline {before[i, j]:.2f}"


@monitor(DRIFT_MONITOR)
def measure_multivariate_drift_of_day(inputs: DayInputs) -> list[Measurement]:
    """Return a day's drift of numbers together and of embeddings; nothing of a day without rows."""
    if inputs.profile is None or not (inputs.schema.moments or inputs.schema.embeddings):
        return []
    baseline = list(inputs.baseline.values())
    return measure_multivariate_drift(inputs.spec, inputs.schema, inputs.day, inputs.profile, baseline)
