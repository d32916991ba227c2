"""An incident's page: what happened, how sure, how much, why, and what to do first."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from ledger.records import Decision, Incident, Measurement, Message, Status
from reports import figures, today, words
from reports.reading import Reading

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
    context = {
        "spec": reading.spec,
        "incident": incident,
        "cause": words.CAUSES[incident.cause],
        "status": STATUS[incident.status],
        "money": today.money(incident),
        "lasted": lasted(incident),
        "figures": drawn(reading, incident),
        "timeline": timeline(history, messages, decisions),
        "decisions": decisions[:6],
        "outcomes": reading.outcomes,
        "messages": messages,
        "has_page": reading.runs.keys(),
        "drilldown": f"{incident.id}-evidently.html" if drilldown else "",
    }
    machine = {
        "incident": incident, "data_fault": incident.data_fault, "history": history, "decisions": decisions,
        "messages": [{"day": m.day, "kind": m.kind, "channel": m.channel, "text": m.text, "sent_at": m.sent_at}
                     for m in messages],
    }  # fmt: skip
    return context, machine


def lasted(incident: Incident) -> str:
    """Return how long it has been going on, or went on."""
    bad = words.plural(incident.bad_days, "bad day")
    if incident.resolved:
        return f"{bad}; resolved {words.day(incident.resolved)} after {words.plural(incident.clean_days, 'clean day')}"
    clean = f", then {words.plural(incident.clean_days, 'clean day')}" if incident.clean_days else ""
    return f"{bad}, the last {words.day(incident.last_bad)}{clean}"


def drawn(reading: Reading, incident: Incident) -> list[dict[str, Any]]:
    """Return the figures over time that the incident names, in its order."""
    result = []
    for key in incident.figures[:FIGURES]:
        points = [m for m in _series(reading, key) if m.value is not None]
        if points:
            figure = figures.over_time(
                points, since=incident.opened, linked=points[0].monitor != "performance", height=210
            )
            result.append({"title": words.title(points[0]), "figure": figure, "says": _says(points, incident)})
    return result


def _series(reading: Reading, key: str) -> list[Measurement]:
    monitor, _, rest = key.partition("/")
    metric = rest.partition("/")[0]
    return [m for m in reading.series(monitor, metric) if f"{m.monitor}/{m.metric}/{m.feature}/{m.slice}" == key]


def _says(points: Sequence[Measurement], incident: Incident) -> str:
    before = [m.value for m in points if m.day < incident.opened and m.value is not None]
    during = [m for m in points if incident.opened <= m.day <= incident.last_bad] or list(points[-1:])
    newest = during[-1]
    said = f"{words.figure(newest.metric, newest.value)} on {words.short_day(newest.day)}"
    if before:
        low, high = words.figure(newest.metric, min(before)), words.figure(newest.metric, max(before))
        said += f"; {low} to {high} in {words.plural(len(before), 'day')} before"
    return f"{said}."


def timeline(
    history: Sequence[Incident], messages: Sequence[Message], decisions: Sequence[Decision]
) -> list[dict[str, Any]]:
    """Return what happened by day, the newest first: changes of the incident, messages, retraining decisions."""
    events: list[tuple[date, int, str, str]] = []
    before: Incident | None = None
    for state in sorted(history, key=lambda i: i.concluded):
        events += [(state.concluded, 0, "incident", text) for text in _changes(before, state)]
        before = state
    if before is not None and len(history) > 1 and before.live:
        events.append((before.concluded, 0, "incident", f"Now: {words.headline(before)}"))
    events += [(m.day, 1, "message", _told(m)) for m in messages]
    events += [(d.day, 2, "retraining", _decided(d)) for d in decisions]
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


def _told(message: Message) -> str:
    if message.sent_at is not None:
        return f"{message.kind.capitalize()} message delivered to {message.channel}"
    tried = f", {words.plural(message.attempts, 'attempt')}, {message.last_error}" if message.attempts else ""
    return f"{message.kind.capitalize()} message to {message.channel} waits{tried}"


def _decided(decision: Decision) -> str:
    reasons = "; ".join(decision.reasons)
    return f"Retraining {decision.verdict}" + (f": {reasons}" if reasons else "")
