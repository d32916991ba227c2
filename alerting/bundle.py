"""What people read about several incidents of one cause, or of one night: the models, the heaviest first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from alerting.blocks import button_row, context, header, section, within_limits
from alerting.grouping import DIGEST, FLOOD, Bundle
from alerting.message import cut, mrkdwn, plain
from alerting.words import counted, day_words
from ledger.records import Message

MOST_LINES = 12
"""Models or incidents that one message lists; the others are counted, and stand in the report."""
HEAD_CHARACTERS = 200


def tell(bundle: Bundle) -> Message:
    """Return the one message that a bundle is told as, under the bundle's own name.

    Its kind is 'opened' where nothing was told yet, 'resolved' where every incident is, and else 'updated'.
    ``attempts`` above 0 means that an earlier try may have come through.
    """
    members = bundle.members
    news = sorted(bundle.news, key=lambda m: m.day)
    attempts = max([1, *(m.attempts for m in (*bundle.news, *bundle.older))]) if bundle.tried else 0
    if len(members) == 1 and bundle.id == members[0].incident:
        return replace(news[-1], incident=bundle.id, attempts=attempts)
    text, blocks = _said(bundle, members)
    ended = all(m.kind == "resolved" for m in members)
    repeated = any(m.kind == "repeated" for m in news)
    kind = "resolved" if ended else "repeated" if repeated else "updated" if bundle.told else "opened"
    last = news[-1]
    about = tuple(each for m in members for each in m.about)
    picture = members[0].picture if _is_of_one_cause(bundle) else None
    told = replace(last, incident=bundle.id, kind=kind, text=text, blocks=blocks, about=about, attempts=attempts)
    return replace(told, thread_note=_note(bundle), picture=picture)


def _said(bundle: Bundle, members: Sequence[Message]) -> tuple[str, list[dict[str, Any]]]:
    open_ = [m for m in members if m.kind != "resolved"]
    head = _head(bundle, members, open_)
    listed = (open_ or list(members))[:MOST_LINES]
    one_cause = _is_of_one_cause(bundle)
    lines = [m.line or m.incident if one_cause else _first_line(m) for m in listed]
    rest = len(open_ or members) - len(listed)
    more = [f"and {counted(rest, 'more incident')}: see the report"] if rest else []
    ended = len(members) - len(open_)
    foot = f"{counted(ended, 'other')} resolved." if ended and open_ else ""
    lead = listed[0]
    details = _details(lead) if one_cause and open_ else []
    text = plain("\n".join([head, *(f"- {line}" for line in (*lines, *more)), *details, *([foot] if foot else [])]))
    blocks = [
        header(plain(head)),
        section("\n".join(f"• {mrkdwn(cut(line, HEAD_CHARACTERS))}" for line in (*lines, *more))),
        *([block for block in lead.blocks[1:] if block["type"] != "actions"] if details else []),
        *([context(mrkdwn(foot))] if foot else []),
        *(button_row([m.incident for m in members], _report(lead)) if open_ else []),
    ]
    return text, within_limits(blocks)


def _is_of_one_cause(bundle: Bundle) -> bool:
    return not bundle.id.startswith((FLOOD, DIGEST))


def _head(bundle: Bundle, members: Sequence[Message], open_: Sequence[Message]) -> str:
    if bundle.id.startswith(DIGEST):
        return f"Digest of {day_words(members[0].day)}: {counted(len(open_), 'incident')} that page nobody"
    if bundle.id.startswith(FLOOD):
        sign = "🔴" if open_ else "✅"
        return f"{sign} {counted(len(members), 'further incident')} on {day_words(min(m.day for m in members))}"
    lead = (list(open_) or list(members))[0]
    first = _first_line(lead)
    sign, _, said = first.partition(" ")
    summary = said.partition(": ")[2] or said
    reached = {m.model for m in (open_ or members)}
    return f"{sign} {counted(len(reached), 'model')}{'' if open_ else ', resolved'}: {summary}"


def _details(lead: Message) -> list[str]:
    """Return what the heaviest model's own message says below its head."""
    return ["", f"In {lead.line.partition(' (tier')[0] or lead.model}:", *lead.text.splitlines()[1:]]


def _first_line(message: Message) -> str:
    return message.text.partition("\n")[0]


def _report(lead: Message) -> str:
    """Return the address of the lead's page, as its own button names it."""
    rows = [block for block in lead.blocks if block.get("type") == "actions"]
    return next((e["url"] for row in rows for e in row["elements"] if "url" in e), "")


def _note(bundle: Bundle) -> str:
    """Return the line of the thread: who came in and what changed; empty for the first message."""
    if not bundle.told and not bundle.place:
        return ""
    known = {m.incident for m in bundle.told}
    notes = [
        f"{day_words(m.day)}: also {m.line or _first_line(m)}."
        if m.kind == "opened" and m.incident not in known
        else f"{m.line.partition(' (tier')[0] or m.model}: {m.thread_note}"
        for m in sorted(bundle.news, key=lambda m: (m.day, m.incident))
        if m.kind == "opened" or m.thread_note
    ]
    shown = notes[:MOST_LINES]
    return "\n".join([*shown, *([f"and {len(notes) - len(shown)} more"] if len(notes) > len(shown) else [])])
