"""Does with incidents what the API and Slack's buttons ask for, in the ledger, and shows it in their messages."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import cast

from alerting.words import day_words
from models.errors import WatchkeeperError
from service.acts import Act, Deliver, Perform, Verb
from service.desk import Desk
from warehouse.protocol import Warehouse
from watchkeeper import acts, feedback, watch
from watchkeeper.stored import Context

SILENCE_DAYS = 7
log = logging.getLogger("watchkeeper.service")


def performer(desk: Desk) -> Perform:
    """Return what does it over a desk's ledger."""

    def perform(act: Act) -> str:
        ctx, (specs, _) = _context(desk), desk.specs()
        done = f"{act.incident}: "
        if act.verb is Verb.ACKNOWLEDGE:
            return done + f"acknowledged by {acts.acknowledge(ctx, specs, act.incident, act.by, act.reason).actor}."
        if act.verb is Verb.SNOOZE:
            acts.snooze(ctx, specs, act.incident, act.by, act.reason, act.until)
            until = f"the morning of {day_words(act.until)}" if act.until else "it is resolved"
            return done + f"snoozed until {until} by {act.by}."
        if act.verb is Verb.SILENCE:
            return done + _silence(desk, ctx, act)
        feedback.not_a_problem(ctx, act.incident, act.by, act.reason)
        return done + "kept as not a problem. It changes no limit by itself; 'watchkeeper replay' shows it."

    return perform


def deliverer(desk: Desk) -> Deliver:
    """Return what sends what waits in the outbox; what can't be sent now waits for the next watch."""

    def deliver() -> None:
        try:
            watch.deliver(_context(desk), desk.specs()[0])
        except WatchkeeperError:
            log.exception("messages could not be delivered")

    return deliver


def _silence(desk: Desk, ctx: Context, act: Act) -> str:
    """Silence what is the same trouble: this model, cause and place, from its newest bad day on."""
    incident = desk.incident(act.incident)
    matchers = {name: str(getattr(incident, name)) for name in ("model", "cause", "feature", "slice")}
    end = act.until or ctx.now.date() + timedelta(days=SILENCE_DAYS)
    made = acts.add_silence(ctx, matchers, incident.last_bad, max(end, incident.last_bad), act.by, act.reason)
    return f"silenced for data up to {day_words(made.end)} by {made.by} ({made.id})."


def _context(desk: Desk) -> Context:
    return Context(desk.settings, cast("Warehouse", None), desk.ledger, desk.now())  # acts look at no table
