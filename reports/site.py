"""Builds the static site from the ledger: every page, or only those that some watched days touch."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from ledger.records import Incident
from ledger.store import Ledger
from models.spec import Spec
from reports import coverage, explore, feature, feeds, fleet, incident, methods, model, schema, write
from reports import day as days
from reports.reading import Cell, Reading, concerns

Progress = Callable[[str, int, int], None]
"""Called with a page's name, how many pages of its model are done, and how many there are."""
Card = dict[str, Any]


def build(
    ledger: Ledger,
    specs: Sequence[Spec],
    site: Path,
    *,
    touched: Collection[tuple[str, date]] | None = None,
    progress: Progress | None = None,
) -> Path:
    """Write the pages that the touched (model, day) pairs change, or all for None; return the fleet page's path.

    Touched are a pair's day page, those of earlier days that an incident found on that day reaches back to, its
    model's page, features and incidents, and what tells of the whole fleet. Each file is replaced whole, what is linked
    to before what links to it, and the fleet page last, so that a reader never meets half a site. Raises
    WatchkeeperError where the folder can't be written; the site then shows what it showed before.
    """
    write.assets(site)
    explore.assets(site)
    write.file(site / "assets" / "schema.json", (write.as_json(schema.schema()) + "\n").encode())
    write.page(site, "methods", "methods.html", *methods.page())
    cards = []
    for spec in specs:
        mine = None if touched is None else {day for name, day in touched if name == spec.model}
        card = None if mine is None or mine else _standing_card(site, spec)
        cards.append(card or _build_model(ledger, spec, site, mine or None, progress))
    known = ledger.incidents()
    _feeds(site, specs, known)
    write.file(site / "metrics.prom", feeds.prometheus(cards))
    write.page(site, "coverage", "coverage.html", *coverage.page(cards))
    front = fleet.page(cards, ledger.dead_letters())
    write.page(site, "index", "fleet.html", front, {"models": [fleet.machine(card) for card in cards]})
    _forget(site, {found.id for found in known})
    return site / "index.html"


def _feeds(site: Path, specs: Sequence[Spec], incidents: Sequence[Incident]) -> None:
    by_name = {spec.model: spec for spec in specs}
    for owner in sorted({spec.owner for spec in specs}):
        own = [(by_name[i.model], i) for i in incidents if i.model in by_name and by_name[i.model].owner == owner]
        name = write.file_name(owner)
        write.file(site / "feeds" / f"{name}.xml", feeds.atom(owner, name, own))


def _build_model(ledger: Ledger, spec: Spec, site: Path, mine: set[date] | None, progress: Progress | None) -> Card:
    reading = Reading(ledger, spec)
    folder = f"models/{spec.model}"
    chosen = list(reading.runs)
    if mine is not None:
        stale = mine | _accused(reading, mine)
        chosen = [day for day in chosen if day in stale or not (site / folder / f"days/{day}.html").exists()]
        reading.known = _standing_cells(site, spec, without=stale)
    total = len(chosen) + len(reading.incidents) + len(reading.features) + 1
    names: list[str] = []

    def wrote(name: str) -> None:
        names.append(name)
        if progress is not None:
            progress(name, len(names), total)

    for day in chosen:
        name = f"{folder}/days/{day}"
        write.page(site, name, "day.html", *days.page(reading, day))
        wrote(name)
    if reading.last is not None:
        write.file(site / folder / "days/latest.html", feeds.latest(reading.last))
        newest = (site / folder / f"days/{reading.last}.json").read_bytes()
        write.file(site / folder / "days/latest.json", newest)
    for found in reading.incidents:
        name = found.page.removesuffix(".html")
        drilldown = (site / f"{name}-evidently.html").exists()
        write.page(site, name, "incident.html", *incident.page(reading, found, drilldown=drilldown))
        wrote(name)
    for name in reading.features:
        path = f"{folder}/features/{write.file_name(name)}"
        write.page(site, path, "feature.html", *feature.page(reading, name))
        wrote(path)
    write.page(site, f"{folder}/explore", "explore.html", *explore.page(reading))
    context = model.page(reading)
    write.page(site, f"{folder}/index", "model.html", context, model.machine(reading, context["card"]))
    write.file(site / folder / "badge.svg", feeds.badge(context["card"]))
    wrote(f"{folder}/index")
    plain: Card = json.loads(write.as_json(context["card"]))
    return plain


def _accused(reading: Reading, mine: Collection[date]) -> set[date]:
    """Return the days before that an incident reaches back to which fired on one of some days."""
    reached = [incident for incident in reading.incidents if incident.fired in mine]
    return {day for day in reading.runs for incident in reached if concerns(incident, day)}


def _standing_card(site: Path, spec: Spec) -> Card | None:
    """Return the line of a model whose pages are not rebuilt, from its page's JSON; None where that isn't whole."""
    try:
        card: Card = json.loads((site / f"models/{spec.model}/index.json").read_text(encoding="utf-8"))["card"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return card if card.get("model") == spec.model and "strip" in card else None


def _standing_cells(site: Path, spec: Spec, without: Collection[date]) -> dict[date, Cell]:
    """Return the strip's cells of the days whose pages stand."""
    card = _standing_card(site, spec)
    cells = card["strip"] if card else []
    found = {date.fromisoformat(cell["day"]): cell for cell in cells if cell["state"] != "unwatched"}
    return {day: Cell(day, cell["state"], cell["counts"]) for day, cell in found.items() if day not in without}


def _forget(site: Path, known: Collection[str]) -> None:
    """Remove the pages of incidents that the ledger no longer has: a day watched again may conclude otherwise."""
    for path in (site / "incidents").glob("*"):
        name = path.stem.removesuffix("-evidently")
        if path.suffix in (".html", ".json") and name not in known:
            path.unlink(missing_ok=True)
