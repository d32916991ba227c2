"""Where the bank's data is read: one scan per partition, brought back as a mergeable profile."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from models.errors import WatchkeeperError

if TYPE_CHECKING:
    from warehouse.protocol import Warehouse


def open(address: str | Path) -> Warehouse:  # noqa: A001  reads as warehouse.open, like the ledger's Ledger.open
    """Return the warehouse at an address: a folder of Parquet tables; raise WatchkeeperError for any other kind."""
    # DuckDB is loaded only where a warehouse is opened: parsing the DAGs imports this package too.
    from warehouse.parquet import ParquetWarehouse  # noqa: PLC0415

    scheme, separator, rest = str(address).partition("://")
    if not separator:
        return ParquetWarehouse(Path(address))
    if scheme == "file":
        return ParquetWarehouse(Path(rest))
    if scheme == "bigquery":
        raise WatchkeeperError(
            f"warehouse {address}: BigQuery is not built yet in this version; "
            "accepted is a folder of Parquet tables, in WATCHKEEPER_WAREHOUSE"
        )
    raise WatchkeeperError(
        f"warehouse {address}: unknown kind '{scheme}'; "
        "accepted is a folder of Parquet tables, in WATCHKEEPER_WAREHOUSE"
    )
