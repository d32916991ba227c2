"""Builds the static site from the ledger: every page of the list, or only those that some watched days touch."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import replace
from datetime import date
from multiprocessing import get_context
from pathlib import Path

import catalogue
from ledger.records.incidents import Incident
from ledger.store import Ledger
from models.spec import Spec
from reports import writing
from reports.export import feeds, json_schema
from reports.incremental import remove_vanished_incidents, standing_card
from reports.model_site import Progress, build_model_site
from reports.page_writer import PageWriter
from reports.pages import explore
from reports.pages.page import Page, Scope
from reports.pages.registry import PAGES
from reports.views.fleet_view import Card, FleetView
from reports.views.model_view import Runbook, no_runbook

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
    pages: Sequence[Page] = PAGES,
) -> Path:
    """Write the pages that the touched (model, day) pairs change, or all for None; return the fleet page's path.

    Touched are a pair's day page, those of days of whose incidents something else is said, those that the newest day
    makes old, its model's page, features and incidents, and the pages of the whole fleet. Each file is replaced
    whole, what is linked to before what links to it, and the fleet page last, so that a reader never meets half a
    site. Many models are shared out among ``processes``. Raises WatchkeeperError where the folder can't be written;
    the site then shows what it showed before.
    """
    writing.write_assets(site)
    explore.write_plotly(site)
    schema = writing.as_json(json_schema.build_json_schema(pages)) + "\n"
    writing.write_file(site / "assets" / "schema.json", schema.encode())
    writer = PageWriter(site, pages)
    cards, todo = _models_to_build(site, specs, touched)
    if processes > 1 and len(todo) >= MIN_MODELS_FOR_PROCESSES:
        cards |= dict(_build_in_processes(ledger, todo, writer, progress, processes, runbook))
    else:
        cards |= {spec.model: build_model_site(ledger, spec, writer, mine, progress, runbook) for spec, mine in todo}
    incidents = ledger.incidents()
    _write_feeds(site, specs, incidents)
    fleet = FleetView([cards[spec.model] for spec in specs], ledger.dead_letters(), runbook)
    writing.write_file(site / "metrics.prom", feeds.render_prometheus(fleet.cards))
    for page in writer.of_scope(Scope.SITE):
        writer.write(page, page.build(fleet))
    remove_vanished_incidents(site, {found.id for found in incidents})
    return site / "index.html"


ModelsToBuild = Sequence[tuple[Spec, set[date] | None]]
"""Models whose pages are written, each with its touched days; None for all days."""


def _models_to_build(
    site: Path, specs: Sequence[Spec], touched: Collection[tuple[str, date]] | None
) -> tuple[dict[str, Card], ModelsToBuild]:
    """Return the lines of models that nothing touched, as they stand, and the models whose pages are written."""
    cards: dict[str, Card] = {}
    todo: list[tuple[Spec, set[date] | None]] = []
    for spec in specs:
        mine = None if touched is None else {day for name, day in touched if name == spec.model}
        card = None if mine is None or mine else standing_card(site, spec)
        if card:
            cards[spec.model] = card
        else:
            todo.append((spec, mine or None))
    return cards, todo


def _build_in_processes(
    ledger: Ledger, todo: ModelsToBuild, writer: PageWriter, progress: Progress | None, processes: int, runbook: Runbook
) -> Iterator[tuple[str, Card]]:
    """Build each model in one of some processes, which open the ledger for themselves."""
    url = ledger.engine.url.render_as_string(hide_password=False)
    entries = (
        tuple(catalogue.METRICS.values()),
        tuple(catalogue.DERIVED.values()),
        tuple(catalogue.MONITORS.values()),
        tuple(catalogue.CAUSES.values()),
    )
    with ProcessPoolExecutor(
        processes, mp_context=get_context("spawn"), initializer=_register_entries, initargs=entries
    ) as pool:
        waiting = {
            pool.submit(_build_model_in_process, url, spec, writer, mine, runbook): spec.model for spec, mine in todo
        }
        try:
            for number, done in enumerate(as_completed(waiting), 1):
                yield waiting[done], done.result()
                if progress is not None:
                    progress(f"models/{waiting[done]}/index", number, len(todo))
        except BaseException:
            pool.shutdown(cancel_futures=True)  # the first error is raised, the other models aren't begun
            raise


def _register_entries(
    metrics: Collection[catalogue.Metric],
    derived: Collection[catalogue.Derived],
    monitors: Collection[catalogue.Monitor],
    causes: Collection[catalogue.Cause],
) -> None:
    """Give a new process the entries that a bank's plug-ins added to the catalogue of the first one."""
    for monitor in monitors:
        catalogue.add_monitor(replace(monitor, metrics=(), derived=()))  # which their own entries fill in
    for metric in metrics:
        catalogue.add_metric(metric)
    for family in derived:
        catalogue.add_derived(family)
    for cause in causes:
        catalogue.add_cause(cause)


def _build_model_in_process(url: str, spec: Spec, writer: PageWriter, mine: set[date] | None, runbook: Runbook) -> Card:
    ledger = Ledger.open(url)
    try:
        return build_model_site(ledger, spec, writer, mine, None, runbook)
    finally:
        ledger.close()


def _write_feeds(site: Path, specs: Sequence[Spec], incidents: Sequence[Incident]) -> None:
    by_name = {spec.model: spec for spec in specs}
    for owner in sorted({spec.owner for spec in specs}):
        own = [(by_name[i.model], i) for i in incidents if i.model in by_name and by_name[i.model].owner == owner]
        name = writing.file_name(owner)
        writing.write_file(site / "feeds" / f"{name}.xml", feeds.render_atom_feed(owner, name, own))
