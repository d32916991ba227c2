"""Great Expectations on BigQuery by push-down: the same examples as on DuckDB, on a local BigQuery."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa
import pytest

from checks import suite
from checks.unsupported import UNSUPPORTED_TYPES
from ledger.records.measurements import Measurement, Verdict
from models.spec import Spec
from tests.checks.conftest import DAY, PAYMENTS, Check, spec_of
from tests.checks.examples import EXAMPLES
from tests.warehouse.bigquery import emulator
from warehouse.bigquery.jobs import Jobs
from warehouse.bigquery.warehouse import BigQueryWarehouse

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
    other = f"SELECT * REPLACE (CAST(-1 AS BIGINT) AS age, 'p1' AS payment_id) FROM ({PAYMENTS})"
    emulator.load(
        bigquery_client,
        TABLE,
        pa.concat_tables([rows_of(PAYMENTS), rows_of(other, OTHER_DAY)], promote_options="permissive"),
    )
    return bigquery_client


@pytest.fixture
def run_checks(payments: bigquery.Client) -> RunChecks:
    return lambda *checks, day=DAY: suite.run_checks(spec_on(TABLE, *checks), day, BigQueryWarehouse(Jobs(payments)))


def test_every_expectation_holds_on_data_that_meets_it(run_checks: RunChecks) -> None:
    found = run_checks(*({kind: holds} for kind, (holds, _) in EXAMPLES.items()))
    assert [m for m in found if m.verdict is not Verdict.OK] == []
    assert {m.metric for m in found} == EXAMPLES.keys()
    assert all(m.n >= 900 for m in found)


def test_every_expectation_fails_on_data_that_does_not_meet_it(run_checks: RunChecks) -> None:
    found = run_checks(*({kind: fails} for kind, (_, fails) in EXAMPLES.items()))
    assert [m for m in found if m.verdict is not Verdict.BREACH] == []
    assert {m.metric for m in found} == EXAMPLES.keys()


def test_only_the_days_own_partition_is_checked(run_checks: RunChecks) -> None:
    positive = {"expect_column_values_to_be_between": {"column": "age", "min_value": 0}}
    assert [m.verdict for m in run_checks(positive)] == [Verdict.OK]
    (broken,) = run_checks(positive, day=OTHER_DAY)
    assert (broken.verdict, broken.value, broken.n) == (Verdict.BREACH, 1.0, 1000)


def test_a_row_condition_is_a_slice_of_its_own(run_checks: RunChecks) -> None:
    checked = {"column": "age", "max_value": 50, "row_condition": 'col("channel") == "app"'}
    (app,) = run_checks({"expect_column_values_to_be_between": checked})
    assert (app.n, app.verdict) == (333, Verdict.BREACH)


def test_what_cannot_be_computed_is_errored_and_takes_no_other_down_with_it(run_checks: RunChecks) -> None:
    mean, fine, absent = run_checks(
        {"expect_column_mean_to_be_between": {"column": "channel", "min_value": 0}},
        {"expect_column_values_to_not_be_null": {"column": "device"}},
        {"expect_column_values_to_be_between": {"column": "age", "min_value": 0}},
    )
    assert (mean.verdict, fine.verdict, absent.verdict) == (Verdict.ERRORED, Verdict.OK, Verdict.ERRORED)
    assert mean.reason.startswith("card_payments, step check: BigQuery refuses the statement: ")
    assert absent.reason == "column 'device' isn't in the partition"


def test_the_alternatives_to_what_is_refused_do_run(run_checks: RunChecks, payments: bigquery.Client) -> None:
    queries = [advice.split('"')[3] for advice in UNSUPPORTED_TYPES.values() if "{batch}" in advice]
    assert len(queries) == 4
    rows = duckdb.sql(f"""SELECT '{{"a_key": 1}}' AS a_column, DATE '{DAY}' AS day""").to_arrow_table()
    emulator.load(payments, "checked.alternatives", rows)
    for query in queries:
        spec = spec_on("checked.alternatives", {"unexpected_rows_expectation": {"unexpected_rows_query": query}})
        (measured,) = suite.run_checks(spec, DAY, BigQueryWarehouse(Jobs(payments)))
        assert measured.verdict is (Verdict.OK if "JSON" in query else Verdict.BREACH), query


def test_the_whole_rows_are_never_read_to_learn_their_columns(payments: bigquery.Client) -> None:
    warehouse = BigQueryWarehouse(Jobs(payments))
    spec = spec_on(TABLE, {"expect_column_values_to_be_between": {"column": "age", "max_value": 1}})
    query = warehouse.relation(spec, DAY).query
    assert [m.verdict for m in suite.run_checks(spec, DAY, warehouse)] == [Verdict.BREACH]
    jobs = [job for job in payments.list_jobs(all_users=True) if job.job_type == "query" and query in job.query]
    run = [job for job in jobs if not job.dry_run]
    assert len(run) >= 3
    assert all(job.query.strip() != query for job in run)
    assert {used.step for used in warehouse.account.used} == {"clock", "check"}
