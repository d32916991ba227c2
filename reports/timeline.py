"""What happened to an incident, day by day, in words: what was concluded, told, done by people, and decided."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, tzinfo
from typing import Any

from ledger.records import Decision, Event, Incident, Message, Status
from reports import words

ENTRIES = 40
"""Most days of a timeline; a longer one keeps the newest and the first, and the JSON has all."""
STATUS = {
    Status.PENDING: "Pending: it must hold before anybody is told",
    Status.FIRING: "Open",
    Status.RESOLVED: "Resolved",
    Status.WITHDRAWN: "Withdrawn: it went away before anybody was told",
}
DONE = {
    "acknowledged": "Acknowledged",
    "snoozed": "Snoozed",
    "unsnoozed": "Snooze ended",
    "closed": "Closed",
    "noted": "Noted",
}
"""What people can do with an incident, of all that the log holds."""
TOLD = {
    "opened": "Told",
    "updated": "Told that it changed",
    "reopened": "Told that it is back",
    "repeated": "Reminded",
    "resolved": "Told that it is over",
    "handled": "Told what was done",
    "asked": "Asked whether to retrain",
    "answered": "Told the answer on retraining",
    "after shadow": "Told how the challenger did in shadow",
    "rolled back": "Told that the challenger was rolled back",
}
"""What each kind of message does."""
HANDLED = "handled"


def timeline(
    history: Sequence[Incident],
    messages: Sequence[Message],
    decisions: Sequence[Decision],
    log: Sequence[Event],
    zone: tzinfo,
) -> list[dict[str, Any]]:
    """Return what happened by day, the newest first: the incident, messages, people, retraining decisions.

    Times are those of ``zone``. What people did is told in one line with the message that says it.
    """
    events: list[tuple[date, int, str, str]] = []
    before: Incident | None = None
    for state in sorted(history, key=lambda i: i.concluded):
        events += [(state.concluded, 0, "incident", text) for text in _changes(before, state)]
        before = state
    if before is not None and len(history) > 1 and before.live:
        events.append((before.concluded, 0, "incident", f"Now: {words.headline(before)}"))
    acts = [event for event in log if event.kind in DONE]
    numbers = {f"{HANDLED} {event.number}" for event in acts}
    events += [(m.day, 1, "message", told(m, zone)) for m in messages if m.kind not in numbers]
    events += [_act(event, [m for m in messages if m.kind == f"{HANDLED} {event.number}"], zone) for event in acts]
    events += [(span["first"], 3, "retraining", _decided(span["decision"])) for span in spans(decisions)]
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


def _act(event: Event, messages: Sequence[Message], zone: tzinfo) -> tuple[date, int, str, str]:
    """Return what somebody did, why, and where it was told."""
    at = event.at.astimezone(zone)
    said = f"{DONE[event.kind]} by {event.actor} at {_clock(event.at, zone)}"
    said += f": {event.reason}" if event.reason else ""
    channels = sorted({m.channel for m in messages if m.sent_at is not None})
    return at.date(), 2, "person", said + (f" (told in {', '.join(channels)})" if channels else "")


def taken_on(log: Sequence[Event], zone: tzinfo) -> str:
    """Return who has an incident and since when; empty where nobody does, or where it came back since."""
    changes = [event for event in log if event.kind in ("acknowledged", "fired", "reopened")]
    if not changes or changes[-1].kind != "acknowledged":
        return ""
    at, reason = changes[-1].at.astimezone(zone), changes[-1].reason
    said = f"by {changes[-1].actor} at {_clock(at, zone)} on {words.short_day(at.date())}"
    return f"{said}: {reason}" if reason else said


def told(message: Message, zone: tzinfo) -> str:
    """Return what a message did, where, and when, or that it still waits."""
    said = f"{did(message)} in {message.channel}"
    if message.sent_at is not None:
        return f"{said} at {_clock(message.sent_at, zone)}"
    tried = f" after {words.plural(message.attempts, 'attempt')}: {message.last_error}" if message.attempts else ""
    return f"{said}: not delivered yet{tried}"


def did(message: Message) -> str:
    """Return what a message does, in words."""
    kind = HANDLED if message.kind.startswith(f"{HANDLED} ") else message.kind
    return TOLD.get(kind, kind.capitalize())


def _clock(at: datetime, zone: tzinfo) -> str:
    here = at.astimezone(zone)
    return f"{here:%H:%M} {here:%Z}"


def spans(decisions: Iterable[Decision]) -> list[dict[str, Any]]:
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


def _decided(decision: Decision) -> str:
    reasons = "; ".join(decision.reasons)
    return f"Retraining {decision.verdict}" + (f": {reasons}" if reasons else "")
