"""The five recipes of CONTRIBUTING.md: carried out as they stand there, each has its effect in the product."""

from __future__ import annotations

import importlib
import json
import re
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import jsonschema
import numpy as np
import pandas as pd
import pytest
from scipy.spatial import distance

import catalogue
import warehouse
from alerting.incidents.detection import registry as detection
from alerting.notifications import outbox
from alerting.notifications.channels import registry as channels
from ledger.records.measurements import Verdict
from ledger.records.runs import Run
from ledger.store import Ledger
from monitors.stats.registry import STATISTICS, registered_for_now
from reports.pages.registry import PAGES
from reports.site import build_site
from tests.alerting import made as alerting_made
from tests.alerting.notifications.channels.made import OPENED
from tests.monitors.stats import test_statistics_registry as statistics
from tests.reports import made as reports_made
from tests.warehouse import made as warehouse_made
from warehouse import engines

REPOSITORY = Path(__file__).parents[2]
TEXT = (REPOSITORY / "CONTRIBUTING.md").read_text(encoding="utf-8")
FILE = re.compile(r"^# (\S+\.py)$", re.MULTILINE)


def blocks_of(recipe: str, kind: str = "python") -> list[str]:
    """Return the blocks of code below a recipe's heading."""
    (part,) = (part for part in TEXT.split("\n### ") if part.startswith(f"{recipe}\n"))
    return re.findall(rf"^```{kind}\n(.*?)^```$", part, re.MULTILINE | re.DOTALL)


def carry_out(recipe: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, dict[str, Any]]:
    """Run a recipe's code, each part among the names of its file (or as a new module), and return the names by file."""
    (block,) = blocks_of(recipe)
    _, *parts = FILE.split(block)
    found = {}
    for file, code in zip(parts[::2], parts[1::2], strict=True):
        name = file.removesuffix(".py").replace("/", ".")
        if (REPOSITORY / file).is_file():
            names = dict(vars(importlib.import_module(name)))
        else:
            module = ModuleType(name)
            monkeypatch.setitem(sys.modules, name, module)
            names = vars(module)
        exec(compile(code, file, "exec", dont_inherit=True), names)
        found[file] = names
    return found


@pytest.fixture(autouse=True)
def nothing_stays(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Leave the registers as they were."""
    monkeypatch.setattr(detection, "DETECTORS", dict(detection.DETECTORS))
    with catalogue.added_for_now(), registered_for_now():
        yield
    assert "hellinger" not in catalogue.METRICS.keys() | STATISTICS.keys()
    assert "id_format" not in catalogue.CAUSES


def test_a_statistic_is_measured_and_judged_by_a_limit_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    hellinger = carry_out("A statistic", monkeypatch)["monitors/stats/distances.py"]["hellinger"]
    p, q = np.array([[90.0, 7.0, 3.0]]), np.array([[70.0, 20.0, 10.0]])
    oracle = distance.euclidean(np.sqrt(p[0] / 100), np.sqrt(q[0] / 100)) / np.sqrt(2)
    assert hellinger(p, q) == pytest.approx([oracle])
    moved = statistics.measured(statistics.learned(), statistics.a_day(np.random.default_rng(9), shift=4.0, gb=0.7))
    assert {one.verdict for one in moved.values()} == {Verdict.BREACH}
    assert all(one.reason.startswith("Hellinger distance ") for one in moved.values())


def test_an_engine_opens_its_address_and_profiles_a_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folders = carry_out("An engine", monkeypatch)["warehouse/engines.py"]["FOLDERS"]
    monkeypatch.setattr(engines, "FOLDERS", folders)
    days, model = warehouse_made.week(tmp_path / "parquet"), warehouse_made.spec()
    rows = pd.concat([own.assign(day=day) for day, own in days.items()])
    rows.to_csv(tmp_path / "cards.features.csv", index=False)
    opened = warehouse.open_warehouse(f"csv://{tmp_path}")
    assert opened.days(model, min(days), max(days)) == list(days)
    schema = opened.fit_profile_schema(model)
    day = warehouse_made.DAY
    assert opened.profile(model, schema, day, min(each for each in days if each > day))[day].rows == len(days[day])


def test_a_channel_that_the_routes_name_gets_the_outboxs_messages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kinds = carry_out("A channel", monkeypatch)["alerting/notifications/channels/registry.py"]["CHANNEL_KINDS"]
    monkeypatch.setattr(channels, "CHANNEL_KINDS", kinds)
    file = tmp_path / "logbook.txt"
    settings = channels.read_channel({"kind": "logbook", "file": str(file)})
    channel = channels.build_channel("logbook", settings, "")
    ledger = Ledger.open(f"sqlite:///{tmp_path / 'ledger.db'}")
    with ledger.transaction():
        ledger.enqueue(replace(OPENED, channel="logbook"))
    delivered = outbox.deliver_messages(ledger, channel, datetime(2026, 3, 4, tzinfo=UTC))
    assert (delivered.sent, file.read_text()) == (1, f"opened: {OPENED.text}")


def test_a_cause_opens_an_incident_with_its_words(monkeypatch: pytest.MonkeyPatch) -> None:
    breach = alerting_made.m("check", "expect_column_values_to_match_regex", "payment_id", 0.4, limit=0.0)
    assert alerting_made.causes_of(breach) != ["id_format"]
    carry_out("A cause", monkeypatch)
    (incident,) = alerting_made.one_day(breach)
    assert (incident.cause, incident.data_fault) == ("id_format", True)
    assert "ids of `card_payments/features` have another format" in incident.summary
    assert incident.first_step == "Ask who changed the ids of `card_payments/features`."


def test_a_page_is_written_with_its_json_and_linked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pages = carry_out("A page", monkeypatch)["reports/pages/registry.py"]["PAGES"]
    *there, page = pages
    assert tuple(there) == PAGES
    (template,) = blocks_of("A page", "html")
    (tmp_path / page.template).write_text(template, encoding="utf-8")
    ledger, spec = Ledger.open(f"sqlite:///{tmp_path / 'ledger.db'}"), reports_made.spec()
    ledger.save_run(Run(spec.model, reports_made.LAST, "1", 900, live=True, steps={}))
    site = tmp_path / "site"
    build_site(ledger, [spec], site, pages=[*there, replace(page, folder=tmp_path)])
    assert f"<p>{spec.owner}</p>" in (site / "owners.html").read_text(encoding="utf-8")
    assert json.loads((site / "owners.json").read_text(encoding="utf-8")) == {"owners": [spec.owner]}
    assert '<a href="owners.html">Owners</a>' in (site / "index.html").read_text(encoding="utf-8")
    schema = json.loads((site / "assets/schema.json").read_text(encoding="utf-8"))
    jsonschema.validate({"owners": [spec.owner]}, {"$defs": schema["$defs"], "$ref": "#/$defs/owners"})


def test_the_layers_are_those_of_the_import_contract() -> None:
    contracts = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = next(each["layers"] for each in contracts if each["type"] == "layers")
    packages = [{_package(name) for name in re.split(r" [|:] ", layer)} for layer in layers if "__main__" not in layer]
    rooms = [layer for layer, above in zip(packages, [set(), *packages], strict=False) if layer != above]
    (said,) = re.findall(r"`(dags > [^`]*)`", TEXT)
    assert [set(layer.split(" | ")) for layer in " ".join(said.split()).split(" > ")] == rooms


def _package(module: str) -> str:
    return module if module == "watchkeeper.cli" else module.partition(".")[0]
