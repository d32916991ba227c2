"""What people read about an incident: a few plain lines for a terminal and a lock screen, and Slack's blocks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from alerting.evidence import PROBABLE_CAUSE
from alerting.money import UNKNOWN
from alerting.words import counted, day_words, pounds
from ledger.records import Cause, Incident, Status
from models.spec import Spec

HEADER_CHARACTERS = 150
SECTION_CHARACTERS = 3000
"""Slack's own limits."""
LINE_CHARACTERS = 400
"""Even with every sign escaped, one line stays within a section."""
MOST_EVIDENCE = 5

_LOOKALIKES = str.maketrans({"*": "∗", "~": "∼", "`": "'"})
"""Outside code, signs that Slack would read as formatting are shown as signs that look alike."""
_LOOSE_UNDERSCORE = re.compile(r"(?<![A-Za-z0-9_])_+|_+(?![A-Za-z0-9_])")
_EMOJI = re.compile(r"(?<![0-9]):(?=[a-z0-9_+'-]+:)")


def compose(spec: Spec, incident: Incident, kind: str, site_url: str) -> tuple[str, list[dict[str, Any]]]:
    """Return the message about an incident as plain text and as Slack blocks.

    ``kind`` is 'opened', 'updated' or 'resolved'; the first two say the same for the same incident, so that a text
    that differs is news. ``site_url`` is the address of the site, without a trailing slash. Every value that may come
    from data is escaped for Slack.
    """
    resolved = kind == "resolved"
    head = f"{_sign(incident)} {spec.name}{', resolved' if resolved else ''}: {incident.summary}"
    facts = _facts(incident, resolved=resolved)
    link = f"{site_url}/{incident.page}"
    evidence = [] if resolved else _figures(incident)
    blocks = [
        {"type": "header", "text": {"type": "plain_text", "text": cut(plain(head), HEADER_CHARACTERS), "emoji": False}},
        _section("\n".join(f"*{mrkdwn(name)}:* {mrkdwn(cut(said, LINE_CHARACTERS))}" for name, said in facts)),
        *(
            [_section("\n".join(f"• {mrkdwn(cut(sentence, LINE_CHARACTERS))}" for sentence in evidence))]
            if evidence
            else []
        ),
        _context(f"<{_address(link)}|Open the incident>  ·  Owner: {mrkdwn(spec.owner)}  ·  {mrkdwn(incident.id)}"),
    ]
    lines = [head, *(f"{name}: {said}" for name, said in facts), *(f"- {sentence}" for sentence in evidence)]
    return plain("\n".join([*lines, f"Owner: {spec.owner}. {link}"])), blocks


def withdraw(text: str) -> tuple[str, list[dict[str, Any]]]:
    """Return the message in place of one whose incident is no longer found, since its days were concluded anew."""
    head = text.partition("\n")[0].lstrip("🔴🟠✅ ")
    said = "Its days were watched again after the data was mended, and it is no longer found."
    blocks = [
        {"type": "header", "text": {"type": "plain_text", "text": cut(f"⚪ withdrawn: {head}", HEADER_CHARACTERS)}},
        _section(said),
    ]
    return f"⚪ withdrawn: {head}\n{said}", blocks


def thread_note(incident: Incident, kind: str) -> str:
    """Return the line that an incident's thread keeps of one change; empty for the first message."""
    if kind == "opened":
        return ""
    if kind == "resolved" and incident.resolved:
        lasted = f"after {counted(incident.bad_days, 'bad day')}"
        return f"{day_words(incident.resolved)}: resolved {lasted} and {counted(incident.clean_days, 'clean day')}."
    clean = f", {counted(incident.clean_days, 'clean day')} since" if incident.clean_days else ""
    return plain(f"{day_words(incident.concluded)}: {incident.summary} (bad day {incident.bad_days}{clean}).")


def plain(text: str) -> str:
    """Return a text without the backticks that set off names, and without signs that steer a terminal."""
    return "".join(c for c in text if c.isprintable() or c == "\n").replace("`", "")


def mrkdwn(text: str) -> str:
    """Return a text as Slack's mrkdwn: names between backticks stay code, everything else can't format or mention."""
    parts = text.split("`")
    if len(parts) % 2 == 0:  # an unmatched backtick would turn the rest into code
        parts = [text.replace("`", "'")]
    return "".join(f"`{escape(part)}`" if number % 2 else _loose(part) for number, part in enumerate(parts) if part)


def escape(text: str) -> str:
    """Return a text with the three signs escaped that Slack reads as links, mentions and entities."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def cut(text: str, most: int) -> str:
    """Return a text of at most ``most`` characters on one line, with … where it was cut."""
    flat = " ".join(text.split())
    return flat if len(flat) <= most else flat[: most - 1] + "…"


def _sign(incident: Incident) -> str:
    if incident.status is Status.RESOLVED:
        return "✅"
    return "🔴" if incident.data_fault else "🟠"


def _facts(incident: Incident, *, resolved: bool) -> list[tuple[str, str]]:
    """Return what the message says, as pairs of a name and a sentence, the most urgent first."""
    kind = "data fault, not a change in customers" if incident.data_fault else "real change, the data looks sound"
    if incident.cause is Cause.ERRORED:
        kind = "the watch itself failed; whether the data is sound isn't known"
    probable = [e.removeprefix(PROBABLE_CAUSE) for e in incident.evidence if e.startswith(PROBABLE_CAUSE)]
    facts = [("Kind", kind), ("Lasted" if resolved else "Since", _since(incident))]
    if not resolved:
        facts.append(("How sure", incident.confidence))
    facts += [("At stake", _stake(incident)), *(("Probable cause", sentence) for sentence in probable)]
    if resolved:
        return facts
    if incident.explains:
        facts.append(("Explains", f"{counted(incident.explains, 'other alarm')}, which {_stay(incident)} quiet"))
    if incident.data_fault:
        facts.append(("Retraining", "blocked until this is mended"))
    return [*facts, ("First step", incident.first_step)]


def _stay(incident: Incident) -> str:
    return "stays" if incident.explains == 1 else "stay"


def _since(incident: Incident) -> str:
    days = (incident.last_bad - incident.opened).days + 1
    bad = f"{day_words(incident.opened)}, {incident.bad_days} of {counted(days, 'day')} bad"
    if incident.resolved:
        until = (
            f"{day_words(incident.opened)} to {day_words(incident.last_bad)}, {counted(incident.bad_days, 'bad day')}"
        )
        return f"{until}; {counted(incident.clean_days, 'clean day')} up to {day_words(incident.resolved)}"
    return f"{bad}; {counted(incident.clean_days, 'clean day')} since" if incident.clean_days else bad


def _stake(incident: Incident) -> str:
    amount = incident.amount_gbp_per_day
    if amount is None:
        reasons = [sentence.removeprefix(UNKNOWN) for sentence in incident.evidence if sentence.startswith(UNKNOWN)]
        return f"not known: {reasons[0]}" if reasons else "not known"
    low, high = incident.amount_low_gbp_per_day, incident.amount_high_gbp_per_day
    if incident.data_fault:
        return f"up to {pounds(amount)} of fraud a day that the model used to catch"
    interval = f" ({pounds(low)} to {pounds(high)})" if low is not None and high is not None else ""
    return f"about {pounds(amount)} a day{interval}"


def _figures(incident: Incident) -> Sequence[str]:
    """Return the strongest figures; the first is left out, for the confidence says it already."""
    said = [sentence for sentence in incident.evidence if not sentence.startswith((PROBABLE_CAUSE, UNKNOWN))]
    return said[1 : MOST_EVIDENCE + 1]


def _section(text: str) -> dict[str, Any]:
    kept = text if len(text) <= SECTION_CHARACTERS else text[: SECTION_CHARACTERS - 1].rpartition("\n")[0] + "\n…"
    return {"type": "section", "text": {"type": "mrkdwn", "text": kept, "verbatim": True}}


def _context(text: str) -> dict[str, Any]:
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": text, "verbatim": True}]}


def _address(link: str) -> str:
    return escape(link).replace("|", "%7C")


def _loose(text: str) -> str:
    """Return a text outside code, escaped, with every sign replaced that would format it or show an emoji."""
    looks_alike = _EMOJI.sub("∶", text.translate(_LOOKALIKES))
    return escape(_LOOSE_UNDERSCORE.sub(lambda match: "ˍ" * len(match[0]), looks_alike))
