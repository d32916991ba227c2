from __future__ import annotations

import json
from datetime import UTC, datetime, time, timedelta

import numpy as np
import pyarrow as pa
import pytest
import yaml

from tests.warehouse import engines
from tests.warehouse.made import DAY, payments
from tests.watchkeeper.conftest import one_sentence

MODEL = {
    "model": "cards",
    "features": {
        "table": "cards.watched_features",
        "second_moments": True,
        "columns": {"amount_gbp": {"kind": "number"}, "age_days": {"kind": "number"}, "country": {"kind": "category"}},
    },
    "score": {"threshold": 0.8, "amount": "amount_gbp", "action": "action", "blocked": ["block"]},
    "labels": {"table": "cards.watched_labels", "negative": {"after_days": 2}},
    "slices": ["channel"],
    "protected": {"age_band": {"reference": "30-59"}},
    "baseline": {"from": DAY, "to": DAY + timedelta(days=9)},
    "budget": {"bytes_per_day": "1 TB"},
    "checks": [{"expect_column_values_to_not_be_null": {"column": "amount_gbp"}}],
}
WATCHED = DAY + timedelta(days=12)


@pytest.fixture(scope="module")
def tables(bigquery_client):
    """Two weeks of payments with labels, in BigQuery; on the last day a third of the amounts is missing."""
    rng = np.random.default_rng(3)
    days = {DAY + timedelta(days=i): payments(1200, seed=i, first_id=10_000 * i) for i in range(13)}
    days[WATCHED].loc[::3, "amount_gbp"] = np.nan
    told = {}
    for day, rows in days.items():
        chosen = rows[rng.random(len(rows)) < 0.1]
        morning = datetime.combine(day, time(9), UTC) + timedelta(days=1)
        told[day] = pa.table(
            {
                "payment_id": pa.array(chosen.payment_id),
                "is_fraud": pa.array(chosen.score > 0.7, pa.bool_()),
                "known_at": pa.array([morning] * len(chosen), pa.timestamp("us", "UTC")),
            }
        )
    bigquery_client.create_dataset("cards", exists_ok=True)
    features = {day: pa.Table.from_pandas(rows, preserve_index=False) for day, rows in days.items()}
    engines.load(bigquery_client, "cards.watched_features", features.items(), "day")
    engines.load(bigquery_client, "cards.watched_labels", told.items(), "day")
    return bigquery_client


def test_a_day_in_bigquery_is_watched_by_the_command_as_one_in_parquet_is(say, tables, tmp_path, monkeypatch):
    models = tmp_path / "bigquery-models"
    models.mkdir()
    (models / "cards.yaml").write_text(yaml.safe_dump(MODEL))
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", tables._connection.API_BASE_URL)
    places = {"models": str(models), "warehouse": "bigquery://bank/EU"}
    for day in (WATCHED - timedelta(days=1), WATCHED):
        status, _, told = say("run", "--day", str(day), "--no-site", "--json", **places)
        assert status == 0, told
    _, out, _ = say("measurements", "--as-of", str(WATCHED), "--json", **places)
    found = {(m["monitor"], m["metric"], m["feature"], m["slice"]): m for m in json.loads(out)}
    null_share = found["drift", "null_share", "amount_gbp", ""]
    assert null_share["verdict"] == "breach"
    assert null_share["value"] == pytest.approx(1 / 3, abs=0.001)
    assert found["check", "expect_column_values_to_not_be_null", "amount_gbp", ""]["verdict"] == "breach"
    assert found["arrival", "row_count", "", ""]["value"] == 1200
    assert not [key for key, m in found.items() if m["verdict"] == "errored"]
    assert {key[0] for key in found} >= {"drift", "score", "performance", "decay", "fairness", "cost"}
    steps = {key[3] for key in found if key[1] == "bytes_billed"}
    assert {"step=profile", "step=labels", "step=check"} <= steps
    _, out, _ = say("incidents", "--json", **places)
    assert [(i["cause"], i["feature"]) for i in json.loads(out)] == [("column_fault", "amount_gbp")]


def test_an_address_of_bigquery_that_can_t_be_read_says_what_is_accepted(say):
    told = one_sentence(say("run", "--day", str(DAY), "--no-site", warehouse="bigquery://"))
    assert "accepted is bigquery://project or bigquery://project/location" in told
