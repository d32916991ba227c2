"""What counts as too much: effect floors, the share of false alarms a test may spend, and the verdict they give."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ledger.records.measurements import Verdict
from models.errors import did_you_mean
from models.spec import Spec

MINIMUM_EFFECTS: dict[str, float] = {
    "psi": 0.03,
    "jensen_shannon": 0.07,
    "wasserstein": 0.15,
    "ks": 0.06,
    "null_share": 0.01,
    "nonfinite_share": 0.001,
    "unseen_share": 0.01,
    "top_score_share": 1.5,
    "top_score_psi": 0.1,
    "scale_ratio": 5.0,
    "correlation_shift": 0.1,
    "reconstruction_error": 0.1,
    "frechet_distance": 0.02,
    "repeated_share": 0.5,
    "spike_share": 0.03,
    "cluster_share": 0.02,
    "scaled_share": 0.02,
    "renamed_share": 0.01,
    "slow_drift": 0.15,
    "recall": 0.1,
    "precision": 0.1,
    "false_positive_rate": 1.5,
    "alert_rate": 1.5,
    "pr_auc": 0.1,
    "roc_auc": 0.05,
    "value_detection_rate": 0.1,
    "calibration_error": 0.02,
    "selection_rate_ratio": 1.25,
    "true_positive_rate_ratio": 1.25,
    "false_positive_rate_ratio": 1.25,
    "precision_ratio": 1.25,
    "selection_rate_difference": 0.1,
    "true_positive_rate_difference": 0.1,
    "false_positive_rate_difference": 0.1,
    "precision_difference": 0.1,
    "row_count": 0.65,
    "duplicate_share": 0.001,
}
"""Smallest change worth waking somebody for, by metric; ``alerts.limits`` of a model file overrides it.

- psi, jensen_shannon, wasserstein (in standard deviations of the baseline), ks, top_score_psi: the distance beyond
  what chance makes. A PSI of 0.03 is a shift by a sixth of a standard deviation; with it go about Jensen-Shannon
  root(0.03 / 8 ln 2) = 0.07, Wasserstein root(0.03) = 0.17 and KS 0.07
- correlation_shift, reconstruction_error, frechet_distance: beyond their mean on the baseline's own days
- repeated_share: share of the columns that repeat one earlier day
- spike_share, cluster_share, scaled_share, renamed_share: a rise, as a share of a column's values
- slow_drift: the latest days' level against the baseline's, in standard deviations of the column's values
- null_share, nonfinite_share, unseen_share, duplicate_share, calibration_error: a rise, as a share
- recall, precision, pr_auc, roc_auc, value_detection_rate: a drop; ``*_difference``: a gap between groups
- scale_ratio, top_score_share, false_positive_rate, alert_rate, ``*_ratio``: a ratio, either way (5 is also 1/5)
- row_count: share of the weekday's median, either way
"""
UNLEARNED_MINIMUM_EFFECTS: dict[str, float] = {
    "psi": 0.1,
    "jensen_shannon": 0.12,
    "wasserstein": 0.25,
    "ks": 0.12,
    "null_share": 0.02,
    "nonfinite_share": 0.001,
    "unseen_share": 0.01,
    "top_score_share": 2.0,
    "top_score_psi": 0.25,
}
"""Floors while a baseline has too few days to learn from what days differ by nature: weekdays alone move a PSI by up
to 0.05, and Jensen-Shannon root(0.05 / 8 ln 2), Wasserstein root(0.05), KS root(0.05) / 2 with it."""

DAYS_PER_QUARTER = 91
SLOW_SHARE = 0.1
"""Part of the budget that slow drift may spend, over all columns: its CUSUM is quiet for so many days on average."""
FAULT_SHARE = 0.02
"""Part of it for the rules of hard evidence, which breach at once: so little that no true fault is lost by it."""
FAULT_RULES = 8
"""Rules of hard evidence that each column is held against every day, that of the whole partition counted in."""


def minimum_effect(spec: Spec, metric: str, *, learned: bool = True) -> float:
    """Return the effect floor of a metric in its own unit (see MINIMUM_EFFECTS); KeyError for a metric without one.

    Where the baseline has too few days to learn from, ``learned`` is False and the floor a higher one.
    """
    if metric in spec.alerts.limits:
        return spec.alerts.limits[metric]
    return MINIMUM_EFFECTS[metric] if learned else UNLEARNED_MINIMUM_EFFECTS.get(metric, MINIMUM_EFFECTS[metric])


def budgeted_test_families(spec: Spec) -> tuple[str, ...]:
    """Return what tests hypotheses about a model and may page alone, in words; each has an equal part of the budget.

    Estimates aren't among them: they support an incident that labels show, and open none.
    """
    columns = spec.features.columns.values()
    together = spec.features.second_moments or any(column.kind == "embedding" for column in columns)
    scored = spec.labels is not None or spec.score.threshold is not None
    tests = {
        "drift of features and score": True,
        "numbers or embeddings together": together,
        "performance": scored,
        "fairness": bool(spec.compared) and spec.score.threshold is not None,
        "own metrics": bool(spec.metrics),
    }
    return tuple(name for name, there in tests.items() if there)


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
    return min(0.001, a_day / FAULT_RULES / max(1, columns))


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
    found = []
    for metric, limit in spec.alerts.limits.items():
        key = f"alerts.limits.{metric}"
        if metric not in MINIMUM_EFFECTS:
            found.append(
                f"{key}: no such metric; accepted are {', '.join(MINIMUM_EFFECTS)}"
                f"{did_you_mean(metric, MINIMUM_EFFECTS)}"
            )
        elif not limit > 0:
            found.append(f"{key}: must be above 0, not {limit:g}")
        elif _is_ratio_metric(metric) and limit <= 1:
            found.append(f"{key}: is a ratio and must be above 1, not {limit:g}; 1.5 means half as much again")
    return found


def _is_ratio_metric(metric: str) -> bool:
    return metric.endswith("_ratio") or metric in {"false_positive_rate", "alert_rate", "top_score_share"}
