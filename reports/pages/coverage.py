"""The coverage page: what nobody looks at, by model."""

from __future__ import annotations

from collections.abc import Sequence

from reports.export.json_parts import REASONS, TEXT, TEXTS, TIER, strict_object
from reports.pages.page import PageContent
from reports.views.fleet_view import Card, FleetView
from reports.wording import formatting
from reports.wording.unwatched import WATCHED_AREAS

LINE_JSON = {"model": TEXT, "owner": TEXT, "tier": TIER, "blind": REASONS, "not_watched": TEXTS}
JSON = {"models": {"type": "array", "items": strict_object(LINE_JSON)}}


def build_coverage_page(fleet: FleetView) -> PageContent:
    """Return the coverage page's content: a line for each model, those with most gaps first."""
    cards = fleet.cards
    ordered = sorted(cards, key=lambda card: (-len(card["blind"]), card["tier"], card["model"]))
    machine = [{key: card[key] for key in LINE_JSON} for card in ordered]
    return {"cards": ordered, "areas": WATCHED_AREAS, "sentence": describe_coverage(cards)}, {"models": machine}


def describe_coverage(cards: Sequence[Card]) -> str:
    """Return how much of the fleet is watched in full, in a sentence."""
    if not cards:
        return "No model is watched yet."
    models = formatting.pluralise(len(cards), "model")
    whole = sum(not card["blind"] for card in cards)
    without = [card for card in cards if "Performance" in card["blind"]]
    said = f"{whole} of {models} {'is' if whole == 1 else 'are'} watched in every respect"
    if without:
        said += f"; of {formatting.pluralise(len(without), 'model')} nobody knows whether fraud is caught"
    return f"{said}."
