"""Builds the static site from the ledger: every page, or only those that some watched days touch."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from datetime import date, timedelta
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from ledger.records import Incident
from ledger.store import Ledger
from models.spec import Spec
from reports import coverage, explore, feature, feeds, fleet, incident, methods, model, schema, watched, write
from reports import day as days
from reports.reading import Cell, Reading, Runbook, concerns, no_runbook

Progress = Callable[[str, int, int], None]
"""Called with a page's name, how many pages of its model are done, and how many there are; with several processes,
with a model's page, how many models are done, and how many there are."""
Card = dict[str, Any]
CARD = '{"card":'
"""How the JSON of a model's page begins."""
APART = 8
"""Models from which more than one process is worth its start."""


def build(
    ledger: Ledger,
    specs: Sequence[Spec],
    site: Path,
    *,
    touched: Collection[tuple[str, date]] | None = None,
    progress: Progress | None = None,
    processes: int = 1,
    runbook: Runbook = no_runbook,
) -> Path:
    """Write the pages that the touched (model, day) pairs change, or all for None; return the fleet page's path.

    Touched are a pair's day page, those of days of whose incidents something else is told, those that the newest day
    makes old, its model's page, features and incidents, and what tells of the whole fleet. Each file is
    replaced whole, what is linked to before what links to it, and the fleet page last, so that a reader never meets
    half a site. Many models are shared out among ``processes``. Raises WatchkeeperError where the folder can't be
    written; the site then shows what it showed before.
    """
    write.assets(site)
    explore.assets(site)
    write.file(site / "assets" / "schema.json", (write.as_json(schema.schema()) + "\n").encode())
    write.page(site, "methods", "methods.html", *methods.page())
    wanted: dict[str, set[date] | None] = {}
    cards: dict[str, Card] = {}
    for spec in specs:
        mine = None if touched is None else {day for name, day in touched if name == spec.model}
        card = None if mine is None or mine else _standing_card(site, spec)
        if card:
            cards[spec.model] = card
        else:
            wanted[spec.model] = mine or None
    todo = [(spec, wanted[spec.model]) for spec in specs if spec.model in wanted]
    if processes > 1 and len(todo) >= APART:
        cards |= dict(_apart(ledger, todo, site, progress, processes, runbook))
    else:
        cards |= {spec.model: _build_model(ledger, spec, site, mine, progress, runbook) for spec, mine in todo}
    ordered = [cards[spec.model] for spec in specs]
    known = ledger.incidents()
    _feeds(site, specs, known)
    write.file(site / "metrics.prom", feeds.prometheus(ordered))
    write.page(site, "coverage", "coverage.html", *coverage.page(ordered))
    front = fleet.page(ordered, ledger.dead_letters())
    write.page(site, "index", "fleet.html", front, {"models": [fleet.machine(card) for card in ordered]})
    _forget(site, {found.id for found in known})
    return site / "index.html"


Todo = Sequence[tuple[Spec, set[date] | None]]


def _apart(
    ledger: Ledger, todo: Todo, site: Path, progress: Progress | None, processes: int, runbook: Runbook
) -> Iterator[tuple[str, Card]]:
    """Build each model in one of some processes, which open the ledger for themselves."""
    url = ledger.engine.url.render_as_string(hide_password=False)
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        waiting = {pool.submit(_from_afar, url, spec, site, mine, runbook): spec.model for spec, mine in todo}
        try:
            for number, done in enumerate(as_completed(waiting), 1):
                yield waiting[done], done.result()
                if progress is not None:
                    progress(f"models/{waiting[done]}/index", number, len(todo))
        except BaseException:
            pool.shutdown(cancel_futures=True)  # the first error is told, the other models aren't begun
            raise


def _from_afar(url: str, spec: Spec, site: Path, mine: set[date] | None, runbook: Runbook) -> Card:
    ledger = Ledger.open(url)
    try:
        return _build_model(ledger, spec, site, mine, None, runbook)
    finally:
        ledger.close()


def _feeds(site: Path, specs: Sequence[Spec], incidents: Sequence[Incident]) -> None:
    by_name = {spec.model: spec for spec in specs}
    for owner in sorted({spec.owner for spec in specs}):
        own = [(by_name[i.model], i) for i in incidents if i.model in by_name and by_name[i.model].owner == owner]
        name = write.file_name(owner)
        write.file(site / "feeds" / f"{name}.xml", feeds.atom(owner, name, own))


def _build_model(
    ledger: Ledger, spec: Spec, site: Path, mine: set[date] | None, progress: Progress | None, runbook: Runbook
) -> Card:
    reading = Reading(ledger, spec, runbook=runbook)
    folder = f"models/{spec.model}"
    chosen = _chosen(reading, site, mine)
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
    write.page(site, f"{folder}/days/index", "days.html", *watched.page(reading))
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


def _chosen(reading: Reading, site: Path, mine: set[date] | None) -> list[date]:
    """Return the days whose pages are written (None: all), and leave what is known of the others to the reading."""
    if mine is None:
        return list(reading.runs)
    stands = site / f"models/{reading.spec.model}/days"
    lines = _standing_lines(stands)
    stale = mine | _retold(reading, min(mine)) | _beside(reading, lines)
    stale |= {day for day, line in lines.items() if day in reading.runs and _differs(reading, day, line)}
    chosen = [day for day in reading.runs if day in stale or not (stands / f"{day}.html").exists()]
    found = {day: Cell(day, line["state"], line["counts"]) for day, line in lines.items()}
    reading.known = {day: cell for day, cell in found.items() if day not in chosen}
    return chosen


def _retold(reading: Reading, first: date) -> set[date]:
    """Return the days of incidents of which something else is told now than before a day."""
    before = reading.ledger.incidents(reading.spec.model, as_of=first - timedelta(days=1))
    told = {found.id: days.banner(found) for found in before}
    retold = [found for found in reading.incidents if told.get(found.id) != days.banner(found)]
    return {day for day in reading.runs for found in retold if concerns(found, day)}


def _differs(reading: Reading, day: date, line: dict[str, Any]) -> bool:
    """Return whether a day's page has grown old since its line was written, or came into or out of an incident."""
    accused = any(concerns(found, day) for found in reading.incidents)
    return bool(line["complete"] != reading.whole(day) or (line["state"] == "incident") != accused)


def _beside(reading: Reading, lines: Collection[date]) -> set[date]:
    """Return the neighbours of days that weren't watched when the pages were written: they now lead to them."""
    every = list(reading.runs)
    new = [place for place, day in enumerate(every) if day not in lines]
    return {every[at] for place in new for at in (place - 1, place + 1) if 0 <= at < len(every)}


def _standing_card(site: Path, spec: Spec) -> Card | None:
    """Return the line of a model whose pages are not rebuilt, from its page's JSON; None where that isn't whole.

    It stands first there, and the rest isn't parsed.
    """
    try:
        text = (site / f"models/{spec.model}/index.json").read_text(encoding="utf-8")
        card: Card = json.JSONDecoder().raw_decode(text, text.index(CARD) + len(CARD))[0]
    except (OSError, ValueError):
        return None
    return card if card.get("model") == spec.model and "strip" in card else None


def _standing_lines(stands: Path) -> dict[date, dict[str, Any]]:
    """Return the lines of the page of all days; none where it isn't whole, and so every day is written anew."""
    try:
        lines = json.loads((stands / "index.json").read_text(encoding="utf-8"))["days"]
        return {
            date.fromisoformat(line["day"]): line for line in lines if {"state", "counts", "complete"} <= line.keys()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _forget(site: Path, known: Collection[str]) -> None:
    """Remove the pages of incidents that the ledger no longer has: a day watched again may conclude otherwise."""
    for path in (site / "incidents").glob("*"):
        name = path.stem.removesuffix("-evidently")
        if path.suffix in (".html", ".json") and name not in known:
            path.unlink(missing_ok=True)
