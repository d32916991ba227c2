"""Which causes explain a day's breaches: the first cause that fits takes what it explains from all later ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from alerting.incidents import evidence_kinds
from alerting.incidents.diagnostics import narrow_cause
from alerting.incidents.inhibition import Finding, PastIncidents, inhibits
from ledger.records.incidents import Cause, Incident
from ledger.records.measurements import Measurement, Verdict
from models.spec import Spec

MIN_FEED_COLUMNS = 3
"""Columns that break in the same way on one day from which on the feed is to blame, not each column."""


def find_causes(spec: Spec, measurements: Sequence[Measurement], known: Sequence[Incident] = ()) -> list[Finding]:
    """Return the causes of a day's breaches in the order of ``Cause``; ``known`` are incidents before the day."""
    unclaimed = [m for m in measurements if _can_open_incident(m)]
    if any(m.metric == "arrival_delay_minutes" and m.verdict is Verdict.MISSING for m in measurements):
        unclaimed = [m for m in unclaimed if m.verdict is not Verdict.MISSING]  # the partition isn't due yet
    past = PastIncidents.of(measurements, known)
    inhibited = [m for m in unclaimed if past.inhibits(m)]
    unclaimed = [m for m in unclaimed if not past.inhibits(m)]
    found = []
    for detect in CAUSE_DETECTORS:
        for seen in detect(spec, unclaimed):
            finding = narrow_cause(seen, measurements)
            own = set(finding.own)
            explained = [
                m for m in unclaimed if m not in own and not past.belongs_to_live_incident(m) and inhibits(finding, m)
            ]
            unclaimed = [m for m in unclaimed if m not in own and m not in set(explained)]
            explained += [m for m in inhibited if inhibits(finding, m)]
            inhibited = [m for m in inhibited if not inhibits(finding, m)]
            found.append(replace(finding, explained=tuple(explained)))
    order = list(Cause)
    return sorted(found, key=lambda finding: (order.index(finding.cause), finding.feature, finding.slice))


def _can_open_incident(m: Measurement) -> bool:
    if m.verdict is Verdict.MISSING:
        return (m.monitor, m.metric) == ("arrival", "row_count")
    return m.verdict in (Verdict.BREACH, Verdict.ERRORED)


def _detect_missing_partition(_: Spec, unclaimed: Sequence[Measurement]) -> Iterator[Finding]:
    yield from _finding_of(Cause.MISSING_PARTITION, (m for m in unclaimed if m.verdict is Verdict.MISSING))


def _detect_late_partition(_: Spec, unclaimed: Sequence[Measurement]) -> Iterator[Finding]:
    yield from _finding_of(Cause.LATE_PARTITION, _breaches(unclaimed, "arrival", {"arrival_delay_minutes"}))


def _detect_schema_change(_: Spec, unclaimed: Sequence[Measurement]) -> Iterator[Finding]:
    yield from _finding_of(Cause.SCHEMA_CHANGE, _breaches(unclaimed, "schema", {"missing_columns", "retyped_columns"}))


def _detect_stale_partition(_: Spec, unclaimed: Sequence[Measurement]) -> Iterator[Finding]:
    yield from _finding_of(Cause.STALE_PARTITION, _breaches(unclaimed, "fault", {"repeated_share"}))


def _detect_duplicate_rows(spec: Spec, unclaimed: Sequence[Measurement]) -> Iterator[Finding]:
    checks = (
        m
        for m in _failed_checks(unclaimed)
        if evidence_kinds.is_uniqueness_check(m) and evidence_kinds.is_critical_check(spec, m)
    )
    yield from _finding_of(Cause.DUPLICATE_ROWS, [*_breaches(unclaimed, "arrival", {"duplicate_share"}), *checks])


def _detect_incomplete_partition(spec: Spec, unclaimed: Sequence[Measurement]) -> Iterator[Finding]:
    checks = (
        m
        for m in _failed_checks(unclaimed)
        if evidence_kinds.is_row_count_check(m) and evidence_kinds.is_critical_check(spec, m)
    )
    yield from _finding_of(Cause.INCOMPLETE_PARTITION, [*_breaches(unclaimed, "arrival", {"row_count"}), *checks])


def _detect_errored(_: Spec, unclaimed: Sequence[Measurement]) -> Iterator[Finding]:
    yield from _finding_of(Cause.ERRORED, (m for m in unclaimed if m.verdict is Verdict.ERRORED))


def _detect_column_faults(spec: Spec, unclaimed: Sequence[Measurement]) -> Iterator[Finding]:
    """Find hard evidence, column by column; a failed check of an average of a drifting column is soft evidence."""
    drifting = {m.feature for m in unclaimed if evidence_kinds.is_soft_drift(m) and m.verdict is Verdict.BREACH}
    columns: dict[str, list[Measurement]] = {}
    for m in unclaimed:
        checked = m.monitor == "check" and evidence_kinds.is_critical_check(spec, m)
        soft = evidence_kinds.is_column_aggregate_check(m) and m.feature in drifting
        if m.verdict is Verdict.BREACH and (evidence_kinds.is_hard_drift(m) or (checked and not soft)):
            columns.setdefault(m.feature, []).append(m)
    findings = [
        Finding(
            Cause.COLUMN_FAULT, tuple(sorted(_without_redundant_slices(columns[feature]), key=_hardness_order)), feature
        )
        for feature in sorted(columns)
    ]
    feed = _columns_of_one_feed(spec, [finding for finding in findings if finding.feature])
    if feed:
        yield Finding(Cause.FEED_FAULT, tuple(m for finding in feed for m in finding.own))
    yield from (finding for finding in findings if finding not in feed)


def _columns_of_one_feed(spec: Spec, findings: Sequence[Finding]) -> list[Finding]:
    """Return the columns that broke in the same way on one day, the most important first, where they are many."""
    kinds = Counter(finding.own[0].metric for finding in findings)
    metric, columns = kinds.most_common(1)[0] if kinds else ("", 0)
    alike = [finding for finding in findings if finding.own[0].metric == metric]
    by_weight = sorted(
        alike, key=lambda finding: (-evidence_kinds.feature_importance(spec, finding.feature), finding.feature)
    )
    return by_weight if columns >= MIN_FEED_COLUMNS else []


def _hardness_order(m: Measurement) -> tuple[int, str, float]:
    return evidence_kinds.hardness_rank(m), m.slice, -evidence_kinds.excess_over_limit(m)


def _detect_population_shift(spec: Spec, unclaimed: Sequence[Measurement]) -> Iterator[Finding]:
    """Find features that moved, the most important first: one figure of each, then the other figures and slices."""
    soft = [
        m for m in unclaimed if m.monitor != "score" and evidence_kinds.is_soft_drift(m) and m.verdict is Verdict.BREACH
    ]
    drifting = [m for m in soft if m.feature != spec.score.column]
    ordered = sorted(
        _without_redundant_slices(drifting),
        key=lambda m: (-evidence_kinds.feature_importance(spec, m.feature), m.feature, bool(m.slice), _soft_rank(m)),
    )
    first = {m.feature: m for m in reversed(ordered)}
    shown = sorted(ordered, key=lambda m: first[m.feature] is not m)
    yield from _finding_of(Cause.POPULATION_SHIFT, [*shown, *_custom_breaches(spec, unclaimed, "data")])


def _detect_score_shift(spec: Spec, unclaimed: Sequence[Measurement]) -> Iterator[Finding]:
    """Find a moved score; one protected group's alone is unfairness, and an alert rate that fell with recall decay."""
    of_score = [
        m for m in unclaimed if m.monitor == "score" or (m.monitor == "slow" and m.feature == spec.score.column)
    ]
    scores = [m for m in of_score if m.verdict is Verdict.BREACH]
    if not any(m.slice == "" for m in scores):
        scores = [m for m in scores if evidence_kinds.column_of_slice(m.slice) not in spec.protected]
    decayed = any(_breaches(unclaimed, "decay", evidence_kinds.DECAY_METRICS))
    unfair = any(_breaches(unclaimed, "fairness"))
    rates = [] if (decayed or unfair) and not scores else list(_breaches(unclaimed, "decay", {"alert_rate"}))
    yield from _finding_of(
        Cause.SCORE_SHIFT, [*sorted(_without_redundant_slices(scores), key=lambda m: (m.slice, _soft_rank(m))), *rates]
    )


def _detect_performance_decay(spec: Spec, unclaimed: Sequence[Measurement]) -> Iterator[Finding]:
    """Find a model that catches less; more false alarms alone are explained where they fall on one group.

    What is only estimated from scores, before labels, supports what labels show; alone it wakes nobody.
    """
    own = sorted(
        _breaches(unclaimed, "decay", evidence_kinds.DECAY_METRICS),
        key=lambda m: evidence_kinds.DECAY_METRICS.index(m.metric),
    )
    custom = _custom_breaches(spec, unclaimed, "performance")
    only_false_alarms = not custom and all(m.metric in evidence_kinds.FALSE_ALARM_METRICS for m in own)
    if not (only_false_alarms and any(evidence_kinds.is_false_alarm_gap(m) for m in _breaches(unclaimed, "fairness"))):
        shown = [*own, *custom]
        yield from _finding_of(Cause.PERFORMANCE_DECAY, [*shown, *_breaches(unclaimed, "estimate")] if shown else [])


def _detect_fairness_gaps(spec: Spec, unclaimed: Sequence[Measurement]) -> Iterator[Finding]:
    groups: dict[str, list[Measurement]] = {}
    for m in unclaimed:
        one_group_scored = m.monitor == "score" and evidence_kinds.column_of_slice(m.slice) in spec.protected
        if m.verdict is Verdict.BREACH and (m.monitor == "fairness" or one_group_scored):
            groups.setdefault(m.slice, []).append(m)
    for group in sorted(groups):
        own = sorted(
            groups[group],
            key=lambda m: (m.monitor, evidence_kinds.fairness_rank(m), -evidence_kinds.excess_over_limit(m)),
        )
        yield Finding(Cause.FAIRNESS_GAP, tuple(own), slice=group)


CAUSE_DETECTORS: tuple[Callable[[Spec, Sequence[Measurement]], Iterator[Finding]], ...] = (
    _detect_missing_partition,
    _detect_late_partition,
    _detect_schema_change,
    _detect_stale_partition,
    _detect_duplicate_rows,
    _detect_incomplete_partition,
    _detect_errored,
    _detect_column_faults,
    _detect_population_shift,
    _detect_score_shift,
    _detect_performance_decay,
    _detect_fairness_gaps,
)
"""Causes in the order of their claims. A column that went missing breaks its checks, so errors come after it."""


def _finding_of(cause: Cause, own: Iterable[Measurement]) -> Iterator[Finding]:
    if shown := tuple(own):
        yield Finding(cause, shown)


def _breaches(unclaimed: Sequence[Measurement], monitor: str, wanted: Iterable[str] = ()) -> list[Measurement]:
    names = set(wanted)
    return [
        m
        for m in unclaimed
        if m.monitor == monitor and m.verdict is Verdict.BREACH and (not names or m.metric in names)
    ]


def _custom_breaches(spec: Spec, unclaimed: Sequence[Measurement], about: str) -> list[Measurement]:
    """Return the breaches of the bank's own metrics that the model file says are about the data, or performance."""
    names = {metric.name for metric in spec.metrics if metric.about == about}
    return [m for m in _breaches(unclaimed, "custom") if m.metric in names]


def _without_redundant_slices(found: Sequence[Measurement]) -> list[Measurement]:
    """Leave out a slice's figure where everyone's says it too: that it shows in slices is explained, not evidence."""
    overall = {(m.monitor, m.metric, m.feature) for m in found if not m.slice}
    return [m for m in found if not m.slice or m.monitor == "check" or (m.monitor, m.metric, m.feature) not in overall]


def _failed_checks(unclaimed: Sequence[Measurement]) -> list[Measurement]:
    return _breaches(unclaimed, "check")


def _soft_rank(m: Measurement) -> tuple[int, float]:
    return (
        evidence_kinds.SOFT_METRICS.index(m.metric)
        if m.metric in evidence_kinds.SOFT_METRICS
        else len(evidence_kinds.SOFT_METRICS),
        -evidence_kinds.excess_over_limit(m),
    )
