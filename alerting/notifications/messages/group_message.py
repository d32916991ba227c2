"""What people read about several incidents of one cause, or of one night: the models, the heaviest first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from alerting.notifications.grouping import DIGEST, FLOOD, NotificationGroup
from alerting.notifications.messages.blocks import (
    button_row,
    context_block,
    fit_block_limits,
    header_block,
    section_block,
)
from alerting.notifications.messages.incident_message import to_mrkdwn, to_plain_text, truncate_line
from alerting.wording import format_day, pluralise
from ledger.records.messages import Message

MOST_LINES = 12
"""Models or incidents that one message lists; the others are counted, and stand in the report."""
HEAD_CHARACTERS = 200


def render_group_message(notification_group: NotificationGroup) -> Message:
    """Return the one message of a notification group, under the group's own name.

    Its kind is 'opened' where nothing was sent yet, 'resolved' where every incident is, and else 'updated'.
    ``attempts`` above 0 means that an earlier try may have come through.
    """
    members = notification_group.members
    pending = sorted(notification_group.pending, key=lambda m: m.day)
    attempts = (
        max([1, *(m.attempts for m in (*notification_group.pending, *notification_group.superseded))])
        if notification_group.was_tried
        else 0
    )
    if len(members) == 1 and notification_group.id == members[0].incident:
        return replace(pending[-1], incident=notification_group.id, attempts=attempts)
    text, blocks = _group_text_and_blocks(notification_group, members)
    ended = all(m.kind == "resolved" for m in members)
    repeated = any(m.kind == "repeated" for m in pending)
    kind = "resolved" if ended else "repeated" if repeated else "updated" if notification_group.notified else "opened"
    last = pending[-1]
    about = tuple(each for m in members for each in m.about)
    picture = members[0].picture if _is_of_one_cause(notification_group) else None
    notified = replace(
        last, incident=notification_group.id, kind=kind, text=text, blocks=blocks, about=about, attempts=attempts
    )
    return replace(notified, thread_note=_group_thread_note(notification_group), picture=picture)


def _group_text_and_blocks(
    notification_group: NotificationGroup, members: Sequence[Message]
) -> tuple[str, list[dict[str, Any]]]:
    open_ = [m for m in members if m.kind != "resolved"]
    head = _group_heading(notification_group, members, open_)
    listed = (open_ or list(members))[:MOST_LINES]
    one_cause = _is_of_one_cause(notification_group)
    lines = [m.line or m.incident if one_cause else _first_line(m) for m in listed]
    rest = len(open_ or members) - len(listed)
    more = [f"and {pluralise(rest, 'more incident')}: see the report"] if rest else []
    ended = len(members) - len(open_)
    foot = f"{pluralise(ended, 'other')} resolved." if ended and open_ else ""
    lead = listed[0]
    details = _lead_details(lead) if one_cause and open_ else []
    text = to_plain_text(
        "\n".join([head, *(f"- {line}" for line in (*lines, *more)), *details, *([foot] if foot else [])])
    )
    blocks = [
        header_block(to_plain_text(head)),
        section_block("\n".join(f"• {to_mrkdwn(truncate_line(line, HEAD_CHARACTERS))}" for line in (*lines, *more))),
        *([block for block in lead.blocks[1:] if block["type"] != "actions"] if details else []),
        *([context_block(to_mrkdwn(foot))] if foot else []),
        *(button_row([m.incident for m in members], _report_url(lead)) if open_ else []),
    ]
    return text, fit_block_limits(blocks)


def _is_of_one_cause(notification_group: NotificationGroup) -> bool:
    return not notification_group.id.startswith((FLOOD, DIGEST))


def _group_heading(notification_group: NotificationGroup, members: Sequence[Message], open_: Sequence[Message]) -> str:
    if notification_group.id.startswith(DIGEST):
        return f"Digest of {format_day(members[0].day)}: {pluralise(len(open_), 'incident')} that page nobody"
    if notification_group.id.startswith(FLOOD):
        sign = "🔴" if open_ else "✅"
        return f"{sign} {pluralise(len(members), 'further incident')} on {format_day(min(m.day for m in members))}"
    lead = (list(open_) or list(members))[0]
    first = _first_line(lead)
    sign, _, said = first.partition(" ")
    summary = said.partition(": ")[2] or said
    reached = {m.model for m in (open_ or members)}
    return f"{sign} {pluralise(len(reached), 'model')}{'' if open_ else ', resolved'}: {summary}"


def _lead_details(lead: Message) -> list[str]:
    """Return what the heaviest model's own message says below its head."""
    return ["", f"In {lead.line.partition(' (tier')[0] or lead.model}:", *lead.text.splitlines()[1:]]


def _first_line(message: Message) -> str:
    return message.text.partition("\n")[0]


def _report_url(lead: Message) -> str:
    """Return the address of the lead's page, as its own button names it."""
    rows = [block for block in lead.blocks if block.get("type") == "actions"]
    return next((e["url"] for row in rows for e in row["elements"] if "url" in e), "")


def _group_thread_note(notification_group: NotificationGroup) -> str:
    """Return the line of the thread: who came in and what changed; empty for the first message."""
    if not notification_group.notified and not notification_group.location:
        return ""
    known = {m.incident for m in notification_group.notified}
    notes = [
        f"{format_day(m.day)}: also {m.line or _first_line(m)}."
        if m.kind == "opened" and m.incident not in known
        else f"{m.line.partition(' (tier')[0] or m.model}: {m.thread_note}"
        for m in sorted(notification_group.pending, key=lambda m: (m.day, m.incident))
        if m.kind == "opened" or m.thread_note
    ]
    shown = notes[:MOST_LINES]
    return "\n".join([*shown, *([f"and {len(notes) - len(shown)} more"] if len(notes) > len(shown) else [])])
