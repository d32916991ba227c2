from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ledger.snapshot import snapshot_ledger
from ledger.store import Ledger
from simulator import incidents as trouble
from simulator.bank import build_bank
from tests.watchkeeper.conftest import MODEL, Say, one_sentence
from watchkeeper.cli import show
from watchkeeper.settings import Settings

DAY = date(2026, 1, 20)


def test_a_day_is_watched_published_and_answered_as_json(say: Say, settings: Settings) -> None:
    answer = say("run", "--model", MODEL, "--day", str(DAY), "--json")
    assert answer.status == 0, answer.err
    (row,) = json.loads(answer.out)
    assert (row["model"], row["day"], row["firing"]) == (MODEL, str(DAY), [])
    assert (settings.site / "index.html").exists()
    assert (settings.site / "models" / MODEL / "days" / f"{DAY}.html").exists()


def test_a_message_that_is_printed_does_not_spoil_the_json(say: Say, broken_bank: Callable[..., Path]) -> None:
    answer = say(
        "run", "--model", MODEL, "--day", str(DAY), "--no-site", "--json", warehouse=str(broken_bank(without=DAY))
    )
    (row,) = json.loads(answer.out)
    assert len(row["firing"]) == 1
    assert f"opened {row['firing'][0]}" in answer.err


def test_measurements_and_incidents_have_the_promised_keys(say: Say, broken_bank: Callable[..., Path]) -> None:
    root = str(broken_bank(without=DAY))
    assert say("run", "--model", MODEL, "--day", str(DAY), "--no-site", warehouse=root).status == 0
    measured = json.loads(say("measurements", "--model", MODEL, "--json", warehouse=root).out)
    assert set(measured[0]) == set(show.MEASUREMENT_KEYS)
    (incident,) = json.loads(say("incidents", "--json", warehouse=root).out)
    assert set(incident) == set(show.INCIDENT_KEYS)
    assert (incident["cause"], incident["status"], incident["data_fault"]) == ("missing_partition", "firing", True)


@pytest.mark.parametrize(("fail_on", "status"), [("never", 0), ("critical", 1), ("warning", 1), ("info", 1)])
def test_the_exit_status_tells_of_findings_when_asked(
    say: Say, broken_bank: Callable[..., Path], fail_on: str, status: int
) -> None:
    root = str(broken_bank(without=DAY))
    asked = ("run", "--model", MODEL, "--day", str(DAY), "--no-site", "--fail-on", fail_on)
    assert say(*asked, warehouse=root).status == status


def test_a_quiet_day_is_status_0_however_strict_one_asks(say: Say) -> None:
    assert say("run", "--model", MODEL, "--day", str(DAY), "--no-site", "--fail-on", "info").status == 0


def test_a_model_that_is_not_there_is_named_with_those_that_are(say: Say) -> None:
    told = one_sentence(say("run", "--model", "card_paymens", "--day", str(DAY)))
    assert "no model file 'card_paymens.yaml'; there are app_scams" in told


def test_a_missing_table_is_named(say: Say, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    told = one_sentence(say("run", "--model", MODEL, "--day", str(DAY), warehouse=str(tmp_path / "empty")))
    assert f"{MODEL}/features" in told


def test_a_threshold_of_text_and_a_misspelt_key_are_found_by_validate(say: Say, tmp_path: Path) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text(
        "model: broken\nfeatures: {table: t, colums: {}}\nscore: {threshold: high}\n"
        "baseline: {from: 2026-01-01, to: 2026-01-02}\n"
    )
    told = one_sentence(say("validate", str(broken)))
    assert "line 2: features.colums: unknown key" in told
    assert "did you mean 'columns'?" in told
    assert "line 3: score.threshold: input should be a valid number, not 'high'" in told


def test_an_unknown_expectation_is_found_by_validate(say: Say, tmp_path: Path) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text(
        "model: broken\nfeatures: {table: t}\nbaseline: {from: 2026-01-01, to: 2026-01-02}\n"
        "checks:\n  - expect_column_values_to_be_uniq: {column: a}\n"
    )
    assert "did you mean 'expect_column_values_to_be_unique'?" in one_sentence(say("validate", str(broken)))


def test_a_limit_for_a_metric_that_is_not_there_is_found_by_validate(say: Say, tmp_path: Path) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text(
        "model: broken\nfeatures: {table: t}\nbaseline: {from: 2026-01-01, to: 2026-01-02}\n"
        "alerts: {limits: {pssi: 0.2}}\n"
    )
    assert "pssi" in one_sentence(say("validate", str(broken)))


def rewritten(root: Path, change: Callable[[pa.Table], pa.Table]) -> None:
    file = root / MODEL / "features" / f"day={DAY}" / "part-0.parquet"
    arrived = file.stat().st_mtime
    table = change(pq.read_table(file, partitioning=None))
    file.unlink()
    pq.write_table(table, file)
    os.utime(file, (arrived, arrived))


def replaced(table: pa.Table, column: str, values: pa.Array) -> pa.Table:
    return table.set_column(table.schema.get_field_index(column), column, values)


def incidents_of(say: Say, root: Path) -> list[tuple[str, str]]:
    """Return cause and summary of each incident, after the day was watched."""
    answer = say("run", "--model", MODEL, "--day", str(DAY), "--no-site", warehouse=str(root))
    assert answer.status == 0, answer.err
    return [(i["cause"], i["summary"]) for i in json.loads(say("incidents", "--json").out)]


def test_an_empty_partition_is_an_incomplete_one(say: Say, broken_bank: Callable[..., Path]) -> None:
    root = broken_bank()
    rewritten(root, lambda table: table.slice(0, 0))
    assert [cause for cause, _ in incidents_of(say, root)] == ["incomplete_partition"]


def test_an_all_null_column_is_a_column_fault(say: Say, broken_bank: Callable[..., Path]) -> None:
    root = broken_bank()
    rewritten(root, lambda table: replaced(table, "amount_gbp", pa.nulls(len(table), pa.float64())))
    ((cause, summary),) = incidents_of(say, root)
    assert (cause, "`amount_gbp`" in summary) == ("column_fault", True)


def test_a_category_that_turned_number_is_a_schema_change(say: Say, broken_bank: Callable[..., Path]) -> None:
    root = broken_bank()
    rewritten(root, lambda table: replaced(table, "channel", pa.array(np.arange(len(table)) % 4)))
    ((cause, summary),) = incidents_of(say, root)
    assert (cause, "`channel`" in summary) == ("schema_change", True)


def test_a_missing_column_is_a_schema_change(say: Say, broken_bank: Callable[..., Path]) -> None:
    root = broken_bank()
    rewritten(root, lambda table: table.drop_columns(["amount_gbp"]))
    ((cause, summary),) = incidents_of(say, root)
    assert (cause, "`amount_gbp`" in summary) == ("schema_change", True)


def test_duplicate_ids_are_duplicate_rows(say: Say, broken_bank: Callable[..., Path]) -> None:
    root = broken_bank(without=DAY)
    build_bank(root, [MODEL], DAY, DAY, 7, [trouble.duplicate_rows(MODEL, 0.03, DAY)])
    assert [cause for cause, _ in incidents_of(say, root)] == ["duplicate_rows"]


def test_a_label_for_an_unknown_payment_changes_nothing(
    say: Say, settings: Settings, broken_bank: Callable[..., Path], tmp_path: Path
) -> None:
    root = broken_bank()
    assert incidents_of(say, root) == []
    before = snapshot_ledger(Ledger.open(settings.ledger))
    stray = root / MODEL / "labels" / f"day={DAY}" / "stray.parquet"
    known = pq.read_table(root / MODEL / "labels" / f"day={DAY}" / "part-0.parquet", partitioning=None).slice(0, 5)
    pq.write_table(replaced(known, "payment_id", pa.array(range(5), pa.int64())), stray)
    assert incidents_of(say, root) == []
    assert snapshot_ledger(Ledger.open(settings.ledger)) == before


def test_a_corrupt_file_is_named_and_nothing_is_lost(
    say: Say, settings: Settings, broken_bank: Callable[..., Path]
) -> None:
    root = broken_bank()
    assert incidents_of(say, root) == []
    before = snapshot_ledger(Ledger.open(settings.ledger))
    file = root / MODEL / "features" / f"day={DAY}" / "part-0.parquet"
    file.unlink()
    file.write_bytes(b"PAR1 this is no parquet file")
    told = one_sentence(say("run", "--model", MODEL, "--day", str(DAY), "--no-site", warehouse=str(root)))
    assert str(file) in told
    assert snapshot_ledger(Ledger.open(settings.ledger)) == before


def test_a_full_disk_for_the_site_is_told_and_the_conclusions_are_kept(say: Say, settings: Settings) -> None:
    answer = say("run", "--model", MODEL, "--day", str(DAY), site="/dev/full/site")
    assert answer.status == 2
    assert "/dev/full/site" in answer.err
    assert Ledger.open(settings.ledger).run(MODEL, DAY) is not None


def test_a_misspelt_setting_is_told(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHKEEPER_LEDGR", "x")
    assert "did you mean 'WATCHKEEPER_LEDGER'?" in one_sentence(say("incidents"))


def test_a_setting_that_is_no_time_is_told(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHKEEPER_READ_AT", "yesterday")
    told = one_sentence(say("incidents"))
    assert told == "WATCHKEEPER_READ_AT: must be a day or time such as 2026-05-02T06:30, not 'yesterday'"


def test_nothing_is_served_without_a_folder_of_model_files(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHKEEPER_SLACK_SIGNING_SECRET", "s")
    assert one_sentence(say("serve", models="")).startswith("WATCHKEEPER_MODELS is not set: ")


def test_suggest_proposes_a_model_file_that_validates(say: Say, settings: Settings, tmp_path: Path) -> None:
    least = tmp_path / "least"
    least.mkdir()
    head = (
        f"model: {MODEL}\nfeatures:\n  table: {MODEL}/features\n  time: event_time\n"
        "score: {column: score, threshold: 0.03, version: model_version, action: action}\n"
        "baseline: {from: 2026-01-01, to: 2026-01-14}\n"
    )
    (least / f"{MODEL}.yaml").write_text(head)
    answer = say("suggest", "--model", MODEL, models=str(least))
    assert answer.status == 0, answer.err
    columns, rest = answer.out.split("slices:")
    (least / f"{MODEL}.yaml").write_text(
        head.replace("score:", "  " + columns[columns.index("columns:") :].strip().replace("\n", "\n  ") + "\nscore:")
        + f"slices:{rest}"
    )
    assert say("validate", models=str(least)).status == 0
    assert say("run", "--day", str(DAY), "--no-site", "--fail-on", "critical", models=str(least)).status == 0
