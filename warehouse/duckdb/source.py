"""Parquet files as DuckDB reads them: what a statement's FROM and WHERE say of some days' files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from warehouse.sql import expressions as sql
from warehouse.sql.expressions import Bound


@dataclass(frozen=True)
class FileSource:
    """Parquet files of the same columns and types, and the days that are wanted of them."""

    files: tuple[str, ...]
    columns: Mapping[str, str]
    day: str
    partitioned: bool
    start: date
    end: date
    tie_breaker: str = "t.filename, t.file_row_number"

    def scan(self, bound: Bound) -> str:
        """Return the FROM item, with the alias ``t``."""
        return f"{self.read(bound(list(self.files)))} AS t"

    @property
    def only_day(self) -> date | None:
        """Return the day that every row is of: the files' folder says so."""
        return self.start if self.partitioned and self.start == self.end else None

    def read(self, files: str) -> str:
        """Return the table function over files that are given as SQL."""
        return f"read_parquet({files}, union_by_name = true, hive_partitioning = {str(self.partitioned).lower()})"

    def day_number(self) -> str:
        """Return the day of a row, in days since 1970."""
        return sql.as_day_number(sql.column_as_date(self.day, self.columns[self.day]))

    def wanted(self, bound: Bound) -> list[str]:
        """Return the conditions that hold for rows of the wanted days."""
        if self.partitioned or self.start == date.min:  # all of the table
            return []
        return [
            f"{sql.column_as_date(self.day, self.columns[self.day])} BETWEEN {bound(self.start)} AND {bound(self.end)}"
        ]


def partition_query(source: FileSource, day: date) -> str:
    """Return one day's rows as a query without parameters, for an engine that others drive."""
    files = f"[{', '.join(sql.quote_literal(file) for file in source.files)}]"
    # Only the columns themselves: a folder named 'key=value' above the table isn't one.
    columns = ", ".join(sql.quoted_column(name) for name in source.columns)
    query = f"SELECT {columns} FROM {source.read(files)} AS t"
    if source.partitioned:
        return query
    day_sql = sql.column_as_date(source.day, source.columns[source.day])
    return f"{query} WHERE {day_sql} = DATE {sql.quote_literal(day.isoformat())}"
