"""Does with incidents what the API and Slack's buttons ask for, in the ledger, and shows it in their messages."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import cast

from alerting.wording import format_day
from models.errors import WatchkeeperError
from service.actions import Action, Deliver, Perform, Verb
from service.app_state import AppState
from warehouse.protocol import Warehouse
from watchkeeper import incident_actions
from watchkeeper.context import Context
from watchkeeper.pipeline import watch
from watchkeeper.whatif import feedback

SILENCE_DAYS = 7
log = logging.getLogger("watchkeeper.service")


def make_performer(app_state: AppState) -> Perform:
    """Return what does it over a desk's ledger."""

    def perform(action: Action) -> str:
        ctx, (specs, _) = _context(app_state), app_state.specs()
        done = f"{action.incident}: "
        if action.verb is Verb.ACKNOWLEDGE:
            event = incident_actions.acknowledge_incident(ctx, specs, action.incident, action.by, action.reason)
            return done + f"acknowledged by {event.actor}."
        if action.verb is Verb.SNOOZE:
            incident_actions.snooze_incident(ctx, specs, action.incident, action.by, action.reason, action.until)
            until = f"the morning of {format_day(action.until)}" if action.until else "it is resolved"
            return done + f"snoozed until {until} by {action.by}."
        if action.verb is Verb.SILENCE:
            return done + _silence(app_state, ctx, action)
        feedback.record_not_a_problem(ctx, action.incident, action.by, action.reason)
        return done + "kept as not a problem. It changes no limit by itself; 'watchkeeper replay' shows it."

    return perform


def make_deliverer(app_state: AppState) -> Deliver:
    """Return what sends what waits in the outbox; what can't be sent now waits for the next watch."""

    def deliver() -> None:
        try:
            watch.deliver_messages(_context(app_state), app_state.specs()[0])
        except WatchkeeperError:
            log.exception("messages could not be delivered")

    return deliver


def _silence(app_state: AppState, ctx: Context, action: Action) -> str:
    """Silence what is the same trouble: this model, cause and place, from its newest bad day on."""
    incident = app_state.incident(action.incident)
    matchers = {name: str(getattr(incident, name)) for name in ("model", "cause", "feature", "slice")}
    end = action.until or ctx.now.date() + timedelta(days=SILENCE_DAYS)
    made = incident_actions.add_silence(
        ctx, matchers, incident.last_bad, max(end, incident.last_bad), action.by, action.reason
    )
    return f"silenced for data up to {format_day(made.end)} by {made.by} ({made.id})."


def _context(app_state: AppState) -> Context:
    return Context(
        app_state.settings, cast("Warehouse", None), app_state.ledger, app_state.now()
    )  # acts look at no table
