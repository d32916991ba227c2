"""DuckDB inside this process: in memory, without files of its own and without downloads."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from profiles.bins import Ints
from warehouse.sql.statement import ROLLED_UP


def connect_duckdb(threads: int | None = None) -> duckdb.DuckDBPyConnection:
    """Return a connection to an empty database in memory, in UTC; ``threads`` limits DuckDB's (default: each core)."""
    config: dict[str, Any] = {
        "autoinstall_known_extensions": "false",  # never a download
        "autoload_known_extensions": "false",
        "preserve_insertion_order": "false",
        "temp_directory": str(Path(tempfile.gettempdir()) / "watchkeeper-duckdb"),  # not the working directory
    }
    if threads is not None:
        config["threads"] = threads
    connection = duckdb.connect(":memory:", config=config)
    connection.execute("SET GLOBAL TimeZone = 'UTC'")
    return connection


def fetch_arrays(found: duckdb.DuckDBPyConnection) -> dict[str, Ints]:
    """Return a result whose columns are whole numbers, with ``ROLLED_UP`` for null."""
    return {name: np.ma.filled(values, ROLLED_UP).astype(np.int64) for name, values in found.fetchnumpy().items()}
