"""What becomes of a retraining, said where its incident stands: in the incident's message and thread."""

from __future__ import annotations

from datetime import date

from alerting.notifications.messages.incident_message import to_mrkdwn, to_plain_text, truncate_line
from ledger.records.messages import Message
from ledger.store import Ledger

NOTE_CHARACTERS = 2400
LINE_CHARACTERS = 480
"""Even with every sign escaped, the line and its address stay within what Slack takes in one text."""
_BLOCK = "retraining"


def enqueue_retraining_note(ledger: Ledger, incident: str, day: date, kind: str, note: str, *, link: str = "") -> int:
    """Put a note into the outbox for each channel on which somebody was notified of the incident; return how many.

    ``kind`` is one of RETRAINING_NOTE_KINDS, sent once a day. The incident's message stays as it is, but for a line
    with the note (``link``, an address, becomes its last words); its thread keeps the note. What nobody was notified of
    gets no note. Call it in the transaction that records what the note is about.
    """
    newest: dict[str, Message] = {}
    for message in ledger.messages(incident):
        newest[message.channel] = max(newest.get(message.channel, message), message, key=lambda each: each.order)
    return sum(ledger.enqueue(_message_with_note(last, day, kind, note, link)) for last in newest.values())


def _message_with_note(last: Message, day: date, kind: str, note: str, link: str) -> Message:
    said = truncate_line(note, NOTE_CHARACTERS)
    shown = to_mrkdwn(truncate_line(said, LINE_CHARACTERS)) + (f" <{link}|Answer in Airflow>" if link else "")
    block = {"type": "context", "block_id": _BLOCK, "elements": [{"type": "mrkdwn", "text": shown}]}
    blocks = [*(each for each in last.blocks if each.get("block_id") != _BLOCK), block]
    thread_text = to_plain_text(f"{said} {link}".strip())
    return Message(
        last.incident, max(day, last.day), kind, last.channel, last.text, blocks, thread_text,
        group=last.group, line=last.line, weight=last.weight,
    )  # fmt: skip
