"""A newcomer has a first report on a table of others in under ten minutes: init, suggest, backfill and doctor."""

from __future__ import annotations

import json
import time
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest

from models.load import load_model_file
from tests.acceptance.reference import DATA, NEEDS_DATA
from tests.watchkeeper.conftest import Answer
from watchkeeper.cli import main

pytestmark = NEEDS_DATA
MOST_SECONDS = 600


class Newcomer:
    """Somebody in an empty folder, who types commands and reads what they answer."""

    def __init__(self, folder: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self._capfd, self._patch = folder, capfd, monkeypatch
        monkeypatch.chdir(folder)
        for name, place in (("MODELS", "my-models"), ("WAREHOUSE", "tables")):
            monkeypatch.setenv(f"WATCHKEEPER_{name}", place)

    def types(self, *arguments: str) -> Answer:
        self._patch.setattr("sys.argv", ["watchkeeper", *arguments])
        self._capfd.readouterr()
        status = 0
        try:
            main()
        except SystemExit as stop:
            status = int(stop.code or 0)
        answer = Answer(status, *self._capfd.readouterr())
        assert answer.status == 0, answer.out + answer.err
        return answer


@pytest.fixture
def newcomer(tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Newcomer:
    return Newcomer(tmp_path, capfd, monkeypatch)


def test_the_handbook_s_payments_from_a_csv(newcomer: Newcomer, tmp_path: Path) -> None:
    start = time.monotonic()
    table = pd.read_parquet(DATA / "handbook_scored.parquet")
    days = table["TX_DATETIME"].dt.floor("D")
    first = pd.Timestamp("2018-07-01")
    table = table[(days >= first) & (days < first + timedelta(days=18))].drop(columns=["in_book_train", "in_book_test"])
    table.to_csv(tmp_path / "payments.csv", index=False)

    asked = ("--set", "score=score_rf", "--yes", "--lay-out")
    told = newcomer.types("init", "payments.csv", *asked)
    assert "watchkeeper backfill --model payments --from 2018-07-15 --to 2018-07-18" in told.out
    spec = load_model_file(tmp_path / "my-models" / "payments.yaml")
    assert spec.labels is not None
    assert (spec.features.id, spec.labels.label) == ("TRANSACTION_ID", "TX_FRAUD")
    assert (spec.score.amount, spec.score.entity) == ("TX_AMOUNT", "CUSTOMER_ID")
    assert set(spec.features.columns) == {"TX_AMOUNT"}, "scores, labels, counters and ids aren't features"
    newcomer.types("validate")
    newcomer.types("suggest", "--model", "payments", "--write")
    newcomer.types("backfill", "--model", "payments", "--from", "2018-07-15", "--to", "2018-07-16")
    newcomer.types("doctor")
    assert (tmp_path / "site" / "models" / "payments" / "days" / "2018-07-16.html").is_file()
    of_day = table[table["TX_DATETIME"].dt.strftime("%Y-%m-%d") == "2018-07-16"]
    rows = json.loads(newcomer.types("measurements", "--metric", "row_count", "--json").out)
    assert rows[-1]["value"] == len(of_day)
    assert time.monotonic() - start < MOST_SECONDS


def test_nannyml_s_car_loans_from_one_parquet_file(
    newcomer: Newcomer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATCHKEEPER_WAREHOUSE", str(DATA))
    newcomer.types("init", "nannyml_car_loan.parquet", "--set", "label=repaid", "--name", "loans", "--yes")
    spec = load_model_file(tmp_path / "my-models" / "loans.yaml")
    assert (spec.features.table, spec.features.day) == ("nannyml_car_loan.parquet", "timestamp")
    assert (spec.score.column, spec.score.threshold) == ("y_pred_proba", 0.65), "the lowest score that was approved"
    assert "y_pred" not in spec.features.columns
    newcomer.types("suggest", "--model", "loans", "--write")
    newcomer.types("run", "--model", "loans", "--day", "2018-03-05", "--no-site")
    figures = json.loads(newcomer.types("measurements", "--metric", "row_count", "--json").out)
    table = pd.read_parquet(DATA / "nannyml_car_loan.parquet", columns=["timestamp"])["timestamp"]
    assert figures[-1]["value"] == (table.dt.strftime("%Y-%m-%d") == "2018-03-05").sum()
