"""Would we notice? Faults are done to stored days in memory, and the same monitors and alert rules judge them.

Only an incident counts that the same days don't raise without the fault. Nothing is scanned and nothing written.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import partial
from typing import Any

from alerting.incidents.money import caught_gbp_per_day
from alerting.wording import pluralise
from ledger.records.incidents import Incident
from ledger.records.measurements import Measurement
from ledger.scratch import copy_to_memory
from models.errors import WatchkeeperError
from models.spec import Spec
from profiles.profile import Cohort, Profile, sum_profiles
from watchkeeper.context import Context
from watchkeeper.pipeline.load_day import load_baseline
from watchkeeper.whatif.history import History, conclude_days, fired_incidents, load_history
from watchkeeper.whatif.injected_faults import InjectedFault, faults_for_model

CohortStates = dict[tuple[date, date], Cohort]
"""What was known of a cohort day as of another day, where it differs from the day before."""


@dataclass(frozen=True)
class DrilledFault:
    """What became of one fault. Natural key: model, fault, feature, start.

    ``after_days`` is the bad days until it was notified, the first one included (None: not in ``days`` days);
    ``cause`` and ``named`` are the first incident's, its columns with the most important first. ``gbp_per_day`` is at
    most what the fault can cost a day, ``cost_gbp`` that until it was notified, or over all days.
    """

    model: str
    fault: str
    feature: str
    start: date
    days: int
    after_days: int | None = None
    cause: str = ""
    named: tuple[str, ...] = ()
    right: bool = False
    summary: str = ""
    gbp_per_day: float | None = None
    cost_gbp: float | None = None


def run_drill(ctx: Context, spec: Spec, days: int = 14, seed: int = 1) -> list[DrilledFault]:
    """Do each fault to the last stored days in control, and return what became of it.

    A fault of labels is judged once they are mature: it is done to cohorts as much older. Raises WatchkeeperError
    where fewer days were watched.
    """
    newest = ctx.ledger.newest_day(spec.model) or date.min
    past = load_history(ctx, spec, spec.baseline.start, newest)
    broken = _in_control_days(past, ctx.ledger.incidents(spec.model), spec, days)
    sound = {day: past.measured(spec, day, only_what_alerts=True) for day in broken}
    known = _stored_cohort_states(past, spec)
    delay = _mature_days(sound[broken[-1]], spec)
    baseline = load_baseline(past.ledger, past.cache, spec, past.stored, broken[0])
    usual = sum_profiles(baseline.values(), past.schema.id)
    before = _newest_profile_before(past, spec, broken[0])
    losing = [day for day in past.days if broken[0] <= day + timedelta(days=delay) <= broken[-1]]
    recent = {day: cohort for (day, _), cohort in sorted(known.items()) if day in set(losing)}
    at_stake = caught_gbp_per_day(sound[broken[-1]])
    alone = _incident_keys(fired_incidents(conclude_days(spec, broken, lambda day: sound[day])))
    result = []
    for fault in faults_for_model(spec, past.schema, usual, before, recent, seed):
        start = broken[0] - timedelta(days=delay) if fault.late else broken[0]
        days_with = [day for day in past.days if start <= day <= broken[-1]]
        faulty = _history_with_fault(past, spec, fault, days_with, known)
        measured = partial(faulty.measured, spec)
        seen = fired_incidents(
            conclude_days(
                spec, broken, measured, until=lambda found: bool(_incident_keys(i for i in found if i.fired) - alone)
            )
        )
        news = next((incident for incident in seen if _incident_key(incident) not in alone), None)
        result.append(_drilled_fault(spec, fault, start, broken[-1], news, at_stake))
    return result


def _in_control_days(past: History, incidents: Sequence[Incident], spec: Spec, days: int) -> list[date]:
    """Return the newest run of watched days that no incident touches, after the baseline; else the newest days."""
    if len(past.days) <= days:
        raise WatchkeeperError(
            f"{spec.model}: {len(past.days)} days were watched; a drill of {days} days needs more than {days}"
        )
    bad = {i.opened + timedelta(days=step) for i in incidents for step in range((i.last_bad - i.opened).days + 1)}
    normal = set(past.stored.of_baseline(spec, past.days[-1]))
    for last in range(len(past.days), days, -1):
        run = past.days[last - days : last]
        if not bad.intersection(run) and not normal.intersection(run):
            return run
    return past.days[-days:]


def _history_with_fault(
    past: History, spec: Spec, fault: InjectedFault, days: Sequence[date], known: CohortStates
) -> History:
    """Return the history with the fault on some days: their profiles, the records of their rows, and their labels."""
    ledger = copy_to_memory(past.ledger, spec.model, date.min, date.max)
    newest = {day: cohort for (day, _), cohort in sorted(known.items())}
    profiles = {
        day: fault.profile(profile, newest.get(day, Cohort()))
        for day, profile in past.cache.profiles(past.ledger, past.stored.row_counts.keys() & set(days)).items()
    }
    ledger.save_profiles(spec.model, profiles)
    if fault.labels is not None:
        changed = {(day, as_of): fault.labels(own) for (day, as_of), own in known.items() if day in profiles}
        ledger.replace_restatements(spec.model, past.schema.id, changed)
    row_measurements = {
        day: [_measurement_with_fault(m, fault, profiles[day]) for m in own if m.monitor != "check"]
        if day in profiles
        else own
        for day, own in past.row_measurements.items()
    }
    rows = past.stored.row_counts | {day: profile.rows for day, profile in profiles.items()}
    stored = replace(past.stored, row_counts=rows)
    return replace(
        past, ledger=ledger, stored=stored, row_measurements=row_measurements, cache=past.cache.without(profiles.keys())
    )


def _measurement_with_fault(m: Measurement, fault: InjectedFault, profile: Profile) -> Measurement:
    if (m.monitor, m.metric) == ("arrival", "row_count") and m.value is not None:
        return replace(m, value=float(profile.rows), n=profile.rows)
    if (m.monitor, m.metric) == ("arrival", "duplicate_share") and fault.repeated:
        return replace(m, value=fault.repeated, n=profile.rows)
    return m


def _stored_cohort_states(past: History, spec: Spec) -> CohortStates:
    """Return every stored state of every cohort."""
    return past.ledger.restatements(spec.model, past.schema.id, past.days[0], past.days[-1])


def _newest_profile_before(past: History, spec: Spec, day: date) -> Profile:
    week = [other for other in past.stored.row_counts if 0 < (day - other).days <= 7]
    if not week:
        raise WatchkeeperError(f"{spec.model}: no day of the week before {day} has a profile; a drill needs one")
    return past.cache.profiles(past.ledger, [max(week)])[max(week)]


def _mature_days(measurements: Sequence[Measurement], spec: Spec) -> int:
    """Return the age at which missed fraud is known, as the decay monitor recorded it, or the labels' horizon."""
    measured_days = next(
        (m.value for m in measurements if (m.monitor, m.metric) == ("decay", "frauds_mature_until")), None
    )
    if measured_days is not None:
        return round(measured_days)
    return spec.labels.horizon_days if spec.labels else 0


def _incident_key(incident: Incident) -> tuple[str, str, str]:
    return incident.cause, incident.feature, incident.slice


def _incident_keys(incidents: Iterable[Incident]) -> set[tuple[str, str, str]]:
    return {_incident_key(incident) for incident in incidents}


def _drilled_fault(
    spec: Spec, fault: InjectedFault, start: date, end: date, incident: Incident | None, at_stake: float | None
) -> DrilledFault:
    span = (end - start).days + 1
    a_day = None if at_stake is None or fault.touched is None else at_stake * fault.touched
    drilled = DrilledFault(spec.model, fault.name, fault.feature, start, span, gbp_per_day=a_day)
    if incident is None or incident.fired is None:
        return replace(drilled, cost_gbp=None if a_day is None else a_day * span)
    after_days = (incident.fired - start).days + 1
    named = tuple(dict.fromkeys([incident.feature, *(name.split("/")[2] for name in incident.figures)]))
    named = tuple(name for name in named if name)
    right = incident.cause in fault.causes and (not fault.feature or named[:1] == (fault.feature,))
    return replace(
        drilled, after_days=after_days, cause=str(incident.cause), named=named, right=right, summary=incident.summary,
        cost_gbp=None if a_day is None else a_day * after_days,
    )  # fmt: skip


def drilled_row(drilled: DrilledFault) -> dict[str, Any]:
    """Return what became of a fault with the keys that the documentation promises."""
    return {**vars(drilled), "named": list(drilled.named)}


def describe_drill(found: Sequence[DrilledFault]) -> str:
    """Return what a drill comes to, in words."""
    noticed = [d for d in found if d.after_days]
    right = sum(d.right for d in noticed)
    said = (
        f"{len(noticed)} of {pluralise(len(found), 'fault')} noticed, {right} of them under the right cause and column."
    )
    missed = ", ".join(d.fault for d in found if not d.after_days)
    return f"{said} Not noticed: {missed}." if missed else said
