"""The coverage page: what nobody looks at, by model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from reports import wording
from reports.pages import status

Card = dict[str, Any]


def build_coverage_page(cards: Sequence[Card]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what the template of the coverage page is filled with, and the same for machines."""
    ordered = sorted(cards, key=lambda card: (-len(card["blind"]), card["tier"], card["model"]))
    machine = [{key: card[key] for key in ("model", "owner", "tier", "blind", "not_watched")} for card in ordered]
    return {"cards": ordered, "areas": status.WATCHED_AREAS, "sentence": describe_coverage(cards)}, {"models": machine}


def describe_coverage(cards: Sequence[Card]) -> str:
    """Return how much of the fleet is watched in full, in a sentence."""
    if not cards:
        return "No model is watched yet."
    whole = sum(not card["blind"] for card in cards)
    without = [card for card in cards if "Performance" in card["blind"]]
    said = (
        f"{whole} of {wording.pluralise(len(cards), 'model')} {'is' if whole == 1 else 'are'} watched in every respect"
    )
    if without:
        said += f"; of {wording.pluralise(len(without), 'model')} nobody knows whether fraud is caught"
    return f"{said}."
