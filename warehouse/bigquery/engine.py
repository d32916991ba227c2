"""What Watchkeeper must know of BigQuery."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import datetime
from typing import TYPE_CHECKING, Any

from models.errors import WatchkeeperError
from warehouse.engines import Engine

if TYPE_CHECKING:
    from sqlglot import exp

    from warehouse.protocol import Relation, Warehouse

DIALECT = "bigquery"
ADDRESSES = "bigquery://project or bigquery://project/location"
MOST_SHOWN = 200
"""Characters shown of an error that isn't one of our own sentences."""


def _open_warehouse(location: str, read_at: datetime | None) -> Warehouse:
    project, _, region = location.partition("/")
    if not project or "/" in region:
        raise WatchkeeperError(f"warehouse bigquery://{location}: accepted is {ADDRESSES}")
    from warehouse.bigquery.jobs import connect_bigquery  # noqa: PLC0415  needs the extra, and takes seconds
    from warehouse.bigquery.warehouse import BigQueryWarehouse  # noqa: PLC0415

    return BigQueryWarehouse(connect_bigquery(project, region or None), read_at)


def _open_batch(relation: Relation) -> AbstractContextManager[tuple[Any, Any]]:
    from warehouse.bigquery.expectations import open_batch  # noqa: PLC0415  imports great_expectations

    return open_batch(relation)


def _rewrite(tree: exp.Expression) -> exp.Expression:
    from warehouse.bigquery.dialect import rewrite_statement  # noqa: PLC0415  not while a DAG file is parsed

    return rewrite_statement(tree)


def _explain_check_error(message: str) -> str:
    """Return what was said; what BigQuery says is a sentence of ``errors.to_watchkeeper_error`` already."""
    words = " ".join(message.split())
    return words if ": BigQuery " in message else words[:MOST_SHOWN]


def _lineage_name(location: str, table: str) -> str:
    return f"{location.partition('/')[0]}.{table}"


ENGINE = Engine(
    name="BigQuery",
    schemes=("bigquery",),
    addresses=ADDRESSES,
    dialect=DIALECT,
    rewrite=_rewrite,
    open_warehouse=_open_warehouse,
    open_batch=_open_batch,
    explain_check_error=_explain_check_error,
    lineage_namespace="bigquery",
    lineage_name=_lineage_name,
    unexpected_rows={
        "expect_column_values_to_be_dateutil_parseable": "SAFE_CAST(a_column AS TIMESTAMP) IS NULL",
        "expect_column_values_to_match_strftime_format": "SAFE.PARSE_DATE('%Y-%m-%d', a_column) IS NULL",
        "expect_column_values_to_be_json_parseable": "SAFE.PARSE_JSON(a_column) IS NULL",
        "expect_column_values_to_match_json_schema": "JSON_VALUE(a_column, '$.a_key') IS NULL",
    },
    how_to="docs/how-to/bigquery.md",
    extra="bigquery",
    bills=True,
)
