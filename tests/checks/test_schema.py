from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from checks import schema
from ledger.records.measurements import Verdict
from tests.checks.conftest import DAY, spec_of

KNOWN = {
    "day": "DATE",
    "payment_id": "VARCHAR",
    "score": "DOUBLE",
    "amount_gbp": "DOUBLE",
    "age": "INTEGER",
    "channel": "VARCHAR",
}
LISTED = {
    "table": "payments",
    "columns": {"amount_gbp": {"kind": "number"}, "age": {"kind": "number"}, "channel": {"kind": "category"}},
}


def found(
    today: Mapping[str, str], known: Mapping[str, str] | None = None, **keys: Any
) -> dict[tuple[str, str], tuple[Verdict, float | None]]:
    spec = spec_of(**({"features": LISTED} | keys))
    measured = schema.measure_schema(spec, DAY, today, known)
    assert {m.monitor for m in measured} == {"schema"}
    return {(m.metric, m.feature): (m.verdict, m.value) for m in measured}


def test_the_columns_as_they_were_are_ok_with_a_figure_of_each_kind() -> None:
    assert found(KNOWN, KNOWN) == {
        ("missing_columns", ""): (Verdict.OK, 0),
        ("extra_columns", ""): (Verdict.OK, 0),
        ("retyped_columns", ""): (Verdict.OK, 0),
    }


def test_a_column_that_the_model_reads_and_that_is_gone_is_a_breach() -> None:
    today = {name: kind for name, kind in KNOWN.items() if name not in ("age", "score")}
    told = found(today, KNOWN)
    assert told["missing_columns", "age"] == (Verdict.BREACH, 1)
    assert told["missing_columns", "score"] == (Verdict.BREACH, 1)
    assert ("missing_columns", "") not in told


def test_a_column_that_the_model_does_not_read_and_that_is_gone_is_only_noted() -> None:
    assert found(KNOWN, KNOWN | {"branch": "VARCHAR"})["missing_columns", "branch"] == (Verdict.OK, 1)


def test_every_known_column_counts_where_the_model_file_lists_none() -> None:
    told = found(KNOWN, KNOWN | {"branch": "VARCHAR"}, features={"table": "payments"})
    assert told["missing_columns", "branch"] == (Verdict.BREACH, 1)


def test_a_new_column_is_noted() -> None:
    assert found(KNOWN | {"branch": "VARCHAR"}, KNOWN)["extra_columns", "branch"] == (Verdict.OK, 1)


def test_on_the_first_day_no_column_is_new() -> None:
    assert found(KNOWN | {"branch": "VARCHAR"})["extra_columns", ""] == (Verdict.OK, 0)


@pytest.mark.parametrize(
    ("was", "now"), [("VARCHAR", "DOUBLE"), ("DOUBLE", "VARCHAR"), ("TIMESTAMP", "VARCHAR"), ("VARCHAR", "VARCHAR[]")]
)
def test_a_column_of_another_type_is_a_breach(was: str, now: str) -> None:
    assert found(KNOWN | {"channel": now}, KNOWN | {"channel": was})["retyped_columns", "channel"] == (
        Verdict.BREACH,
        1,
    )


@pytest.mark.parametrize(
    ("was", "now"),
    [
        ("INTEGER", "BIGINT"),
        ("FLOAT", "DOUBLE"),
        ("BIGINT", "DOUBLE"),
        ("DECIMAL(10,2)", "DOUBLE"),
        ("ENUM('a', 'b')", "VARCHAR"),
        ("TIMESTAMP", "TIMESTAMP_NS"),
        ("INT64", "FLOAT64"),
    ],
)
def test_a_wider_column_is_not_retyped(was: str, now: str) -> None:
    assert found(KNOWN | {"age": now}, KNOWN | {"age": was})["retyped_columns", ""] == (Verdict.OK, 0)


def test_a_number_of_the_model_file_must_be_one_from_the_first_day_on() -> None:
    told = found(KNOWN | {"amount_gbp": "VARCHAR", "age": "BOOLEAN"})
    assert told["retyped_columns", "amount_gbp"] == (Verdict.BREACH, 1)
    assert ("retyped_columns", "age") not in told


def test_a_retyped_column_that_the_model_does_not_read_is_only_noted() -> None:
    told = found(KNOWN | {"branch": "BIGINT"}, KNOWN | {"branch": "VARCHAR"})
    assert told["retyped_columns", "branch"] == (Verdict.OK, 1)


def test_columns_named_anywhere_in_the_model_file_are_read() -> None:
    keys: dict[str, Any] = {
        "score": {"column": "risk", "amount": "amount_gbp", "version": "release", "action": "done"},
        "slices": ["channel"],
        "protected": {"sex": {"reference": "M"}},
    }
    told = found(KNOWN, KNOWN, **keys)
    gone = {feature for (metric, feature), (verdict, _) in told.items() if verdict is Verdict.BREACH}
    assert gone == {"risk", "release", "done", "sex"}


def test_a_score_that_is_only_a_default_is_not_missed_by_a_table_that_never_had_one() -> None:
    without = {name: kind for name, kind in KNOWN.items() if name != "score"}
    assert found(without, without)["missing_columns", ""] == (Verdict.OK, 0)
    assert found(without)["missing_columns", "score"] == (Verdict.BREACH, 1)
