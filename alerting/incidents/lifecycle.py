"""An incident's whole life, as a table: what the days say of it, and what people do with it.

pending -> firing -> acknowledged -> resolved -> reopened, or pending -> withdrawn. What the days say is concluded anew
whenever data is fixed (``alerting.incidents.conclude``); what people did stands in the ledger's log and is never taken
back. Both are put together here, from the log and a given time: nothing is stored that the log doesn't say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from alerting.wording import format_day, pluralise
from ledger.records.events import Event
from ledger.records.incidents import Incident, Status
from models.errors import WatchkeeperError


class LifecycleState(StrEnum):
    """Where an incident is, with what people did: ``Status``, and that somebody took it on."""

    PENDING = "pending"
    FIRING = "firing"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"
    WITHDRAWN = "withdrawn"


class EventKind(StrEnum):
    """What can happen to an incident; the first six are concluded from days, the others are done by people."""

    NOTICED = "noticed"
    FIRED = "fired"
    RESOLVED = "resolved"
    REOPENED = "reopened"
    WITHDRAWN = "withdrawn"
    RESTATED = "restated"
    ACKNOWLEDGED = "acknowledged"
    SNOOZED = "snoozed"
    UNSNOOZED = "unsnoozed"
    CLOSED = "closed"
    NOTED = "noted"


EVENTS_BY_PEOPLE = (EventKind.ACKNOWLEDGED, EventKind.SNOOZED, EventKind.UNSNOOZED, EventKind.CLOSED, EventKind.NOTED)

TRANSITIONS: dict[tuple[LifecycleState | None, EventKind], LifecycleState] = {
    (None, EventKind.NOTICED): LifecycleState.PENDING,
    (None, EventKind.FIRED): LifecycleState.FIRING,
    (LifecycleState.PENDING, EventKind.FIRED): LifecycleState.FIRING,
    (LifecycleState.PENDING, EventKind.WITHDRAWN): LifecycleState.WITHDRAWN,
    (LifecycleState.PENDING, EventKind.REOPENED): LifecycleState.FIRING,
    (LifecycleState.PENDING, EventKind.RESOLVED): LifecycleState.RESOLVED,
    (LifecycleState.FIRING, EventKind.RESOLVED): LifecycleState.RESOLVED,
    (LifecycleState.FIRING, EventKind.WITHDRAWN): LifecycleState.WITHDRAWN,
    (LifecycleState.FIRING, EventKind.ACKNOWLEDGED): LifecycleState.ACKNOWLEDGED,
    (LifecycleState.FIRING, EventKind.CLOSED): LifecycleState.RESOLVED,
    (LifecycleState.ACKNOWLEDGED, EventKind.RESOLVED): LifecycleState.RESOLVED,
    (LifecycleState.ACKNOWLEDGED, EventKind.WITHDRAWN): LifecycleState.WITHDRAWN,
    (LifecycleState.ACKNOWLEDGED, EventKind.ACKNOWLEDGED): LifecycleState.ACKNOWLEDGED,
    (LifecycleState.ACKNOWLEDGED, EventKind.CLOSED): LifecycleState.RESOLVED,
    (LifecycleState.RESOLVED, EventKind.NOTICED): LifecycleState.PENDING,
    (LifecycleState.RESOLVED, EventKind.REOPENED): LifecycleState.FIRING,
    (LifecycleState.RESOLVED, EventKind.WITHDRAWN): LifecycleState.WITHDRAWN,
    (LifecycleState.WITHDRAWN, EventKind.NOTICED): LifecycleState.PENDING,
    (LifecycleState.WITHDRAWN, EventKind.FIRED): LifecycleState.FIRING,
    **{(state, EventKind.SNOOZED): state for state in (LifecycleState.FIRING, LifecycleState.ACKNOWLEDGED)},
    **{(state, EventKind.UNSNOOZED): state for state in (LifecycleState.FIRING, LifecycleState.ACKNOWLEDGED)},
    **{(state, EventKind.NOTED): state for state in LifecycleState},
}
"""Where each thing that can happen leads. What isn't here can't happen; 'restated' says itself where it leads."""


@dataclass(frozen=True)
class Handling:
    """What the log says of one incident: where it is, and the newest of each thing that people did and still holds."""

    state: LifecycleState
    since: datetime
    acknowledged: Event | None = None
    snoozed: Event | None = None
    closed: Event | None = None
    restated: Event | None = None
    notes: tuple[Event, ...] = ()

    def asleep(self, now: datetime) -> Event | None:
        """Return the snooze that holds at ``now``: until the morning of its day, or until it is resolved."""
        if self.snoozed is None:
            return None
        until = snoozed_until(self.snoozed)
        return self.snoozed if until is None or now.date() < until else None


@dataclass(frozen=True)
class Change:
    """One step of an incident's life that isn't in the log yet."""

    incident: str
    kind: EventKind
    reason: str
    payload: Mapping[str, Any]


def snoozed_until(event: Event) -> date | None:
    """Return the day on whose morning a snooze is over; None: until the incident is resolved."""
    return date.fromisoformat(event.payload["until"]) if event.payload.get("until") else None


def next_state(
    state: LifecycleState | None, kind: EventKind, payload: Mapping[str, Any] | None = None
) -> LifecycleState:
    """Return where something that happens leads; raise WatchkeeperError where it can't happen."""
    if kind is EventKind.RESTATED:
        return LifecycleState((payload or {}).get("status") or state or LifecycleState.FIRING)
    if (state, kind) not in TRANSITIONS:
        froms = " or ".join(str(known) for known, what in TRANSITIONS if what is kind and known is not None)
        raise WatchkeeperError(f"it is {state or 'not known yet'} and can't be {kind}; that must be {froms}")
    return TRANSITIONS[state, kind]


def handlings_from_events(events: Iterable[Event]) -> dict[str, Handling]:
    """Return what the log says of each incident, from its events in order; other events are passed over."""
    found: dict[str, Handling] = {}
    for event in events:
        if event.incident and event.kind in set(EventKind):
            found[event.incident] = _apply_event(found.get(event.incident), event)
    return found


def _apply_event(before: Handling | None, event: Event) -> Handling:
    kind = EventKind(event.kind)
    state = next_state(before.state if before else None, kind, event.payload)
    if before is None or (kind in (EventKind.REOPENED, EventKind.FIRED) and before.state is not LifecycleState.FIRING):
        # What somebody took on, put off or closed was the trouble of that time.
        return Handling(state, event.at, notes=before.notes if before else ())
    known = before if state is before.state else replace(before, state=state, since=event.at)
    return EVENT_EFFECTS[kind](known, event) if kind in EVENT_EFFECTS else known


EVENT_EFFECTS: dict[EventKind, Callable[[Handling, Event], Handling]] = {
    EventKind.ACKNOWLEDGED: lambda known, event: replace(known, acknowledged=event),
    EventKind.SNOOZED: lambda known, event: replace(known, snoozed=event),
    EventKind.UNSNOOZED: lambda known, _: replace(known, snoozed=None),
    EventKind.RESOLVED: lambda known, _: replace(known, snoozed=None),
    EventKind.CLOSED: lambda known, event: replace(known, closed=event, snoozed=None),
    EventKind.NOTED: lambda known, event: replace(known, notes=(*known.notes, event)),
    # A restatement without a metric is about the incident's state, which has a message of its own.
    EventKind.RESTATED: lambda known, event: replace(known, restated=event) if "metric" in event.payload else known,
}
"""What an event leaves behind, besides the state to which it leads."""


def changes_to_log(logged: Mapping[str, Handling], incidents: Iterable[Incident]) -> list[Change]:
    """Return what the log of one model doesn't say yet of its incidents, each in its newest state.

    Also of incidents that the log knows and that are gone, since their days were concluded anew.
    """
    known = {incident.id: incident for incident in incidents}
    made = [change for incident in known.values() for change in _changes_of_incident(logged.get(incident.id), incident)]
    for id_, handling in logged.items():
        if id_ not in known and handling.state is not LifecycleState.WITHDRAWN:
            made.append(Change(id_, EventKind.WITHDRAWN, GONE_REASON, {"status": str(Status.WITHDRAWN)}))
    return made


GONE_REASON = "its days were watched again after the data was fixed, and it is no longer found"


EVENTS_BETWEEN_STATUSES: dict[tuple[Status | None, Status], tuple[EventKind, ...]] = {
    (None, Status.PENDING): (EventKind.NOTICED,),
    (None, Status.FIRING): (EventKind.FIRED,),
    (None, Status.RESOLVED): (EventKind.FIRED, EventKind.RESOLVED),
    (Status.PENDING, Status.FIRING): (EventKind.FIRED,),
    (Status.PENDING, Status.RESOLVED): (EventKind.FIRED, EventKind.RESOLVED),
    (Status.PENDING, Status.WITHDRAWN): (EventKind.WITHDRAWN,),
    (Status.FIRING, Status.PENDING): (EventKind.RESTATED,),
    (Status.FIRING, Status.RESOLVED): (EventKind.RESOLVED,),
    (Status.FIRING, Status.WITHDRAWN): (EventKind.WITHDRAWN,),
    (Status.RESOLVED, Status.PENDING): (EventKind.NOTICED,),
    (Status.RESOLVED, Status.FIRING): (EventKind.RESTATED,),
    (Status.RESOLVED, Status.WITHDRAWN): (EventKind.WITHDRAWN,),
}
"""What happened between the status in the log and the one concluded; several days may be concluded at once."""
EVENTS_AFTER_REOPENING: dict[tuple[Status | None, Status], tuple[EventKind, ...]] = {
    (Status.PENDING, Status.FIRING): (EventKind.REOPENED,),
    (Status.PENDING, Status.RESOLVED): (EventKind.RESOLVED,),
    (Status.RESOLVED, Status.FIRING): (EventKind.REOPENED,),
}
"""The same of an incident that was resolved before, where it differs."""


def _changes_of_incident(handling: Handling | None, incident: Incident) -> list[Change]:
    was = _logged_status(handling)
    step = (was, incident.status)
    kinds = (EVENTS_AFTER_REOPENING.get(step) if incident.reopened else None) or EVENTS_BETWEEN_STATUSES.get(step, ())
    return [Change(incident.id, kind, _change_reason(kind, was, incident), _change_payload(incident)) for kind in kinds]


def _logged_status(handling: Handling | None) -> Status | None:
    """Return the status that stands last in the log; None without one, and of what was withdrawn, as if it were new."""
    if handling is None or handling.state is LifecycleState.WITHDRAWN:
        return None
    return Status.FIRING if handling.state is LifecycleState.ACKNOWLEDGED else Status(handling.state)


def _change_reason(kind: EventKind, was: Status | None, incident: Incident) -> str:
    if kind is EventKind.NOTICED:
        again = "came back; " if was is Status.RESOLVED else ""
        return f"{again}{incident.summary}; it may be chance, and must hold before anybody is notified"
    if kind is EventKind.WITHDRAWN:
        return "it didn't hold: the next judged days were clean" if was is Status.PENDING else GONE_REASON
    if kind is EventKind.RESTATED:
        now = "it isn't over" if was is Status.RESOLVED else "it hasn't held long enough"
        return f"its days were watched again: {now}. {incident.summary}"
    if kind is EventKind.RESOLVED:
        return _resolution_reason(incident)
    came_back = f"came back on {format_day(incident.reopened)}: " if incident.reopened else ""
    return came_back + _firing_reason(incident)


def _firing_reason(incident: Incident) -> str:
    held = "hard evidence, which needs no second day"
    if not incident.data_fault:
        held = f"it held for {pluralise(incident.bad_days - incident.earlier_bad_days, 'bad day')}"
    return f"{incident.summary}; {held}"


def _resolution_reason(incident: Incident) -> str:
    day = format_day(incident.resolved or incident.concluded)
    if incident.clean_days == 0:
        return f"closed on {day}"
    return f"{pluralise(incident.clean_days, 'clean day')} up to {day}, each figure measured and ok"


def _change_payload(incident: Incident) -> dict[str, Any]:
    keys = ("status", "concluded", "opened", "last_bad", "bad_days", "clean_days", "amount_gbp_per_day", "summary")
    return {key: str(value) if isinstance(value := getattr(incident, key), date | Status) else value for key in keys}


def close_incident(incident: Incident) -> Incident:
    """Return an incident that somebody closed on the day it was last concluded; one that was bad that day stays."""
    if not incident.live or incident.last_bad == incident.concluded:
        return incident
    return replace(incident, status=Status.RESOLVED, resolved=incident.concluded)
