"""What counts as too much: minimum effect sizes, the false alarms a test may spend, and the verdict they give."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

import catalogue
from catalogue import BudgetPart, CatalogueError, Effect
from catalogue.metrics.faults import FAULT_MONITOR
from ledger.records.measurements import Verdict
from models.errors import did_you_mean
from models.spec import Spec

DAYS_PER_QUARTER = 91
SLOW_SHARE = 0.1
"""Part of the budget that slow drift may spend, over all columns: its CUSUM runs that long without alarm."""
FAULT_SHARE = 0.02
"""Part of it for the rules of hard evidence, which breach at once: so little that no true fault is lost by it."""


def minimum_effect(spec: Spec, metric: str, *, learned: bool = True) -> float:
    """Return the minimum effect size of a metric: the smallest change worth an alert, on the scale of its ``effect``.

    Args:
        spec: the model file; its ``alerts.limits`` overrides the catalogue.
        metric: key of the metric.
        learned: False where the baseline has too few days to learn from; the size may then be larger.
    Returns:
        Above 0; above 1 for a ratio.
    Raises:
        CatalogueError: for a metric without one.
    """
    if metric in spec.alerts.limits:
        return spec.alerts.limits[metric]
    entry = catalogue.metric(metric)
    if entry.minimum_effect is None:
        raise CatalogueError(
            f"metric {metric}: its entry in the catalogue has no minimum_effect, and a limit needs one"
        )
    unlearned = entry.minimum_effect_unlearned
    return entry.minimum_effect if learned or unlearned is None else unlearned


def budgeted_test_families(spec: Spec) -> tuple[BudgetPart, ...]:
    """Return what tests hypotheses about a model and may alert alone; each has an equal part of the budget.

    Estimates aren't among them: they support an incident that labels show, and open none.

    Args:
        spec: the model file.
    Returns:
        Parts of the false-alarm budget, at least one.
    """
    columns = spec.features.columns.values()
    scored = spec.labels is not None or spec.score.threshold is not None
    tested = {
        BudgetPart.DRIFT: True,
        BudgetPart.MULTIVARIATE: spec.features.second_moments or any(c.kind == "embedding" for c in columns),
        BudgetPart.PERFORMANCE: scored,
        BudgetPart.FAIRNESS: bool(spec.compared) and spec.score.threshold is not None,
        BudgetPart.CUSTOM: bool(spec.metrics),
    }
    return tuple(part for part in BudgetPart if tested[part])


def fault_rules() -> int:
    """Return how many rules of hard evidence each column is held against every day, that of all rows counted in."""
    return len(catalogue.monitor(FAULT_MONITOR).metrics)


def alpha_per_test(spec: Spec, family: int) -> float:
    """Return the p-value below which one of a day's tests is significant.

    Of the model's ``false_pages_per_quarter``, what slow drift and faults leave is spread evenly over days and over
    what tests this model (``budgeted_test_families``), and over the day's tests, at most 0.05 in all: by
    the union bound, the expected number of false significances in a quarter is then at most the budget, however the
    tests depend on each other. The minimum effect size and ``pending_days`` only lower it further.

    Args:
        spec: the model file.
        family: tests made by one monitor on one day.
    Returns:
        A probability.
    Source:
        Bonferroni.
    """
    left = spec.alerts.false_pages_per_quarter * (1 - SLOW_SHARE - FAULT_SHARE)
    return min(0.05, left / DAYS_PER_QUARTER / len(budgeted_test_families(spec))) / max(1, family)


def alpha_per_fault_rule(spec: Spec, columns: int) -> float:
    """Return the probability of a false alarm that a rule of hard evidence may leave to each column a day.

    Args:
        spec: the model file.
        columns: number of columns.
    Returns:
        At most 0.001.
    Source:
        Bonferroni.
    """
    a_day = FAULT_SHARE * spec.alerts.false_pages_per_quarter / DAYS_PER_QUARTER
    return min(0.001, a_day / fault_rules() / max(1, columns))


def in_control_days(spec: Spec, columns: int) -> float:
    """Return how long a column may be watched for slow drift without a false alarm, on average.

    Args:
        spec: the model file.
        columns: number of columns.
    Returns:
        Days.
    """
    return columns * DAYS_PER_QUARTER / (SLOW_SHARE * spec.alerts.false_pages_per_quarter)


PERSISTENCE_FACTOR = 4.0
"""What waits for a second bad day within three may breach so many times as often on one: of in-control days in doubt,
at most one in four may have another beside it. Were days independent it would be far fewer; they aren't."""


def persistence_factor(spec: Spec) -> float:
    """Return how many times as often a figure may breach that alerts only when it does so on several days.

    Args:
        spec: the model file.
    Returns:
        PERSISTENCE_FACTOR, or 1 where a single day alerts.
    """
    return PERSISTENCE_FACTOR if spec.alerts.pending_days > 1 else 1.0


def benjamini_hochberg_alpha(p_values: Sequence[float], strictest: float) -> float:
    """Return the p-value below which one of a day's tests is significant.

    Where k tests are below k times ``strictest``, all of these are significant. On a day on which nothing changed, the
    chance of any alarm is that of Bonferroni's rule (under the positive dependence that figures of one day have); on
    others more is found.

    Args:
        p_values: of the day's tests, in any order.
        strictest: that of the most unusual test, see ``alpha_per_test``.
    Returns:
        At least ``strictest``.
    Source:
        step-up rule: Simes, Biometrika 1986; Benjamini & Hochberg, J. R. Statist. Soc. B 1995.
    Example:
        >>> benjamini_hochberg_alpha([0.0001, 0.0015, 0.4], strictest=0.001)
        0.002
    """
    allowed = strictest * np.arange(1, len(p_values) + 1)
    passed = np.flatnonzero(np.sort(np.asarray(p_values)) <= allowed)
    return float(allowed[passed[-1]]) if len(passed) else strictest


def verdict_of_test(*, beyond: bool, significant: bool, conclusive: bool = True) -> Verdict:
    """Return the verdict of a test.

    Args:
        beyond: the figure lies beyond its limit (material).
        significant: chance alone would hardly reach it.
        conclusive: False where chance alone reaches the limit at this sample size.
    Returns:
        Breach where both beyond and significant; insufficient where beyond but maybe chance, or not conclusive; else
        ok.
    """
    if beyond and significant:
        return Verdict.BREACH
    return Verdict.OK if conclusive and not beyond else Verdict.INSUFFICIENT


def limit_problems(spec: Spec) -> list[str]:
    """Return what is wrong with a model file's ``alerts.limits``.

    Args:
        spec: the model file.
    Returns:
        A sentence for each entry that no monitor reads, or that makes no sense.
    """
    found, accepted = [], catalogue.minimum_effects()
    for metric, limit in spec.alerts.limits.items():
        key = f"alerts.limits.{metric}"
        if metric not in accepted:
            found.append(f"{key}: no such metric; accepted are {', '.join(accepted)}{did_you_mean(metric, accepted)}")
        elif not limit > 0:
            found.append(f"{key}: must be above 0, not {limit:g}")
        elif catalogue.metric(metric).effect is Effect.FACTOR and limit <= 1:
            found.append(f"{key}: is a ratio and must be above 1, not {limit:g}; 1.5 means half as much again")
    return found
