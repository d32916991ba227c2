"""Diagnostics beside a cause's own figures, in sentences: releases, mix, features behind a score, slices."""

from __future__ import annotations

from collections.abc import Sequence

import catalogue
from alerting.incidents import evidence_kinds
from alerting.incidents.inhibition import Finding
from alerting.wording import format_percent, join_items, quote_name
from catalogue import causes
from catalogue.diagnostics import DIAGNOSTICS_MONITOR, NEW_VERSION_SHARE, SCORE_MIX, SCORE_WITHIN, SEASON, WORST
from catalogue.drift import JENSEN_SHANNON, WASSERSTEIN
from catalogue.drift_monitors import DRIFT_MONITOR
from catalogue.performance import FALSE_POSITIVE_RATE, RECALL
from ledger.records.measurements import Measurement
from models.spec import Spec

MIN_NAMED_SHARE = 0.05
"""Features behind less of a score's shift aren't named."""


def diagnostic_sentences(spec: Spec, finding: Finding, measurements: Sequence[Measurement]) -> tuple[str, ...]:
    """Return what diagnostics add to an incident's evidence; nothing where they say nothing beyond chance."""
    if finding.cause == causes.SEASON:
        first = finding.own[0].feature
        return _reason_sentence(next((m for m in measurements if m.metric == SEASON and m.feature == first), None))
    if finding.cause == causes.MODEL_RELEASE:
        return _reason_sentence(find_diagnostic(measurements, NEW_VERSION_SHARE))
    if finding.cause == causes.PERFORMANCE_DECAY:
        return _worst_slice_sentence(find_worst_slice(finding, measurements))
    if finding.cause in (causes.POPULATION_SHIFT, causes.SCORE_SHIFT):
        return (*_mix_sentence(measurements), *_feature_share_sentence(spec, finding, measurements))
    return ()


def find_worst_slice(finding: Finding, measurements: Sequence[Measurement]) -> Measurement | None:
    """Return the slice that got worse beyond chance in what a decay is about, or None."""
    only_false_alarms = all(evidence_kinds.is_false_alarm_metric(m.metric) for m in finding.own)
    found = find_diagnostic(measurements, f"{WORST}{FALSE_POSITIVE_RATE if only_false_alarms else RECALL}")
    return found if found is not None and found.slice else None


def score_shift_shares(spec: Spec, measurements: Sequence[Measurement]) -> dict[str, float]:
    """Return how much of a score's shift goes with each feature: its importance times how far it moved, of their sum.

    How far is the Wasserstein distance in standard deviations of the baseline; for a category, the distance of
    Jensen-Shannon. An approximation: it takes the score to be as steep in each feature as its importance says.
    """
    moved = {
        m.feature: evidence_kinds.feature_importance(spec, m.feature) * m.value
        for metric in (JENSEN_SHANNON, WASSERSTEIN)
        for m in measurements
        if (m.monitor, m.metric, m.slice) == (DRIFT_MONITOR, metric, "") and m.value is not None and m.feature
    }
    whole = sum(moved.values())
    found = {feature: own / whole for feature, own in moved.items()} if whole > 0 else {}
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))


def _feature_share_sentence(spec: Spec, finding: Finding, measurements: Sequence[Measurement]) -> tuple[str, ...]:
    if finding.cause != causes.POPULATION_SHIFT or not any(evidence_kinds.is_score_shift(m) for m in finding.explained):
        return ()
    named = [
        f"{quote_name(name)} {format_percent(own)}"
        for name, own in score_shift_shares(spec, measurements).items()
        if own >= MIN_NAMED_SHARE
    ]
    if not named:
        return ()
    return (f"Of the score's shift, by the model's importances, about: {join_items(named)}.",)


def _mix_sentence(measurements: Sequence[Measurement]) -> tuple[str, ...]:
    """Say which slice column's mix moved the score most, where that is beyond chance and most of the change."""
    mixes = [
        m for m in measurements if (m.monitor, m.metric) == (DIAGNOSTICS_MONITOR, SCORE_MIX) and m.value is not None
    ]
    within = {
        m.feature: m.value or 0.0 for m in measurements if (m.monitor, m.metric) == (DIAGNOSTICS_MONITOR, SCORE_WITHIN)
    }
    sure = [m for m in mixes if m.low is not None and m.high is not None and not m.low <= 0 <= m.high]
    most = max(sure, key=lambda m: (abs(m.value or 0.0), m.feature), default=None)
    if most is None or abs(most.value or 0.0) <= abs(within.get(most.feature, 0.0)):
        return ()
    return _reason_sentence(most)


def _worst_slice_sentence(m: Measurement | None) -> tuple[str, ...]:
    if m is None:
        return ()
    return (f"Worst in {quote_name(m.slice)}: {catalogue.metric(catalogue.metric(m.metric).base).phrase} {m.reason}.",)


def _reason_sentence(m: Measurement | None) -> tuple[str, ...]:
    if m is None:
        return ()
    said = " ".join(m.reason.replace("`", "'").split())
    return (f"{said[:1].upper()}{said[1:]}.",)


def find_diagnostic(measurements: Sequence[Measurement], metric: str) -> Measurement | None:
    """Return the day's first diagnostic of a metric, or None."""
    return next((m for m in measurements if (m.monitor, m.metric) == (DIAGNOSTICS_MONITOR, metric)), None)
