"""Lays out what other cases read: a table's days, and what a first watch of it leaves. Done once, never reported."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks import data, kept
from benchmarks.data import Table
from benchmarks.model import spec


def prepare(
    *, root: str, rows: int, days: int, columns: int, kept_for: Sequence[Mapping[str, Any]]
) -> Callable[[], None]:
    """Return the writing of a table, and of frame and baseline for each kind of model file."""
    table = Table(rows, days, columns)

    def work() -> None:
        data.write(Path(root), table)
        for kind in kept_for:
            kept.keep(Path(root), spec(table, **kind))

    return work


def answer(_: None) -> None:
    """Return nothing."""
