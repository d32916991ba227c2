"""What Watchkeeper must know of DuckDB over folders of Parquet files."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from warehouse.duckdb.errors import explain_check_error
from warehouse.engines import Engine

if TYPE_CHECKING:
    from warehouse.protocol import Relation, Warehouse

DIALECT = "duckdb"


def _open_warehouse(location: str, _read_at: datetime | None) -> Warehouse:
    """Return the warehouse of a folder; its files are only there as they are now."""
    from warehouse.duckdb.warehouse import ParquetWarehouse  # noqa: PLC0415  not while a DAG file is parsed

    return ParquetWarehouse(Path(location))


def _open_batch(relation: Relation) -> AbstractContextManager[tuple[Any, Any]]:
    from warehouse.duckdb.expectations import open_batch  # noqa: PLC0415  imports great_expectations

    return open_batch(relation)


def _lineage_name(location: str, table: str) -> str:
    return str((Path(location) / table).resolve())


ENGINE = Engine(
    name="DuckDB",
    schemes=("", "file"),
    addresses="a folder of Parquet tables",
    dialect=DIALECT,
    open_warehouse=_open_warehouse,
    open_batch=_open_batch,
    explain_check_error=explain_check_error,
    lineage_namespace="file",
    lineage_name=_lineage_name,
    unexpected_rows={
        "expect_column_values_to_be_dateutil_parseable": "try_cast(a_column AS TIMESTAMP) IS NULL",
        "expect_column_values_to_match_strftime_format": "try_strptime(a_column, '%Y-%m-%d') IS NULL",
        "expect_column_values_to_be_json_parseable": "NOT json_valid(a_column)",
        "expect_column_values_to_match_json_schema": "a_column ->> '$.a_key' IS NULL",
    },
)
