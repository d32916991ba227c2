"""How each real change is found in a day's breaches, and what narrows it to a season or a release."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from alerting.incidents import evidence_kinds
from alerting.incidents.detection.breaches import (
    breaches_of,
    custom_breaches,
    finding_of,
    softness_order,
    without_redundant_slices,
)
from alerting.incidents.detection.registry import detects, narrows
from alerting.incidents.diagnostics import find_diagnostic
from alerting.incidents.inhibition import Finding
from catalogue import causes
from catalogue.metrics import diagnostics
from catalogue.metrics.drift_monitors import SCORE_MONITOR, SLOW_MONITOR
from catalogue.metrics.fairness import FAIRNESS_MONITOR
from catalogue.metrics.performance import ALERT_RATE
from catalogue.metrics.performance_monitors import DECAY_MONITOR, ESTIMATE_MONITOR
from ledger.records.measurements import Measurement, Verdict
from models.spec import Spec

NEW_VERSION_SHARE = 0.05
"""Share of payments scored by a new model version from which on a moved score is its release."""


@detects(causes.POPULATION_SHIFT)
def detect_population_shift(spec: Spec, unclaimed: Sequence[Measurement]) -> Iterator[Finding]:
    """Find features that moved, the most important first: one figure of each, then the other figures and slices."""
    drifting = [
        m
        for m in unclaimed
        if evidence_kinds.is_soft_drift(m)
        and m.monitor != SCORE_MONITOR
        and m.verdict is Verdict.BREACH
        and m.feature != spec.score.column
    ]
    ordered = sorted(
        without_redundant_slices(drifting),
        key=lambda m: (
            -evidence_kinds.feature_importance(spec, m.feature),
            m.feature,
            bool(m.slice),
            softness_order(m),
        ),
    )
    first = {m.feature: m for m in reversed(ordered)}
    shown = sorted(ordered, key=lambda m: first[m.feature] is not m)
    yield from finding_of(causes.POPULATION_SHIFT, [*shown, *custom_breaches(spec, unclaimed, "data")])


@narrows(causes.SEASON)
def is_season(finding: Finding, measurements: Sequence[Measurement]) -> bool:
    """Return whether every feature that moved looks as on the baseline's days of the same kind."""
    of_season = (diagnostics.DIAGNOSTICS_MONITOR, diagnostics.SEASON)
    seasonal = {m.feature for m in measurements if (m.monitor, m.metric) == of_season}
    return {m.feature for m in finding.own} <= seasonal


@detects(causes.SCORE_SHIFT)
def detect_score_shift(spec: Spec, unclaimed: Sequence[Measurement]) -> Iterator[Finding]:
    """Find a moved score; one protected group's alone is unfairness, and an alert rate that fell with recall decay."""
    of_score = [
        m for m in unclaimed if m.monitor == SCORE_MONITOR or (m.monitor == SLOW_MONITOR and _is_of_score(spec, m))
    ]
    scores = [m for m in of_score if m.verdict is Verdict.BREACH]
    if not any(m.slice == "" for m in scores):
        scores = [m for m in scores if evidence_kinds.column_of_slice(m.slice) not in spec.protected]
    decayed = any(evidence_kinds.is_loss(m) for m in breaches_of(unclaimed, DECAY_MONITOR))
    unfair = any(breaches_of(unclaimed, FAIRNESS_MONITOR))
    rates = [] if (decayed or unfair) and not scores else breaches_of(unclaimed, DECAY_MONITOR, {ALERT_RATE})
    ordered = sorted(without_redundant_slices(scores), key=lambda m: (m.slice, softness_order(m)))
    yield from finding_of(causes.SCORE_SHIFT, [*ordered, *rates])


@narrows(causes.MODEL_RELEASE)
def is_model_release(_: Finding, measurements: Sequence[Measurement]) -> bool:
    """Return whether a new model version scored payments on the day."""
    version = find_diagnostic(measurements, diagnostics.NEW_VERSION_SHARE)
    return version is not None and (version.value or 0.0) >= NEW_VERSION_SHARE


@detects(causes.PERFORMANCE_DECAY)
def detect_performance_decay(spec: Spec, unclaimed: Sequence[Measurement]) -> Iterator[Finding]:
    """Find a model that catches less; more false alarms alone are explained where they fall on one group.

    What is only estimated from scores, before labels, supports what labels show; alone it opens nothing.
    """
    losses = [m for m in breaches_of(unclaimed, DECAY_MONITOR) if evidence_kinds.is_loss(m)]
    own = sorted(losses, key=evidence_kinds.evidence_rank)
    custom = custom_breaches(spec, unclaimed, "performance")
    only_false_alarms = not custom and all(evidence_kinds.is_false_alarm_metric(m.metric) for m in own)
    if only_false_alarms and any(
        evidence_kinds.is_false_alarm_gap(m) for m in breaches_of(unclaimed, FAIRNESS_MONITOR)
    ):
        return
    shown = [*own, *custom]
    estimated = breaches_of(unclaimed, ESTIMATE_MONITOR) if shown else []
    yield from finding_of(causes.PERFORMANCE_DECAY, [*shown, *estimated])


@detects(causes.FAIRNESS_GAP)
def detect_fairness_gaps(spec: Spec, unclaimed: Sequence[Measurement]) -> Iterator[Finding]:
    """Find groups that are treated unlike their reference group, or whose scores alone moved: one finding each."""
    groups: dict[str, list[Measurement]] = {}
    for m in unclaimed:
        one_group_scored = m.monitor == SCORE_MONITOR and evidence_kinds.column_of_slice(m.slice) in spec.protected
        if m.verdict is Verdict.BREACH and (m.monitor == FAIRNESS_MONITOR or one_group_scored):
            groups.setdefault(m.slice, []).append(m)
    for group in sorted(groups):
        own = sorted(
            groups[group],
            key=lambda m: (m.monitor, evidence_kinds.fairness_rank(m), -evidence_kinds.excess_over_limit(m)),
        )
        yield Finding(causes.FAIRNESS_GAP, tuple(own), slice=group)


def _is_of_score(spec: Spec, m: Measurement) -> bool:
    return m.feature == spec.score.column
