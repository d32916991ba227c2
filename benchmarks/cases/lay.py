"""Lays out what other cases read: a table's days, and what a first watch of it leaves. Done once, never reported."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks import data, kept
from benchmarks.data import Table


def prepare(*, root: str, rows: int, days: int, columns: int, kept_for: Sequence[Sequence[int]]) -> Callable[[], None]:
    """Return the writing of a table, and of frame and baseline for each (slices, span)."""
    table = Table(rows, days, columns)

    def work() -> None:
        data.write(Path(root), table)
        for slices, span in kept_for:
            kept.keep(Path(root), table, slices, span)

    return work


def answer(_: None) -> None:
    """Return nothing."""
