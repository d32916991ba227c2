"""An incident's page: what happened, how sure, how much, why, and what to do first."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from datetime import date, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from ledger.events import SYSTEM
from ledger.records import Decision, Event, Incident, Measurement, Message, Status, Verdict
from reports import figures, today, words
from reports.reading import Reading, rows
from reports.write import file_name

PROBABLE, UNKNOWN = "Probable cause: ", "Money at stake is not known: "
"""How two sentences of the evidence begin that the page shows among its facts."""
FEW = 4
"""A figure of fewer days shows nothing that the evidence doesn't say; it is drawn only where there is no better."""
SLICES, SIMILAR = 12, 8
"""Most groups and other incidents that a page names."""
FIGURES = 8
"""Most figures over time that a page draws; the evidence names the others."""
ENTRIES = 40
"""Most days of a timeline; a longer one keeps the newest and the first, and the JSON has all."""
STATUS = {
    Status.PENDING: "Pending: it must hold before anybody is told",
    Status.FIRING: "Open",
    Status.RESOLVED: "Resolved",
    Status.WITHDRAWN: "Withdrawn: it went away before anybody was told",
}


def page(reading: Reading, incident: Incident, *, drilldown: bool) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what the template of an incident's page is filled with, and the same for machines."""
    history = reading.ledger.incident_history(incident.id)
    messages = reading.ledger.messages(incident.id)
    decisions = [d for d in reading.decisions if d.incident == incident.id]
    worst, alike = worst_slices(reading, incident), similar(reading, incident)
    log = reading.ledger.events(incident=incident.id)
    zone = ZoneInfo(reading.spec.schedule.timezone)
    context = {
        "spec": reading.spec,
        "incident": incident,
        "cause": words.CAUSES[incident.cause],
        "probable": _told_of(incident, PROBABLE),
        "unknown": _told_of(incident, UNKNOWN),
        "evidence": [text for text in incident.evidence if not text.startswith((PROBABLE, UNKNOWN))],
        "status": STATUS[incident.status],
        "money": today.money(incident),
        "lasted": lasted(incident),
        "figures": drawn(reading, incident),
        "taken_on": taken_on(log, zone),
        "take_it_on": f"watchkeeper incident acknowledge {shlex.quote(incident.id)} --by YOU",
        "timeline": timeline(history, messages, decisions, zone, log),
        "feature_page": _feature_page(reading, incident),
        "worst": worst,
        "similar": alike,
        "money_of": today.money,
        "decisions": spans(decisions)[:6],
        "outcomes": reading.outcomes,
        "messages": messages,
        "has_page": reading.runs.keys(),
        "drilldown": f"{incident.id}-evidently.html" if drilldown else "",
    }
    machine = {
        "incident": incident, "data_fault": incident.data_fault, "history": history, "decisions": decisions,
        "messages": [{"day": m.day, "kind": m.kind, "channel": m.channel, "text": m.text, "sent_at": m.sent_at}
                     for m in messages],
        "worst_slices": rows(worst), "similar": [other.id for other in alike],
    }  # fmt: skip
    return context, machine


def _feature_page(reading: Reading, incident: Incident) -> str:
    """Return the page of the column that the incident is about, where it has one."""
    there = incident.feature and incident.feature in reading.features
    return f"../models/{incident.model}/features/{file_name(incident.feature)}.html" if there else ""


def worst_slices(reading: Reading, incident: Incident) -> list[Measurement]:
    """Return what the incident's own figures come to in the groups, the farthest over its limit first.

    They are of the newest bad day, or of the last before it on which groups were measured.
    """
    wanted = {tuple(key.split("/", 3)[:3]) for key in incident.figures}
    monitors = sorted({key[0] for key in wanted} - {"performance"})
    if not monitors:
        return []
    found = [
        m
        for m in reading.ledger.measurements(incident.model, as_of=incident.last_bad, monitors=monitors)
        if m.slice and m.value is not None and (m.monitor, m.metric, m.feature) in wanted
    ]
    return sorted(found, key=lambda m: (m.verdict is not Verdict.BREACH, -_times_limit(m), m.slice))[:SLICES]


def _times_limit(m: Measurement) -> float:
    return abs(m.value or 0.0) / m.limit if m.limit else abs(m.value or 0.0)


def similar(reading: Reading, incident: Incident) -> list[Incident]:
    """Return the model's other incidents of the same cause, those about the same column or group first."""
    others = [other for other in reading.incidents if other.id != incident.id and other.cause is incident.cause]
    same = (incident.feature, incident.slice)
    return sorted(others, key=lambda o: ((o.feature, o.slice) != same, -o.opened.toordinal(), o.id))[:SIMILAR]


def lasted(incident: Incident) -> str:
    """Return how long it has been going on, or went on."""
    bad = words.plural(incident.bad_days, "bad day")
    if incident.resolved:
        return f"{bad}; resolved {words.day(incident.resolved)} after {words.plural(incident.clean_days, 'clean day')}"
    clean = f", then {words.plural(incident.clean_days, 'clean day')}" if incident.clean_days else ""
    return f"{bad}, the last {words.day(incident.last_bad)}{clean}"


def drawn(reading: Reading, incident: Incident) -> list[dict[str, Any]]:
    """Return the figures over time that the incident names, in its order."""
    every = [[m for m in _series(reading, key) if m.value is not None] for key in incident.figures[:FIGURES]]
    telling = [points for points in every if len(points) >= FEW] or [points for points in every if points]
    return [
        {
            "title": words.title(points[0]),
            "figure": figures.over_time(points, since=incident.opened, height=210, link=_days(incident, points[0])),
            "says": says(points, incident),
        }
        for points in telling
    ]


def _days(incident: Incident, m: Measurement) -> str:
    """Return the folder of the days that a figure's marks lead to; a cohort day's figure is on no day's page."""
    return "" if m.monitor == "performance" else f"../models/{incident.model}/days/"


def _series(reading: Reading, key: str) -> list[Measurement]:
    monitor, _, rest = key.partition("/")
    metric = rest.partition("/")[0]
    return [m for m in reading.series(monitor, metric) if f"{m.monitor}/{m.metric}/{m.feature}/{m.slice}" == key]


def says(points: Sequence[Measurement], incident: Incident) -> str:
    """Return what a figure came to in the incident, and what it was before."""
    before = [m.value for m in points if m.day < incident.opened and m.value is not None]
    during = [m for m in points if incident.opened <= m.day <= incident.last_bad]
    newest = (during or points)[-1]
    said = words.figure(newest.metric, newest.value) if during else "no figure"
    said += f" on {words.short_day(newest.day if during else incident.last_bad)}"
    if before:
        low, high = words.figure(newest.metric, min(before)), words.figure(newest.metric, max(before))
        said += f"; it was {low} to {high} in the {words.plural(len(before), 'day')} before"
    return f"{said}."


def taken_on(log: Sequence[Event], zone: tzinfo) -> str:
    """Return who has an incident and since when; empty where nobody does, or where it came back since."""
    told = [event for event in log if event.kind in ("acknowledged", "fired", "reopened")]
    return _by(told[-1], zone) if told and told[-1].kind == "acknowledged" else ""


def _by(event: Event, zone: tzinfo) -> str:
    at = event.at.astimezone(zone)
    return f"by {event.actor} at {at:%H:%M} {at:%Z} on {words.short_day(at.date())}: {event.reason}"


def timeline(
    history: Sequence[Incident],
    messages: Sequence[Message],
    decisions: Sequence[Decision],
    zone: tzinfo,
    log: Sequence[Event] = (),
) -> list[dict[str, Any]]:
    """Return what happened by day, the newest first: changes of the incident, what people did, messages, retraining.

    Times are those of ``zone``.
    """
    events: list[tuple[date, int, str, str]] = []
    before: Incident | None = None
    for state in sorted(history, key=lambda i: i.concluded):
        events += [(state.concluded, 0, "incident", text) for text in _changes(before, state)]
        before = state
    if before is not None and len(history) > 1 and before.live:
        events.append((before.concluded, 0, "incident", f"Now: {words.headline(before)}"))
    events += [(m.day, 1, "message", _told(m, zone)) for m in messages if not m.kind.startswith("handled")]
    did = [event for event in log if event.actor != SYSTEM]
    events += [(e.at.astimezone(zone).date(), 3, "person", f"{e.kind.capitalize()} {_by(e, zone)}") for e in did]
    events += [(span["first"], 2, "retraining", _decided(span["decision"])) for span in spans(decisions)]
    days = sorted({event[0] for event in events}, reverse=True)
    days = days if len(days) <= ENTRIES else [*days[: ENTRIES - 1], days[-1]]
    return [{"day": day, "events": [(kind, text) for at, _, kind, text in sorted(events) if at == day]} for day in days]


def _changes(before: Incident | None, state: Incident) -> list[str]:
    if before is None:
        first = "Fired" if state.status is Status.FIRING else "Noticed"
        return [f"{first}: {words.headline(state)}"]
    said = []
    if before.status is not state.status:
        said.append({Status.FIRING: "Fired", Status.RESOLVED: "Resolved"}.get(state.status, STATUS[state.status]))
    if state.clean_days > before.clean_days and state.live:
        said.append(f"Clean for {words.plural(state.clean_days, 'day')}")
    return said


def _told(message: Message, zone: tzinfo) -> str:
    if message.sent_at is not None:
        at = message.sent_at.astimezone(zone)
        return f"{message.kind.capitalize()} message delivered to {message.channel} at {at:%H:%M} {at:%Z}"
    tried = f", {words.plural(message.attempts, 'attempt')}, {message.last_error}" if message.attempts else ""
    return f"{message.kind.capitalize()} message to {message.channel} waits{tried}"


def spans(decisions: Sequence[Decision]) -> list[dict[str, Any]]:
    """Return decisions, the newest first, those of days in a row that refuse for one incident as one, newest told."""
    found: list[dict[str, Any]] = []
    for decision in sorted(decisions, key=lambda d: d.day, reverse=True):
        newest = found[-1]["decision"] if found else None
        same = newest and (newest.verdict, newest.incident) == (decision.verdict, decision.incident)
        if same and decision.verdict != "requested":
            found[-1]["first"] = decision.day
        else:
            found.append({"first": decision.day, "last": decision.day, "decision": decision})
    return found


def _told_of(incident: Incident, beginning: str) -> str:
    """Return the rest of the evidence's sentence that begins so, or nothing."""
    return next((e.removeprefix(beginning) for e in incident.evidence if e.startswith(beginning)), "")


def _decided(decision: Decision) -> str:
    reasons = "; ".join(decision.reasons)
    return f"Retraining {decision.verdict}" + (f": {reasons}" if reasons else "")
