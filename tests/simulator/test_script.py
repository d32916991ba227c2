"""The demo's script, the model files and the bank agree with each other."""

from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from models.load import load_model_file
from simulator.__main__ import main
from simulator.bank import feature_table
from simulator.batch import draw_batch
from simulator.columns import Choice
from simulator.recipes import RECIPES
from simulator.script import DEMO_SCRIPT, SCRIPTS
from tests.simulator.conftest import SEED, days

MODELS = Path(__file__).parents[2] / "demo" / "models"
CAUSES = {
    "missing_partition",
    "late_partition",
    "duplicate_rows",
    "column_fault",
    "population_shift",
    "performance_decay",
    "fairness_gap",
}
INCIDENTS = [each.incident for each in DEMO_SCRIPT]


@pytest.fixture(scope="module")
def spec(model):
    return load_model_file(MODELS / f"{model}.yaml")


def failures(spec, rows: pa.Table) -> set[tuple[str, str | None]]:
    """Return (expectation, column) of every check of the model file that fails on these rows."""
    failed = set()
    for check in spec.checks:
        ((name, told),) = check.items()
        column = told.get("column")
        if not _holds(name, told, rows, rows[column] if column else None):
            failed.add((name, column))
    return failed


def _holds(name, told, rows, values):
    low, high = told.get("min_value"), told.get("max_value")
    match name:
        case "expect_table_row_count_to_be_between":
            held = low <= len(rows) <= high
        case "expect_column_values_to_be_unique":
            held = len(values.unique()) == len(values)
        case "expect_column_values_to_not_be_null":
            held = 1 - values.null_count / len(values) >= told.get("mostly", 1)
        case "expect_column_values_to_be_in_set":
            held = set(values.drop_null().unique().to_pylist()) <= set(told["value_set"])
        case "expect_column_unique_value_count_to_be_between":
            held = low <= len(values.drop_null().unique()) <= high
        case "expect_column_values_to_be_between":
            held = low <= pc.min(values).as_py() and pc.max(values).as_py() <= high
        case "expect_column_mean_to_be_between":
            held = low <= pc.mean(values).as_py() <= high
        case "expect_column_max_to_be_between":
            held = low <= pc.max(values).as_py() <= high
        case _:
            pytest.fail(f"{name} is not known to this test")
    return held


def test_a_model_file_says_what_the_bank_does(model, spec):
    recipe = RECIPES[model]
    assert (spec.features.id, spec.score.threshold) == (recipe.id, recipe.threshold)
    assert spec.labels.id == recipe.id
    assert set(spec.features.columns) == set(recipe.columns) - set(spec.protected)
    for name, column in spec.features.columns.items():
        kind = recipe.columns[name]
        assert column.kind == ("category" if isinstance(kind, Choice) and name != "hour" else "number"), name
    assert sum(column.importance for column in spec.features.columns.values()) == pytest.approx(1)
    assert all(group.reference in recipe.columns[name].levels for name, group in spec.protected.items())
    assert set(spec.slices) <= set(recipe.columns)


def test_negatives_wait_until_most_fraud_is_known(model, spec):
    recipe = RECIPES[model]
    nine_in_ten = recipe.claim_median_days * np.exp(1.28 * recipe.claim_spread)
    assert nine_in_ten < spec.labels.negative.after_days * 1.1
    assert spec.labels.negative.after_days < spec.labels.horizon_days


def test_every_check_passes_on_ordinary_days(model, spec, ordinary, later):
    for batch in [*ordinary[model], *later[model]]:
        assert not failures(spec, feature_table(batch)), batch.day


def test_every_check_passes_when_only_the_world_has_changed():
    for each in DEMO_SCRIPT:
        if each.cause in {"population_shift", "performance_decay", "fairness_gap"}:
            spec = load_model_file(MODELS / f"{each.model}.yaml")
            for day in days(str(each.start), 3):
                assert not failures(spec, feature_table(draw_batch(RECIPES[each.model], day, SEED, [each.incident]))), (
                    each.cause
                )


@pytest.mark.parametrize(
    ("model", "day", "failed"),
    [
        ("card_payments", "2026-04-16", ("expect_column_mean_to_be_between", "avg_amount_90d_gbp")),
        ("card_payments", "2026-04-28", ("expect_column_values_to_not_be_null", "device_age_days")),
        ("app_scams", "2026-04-09", ("expect_column_values_to_be_unique", "payment_id")),
        ("app_scams", "2026-04-20", ("expect_column_values_to_be_in_set", "channel")),
    ],
)
def test_a_data_fault_fails_its_own_check_and_no_other(model, day, failed):
    batch = draw_batch(RECIPES[model], days(day, 1)[0], SEED, INCIDENTS)
    assert failures(load_model_file(MODELS / f"{model}.yaml"), feature_table(batch)) == {failed}


def test_the_script_says_what_its_incidents_do():
    assert {each.cause for each in DEMO_SCRIPT} == CAUSES
    for each in DEMO_SCRIPT:
        assert (each.model, each.start, each.end) == (each.incident.model, each.incident.start, each.incident.end)
        assert each.cause != "column_fault" or each.feature in each.incident.kind
        assert str(each.start) > "2026-02-28"
    assert SCRIPTS["quiet"] == ()


def test_the_command_line_builds_a_bank_that_duckdb_reads(tmp_path, capsys):
    assert main(["--to", str(tmp_path), "--days", "2", "--script", "quiet", "--model", "account_opening"]) == 0
    count = duckdb.sql(
        f"SELECT day, count(*), count(DISTINCT application_id) FROM '{tmp_path}/account_opening/features/*/*.parquet'"
        " GROUP BY day ORDER BY day"
    ).fetchall()
    assert [str(row[0]) for row in count] == ["2026-01-01", "2026-01-02"]
    assert all(rows == ids > 10_000 for _, rows, ids in count)
    assert "2/2" in capsys.readouterr().err


def test_the_command_line_says_a_mistake_in_a_sentence(tmp_path, capsys):
    assert main(["--to", str(tmp_path), "--from", "2025-01-01"]) == 2
    said = capsys.readouterr().err
    assert "opened on 2026-01-01" in said.replace("\n", " ")
    assert "Traceback" not in said
