"""What is to be told, written with the incidents; and told later, at least once, with nothing visible twice."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from alerting.channels import Channel
from alerting.handled import UNHANDLED, Handled
from alerting.message import compose, handled_too, plain, thread_note, withdraw
from alerting.undeliverable import Undeliverable
from ledger.records import Incident, Message, Status
from ledger.store import Ledger
from models.spec import Spec

FIRST_WAIT = timedelta(seconds=30)
LONGEST_WAIT = timedelta(hours=1)
LEASE = timedelta(minutes=2)
"""A message that somebody began to send is left to them this long, then taken for one lost in a crash."""

NOT_WATCHED = "-not_watched"
"""Ends the name under which it is told that a day wasn't watched, which is no incident and not withdrawn as one."""

_NEXT_TRY = re.compile(r"next try from (\S+)$")
_BEING_SENT = re.compile(r"^being sent since (\S+)$")


@dataclass(frozen=True)
class Delivery:
    """Messages sent, those that wait for another time, and those that wait for a person to mend the settings."""

    sent: int = 0
    waiting: int = 0
    failed: int = 0


def enqueue(
    ledger: Ledger,
    spec: Spec,
    day: date,
    channel: str,
    site_url: str,
    handled: Mapping[str, Handled] | None = None,
) -> int:
    """Put into the outbox what changed about a model's incidents since it was last told; return how many messages.

    Call it in the transaction that saves the incidents. A firing incident is 'opened' when it was never told on this
    channel and 'updated' when it says something else than its last message; 'resolved' is told where 'opened' was,
    also of an incident that vanished since its days were concluded anew. Pending incidents are nobody's business yet.
    ``handled`` says by id what people did: of a quiet incident nothing is told but that it is quiet, where it was told.
    """
    known = handled or {}
    told: dict[str, list[Message]] = {}
    for message in ledger.messages():
        if message.channel == channel and model_of(message) == spec.model:
            told.setdefault(message.incident, []).append(message)
    incidents = {incident.id: incident for incident in ledger.incidents(spec.model)}
    made = [
        _news(spec, incident, day, channel, site_url, told.get(id_, []), known.get(id_, UNHANDLED))
        for id_, incident in incidents.items()
    ]
    made += [
        _withdrawal(day, messages)
        for id_, messages in told.items()
        if id_ not in incidents and not id_.endswith(NOT_WATCHED)
    ]
    return sum(ledger.enqueue(message) for message in made if message is not None)


def enqueue_act(ledger: Ledger, spec: Spec, incident: Incident, site_url: str, handled: Handled, act: int) -> int:
    """Put into the outbox, for each channel where an incident was told, how it is handled now; return how many.

    Call it in the transaction that logs the act, whose number makes the message's kind: an act is told once.
    """
    told = ledger.messages(incident.id)
    count = 0
    for channel in sorted({message.channel for message in told}):
        last = _last([message for message in told if message.channel == channel])
        kind = f"handled {act}" if incident.status is Status.FIRING else "resolved"
        text, blocks = _said(spec, incident, kind, site_url, handled)
        if last and last.text != text and (last.kind != "resolved" or kind != "resolved"):
            note = plain(handled.lines[-1] if handled.lines else "No longer snoozed.")
            day = max(last.day, incident.concluded)
            count += ledger.enqueue(Message(incident.id, day, kind, channel, text, blocks, note))
    return count


def deliver(ledger: Ledger, channel: Channel, now: datetime, models: Collection[str] | None = None) -> Delivery:
    """Tell what waits for a channel, in order, and return what became of it; a channel that fails never raises.

    Each attempt is recorded before it is made, so that after a crash the channel looks for what came through. After a
    failure the message waits twice as long each time (30 seconds to an hour), or as long as the channel asks; what
    only a person can mend is tried at every delivery. Later messages about the same incident wait behind it.
    ``models`` restricts delivery to incidents of these models.
    """
    sent = waiting = failed = 0
    held: set[str] = set()
    reachable = True
    for message in ledger.unsent(channel.name):
        if models is not None and model_of(message) not in models:
            continue
        if not reachable or message.incident in held or not _is_due(message, now) or not _claim(ledger, message, now):
            held.add(message.incident)
            waiting += 1
            continue
        try:
            _send(ledger, channel, message, now)
            sent += 1
        except Undeliverable as error:
            ledger.record_attempt(message, sent_at=None, error=_failure(message, error, now))
            held.add(message.incident)
            reachable = error.permanent
            failed += error.permanent
            waiting += not error.permanent
    return Delivery(sent, waiting, failed)


def model_of(message: Message) -> str:
    """Return the model that a message's incident is about: the first part of its id."""
    return message.incident.partition("-")[0]


def _news(
    spec: Spec, incident: Incident, day: date, channel: str, site_url: str, told: list[Message], handled: Handled
) -> Message | None:
    last = _last(told)
    if incident.status is Status.FIRING:
        kind = "reopened" if last and last.kind == "resolved" else "updated" if last else "opened"
    elif incident.status is Status.RESOLVED and last and last.kind != "resolved":
        kind = "resolved"
    else:
        return None
    text, blocks = _said(spec, incident, kind, site_url, handled)
    if last and last.text == text:
        return None
    note = thread_note(incident, kind)
    if handled.quiet and kind != "resolved":
        if last is None or kind == "reopened" or plain(handled.text) in last.text:
            return None
        note = plain(handled.lines[-1])
    told_on = max(day, incident.concluded)
    return Message(incident.id, told_on, kind, channel, text, blocks, note)


def _said(
    spec: Spec, incident: Incident, kind: str, site_url: str, handled: Handled
) -> tuple[str, list[dict[str, Any]]]:
    return handled_too(*compose(spec, incident, kind, site_url), handled.lines)


def _withdrawal(day: date, told: list[Message]) -> Message | None:
    last = _last(told)
    if last is None or last.kind == "resolved":
        return None
    text, blocks = withdraw(last.text)
    return Message(last.incident, max(day, last.day), "resolved", last.channel, text, blocks, text.partition("\n")[2])


def _last(told: list[Message]) -> Message | None:
    return max(told, key=lambda message: message.order, default=None)


def _is_due(message: Message, now: datetime) -> bool:
    if waits := _NEXT_TRY.search(message.last_error):
        return now >= datetime.fromisoformat(waits[1])
    if begun := _BEING_SENT.match(message.last_error):
        since = datetime.fromisoformat(begun[1])
        # The same instant is this run again on a fixed clock, not somebody else.
        return now == since or now >= since + LEASE
    return True


def _claim(ledger: Ledger, message: Message, now: datetime) -> bool:
    """Record that an attempt begins, unless another process was faster."""
    with ledger.transaction():
        for stored in ledger.messages(message.incident):
            if (stored.day, stored.kind, stored.channel) == (message.day, message.kind, message.channel):
                if stored.sent_at is not None or stored.attempts != message.attempts:
                    return False
                ledger.record_attempt(message, sent_at=None, error=f"being sent since {now.isoformat()}")
                return True
    return False


def _send(ledger: Ledger, channel: Channel, message: Message, now: datetime) -> None:
    ts = channel.send(message, ledger.thread(message.incident, channel.name))
    with ledger.transaction():
        ledger.save_thread(message.incident, channel.name, ts)
        ledger.record_attempt(message, sent_at=now, error="")


def _failure(message: Message, error: Undeliverable, now: datetime) -> str:
    if error.permanent:
        return str(error)
    tries = message.attempts // 2  # each try is recorded twice: when it begins and when it ends
    wait = min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(tries, 20))
    if error.retry_after_seconds is not None:
        wait = max(wait, timedelta(seconds=error.retry_after_seconds))
    return f"{error}; next try from {(now + wait).isoformat()}"
