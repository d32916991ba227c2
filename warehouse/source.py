"""Where the rows of a table's days are: what a statement's FROM and WHERE say of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Protocol

from warehouse.sql import expressions as sql
from warehouse.sql.expressions import Bound


class Source(Protocol):
    """Rows of the same columns and types. Types are named as DuckDB names them."""

    @property
    def columns(self) -> Mapping[str, str]:
        """Return the type of each column."""
        ...

    @property
    def day(self) -> str:
        """Return the name of the day column."""
        ...

    @property
    def partitioned(self) -> bool:
        """Return whether there are rows of the wanted days only."""
        ...

    @property
    def only_day(self) -> date | None:
        """Return the day that every row is of, where that is known without looking."""
        ...

    @property
    def tie_breaker(self) -> str:
        """Return what orders rows of one id: any order, but the same at every call."""
        ...

    def scan(self, bound: Bound) -> str:
        """Return the FROM item, with the alias ``t``."""
        ...

    def day_number(self) -> str:
        """Return the day of a row, in days since 1970."""
        ...

    def wanted(self, bound: Bound) -> list[str]:
        """Return the conditions that hold for rows of the wanted days."""
        ...


@dataclass(frozen=True)
class TableSource:
    """A table of a warehouse that has columns of its own for everything, and the days that are wanted of it."""

    table: str
    columns: Mapping[str, str]
    day: str
    start: date
    end: date
    tie_breaker: str
    partitioned: bool = False
    only_day: date | None = None

    def scan(self, bound: Bound) -> str:
        """Return the FROM item, with the alias ``t``."""
        return f"{sql.quote_table_path(self.table)} AS t"

    def day_number(self) -> str:
        """Return the day of a row, in days since 1970."""
        return sql.as_day_number(sql.column_as_date(self.day, self.columns[self.day]))

    def wanted(self, bound: Bound) -> list[str]:
        """Return the conditions that hold for rows of the wanted days.

        They name the bare column: only so does the warehouse skip the other partitions. A table without the day
        column is read whole.
        """
        if self.day not in self.columns:
            return []
        kind, name = self.columns[self.day], sql.quoted_column(self.day)
        if kind.startswith("TIMESTAMP"):
            zone = UTC if kind.endswith("ZONE") else None
            first = datetime.combine(self.start, time(), zone)
            after = datetime.combine(self.end + timedelta(days=1), time(), zone)
            return [f"{name} >= {bound(first)} AND {name} < {bound(after)}"]
        if sql.is_text_type(kind):
            return [f"{name} BETWEEN {bound(self.start.isoformat())} AND {bound(self.end.isoformat())}"]
        return [f"{name} BETWEEN {bound(self.start)} AND {bound(self.end)}"]
