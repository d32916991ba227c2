"""An incident's whole life, as a table: what the days say of it, and what people do with it.

pending -> firing -> acknowledged -> resolved -> reopened, or pending -> withdrawn. What the days say is concluded anew
whenever data is mended (``alerting.conclude``); what people did stands in the ledger's log and is never taken back.
Both are put together here, from the log and a given time: nothing is stored that the log doesn't say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from alerting.words import counted, day_words
from ledger.records import Event, Incident, Status
from models.errors import WatchkeeperError


class State(StrEnum):
    """Where an incident is, with what people did: ``Status``, and that somebody took it on."""

    PENDING = "pending"
    FIRING = "firing"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"
    WITHDRAWN = "withdrawn"


class Kind(StrEnum):
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


BY_PEOPLE = (Kind.ACKNOWLEDGED, Kind.SNOOZED, Kind.UNSNOOZED, Kind.CLOSED, Kind.NOTED)

NEXT: dict[tuple[State | None, Kind], State] = {
    (None, Kind.NOTICED): State.PENDING,
    (None, Kind.FIRED): State.FIRING,
    (State.PENDING, Kind.FIRED): State.FIRING,
    (State.PENDING, Kind.WITHDRAWN): State.WITHDRAWN,
    (State.PENDING, Kind.REOPENED): State.FIRING,
    (State.PENDING, Kind.RESOLVED): State.RESOLVED,
    (State.FIRING, Kind.RESOLVED): State.RESOLVED,
    (State.FIRING, Kind.WITHDRAWN): State.WITHDRAWN,
    (State.FIRING, Kind.ACKNOWLEDGED): State.ACKNOWLEDGED,
    (State.FIRING, Kind.CLOSED): State.RESOLVED,
    (State.ACKNOWLEDGED, Kind.RESOLVED): State.RESOLVED,
    (State.ACKNOWLEDGED, Kind.WITHDRAWN): State.WITHDRAWN,
    (State.ACKNOWLEDGED, Kind.ACKNOWLEDGED): State.ACKNOWLEDGED,
    (State.ACKNOWLEDGED, Kind.CLOSED): State.RESOLVED,
    (State.RESOLVED, Kind.NOTICED): State.PENDING,
    (State.RESOLVED, Kind.REOPENED): State.FIRING,
    (State.RESOLVED, Kind.WITHDRAWN): State.WITHDRAWN,
    (State.WITHDRAWN, Kind.NOTICED): State.PENDING,
    (State.WITHDRAWN, Kind.FIRED): State.FIRING,
    **{(state, Kind.SNOOZED): state for state in (State.FIRING, State.ACKNOWLEDGED)},
    **{(state, Kind.UNSNOOZED): state for state in (State.FIRING, State.ACKNOWLEDGED)},
    **{(state, Kind.NOTED): state for state in State},
}
"""Where each thing that can happen leads. What isn't here can't happen; 'restated' says itself where it leads."""


@dataclass(frozen=True)
class Handling:
    """What the log says of one incident: where it is, and the newest of each thing that people did and still holds."""

    state: State
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
    kind: Kind
    reason: str
    payload: Mapping[str, Any]


def snoozed_until(event: Event) -> date | None:
    """Return the day on whose morning a snooze is over; None: until the incident is resolved."""
    return date.fromisoformat(event.payload["until"]) if event.payload.get("until") else None


def after(state: State | None, kind: Kind, payload: Mapping[str, Any] | None = None) -> State:
    """Return where something that happens leads; raise WatchkeeperError where it can't happen."""
    if kind is Kind.RESTATED:
        return State((payload or {}).get("status") or state or State.FIRING)
    if (state, kind) not in NEXT:
        froms = " or ".join(str(known) for known, what in NEXT if what is kind and known is not None)
        raise WatchkeeperError(f"it is {state or 'not known yet'} and can't be {kind}; that must be {froms}")
    return NEXT[state, kind]


def handlings(events: Iterable[Event]) -> dict[str, Handling]:
    """Return what the log says of each incident, from its events in order; other events are passed over."""
    found: dict[str, Handling] = {}
    for event in events:
        if event.incident and event.kind in set(Kind):
            found[event.incident] = _told(found.get(event.incident), event)
    return found


def _told(before: Handling | None, event: Event) -> Handling:
    kind = Kind(event.kind)
    state = after(before.state if before else None, kind, event.payload)
    if before is None or (kind in (Kind.REOPENED, Kind.FIRED) and before.state is not State.FIRING):
        # What somebody took on, put off or closed was the trouble of that time.
        return Handling(state, event.at, notes=before.notes if before else ())
    known = before if state is before.state else replace(before, state=state, since=event.at)
    return KEPT[kind](known, event) if kind in KEPT else known


KEPT: dict[Kind, Callable[[Handling, Event], Handling]] = {
    Kind.ACKNOWLEDGED: lambda known, event: replace(known, acknowledged=event),
    Kind.SNOOZED: lambda known, event: replace(known, snoozed=event),
    Kind.UNSNOOZED: lambda known, _: replace(known, snoozed=None),
    Kind.RESOLVED: lambda known, _: replace(known, snoozed=None),
    Kind.CLOSED: lambda known, event: replace(known, closed=event, snoozed=None),
    Kind.NOTED: lambda known, event: replace(known, notes=(*known.notes, event)),
    # A restatement without a metric is about the incident's state, which is told by itself.
    Kind.RESTATED: lambda known, event: replace(known, restated=event) if "metric" in event.payload else known,
}
"""What an event leaves behind, besides the state to which it leads."""


def changes(logged: Mapping[str, Handling], incidents: Iterable[Incident]) -> list[Change]:
    """Return what the log of one model doesn't say yet of its incidents, each in its newest state.

    Also of incidents that the log knows and that are gone, since their days were concluded anew.
    """
    known = {incident.id: incident for incident in incidents}
    made = [change for incident in known.values() for change in _of(logged.get(incident.id), incident)]
    for id_, handling in logged.items():
        if id_ not in known and handling.state is not State.WITHDRAWN:
            made.append(Change(id_, Kind.WITHDRAWN, GONE, {"status": str(Status.WITHDRAWN)}))
    return made


GONE = "its days were watched again after the data was mended, and it is no longer found"


STEPS: dict[tuple[Status | None, Status], tuple[Kind, ...]] = {
    (None, Status.PENDING): (Kind.NOTICED,),
    (None, Status.FIRING): (Kind.FIRED,),
    (None, Status.RESOLVED): (Kind.FIRED, Kind.RESOLVED),
    (Status.PENDING, Status.FIRING): (Kind.FIRED,),
    (Status.PENDING, Status.RESOLVED): (Kind.FIRED, Kind.RESOLVED),
    (Status.PENDING, Status.WITHDRAWN): (Kind.WITHDRAWN,),
    (Status.FIRING, Status.PENDING): (Kind.RESTATED,),
    (Status.FIRING, Status.RESOLVED): (Kind.RESOLVED,),
    (Status.FIRING, Status.WITHDRAWN): (Kind.WITHDRAWN,),
    (Status.RESOLVED, Status.PENDING): (Kind.NOTICED,),
    (Status.RESOLVED, Status.FIRING): (Kind.RESTATED,),
    (Status.RESOLVED, Status.WITHDRAWN): (Kind.WITHDRAWN,),
}
"""What happened between the status in the log and the one concluded; several days may be concluded at once."""
CAME_BACK: dict[tuple[Status | None, Status], tuple[Kind, ...]] = {
    (Status.PENDING, Status.FIRING): (Kind.REOPENED,),
    (Status.PENDING, Status.RESOLVED): (Kind.RESOLVED,),
    (Status.RESOLVED, Status.FIRING): (Kind.REOPENED,),
}
"""The same of an incident that was resolved before, where it differs."""


def _of(handling: Handling | None, incident: Incident) -> list[Change]:
    was = _status(handling)
    step = (was, incident.status)
    kinds = (CAME_BACK.get(step) if incident.reopened else None) or STEPS.get(step, ())
    return [Change(incident.id, kind, _reason(kind, was, incident), _payload(incident)) for kind in kinds]


def _status(handling: Handling | None) -> Status | None:
    """Return the status that the log last told of; None without one, and of what was withdrawn, as if it were new."""
    if handling is None or handling.state is State.WITHDRAWN:
        return None
    return Status.FIRING if handling.state is State.ACKNOWLEDGED else Status(handling.state)


def _reason(kind: Kind, was: Status | None, incident: Incident) -> str:
    if kind is Kind.NOTICED:
        again = "came back; " if was is Status.RESOLVED else ""
        return f"{again}{incident.summary}; it may be chance, and must hold before it is told"
    if kind is Kind.WITHDRAWN:
        return "it didn't hold: the next judged days were clean" if was is Status.PENDING else GONE
    if kind is Kind.RESTATED:
        now = "it isn't over" if was is Status.RESOLVED else "it hasn't held long enough"
        return f"its days were watched again: {now}. {incident.summary}"
    if kind is Kind.RESOLVED:
        return _over(incident)
    came_back = f"came back on {day_words(incident.reopened)}: " if incident.reopened else ""
    return came_back + _why(incident)


def _why(incident: Incident) -> str:
    held = "hard evidence, which needs no second day"
    if not incident.data_fault:
        held = f"it held for {counted(incident.bad_days - incident.earlier_bad_days, 'bad day')}"
    return f"{incident.summary}; {held}"


def _over(incident: Incident) -> str:
    day = day_words(incident.resolved or incident.concluded)
    if incident.clean_days == 0:
        return f"closed on {day}"
    return f"{counted(incident.clean_days, 'clean day')} up to {day}, each figure measured and ok"


def _payload(incident: Incident) -> dict[str, Any]:
    keys = ("status", "concluded", "opened", "last_bad", "bad_days", "clean_days", "amount_gbp_per_day", "summary")
    return {key: str(value) if isinstance(value := getattr(incident, key), date | Status) else value for key in keys}


def close(incident: Incident) -> Incident:
    """Return an incident that somebody closed on the day it was last concluded; one that was bad that day stays."""
    if not incident.live or incident.last_bad == incident.concluded:
        return incident
    return replace(incident, status=Status.RESOLVED, resolved=incident.concluded)
