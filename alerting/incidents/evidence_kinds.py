"""What kind of evidence each measurement is, by the catalogue and by the names of Great Expectations."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, timedelta

import catalogue
from catalogue import Evidence, Needs
from catalogue.metrics.drift import PSI
from catalogue.metrics.drift_monitors import SCORE_MONITOR
from catalogue.metrics.fairness import FAIRNESS_MONITOR, RATIO, SELECTION_RATE
from catalogue.metrics.labels import FRAUDS_MATURE_UNTIL, MATURE_UNTIL
from catalogue.metrics.performance import ALERT_RATE
from catalogue.metrics.performance_monitors import DECAY_MONITOR
from ledger.records.measurements import Measurement, Verdict
from models.spec import Spec

FAR_OVER_FACTOR = 4.0
"""So many times its limit a PSI is no chance, however short it lasts: it waits for no second day."""
DECAY_WINDOW_DAYS = 7
"""Cohort days that the decay monitor pools."""
SELECTION_WINDOW_DAYS = 7
"""Newest cohort days over which the fairness monitor pools alert rates first; only small groups need more."""
WEAKEST = 1000
"""The rank of evidence of another kind: after all others."""

_UNIQUE = re.compile(r"^expect_(column_values_to_be_unique|compound_columns_to_be_unique|.*unique_value_count.*)$")
_ROW_COUNT = re.compile(r"^expect_table_row_count_")
_AVERAGE = re.compile(r"^expect_column_(mean|median|stdev|sum|proportion|quantile|unique_value|most_common|kl_)")


def is_soft_drift(m: Measurement) -> bool:
    """Return whether it is a distance of a feature or the score from its baseline: it moved, and need not be broken."""
    return _is_of_columns(m) and catalogue.metric(m.metric).evidence is Evidence.SOFT


def is_hard_drift(m: Measurement) -> bool:
    """Return whether it is a figure that only a broken column makes."""
    return _is_of_columns(m) and catalogue.metric(m.metric).evidence is Evidence.HARD


def _is_of_columns(m: Measurement) -> bool:
    """Return whether its monitor compares single columns with their baseline."""
    monitor = catalogue.MONITORS.get(m.monitor)
    return monitor is not None and monitor.of_columns


def is_loss(m: Measurement) -> bool:
    """Return whether it says how well the model does; the alert rate says nothing of right or wrong."""
    return m.monitor == DECAY_MONITOR and catalogue.metric(m.metric).evidence is Evidence.LOSS


def is_false_alarm_metric(metric: str) -> bool:
    """Return whether a metric gets worse with more false alarms."""
    return metric in catalogue.false_alarm_metrics()


def evidence_rank(m: Measurement) -> int:
    """Return its rank among figures of the same kind of evidence, the most convincing (or most costly) first."""
    return catalogue.metric(m.metric).evidence_rank


def is_far_over(m: Measurement) -> bool:
    """Return whether even the low end of a PSI's interval is many times its limit."""
    return m.metric == PSI and m.low is not None and bool(m.limit) and m.low > FAR_OVER_FACTOR * (m.limit or 0.0)


def is_soft_score_drift(m: Measurement) -> bool:
    """Return whether it is a distance of the score from its baseline."""
    return m.monitor == SCORE_MONITOR and catalogue.metric(m.metric).evidence is Evidence.SOFT


def is_alert_rate(m: Measurement) -> bool:
    """Return whether it is the alert rate, everyone's or one group's beside another's.

    Alert rates rest on no label, and a change of mix alone moves them.
    """
    return (m.monitor == DECAY_MONITOR and m.metric == ALERT_RATE) or is_selection_rate(m)


def is_score_shift(m: Measurement) -> bool:
    """Return whether it says that scores moved, which any broken or shifted feature brings about."""
    return is_soft_score_drift(m) or is_alert_rate(m)


def is_selection_rate(m: Measurement) -> bool:
    """Return whether it compares how often a group raises an alert."""
    return m.monitor == FAIRNESS_MONITOR and SELECTION_RATE in (m.metric, catalogue.metric(m.metric).base)


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
    quality = catalogue.metric(m.metric).quality
    return m.monitor == FAIRNESS_MONITOR and quality is not None and quality.false_alarms


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
    return evidence_rank(m) if catalogue.metric(m.metric).evidence is Evidence.HARD else WEAKEST


def soft_rank(m: Measurement) -> int:
    """Return the rank of evidence that a column moved, the most convincing first."""
    return evidence_rank(m) if catalogue.metric(m.metric).evidence is Evidence.SOFT else WEAKEST


def fairness_rank(m: Measurement) -> tuple[int, bool]:
    """Return the rank of a fairness figure: by the harm it measures, ratios before differences."""
    quality = catalogue.metric(m.metric).quality
    return quality.harm_rank if quality else WEAKEST, not m.metric.endswith(RATIO)


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
    if m.metric != ALERT_RATE:
        quality = catalogue.metric(m.metric).quality
        waits_for_frauds = quality is not None and quality.needs is Needs.FRAUDS
        newest = newest_mature_day(m.as_of, measurements, frauds_only=waits_for_frauds)
    return [newest - timedelta(days=step) for step in reversed(range(DECAY_WINDOW_DAYS))] if newest else []


def newest_mature_day(as_of: date, measurements: Sequence[Measurement], *, frauds_only: bool = False) -> date | None:
    """Return the newest cohort day whose labels (or only frauds) are mature, or None where that isn't known."""
    name = FRAUDS_MATURE_UNTIL if frauds_only else MATURE_UNTIL
    found = next((m for m in measurements if (m.monitor, m.metric) == (DECAY_MONITOR, name)), None)
    return as_of - timedelta(days=round(found.value)) if found and found.value is not None else None
