"""What Watchkeeper must know of the engine."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models.errors import WatchkeeperError
from warehouse.engines import Engine

if TYPE_CHECKING:
    from warehouse.protocol import Relation, Warehouse


def _open_warehouse(location: str, _read_at: datetime | None) -> Warehouse:
    from tests.warehouse.toy.warehouse import CsvWarehouse

    if not Path(location).is_dir():
        raise WatchkeeperError(f"warehouse toy://{location}: no such folder; accepted is a folder of CSV files")
    return CsvWarehouse(Path(location))


def _open_batch(relation: Relation) -> AbstractContextManager[tuple[Any, Any]]:
    from warehouse.duckdb.expectations import open_batch

    return open_batch(relation)


ENGINE = Engine(
    name="Toy",
    schemes=("toy",),
    addresses="toy:///folder of CSV files",
    dialect="duckdb",
    open_warehouse=_open_warehouse,
    open_batch=_open_batch,
    explain_check_error=lambda message: f"Toy gave up on it: {message.partition(':')[0]}",
    lineage_namespace="toy",
    lineage_name=lambda location, table: f"{Path(location).name}.{table}",
)
