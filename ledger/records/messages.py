"""What people are notified of: a message in the outbox, and the chart beside it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

RETRAINING_NOTE_KINDS = ("asked", "answered", "after shadow", "rolled back")
"""Kinds of messages that say, in an incident's thread, what becomes of the retraining it asked for."""


MESSAGE_KIND_ORDER = {
    kind: order
    for order, kind in enumerate(
        ("opened", "reopened", "repeated", "updated", *RETRAINING_NOTE_KINDS, "resolved", "handled")
    )
}


@dataclass(frozen=True)
class ChartPoint:
    """A figure's value on a day, its limit, and whether it is over it."""

    day: date
    value: float
    limit: float | None = None
    bad: bool = False


@dataclass(frozen=True)
class Chart:
    """A figure over days, in their order, as it is drawn beside a message.

    ``title`` says what and in which unit, ``says`` the same as the line in words, for those who can't see it. ``unit``
    follows each value; an incident began on ``since``.
    """

    title: str
    says: str
    unit: str
    points: tuple[ChartPoint, ...]
    since: date


@dataclass(frozen=True)
class Message:
    """One thing to notify people of about an incident. Natural key: incident, day, kind, channel.

    ``kind`` is 'opened' (a new message), 'updated', 'reopened', 'resolved' or, with the number of the event that it is
    about, 'handled 7': these edit it and reply in its thread; 'repeated' says it again. One of
    RETRAINING_NOTE_KINDS adds to it what becomes of a retraining.
    ``blocks`` is Slack's Block Kit, ``text`` the same in plain words. ``sent_at`` is None until delivered.
    Messages of one ``group`` are sent as one, in which ``line`` stands for each, the greatest ``weight`` first;
    ``bundle`` names that one message, given when it is first tried or, for a digest, from the start. Until ``due_at``
    nobody tries; ``dead`` ones are tried no more. ``about`` holds the incidents as JSON, for programs; ``picture`` is
    the strongest figure, with the first message about an incident.
    """

    incident: str
    day: date
    kind: str
    channel: str
    text: str
    blocks: list[dict[str, Any]]
    thread_note: str = ""
    sent_at: datetime | None = None
    attempts: int = 0
    last_error: str = ""
    group: str = ""
    line: str = ""
    weight: tuple[float, ...] = ()
    bundle: str = ""
    first_tried_at: datetime | None = None
    due_at: datetime | None = None
    dead: bool = False
    about: tuple[dict[str, Any], ...] = ()
    picture: Chart | None = None

    @property
    def key(self) -> tuple[str, date, str, str]:
        """Return the natural key."""
        return self.incident, self.day, self.kind, self.channel

    @property
    def model(self) -> str:
        """Return the model that the incident is about: the first part of its id."""
        return self.incident.partition("-")[0]

    @property
    def order(self) -> tuple[date, int, int, str, str]:
        """Return by what messages are put in the order in which they are to be sent."""
        kind, _, number = self.kind.partition(" ") if self.kind not in MESSAGE_KIND_ORDER else (self.kind, "", "")
        return (
            self.day,
            MESSAGE_KIND_ORDER.get(kind, len(MESSAGE_KIND_ORDER)),
            int(number or 0),
            self.incident,
            self.channel,
        )
