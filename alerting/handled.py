"""What people did with an incident, as its message shows it, and whether it keeps quiet because of that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from alerting.lifecycle import Handling, snoozed_until
from alerting.silences import Silence, silenced
from alerting.words import day_words
from ledger.records import Event, Incident
from models.spec import Spec

MOST_CHARACTERS = 300


@dataclass(frozen=True)
class Handled:
    """Lines about an incident's handling, the newest matter last.

    ``quiet`` means that nobody is told anything new while it is so: a message that stands is changed once, to say so.
    """

    lines: tuple[str, ...] = ()
    quiet: bool = False

    @property
    def text(self) -> str:
        """Return the lines as a message shows them."""
        return "\n".join(self.lines)


UNHANDLED = Handled()


def handled(
    spec: Spec,
    incidents: Sequence[Incident],
    handlings: Mapping[str, Handling],
    known: Sequence[Silence],
    now: datetime,
) -> dict[str, Handled]:
    """Return how each incident of a model is handled at ``now``, by its id; ones that nobody touched are left out."""
    found = {
        incident.id: _of(handlings.get(incident.id), silenced(spec, incident, known), now) for incident in incidents
    }
    return {id_: each for id_, each in found.items() if each.lines}


def _of(handling: Handling | None, silence: Silence | None, now: datetime) -> Handled:
    lines = []
    asleep = handling.asleep(now) if handling else None
    if handling and handling.restated:
        lines.append(f"Restated: {_short(handling.restated.reason)}")
    if handling and handling.acknowledged:
        lines.append(_by("Acknowledged", handling.acknowledged))
    if handling and handling.closed:
        lines.append(_by("Closed", handling.closed))
    if asleep:
        until = snoozed_until(asleep)
        lines.append(_by(f"Snoozed until {day_words(until) if until else 'it is resolved'}", asleep))
    if silence:
        said = f"Silenced by {silence.by} for data up to {day_words(silence.end)}: {_short(silence.comment)}"
        lines.append(said)
    return Handled(tuple(lines), quiet=asleep is not None or silence is not None)


def _by(done: str, event: Event) -> str:
    return f"{done} by {event.actor} at {event.at:%H:%M} UTC on {day_words(event.at.date())}: {_short(event.reason)}"


def _short(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= MOST_CHARACTERS else flat[: MOST_CHARACTERS - 1] + "…"
