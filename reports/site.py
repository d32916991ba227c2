"""Builds the static site from the ledger: every page, or only those that some watched days touch."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from datetime import date, timedelta
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from ledger.records.incidents import Incident
from ledger.store import Ledger
from models.spec import Spec
from reports import writing
from reports.export import feeds, json_schema
from reports.model_view import ModelView, Runbook, StripDay, incident_covers, no_runbook
from reports.pages import all_days, coverage, explore, feature, fleet, incident, methods, model
from reports.pages import day as days

Progress = Callable[[str, int, int], None]
"""Called with a page's name, how many pages of its model are done, and how many there are; with several processes,
with a model's page, how many models are done, and how many there are."""
Card = dict[str, Any]
CARD_PREFIX = '{"card":'
"""How the JSON of a model's page begins."""
MIN_MODELS_FOR_PROCESSES = 8
"""Models from which more than one process is worth its start."""


def build_site(
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
    writing.write_assets(site)
    explore.write_plotly(site)
    writing.write_file(
        site / "assets" / "schema.json", (writing.as_json(json_schema.build_json_schema()) + "\n").encode()
    )
    writing.write_page(site, "methods", "methods.html", *methods.build_methods_page())
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
    if processes > 1 and len(todo) >= MIN_MODELS_FOR_PROCESSES:
        cards |= dict(_build_in_processes(ledger, todo, site, progress, processes, runbook))
    else:
        cards |= {spec.model: _build_model(ledger, spec, site, mine, progress, runbook) for spec, mine in todo}
    ordered = [cards[spec.model] for spec in specs]
    known = ledger.incidents()
    _write_feeds(site, specs, known)
    writing.write_file(site / "metrics.prom", feeds.render_prometheus(ordered))
    writing.write_page(site, "coverage", "coverage.html", *coverage.build_coverage_page(ordered))
    front = fleet.build_fleet_page(ordered, ledger.dead_letters())
    writing.write_page(
        site, "index", "fleet.html", front, {"models": [fleet.fleet_card_as_json(card) for card in ordered]}
    )
    _remove_vanished_incidents(site, {found.id for found in known})
    return site / "index.html"


ModelsToBuild = Sequence[tuple[Spec, set[date] | None]]


def _build_in_processes(
    ledger: Ledger, todo: ModelsToBuild, site: Path, progress: Progress | None, processes: int, runbook: Runbook
) -> Iterator[tuple[str, Card]]:
    """Build each model in one of some processes, which open the ledger for themselves."""
    url = ledger.engine.url.render_as_string(hide_password=False)
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        waiting = {
            pool.submit(_build_model_in_process, url, spec, site, mine, runbook): spec.model for spec, mine in todo
        }
        try:
            for number, done in enumerate(as_completed(waiting), 1):
                yield waiting[done], done.result()
                if progress is not None:
                    progress(f"models/{waiting[done]}/index", number, len(todo))
        except BaseException:
            pool.shutdown(cancel_futures=True)  # the first error is told, the other models aren't begun
            raise


def _build_model_in_process(url: str, spec: Spec, site: Path, mine: set[date] | None, runbook: Runbook) -> Card:
    ledger = Ledger.open(url)
    try:
        return _build_model(ledger, spec, site, mine, None, runbook)
    finally:
        ledger.close()


def _write_feeds(site: Path, specs: Sequence[Spec], incidents: Sequence[Incident]) -> None:
    by_name = {spec.model: spec for spec in specs}
    for owner in sorted({spec.owner for spec in specs}):
        own = [(by_name[i.model], i) for i in incidents if i.model in by_name and by_name[i.model].owner == owner]
        name = writing.file_name(owner)
        writing.write_file(site / "feeds" / f"{name}.xml", feeds.render_atom_feed(owner, name, own))


def _build_model(
    ledger: Ledger, spec: Spec, site: Path, mine: set[date] | None, progress: Progress | None, runbook: Runbook
) -> Card:
    model_view = ModelView(ledger, spec, runbook=runbook)
    folder = f"models/{spec.model}"
    chosen = _days_to_write(model_view, site, mine)
    total = len(chosen) + len(model_view.incidents) + len(model_view.features) + 1
    names: list[str] = []

    def wrote(name: str) -> None:
        names.append(name)
        if progress is not None:
            progress(name, len(names), total)

    for day in chosen:
        name = f"{folder}/days/{day}"
        writing.write_page(site, name, "day.html", *days.build_day_page(model_view, day))
        wrote(name)
    if model_view.last is not None:
        writing.write_file(site / folder / "days/latest.html", feeds.render_latest_redirect(model_view.last))
        newest = (site / folder / f"days/{model_view.last}.json").read_bytes()
        writing.write_file(site / folder / "days/latest.json", newest)
    writing.write_page(site, f"{folder}/days/index", "days.html", *all_days.build_days_page(model_view))
    for found in model_view.incidents:
        name = found.page.removesuffix(".html")
        drilldown = (site / f"{name}-evidently.html").exists()
        writing.write_page(
            site, name, "incident.html", *incident.build_incident_page(model_view, found, drilldown=drilldown)
        )
        wrote(name)
    for name in model_view.features:
        path = f"{folder}/features/{writing.file_name(name)}"
        writing.write_page(site, path, "feature.html", *feature.build_feature_page(model_view, name))
        wrote(path)
    writing.write_page(site, f"{folder}/explore", "explore.html", *explore.build_explore_page(model_view))
    context = model.build_model_page(model_view)
    writing.write_page(
        site, f"{folder}/index", "model.html", context, model.model_page_as_json(model_view, context["card"])
    )
    writing.write_file(site / folder / "badge.svg", feeds.render_badge(context["card"]))
    wrote(f"{folder}/index")
    plain: Card = json.loads(writing.as_json(context["card"]))
    return plain


def _days_to_write(model_view: ModelView, site: Path, mine: set[date] | None) -> list[date]:
    """Return the days whose pages are written (None: all), and leave what is known of the others to the reading."""
    if mine is None:
        return list(model_view.runs)
    stands = site / f"models/{model_view.spec.model}/days"
    lines = _standing_lines(stands)
    stale = mine | _days_of_changed_incidents(model_view, min(mine)) | _neighbours_of_new_days(model_view, lines)
    stale |= {day for day, line in lines.items() if day in model_view.runs and _is_outdated(model_view, day, line)}
    chosen = [day for day in model_view.runs if day in stale or not (stands / f"{day}.html").exists()]
    found = {day: StripDay(day, line["state"], line["counts"]) for day, line in lines.items()}
    model_view.known = {day: strip_day for day, strip_day in found.items() if day not in chosen}
    return chosen


def _days_of_changed_incidents(model_view: ModelView, first: date) -> set[date]:
    """Return the days of incidents of which something else is told now than before a day."""
    before = model_view.ledger.incidents(model_view.spec.model, as_of=first - timedelta(days=1))
    banners_before = {found.id: days.incident_banner(found) for found in before}
    changed = [found for found in model_view.incidents if banners_before.get(found.id) != days.incident_banner(found)]
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


def _standing_card(site: Path, spec: Spec) -> Card | None:
    """Return the line of a model whose pages are not rebuilt, from its page's JSON; None where that isn't whole.

    It stands first there, and the rest isn't parsed.
    """
    try:
        text = (site / f"models/{spec.model}/index.json").read_text(encoding="utf-8")
        card: Card = json.JSONDecoder().raw_decode(text, text.index(CARD_PREFIX) + len(CARD_PREFIX))[0]
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


def _remove_vanished_incidents(site: Path, known: Collection[str]) -> None:
    """Remove the pages of incidents that the ledger no longer has: a day watched again may conclude otherwise."""
    for path in (site / "incidents").glob("*"):
        name = path.stem.removesuffix("-evidently")
        if path.suffix in (".html", ".json") and name not in known:
            path.unlink(missing_ok=True)
