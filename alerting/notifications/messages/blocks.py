"""Slack's Block Kit: the few blocks that messages are made of, and the limits beyond which Slack refuses them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Block = dict[str, Any]

MOST_BLOCKS = 50
HEADER_CHARACTERS = 150
MOST_CHARACTERS = 3000
MOST_ELEMENTS = {"context": 10, "actions": 25}
VALUE_CHARACTERS = 2000
URL_CHARACTERS = 3000
"""Slack's own limits."""

BUTTON_ACTIONS = {
    "watchkeeper:acknowledge": "Acknowledge",
    "watchkeeper:snooze": "Snooze",
    "watchkeeper:silence": "Silence",
    "watchkeeper:not_a_problem": "Not a problem",
}
"""What the buttons do, by the ``action_id`` that Slack sends back with the ids of the incidents as ``value``."""


def header_block(text: str) -> Block:
    """Return a header of plain text, cut to Slack's limit; no emoji is read into it."""
    return {"type": "header", "text": {"type": "plain_text", "text": _cut(text, HEADER_CHARACTERS), "emoji": False}}


def section_block(text: str) -> Block:
    """Return a section of mrkdwn, which must be escaped already."""
    return {"type": "section", "text": _mrkdwn_object(text)}


def context_block(text: str) -> Block:
    """Return small print of mrkdwn, which must be escaped already."""
    return {"type": "context", "elements": [_mrkdwn_object(text)]}


def button_row(incidents: Sequence[str], report_url: str = "") -> list[Block]:
    """Return the row of buttons of a message about some incidents, whose ids stand in the value between spaces."""
    value = ""
    for incident in incidents:
        if len(value) + len(incident) + 1 > VALUE_CHARACTERS:
            break
        value = f"{value} {incident}".strip()
    buttons = [_button_element(action, label, value=value) for action, label in BUTTON_ACTIONS.items()]
    if report_url.startswith(("http://", "https://")) and len(report_url) <= URL_CHARACTERS:
        buttons.insert(0, _button_element("watchkeeper:report", "Report", url=report_url))
    return [{"type": "actions", "elements": buttons}]


def fit_block_limits(blocks: Sequence[Block]) -> list[Block]:
    """Return blocks that Slack takes: long texts are cut, and of too many blocks the last row of buttons is kept."""
    fitting = [_fit_block(block) for block in blocks]
    if len(fitting) <= MOST_BLOCKS:
        return fitting
    buttons = [block for block in fitting if block["type"] == "actions"][-1:]
    others = [block for block in fitting if block["type"] != "actions"]
    return [*others[: MOST_BLOCKS - 1 - len(buttons)], context_block("…"), *buttons]


def _fit_block(block: Block) -> Block:
    if "text" in block:
        most = HEADER_CHARACTERS if block["type"] == "header" else MOST_CHARACTERS
        return block | {"text": block["text"] | {"text": _cut(block["text"]["text"], most)}}
    if "elements" in block:
        kept = block["elements"][: MOST_ELEMENTS.get(block["type"], 10)]
        return block | {
            "elements": [
                e | {"text": _cut(e["text"], MOST_CHARACTERS)} if isinstance(e.get("text"), str) else e for e in kept
            ]
        }
    return block


def _button_element(action: str, label: str, **more: str) -> Block:
    return {"type": "button", "action_id": action, "text": {"type": "plain_text", "text": label}, **more}


def _mrkdwn_object(text: str) -> Block:
    return {"type": "mrkdwn", "text": _cut(text, MOST_CHARACTERS), "verbatim": True}


def _cut(text: str, most: int) -> str:
    """Return a text of at most ``most`` characters, cut where a line ends if one does, and else within no entity."""
    if len(text) <= most:
        return text
    short = text[: most - 2]
    lines = short.rpartition("\n")[0]
    if lines:
        return lines + "\n…"
    entity = short.rfind("&")
    if entity >= 0 and ";" not in short[entity:] and len(short) - entity < 6:
        short = short[:entity]
    return short + ("`…" if short.count("`") % 2 else "…")
