"""What happened to an incident, day by day, in words: what was concluded, sent, done by people, and decided."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, tzinfo
from typing import Any

from ledger.records.events import Event
from ledger.records.incidents import Incident, Status
from ledger.records.messages import Message
from ledger.records.retraining import Decision
from reports.wording import formatting, naming

MOST_DAYS = 40
"""Most days of a timeline; a longer one keeps the newest and the first, and the JSON has all."""
STATUS_TITLES = {
    Status.PENDING: "Pending: it must hold before anybody is notified",
    Status.FIRING: "Open",
    Status.RESOLVED: "Resolved",
    Status.WITHDRAWN: "Withdrawn: it went away before anybody was notified",
}
ACTION_TITLES = {
    "acknowledged": "Acknowledged",
    "snoozed": "Snoozed",
    "unsnoozed": "Snooze ended",
    "closed": "Closed",
    "noted": "Noted",
}
"""What people can do with an incident, of all that the log holds."""
MESSAGE_TITLES = {
    "opened": "Notified",
    "updated": "Notified that it changed",
    "reopened": "Notified that it is back",
    "repeated": "Reminded",
    "resolved": "Notified that it is resolved",
    "handled": "Notified of what was done",
    "asked": "Asked whether to retrain",
    "answered": "Notified of the answer on retraining",
    "after shadow": "Notified how the challenger did in shadow",
    "rolled back": "Notified that the challenger was rolled back",
}
"""What each kind of message does."""
ACTION_MESSAGE_KIND = "handled"


def build_incident_timeline(
    history: Sequence[Incident],
    messages: Sequence[Message],
    decisions: Sequence[Decision],
    log: Sequence[Event],
    zone: tzinfo,
) -> list[dict[str, Any]]:
    """Return what happened by day, the newest first: the incident, messages, people, retraining decisions.

    Times are those of ``zone``. What people did stands in one line with the message that says it.
    """
    events: list[tuple[date, int, str, str]] = []
    before: Incident | None = None
    for state in sorted(history, key=lambda i: i.concluded):
        events += [(state.concluded, 0, "incident", text) for text in _describe_changes(before, state)]
        before = state
    if before is not None and len(history) > 1 and before.live:
        events.append((before.concluded, 0, "incident", f"Now: {naming.incident_headline(before)}"))
    actions = [event for event in log if event.kind in ACTION_TITLES]
    numbers = {f"{ACTION_MESSAGE_KIND} {event.number}" for event in actions}
    events += [(m.day, 1, "message", describe_delivery(m, zone)) for m in messages if m.kind not in numbers]
    events += [
        _action_event(event, [m for m in messages if m.kind == f"{ACTION_MESSAGE_KIND} {event.number}"], zone)
        for event in actions
    ]
    events += [
        (span["first"], 3, "retraining", _describe_decision(span["decision"])) for span in group_decisions(decisions)
    ]
    days = sorted({event[0] for event in events}, reverse=True)
    days = days if len(days) <= MOST_DAYS else [*days[: MOST_DAYS - 1], days[-1]]
    return [{"day": day, "events": [(kind, text) for at, _, kind, text in sorted(events) if at == day]} for day in days]


def _describe_changes(before: Incident | None, state: Incident) -> list[str]:
    if before is None:
        first = "Fired" if state.status is Status.FIRING else "Noticed"
        return [f"{first}: {naming.incident_headline(state)}"]
    said = []
    if before.status is not state.status:
        said.append(
            {Status.FIRING: "Fired", Status.RESOLVED: "Resolved"}.get(state.status, STATUS_TITLES[state.status])
        )
    if state.clean_days > before.clean_days and state.live:
        said.append(f"Clean for {formatting.pluralise(state.clean_days, 'day')}")
    return said


def _action_event(event: Event, messages: Sequence[Message], zone: tzinfo) -> tuple[date, int, str, str]:
    """Return what somebody did, why, and which channels were notified."""
    at = event.at.astimezone(zone)
    said = f"{ACTION_TITLES[event.kind]} by {event.actor} at {_format_time(event.at, zone)}"
    said += f": {event.reason}" if event.reason else ""
    channels = sorted({m.channel for m in messages if m.sent_at is not None})
    return at.date(), 2, "person", said + (f" (notified: {', '.join(channels)})" if channels else "")


def describe_acknowledgement(log: Sequence[Event], zone: tzinfo) -> str:
    """Return who has an incident and since when; empty where nobody does, or where it came back since."""
    changes = [event for event in log if event.kind in ("acknowledged", "fired", "reopened")]
    if not changes or changes[-1].kind != "acknowledged":
        return ""
    at, reason = changes[-1].at.astimezone(zone), changes[-1].reason
    said = f"by {changes[-1].actor} at {_format_time(at, zone)} on {formatting.format_short_day(at.date())}"
    return f"{said}: {reason}" if reason else said


def describe_delivery(message: Message, zone: tzinfo) -> str:
    """Return what a message did, where, and when, or that it still waits."""
    said = f"{describe_message_kind(message)} ({message.channel})"
    if message.sent_at is not None:
        return f"{said} at {_format_time(message.sent_at, zone)}"
    tried = (
        f" after {formatting.pluralise(message.attempts, 'attempt')}: {message.last_error}" if message.attempts else ""
    )
    return f"{said}: not delivered yet{tried}"


def describe_message_kind(message: Message) -> str:
    """Return what a message does, in words."""
    kind = ACTION_MESSAGE_KIND if message.kind.startswith(f"{ACTION_MESSAGE_KIND} ") else message.kind
    return MESSAGE_TITLES.get(kind, kind.capitalize())


def _format_time(at: datetime, zone: tzinfo) -> str:
    here = at.astimezone(zone)
    return f"{here:%H:%M} {here:%Z}"


def group_decisions(decisions: Iterable[Decision]) -> list[dict[str, Any]]:
    """Return decisions, the newest first, those of days in a row that refuse for one incident as one."""
    found: list[dict[str, Any]] = []
    for decision in sorted(decisions, key=lambda d: d.day, reverse=True):
        newest = found[-1]["decision"] if found else None
        same = newest and (newest.verdict, newest.incident) == (decision.verdict, decision.incident)
        if same and decision.verdict != "requested":
            found[-1]["first"] = decision.day
        else:
            found.append({"first": decision.day, "last": decision.day, "decision": decision})
    return found


def _describe_decision(decision: Decision) -> str:
    reasons = "; ".join(decision.reasons)
    return f"Retraining {decision.verdict}" + (f": {reasons}" if reasons else "")
