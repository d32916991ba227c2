"""What the peers are given: both sides as pandas frames of the watched columns, read from the same files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.data import Table, watched


def kinds(columns: int) -> tuple[list[str], list[str]]:
    """Return the names of the numbers and of the categories."""
    every = watched(columns)
    return [n for n, kind in every.items() if kind == "number"], [n for n, kind in every.items() if kind == "category"]


def sides(root: Path, rows: int, days: int, columns: int, span: int) -> Iterator[Any]:
    """Yield the baseline, the first ``span`` days, and then the current side, as many days after them."""
    import pandas as pd  # noqa: PLC0415

    table = Table(rows, days, columns)
    for first in (0, span):
        parts = [pd.read_parquet(file, columns=list(watched(columns))) for file in table.files(root, first, span)]
        yield pd.concat(parts, ignore_index=True) if span > 1 else parts[0]
