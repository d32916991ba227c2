"""Where the bank's data is read: one scan per partition, brought back as a mergeable profile."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from models.errors import WatchkeeperError
from warehouse.engines import engine_at

if TYPE_CHECKING:
    from warehouse.protocol import Warehouse


def open_warehouse(address: str | Path, read_at: datetime | None = None) -> Warehouse:
    """Return the warehouse at an address of any engine in ``engines.FOLDERS``, as it was at ``read_at`` (None: now).

    Raises WatchkeeperError for an address that no engine accepts, and where the engine's package isn't installed.
    """
    engine, location = engine_at(address)
    try:
        return engine.open_warehouse(location, read_at)
    except ImportError as error:
        extra = f"[{engine.extra}]" if engine.extra else ""
        raise WatchkeeperError(
            f"warehouse {address}: the package {error.name} is not installed; install watchkeeper{extra}"
        ) from error
