"""What kind of evidence each measurement is, by the names that monitors and Great Expectations give it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, timedelta

from ledger.records.measurements import Measurement, Verdict
from models.spec import Spec

SOFT_METRICS = (
    "psi",
    "jensen_shannon",
    "wasserstein",
    "ks",
    "top_score_share",
    "top_score_psi",
    "frechet_distance",
    "correlation_shift",
    "reconstruction_error",
    "cluster_share",
    "slow_drift",
)
"""Distances of distributions: they say that something moved, not that it is broken."""
FAR_OVER_FACTOR = 4.0
"""So many times its limit a PSI is no chance, however short it lasts: it waits for no second day."""
HARD_METRICS = (
    "null_share",
    "nonfinite_share",
    "constant_share",
    "repeated_column",
    "swapped_column",
    "scale_ratio",
    "spike_share",
    "scaled_share",
    "renamed_share",
    "unseen_share",
)
"""Figures that say how a column is broken, the most telling first."""
DISTRIBUTION_MONITORS = ("drift", "score", "fault", "slow")
"""Monitors that hold a column's distribution against its baseline."""
DECAY_METRICS = (
    "recall",
    "value_detection_rate",
    "pr_auc",
    "roc_auc",
    "precision",
    "false_positive_rate",
    "calibration_error",
)
"""Figures of how well the model does, the most costly first; the alert rate says nothing of right or wrong."""
SHARE_METRICS = ("recall", "value_detection_rate", "precision", "false_positive_rate")
"""Those of them that are a share of payments or pounds, said in per cent."""
FALSE_ALARM_METRICS = ("precision", "false_positive_rate", "alert_rate", "calibration_error")
FAIRNESS_METRICS = ("false_positive_rate", "true_positive_rate", "selection_rate", "precision")
"""Rates compared between groups: harm to legitimate customers first, then protection from fraud."""
DECAY_WINDOW_DAYS = 7
"""Cohort days that the decay monitor pools."""
SELECTION_WINDOW_DAYS = 7
"""Newest cohort days over which the fairness monitor pools alert rates first; only small groups need more."""

FRAUD_ONLY_METRICS = ("recall", "value_detection_rate")
"""Figures of decay that wait for frauds to be known only, not for what is legitimate."""

_UNIQUE = re.compile(r"^expect_(column_values_to_be_unique|compound_columns_to_be_unique|.*unique_value_count.*)$")
_ROW_COUNT = re.compile(r"^expect_table_row_count_")
_AVERAGE = re.compile(r"^expect_column_(mean|median|stdev|sum|proportion|quantile|unique_value|most_common|kl_)")


def is_soft_drift(m: Measurement) -> bool:
    """Return whether it is a distance of a feature or the score from its baseline."""
    return m.monitor in DISTRIBUTION_MONITORS and m.metric in SOFT_METRICS


def is_hard_drift(m: Measurement) -> bool:
    """Return whether it is a figure that only a broken column makes."""
    return m.monitor in DISTRIBUTION_MONITORS and m.metric in HARD_METRICS


def is_far_over(m: Measurement) -> bool:
    """Return whether even the low end of a PSI's interval is many times its limit."""
    return m.metric == "psi" and m.low is not None and bool(m.limit) and m.low > FAR_OVER_FACTOR * (m.limit or 0.0)


def is_score_shift(m: Measurement) -> bool:
    """Return whether it says that scores moved, which any broken or shifted feature brings about.

    So do alert rates, everyone's or one group's: they rest on no label, and a change of mix alone moves them.
    """
    rate = (m.monitor == "decay" and m.metric == "alert_rate") or is_selection_rate(m)
    return (m.monitor == "score" and m.metric in SOFT_METRICS) or rate


def is_selection_rate(m: Measurement) -> bool:
    """Return whether it compares how often a group raises an alert."""
    return m.monitor == "fairness" and m.metric.startswith("selection_rate")


def is_uniqueness_check(m: Measurement) -> bool:
    """Return whether it is an expectation that rows are there only once."""
    return bool(_UNIQUE.match(m.metric))


def is_row_count_check(m: Measurement) -> bool:
    """Return whether it is an expectation of the number of rows."""
    return bool(_ROW_COUNT.match(m.metric))


def is_column_aggregate_check(m: Measurement) -> bool:
    """Return whether it is an expectation of a whole column's figure, which a shift of the population breaks too."""
    return bool(_AVERAGE.match(m.metric))


def is_below_limit(m: Measurement) -> bool:
    """Return whether a value is 0 or lies below its limit."""
    return m.value == 0 or (m.value is not None and m.limit is not None and m.value < m.limit)


def is_false_alarm_gap(m: Measurement) -> bool:
    """Return whether it says that one group bears more false alarms than another."""
    return m.metric.startswith(("false_positive_rate", "selection_rate"))


def is_critical_check(spec: Spec, m: Measurement) -> bool:
    """Return whether a failed expectation is critical in the model file (Great Expectations' own default)."""
    severities = [
        str(arguments.get("severity", "critical"))
        for check in spec.checks
        for kind, arguments in check.items()
        if kind == m.metric and (not m.feature or m.feature in _columns_of_check(arguments))
    ]
    return m.verdict is Verdict.BREACH and (not severities or "critical" in severities)


def _columns_of_check(arguments: dict[str, object]) -> list[str]:
    """Return the columns an expectation names, alone and as the list that a measurement may show."""
    names = [arguments.get(key) for key in ("column", "column_A", "column_B")]
    several = arguments.get("column_list") or arguments.get("column_set") or []
    named = [str(name) for name in several] if isinstance(several, list) else []
    found = [str(name) for name in names if name is not None] + named
    return [*found, ",".join(named), ", ".join(named)]


def feature_importance(spec: Spec, feature: str) -> float:
    """Return a feature's share in the model's decisions; 0 where the model file doesn't say."""
    column = spec.features.columns.get(feature)
    return (column.importance or 0.0) if column else 0.0


def excess_over_limit(m: Measurement) -> float:
    """Return how far beyond its limit a value lies, as a factor of at least 1; 1 where there is none to compare."""
    if m.value is None or not m.limit or m.value / m.limit <= 0:
        return 1.0
    ratio = m.value / m.limit
    return max(ratio, 1 / ratio)


def hardness_rank(m: Measurement) -> int:
    """Return the rank of evidence for a broken column: how it is broken, then which check failed."""
    return HARD_METRICS.index(m.metric) if m.metric in HARD_METRICS else len(HARD_METRICS)


def fairness_rank(m: Measurement) -> tuple[int, bool]:
    """Return the rank of a fairness figure: by the harm it measures, ratios before differences."""
    base = re.sub(r"_(ratio|difference)$", "", m.metric)
    return (
        FAIRNESS_METRICS.index(base) if base in FAIRNESS_METRICS else len(FAIRNESS_METRICS),
        not m.metric.endswith("_ratio"),
    )


def column_of_slice(slice_: str) -> str:
    """Return the column of a slice such as ``age_band=60+``."""
    return slice_.partition("=")[0]


def pooled_cohort_days(m: Measurement, measurements: Sequence[Measurement]) -> list[date]:
    """Return the cohort days that a figure of decay, or a group's alert rate, pools; empty where that isn't known.

    A figure of decay pools the week up to the newest cohort that is mature for it; the alert rate waits for no label.
    """
    if is_selection_rate(m):
        return [m.as_of - timedelta(days=step) for step in range(SELECTION_WINDOW_DAYS)]
    newest: date | None = m.as_of
    if m.metric != "alert_rate":
        newest = newest_mature_day(m.as_of, measurements, frauds_only=m.metric in FRAUD_ONLY_METRICS)
    return [newest - timedelta(days=step) for step in reversed(range(DECAY_WINDOW_DAYS))] if newest else []


def newest_mature_day(as_of: date, measurements: Sequence[Measurement], *, frauds_only: bool = False) -> date | None:
    """Return the newest cohort day whose labels (or only frauds) are mature, or None where that isn't known."""
    name = "frauds_mature_until" if frauds_only else "mature_until"
    found = next((m for m in measurements if (m.monitor, m.metric) == ("decay", name)), None)
    return as_of - timedelta(days=round(found.value)) if found and found.value is not None else None
