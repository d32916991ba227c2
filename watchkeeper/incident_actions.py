"""What people do with incidents and silences: checked, logged, and put into the outbox, in one transaction each.

The command line and the service call these; every one raises WatchkeeperError in a sentence where it can't be done.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from alerting.incidents import lifecycle
from alerting.incidents.lifecycle import EventKind, Handling
from alerting.incidents.silences import SILENCE_ADDED, SILENCE_ENDED, Silence, check_matchers, silences_from_events
from alerting.incidents.state import UNTOUCHED, IncidentState, incident_states
from alerting.notifications.outbox import enqueue_action
from alerting.notifications.routes.loading import load_routes
from ledger.events import SYSTEM_ACTOR
from ledger.records.events import Event
from ledger.records.incidents import Incident, Status
from ledger.store import Ledger
from models.errors import WatchkeeperError, did_you_mean
from models.spec import Spec
from watchkeeper.context import Context

MAX_NAME_LENGTH = 100
MAX_REASON_LENGTH = 2000


def acknowledge_incident(ctx: Context, specs: Sequence[Spec], incident: str, by: str, reason: str) -> Event:
    """Say that somebody took an incident on."""
    return _record_action(ctx, specs, incident, EventKind.ACKNOWLEDGED, by, reason)


def snooze_incident(
    ctx: Context, specs: Sequence[Spec], incident: str, by: str, reason: str, until: date | None
) -> Event:
    """Notify nobody of an incident until the morning of a day (None: until it is resolved)."""
    if until is not None and until <= ctx.now.date():
        raise WatchkeeperError(f"{incident}: can't be snoozed until {until}, which is not after {ctx.now.date()}")
    return _record_action(ctx, specs, incident, EventKind.SNOOZED, by, reason, {"until": str(until or "")})


def unsnooze_incident(ctx: Context, specs: Sequence[Spec], incident: str, by: str, reason: str) -> Event:
    """Let a snoozed incident speak again."""
    return _record_action(ctx, specs, incident, EventKind.UNSNOOZED, by, reason)


def close_incident(ctx: Context, specs: Sequence[Spec], incident: str, by: str, reason: str) -> Event:
    """End an incident whose end the data doesn't show; one that is bad on its newest day can't be closed."""
    return _record_action(ctx, specs, incident, EventKind.CLOSED, by, reason)


def add_incident_note(ctx: Context, specs: Sequence[Spec], incident: str, by: str, reason: str) -> Event:
    """Keep what a person found out about an incident."""
    return _record_action(ctx, specs, incident, EventKind.NOTED, by, reason)


def add_silence(ctx: Context, matchers: Mapping[str, str], start: date, end: date, by: str, comment: str) -> Silence:
    """Notify nobody of what the matchers fit on days of data from ``start`` to ``end``, both included."""
    kept = check_matchers(matchers, start, end)
    payload = {"matchers": kept, "start": str(start), "end": str(end)}
    ctx.ledger.append_event(
        ctx.now, SILENCE_ADDED, _checked_text(comment, "comment"), actor=_checked_name(by), payload=payload
    )
    return known_silences(ctx.ledger)[-1]


def end_silence(ctx: Context, silence: str, by: str, reason: str) -> Silence:
    """Lift a silence; what it kept quiet and still goes on is notified when its model is next watched."""
    with ctx.ledger.transaction():
        known = {each.id: each for each in known_silences(ctx.ledger)}
        if silence in {each.id for each in load_routes(ctx.settings.routes).silences}:
            raise WatchkeeperError(f"{silence} stands in {ctx.settings.routes}; take it out there")
        if silence not in known:
            raise WatchkeeperError(f"there is no silence '{silence}'{did_you_mean(silence, list(known))}")
        if known[silence].ended:
            raise WatchkeeperError(f"{silence} is ended already")
        ctx.ledger.append_event(
            ctx.now,
            SILENCE_ENDED,
            _checked_text(reason, "reason"),
            actor=_checked_name(by),
            payload={"silence": silence},
        )
    return {each.id: each for each in known_silences(ctx.ledger)}[silence]


def known_silences(ledger: Ledger) -> list[Silence]:
    """Return every silence that somebody added, also those ended or over, in the order in which they were added."""
    return silences_from_events(ledger.events(kinds=(SILENCE_ADDED, SILENCE_ENDED)))


def handlings_by_incident(ledger: Ledger, model: str | None = None) -> dict[str, Handling]:
    """Return by id what the log says of each incident (of a model)."""
    return lifecycle.handlings_from_events(ledger.events(model, kinds=list(EventKind)))


def current_incident_states(
    ctx: Context, spec: Spec, logged: Mapping[str, Handling] | None = None
) -> dict[str, IncidentState]:
    """Return by id how a model's incidents are handled, as their messages show it; ``logged`` is what the log says."""
    incidents = ctx.ledger.incidents(spec.model)
    known = [*known_silences(ctx.ledger), *load_routes(ctx.settings.routes).silences]
    said = handlings_by_incident(ctx.ledger, spec.model) if logged is None else logged
    return incident_states(spec, incidents, said, known, ctx.now)


def log_status_changes(ctx: Context, spec: Spec) -> None:
    """Log what the days say of a model's incidents and the log doesn't; in one transaction with saving them."""
    incidents = ctx.ledger.incidents(spec.model, withdrawn=True)
    for change in lifecycle.changes_to_log(handlings_by_incident(ctx.ledger, spec.model), incidents):
        ctx.ledger.append_event(
            ctx.now, change.kind, change.reason, model=spec.model, incident=change.incident, payload=change.payload
        )


def reapply_closures(ledger: Ledger, model: str, day: date, incidents: Sequence[Incident]) -> list[Incident]:
    """Return a day's incidents with those ended that somebody closed as of that day: it may be concluded anew."""
    closed = {e.incident for e in ledger.events(model, kinds=(EventKind.CLOSED,)) if e.payload["day"] == str(day)}
    return [lifecycle.close_incident(incident) if incident.id in closed else incident for incident in incidents]


def _record_action(
    ctx: Context,
    specs: Sequence[Spec],
    incident_id: str,
    kind: EventKind,
    by: str,
    reason: str,
    payload: Mapping[str, Any] | None = None,
) -> Event:
    actor, said = _checked_name(by), _checked_text(reason, "reason")
    with ctx.ledger.transaction():
        incident, spec = find_incident(ctx.ledger, specs, incident_id)
        log_status_changes(ctx, spec)  # of a ledger that is older than its log
        known = handlings_by_incident(ctx.ledger, spec.model)[incident.id]
        try:
            lifecycle.next_state(known.state, kind)
        except WatchkeeperError as error:
            raise WatchkeeperError(f"{incident.id}: {error}") from None
        if kind is EventKind.CLOSED:
            _save_closed(ctx.ledger, incident)
        event = ctx.ledger.append_event(
            ctx.now,
            kind,
            said,
            model=spec.model,
            incident=incident.id,
            actor=actor,
            payload={**(payload or {}), "day": str(incident.concluded)},
        )
        if kind is not EventKind.NOTED:
            now = {each.id: each for each in ctx.ledger.incidents(spec.model)}[incident.id]
            incident_state = current_incident_states(ctx, spec).get(incident.id, UNTOUCHED)
            enqueue_action(ctx.ledger, spec, now, ctx.settings.links, incident_state, event.number)
    return event


def _save_closed(ledger: Ledger, incident: Incident) -> None:
    closed = lifecycle.close_incident(incident)
    if closed.status is not Status.RESOLVED:
        raise WatchkeeperError(
            f"{incident.id}: is still bad on {incident.concluded}, so it can't be closed; acknowledge it, snooze it "
            "until it is resolved, or watch the day again once the data is fixed"
        )
    ledger.save_incident(closed)


def find_incident(ledger: Ledger, specs: Sequence[Spec], incident_id: str) -> tuple[Incident, Spec]:
    """Return an incident and its model file; raise WatchkeeperError where there is none."""
    known = {incident.id: incident for incident in ledger.incidents(withdrawn=True)}
    if incident_id not in known:
        raise WatchkeeperError(f"there is no incident '{incident_id}'{did_you_mean(incident_id, list(known))}")
    incident = known[incident_id]
    spec = next((spec for spec in specs if spec.model == incident.model), None)
    if spec is None:
        raise WatchkeeperError(f"{incident_id}: there is no model file of '{incident.model}' any more")
    return incident, spec


def _checked_name(by: str) -> str:
    name = by.strip()
    if not name or name.lower() == SYSTEM_ACTOR or len(name) > MAX_NAME_LENGTH or not name.isprintable():
        raise WatchkeeperError(
            f"by: must be a person's name or address of 1 to {MAX_NAME_LENGTH} characters on one line, "
            f"not '{SYSTEM_ACTOR}'"
        )
    return name


def _checked_text(text: str, what: str) -> str:
    said = text.strip()
    if not 0 < len(said) <= MAX_REASON_LENGTH:
        raise WatchkeeperError(f"{what}: must be said in 1 to {MAX_REASON_LENGTH:,} characters; it is kept in the log")
    return said
