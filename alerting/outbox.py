"""What is to be told, written with the incidents; and told later, at least once, with nothing visible twice."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

from alerting.bundle import tell
from alerting.channels import Channel
from alerting.grouping import DIGEST, Bundle, gather, marked
from alerting.handled import UNHANDLED, Handled
from alerting.links import Links
from alerting.message import compose, handled_too, plain, thread_note, withdraw
from alerting.routes import Severity
from alerting.undeliverable import Undeliverable
from ledger.records import Incident, Message, Picture, Status
from ledger.store import Ledger
from models.spec import Spec

FIRST_WAIT = timedelta(seconds=30)
LONGEST_WAIT = timedelta(hours=1)
LEASE = timedelta(minutes=2)
"""A message that somebody began to send is left to them this long, then taken for one lost in a crash."""

GIVE_UP = timedelta(days=3)
"""A message that couldn't be told for so long is a dead letter: the report says so, and it is tried no more."""
LOOK_BACK_DAYS = 90
"""How far back messages are read for what a message about several incidents says of the others."""
RETRY_SPREAD_SECONDS = 1.0
"""A channel that limits the rate is asked again within a second of the time that it names, not by all at once."""
NOT_WATCHED = "-not_watched"
"""Ends the name under which it is told that a day wasn't watched, which is no incident and not withdrawn as one."""


@dataclass(frozen=True)
class Delivery:
    """Messages sent, those that wait for another time, and those that wait for a person to mend the settings."""

    sent: int = 0
    waiting: int = 0
    failed: int = 0

    def __add__(self, other: Delivery) -> Delivery:
        """Return both together."""
        return Delivery(self.sent + other.sent, self.waiting + other.waiting, self.failed + other.failed)


def enqueue(
    ledger: Ledger,
    spec: Spec,
    day: date,
    channel: str,
    links: Links,
    handled: Mapping[str, Handled] | None = None,
    *,
    loudness: Callable[[Incident], Severity | None] = lambda _: Severity.MESSAGE,
    picture: Callable[[Incident], Picture | None] = lambda _: None,
) -> int:
    """Put into the outbox what changed about a model's incidents since it was last told; return how many messages.

    Call it in the transaction that saves the incidents. A firing incident is 'opened' when it was never told on this
    channel and 'updated' when it says something else than its last message; 'resolved' is told where 'opened' was,
    also of an incident that vanished since its days were concluded anew. Pending incidents are nobody's business yet.
    ``handled`` says by id what people did: of a quiet incident nothing is told but that it is quiet, where it was told.
    ``loudness`` says how an incident that was never told on this channel is told there (None: not at all), and
    ``picture`` what goes with its first message.
    """
    known = handled or {}
    told: dict[str, list[Message]] = {}
    for message in ledger.messages():
        if message.channel == channel and message.model == spec.model:
            told.setdefault(message.incident, []).append(message)
    incidents = {incident.id: incident for incident in ledger.incidents(spec.model)}
    made = [
        _news(spec, incident, day, channel, links, told.get(id_, []), known.get(id_, UNHANDLED))
        for id_, incident in incidents.items()
    ]
    made += [
        _withdrawal(day, messages)
        for id_, messages in told.items()
        if id_ not in incidents and not id_.endswith(NOT_WATCHED)
    ]
    count = 0
    for message in [message for message in made if message is not None]:
        loud = loudness(incidents[message.incident]) if message.incident not in told else Severity.MESSAGE
        if loud is not None:
            bundle = f"{DIGEST}-{message.day:%Y%m%d}" if loud is Severity.DIGEST else ""
            first = not any(each.sent_at for each in told.get(message.incident, []))
            drawn = picture(incidents[message.incident]) if first and message.kind != "resolved" else None
            count += ledger.enqueue(replace(message, bundle=bundle, picture=drawn))
    return count


def enqueue_act(ledger: Ledger, spec: Spec, incident: Incident, links: Links, handled: Handled, act: int) -> int:
    """Put into the outbox, for each channel where an incident was told, how it is handled now; return how many.

    Call it in the transaction that logs the act, whose number makes the message's kind: an act is told once.
    """
    told = ledger.messages(incident.id)
    count = 0
    for channel in sorted({message.channel for message in told}):
        last = _last([message for message in told if message.channel == channel])
        kind = f"handled {act}" if incident.status is Status.FIRING else "resolved"
        text, blocks = _said(spec, incident, kind, links, handled)
        if last and last.text != text and (last.kind != "resolved" or kind != "resolved"):
            note = plain(handled.lines[-1] if handled.lines else "No longer snoozed.")
            day = max(last.day, incident.concluded)
            message = Message(incident.id, day, kind, channel, text, blocks, note)
            count += ledger.enqueue(marked(message, spec, incident, links))
    return count


def deliver(
    ledger: Ledger,
    channel: Channel,
    now: datetime,
    models: Collection[str] | None = None,
    rng: Random | None = None,
) -> Delivery:
    """Tell what waits for a channel, and return what became of it; a channel that fails never raises.

    What is told is the present: of each incident the newest message only, and incidents of one cause as one message.
    Each attempt is recorded before it is made, so that after a crash the channel looks for what came through. After a
    failure the message waits a random time, at most 30 seconds at first and twice as long each time up to an hour, and
    no less than the channel asks for; what only a person can mend is tried at every delivery. After ``GIVE_UP`` a
    message is a dead letter. ``models`` restricts delivery to messages about these models; ``rng`` draws the waits.
    """
    chance = rng or Random()  # noqa: S311  spreads the load, guards nothing
    result = Delivery()
    seen: set[str] = set()
    failed: set[str] = set()
    while (bundle := _next(ledger, channel.name, now, models, seen)) is not None:
        seen.add(bundle.id)
        try:
            place = channel.send(tell(bundle), bundle.place or None)
        except Undeliverable as error:
            _failed(ledger, bundle, error, now, chance)
            if not error.permanent:
                break  # nor does it take the next one
            failed |= {m.incident for m in bundle.news}
            result += Delivery(failed=1)
        else:
            _sent(ledger, bundle, place, now)
            result += Delivery(sent=1)
    waiting = {m.incident for m in ledger.unsent(channel.name) if not m.dead and _is_of(m, models)}
    return replace(result, waiting=len(waiting - failed))


def _news(
    spec: Spec, incident: Incident, day: date, channel: str, links: Links, told: list[Message], handled: Handled
) -> Message | None:
    last = _last(told)
    if incident.status is Status.FIRING:
        kind = "reopened" if last and last.kind == "resolved" else "updated" if last else "opened"
    elif incident.status is Status.RESOLVED and last and last.kind != "resolved":
        kind = "resolved"
    else:
        return None
    text, blocks = _said(spec, incident, kind, links, handled)
    if last and last.text == text:
        return None
    note = thread_note(incident, kind)
    if handled.quiet and kind != "resolved":
        if last is None or kind == "reopened" or plain(handled.text) in last.text:
            return None
        note = plain(handled.lines[-1])
    told_on = max(day, incident.concluded)
    return marked(Message(incident.id, told_on, kind, channel, text, blocks, note), spec, incident, links)


def _said(
    spec: Spec, incident: Incident, kind: str, links: Links, handled: Handled
) -> tuple[str, list[dict[str, Any]]]:
    return handled_too(*compose(spec, incident, kind, links), handled.lines)


def _withdrawal(day: date, told: list[Message]) -> Message | None:
    last = _last(told)
    if last is None or last.kind == "resolved":
        return None
    text, blocks = withdraw(last.text)
    return Message(last.incident, max(day, last.day), "resolved", last.channel, text, blocks, text.partition("\n")[2])


def _last(told: list[Message]) -> Message | None:
    return max(told, key=lambda message: message.order, default=None)


def _is_of(message: Message, models: Collection[str] | None) -> bool:
    return models is None or message.model in models


def _next(
    ledger: Ledger, channel: str, now: datetime, models: Collection[str] | None, seen: Collection[str]
) -> Bundle | None:
    """Return the next message that is due, recorded as being tried; no other process is given the same."""
    with ledger.transaction():
        unsent = ledger.unsent(channel)
        if not unsent:
            return None
        told = ledger.told(channel, now.date() - timedelta(days=LOOK_BACK_DAYS))
        for bundle in gather(unsent, told, ledger.threads(channel)):
            ours = any(_is_of(m, models) for m in bundle.news)
            if bundle.id in seen or not ours or not all(_is_due(m, now) for m in (*bundle.news, *bundle.older)):
                continue
            attempts = max(m.attempts for m in (*bundle.news, *bundle.older))
            begun = {"bundle": bundle.id, "due_at": now + LEASE, "attempts": attempts + 1}
            for m in bundle.news:
                first = m.first_tried_at or now
                known = {"first_tried_at": first, "line": m.line, "weight": m.weight, "group": m.group}
                ledger.record_attempt(m, sent_at=None, error=_begun(now), **begun, **known)
            for m in bundle.older:
                ledger.record_attempt(m, sent_at=now, error="a newer message says more", bundle=bundle.id)
            return bundle
    return None


def _is_due(message: Message, now: datetime) -> bool:
    # The same instant is this run again on a fixed clock, not somebody else.
    return message.due_at is None or now >= message.due_at or message.last_error == _begun(now)


def _begun(now: datetime) -> str:
    return f"being sent since {now.isoformat()}"


def _sent(ledger: Ledger, bundle: Bundle, place: str, now: datetime) -> None:
    with ledger.transaction():
        for m in bundle.members:
            ledger.save_thread(m.incident, m.channel, place)
        for m in bundle.news:
            ledger.record_attempt(m, sent_at=now, error="", due_at=None)


def _failed(ledger: Ledger, bundle: Bundle, error: Undeliverable, now: datetime, rng: Random) -> None:
    with ledger.transaction():
        for m in bundle.news:
            dead = now - (m.first_tried_at or now) >= GIVE_UP
            due_at = None if error.permanent else now + _wait(m, error, rng)
            ledger.record_attempt(m, sent_at=None, error=str(error), due_at=due_at, dead=dead)


def _wait(message: Message, error: Undeliverable, rng: Random) -> timedelta:
    """Return a random part of the longest wait (full jitter), or what the channel asks for and a random part."""
    tries = message.attempts // 2  # each try is recorded twice: when it begins and when it ends
    longest_seconds = min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(tries, 20)).total_seconds()
    if error.retry_after_seconds is not None:
        return timedelta(seconds=error.retry_after_seconds + rng.uniform(0, RETRY_SPREAD_SECONDS))
    return timedelta(seconds=rng.uniform(0, longest_seconds))
