"""Where the bank's data is read: one scan per partition, brought back as a mergeable profile."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from models.errors import WatchkeeperError

if TYPE_CHECKING:
    from warehouse.protocol import Warehouse


def open_warehouse(address: str | Path, read_at: datetime | None = None) -> Warehouse:
    """Return the warehouse at an address: a folder of Parquet tables, or BigQuery as it was at ``read_at`` (None: now).

    Raises WatchkeeperError for any other kind.
    """
    # DuckDB is loaded only where a warehouse is opened: parsing the DAGs imports this package too.
    from warehouse.duckdb.warehouse import ParquetWarehouse  # noqa: PLC0415

    scheme, separator, rest = str(address).partition("://")
    if not separator:
        return ParquetWarehouse(Path(address))
    if scheme == "file":
        return ParquetWarehouse(Path(rest))
    if scheme == "bigquery":
        return _open_bigquery(str(address), rest, read_at)
    raise WatchkeeperError(
        f"warehouse {address}: unknown kind '{scheme}'; accepted in WATCHKEEPER_WAREHOUSE are a folder of Parquet "
        "tables, and bigquery://project or bigquery://project/location"
    )


def _open_bigquery(address: str, rest: str, read_at: datetime | None) -> Warehouse:
    project, _, location = rest.partition("/")
    if not project or "/" in location:
        raise WatchkeeperError(f"warehouse {address}: accepted is bigquery://project or bigquery://project/location")
    try:
        from warehouse.bigquery.jobs import connect_bigquery  # noqa: PLC0415
        from warehouse.bigquery.warehouse import BigQueryWarehouse  # noqa: PLC0415
    except ImportError as error:
        raise WatchkeeperError(
            f"warehouse {address}: the package {error.name} is not installed; install watchkeeper[bigquery]"
        ) from error
    return BigQueryWarehouse(connect_bigquery(project, location or None), read_at)
