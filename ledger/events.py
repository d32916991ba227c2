"""The log of what happened, in the order in which it happened: each event holds the hash of the one before it.

One chain for the whole ledger, so that an event of one model can't be taken out without the others showing it. Writers
take turns (``ledger.storage.write_lock``), and an event's number is its key: two can't follow the same one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from ledger.records.events import Event
from ledger.storage.database import Database
from ledger.storage.tables import events as table

GENESIS_HASH = "0" * 64
"""Stands for the hash of the event before the first."""
SYSTEM_ACTOR = "system"
"""The actor of what no person did."""


def append_event(
    database: Database,
    at: datetime,
    kind: str,
    reason: str,
    *,
    model: str = "",
    incident: str = "",
    actor: str = SYSTEM_ACTOR,
    payload: Mapping[str, Any] | None = None,
) -> Event:
    """Add an event after the newest one and return it; it belongs into one transaction with what it is about.

    ``at`` has a time zone; ``payload`` is what JSON can hold.
    """
    texts = {"model": model, "incident": incident, "actor": actor, "kind": kind, "reason": reason}
    with database.transaction():
        newest = database.rows(sa.select(table.c.number, table.c.hash).order_by(table.c.number.desc()).limit(1))
        number, previous = newest[0] if newest else (0, GENESIS_HASH)
        kept = json.loads(_canonical(payload or {}))
        texts = {name: _plain(text) for name, text in texts.items()}
        event = Event(number + 1, at.astimezone(UTC), **texts, payload=kept, previous=previous, hash="")
        event = replace(event, hash=compute_event_hash(event))
        row = {**vars(event), "at": event.at.isoformat(), "payload": _canonical(kept)}
        database.write(sa.insert(table), [row])
    return event


def find_events(
    database: Database, *, model: str | None = None, incident: str | None = None, kinds: Collection[str] = ()
) -> list[Event]:
    """Return events in the order in which they happened; None and () ask nothing."""
    c = table.c
    where = [c.model == model] if model is not None else []
    where += [c.incident == incident] if incident is not None else []
    where += [c.kind.in_(sorted(kinds))] if kinds else []
    return [_event_from_row(row) for row in database.rows(sa.select(table).where(*where).order_by(c.number))]


def compute_event_hash(event: Event) -> str:
    """Return the SHA-256 of an event with the hash of the one before it, as hexadecimal digits."""
    said = [
        *(event.number, event.at.isoformat(), event.model, event.incident, event.actor, event.kind, event.reason),
        *(event.payload, event.previous),
    ]
    return hashlib.sha256(_canonical(said).encode()).hexdigest()


def describe_first_broken_event(events: Iterable[Event], heads: Collection[str] = ()) -> str:
    """Return a sentence on the first event that isn't as it was written; empty where the whole chain holds.

    ``events`` is the whole log. ``heads`` are hashes noted at earlier times: each must still be in the chain, for
    whoever can write to the database could also write a new chain, or cut off its end.
    """
    previous, seen = GENESIS_HASH, {GENESIS_HASH}
    for number, event in enumerate(events, 1):
        name = f"event {event.number} ({event.kind}, {event.at:%Y-%m-%d %H:%M} UTC)"
        if event.number != number:
            return f"event {number} is missing; the next one there is {name}"
        if event.previous != previous:
            return f"{name} doesn't follow the event before it: that one was changed or put in another's place"
        if event.hash != compute_event_hash(event):
            return f"{name} was changed after it was written"
        previous = event.hash
        seen.add(previous)
    lost = [head for head in heads if head not in seen]
    return f"no event has the noted hash {lost[0]}: the log was cut off or written anew" if lost else ""


def _event_from_row(row: Any) -> Event:
    named = dict(row._mapping)  # noqa: SLF001  SQLAlchemy's own name for it
    return Event(**named | {"at": datetime.fromisoformat(named["at"]), "payload": json.loads(named["payload"])})


def _canonical(value: Any) -> str:
    """Return the one JSON text of a value: what both databases keep, and what is hashed."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False, default=str)


def _plain(text: str) -> str:
    """Return a text as both databases keep it: no NUL, no half of a sign."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()
