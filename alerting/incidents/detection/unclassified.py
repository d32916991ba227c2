"""Breaches that no known cause explains: which of them stay silent on purpose, and how the others become incidents."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import catalogue
from alerting.incidents import evidence_kinds
from alerting.incidents.detection.data_faults import MIN_FEED_COLUMNS
from alerting.incidents.inhibition import Finding, PastIncidents
from catalogue import causes
from catalogue.metrics.arrival import CHECK_MONITOR
from ledger.records.measurements import Measurement, Verdict
from models.spec import Spec


@dataclass(frozen=True)
class Day:
    """What decides whether a breach that no cause took stays silent."""

    spec: Spec
    past: PastIncidents
    breaches: frozenset[tuple[str, str, str, str]]
    """Monitor, metric, column and slice of every breach of the day, those that a cause took included."""
    drifting: frozenset[str]
    """Columns with soft evidence of drift."""


def _only_supports(_: Day, m: Measurement) -> bool:
    monitor = catalogue.MONITORS.get(m.monitor)
    return monitor is not None and not monitor.opens_incidents


def _is_uncritical_check(day: Day, m: Measurement) -> bool:
    return m.monitor == CHECK_MONITOR and not evidence_kinds.is_critical_check(day.spec, m)


def _is_average_of_drifting_column(day: Day, m: Measurement) -> bool:
    return evidence_kinds.is_column_aggregate_check(m) and m.feature in day.drifting


def _is_slice_of_a_whole(day: Day, m: Measurement) -> bool:
    return m.slice != "" and (m.monitor, m.metric, m.feature, "") in day.breaches


def _belongs_to_live_incident(day: Day, m: Measurement) -> bool:
    return day.past.belongs_to_live_incident(m)


SILENT_ON_PURPOSE: dict[str, Callable[[Day, Measurement], bool]] = {
    "its monitor only supports incidents that others open, such as estimates before labels": _only_supports,
    "the model file calls the check a warning, not critical": _is_uncritical_check,
    "a check of a column's average repeats what the column's own drift says": _is_average_of_drifting_column,
    "everyone's figure is over its limit too, and says it for the slice": _is_slice_of_a_whole,
    "it is evidence of a real change that has an incident already": _belongs_to_live_incident,
}
"""Why a breach that no cause took may open nothing. All others open an incident: no breach is silent by oversight.

An alert rate that the score's detection function leaves to decay or unfairness needs no line: they account for it.
"""


def find_unclassified_breaches(
    spec: Spec, unclaimed: Sequence[Measurement], measurements: Sequence[Measurement], past: PastIncidents
) -> list[Finding]:
    """Return what no cause took, but for what is silent on purpose.

    One finding for each column, with all its figures. What has no column shares one finding with a metric that is over
    its limit in many columns on the day: a metric with a wrong limit sends one message, not forty.
    """
    broken = [m for m in measurements if m.verdict is Verdict.BREACH]
    day = Day(
        spec,
        past,
        frozenset((m.monitor, m.metric, m.feature, m.slice) for m in broken),
        frozenset(m.feature for m in broken if evidence_kinds.is_soft_drift(m)),
    )
    left = [m for m in unclaimed if not any(is_silent(day, m) for is_silent in SILENT_ON_PURPOSE.values())]
    widespread = _widespread_figures(left)
    columns: dict[str, list[Measurement]] = defaultdict(list)
    for m in left:
        columns["" if (m.monitor, m.metric) in widespread else m.feature].append(m)
    return [
        Finding(causes.UNCLASSIFIED_BREACH, tuple(sorted(own, key=lambda m: _weight_order(spec, m))), column)
        for column, own in sorted(columns.items())
    ]


def _widespread_figures(breaches: Iterable[Measurement]) -> set[tuple[str, str]]:
    """Return monitor and metric of what is over its limit in so many columns that it isn't about a column."""
    columns: dict[tuple[str, str], set[str]] = defaultdict(set)
    for m in breaches:
        columns[m.monitor, m.metric].add(m.feature)
    return {figure for figure, names in columns.items() if len(names) >= MIN_FEED_COLUMNS}


def _weight_order(spec: Spec, m: Measurement) -> tuple[object, ...]:
    """Order everyone's figures first, of the most important column, the furthest beyond its limit."""
    importance = evidence_kinds.feature_importance(spec, m.feature)
    return bool(m.slice), -importance, -evidence_kinds.excess_over_limit(m), m.figure
