"""What is said again: to others when nobody takes an incident on, and once more when it lasts."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from alerting.notifications.messages.blocks import context_block
from alerting.notifications.messages.incident_message import to_mrkdwn
from alerting.notifications.routes.schema import Routes, Severity
from alerting.notifications.routes.severity import further_channels, severity_of
from alerting.wording import pluralise
from ledger.records.incidents import Incident, Status
from ledger.records.messages import Message
from ledger.store import Ledger
from models.spec import Spec


def enqueue_reminders(
    ledger: Ledger, spec: Spec, routes: Routes, channel: str, now: datetime, taken_on: Collection[str] = ()
) -> int:
    """Put reminders of a model's firing incidents into the outbox; return how many.

    An incident that was sent to its owner's ``channel`` and that nobody took on is sent to the further channels of
    each rule whose ``after_hours`` are over, and repeated on ``channel`` every ``repeat_days``. ``taken_on`` are the
    ids of those that somebody acknowledged, snoozed or silenced. What stands in a digest is never repeated.
    """
    count = 0
    with ledger.transaction():
        for incident in ledger.incidents(spec.model):
            quiet = incident.status is not Status.FIRING or incident.id in taken_on
            if quiet or severity_of(routes, spec, incident) is Severity.DIGEST:
                continue
            messages = ledger.messages(incident.id)
            notified = [m for m in messages if m.channel == channel and m.sent_at is not None]
            if notified:
                made = [
                    *_escalations(routes, spec, incident, messages, notified, now),
                    *_repetitions(routes, notified, now),
                ]
                count += sum(ledger.enqueue(message) for message in made)
    return count


def _escalations(
    routes: Routes,
    spec: Spec,
    incident: Incident,
    messages: Sequence[Message],
    notified: Sequence[Message],
    now: datetime,
) -> list[Message]:
    waited = now - min(m.sent_at for m in notified if m.sent_at is not None)
    hours = waited / timedelta(hours=1)
    known = {m.channel for m in messages}
    said = f"Nobody has taken this on for {pluralise(int(hours), 'hour')}."
    names = [name for name in further_channels(routes, spec, incident, hours) if name not in known]
    return [_message_again(notified[-1], name, "opened", said, notified[-1].day) for name in names]


def _repetitions(routes: Routes, notified: Sequence[Message], now: datetime) -> list[Message]:
    if routes.repeat_days is None:
        return []
    last_notified = max(
        m.sent_at for m in notified if m.sent_at is not None and m.kind in ("opened", "repeated", "reopened")
    )
    days = (now.date() - notified[0].day).days
    if now - last_notified < timedelta(days=routes.repeat_days):
        return []
    said = f"Still open after {pluralise(days, 'day')}, and taken on by nobody."
    return [replace(_message_again(notified[-1], notified[-1].channel, "repeated", "", now.date()), thread_note=said)]


def _message_again(message: Message, channel: str, kind: str, said: str, day: date) -> Message:
    """Return a message to be sent anew, with a sentence below its head."""
    head, _, rest = message.text.partition("\n")
    text = "\n".join([head, *([said] if said else []), rest])
    blocks = [*message.blocks[:1], *([context_block(to_mrkdwn(said))] if said else []), *message.blocks[1:]]
    return Message(
        incident=message.incident,
        day=day,
        kind=kind,
        channel=channel,
        text=text,
        blocks=blocks,
        group=message.group,
        line=message.line,
        weight=message.weight,
        about=message.about,
        bundle=message.bundle if channel == message.channel else "",
    )
