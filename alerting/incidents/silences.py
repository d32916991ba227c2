"""Silences: what a person said beforehand that nobody is to be notified of, by matchers, for some of the data's days.

A silence speaks of the days of the data, not of the clock: one over a weekend's migration covers what is wrong with
that weekend's partitions, whenever they are watched. One that starts later is a maintenance window.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from fnmatch import fnmatchcase

import catalogue
from ledger.records.events import Event
from ledger.records.incidents import Incident
from models.errors import WatchkeeperError, did_you_mean
from models.spec import Spec

SILENCE_ADDED, SILENCE_ENDED = "silence added", "silence ended"
"""The kinds of the log's events that are about silences."""
MATCHER_NAMES = ("model", "cause", "feature", "slice", "owner", "tier")
MAX_SILENCE_DAYS = 366


@dataclass(frozen=True)
class Silence:
    """What is silenced from ``start`` to ``end`` (days of data, both included), by whom and why.

    Every matcher must match: exactly, or as a glob (``card_*``). ``ended`` says that somebody lifted it.
    """

    id: str
    matchers: Mapping[str, str]
    start: date
    end: date
    by: str
    comment: str
    ended: bool = False

    def covers(self, spec: Spec, incident: Incident) -> bool:
        """Return whether an incident's newest bad day is silenced."""
        return (
            not self.ended
            and self.start <= incident.last_bad <= self.end
            and matchers_fit(self.matchers, spec, incident)
        )


def matchers_fit(matchers: Mapping[str, str], spec: Spec, incident: Incident) -> bool:
    """Return whether every matcher fits an incident and its model file."""
    said = {
        "model": spec.model,
        "cause": str(incident.cause),
        "feature": incident.feature,
        "slice": incident.slice,
        "owner": spec.owner,
        "tier": str(spec.tier),
    }
    return all(said[name] == wanted or fnmatchcase(said[name], wanted) for name, wanted in matchers.items())


def check_matchers(matchers: Mapping[str, str], start: date, end: date) -> dict[str, str]:
    """Return matchers as they are kept; raise WatchkeeperError for ones that say nothing, or days that can't be."""
    for name in matchers:
        if name not in MATCHER_NAMES:
            raise WatchkeeperError(
                f"silence: no matcher '{name}'; accepted are {', '.join(MATCHER_NAMES)}"
                f"{did_you_mean(name, MATCHER_NAMES)}"
            )
    if not matchers or all(wanted == "*" for wanted in matchers.values()):
        raise WatchkeeperError(
            "silence: this would silence everything; give a matcher such as --model card_* "
            f"({', '.join(MATCHER_NAMES)})"
        )
    cause = matchers.get("cause", "*")
    if not any(key == cause or fnmatchcase(key, cause) for key in catalogue.CAUSES):
        known = ", ".join(catalogue.CAUSES)
        raise WatchkeeperError(
            f"silence: no cause '{cause}'; accepted are {known}{did_you_mean(cause, catalogue.CAUSES)}"
        )
    if end < start:
        raise WatchkeeperError(f"silence: its last day {end} is before its first day {start}")
    if (end - start).days >= MAX_SILENCE_DAYS:
        raise WatchkeeperError(
            f"silence: {start} to {end} is longer than {MAX_SILENCE_DAYS} days; what is to stay silent for good is "
            "better taken out of the model file, where others see it"
        )
    return {name: matchers[name] for name in MATCHER_NAMES if name in matchers}


def silences_from_events(events: Iterable[Event]) -> list[Silence]:
    """Return every silence in the log's events, in the order in which they were added."""
    found: dict[str, Silence] = {}
    for event in events:
        if event.kind == SILENCE_ADDED:
            start, end = (date.fromisoformat(event.payload[key]) for key in ("start", "end"))
            id_ = f"silence-{event.number}"
            found[id_] = Silence(id_, event.payload["matchers"], start, end, event.actor, event.reason)
        elif event.kind == SILENCE_ENDED and event.payload["silence"] in found:
            before = found[event.payload["silence"]]
            found[before.id] = replace(before, ended=True)
    return list(found.values())


def find_covering_silence(spec: Spec, incident: Incident, known: Sequence[Silence]) -> Silence | None:
    """Return the silence that covers an incident, the one that lasts longest; None where none does."""
    covering = [silence for silence in known if silence.covers(spec, incident)]
    return max(covering, key=lambda silence: (silence.end, silence.id), default=None)
