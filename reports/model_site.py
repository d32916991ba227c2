"""Builds the pages of one model: its features, incidents and days, then what leads to them."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator
from datetime import date
from pathlib import Path

from ledger.records.incidents import Incident
from ledger.store import Ledger
from models.spec import Spec
from reports.export import feeds
from reports.incremental import days_to_write
from reports.page_writer import PageWriter
from reports.pages.model_card import model_card
from reports.pages.page import Page, Scope
from reports.views.fleet_view import Card
from reports.views.model_view import ModelView, Runbook
from reports.wording.states import model_state
from reports.writing import as_json, file_name, write_file

Progress = Callable[[str, int, int], None]
"""Called with a page's name, how many pages of its model are done, and how many there are; with several processes,
with a model's page, how many models are done, and how many there are."""
Job = tuple[Page, tuple[object, ...], dict[str, object]]
"""A page to write: what its build function is called with besides the view, and what stands in its path."""


def build_model_site(
    ledger: Ledger,
    spec: Spec,
    writer: PageWriter,
    touched: set[date] | None,
    progress: Progress | None,
    runbook: Runbook,
) -> Card:
    """Write a model's pages, of its days only those that the touched ones change (None: all); return its line."""
    site = writer.site

    def has_drilldown(incident: Incident) -> bool:
        return (site / incident.page.replace(".html", "-evidently.html")).exists()

    model_view = ModelView(ledger, spec, runbook=runbook, has_drilldown=has_drilldown)
    days = days_to_write(model_view, writer, touched)
    parts = list(_pages_of_parts(model_view, writer, days))
    own: list[Job] = [(page, (), {}) for page in writer.of_scope(Scope.MODEL)]
    done = 0
    for jobs, after in ((parts, _write_latest_day), (own, _write_badge)):
        for page, subject, names in jobs:
            path = writer.write(page, page.build(model_view, *subject), model=spec.model, **names)
            done += 1
            if progress is not None:
                progress(path, done, len(parts) + len(own))
        after(model_view, site / f"models/{spec.model}")
    card: Card = json.loads(as_json(model_card(model_view)))
    return card


def _pages_of_parts(model_view: ModelView, writer: PageWriter, days: Collection[date]) -> Iterator[Job]:
    """Yield the pages of the model's features, incidents and chosen days."""
    for page in writer.of_scope(Scope.FEATURE):
        for name in model_view.features:
            yield page, (name,), {"feature": file_name(name)}
    for page in writer.of_scope(Scope.INCIDENT):
        for found in model_view.incidents:
            yield page, (found,), {"incident": found.id}
    for page in writer.of_scope(Scope.DAY):
        for day in days:
            yield page, (day,), {"day": day}


def _write_latest_day(model_view: ModelView, folder: Path) -> None:
    """Write what leads to the newest day under a name that stays."""
    if model_view.last is not None:
        write_file(folder / "days/latest.html", feeds.render_latest_redirect(model_view.last))
        write_file(folder / "days/latest.json", (folder / f"days/{model_view.last}.json").read_bytes())


def _write_badge(model_view: ModelView, folder: Path) -> None:
    write_file(folder / "badge.svg", feeds.render_badge(model_view.spec.name, model_state(model_view)))
