"""The Evidently report of a drift incident: bounded, once, and not stopped by one bad column."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import warehouse
from catalogue import causes
from ledger.records.incidents import Incident, Status
from ledger.records.retraining import BaselineChange
from models.spec import Spec
from reports.export import evidently_report
from warehouse.protocol import Warehouse

BASELINE, DAY = date(2026, 1, 1), date(2026, 1, 3)
HOSTILE = "</script><script>alert(1)</script>"
KINDS = {"amount_gbp": "number", "dead": "number", "constant": "number", "country": "category", "merchant": "category"}


@pytest.fixture(scope="module")
def spec() -> Spec:
    columns = {name: {"kind": kind} for name, kind in KINDS.items()}
    days = {"from": BASELINE, "to": BASELINE}
    return Spec.model_validate({"model": "cards", "features": {"table": "cards", "columns": columns}, "baseline": days})


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    root = tmp_path_factory.mktemp("bank")
    for day in (BASELINE, DAY):
        folder = root / "cards" / f"day={day}"
        folder.mkdir(parents=True)
        rows(day).to_parquet(folder / "part-0.parquet")
    return warehouse.open_warehouse(root)


def rows(day: date) -> pd.DataFrame:
    rng = np.random.default_rng(day.toordinal())
    n = 2_000
    amounts = rng.lognormal(3 if day == DAY else 2, 1, n)
    amounts[:3] = [np.inf, -np.inf, np.nan]
    return pd.DataFrame(
        {
            "payment_id": [f"{day}-{i}" for i in range(n)],
            "amount_gbp": amounts,
            "dead": np.full(n, np.nan) if day == DAY else rng.random(n),
            "constant": 1.0,
            "country": rng.choice([HOSTILE, "GB", None], n),
            "merchant": [f"merchant {i}" for i in rng.integers(0, 1_500, n)],
            "score": rng.random(n),
        }
    )


@pytest.fixture
def incident() -> Incident:
    return Incident("cards-shift", "cards", causes.POPULATION_SHIFT, DAY, DAY, DAY, Status.FIRING, fired=DAY)


@pytest.fixture(scope="module")
def report(bank: Warehouse, spec: Spec, tmp_path_factory: pytest.TempPathFactory) -> Path:
    shift = Incident("cards-shift", "cards", causes.POPULATION_SHIFT, DAY, DAY, DAY, Status.FIRING, fired=DAY)
    normal = BaselineChange("cards", BASELINE, BASELINE, BASELINE, "model file")
    path = evidently_report.write_drilldown(bank, spec, shift, normal, tmp_path_factory.mktemp("site"))
    assert path is not None
    return path


def test_the_report_stands_beside_the_incident_page(report: Path) -> None:
    assert report.name == "cards-shift-evidently.html"
    assert report.parent.name == "incidents"
    assert 1_000_000 < report.stat().st_size < 12_000_000


def test_a_dead_column_is_left_out_and_named_instead_of_stopping_the_report(report: Path) -> None:
    text = report.read_text(encoding="utf-8")
    assert "Left out: dead: no usable value on the day." in text
    assert "2,000 payments" in text
    assert "amount_gbp" in text


def test_a_hostile_level_can_not_end_the_script_it_stands_in(report: Path) -> None:
    text = report.read_text(encoding="utf-8")
    assert "<script>alert" not in text
    assert "‹script›alert" in text or "\\u203ascript" in text or "\\u2039script" in text


def test_rare_levels_are_not_named(report: Path) -> None:
    named = set(re.findall(r"merchant \d+", report.read_text(encoding="utf-8")))
    assert 0 < len(named) <= evidently_report.MOST_LEVELS


def test_it_is_written_once(bank: Warehouse, spec: Spec, incident: Incident, report: Path) -> None:
    before = report.stat().st_mtime_ns
    normal = BaselineChange("cards", BASELINE, BASELINE, BASELINE, "model file")
    assert evidently_report.write_drilldown(bank, spec, incident, normal, report.parent.parent) == report
    assert report.stat().st_mtime_ns == before


def test_an_incident_that_is_not_about_drift_has_none(
    bank: Warehouse, spec: Spec, incident: Incident, tmp_path: Path
) -> None:
    normal = BaselineChange("cards", BASELINE, BASELINE, BASELINE, "model file")
    late = replace(incident, cause=causes.LATE_PARTITION)
    assert evidently_report.write_drilldown(bank, spec, late, normal, tmp_path) is None
    assert list(tmp_path.iterdir()) == []
