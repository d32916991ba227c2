"""How each data fault is found in a day's breaches."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from alerting.incidents import evidence_kinds
from alerting.incidents.detection.breaches import (
    breaches_of,
    failed_critical_checks,
    finding_of,
    without_redundant_slices,
)
from alerting.incidents.detection.registry import detects
from alerting.incidents.inhibition import Finding
from catalogue import causes
from catalogue.metrics.arrival import (
    ARRIVAL_DELAY,
    ARRIVAL_MONITOR,
    DUPLICATE_SHARE,
    MISSING_COLUMNS,
    RETYPED_COLUMNS,
    ROW_COUNT,
    SCHEMA_MONITOR,
)
from catalogue.metrics.faults import FAULT_MONITOR, REPEATED_SHARE
from ledger.records.measurements import Measurement, Verdict
from models.spec import Spec

MIN_FEED_COLUMNS = 3
"""Columns that break in the same way on one day from which on the feed is to blame, not each column."""


@detects(causes.MISSING_PARTITION)
def detect_missing_partition(_: Spec, unclaimed: Sequence[Measurement]) -> Iterator[Finding]:
    """Find that no partition is there though one was due."""
    yield from finding_of(causes.MISSING_PARTITION, (m for m in unclaimed if m.verdict is Verdict.MISSING))


@detects(causes.LATE_PARTITION)
def detect_late_partition(_: Spec, unclaimed: Sequence[Measurement]) -> Iterator[Finding]:
    """Find that the partition came after its deadline."""
    yield from finding_of(causes.LATE_PARTITION, breaches_of(unclaimed, ARRIVAL_MONITOR, {ARRIVAL_DELAY}))


@detects(causes.SCHEMA_CHANGE)
def detect_schema_change(_: Spec, unclaimed: Sequence[Measurement]) -> Iterator[Finding]:
    """Find columns that are gone, or of another type."""
    changed = breaches_of(unclaimed, SCHEMA_MONITOR, {MISSING_COLUMNS, RETYPED_COLUMNS})
    yield from finding_of(causes.SCHEMA_CHANGE, changed)


@detects(causes.STALE_PARTITION)
def detect_stale_partition(_: Spec, unclaimed: Sequence[Measurement]) -> Iterator[Finding]:
    """Find that most columns hold an earlier day's values again."""
    yield from finding_of(causes.STALE_PARTITION, breaches_of(unclaimed, FAULT_MONITOR, {REPEATED_SHARE}))


@detects(causes.DUPLICATE_ROWS)
def detect_duplicate_rows(spec: Spec, unclaimed: Sequence[Measurement]) -> Iterator[Finding]:
    """Find rows that are there more than once: by their id, then by failed checks."""
    checks = [m for m in failed_critical_checks(spec, unclaimed) if evidence_kinds.is_uniqueness_check(m)]
    yield from finding_of(causes.DUPLICATE_ROWS, [*breaches_of(unclaimed, ARRIVAL_MONITOR, {DUPLICATE_SHARE}), *checks])


@detects(causes.INCOMPLETE_PARTITION)
def detect_incomplete_partition(spec: Spec, unclaimed: Sequence[Measurement]) -> Iterator[Finding]:
    """Find too few rows, or too many: by the count of the same weekdays before, then by failed checks."""
    checks = [m for m in failed_critical_checks(spec, unclaimed) if evidence_kinds.is_row_count_check(m)]
    yield from finding_of(causes.INCOMPLETE_PARTITION, [*breaches_of(unclaimed, ARRIVAL_MONITOR, {ROW_COUNT}), *checks])


@detects(causes.WATCH_ERRORED)
def detect_errored_watch(_: Spec, unclaimed: Sequence[Measurement]) -> Iterator[Finding]:
    """Find what couldn't be computed; a column that went missing breaks its checks, so it is looked for before."""
    yield from finding_of(causes.WATCH_ERRORED, (m for m in unclaimed if m.verdict is Verdict.ERRORED))


@detects(causes.FEED_FAULT, causes.COLUMN_FAULT)
def detect_column_faults(spec: Spec, unclaimed: Sequence[Measurement]) -> Iterator[Finding]:
    """Find hard evidence, column by column; a failed check of an average of a drifting column is soft evidence."""
    drifting = {m.feature for m in unclaimed if evidence_kinds.is_soft_drift(m) and m.verdict is Verdict.BREACH}
    checks = set(failed_critical_checks(spec, unclaimed))
    columns: dict[str, list[Measurement]] = {}
    for m in unclaimed:
        soft = evidence_kinds.is_column_aggregate_check(m) and m.feature in drifting
        if m.verdict is Verdict.BREACH and (evidence_kinds.is_hard_drift(m) or (m in checks and not soft)):
            columns.setdefault(m.feature, []).append(m)
    findings = [
        Finding(
            causes.COLUMN_FAULT,
            tuple(sorted(without_redundant_slices(columns[feature]), key=_hardness_order)),
            feature,
        )
        for feature in sorted(columns)
    ]
    feed = _columns_of_one_feed(spec, [finding for finding in findings if finding.feature])
    if feed:
        yield Finding(causes.FEED_FAULT, tuple(m for finding in feed for m in finding.own))
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
