"""What people said of incidents that were no problem: kept in the log, and shown beside what other rules report."""

from __future__ import annotations

from collections.abc import Sequence

from ledger.records.events import Event
from ledger.records.incidents import Incident
from ledger.store import Ledger
from models.errors import WatchkeeperError, did_you_mean
from watchkeeper.context import Context

NOT_A_PROBLEM = "not a problem"
"""The kind of the log's events that are feedback; they change nothing in an incident's life."""


def record_not_a_problem(ctx: Context, incident_id: str, by: str, reason: str) -> Event:
    """Keep that somebody says an incident was no problem; said again by the same person, the first time stands."""
    with ctx.ledger.transaction():
        known = {incident.id: incident for incident in ctx.ledger.incidents()}
        if incident_id not in known:
            raise WatchkeeperError(f"there is no incident '{incident_id}'{did_you_mean(incident_id, list(known))}")
        said = ctx.ledger.events(incident=incident_id, kinds=(NOT_A_PROBLEM,))
        before = [event for event in said if event.actor == by]
        if before:
            return before[0]
        model = known[incident_id].model
        return ctx.ledger.append_event(ctx.now, NOT_A_PROBLEM, reason, model=model, incident=incident_id, actor=by)


def incidents_called_no_problem(ledger: Ledger, model: str) -> list[tuple[Incident, Event]]:
    """Return the incidents of a model that somebody called no problem, each with who said so first."""
    first: dict[str, Event] = {}
    for event in ledger.events(model, kinds=(NOT_A_PROBLEM,)):
        first.setdefault(event.incident, event)
    return [(incident, first[incident.id]) for incident in ledger.incidents(model) if incident.id in first]


def feedback_about(incident: Incident, called: Sequence[tuple[Incident, Event]]) -> Event | None:
    """Return who said of an incident, or of one of the same cause and place at the same time, that it is no problem."""
    return next((event for other, event in called if is_same_trouble(other, incident)), None)


def is_same_trouble(a: Incident, b: Incident) -> bool:
    """Return whether two incidents are of one cause and place, and their times overlap."""
    together = a.opened <= (b.resolved or b.last_bad) and b.opened <= (a.resolved or a.last_bad)
    return (a.cause, a.feature, a.slice) == (b.cause, b.feature, b.slice) and together
