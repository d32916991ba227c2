"""Would we notice? Faults are done to stored days in memory, and the same monitors and alert rules judge them.

Only an incident counts that the same days don't raise without the fault. Nothing is scanned and nothing written.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import partial
from typing import Any

from alerting.money import caught_gbp_per_day
from alerting.words import counted
from ledger.records import Incident, Measurement
from ledger.scratch import scratch
from models.errors import WatchkeeperError
from models.spec import Spec
from warehouse.profile import Cohort, Profile
from watchkeeper.faults import Fault, faults
from watchkeeper.history import History, conclude, fired, history
from watchkeeper.stored import Context, baseline_days, baseline_sum, profiles_of

Cohorts = dict[tuple[date, date], Cohort]
"""What was known of a cohort day as of another day, where it differs from the day before."""


@dataclass(frozen=True)
class Drilled:
    """What became of one fault. Natural key: model, fault, feature, start.

    ``after_days`` is the bad days until it was told, the first one included (None: not in ``days`` days); ``cause`` and
    ``named`` are the first incident's, its columns with the most important first. ``gbp_per_day`` is at most what the
    fault can cost a day, ``cost_gbp`` that until it was told, or over all days.
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


def drill(ctx: Context, spec: Spec, days: int = 14, seed: int = 1) -> list[Drilled]:
    """Do each fault to the last quiet stored days, and return what became of it.

    A fault of labels is judged once they are mature: it is done to cohorts as much older. Raises WatchkeeperError
    where fewer days were watched.
    """
    newest = ctx.ledger.newest_day(spec.model) or date.min
    past = history(ctx, spec, spec.baseline.start, newest)
    broken = _quiet(past, ctx.ledger.incidents(spec.model), spec, days)
    sound = {day: past.measured(spec, day, only_what_pages=True) for day in broken}
    known = _cohorts(past, spec)
    delay = _mature_days(sound[broken[-1]], spec)
    usual, _ = baseline_sum(past.ctx, spec, past.frame, broken[0])
    before = _newest_before(past, spec, broken[0])
    losing = [day for day in past.days if broken[0] <= day + timedelta(days=delay) <= broken[-1]]
    recent = {day: cohort for (day, _), cohort in sorted(known.items()) if day in set(losing)}
    at_stake = caught_gbp_per_day(sound[broken[-1]])
    alone = _keys(fired(conclude(spec, broken, lambda day: sound[day])))
    result = []
    for fault in faults(spec, past.frame, usual, before, recent, seed):
        start = broken[0] - timedelta(days=delay) if fault.late else broken[0]
        days_with = [day for day in past.days if start <= day <= broken[-1]]
        faulty = _broken(past, spec, fault, days_with, known)
        measured = partial(faulty.measured, spec)
        seen = fired(
            conclude(spec, broken, measured, until=lambda found: bool(_keys(i for i in found if i.fired) - alone))
        )
        news = next((incident for incident in seen if _key(incident) not in alone), None)
        result.append(_drilled(spec, fault, start, broken[-1], news, at_stake))
    return result


def _quiet(past: History, incidents: Sequence[Incident], spec: Spec, days: int) -> list[date]:
    """Return the newest run of watched days that no incident touches, after the baseline; else the newest days."""
    if len(past.days) <= days:
        raise WatchkeeperError(
            f"{spec.model}: {len(past.days)} days were watched; a drill of {days} days needs more than {days}"
        )
    bad = {i.opened + timedelta(days=step) for i in incidents for step in range((i.last_bad - i.opened).days + 1)}
    normal = set(baseline_days(past.ctx, spec, past.frame, past.days[-1]))
    for last in range(len(past.days), days, -1):
        run = past.days[last - days : last]
        if not bad.intersection(run) and not normal.intersection(run):
            return run
    return past.days[-days:]


def _broken(past: History, spec: Spec, fault: Fault, days: Sequence[date], known: Cohorts) -> History:
    """Return the history with the fault on some days: their profiles, what was told of their rows, and their labels."""
    ledger = scratch(past.ctx.ledger, spec.model, date.min, date.max)
    newest = {day: cohort for (day, _), cohort in sorted(known.items())}
    profiles = {
        day: fault.profile(profile, newest.get(day, Cohort()))
        for day, profile in profiles_of(past.ctx, spec, past.frame, days[0], days[-1]).items()
        if day in set(days)
    }
    ledger.save_profiles(spec.model, profiles)
    if fault.labels is not None:
        changed = {(day, as_of): fault.labels(own) for (day, as_of), own in known.items() if day in profiles}
        ledger.replace_restatements(spec.model, past.frame.id, changed)
    told = {
        day: [_as_broken(m, fault, profiles[day]) for m in own if m.monitor != "check"] if day in profiles else own
        for day, own in past.told.items()
    }
    seen = {key: profile for key, profile in past.ctx.seen.items() if key[2] not in profiles}
    return replace(past, ctx=replace(past.ctx, ledger=ledger, seen=seen, known=dict(past.ctx.known)), told=told)


def _as_broken(m: Measurement, fault: Fault, profile: Profile) -> Measurement:
    if (m.monitor, m.metric) == ("arrival", "row_count") and m.value is not None:
        return replace(m, value=float(profile.rows), n=profile.rows)
    if (m.monitor, m.metric) == ("arrival", "duplicate_share") and fault.repeated:
        return replace(m, value=fault.repeated, n=profile.rows)
    return m


def _cohorts(past: History, spec: Spec) -> Cohorts:
    """Return every stored state of every cohort."""
    ledger, frame = past.ctx.ledger, past.frame.id
    return ledger.restatements(spec.model, frame, past.days[0], past.days[-1])


def _newest_before(past: History, spec: Spec, day: date) -> Profile:
    earlier = profiles_of(past.ctx, spec, past.frame, day - timedelta(days=7), day - timedelta(days=1))
    if not earlier:
        raise WatchkeeperError(f"{spec.model}: no day of the week before {day} has a profile; a drill needs one")
    return earlier[max(earlier)]


def _mature_days(measurements: Sequence[Measurement], spec: Spec) -> int:
    """Return the age at which missed fraud is known, as the decay monitor told it, or the labels' horizon."""
    told = next((m.value for m in measurements if (m.monitor, m.metric) == ("decay", "frauds_mature_until")), None)
    if told is not None:
        return round(told)
    return spec.labels.horizon_days if spec.labels else 0


def _key(incident: Incident) -> tuple[str, str, str]:
    return incident.cause, incident.feature, incident.slice


def _is_news(alone: set[tuple[str, str, str]], found: Sequence[Incident]) -> bool:
    return any(incident.fired and _key(incident) not in alone for incident in found)


def _keys(incidents: Iterable[Incident]) -> set[tuple[str, str, str]]:
    return {_key(incident) for incident in incidents}


def _drilled(
    spec: Spec, fault: Fault, start: date, end: date, incident: Incident | None, at_stake: float | None
) -> Drilled:
    span = (end - start).days + 1
    a_day = None if at_stake is None or fault.touched is None else at_stake * fault.touched
    told = Drilled(spec.model, fault.name, fault.feature, start, span, gbp_per_day=a_day)
    if incident is None or incident.fired is None:
        return replace(told, cost_gbp=None if a_day is None else a_day * span)
    after_days = (incident.fired - start).days + 1
    named = tuple(dict.fromkeys([incident.feature, *(name.split("/")[2] for name in incident.figures)]))
    named = tuple(name for name in named if name)
    right = incident.cause in fault.causes and (not fault.feature or named[:1] == (fault.feature,))
    return replace(
        told, after_days=after_days, cause=str(incident.cause), named=named, right=right, summary=incident.summary,
        cost_gbp=None if a_day is None else a_day * after_days,
    )  # fmt: skip


def as_row(drilled: Drilled) -> dict[str, Any]:
    """Return what became of a fault with the keys that the documentation promises."""
    return {**vars(drilled), "named": list(drilled.named)}


def sentence(found: Sequence[Drilled]) -> str:
    """Return what a drill comes to, in words."""
    noticed = [d for d in found if d.after_days]
    right = sum(d.right for d in noticed)
    said = (
        f"{len(noticed)} of {counted(len(found), 'fault')} noticed, {right} of them under the right cause and column."
    )
    missed = ", ".join(d.fault for d in found if not d.after_days)
    return f"{said} Not noticed: {missed}." if missed else said
