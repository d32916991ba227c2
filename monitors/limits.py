"""What counts as too much: minimum effect sizes, the false alarms a test may spend, and the verdict they give."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

import catalogue
from catalogue import BudgetPart, CatalogueError, Effect
from catalogue.faults import FAULT_MONITOR
from ledger.records.measurements import Verdict
from models.errors import did_you_mean
from models.spec import Spec

DAYS_PER_QUARTER = 91
SLOW_SHARE = 0.1
"""Part of the budget that slow drift may spend, over all columns: its CUSUM is quiet for so many days on average."""
FAULT_SHARE = 0.02
"""Part of it for the rules of hard evidence, which breach at once: so little that no true fault is lost by it."""


def minimum_effect(spec: Spec, metric: str, *, learned: bool = True) -> float:
    """Return the minimum effect size of a metric: the smallest change worth an alert, on the scale of its ``effect``.

    The catalogue has it (``Metric.minimum_effect``), and ``alerts.limits`` of a model file overrides it. Where the
    baseline has too few days to learn from, ``learned`` is False and the size may be larger.

    CatalogueError for a metric without one.
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
    """Return the p-value below which one of ``family`` tests made by a monitor on one day is significant.

    Of the model's ``false_pages_per_quarter``, what slow drift and faults leave is spread evenly over days and over
    what tests this model (``budgeted_test_families``), and over the day's tests (Bonferroni), at most 0.05 in all: by
    the union bound, the expected number of false significances in a quarter is then at most the budget, however the
    tests depend on each other. The effect floor and ``pending_days`` only lower it further.
    """
    left = spec.alerts.false_pages_per_quarter * (1 - SLOW_SHARE - FAULT_SHARE)
    return min(0.05, left / DAYS_PER_QUARTER / len(budgeted_test_families(spec))) / max(1, family)


def alpha_per_fault_rule(spec: Spec, columns: int) -> float:
    """Return the chance that a rule of hard evidence may leave to each of so many columns a day."""
    a_day = FAULT_SHARE * spec.alerts.false_pages_per_quarter / DAYS_PER_QUARTER
    return min(0.001, a_day / fault_rules() / max(1, columns))


def in_control_days(spec: Spec, columns: int) -> float:
    """Return the days that each of so many columns may be watched for slow drift without a false alarm, on average."""
    return columns * DAYS_PER_QUARTER / (SLOW_SHARE * spec.alerts.false_pages_per_quarter)


PERSISTENCE_FACTOR = 4.0
"""What waits for a second bad day within three may breach so many times as often on one: of quiet days in doubt, at
most one in four may have another beside it. Were days independent it would be far fewer; they aren't."""


def persistence_factor(spec: Spec) -> float:
    """Return how many times as often a figure may breach that pages only when it does so on several days."""
    return PERSISTENCE_FACTOR if spec.alerts.pending_days > 1 else 1.0


def benjamini_hochberg_alpha(p_values: Sequence[float], strictest: float) -> float:
    """Return the p-value below which one of a day's tests is significant: Benjamini and Hochberg's step-up.

    ``strictest`` is that of the most unusual test (see ``alpha_per_test``); where k tests are below k times it,
    all of these are significant. On a day on which nothing changed, the chance of any alarm is that of Bonferroni's
    rule (Simes 1986; under the positive dependence that figures of one day have); on others more is told.
    """
    allowed = strictest * np.arange(1, len(p_values) + 1)
    passed = np.flatnonzero(np.sort(np.asarray(p_values)) <= allowed)
    return float(allowed[passed[-1]]) if len(passed) else strictest


def verdict_of_test(*, beyond: bool, significant: bool, conclusive: bool = True) -> Verdict:
    """Return the verdict of a test: a breach is both beyond its limit (material) and significant.

    Insufficient is what lies beyond its limit but may be chance, and where chance alone reaches the limit at this
    sample size (``conclusive`` is False), so that silence says nothing.
    """
    if beyond and significant:
        return Verdict.BREACH
    return Verdict.OK if conclusive and not beyond else Verdict.INSUFFICIENT


def limit_problems(spec: Spec) -> list[str]:
    """Return a sentence for each entry of ``alerts.limits`` that no monitor reads, or that makes no sense."""
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
