"""The part of the ledger that holds messages about incidents: those to be sent, and where each was sent."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import sqlalchemy as sa

from ledger.records.messages import Message
from ledger.storage import tables
from ledger.storage.content import record_from_json, record_to_json, record_to_row
from ledger.storage.database import Database


class Outbox:
    """Messages in the order in which they are to be sent; a ledger is one of these."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def transaction(self) -> AbstractContextManager[None]:
        """Make everything saved inside one transaction: all of it is kept, or none."""
        return self.database.transaction()

    def messages(self, incident: str | None = None) -> list[Message]:
        """Return the messages (about an incident) in the order in which they are to be sent."""
        return self._messages([] if incident is None else [tables.messages.c.incident == incident])

    def unsent(self, channel: str) -> list[Message]:
        """Return what waits to be sent on a channel, and what was given up, in order."""
        c = tables.messages.c
        return self._messages([c.channel == channel, c.sent.is_(False)])

    def notified(self, channel: str, since: date) -> list[Message]:
        """Return what was sent last on a channel about each incident, of the days from ``since`` on, in order.

        Where more than one message is of an incident's last day, all of these are returned.
        """
        c = tables.messages.c
        where = (c.channel == channel, c.sent.is_(True), c.day >= since)
        last = sa.select(c.incident, sa.func.max(c.day).label("day")).where(*where).group_by(c.incident).subquery()
        query = sa.select(c.content).join(last, (c.incident == last.c.incident) & (c.day == last.c.day)).where(*where)
        return _in_order(self.database.values(query))

    def dead_letters(self) -> list[Message]:
        """Return the messages that were given up, on every channel."""
        return [m for m in self._messages([tables.messages.c.sent.is_(False)]) if m.dead]

    def retry_dead_letters(self) -> int:
        """Have what was given up tried again; return how many messages."""
        with self.transaction():
            letters = self.dead_letters()
            for m in letters:
                self.record_attempt(m, sent_at=None, error=m.last_error, dead=False, due_at=None, first_tried_at=None)
        return len(letters)

    def enqueue(self, message: Message) -> bool:
        """Put a message into the outbox unless one of the same key is there; return whether it was put."""
        with self.transaction():
            if self._messages(_same(message)):
                return False
            row = record_to_row(tables.messages, message)
            self.database.write(sa.insert(tables.messages), [row | {"sent": message.sent_at is not None}])
        return True

    def record_attempt(self, message: Message, *, sent_at: datetime | None, error: str, **more: Any) -> None:
        """Record that it was tried to send a message, and when (with a time zone) it was sent, or why it was not.

        ``more`` are other fields of the message that change with it.
        """
        at = None if sent_at is None else sent_at.astimezone(UTC)
        with self.transaction():
            for stored in self._messages(_same(message)):
                more = {"attempts": stored.attempts + 1} | more
                tried = replace(stored, sent_at=at, last_error=error, **more)
                new = {"content": record_to_json(tried), "sent": at is not None}
                self.database.write(sa.update(tables.messages).where(*_same(message)).values(**new))

    def thread(self, incident: str, channel: str) -> str | None:
        """Return where an incident's one message stands on a channel."""
        c = tables.threads.c
        found = self.database.values(sa.select(c.ts).where(c.incident == incident, c.channel == channel))
        return found[0] if found else None

    def save_thread(self, incident: str, channel: str, ts: str) -> None:
        """Record where an incident's one message stands on a channel."""
        self.database.replace(tables.threads, [{"incident": incident, "channel": channel, "ts": ts}])

    def threads(self, channel: str) -> dict[str, str]:
        """Return where each incident's message stands on a channel; those sent as one stand at the same place."""
        c = tables.threads.c
        return dict(self.database.rows(sa.select(c.incident, c.ts).where(c.channel == channel)))

    def _messages(self, where: Sequence[sa.ColumnElement[bool]]) -> list[Message]:
        return _in_order(self.database.values(sa.select(tables.messages.c.content).where(*where)))


def _in_order(contents: Sequence[str]) -> list[Message]:
    """Return stored messages in the order in which they are to be sent."""
    return sorted((record_from_json(Message, content) for content in contents), key=lambda message: message.order)


def _same(message: Message) -> list[sa.ColumnElement[bool]]:
    return [column == getattr(message, column.name) for column in tables.messages.primary_key]
