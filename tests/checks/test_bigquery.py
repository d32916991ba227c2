"""Great Expectations on BigQuery by push-down: the same examples as on DuckDB, on a local BigQuery."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa
import pytest

from checks import suite
from checks.refused import REFUSED
from ledger.records import Measurement, Verdict
from models.spec import Spec
from tests.checks.conftest import DAY, PAYMENTS, Check, spec_of
from tests.checks.examples import EXAMPLES
from tests.warehouse import billing_server, emulator
from warehouse.bigquery import BigQueryWarehouse
from warehouse.jobs import Jobs

if TYPE_CHECKING:
    from google.cloud import bigquery

TABLE = "checked.payments"
OTHER_DAY = date(2026, 3, 3)
RunChecks = Callable[..., list[Measurement]]


def rows_of(query: str, day: date = DAY) -> pa.Table:
    return duckdb.sql(f"SELECT *, DATE '{day}' AS day FROM ({query.replace('{rows}', '1000')})").to_arrow_table()


def spec_on(table: str, *checks: Check, **keys: Any) -> Spec:
    return spec_of(*checks, features={"table": table}, **keys)


@pytest.fixture(scope="module")
def payments(bigquery_client: bigquery.Client) -> bigquery.Client:
    """Give a BigQuery with two days of payments, of which the second breaks every rule."""
    other = f"SELECT * REPLACE (CAST(-1 AS BIGINT) AS age, 'p1' AS payment_id, CAST(NULL AS VARCHAR) AS channel) FROM ({PAYMENTS})"
    emulator.load(
        bigquery_client,
        TABLE,
        pa.concat_tables([rows_of(PAYMENTS), rows_of(other, OTHER_DAY)], promote_options="permissive"),
    )
    return bigquery_client


@pytest.fixture
def run_checks(payments: bigquery.Client) -> RunChecks:
    return lambda *checks, day=DAY: suite.run(spec_on(TABLE, *checks), day, BigQueryWarehouse(Jobs(payments)))


def test_every_expectation_holds_on_data_that_meets_it(run_checks: RunChecks) -> None:
    found = run_checks(*({kind: holds} for kind, (holds, _) in EXAMPLES.items()))
    assert [m for m in found if m.verdict is not Verdict.OK] == []
    assert {m.metric for m in found} == EXAMPLES.keys()
    assert all(m.n >= 900 for m in found)


def test_every_expectation_fails_on_data_that_does_not_meet_it(run_checks: RunChecks) -> None:
    found = run_checks(*({kind: fails} for kind, (_, fails) in EXAMPLES.items()))
    assert [m for m in found if m.verdict is not Verdict.BREACH] == []
    assert {m.metric for m in found} == EXAMPLES.keys()
