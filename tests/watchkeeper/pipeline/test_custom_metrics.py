"""A bank's own metric, from its module through the command line to the incident and the page."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from catalogue import causes
from ledger.records.incidents import Status
from ledger.records.measurements import Verdict
from ledger.store import Ledger
from models.errors import WatchkeeperError
from models.spec import Metric
from tests.watchkeeper.conftest import MODEL, Say
from watchkeeper.pipeline import watch
from watchkeeper.pipeline.custom_metrics import load_metric_function
from watchkeeper.settings import Settings

MODULE = """
from profiles.profile import COUNT, EVERYONE


def alert_share(cube, schema):
    part = cube.bins[EVERYONE][:, :, COUNT].sum(axis=1)
    return part[len(part) // 2 :].sum() / part.sum()


def night_share(profile, schema):
    counts, grid = profile.features[EVERYONE]["hour"], schema.numbers["hour"]
    return sum(rows for number, rows in counts.bins.items() if grid.midpoint(number) < 5) / counts.rows


def broken(profile, schema):
    raise ValueError("no such desk")
"""
LAST_DAYS = [date(2026, 1, 22), date(2026, 1, 23), date(2026, 1, 24)]


def named(name: str, function: str, floor: float, **more: Any) -> dict[str, Any]:
    return {"name": name, "function": f"bank_metrics:{function}", "floor": floor, **more}


@pytest.fixture
def bank_metrics(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write the bank's module where Python finds it."""
    folder = tmp_path / "own"
    folder.mkdir()
    path = folder / "bank_metrics.py"
    path.write_text(MODULE)
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.delitem(__import__("sys").modules, "bank_metrics", raising=False)
    return path


def declare(settings: Settings, *metrics: dict[str, Any]) -> None:
    path = settings.models / f"{MODEL}.yaml"
    content = yaml.safe_load(path.read_text()) | {"metrics": list(metrics)}
    content["baseline"]["to"] = date(2026, 1, 15)
    path.write_text(yaml.safe_dump(content, sort_keys=False))


def test_a_metric_is_measured_judged_and_drawn(settings: Settings, say: Say, bank_metrics: Path) -> None:
    declare(
        settings,
        named("alert_share", "alert_share", 0.05, of="cube", needs="nothing"),
        named("desk", "broken", 1.0),
        named("lost", "night_shares", 1.0),
    )
    answer = say("run", "--model", MODEL, "--day", str(LAST_DAYS[-1]))
    assert answer.status == 3, answer.err  # a figure that could not be computed is never ok
    ledger = Ledger.open(settings.ledger)
    found = {m.metric: m for m in ledger.measurements(MODEL, as_of=LAST_DAYS[-1], monitors=("custom",))}
    alerts = found["alert_share"]
    assert alerts.verdict is Verdict.OK
    assert alerts.low is not None
    assert alerts.value is not None
    assert alerts.high is not None
    assert alerts.low < alerts.value < alerts.high
    assert alerts.limit is not None
    assert found["desk"].verdict is Verdict.ERRORED
    assert found["desk"].reason == "bank_metrics:broken raised ValueError: no such desk."
    assert "module bank_metrics has no function 'night_shares'; did you mean 'night_share'?" in found["lost"].reason
    assert {incident.cause for incident in ledger.incidents(MODEL)} == {causes.WATCH_ERRORED}
    page = (settings.site / "models" / MODEL / "index.html").read_text()
    assert "The bank&#39;s own metrics" in page or "The bank's own metrics" in page
    assert "alert_share" in page


def test_a_breach_becomes_an_incident_with_its_own_sentence(
    settings: Settings, say: Say, bank_metrics: Path, broken_bank: Callable[..., Path]
) -> None:
    root = broken_bank()
    for day in LAST_DAYS:
        for path in (root / MODEL / "features" / f"day={day}").glob("*.parquet"):
            table = pq.ParquetFile(path).read()
            hour = table["hour"].to_numpy().copy()
            hour[::8] = 2.0  # few enough that the feature's own drift stays below its limit
            path.unlink()
            pq.write_table(table.set_column(table.column_names.index("hour"), "hour", pa.array(hour)), path)
    declare(settings, named("night_share", "night_share", 0.02, worse="higher"))
    for day in LAST_DAYS[1:]:
        say("run", "--model", MODEL, "--day", str(day), "--no-site", warehouse=str(root))
    ledger = Ledger.open(settings.ledger)
    (found,) = ledger.measurements(MODEL, as_of=LAST_DAYS[-1], monitors=("custom",))
    assert found.verdict is Verdict.BREACH, found.reason
    incident = next(i for i in ledger.incidents(MODEL) if i.cause == causes.POPULATION_SHIFT)
    assert incident.status is Status.FIRING
    assert "custom/night_share//" in incident.figures
    assert any("in the baseline" in sentence and "higher" in sentence for sentence in incident.evidence)


def test_the_doctor_says_which_function_cannot_be_found(settings: Settings, say: Say) -> None:
    declare(settings, named("night", "night", 1.0) | {"function": "no_such_module.at_all:night"})
    told = say("doctor").out
    assert "metrics.night" in told
    assert (
        "module no_such_module.at_all can't be imported (ModuleNotFoundError: No module named 'no_such_module')" in told
    )
    assert "set WATCHKEEPER_METRICS to its folder where the watch runs" in told


def test_the_folder_of_own_metrics_is_a_setting(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "own"
    folder.mkdir()
    (folder / "metrics_of_the_bank.py").write_text("def one(profile, schema):\n    return 1.0\n")
    monkeypatch.setattr("sys.path", [*sys.path])
    metric = Metric(name="one", function="metrics_of_the_bank:one", floor=0.1)
    without = load_metric_function(metric)
    assert isinstance(without, str)
    assert "set WATCHKEEPER_METRICS to its folder where the watch runs." in without
    with pytest.raises(WatchkeeperError, match=r"WATCHKEEPER_METRICS names .*none, and there is no such folder"):
        watch.open_context(replace(settings, metrics=tmp_path / "none"))
    watch.open_context(replace(settings, metrics=folder))
    assert callable(load_metric_function(metric))
