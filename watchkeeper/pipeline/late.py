"""Notifies of a day whose watch wasn't completed in time; nothing was concluded, so it is no incident."""

from __future__ import annotations

from datetime import date

from alerting.notifications.messages.incident_message import escape_for_slack, to_plain_text
from alerting.notifications.outbox import NOT_WATCHED
from alerting.wording import format_day
from ledger.records.messages import Message
from models.spec import Spec
from watchkeeper.context import Context

NOT_WATCHED_KIND = "not watched"
"""The kind of the log's event."""


def notify_late_day(ctx: Context, spec: Spec, day: date, channel: str) -> bool:
    """Put into the outbox, once, that a day's watch is late; return whether it was put. A watched day is not late."""
    with ctx.ledger.transaction():
        if ctx.ledger.run(spec.model, day) is not None:
            return False
        said = "The watch of this day was not completed in time, so nobody knows whether its data is sound."
        step = "First step: look at the day's run in Airflow, and start it again."
        message = _late_message(
            spec, day, "opened", channel, f"🔴 {spec.name}: {format_day(day)} was not watched", said, step
        )
        put = ctx.ledger.enqueue(message)
        if put:
            ctx.ledger.append_event(ctx.now, NOT_WATCHED_KIND, said, model=spec.model, payload={"day": str(day)})
    return put


def notify_completed_late(ctx: Context, spec: Spec, day: date) -> None:
    """Put into the outbox, where people were notified that a day's watch is late, that it was completed."""
    for notified in ctx.ledger.messages(_late_message_id(spec, day)):
        if notified.kind == "opened":
            head = f"✅ {spec.name}: {format_day(day)} was watched, if late"
            ctx.ledger.enqueue(
                _late_message(spec, day, "resolved", notified.channel, head, "What it found is in messages of its own.")
            )


def _late_message(spec: Spec, day: date, kind: str, channel: str, head: str, *said: str) -> Message:
    text = to_plain_text("\n".join([head, *said, f"Owner: {spec.owner}"]))
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": escape_for_slack(text), "verbatim": True}}]
    return Message(_late_message_id(spec, day), day, kind, channel, text, blocks, "" if kind == "opened" else head)


def _late_message_id(spec: Spec, day: date) -> str:
    return f"{spec.model}-{day:%Y%m%d}{NOT_WATCHED}"
