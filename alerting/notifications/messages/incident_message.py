"""What people read about an incident: a few plain lines for a terminal and a lock screen, and Slack's blocks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from alerting.incidents.evidence import PROBABLE_CAUSE, first_sentence
from alerting.incidents.money import UNKNOWN_STAKE
from alerting.notifications.messages.blocks import (
    HEADER_CHARACTERS,
    button_row,
    context_block,
    fit_block_limits,
    header_block,
    section_block,
)
from alerting.notifications.messages.links import Links
from alerting.wording import format_day, format_pounds, pluralise
from ledger.records.incidents import Incident, Status
from models.spec import Spec

LINE_CHARACTERS = 400
"""Even with every sign escaped, one line stays within a section."""
MOST_EVIDENCE = 3
FIRST_STEP = "First step:"

_LOOKALIKES = str.maketrans({"*": "∗", "~": "∼", "`": "'"})
"""Outside code, signs that Slack would read as formatting are shown as signs that look alike."""
_LOOSE_UNDERSCORE = re.compile(r"(?<![A-Za-z0-9_])_+|_+(?![A-Za-z0-9_])")
_EMOJI = re.compile(r"(?<![0-9]):(?=[a-z0-9_+'-]+:)")


def compose_message(spec: Spec, incident: Incident, kind: str, links: Links) -> tuple[str, list[dict[str, Any]]]:
    """Return the message about an incident as plain text and as Slack blocks.

    ``kind`` is 'resolved' or another one; all others say the same for the same incident, so that a text that differs
    is news. The first step links to the cause's runbook where there is documentation. Every value that may come
    from data is escaped for Slack.
    """
    resolved = kind == "resolved"
    head = f"{_status_emoji(incident)} {spec.name}{', resolved' if resolved else ''}: {incident.summary}"
    facts = _message_facts(incident, resolved=resolved)
    link = links.page(incident)
    runbook = links.runbook(incident.cause)
    evidence = [] if resolved else _strongest_evidence(incident)
    footnote = "" if resolved else _footnote(incident)
    blocks = [
        header_block(truncate_line(to_plain_text(head), HEADER_CHARACTERS)),
        section_block("\n".join(_fact_line(bold, said, runbook) for bold, said in facts)),
        *(
            [context_block("\n".join(f"• {to_mrkdwn(truncate_line(said, LINE_CHARACTERS))}" for said in evidence))]
            if evidence
            else []
        ),
        *([context_block(to_mrkdwn(footnote))] if footnote else []),
        context_block(
            f"<{_link_target(link)}|Open the incident>  ·  Owner: {to_mrkdwn(spec.owner)}  ·  {to_mrkdwn(incident.id)}"
        ),
        *([] if resolved else button_row([incident.id], link)),
    ]
    lines = [head, *(f"{bold} {said}".rstrip() for bold, said in facts), *(f"- {said}" for said in evidence)]
    if runbook and not resolved:
        lines.insert(1 + len(facts), f"Runbook: {runbook}")
    text = "\n".join([*lines, *([footnote] if footnote else []), f"Owner: {spec.owner}. {link}"])
    return to_plain_text(text), fit_block_limits(blocks)


def with_state_lines(text: str, blocks: list[dict[str, Any]], lines: Sequence[str]) -> tuple[str, list[dict[str, Any]]]:
    """Return a message with lines below its head that say how the incident is handled."""
    if not lines:
        return text, blocks
    head, _, rest = text.partition("\n")
    said = "\n".join(f"{to_mrkdwn(truncate_line(line, LINE_CHARACTERS))}" for line in lines)
    return to_plain_text("\n".join([head, *lines, rest])), fit_block_limits(
        [blocks[0], context_block(said), *blocks[1:]]
    )


def compose_withdrawal(text: str) -> tuple[str, list[dict[str, Any]]]:
    """Return the message in place of one whose incident is no longer found, since its days were concluded anew."""
    head = text.partition("\n")[0].lstrip("🔴🟠✅ ")
    said = "Its days were watched again after the data was fixed, and it is no longer found."
    blocks = [
        header_block(truncate_line(f"⚪ withdrawn: {head}", HEADER_CHARACTERS)),
        section_block(said),
    ]
    return f"⚪ withdrawn: {head}\n{said}", blocks


def compose_thread_note(incident: Incident, kind: str) -> str:
    """Return the line that an incident's thread keeps of one change; empty for the first message."""
    if kind == "opened":
        return ""
    if kind == "resolved" and incident.resolved:
        lasted = f"after {pluralise(incident.bad_days, 'bad day')}"
        if incident.clean_days == 0:
            return f"{format_day(incident.resolved)}: closed by a person {lasted}."
        return f"{format_day(incident.resolved)}: resolved {lasted} and {pluralise(incident.clean_days, 'clean day')}."
    clean = f", {pluralise(incident.clean_days, 'clean day')} since" if incident.clean_days else ""
    if kind == "reopened":
        return to_plain_text(f"{format_day(incident.concluded)}: it came back, and is open again. {incident.summary}")
    return to_plain_text(f"{format_day(incident.concluded)}: {incident.summary} (bad day {incident.bad_days}{clean}).")


def to_plain_text(text: str) -> str:
    """Return a text without the backticks that set off names, and without signs that steer a terminal."""
    return "".join(c for c in text if c.isprintable() or c == "\n").replace("`", "")


def to_mrkdwn(text: str) -> str:
    """Return a text as Slack's mrkdwn: names between backticks stay code, everything else can't format or mention."""
    parts = text.split("`")
    if len(parts) % 2 == 0:  # an unmatched backtick would turn the rest into code
        parts = [text.replace("`", "'")]
    return "".join(
        f"`{escape_for_slack(part)}`" if number % 2 else _escape_outside_code(part)
        for number, part in enumerate(parts)
        if part
    )


def escape_for_slack(text: str) -> str:
    """Return a text with the three signs escaped that Slack reads as links, mentions and entities."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def truncate_line(text: str, most: int) -> str:
    """Return a text of at most ``most`` characters on one line, with … where it was cut."""
    flat = " ".join(text.split())
    return flat if len(flat) <= most else flat[: most - 1] + "…"


def _status_emoji(incident: Incident) -> str:
    if incident.status is Status.RESOLVED:
        return "✅"
    return "🔴" if incident.data_fault else "🟠"


def _message_facts(incident: Incident, *, resolved: bool) -> list[tuple[str, str]]:
    """Return what the message says, as pairs of what is bold and what follows, the most urgent first."""
    facts = [(incident.cause_entry.nature, _describe_period(incident))]
    if not resolved:
        sure, _, figure = incident.confidence.partition(": ")
        facts.append((f"{sure}:", figure) if figure else ("How sure:", sure))
    facts.append(("At stake:", _describe_stake(incident)))
    facts += [("Probable cause:", e.removeprefix(PROBABLE_CAUSE)) for e in incident.evidence if _is_probable_cause(e)]
    return facts if resolved else [*facts, (FIRST_STEP, incident.first_step)]


def _fact_line(bold: str, said: str, runbook: str) -> str:
    """Return one line of Slack's section; the first step ends in its runbook."""
    link = f" <{_link_target(runbook)}|Runbook>" if runbook and bold == FIRST_STEP else ""
    return f"*{to_mrkdwn(bold)}* {to_mrkdwn(truncate_line(said, LINE_CHARACTERS))}".rstrip() + link


def _footnote(incident: Incident) -> str:
    """Return which alerts it accounts for, and that nothing is retrained on broken data."""
    said = []
    if incident.explains:
        alone = "is not sent" if incident.explains == 1 else "are not sent"
        said.append(f"Explains {pluralise(incident.explains, 'other alert')}, which {alone}.")
    if incident.data_fault:
        said.append("Retraining is blocked until this is fixed.")
    return " ".join(said)


def _describe_period(incident: Incident) -> str:
    days = (incident.last_bad - incident.opened).days + 1
    opened, bad = format_day(incident.opened), pluralise(incident.bad_days, "bad day")
    if incident.resolved:
        clean = f"{pluralise(incident.clean_days, 'clean day')} up to {format_day(incident.resolved)}"
        if days == 1:
            return f"On {opened}; {clean}."
        return f"{opened} to {format_day(incident.last_bad)}, {bad}; {clean}."
    clean = f"; {pluralise(incident.clean_days, 'clean day')} since" if incident.clean_days else ""
    return f"Since {opened}, {pluralise(incident.bad_days, 'day')} of {days}{clean}."


def _describe_stake(incident: Incident) -> str:
    amount = incident.amount_gbp_per_day
    if amount is None:
        reasons = [
            sentence.removeprefix(UNKNOWN_STAKE) for sentence in incident.evidence if sentence.startswith(UNKNOWN_STAKE)
        ]
        return f"not known: {reasons[0]}" if reasons else "not known."
    low, high = incident.amount_low_gbp_per_day, incident.amount_high_gbp_per_day
    if incident.data_fault:
        return f"up to {format_pounds(amount)} a day of fraud that the model used to catch."
    interval = (
        f" ({format_pounds(low)} to {format_pounds(high).removeprefix('GBP ')})"
        if low is not None and high is not None
        else ""
    )
    return f"about {format_pounds(amount)} a day{interval}."


def _strongest_evidence(incident: Incident) -> Sequence[str]:
    """Return the strongest figures; the first is left out, for the confidence says it already."""
    said = [
        sentence
        for sentence in incident.evidence
        if not (_is_probable_cause(sentence) or sentence.startswith(UNKNOWN_STAKE))
    ]
    return [first_sentence(sentence) for sentence in said[1 : MOST_EVIDENCE + 1]]


def _is_probable_cause(sentence: str) -> bool:
    return sentence.startswith(PROBABLE_CAUSE)


def _link_target(link: str) -> str:
    return escape_for_slack(link).replace("|", "%7C")


def _escape_outside_code(text: str) -> str:
    """Return a text outside code, escaped, with every sign replaced that would format it or show an emoji."""
    looks_alike = _EMOJI.sub("∶", text.translate(_LOOKALIKES))
    return escape_for_slack(_LOOSE_UNDERSCORE.sub(lambda match: "ˍ" * len(match[0]), looks_alike))
