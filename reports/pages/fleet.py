"""The fleet page: which models lose how much money today, and since when."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from ledger.records.messages import Message
from reports.charts.small import draw_sparkline, draw_strip_bars
from reports.export.json_parts import (
    COUNT,
    MAYBE_DAY,
    MAYBE_NUMBER,
    OBJECTS,
    REASONS,
    TEXT,
    TIER,
    YES_OR_NO,
    strict_object,
)
from reports.pages.page import PageContent
from reports.views.fleet_view import Card, FleetView
from reports.wording import formatting
from reports.wording.states import STATE_TITLES

MANY_MODELS = 100
"""Above this number of models a line's strip and trends go back 30 days instead of 60, to keep the page light."""
STATE_ORDER = tuple(STATE_TITLES)
CARD_JSON = {
    "model": TEXT, "title": TEXT, "owner": TEXT, "tier": TIER, "state": TEXT, "sentence": TEXT, "recall": TEXT,
    "watched_until": MAYBE_DAY, "rows": COUNT, "amount_gbp_per_day": MAYBE_NUMBER, "at_most": YES_OR_NO,
    "trends": {"type": "array"}, "figures": {"type": "array"}, "blind": REASONS, "open": OBJECTS,
}  # fmt: skip
JSON = {"models": {"type": "array", "items": strict_object(CARD_JSON)}}


def build_fleet_page(fleet: FleetView) -> PageContent:
    """Return the fleet page's content; the models with most at stake come first."""
    cards = fleet.cards
    ordered = sorted(
        cards, key=lambda c: (STATE_ORDER.index(c["state"]), -(c["amount_gbp_per_day"] or 0), c["tier"], c["model"])
    )
    newest = max((until for card in cards if (until := card["watched_until"])), default=None)
    span = 60 if len(cards) <= MANY_MODELS else 30
    context = {
        "cards": [fleet_line(card, newest, span) for card in ordered],
        "newest": date.fromisoformat(newest) if newest else None,
        "sentence": describe_fleet(cards),
        "undelivered": describe_undelivered(fleet.dead_letters),
        "open": sum(len(card["open"]) for card in cards),
        "states": STATE_TITLES,
        "tally": [
            (state, number) for state in STATE_ORDER if (number := sum(card["state"] == state for card in cards))
        ],
        "owners": sorted({card["owner"] for card in cards}),
        "tiers": sorted({card["tier"] for card in cards}),
        "shown": {strip_day["state"] for card in cards for strip_day in card["strip"][-span:]},
    }
    return context, {"models": [fleet_card_as_json(card) for card in cards]}


def describe_undelivered(dead_letters: Sequence[Message]) -> str:
    """Return the warning that people may not have been notified, and what to do; '' where all were."""
    if not dead_letters:
        return ""
    channels = sorted({letter.channel for letter in dead_letters})
    return (
        f"{formatting.pluralise(len(dead_letters), 'message')} could not be delivered for days and won't be tried "
        f"again (on {', '.join(channels)}). The last error: {dead_letters[-1].last_error}. "
        "Fix it, then run: watchkeeper alerts resend"
    )


def describe_fleet(cards: Sequence[Card]) -> str:
    """Return how the fleet is today, in a sentence."""
    if not cards:
        return "No model is watched yet: put a model file into the folder that WATCHKEEPER_MODELS names."
    troubled = [card for card in cards if card["open"]]
    if not troubled:
        return f"No incident is open on {'the one model' if len(cards) == 1 else f'any of {len(cards)} models'}."
    amounts = [card["amount_gbp_per_day"] for card in troubled if card["amount_gbp_per_day"] is not None]
    bound = "up to" if any(card.get("at_most") for card in troubled) else "about"
    stake = f", {bound} {formatting.format_gbp(sum(amounts))} a day at stake" if amounts else ""
    incidents = sum(len(card["open"]) for card in troubled)
    where = f"{len(troubled)} of {formatting.pluralise(len(cards), 'model')}"
    return f"{formatting.pluralise(incidents, 'incident')} open on {where}{stake}."


def fleet_line(card: Card, newest: str | None, span: int) -> Card:
    """Return a model's line with words for what is only a value in the JSON.

    Its ``text`` is what the search finds beside what the line shows.
    """
    until = card["watched_until"]
    behind = (date.fromisoformat(newest) - date.fromisoformat(until)).days if newest and until else 0
    strip = card["strip"][-span:]
    bad = sum(strip_day["state"] == "incident" for strip_day in strip)
    return card | {
        "freshness": describe_freshness(until, behind),
        "behind": behind,
        "strip": strip,
        "trends": [trend | {"drawn": _trend_sparkline(trend, span)} for trend in card["trends"]],
        "text": " ".join([card["model"], *(found["cause"] for found in card["open"])]).lower(),
        "strip_drawn": draw_strip_bars(
            [strip_day["state"] for strip_day in strip],
            f"Last {formatting.pluralise(len(strip), 'day')}: {bad} with an incident",
        ),
        "opened": [
            found | {"since": formatting.format_short_day(date.fromisoformat(found["opened"]))}
            for found in card["open"]
        ],
    }


def _trend_sparkline(trend: Card, span: int) -> str:
    values = trend["values"][-span:]
    return draw_sparkline(values, f"{trend['title']}, {len(values)} days")


def describe_freshness(until: str | None, behind: int) -> str:
    """Return until when a model was watched, and whether it lags behind the others."""
    if until is None:
        return "never watched"
    said = f"watched until {formatting.format_short_day(date.fromisoformat(until))}"
    return f"{said}, {formatting.pluralise(behind, 'day')} behind" if behind else said


def fleet_card_as_json(card: Card) -> Card:
    """Return a model's line for machines, without what is long and in the model's own JSON."""
    return {key: value for key, value in card.items() if key not in ("strip", "not_watched")}
