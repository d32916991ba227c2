"""What is told of a day whose watch didn't come to its end in time; nothing was concluded, so it is no incident."""

from __future__ import annotations

from datetime import date

from alerting.message import escape, plain
from alerting.outbox import NOT_WATCHED
from alerting.words import day_words
from ledger.records import Message
from models.spec import Spec
from watchkeeper.stored import Context

KIND = "not watched"
"""The kind of the log's event."""


def tell(ctx: Context, spec: Spec, day: date, channel: str) -> bool:
    """Put into the outbox, once, that a day's watch is late; return whether it was put. A watched day is not late."""
    with ctx.ledger.transaction():
        if ctx.ledger.run(spec.model, day) is not None:
            return False
        said = "The watch of this day did not come to its end in time, so nobody knows whether its data is sound."
        step = "First step: look at the day's run in Airflow, and start it again."
        message = _message(
            spec, day, "opened", channel, f"🔴 {spec.name}: {day_words(day)} was not watched", said, step
        )
        put = ctx.ledger.enqueue(message)
        if put:
            ctx.ledger.append_event(ctx.now, KIND, said, model=spec.model, payload={"day": str(day)})
    return put


def over(ctx: Context, spec: Spec, day: date) -> None:
    """Put into the outbox, where it was told that a day's watch is late, that it came to its end."""
    for told in ctx.ledger.messages(_id(spec, day)):
        if told.kind == "opened":
            head = f"✅ {spec.name}: {day_words(day)} was watched, if late"
            ctx.ledger.enqueue(_message(spec, day, "resolved", told.channel, head, "What it found is told by itself."))


def _message(spec: Spec, day: date, kind: str, channel: str, head: str, *said: str) -> Message:
    text = plain("\n".join([head, *said, f"Owner: {spec.owner}"]))
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": escape(text), "verbatim": True}}]
    return Message(_id(spec, day), day, kind, channel, text, blocks, "" if kind == "opened" else head)


def _id(spec: Spec, day: date) -> str:
    return f"{spec.model}-{day:%Y%m%d}{NOT_WATCHED}"
