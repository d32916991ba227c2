"""What people did with an incident, as its message shows it, and whether it is silent because of that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from alerting.incidents.lifecycle import Handling, snoozed_until
from alerting.incidents.silences import Silence, find_covering_silence
from alerting.wording import format_day
from ledger.records.events import Event
from ledger.records.incidents import Incident
from models.spec import Spec

MAX_REASON_CHARACTERS = 300


@dataclass(frozen=True)
class IncidentState:
    """Lines about an incident's handling, the newest matter last.

    ``quiet`` means that nobody is notified of anything new while it is so: a message that stands is changed once, to
    say so.
    """

    lines: tuple[str, ...] = ()
    quiet: bool = False

    @property
    def text(self) -> str:
        """Return the lines as a message shows them."""
        return "\n".join(self.lines)


UNTOUCHED = IncidentState()


def incident_states(
    spec: Spec,
    incidents: Sequence[Incident],
    handlings: Mapping[str, Handling],
    known: Sequence[Silence],
    now: datetime,
) -> dict[str, IncidentState]:
    """Return how each incident of a model is handled at ``now``, by its id; ones that nobody touched are left out."""
    found = {
        incident.id: _state_of(handlings.get(incident.id), find_covering_silence(spec, incident, known), now)
        for incident in incidents
    }
    return {id_: each for id_, each in found.items() if each.lines}


def _state_of(handling: Handling | None, silence: Silence | None, now: datetime) -> IncidentState:
    lines = []
    asleep = handling.asleep(now) if handling else None
    if handling and handling.restated:
        lines.append(f"Restated: {_one_line(handling.restated.reason)}")
    if handling and handling.acknowledged:
        lines.append(_action_line("Acknowledged", handling.acknowledged))
    if handling and handling.closed:
        lines.append(_action_line("Closed", handling.closed))
    if asleep:
        until = snoozed_until(asleep)
        lines.append(_action_line(f"Snoozed until {format_day(until) if until else 'it is resolved'}", asleep))
    if silence:
        said = f"Silenced by {silence.by} for data up to {format_day(silence.end)}: {_one_line(silence.comment)}"
        lines.append(said)
    return IncidentState(tuple(lines), quiet=asleep is not None or silence is not None)


def _action_line(done: str, event: Event) -> str:
    return (
        f"{done} by {event.actor} at {event.at:%H:%M} UTC on {format_day(event.at.date())}: {_one_line(event.reason)}"
    )


def _one_line(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= MAX_REASON_CHARACTERS else flat[: MAX_REASON_CHARACTERS - 1] + "…"
