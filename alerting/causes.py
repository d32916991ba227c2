"""Which causes explain a day's breaches: the first cause that fits takes what it explains from all later ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from alerting import metrics
from alerting.clues import narrowed
from alerting.explains import Finding, Past, explains
from ledger.records import Cause, Incident, Measurement, Verdict
from models.spec import Spec

LEAST_OF_FEED = 3
"""Columns that break in the same way on one day from which on the feed is to blame, not each column."""


def find(spec: Spec, measurements: Sequence[Measurement], known: Sequence[Incident] = ()) -> list[Finding]:
    """Return the causes of a day's breaches in the order of ``Cause``; ``known`` are incidents before the day."""
    left = [m for m in measurements if _is_news(m)]
    if any(m.metric == "arrival_delay_minutes" and m.verdict is Verdict.MISSING for m in measurements):
        left = [m for m in left if m.verdict is not Verdict.MISSING]  # the partition isn't due yet
    past = Past.of(measurements, known)
    quiet = [m for m in left if past.explains(m)]
    left = [m for m in left if not past.explains(m)]
    found = []
    for look in LOOKS:
        for seen in look(spec, left):
            finding = narrowed(seen, measurements)
            own = set(finding.own)
            explained = [m for m in left if m not in own and not past.holds(m) and explains(finding, m)]
            left = [m for m in left if m not in own and m not in set(explained)]
            explained += [m for m in quiet if explains(finding, m)]
            quiet = [m for m in quiet if not explains(finding, m)]
            found.append(replace(finding, explained=tuple(explained)))
    order = list(Cause)
    return sorted(found, key=lambda finding: (order.index(finding.cause), finding.feature, finding.slice))


def _is_news(m: Measurement) -> bool:
    if m.verdict is Verdict.MISSING:
        return (m.monitor, m.metric) == ("arrival", "row_count")
    return m.verdict in (Verdict.BREACH, Verdict.ERRORED)


def _missing(_: Spec, left: Sequence[Measurement]) -> Iterator[Finding]:
    yield from _one(Cause.MISSING_PARTITION, (m for m in left if m.verdict is Verdict.MISSING))


def _late(_: Spec, left: Sequence[Measurement]) -> Iterator[Finding]:
    yield from _one(Cause.LATE_PARTITION, _breaches(left, "arrival", {"arrival_delay_minutes"}))


def _schema(_: Spec, left: Sequence[Measurement]) -> Iterator[Finding]:
    yield from _one(Cause.SCHEMA_CHANGE, _breaches(left, "schema", {"missing_columns", "retyped_columns"}))


def _stale(_: Spec, left: Sequence[Measurement]) -> Iterator[Finding]:
    yield from _one(Cause.STALE_PARTITION, _breaches(left, "fault", {"repeated_share"}))


def _duplicates(spec: Spec, left: Sequence[Measurement]) -> Iterator[Finding]:
    checks = (m for m in _failed_checks(left) if metrics.is_unique(m) and metrics.is_critical(spec, m))
    yield from _one(Cause.DUPLICATE_ROWS, [*_breaches(left, "arrival", {"duplicate_share"}), *checks])


def _incomplete(spec: Spec, left: Sequence[Measurement]) -> Iterator[Finding]:
    checks = (m for m in _failed_checks(left) if metrics.is_row_count(m) and metrics.is_critical(spec, m))
    yield from _one(Cause.INCOMPLETE_PARTITION, [*_breaches(left, "arrival", {"row_count"}), *checks])


def _errored(_: Spec, left: Sequence[Measurement]) -> Iterator[Finding]:
    yield from _one(Cause.ERRORED, (m for m in left if m.verdict is Verdict.ERRORED))


def _column_faults(spec: Spec, left: Sequence[Measurement]) -> Iterator[Finding]:
    """Find hard evidence, column by column; a failed check of an average of a drifting column is soft evidence."""
    drifting = {m.feature for m in left if metrics.is_soft_drift(m) and m.verdict is Verdict.BREACH}
    columns: dict[str, list[Measurement]] = {}
    for m in left:
        checked = m.monitor == "check" and metrics.is_critical(spec, m)
        soft = metrics.is_average(m) and m.feature in drifting
        if m.verdict is Verdict.BREACH and (metrics.is_hard_drift(m) or (checked and not soft)):
            columns.setdefault(m.feature, []).append(m)
    findings = [
        Finding(Cause.COLUMN_FAULT, tuple(sorted(_widest(columns[feature]), key=_hardest)), feature)
        for feature in sorted(columns)
    ]
    feed = _of_one_feed(spec, [finding for finding in findings if finding.feature])
    if feed:
        yield Finding(Cause.FEED_FAULT, tuple(m for finding in feed for m in finding.own))
    yield from (finding for finding in findings if finding not in feed)


def _of_one_feed(spec: Spec, findings: Sequence[Finding]) -> list[Finding]:
    """Return the columns that broke in the same way on one day, the most important first, where they are many."""
    kinds = Counter(finding.own[0].metric for finding in findings)
    metric, columns = kinds.most_common(1)[0] if kinds else ("", 0)
    alike = [finding for finding in findings if finding.own[0].metric == metric]
    by_weight = sorted(alike, key=lambda finding: (-metrics.importance(spec, finding.feature), finding.feature))
    return by_weight if columns >= LEAST_OF_FEED else []


def _hardest(m: Measurement) -> tuple[int, str, float]:
    return metrics.hardness(m), m.slice, -metrics.strength(m)


def _population_shift(spec: Spec, left: Sequence[Measurement]) -> Iterator[Finding]:
    """Find features that moved, the most important first: one figure of each, then the other figures and slices."""
    soft = [m for m in left if m.monitor != "score" and metrics.is_soft_drift(m) and m.verdict is Verdict.BREACH]
    drifting = [m for m in soft if m.feature != spec.score.column]
    ordered = sorted(
        _widest(drifting), key=lambda m: (-metrics.importance(spec, m.feature), m.feature, bool(m.slice), _rank(m))
    )
    first = {m.feature: m for m in reversed(ordered)}
    shown = sorted(ordered, key=lambda m: first[m.feature] is not m)
    yield from _one(Cause.POPULATION_SHIFT, [*shown, *_custom(spec, left, "data")])


def _score_shift(spec: Spec, left: Sequence[Measurement]) -> Iterator[Finding]:
    """Find a moved score; one protected group's alone is unfairness, and an alert rate that fell with recall decay."""
    of_score = [m for m in left if m.monitor == "score" or (m.monitor == "slow" and m.feature == spec.score.column)]
    scores = [m for m in of_score if m.verdict is Verdict.BREACH]
    if not any(m.slice == "" for m in scores):
        scores = [m for m in scores if metrics.column_of(m.slice) not in spec.protected]
    decayed = any(_breaches(left, "decay", metrics.DECAY))
    unfair = any(_breaches(left, "fairness"))
    rates = [] if (decayed or unfair) and not scores else list(_breaches(left, "decay", {"alert_rate"}))
    yield from _one(Cause.SCORE_SHIFT, [*sorted(_widest(scores), key=lambda m: (m.slice, _rank(m))), *rates])


def _decay(spec: Spec, left: Sequence[Measurement]) -> Iterator[Finding]:
    """Find a model that catches less; more false alarms alone are explained where they fall on one group.

    What is only estimated from scores, before labels, supports what labels show; alone it wakes nobody.
    """
    own = sorted(_breaches(left, "decay", metrics.DECAY), key=lambda m: metrics.DECAY.index(m.metric))
    custom = _custom(spec, left, "performance")
    only_false_alarms = not custom and all(m.metric in metrics.FALSE_ALARMS for m in own)
    if not (only_false_alarms and any(metrics.is_false_alarm_gap(m) for m in _breaches(left, "fairness"))):
        shown = [*own, *custom]
        yield from _one(Cause.PERFORMANCE_DECAY, [*shown, *_breaches(left, "estimate")] if shown else [])


def _fairness(spec: Spec, left: Sequence[Measurement]) -> Iterator[Finding]:
    groups: dict[str, list[Measurement]] = {}
    for m in left:
        one_group_scored = m.monitor == "score" and metrics.column_of(m.slice) in spec.protected
        if m.verdict is Verdict.BREACH and (m.monitor == "fairness" or one_group_scored):
            groups.setdefault(m.slice, []).append(m)
    for group in sorted(groups):
        own = sorted(groups[group], key=lambda m: (m.monitor, metrics.fairness_rank(m), -metrics.strength(m)))
        yield Finding(Cause.FAIRNESS_GAP, tuple(own), slice=group)


LOOKS: tuple[Callable[[Spec, Sequence[Measurement]], Iterator[Finding]], ...] = (
    _missing,
    _late,
    _schema,
    _stale,
    _duplicates,
    _incomplete,
    _errored,
    _column_faults,
    _population_shift,
    _score_shift,
    _decay,
    _fairness,
)
"""Causes in the order of their claims. A column that went missing breaks its checks, so errors come after it."""


def _one(cause: Cause, own: Iterable[Measurement]) -> Iterator[Finding]:
    if shown := tuple(own):
        yield Finding(cause, shown)


def _breaches(left: Sequence[Measurement], monitor: str, wanted: Iterable[str] = ()) -> list[Measurement]:
    names = set(wanted)
    return [
        m for m in left if m.monitor == monitor and m.verdict is Verdict.BREACH and (not names or m.metric in names)
    ]


def _custom(spec: Spec, left: Sequence[Measurement], about: str) -> list[Measurement]:
    """Return the breaches of the bank's own metrics that the model file says are about the data, or performance."""
    names = {metric.name for metric in spec.metrics if metric.about == about}
    return [m for m in _breaches(left, "custom") if m.metric in names]


def _widest(found: Sequence[Measurement]) -> list[Measurement]:
    """Leave out a slice's figure where everyone's says it too: that it shows in slices is explained, not evidence."""
    overall = {(m.monitor, m.metric, m.feature) for m in found if not m.slice}
    return [m for m in found if not m.slice or m.monitor == "check" or (m.monitor, m.metric, m.feature) not in overall]


def _failed_checks(left: Sequence[Measurement]) -> list[Measurement]:
    return _breaches(left, "check")


def _rank(m: Measurement) -> tuple[int, float]:
    return (metrics.SOFT.index(m.metric) if m.metric in metrics.SOFT else len(metrics.SOFT), -metrics.strength(m))
