"""A page is a module, a template and an entry in the list: where it is written and linked follows from the entry."""

from __future__ import annotations

import importlib.util
import json
import shutil
from pathlib import Path
from types import ModuleType

import jsonschema
import pytest

from ledger.store import Ledger
from models.spec import Spec
from reports.pages.page import Page, Scope
from reports.pages.registry import PAGES
from reports.site import build_site
from tests.reports import made

MODULE = '''
"""A page that a bank invented: how many days a model was watched."""

from reports.export.json_parts import COUNT, TEXT

JSON = {"model": TEXT, "days": COUNT}


def build_calendar_page(model_view):
    days = len(model_view.runs)
    return {"spec": model_view.spec, "days": days}, {"model": model_view.spec.model, "days": days}
'''
TEMPLATE = """{% extends "base.html" %}
{% block title %}Calendar{% endblock %}
{% block main %}<h1>Calendar</h1><p>Watched on {{ formatting.pluralise(days, "day") }}.</p>{% endblock %}
"""


@pytest.fixture
def calendar(tmp_path: Path) -> Page:
    """Return the entry of a page whose module and template stand outside the package."""
    (tmp_path / "calendar_page.py").write_text(MODULE)
    (tmp_path / "calendar.html").write_text(TEMPLATE)
    module = loaded(tmp_path / "calendar_page.py")
    return Page(
        "calendar", "Calendar", "models/{model}/calendar", "calendar.html", Scope.MODEL,
        module.build_calendar_page, module.JSON, in_navigation=True, folder=tmp_path,
    )  # fmt: skip


def loaded(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_an_invented_page_is_written_with_its_json_and_linked_from_every_page_of_its_model(
    ledger: Ledger, specs: list[Spec], calendar: Page, tmp_path: Path
) -> None:
    site = tmp_path / "site"
    build_site(ledger, specs, site, pages=[*PAGES, calendar])
    model = site / "models/card_payments"
    assert "Watched on 30 days." in (model / "calendar.html").read_text(encoding="utf-8")
    machine = json.loads((model / "calendar.json").read_text(encoding="utf-8"))
    assert machine == {"model": "card_payments", "days": 30}
    schema = json.loads((site / "assets/schema.json").read_text(encoding="utf-8"))
    jsonschema.validate(machine, {"$defs": schema["$defs"], "$ref": "#/$defs/calendar"})
    link = "../../models/card_payments/calendar.html"
    for page in (model / "index.html", model / "explore.html"):
        assert f'<a href="{link}">Calendar</a>' in page.read_text(encoding="utf-8")
    assert f'<a href="{link}" aria-current="page">Calendar</a>' in (model / "calendar.html").read_text(encoding="utf-8")
    assert "calendar.html" in (model / f"days/{made.LAST}.html").read_text(encoding="utf-8")
    assert "calendar.html" not in (site / "index.html").read_text(encoding="utf-8")


def test_a_new_page_of_days_is_written_for_days_that_were_built_before_it(
    site: Path, ledger: Ledger, specs: list[Spec], calendar: Page, tmp_path: Path
) -> None:
    copy = tmp_path / "site"
    shutil.copytree(site, copy)
    of_days = Page(
        "notes", "Notes", "models/{model}/notes/{day}", "calendar.html", Scope.DAY,
        lambda model_view, _: calendar.build(model_view), folder=calendar.folder,
    )  # fmt: skip
    build_site(ledger, specs, copy, touched={("card_payments", made.LAST)}, pages=[*PAGES, of_days])
    assert len(list((copy / "models/card_payments/notes").glob("*.html"))) == 30


def test_every_page_of_the_list_has_a_name_and_a_place_of_its_own_and_describes_its_json() -> None:
    assert len({page.name for page in PAGES}) == len({page.path for page in PAGES}) == len(PAGES)
    assert all(page.json for page in PAGES)
    assert all((page.folder / page.template).exists() for page in PAGES)
