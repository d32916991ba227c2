"""The incident benchmark from end to end at a tiny size, and the page that it writes."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from benchmarks.incidents import bank, handbook, ours, peers, report, run, scores
from benchmarks.incidents.better import Better, better
from benchmarks.incidents.kept import Kept
from benchmarks.incidents.kinds import KINDS
from benchmarks.incidents.plan import Unit
from benchmarks.incidents.source import BASELINE_DAYS, Branch, begin
from benchmarks.incidents.source import columns as source_columns
from ledger.snapshot import snapshot_ledger
from models.errors import WatchkeeperError

ROWS = 400


INCIDENT = Unit("bank", ROWS, 101, ("nulls_30", "duplicates"), (ours.NAME, "psi"))
QUARTER = Unit("bank", ROWS, 301, (), (ours.NAME, "psi"))


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    scratch = tmp_path_factory.mktemp("scratch")
    kept = Kept(tmp_path_factory.mktemp("kept") / "outcomes.jsonl")
    run.run(INCIDENT, scratch, kept)
    run.run(QUARTER, scratch, kept, quarter_days=1)
    assert not list(scratch.iterdir()), "a unit leaves no data behind"
    return kept


def test_a_clone_goes_on_from_what_the_page_was_written_from(kept: Kept, tmp_path: Path) -> None:
    report.write(tmp_path, "tune", kept.outcomes())
    again = Kept(tmp_path / "kept.jsonl")
    again.go_on_from(tmp_path / report.RUN)
    assert (again.missing(INCIDENT), again.missing(QUARTER)) == ({}, {})
    report.write(tmp_path / "again", "tune", again.outcomes())
    assert (tmp_path / "again" / report.PAGE).read_text() == (tmp_path / report.PAGE).read_text()
    again.file.write_text("", encoding="utf-8")
    again.go_on_from(tmp_path / report.RUN)
    assert again.outcomes() == [], "what was kept stands"


@pytest.fixture(scope="module")
def outcomes(kept: Kept) -> list[dict[str, Any]]:
    return kept.outcomes()


def test_a_third_of_nulls_is_caught_with_its_column_and_cause(outcomes: list[dict[str, Any]]) -> None:
    nulls = next(o for o in outcomes if (o["tool"], o["kind"]) == (ours.NAME, "nulls_30"))
    assert (nulls["caught"], nulls["right_column"], nulls["right_cause"]) == (True, True, True)
    assert nulls["explained"] == []


def test_every_detector_looks_at_every_incident_and_quarter(outcomes: list[dict[str, Any]]) -> None:
    asked = {(101, "nulls_30"), (101, "duplicates"), (301, "quiet")}
    for tool in (ours.NAME, "psi"):
        assert {(o["seed"], o["kind"]) for o in outcomes if o["tool"] == tool} == asked


def test_what_is_kept_is_not_run_again(kept: Kept, tmp_path: Path) -> None:
    before = kept.file.read_bytes()
    run.run(INCIDENT, tmp_path / "no such folder", kept)
    assert kept.file.read_bytes() == before


def test_a_run_that_was_stopped_goes_on_with_what_is_missing(kept: Kept, tmp_path: Path) -> None:
    stopped = Kept(tmp_path / "outcomes.jsonl")
    lines = kept.file.read_text(encoding="utf-8")
    stopped.file.write_text(lines[: lines.index('"psi"') - 1], encoding="utf-8")  # in the middle of a line
    assert stopped.missing(INCIDENT) == {"psi": ["nulls_30", "duplicates"]}
    run.run(INCIDENT, tmp_path, stopped)
    assert stopped.missing(INCIDENT) == {}
    tools = [(o["tool"], o["kind"]) for o in stopped.outcomes()]
    assert sorted(tools) == sorted((o["tool"], o["kind"]) for o in kept.outcomes() if o["seed"] == 101)


def test_what_one_detector_found_can_be_forgotten_and_the_rest_stays(kept: Kept, tmp_path: Path) -> None:
    again = Kept(tmp_path / "outcomes.jsonl")
    again.file.write_bytes(kept.file.read_bytes())
    again.forget([ours.NAME])
    assert again.missing(INCIDENT) == {ours.NAME: ["nulls_30", "duplicates"]}


def test_the_page_is_rendered_from_what_is_written(outcomes: list[dict[str, Any]], tmp_path: Path) -> None:
    report.write(tmp_path, "tune", outcomes)
    written = json.loads((tmp_path / report.RUN).read_text())
    page = (tmp_path / report.PAGE).read_text()
    assert page == report.page(written)
    assert "**these are not results**" in page
    assert not any("explained" in outcome for outcome in written["outcomes"])


def test_a_watch_that_branches_off_knows_all_that_was_concluded_before(tmp_path: Path) -> None:
    source = bank.source(150, 101)
    laid = begin(source, tmp_path / "before")
    day = source.day(BASELINE_DAYS)
    laid.lay(source, day)
    before = ours.Watched.open(source, laid.root)
    before.watch(day)
    branch = Branch(laid.branch(tmp_path / "branch"), day + timedelta(days=1), 1)
    again = before.branch(branch.root)
    assert snapshot_ledger(again.ctx.ledger) == snapshot_ledger(before.ctx.ledger)
    assert [found.day for found in again.ctx.ledger.runs(source.model)] == [day]
    again.close()
    before.close()


def test_a_column_that_an_incident_leaves_alone_is_judged_once(tmp_path: Path) -> None:
    source = bank.source(150, 101)
    laid = begin(source, tmp_path / "before")
    laid.lay(source, source.day(BASELINE_DAYS - 1))
    start = source.day(BASELINE_DAYS)
    nulls = KINDS["nulls_30"](source, start)
    quiet, bad = (
        Branch(laid.branch(tmp_path / "quiet"), start, 2),
        Branch(laid.branch(tmp_path / "bad"), start, 2, nulls.incidents),
    )
    asked: list[str] = []

    def judge(name: str, values: pd.Series[Any]) -> float:
        asked.append(name)
        return float(values.isna().mean())

    for branch in (quiet, bad):
        branch.lay(source, branch.end)
    found = dict(peers.each_day(source, quiet, {"nulls_30": bad}, judge))
    every = list(source_columns(source))
    assert sorted(asked) == sorted(2 * [*every, *nulls.truth.columns, "score"])
    assert found["nulls_30"][0].column == nulls.truth.columns[0]
    assert len(found["nulls_30"]) == len(found["quiet"]) == 2 * len(every)


def made(tool: str, seed: int, *, caught: bool, delay: int = 1, kind: str = "unit", pages: int = 0) -> dict[str, Any]:
    told = [{"day": "2026-03-01", "key": "x", "column": "x", "words": "x moved"}] * pages
    same = {"data": "bank", "rows": 2_000, "seed": seed, "kind": kind, "called": kind, "tool": tool, "pages": told}
    right = {"right_column": True if caught else None, "right_cause": None, "columns": ["x"], "explained": []}
    spent = {"date": "2026-03-01", "cpu_s": 1.0, "days": 91}
    return same | right | spent | {"caught": caught, "delay_days": delay if caught else None}


def test_a_peer_that_is_better_is_named_and_one_that_is_not_is_not() -> None:
    ours_, psi = [made(ours.NAME, 1, caught=False)], [made("psi", 1, caught=True)]
    assert Better("PSI > 0.2", "all", "all", "caught", "1.00", "0.00", 1) in better(ours_ + psi)
    later, sooner = made(ours.NAME, 1, caught=True, delay=2), made("psi", 1, caught=True)
    assert {(x.what, x.theirs, x.ours) for x in better([later, sooner])} == {
        ("median day", "day 1 (1.00 caught)", "day 2 (1.00 caught)")
    }
    assert better([sooner | {"tool": ours.NAME}, later | {"tool": "psi"}]) == []


def test_a_peer_that_is_better_on_one_kind_in_one_place_only_is_named_there() -> None:
    found = [
        made(tool, seed, caught=(tool == ours.NAME) == (kind == "unit"), kind=kind)
        for tool in (ours.NAME, "psi")
        for seed, kind in ((1, "unit"), (2, "unit"), (3, "swapped"))
    ]
    assert [(x.where, x.kind) for x in better(found) if x.what == "caught"] == [
        ("all", "swapped"), ("bank, 2,000 rows", "swapped")
    ]  # fmt: skip


def test_a_peer_that_saw_fewer_seeds_is_compared_on_those_it_saw() -> None:
    found = [made(ours.NAME, 1, caught=True), made(ours.NAME, 2, caught=False), made("psi", 1, caught=True)]
    assert better(found) == []


def test_fewer_false_pages_are_named_too_and_counted_by_quarter() -> None:
    quiet = [made(ours.NAME, 1, caught=False, kind="quiet", pages=2), made("psi", 1, caught=False, kind="quiet")]
    assert scores.pages_a_quarter(quiet[:1]) == 2
    assert [(x.where, x.theirs, x.ours) for x in better(quiet)] == [
        ("all", "0.00", "2.00"), ("bank, 2,000 rows", "0.00", "2.00")
    ]  # fmt: skip


def test_aims_that_are_missed_are_said_to_be_where_they_are() -> None:
    found = [made(ours.NAME, n, caught=n > 0) for n in range(4)] + [made(ours.NAME, 9, caught=False, kind="quiet")]
    rows = {what: held for what, _, _, held in scores.targets(found)}
    assert rows == {
        "caught": False, "caught of each kind": False, "right column on top": True, "right cause": False,
        "false pages a quarter": True,
    }  # fmt: skip
    elsewhere = [made(ours.NAME, 1, caught=True) | {"rows": 50_000, "right_cause": True}]
    text = report.page({"seeds": "report", "outcomes": found + elsewhere})
    assert "| caught | at least 0.93 | **0.80, missed** | **0.75, missed** | 1.00 |" in text


def test_what_was_planned_and_not_run_is_said() -> None:
    found = [made(ours.NAME, 1, caught=True), made(ours.NAME, 9, caught=False, kind="quiet")]
    text = report.page({"seeds": "report", "outcomes": found})
    assert "- Watchkeeper on bank, 2,000 rows: 1 of 80 incidents, 1 of 40 quiet quarters." in text
    assert "- NannyML on handbook, 9,591 rows: 0 of 32 incidents, 0 of 1 quiet quarters." in text


@pytest.mark.filterwarnings("ignore")  # the library's own, at import
def test_evidently_judges_as_its_preset_does(tmp_path: Path) -> None:
    from evidently import DataDefinition, Dataset, Report
    from evidently.presets import DataDriftPreset

    source = bank.source(150, 101)
    few = ("amount_gbp", "channel", "is_weekend", "payments_window_90d")
    small = replace(source, columns={name: source.columns[name] for name in few})
    laid = begin(small, tmp_path)
    laid.lay(small, small.day(BASELINE_DAYS - 1))
    quiet = Branch(laid, small.day(BASELINE_DAYS), 1)
    found = dict(peers.find("evidently", small, quiet, {}))["quiet"]

    kinds = source_columns(small)
    definition = DataDefinition(
        numerical_columns=[name for name, kind in kinds.items() if kind == "number"],
        categorical_columns=[name for name, kind in kinds.items() if kind == "category"],
    )
    normal = small.spec.baseline
    sides = [(normal.start, normal.end), (quiet.start, quiet.end)]
    baseline, today = (
        Dataset.from_pandas(peers.frame(small, tmp_path, *side), data_definition=definition) for side in sides
    )
    answer = Report([DataDriftPreset()]).run(today, baseline).dict()["metrics"][1:]
    drifted = {m["config"]["column"] for m in answer if m["value"] >= m["config"]["threshold"]}
    assert {page.column for page in found} == drifted != set()


@pytest.fixture(scope="module")
def reference() -> None:
    try:
        handbook.place()
    except WatchkeeperError as missing:
        pytest.skip(str(missing))


@pytest.mark.usefixtures("reference")
def test_a_handbook_day_is_drawn_from_one_real_day_of_its_weekday() -> None:
    source = handbook.source(500, 9_001)
    for number in (0, 40, 100, 149):
        day = source.day(number)
        batch, real = source.draw(day, ()), handbook.real_day(day)
        assert 0 <= real < handbook.DAYS
        assert real % 7 == (day - handbook.FIRST).days % 7
        assert len(batch.fraud) == pytest.approx(500, rel=0.05)
        assert batch.columns["is_weekend"].mean() == (day.weekday() >= 5)


@pytest.mark.usefixtures("reference")
@pytest.mark.parametrize("kind", list(KINDS))
def test_every_kind_befalls_the_handbooks_days_too(kind: str) -> None:
    source = handbook.source(500, 9_002)
    start = source.day(BASELINE_DAYS + run.WARM_DAYS)
    injected = KINDS[kind](source, start)
    clean, bad = source.draw(start, ()), source.draw(start, injected.incidents)
    same = len(clean.ids) == len(bad.ids) and not len(bad.copies) and np.array_equal(clean.score, bad.score)
    assert (
        not same
        or set(injected.truth.columns) & _changed(clean.columns, bad.columns)
        or injected.extra(start).ids.any()
    )


def _changed(clean: dict[str, Any], bad: dict[str, Any]) -> set[str]:
    return {name for name in clean if not pd.Series(clean[name]).equals(pd.Series(bad[name]))}
