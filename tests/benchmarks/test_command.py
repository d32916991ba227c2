from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import report
from benchmarks.__main__ import SCRATCH, main
from benchmarks.measure import REPOSITORY


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder that the command wrote at its smallest size, without the peers, which it would download."""
    folder = tmp_path_factory.mktemp("performance")
    main(["--size", "small", "--no-peers", "--to", str(folder)])
    return folder


def test_one_command_measures_every_case_and_writes_the_page_its_figures_and_the_plot(written: Path) -> None:
    run = json.loads((written / report.RUN).read_text())
    failed = {key: figure["failed"] for key, figure in run["figures"].items() if "failed" in figure}
    assert failed == {}
    assert {key.split(".")[0] for key in run["figures"]} == {
        "profile", "drift", "suite", "window", "site", "dags", "rows", "columns"
    }  # fmt: skip
    assert all(figure["cpu_s"] > 0 and figure["peak_mb"] > 0 for figure in run["figures"].values())
    assert (written / report.PAGE).read_text() == report.page(run)
    assert (written / report.PLOT).read_text() == report.plot(run)


def test_what_was_measured_is_what_it_is_called(written: Path) -> None:
    answers = {key: f["answer"] for key, f in json.loads((written / report.RUN).read_text())["figures"].items()}
    assert answers["profile.20000.scan"] == {"columns": 30}
    assert [answers[f"profile.20000.slices-{n}"]["groups"] for n in (0, 1, 2)] == [1, 1 + 4, 1 + 4 + 12]
    assert answers["profile.20000.moments"]["moments"] == 1
    assert answers["profile.60000.slices-2"]["rows"] == 60_000
    assert {answers[f"drift.20000.{when}-{n}"]["columns"] for when in ("daily", "first") for n in (0, 2)} == {30}
    assert answers["drift.20000.daily-2"] == answers["drift.20000.first-2"]
    assert [answers[f"columns.{n}.slices-2"]["columns"] for n in (5, 10)] == [5, 10]
    assert [answers[f"rows.{n}.slices-2"]["rows"] for n in (10_000, 20_000)] == [10_000, 20_000]
    assert answers["suite"] == {"expectations": 59, "errored": 0}
    assert (answers["site.fleet"]["models"], answers["site.fleet"]["days"]) == (2, 40)
    assert answers["site.fleet"]["largest_kb"] < 500
    assert answers["dags"] == {"dags": 6, "errors": 0}


def test_ninety_rolling_days_are_judged_without_reading_the_banks_data(written: Path) -> None:
    window = json.loads((written / report.RUN).read_text())["figures"]["window"]["answer"]
    assert (window["rows"], window["scans"]) == (90 * 20_000, 0)
    assert window["figures"] > 1_000


def test_a_peer_that_could_not_be_installed_is_named_with_the_reason(written: Path) -> None:
    assert "Evidently is missing here: not asked for." in (written / report.PAGE).read_text()


def test_the_command_leaves_no_data_behind(written: Path) -> None:
    assert written.exists()
    assert not list(SCRATCH.glob("data-*"))


def test_the_committed_page_and_plot_are_rendered_from_the_committed_run() -> None:
    docs = REPOSITORY / "docs"
    run = json.loads((docs / report.RUN).read_text())
    assert (docs / report.PAGE).read_text() == report.page(run)
    assert (docs / report.PLOT).read_text() == report.plot(run)
