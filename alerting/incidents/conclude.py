"""From a day's measurements to incidents: one per cause, with a life of its own.

pending -> firing -> resolved, or pending -> withdrawn. Data faults rest on hard evidence and fire at once, and so does
what lies far beyond its limit; other things that may be chance must show on ``alerts.pending_days`` of
``alerts.pending_window_days`` judged days. An incident is resolved after ``alerts.resolve_days`` days on
which every one of its figures was measured and ok: a day without data, or with too little, never resolves anything.
What comes back within ``alerts.reopen_days`` of that is the same incident, reopened; it must hold as a new one must.
What people do with incidents is in ``alerting.incidents.lifecycle``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date

import catalogue
from alerting.incidents import diagnostics, evidence, evidence_kinds
from alerting.incidents.causes import find_causes
from alerting.incidents.identity import incident_id
from alerting.incidents.inhibition import Finding, IncidentKey
from alerting.incidents.money import UNKNOWN_STAKE, money_at_stake
from alerting.incidents.summary import summarise_finding
from catalogue import causes
from catalogue.metrics.arrival import ARRIVAL_MONITOR, CHECK_MONITOR, ROW_COUNT
from catalogue.metrics.drift_monitors import DRIFT_MONITOR
from catalogue.metrics.performance_monitors import CUSTOM_MONITOR
from ledger.records.incidents import Incident, Status
from ledger.records.measurements import Measurement, Verdict
from models.spec import Spec


def conclude_incidents(
    spec: Spec,
    day: date,
    measurements: Sequence[Measurement],
    live: Sequence[Incident],
    recent: Sequence[Incident] = (),
) -> list[Incident]:
    """Return every incident touched or carried on at ``day``: pending, firing, resolved and withdrawn ones.

    ``measurements`` are those with ``as_of == day``; ``live`` the incidents still pending or firing at the end of the
    day before; ``recent`` all earlier incidents in their newest state, for what they explain of later figures.
    """
    known = list({incident.id: incident for incident in (*recent, *live)}.values())
    found = {finding.key: finding for finding in find_causes(spec, measurements, known)}
    before = {_incident_key(incident): incident for incident in live}
    back = _reopenable_incidents(spec, day, known)
    figures = {m.figure: m for m in measurements}
    moved = any(catalogue.recorded_cause(cause).moves_columns for cause, _, _ in (*found, *before))
    result = []
    for key in dict.fromkeys([*before, *found]):
        earlier = before.get(key)
        if key in found:
            result.append(_conclude_bad_day(spec, day, found[key], earlier or back.get(key), measurements, moved=moved))
        elif earlier is not None:
            result.append(_conclude_day_without_finding(spec, day, earlier, clean=_is_clean(earlier, found, figures)))
    return sorted(result, key=lambda incident: (incident.cause_entry.order, incident.id))


def _incident_key(incident: Incident) -> IncidentKey:
    return incident.cause, incident.feature, incident.slice


def _reopenable_incidents(spec: Spec, day: date, known: Sequence[Incident]) -> dict[IncidentKey, Incident]:
    """Return, by key, the incidents resolved so lately that a finding of today reopens them, as they would begin."""
    lately = [
        incident
        for incident in known
        if incident.resolved is not None and 0 < (day - incident.resolved).days <= spec.alerts.reopen_days
    ]
    return {
        _incident_key(incident): replace(
            incident,
            status=Status.PENDING,
            resolved=None,
            reopened=day,
            clean_days=0,
            earlier_bad_days=incident.bad_days,
        )
        for incident in sorted(lately, key=lambda incident: (incident.resolved, incident.id))
    }


MOST_EXPLAINED = 60
"""Figures that an incident names of those it explains; it counts them all."""


def _conclude_bad_day(
    spec: Spec,
    day: date,
    finding: Finding,
    earlier: Incident | None,
    measurements: Sequence[Measurement],
    *,
    moved: bool,
) -> Incident:
    """Open an incident, or say anew what one is about."""
    opened = earlier.opened if earlier else day
    bad_days = earlier.bad_days + 1 if earlier else 1
    fires = _fires(spec, finding, bad_days - (earlier.earlier_bad_days if earlier else 0))
    firing = fires or (earlier is not None and earlier.status is Status.FIRING)
    stake = money_at_stake(finding, measurements)
    unknown = (UNKNOWN_STAKE + stake.reason,) if stake.amount_gbp is None else ()
    return Incident(
        id=earlier.id if earlier else incident_id(spec.model, day, finding.key),
        model=spec.model,
        cause=finding.cause,
        concluded=day,
        opened=opened,
        last_bad=day,
        status=Status.FIRING if firing else Status.PENDING,
        feature=finding.feature,
        slice=finding.slice,
        fired=earlier.fired if earlier and earlier.fired else day if firing else None,
        reopened=earlier.reopened if earlier else None,
        clean_days=0 if firing or earlier is None else earlier.clean_days,
        bad_days=bad_days,
        earlier_bad_days=earlier.earlier_bad_days if earlier else 0,
        amount_gbp_per_day=stake.amount_gbp,
        amount_low_gbp_per_day=stake.low_gbp,
        amount_high_gbp_per_day=stake.high_gbp,
        summary=summarise_finding(spec, finding),
        confidence=evidence.describe_confidence(finding),
        first_step=evidence.describe_first_step(spec, finding),
        evidence=(*_evidence_with_diagnostics(spec, finding, measurements, moved=moved), *unknown),
        figures=tuple(m.figure for m in finding.own),
        explains=len(finding.explained),
        explained=tuple(sorted(m.figure for m in finding.explained)[:MOST_EXPLAINED]),
    )


def _evidence_with_diagnostics(
    spec: Spec, finding: Finding, measurements: Sequence[Measurement], *, moved: bool
) -> tuple[str, ...]:
    """Return the probable cause and the strongest figure, what diagnostics add to them, then the other figures."""
    worst = diagnostics.find_worst_slice(finding, measurements) if finding.cause == causes.PERFORMANCE_DECAY else None
    cause, *figures = evidence.evidence_sentences(finding, moved=moved, worst=worst)
    return (cause, *figures[:1], *diagnostics.diagnostic_sentences(spec, finding, measurements), *figures[1:])


def _fires(spec: Spec, finding: Finding, bad_days: int) -> bool:
    """Return whether so many bad days, since it began or came back, are enough to alert."""
    at_once = catalogue.cause(finding.cause).data_fault or any(evidence_kinds.is_far_over(m) for m in finding.own)
    return at_once or bad_days >= spec.alerts.pending_days


def _conclude_day_without_finding(spec: Spec, day: date, earlier: Incident, *, clean: bool) -> Incident:
    """Carry an incident over a day without a finding of its own: clean, or a day that says nothing."""
    if not clean:
        return replace(earlier, concluded=day)
    clean_days = earlier.clean_days + 1
    if earlier.status is Status.PENDING:
        if clean_days > spec.alerts.pending_window_days - spec.alerts.pending_days:
            return _end_pending(day, earlier, clean_days)
        return replace(earlier, concluded=day, clean_days=clean_days)
    needed = 1 if earlier.cause_entry.one_day else spec.alerts.resolve_days
    if clean_days < needed:
        return replace(earlier, concluded=day, clean_days=clean_days)
    return replace(earlier, concluded=day, clean_days=clean_days, status=Status.RESOLVED, resolved=day)


def _end_pending(day: date, pending: Incident, clean_days: int) -> Incident:
    """Return what didn't hold: nobody knew of it, or, where it had come back, it is resolved as it was."""
    if pending.fired is None:
        return replace(pending, concluded=day, status=Status.WITHDRAWN, clean_days=clean_days)
    return replace(pending, concluded=day, status=Status.RESOLVED, clean_days=clean_days, resolved=day)


def _is_clean(incident: Incident, found: Mapping[IncidentKey, Finding], figures: Mapping[str, Measurement]) -> bool:
    """Return whether a day speaks for the end of an incident: measured, and nothing wrong."""
    found_causes = {cause for cause, _, _ in found}
    if causes.MISSING_PARTITION in found_causes:
        return False
    if incident.cause_entry.one_day:
        return causes.LATE_PARTITION not in found_causes and _partition_arrived(figures)
    if incident.cause_entry.about_the_watch:
        return all(_is_computed_again(name, figures) for name in incident.figures)
    return all(_is_ok(name, figures) for name in incident.figures)


def _is_ok(name: str, figures: Mapping[str, Measurement]) -> bool:
    """Return whether a figure was measured and ok, or the model file no longer asks for it while its monitor ran."""
    if name in figures:
        return figures[name].verdict is Verdict.OK
    monitor, _, column = name.split("/", 2)
    if monitor == CUSTOM_MONITOR:
        return True  # every metric that the model file still names has a figure, if only an errored one
    ran = [other for other, m in figures.items() if m.monitor == monitor and m.verdict is not Verdict.ERRORED]
    unasked = monitor == CHECK_MONITOR or (column.endswith("/") and not any(o.split("/", 2)[2] == column for o in ran))
    return bool(ran) and monitor in (CHECK_MONITOR, DRIFT_MONITOR) and unasked


def _partition_arrived(figures: Mapping[str, Measurement]) -> bool:
    rows = figures.get(f"{ARRIVAL_MONITOR}/{ROW_COUNT}//")
    return rows is not None and rows.verdict not in (Verdict.MISSING, Verdict.ERRORED)


def _is_computed_again(name: str, figures: Mapping[str, Measurement]) -> bool:
    """Return whether what errored was computed, or is gone while its monitor ran (its error had a name of its own)."""
    if name in figures:
        return figures[name].verdict not in (Verdict.ERRORED, Verdict.MISSING)
    monitor = name.partition("/")[0]
    return any(m.monitor == monitor and m.verdict is not Verdict.ERRORED for m in figures.values())
