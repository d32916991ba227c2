"""What stands of a site already: which days' pages have grown old, and the lines of models that nothing touched."""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from models.spec import Spec
from reports.page_writer import PageWriter
from reports.pages.day import incident_banner
from reports.pages.page import Scope
from reports.views.fleet_view import Card
from reports.views.model_view import ModelView
from reports.views.strip import StripDay, incident_covers

CARD_PREFIX = '{"card":'
"""How the JSON of a model's page begins."""


def days_to_write(model_view: ModelView, writer: PageWriter, touched: set[date] | None) -> list[date]:
    """Return the days whose pages are written (None: all), and let the view take the others from where they stand."""
    if touched is None:
        return list(model_view.runs)
    lines = _standing_lines(writer.site / f"models/{model_view.spec.model}/days")
    stale = touched | _days_of_changed_incidents(model_view, min(touched)) | _neighbours_of_new_days(model_view, lines)
    stale |= {day for day, line in lines.items() if day in model_view.runs and _is_outdated(model_view, day, line)}
    chosen = [day for day in model_view.runs if day in stale or not _stands(model_view, writer, day)]
    found = {day: StripDay(day, line["state"], line["counts"]) for day, line in lines.items()}
    model_view.known = {day: strip_day for day, strip_day in found.items() if day not in chosen}
    return chosen


def _stands(model_view: ModelView, writer: PageWriter, day: date) -> bool:
    """Return whether every page of a day was written before."""
    paths = (page.path_of(model=model_view.spec.model, day=day) for page in writer.of_scope(Scope.DAY))
    return all((writer.site / f"{path}.html").exists() for path in paths)


def _days_of_changed_incidents(model_view: ModelView, first: date) -> set[date]:
    """Return the days of incidents of which pages say something else now than before a day."""
    before = model_view.ledger.incidents(model_view.spec.model, as_of=first - timedelta(days=1))
    banners_before = {found.id: incident_banner(found) for found in before}
    changed = [found for found in model_view.incidents if banners_before.get(found.id) != incident_banner(found)]
    return {day for day in model_view.runs for found in changed if incident_covers(found, day)}


def _is_outdated(model_view: ModelView, day: date, line: dict[str, Any]) -> bool:
    """Return whether a day's page has grown old since its line was written, or came into or out of an incident."""
    accused = any(incident_covers(found, day) for found in model_view.incidents)
    return bool(line["complete"] != model_view.whole(day) or (line["state"] == "incident") != accused)


def _neighbours_of_new_days(model_view: ModelView, lines: Collection[date]) -> set[date]:
    """Return the neighbours of days that weren't watched when the pages were written: they now lead to them."""
    every = list(model_view.runs)
    new = [index for index, day in enumerate(every) if day not in lines]
    return {every[at] for index in new for at in (index - 1, index + 1) if 0 <= at < len(every)}


def _standing_lines(stands: Path) -> dict[date, dict[str, Any]]:
    """Return the lines of the page of all days; none where it isn't whole, and so every day is written anew."""
    try:
        lines = json.loads((stands / "index.json").read_text(encoding="utf-8"))["days"]
        return {
            date.fromisoformat(line["day"]): line for line in lines if {"state", "counts", "complete"} <= line.keys()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def standing_card(site: Path, spec: Spec) -> Card | None:
    """Return the line of a model whose pages are not rebuilt, from its page's JSON; None where that isn't whole.

    It stands first there, and the rest isn't parsed.
    """
    try:
        text = (site / f"models/{spec.model}/index.json").read_text(encoding="utf-8")
        card: Card = json.JSONDecoder().raw_decode(text, text.index(CARD_PREFIX) + len(CARD_PREFIX))[0]
    except (OSError, ValueError):
        return None
    whole = "strip" in card and all("kind" in found for found in card.get("open", ()))
    return card if card.get("model") == spec.model and whole else None


def remove_vanished_incidents(site: Path, known: Collection[str]) -> None:
    """Remove the pages of incidents that the ledger no longer has: a day watched again may conclude otherwise."""
    for path in (site / "incidents").glob("*"):
        name = path.stem.removesuffix("-evidently")
        if path.suffix in (".html", ".json") and name not in known:
            path.unlink(missing_ok=True)
