"""What people do with incidents and silences: checked, logged, and put into the outbox, in one transaction each.

The command line and the service call these; every one raises WatchkeeperError in a sentence where it can't be done.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import alerting.outbox
from alerting import lifecycle
from alerting.handled import UNHANDLED, Handled, handled
from alerting.lifecycle import Handling, Kind
from alerting.routes import load
from alerting.silences import ADDED, ENDED, Silence, checked, silences
from ledger.events import SYSTEM
from ledger.records import Event, Incident, Status
from ledger.store import Ledger
from models.errors import WatchkeeperError, did_you_mean
from models.spec import Spec
from watchkeeper.stored import Context

LONGEST_NAME = 100
LONGEST_REASON = 2000


def acknowledge(ctx: Context, specs: Sequence[Spec], incident: str, by: str, reason: str) -> Event:
    """Say that somebody took an incident on."""
    return _act(ctx, specs, incident, Kind.ACKNOWLEDGED, by, reason)


def snooze(ctx: Context, specs: Sequence[Spec], incident: str, by: str, reason: str, until: date | None) -> Event:
    """Tell nothing more of an incident until the morning of a day (None: until it is resolved)."""
    if until is not None and until <= ctx.now.date():
        raise WatchkeeperError(f"{incident}: can't be snoozed until {until}, which is not after {ctx.now.date()}")
    return _act(ctx, specs, incident, Kind.SNOOZED, by, reason, {"until": str(until or "")})


def unsnooze(ctx: Context, specs: Sequence[Spec], incident: str, by: str, reason: str) -> Event:
    """Let a snoozed incident speak again."""
    return _act(ctx, specs, incident, Kind.UNSNOOZED, by, reason)


def close(ctx: Context, specs: Sequence[Spec], incident: str, by: str, reason: str) -> Event:
    """End an incident whose end the data doesn't tell; one that is bad on its newest day can't be closed."""
    return _act(ctx, specs, incident, Kind.CLOSED, by, reason)


def note(ctx: Context, specs: Sequence[Spec], incident: str, by: str, reason: str) -> Event:
    """Keep what a person found out about an incident."""
    return _act(ctx, specs, incident, Kind.NOTED, by, reason)


def add_silence(ctx: Context, matchers: Mapping[str, str], start: date, end: date, by: str, comment: str) -> Silence:
    """Tell nobody of what the matchers fit on days of data from ``start`` to ``end``, both included."""
    kept = checked(matchers, start, end)
    payload = {"matchers": kept, "start": str(start), "end": str(end)}
    ctx.ledger.append_event(ctx.now, ADDED, _text(comment, "comment"), actor=_name(by), payload=payload)
    return known_silences(ctx.ledger)[-1]


def end_silence(ctx: Context, silence: str, by: str, reason: str) -> Silence:
    """Lift a silence; what it kept quiet and still goes on is told when its model is next watched."""
    with ctx.ledger.transaction():
        known = {each.id: each for each in known_silences(ctx.ledger)}
        if silence in {each.id for each in load().silences}:
            raise WatchkeeperError(f"{silence} stands in alerting/routes.yaml; take it out there")
        if silence not in known:
            raise WatchkeeperError(f"there is no silence '{silence}'{did_you_mean(silence, list(known))}")
        if known[silence].ended:
            raise WatchkeeperError(f"{silence} is ended already")
        ctx.ledger.append_event(ctx.now, ENDED, _text(reason, "reason"), actor=_name(by), payload={"silence": silence})
    return {each.id: each for each in known_silences(ctx.ledger)}[silence]


def known_silences(ledger: Ledger) -> list[Silence]:
    """Return every silence that somebody added, also those ended or over, in the order in which they were added."""
    return silences(ledger.events(kinds=(ADDED, ENDED)))


def handlings(ledger: Ledger, model: str | None = None) -> dict[str, Handling]:
    """Return by id what the log says of each incident (of a model)."""
    return lifecycle.handlings(ledger.events(model, kinds=list(Kind)))


def handled_now(ctx: Context, spec: Spec, logged: Mapping[str, Handling] | None = None) -> dict[str, Handled]:
    """Return by id how a model's incidents are handled, as their messages show it; ``logged`` is what the log says."""
    incidents = ctx.ledger.incidents(spec.model)
    known = [*known_silences(ctx.ledger), *load().silences]
    said = handlings(ctx.ledger, spec.model) if logged is None else logged
    return handled(spec, incidents, said, known, ctx.now)


def log_changes(ctx: Context, spec: Spec) -> None:
    """Log what the days say of a model's incidents and the log doesn't; in one transaction with saving them."""
    incidents = ctx.ledger.incidents(spec.model, withdrawn=True)
    for change in lifecycle.changes(handlings(ctx.ledger, spec.model), incidents):
        ctx.ledger.append_event(
            ctx.now, change.kind, change.reason, model=spec.model, incident=change.incident, payload=change.payload
        )


def close_again(ledger: Ledger, model: str, day: date, incidents: Sequence[Incident]) -> list[Incident]:
    """Return a day's incidents with those ended that somebody closed as of that day: it may be concluded anew."""
    closed = {e.incident for e in ledger.events(model, kinds=(Kind.CLOSED,)) if e.payload["day"] == str(day)}
    return [lifecycle.close(incident) if incident.id in closed else incident for incident in incidents]


def _act(
    ctx: Context,
    specs: Sequence[Spec],
    incident_id: str,
    kind: Kind,
    by: str,
    reason: str,
    payload: Mapping[str, Any] | None = None,
) -> Event:
    actor, said = _name(by), _text(reason, "reason")
    with ctx.ledger.transaction():
        incident, spec = found(ctx.ledger, specs, incident_id)
        log_changes(ctx, spec)  # of a ledger that is older than its log
        known = handlings(ctx.ledger, spec.model)[incident.id]
        try:
            lifecycle.after(known.state, kind)
        except WatchkeeperError as error:
            raise WatchkeeperError(f"{incident.id}: {error}") from None
        if kind is Kind.CLOSED:
            _close(ctx.ledger, incident)
        event = ctx.ledger.append_event(
            ctx.now,
            kind,
            said,
            model=spec.model,
            incident=incident.id,
            actor=actor,
            payload={**(payload or {}), "day": str(incident.concluded)},
        )
        if kind is not Kind.NOTED:
            now = {each.id: each for each in ctx.ledger.incidents(spec.model)}[incident.id]
            shown = handled_now(ctx, spec).get(incident.id, UNHANDLED)
            alerting.outbox.enqueue_act(ctx.ledger, spec, now, ctx.settings.links, shown, event.number)
    return event


def _close(ledger: Ledger, incident: Incident) -> None:
    closed = lifecycle.close(incident)
    if closed.status is not Status.RESOLVED:
        raise WatchkeeperError(
            f"{incident.id}: is still bad on {incident.concluded}, so it can't be closed; acknowledge it, snooze it "
            "until it is resolved, or watch the day again once the data is mended"
        )
    ledger.save_incident(closed)


def found(ledger: Ledger, specs: Sequence[Spec], incident_id: str) -> tuple[Incident, Spec]:
    """Return an incident and its model file; raise WatchkeeperError where there is none."""
    known = {incident.id: incident for incident in ledger.incidents(withdrawn=True)}
    if incident_id not in known:
        raise WatchkeeperError(f"there is no incident '{incident_id}'{did_you_mean(incident_id, list(known))}")
    incident = known[incident_id]
    spec = next((spec for spec in specs if spec.model == incident.model), None)
    if spec is None:
        raise WatchkeeperError(f"{incident_id}: there is no model file of '{incident.model}' any more")
    return incident, spec


def _name(by: str) -> str:
    name = by.strip()
    if not name or name.lower() == SYSTEM or len(name) > LONGEST_NAME or not name.isprintable():
        raise WatchkeeperError(
            f"by: must be a person's name or address of 1 to {LONGEST_NAME} characters on one line, not '{SYSTEM}'"
        )
    return name


def _text(text: str, what: str) -> str:
    said = text.strip()
    if not 0 < len(said) <= LONGEST_REASON:
        raise WatchkeeperError(f"{what}: must be said in 1 to {LONGEST_REASON:,} characters; it is kept in the log")
    return said
