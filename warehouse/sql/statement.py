"""A statement with its values, and what runs one where the data is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from profiles.bins import Ints

ROLLED_UP = -(2**31)
"""Stands for null in arrays of codes."""


@dataclass(frozen=True)
class Statement:
    """A query, as DuckDB reads it, and the values bound to it."""

    text: str
    values: dict[str, object]


class StatementRunner(Protocol):
    """Runs statements where the data is."""

    def rows(self, statement: Statement) -> list[tuple[Any, ...]]:
        """Run a statement and return its rows."""
        ...

    def arrays(self, statement: Statement) -> dict[str, Ints]:
        """Run a statement whose columns are whole numbers and return them, with ``ROLLED_UP`` for null."""
        ...
