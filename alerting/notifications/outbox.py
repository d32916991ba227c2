"""Messages, written with the incidents, and delivered later: at least once, with nothing visible twice."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

from alerting.incidents.state import UNTOUCHED, IncidentState
from alerting.notifications.channels.errors import DeliveryError
from alerting.notifications.channels.protocol import Channel
from alerting.notifications.grouping import DIGEST, NotificationGroup, gather_notification_groups, with_group_details
from alerting.notifications.messages.group_message import render_group_message
from alerting.notifications.messages.incident_message import (
    compose_message,
    compose_thread_note,
    compose_withdrawal,
    to_plain_text,
    with_state_lines,
)
from alerting.notifications.messages.links import Links
from alerting.notifications.routes.schema import Severity
from ledger.records.incidents import Incident, Status
from ledger.records.messages import Chart, Message
from ledger.store import Ledger
from models.spec import Spec

FIRST_WAIT = timedelta(seconds=30)
LONGEST_WAIT = timedelta(hours=1)
SENDING_LEASE = timedelta(minutes=2)
"""A message that somebody began to send is left to them this long, then taken for one lost in a crash."""

GIVE_UP_AFTER = timedelta(days=3)
"""A message that couldn't be sent for so long is a dead letter: the report says so, and it is tried no more."""
LOOK_BACK_DAYS = 90
"""How far back messages are read for what a message about several incidents says of the others."""
RETRY_SPREAD_SECONDS = 1.0
"""A channel that limits the rate is asked again within a second of the time that it names, not by all at once."""
NOT_WATCHED = "-not_watched"
"""Ends the name of the message that a day wasn't watched, which is no incident and not withdrawn as one."""


@dataclass(frozen=True)
class Delivery:
    """Messages sent, those that wait for another time, and those that wait for a person to fix the settings."""

    sent: int = 0
    waiting: int = 0
    failed: int = 0

    def __add__(self, other: Delivery) -> Delivery:
        """Return both together."""
        return Delivery(self.sent + other.sent, self.waiting + other.waiting, self.failed + other.failed)


def enqueue_incident_messages(
    ledger: Ledger,
    spec: Spec,
    day: date,
    channel: str,
    links: Links,
    states_by_incident: Mapping[str, IncidentState] | None = None,
    *,
    severity_for: Callable[[Incident], Severity | None] = lambda _: Severity.MESSAGE,
    picture: Callable[[Incident], Chart | None] = lambda _: None,
) -> int:
    """Put into the outbox what changed about a model's incidents since the last message; return how many messages.

    Call it in the transaction that saves the incidents. A firing incident is 'opened' when it was never sent on this
    channel and 'updated' when it says something else than its last message; 'resolved' is sent where 'opened' was,
    also of an incident that vanished since its days were concluded anew. Pending incidents are nobody's business yet.
    ``states_by_incident`` says by id what people did: of a quiet incident nothing is sent but that it is quiet, where
    it was sent. ``severity_for`` says how severe an incident is that was never sent on this channel (None: not sent at
    all), and ``picture`` what goes with its first message.
    """
    known = states_by_incident or {}
    notified: dict[str, list[Message]] = {}
    for message in ledger.messages():
        if message.channel == channel and message.model == spec.model:
            notified.setdefault(message.incident, []).append(message)
    incidents = {incident.id: incident for incident in ledger.incidents(spec.model)}
    made = [
        _change_message(spec, incident, day, channel, links, notified.get(id_, []), known.get(id_, UNTOUCHED))
        for id_, incident in incidents.items()
    ]
    made += [
        _withdrawal_message(day, messages)
        for id_, messages in notified.items()
        if id_ not in incidents and not id_.endswith(NOT_WATCHED)
    ]
    count = 0
    for message in [message for message in made if message is not None]:
        severity = severity_for(incidents[message.incident]) if message.incident not in notified else Severity.MESSAGE
        if severity is not None:
            group_id = f"{DIGEST}-{message.day:%Y%m%d}" if severity is Severity.DIGEST else ""
            first = not any(each.sent_at for each in notified.get(message.incident, []))
            chart = picture(incidents[message.incident]) if first and message.kind != "resolved" else None
            count += ledger.enqueue(replace(message, bundle=group_id, picture=chart))
    return count


def enqueue_action(
    ledger: Ledger, spec: Spec, incident: Incident, links: Links, incident_state: IncidentState, action_number: int
) -> int:
    """Put into the outbox, for each channel where an incident was sent, what people did about it; return how many.

    Call it in the transaction that logs the action, whose number makes the message's kind: an action is sent once.
    """
    notified = ledger.messages(incident.id)
    count = 0
    for channel in sorted({message.channel for message in notified}):
        last = _last_message([message for message in notified if message.channel == channel])
        kind = f"handled {action_number}" if incident.status is Status.FIRING else "resolved"
        text, blocks = _compose_with_state(spec, incident, kind, links, incident_state)
        if last and last.text != text and (last.kind != "resolved" or kind != "resolved"):
            note = to_plain_text(incident_state.lines[-1] if incident_state.lines else "No longer snoozed.")
            day = max(last.day, incident.concluded)
            message = Message(incident.id, day, kind, channel, text, blocks, note)
            count += ledger.enqueue(with_group_details(message, spec, incident, links))
    return count


def deliver_messages(
    ledger: Ledger,
    channel: Channel,
    now: datetime,
    models: Collection[str] | None = None,
    rng: Random | None = None,
) -> Delivery:
    """Send what waits for a channel, and return what became of it; a channel that fails never raises.

    What is sent is the present: of each incident the newest message only, and incidents of one cause as one message.
    Each attempt is recorded before it is made, so that after a crash the channel looks for what came through. After a
    failure the message waits a random time, at most 30 seconds at first and twice as long each time up to an hour, and
    no less than the channel asks for; what only a person can fix is tried at every delivery. After
    ``GIVE_UP_AFTER`` a message is a dead letter. ``models`` restricts delivery to messages about these models; ``rng``
    draws the waits.
    """
    chance = rng or Random()  # noqa: S311  spreads the load, guards nothing
    result = Delivery()
    seen: set[str] = set()
    failed: set[str] = set()
    while (notification_group := _claim_next_group(ledger, channel.name, now, models, seen)) is not None:
        seen.add(notification_group.id)
        try:
            location = channel.send(render_group_message(notification_group), notification_group.location or None)
        except DeliveryError as error:
            _record_failure(ledger, notification_group, error, now, chance)
            if not error.permanent:
                break  # nor does it take the next one
            failed |= {m.incident for m in notification_group.pending}
            result += Delivery(failed=1)
        else:
            _record_sent(ledger, notification_group, location, now)
            result += Delivery(sent=1)
    waiting = {m.incident for m in ledger.unsent(channel.name) if not m.dead and _is_about(m, models)}
    return replace(result, waiting=len(waiting - failed))


def _change_message(
    spec: Spec,
    incident: Incident,
    day: date,
    channel: str,
    links: Links,
    notified: list[Message],
    incident_state: IncidentState,
) -> Message | None:
    last = _last_message(notified)
    if incident.status is Status.FIRING:
        kind = "reopened" if last and last.kind == "resolved" else "updated" if last else "opened"
    elif incident.status is Status.RESOLVED and last and last.kind != "resolved":
        kind = "resolved"
    else:
        return None
    text, blocks = _compose_with_state(spec, incident, kind, links, incident_state)
    if last and last.text == text:
        return None
    note = compose_thread_note(incident, kind)
    if incident_state.quiet and kind != "resolved":
        if last is None or kind == "reopened" or to_plain_text(incident_state.text) in last.text:
            return None
        note = to_plain_text(incident_state.lines[-1])
    notified_on = max(day, incident.concluded)
    return with_group_details(
        Message(incident.id, notified_on, kind, channel, text, blocks, note), spec, incident, links
    )


def _compose_with_state(
    spec: Spec, incident: Incident, kind: str, links: Links, incident_state: IncidentState
) -> tuple[str, list[dict[str, Any]]]:
    return with_state_lines(*compose_message(spec, incident, kind, links), incident_state.lines)


def _withdrawal_message(day: date, notified: list[Message]) -> Message | None:
    last = _last_message(notified)
    if last is None or last.kind == "resolved":
        return None
    text, blocks = compose_withdrawal(last.text)
    return Message(last.incident, max(day, last.day), "resolved", last.channel, text, blocks, text.partition("\n")[2])


def _last_message(notified: list[Message]) -> Message | None:
    return max(notified, key=lambda message: message.order, default=None)


def _is_about(message: Message, models: Collection[str] | None) -> bool:
    return models is None or message.model in models


def _claim_next_group(
    ledger: Ledger, channel: str, now: datetime, models: Collection[str] | None, seen: Collection[str]
) -> NotificationGroup | None:
    """Return the next message that is due, recorded as being tried; no other process is given the same."""
    with ledger.transaction():
        unsent = ledger.unsent(channel)
        if not unsent:
            return None
        notified = ledger.notified(channel, now.date() - timedelta(days=LOOK_BACK_DAYS))
        for notification_group in gather_notification_groups(unsent, notified, ledger.threads(channel)):
            ours = any(_is_about(m, models) for m in notification_group.pending)
            if (
                notification_group.id in seen
                or not ours
                or not all(_is_due(m, now) for m in (*notification_group.pending, *notification_group.superseded))
            ):
                continue
            attempts = max(m.attempts for m in (*notification_group.pending, *notification_group.superseded))
            begun = {"bundle": notification_group.id, "due_at": now + SENDING_LEASE, "attempts": attempts + 1}
            for m in notification_group.pending:
                first = m.first_tried_at or now
                known = {"first_tried_at": first, "line": m.line, "weight": m.weight, "group": m.group}
                ledger.record_attempt(m, sent_at=None, error=_sending_marker(now), **begun, **known)
            for m in notification_group.superseded:
                ledger.record_attempt(m, sent_at=now, error="a newer message says more", bundle=notification_group.id)
            return notification_group
    return None


def _is_due(message: Message, now: datetime) -> bool:
    # The same instant is this run again on a fixed clock, not somebody else.
    return message.due_at is None or now >= message.due_at or message.last_error == _sending_marker(now)


def _sending_marker(now: datetime) -> str:
    return f"being sent since {now.isoformat()}"


def _record_sent(ledger: Ledger, notification_group: NotificationGroup, location: str, now: datetime) -> None:
    with ledger.transaction():
        for m in notification_group.members:
            ledger.save_thread(m.incident, m.channel, location)
        for m in notification_group.pending:
            ledger.record_attempt(m, sent_at=now, error="", due_at=None)


def _record_failure(
    ledger: Ledger, notification_group: NotificationGroup, error: DeliveryError, now: datetime, rng: Random
) -> None:
    with ledger.transaction():
        for m in notification_group.pending:
            dead = now - (m.first_tried_at or now) >= GIVE_UP_AFTER
            due_at = None if error.permanent else now + _retry_wait(m, error, rng)
            ledger.record_attempt(m, sent_at=None, error=str(error), due_at=due_at, dead=dead)


def _retry_wait(message: Message, error: DeliveryError, rng: Random) -> timedelta:
    """Return a random part of the longest wait (full jitter), or what the channel asks for and a random part."""
    tries = message.attempts // 2  # each try is recorded twice: when it begins and when it ends
    longest_seconds = min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(tries, 20)).total_seconds()
    if error.retry_after_seconds is not None:
        return timedelta(seconds=error.retry_after_seconds + rng.uniform(0, RETRY_SPREAD_SECONDS))
    return timedelta(seconds=rng.uniform(0, longest_seconds))
