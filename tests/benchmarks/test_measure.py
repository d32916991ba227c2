from __future__ import annotations

import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import duckdb
import pytest

from benchmarks import data, line, peers, tables
from benchmarks.counting import CountingWarehouse
from benchmarks.data import Table
from benchmarks.measure import Case, take_turns
from benchmarks.model import spec
from warehouse.duckdb.warehouse import ParquetWarehouse

SMALL = Table(rows=2_000, days=2)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("bank")
    data.write(root, SMALL)
    return root


def test_the_same_seed_writes_the_same_rows(root: Path, tmp_path: Path) -> None:
    data.write(tmp_path, SMALL)
    for mine, again in zip(SMALL.files(root, 0, 2), SMALL.files(tmp_path, 0, 2), strict=True):
        assert mine.read_bytes() == again.read_bytes()
    first, second = SMALL.files(root, 0, 2)
    assert first.read_bytes() != second.read_bytes()


def test_the_table_has_what_it_is_said_to_have(root: Path) -> None:
    kinds = list(data.watched(30).values())
    assert (len(kinds), kinds.count("category")) == (30, 9)
    assert [len(data.watched(n)) for n in (5, 60)] == [5, 60]
    found = duckdb.sql(f"SELECT * FROM read_parquet('{root}/{SMALL.name}/*/*.parquet')")
    assert set(found.columns) == {*data.watched(30), "payment_id", "action", "day"}
    assert duckdb.sql(
        "SELECT count(*), count(DISTINCT payment_id), count(distance_km) < 3000 FROM found"
    ).fetchall() == [(4_000, 4_000, True)]


def test_a_case_that_fails_or_uses_more_cpu_than_it_may_says_so_and_is_not_run_again(tmp_path: Path) -> None:
    much = {"root": str(tmp_path), "rows": 5_000_000, "days": 1, "columns": 30, "kept_for": []}
    cases = [
        Case("none", "no_such_case", Path(sys.executable)),
        Case("much", "lay", Path(sys.executable), much, most_cpu_s=1),
    ]
    told: list[str] = []
    found = take_turns(cases, 2, told.append)
    assert "no_such_case" in found["none"]["failed"]
    assert found["much"] == {"failed": "stopped after 1 s of CPU", "most_cpu_s": 1}
    assert len(told) == 2


def test_a_peer_that_cannot_be_installed_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "broken.txt").write_text("this is no requirement\n")
    monkeypatch.setattr(peers, "PINS", tmp_path)
    with pytest.raises(OSError, match="requirement"):
        peers.install("broken", tmp_path)


def test_a_counting_warehouse_counts_scans_but_not_listings(root: Path) -> None:
    bank = CountingWarehouse(ParquetWarehouse(root))
    model = spec(SMALL)
    assert bank.days(model, data.day_of(0), data.day_of(1)) == [data.day_of(0), data.day_of(1)]
    assert bank.scans == 0
    bank.profile(model, bank.fit_profile_schema(model), data.day_of(0), data.day_of(1))
    assert (bank.scans, bank.asked) == (2, {"days": 1, "fit_profile_schema": 1, "profile": 1})


def test_a_line_through_points_on_a_line_is_that_line() -> None:
    slope, start, r2 = line.fit({1: 3.0, 2: 5.0, 4: 9.0})
    assert (slope, start, r2) == pytest.approx((2, 1, 1))


def test_the_plot_is_an_svg_with_every_point() -> None:
    drawn = ET.fromstring(line.plot([("By rows", "rows", {"scan": {1: 0.5, 2: 1.0}, "profile": {1: 2.0, 2: 4.0}})]))
    assert len(list(drawn.iter("{http://www.w3.org/2000/svg}circle"))) == 4


def test_a_figure_that_is_missing_is_told_with_its_reason_and_a_bound() -> None:
    day = {"cpu_s": 2.0, "wall_s": 1.0, "peak_mb": 100.0, "start_cpu_s": 0.5}
    stopped = {"failed": "stopped after 240 s of CPU", "most_cpu_s": 240}
    said = tables.drift({"drift.10.daily-0": day, "drift.10.evidently": stopped}, 10)
    assert "| Evidently, DataDriftPreset | stopped after 240 s of CPU | over 120 |" in said


def test_what_a_stopped_command_measured_is_not_measured_again(tmp_path: Path) -> None:
    kept, told = tmp_path / "runs.jsonl", list[str]()
    cases = [Case("lay", "lay", Path(sys.executable), {"root": str(tmp_path), "rows": 10, "days": 1, "columns": 30,
                                                       "kept_for": []})]  # fmt: skip
    first = take_turns(cases, 1, told.append, kept)
    assert take_turns([Case("lay", "no_such_case", Path(sys.executable))], 1, told.append, kept) == first
    kept.write_text(kept.read_text()[:-20])  # stopped while it wrote
    again = take_turns([Case("lay", "no_such_case", Path(sys.executable))], 1, told.append, kept)
    assert "no_such_case" in again["lay"]["failed"]
