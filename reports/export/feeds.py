"""What other programs read of the site: feeds of incidents, badges, Prometheus' text, the newest day."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from urllib.parse import quote

from markupsafe import escape

from ledger.records.incidents import Incident
from models.spec import Spec
from reports.views.fleet_view import Card
from reports.wording import formatting, money, naming
from reports.wording.states import STATE_TITLES

MOST_ENTRIES = 100
"""Newest incidents that a feed holds."""
BADGE_COLOURS = {
    "incident": "#b8460b", "breach": "#8a5a00", "errored": "#7d3f76", "missing": "#7d3f76", "ok": "#1f6f58",
    "insufficient": "#5c646d", "immature": "#5c646d", "unwatched": "#5c646d",
}  # fmt: skip
"""Grounds of a badge; white text stands out from each by 4.5 to 1."""
CHARACTER_PIXELS = 6.4
"""Pixels of a character of a badge, about."""


def render_atom_feed(owner: str, name: str, incidents: Iterable[tuple[Spec, Incident]]) -> bytes:
    """Return an owner's incidents as an Atom feed, the newest first; ``name`` is the feed's file without its ending.

    Links are relative to the feed, so it works under any address. An incident's day stands as its midnight, UTC.
    """
    reported = [(spec, i) for spec, i in incidents if i.fired is not None]
    reported = sorted(reported, key=lambda pair: (pair[1].concluded, pair[1].opened, pair[1].id), reverse=True)[
        :MOST_ENTRIES
    ]
    newest = max((i.concluded for _, i in reported), default=date(1970, 1, 1))
    entries = "".join(_atom_entry(spec, i) for spec, i in reported)
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom">\n'
        f"<id>urn:watchkeeper:feed:{quote(name)}</id>\n<title>Incidents of {_escape_xml(owner)}</title>\n"
        f"<updated>{_midnight_utc(newest)}</updated>\n<author><name>Watchkeeper</name></author>\n"
        f'<link rel="self" href="{quote(name)}.xml"/>\n<link rel="alternate" href="../index.html"/>\n{entries}</feed>\n'
    ).encode()


def _atom_entry(spec: Spec, incident: Incident) -> str:
    since, kind = formatting.format_day(incident.opened), incident.cause_entry.kind
    said = [f"{incident.cause_entry.title}, {kind}, since {since}: {incident.status.value}."]
    if stake := money.describe_money_at_stake(incident):
        said.append(f"At stake: {stake}.")
    if incident.first_step and incident.live:
        said.append(f"First step: {incident.first_step}")
    headline = naming.incident_headline(incident).replace("`", "")
    return (
        f"<entry>\n<id>urn:watchkeeper:incident:{quote(incident.id)}</id>\n"
        f"<title>{_escape_xml(spec.name)}: {_escape_xml(headline)}</title>\n"
        f'<link rel="alternate" href="../{quote(incident.page)}"/>\n'
        f"<published>{_midnight_utc(incident.fired or incident.opened)}</published>\n"
        f"<updated>{_midnight_utc(incident.concluded)}</updated>\n"
        f'<category term="{incident.cause}"/>\n<category term="{incident.status.value}"/>\n'
        f"<summary>{_escape_xml(' '.join(said))}</summary>\n</entry>\n"
    )


def _escape_xml(text: str) -> str:
    """Return a text as XML; characters that XML can't hold become a question mark in a diamond."""
    kept = "".join(
        c if c in "\t\n\r" or " " <= c <= "\ud7ff" or "\ue000" <= c <= "\ufffd" or c > "\uffff" else "\ufffd"
        for c in text
    )
    return str(escape(kept))


def _midnight_utc(day: date) -> str:
    return datetime.combine(day, time(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def render_badge(model: str, state: str) -> bytes:
    """Return a model's state as a small picture that other pages can show."""
    left, right = formatting.shorten(model, 40), STATE_TITLES[state][0].lower()
    ground = BADGE_COLOURS[state]
    first, second = (round(len(text) * CHARACTER_PIXELS + 14) for text in (left, right))
    says = str(escape(f"{left}: {right}"))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{first + second}" height="20" role="img" aria-label="{says}">'
        f'<title>{says}</title><rect width="{first + second}" height="20" rx="3" fill="#3a4148"/>'
        f'<path d="M{first} 0h{second - 3}a3 3 0 0 1 3 3v14a3 3 0 0 1-3 3h-{second - 3}z" fill="{ground}"/>'
        f'<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11" text-anchor="middle">'
        f'<text x="{first / 2:.1f}" y="14">{escape(left)}</text>'
        f'<text x="{first + second / 2:.1f}" y="14">{escape(right)}</text></g></svg>\n'
    ).encode()


def render_prometheus(cards: Sequence[Card]) -> bytes:
    """Return the fleet in Prometheus' text format, for its textfile collector or any static server."""
    lines: list[str] = []
    for name, kind_help, samples in _metric_families(cards):
        lines.append(f"# HELP {name} {kind_help}")
        lines.append(f"# TYPE {name} gauge")
        lines += [f"{name}{_format_labels(labels)} {value:.10g}" for labels, value in samples]
    return ("\n".join(lines) + "\n").encode()


Sample = tuple[dict[str, str], float]


def _metric_families(cards: Sequence[Card]) -> list[tuple[str, str, list[Sample]]]:
    plain = {str(card["model"]): {"model": card["model"], "owner": card["owner"]} for card in cards}

    def of(card: Card, **more: str) -> dict[str, str]:
        return plain[card["model"]] | more

    watched = [card for card in cards if card["watched_until"]]
    states = [(of(card, state=state), float(card["state"] == state)) for card in cards for state in STATE_TITLES]
    until = [(of(card), _midnight_seconds(card["watched_until"])) for card in watched]
    gbp = [(of(card), float(card["amount_gbp_per_day"] or 0)) for card in cards]
    figures = [
        (of(card, metric=figure["metric"]), float(figure["value"]))
        for card in cards for figure in card["figures"] if figure["value"] is not None
    ]  # fmt: skip
    newest = [(of(card, verdict=verdict), float(number)) for card in watched
              for verdict, number in (card["strip"][-1]["counts"] if card["strip"] else {}).items()]  # fmt: skip
    return [
        ("watchkeeper_model_state", "1 for the state that a model is in, 0 for the others.", states),
        ("watchkeeper_open_incidents", "Incidents that are firing.", [(of(c), float(len(c["open"]))) for c in cards]),
        ("watchkeeper_at_stake_gbp_per_day", "Pounds a day at stake in the costliest open incident.", gbp),
        ("watchkeeper_watched_until_timestamp_seconds", "Midnight, UTC, of the newest watched day.", until),
        ("watchkeeper_rows", "Rows of the newest watched day.", [(of(c), float(c["rows"])) for c in watched]),
        ("watchkeeper_performance", "A figure of the newest mature cohorts.", figures),
        ("watchkeeper_verdicts", "Figures of the newest watched day, by verdict.", newest),
    ]


def _midnight_seconds(day: str) -> float:
    return datetime.combine(date.fromisoformat(day), time(), UTC).timestamp()


def _format_labels(labels: Mapping[str, str]) -> str:
    escaped = (value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") for value in labels.values())
    return "{" + ",".join(f'{name}="{value}"' for name, value in zip(labels, escaped, strict=True)) + "}"


def render_latest_redirect(day: date) -> bytes:
    """Return a page that leads to the newest day's, without a script."""
    return (
        '<!doctype html>\n<html lang="en-GB"><head><meta charset="utf-8"><title>The newest day</title>\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; script-src 'self'\">\n"
        f'<meta http-equiv="refresh" content="0; url={day}.html"></head>\n'
        f'<body><main><h1>The newest day</h1><p><a href="{day}.html">{formatting.format_day(day)}</a></p></main>'
        "</body></html>\n"
    ).encode()
