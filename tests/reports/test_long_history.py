"""A long history stays small, whole and browsable: old days keep what asked for something, and no day is gone."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from catalogue import day_monitors
from ledger.records.measurements import Verdict
from ledger.storage import tables
from ledger.store import Ledger
from models.spec import Spec
from reports.page_writer import PageWriter
from reports.pages.registry import PAGES
from reports.site import MIN_MODELS_FOR_PROCESSES, build_site
from reports.views.fleet_view import FleetView
from reports.views.model_view import FULL_PAGE_DAYS
from tests.reports import made
from tests.reports.test_site import HALF_A_MEGABYTE, contents, fresh

DAYS = 45
OLD, YOUNG = made.LAST - timedelta(days=FULL_PAGE_DAYS), made.LAST - timedelta(days=FULL_PAGE_DAYS - 1)


@pytest.fixture(scope="module")
def spec() -> Spec:
    return made.spec()


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory, spec: Spec) -> Iterator[tuple[Ledger, Path]]:
    """Return a ledger of more days than have whole pages, with a breach on an old one, and its site."""
    folder = tmp_path_factory.mktemp("long")
    ledger = fresh(folder)
    made.fill(ledger, spec, days=DAYS)
    drift = ledger.measurements(spec.model, as_of=OLD, monitors=("drift",))
    one = next(m for m in drift if (m.metric, m.feature, m.slice) == ("psi", "amount_gbp", ""))
    found = [*(m for m in drift if m is not one), replace(one, verdict=Verdict.BREACH, reason="over")]
    ledger.save_measurements(spec.model, OLD, ("drift",), found)
    build_site(ledger, [spec], folder / "site")
    yield ledger, folder / "site"
    ledger.close()


def day_page(site: Path, spec: Spec, day: date) -> tuple[str, dict[str, Any]]:
    page = site / f"models/{spec.model}/days/{day}"
    machine = json.loads(page.with_suffix(".json").read_text(encoding="utf-8"))
    return page.with_suffix(".html").read_text(encoding="utf-8").replace("\u00a0", " "), machine


def test_an_old_day_shows_what_asked_for_something_and_counts_the_rest(long: tuple[Ledger, Path], spec: Spec) -> None:
    ledger, site = long
    text, machine = day_page(site, spec, OLD)
    every = ledger.measurements(spec.model, as_of=OLD, monitors=day_monitors())
    assert [m["feature"] for m in machine["measurements"]] == ["amount_gbp"]
    assert machine["complete"] is False
    assert sum(n for counts in machine["counts"].values() for n in counts.values()) == len(every)
    assert f"{len(every)} figures measured: 1 over a limit" in text
    assert "over its limit" in text
    assert f"watchkeeper measurements --model {spec.model} --as-of {OLD}" in text
    assert "in the JSON beside this page" not in text


def test_a_young_day_shows_every_figure(long: tuple[Ledger, Path], spec: Spec) -> None:
    ledger, site = long
    text, machine = day_page(site, spec, YOUNG)
    judged = [m for m in machine["measurements"] if m["monitor"] != "nowcast"]
    assert machine["complete"] is True
    assert len(judged) == len(ledger.measurements(spec.model, as_of=YOUNG, monitors=day_monitors()))
    assert "Estimated performance of the newest week, before its labels" in text


def test_a_young_day_says_what_was_expected_of_its_payments(long: tuple[Ledger, Path], spec: Spec) -> None:
    text, machine = day_page(long[1], spec, YOUNG)
    assert "Nowcast: what this day's figures will come to once its labels are complete" in text.replace("&#39;", "'")
    expected = [m for m in machine["measurements"] if m["monitor"] == "nowcast"]
    assert {m["metric"] for m in expected} == {"recall", "precision", "value_detection_rate"}
    assert {(m["day"], m["as_of"]) for m in expected} == {(str(YOUNG), str(YOUNG))}


def test_a_quiet_old_day_is_a_small_page(long: tuple[Ledger, Path], spec: Spec) -> None:
    pages = (long[1] / f"models/{spec.model}/days").glob("2026*.html")
    sizes = {path.stem: path.stat().st_size for path in pages}
    assert len(sizes) == DAYS
    assert all(size < 6_000 for day, size in sizes.items() if day < str(OLD))


def test_every_watched_day_is_a_link_away_and_a_day_that_was_not_watched_is_named(
    long: tuple[Ledger, Path], spec: Spec, tmp_path: Path
) -> None:
    text = (long[1] / f"models/{spec.model}/days/index.html").read_text(encoding="utf-8")
    first = made.LAST - timedelta(days=DAYS - 1)
    assert f"Watched on {DAYS} days from" in text
    assert "without a gap" in text
    for i in range(DAYS):
        assert f'href="{first + timedelta(days=i)}.html"' in text
    assert f'href="../../models/{spec.model}/days/index.html"' in (
        long[1] / f"models/{spec.model}/index.html"
    ).read_text(encoding="utf-8")
    gap = without(long[0], tmp_path, OLD)
    build_site(gap, [spec], tmp_path / "site")
    text = (tmp_path / f"site/models/{spec.model}/days/index.html").read_text(encoding="utf-8")
    assert "not on 1 day between" in text
    assert f'href="{OLD}.html"' not in text
    gap.close()


def without(ledger: Ledger, folder: Path, day: date) -> Ledger:
    """Return a copy of a ledger in which a day wasn't watched yet."""
    with ledger.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")  # all into the one file that is copied
    shutil.copy(str(ledger.engine.url.database), folder / "ledger.db")
    copy = Ledger.open(f"sqlite:///{folder / 'ledger.db'}")
    with copy.engine.begin() as connection:
        for table in tables.metadata.sorted_tables:
            key = next((name for name in ("as_of", "concluded", "day") if name in table.c), "")
            if key and "model" in table.c:
                connection.execute(sa.delete(table).where(table.c[key] == day))
    return copy


def test_a_day_that_comes_makes_another_old_and_gives_the_site_that_building_everything_gives(
    long: tuple[Ledger, Path], spec: Spec, tmp_path: Path
) -> None:
    before = without(long[0], tmp_path, made.LAST)
    build_site(before, [spec], tmp_path / "site")
    before.close()
    built: list[str] = []
    build_site(
        long[0],
        [spec],
        tmp_path / "site",
        touched={(spec.model, made.LAST)},
        progress=lambda name, *_: built.append(name),
    )
    flooded = {str(made.LAST - timedelta(days=i)) for i in range(4)}  # the headline counts their nulls
    assert {name.rpartition("/")[2] for name in built if "/days/2" in name} == {str(OLD), *flooded}
    step, whole = contents(tmp_path / "site"), contents(long[1])
    assert {name for name in whole if step.get(name) != whole[name]} == set()


def test_the_fleet_page_of_two_hundred_models_in_trouble_is_light(long: tuple[Ledger, Path], tmp_path: Path) -> None:
    card = json.loads((long[1] / "models/card_payments/index.json").read_text(encoding="utf-8"))["card"]
    assert len(card["open"]) == 2
    names = [f"model_{number:03}" for number in range(200)]
    cards = [card | {"model": name, "strip": card["strip"] * 2, "trends": _longer(card)} for name in names]
    fleet = PAGES[0]
    PageWriter(tmp_path, PAGES).write(fleet, fleet.build(FleetView(cards)))
    assert (tmp_path / "index.html").stat().st_size < HALF_A_MEGABYTE


def _longer(card: dict[str, Any]) -> list[dict[str, Any]]:
    return [trend | {"values": [v for value in trend["values"] for v in (value, value)]} for trend in card["trends"]]


def test_several_processes_build_the_site_that_one_builds(tmp_path: Path) -> None:
    ledger, specs = fresh(tmp_path), [made.spec(f"model_{number}") for number in range(MIN_MODELS_FOR_PROCESSES)]
    for spec in specs[:3]:
        made.fill(ledger, spec, days=3)
    build_site(ledger, specs, tmp_path / "one")
    told: list[tuple[int, int]] = []
    build_site(ledger, specs, tmp_path / "two", processes=2, progress=lambda _, done, every: told.append((done, every)))
    assert contents(tmp_path / "two") == contents(tmp_path / "one")
    assert told == [(number, MIN_MODELS_FOR_PROCESSES) for number in range(1, MIN_MODELS_FOR_PROCESSES + 1)]
    ledger.close()
