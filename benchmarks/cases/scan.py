"""The floor: DuckDB reads the same columns of the same files, and does next to nothing with them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.data import Table, watched


def query(table: Table) -> str:
    """Return the bare scan: the sum of each number, the bytes of each text (lighter than max), of ``$files``."""
    figures = (f'sum("{name}")' if kind == "number" else f'sum(strlen("{name}"))' for name, kind in
               watched(table.columns).items())  # fmt: skip
    return f"SELECT {', '.join(figures)} FROM read_parquet($files)"


def prepare(*, root: str, rows: int, days: int, columns: int, span: int) -> Callable[[], tuple[Any, ...]]:
    """Return the scan of the first ``span`` days."""
    import duckdb  # noqa: PLC0415
    import pandas  # noqa: F401, ICN001, PLC0415  DuckDB would import it at its first bound value, within the work

    table = Table(rows, days, columns)
    files = [str(file) for file in table.files(Path(root), 0, span)]
    connection = duckdb.connect(":memory:")
    return lambda: connection.execute(query(table), {"files": files}).fetchall()[0]


def answer(found: tuple[Any, ...]) -> dict[str, int]:
    """Return how many figures came back."""
    return {"columns": len(found)}
