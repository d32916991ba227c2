"""Profiles of rows in memory: Arrow tables, counted by the very statements that count a partition's files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from models.errors import WatchkeeperError, did_you_mean
from models.spec import Spec
from warehouse import embedded, scanning, sql
from warehouse.grid import Frame, Ints
from warehouse.profile import Profile
from warehouse.scans import Statement
from warehouse.sql import Bound

if TYPE_CHECKING:
    import pyarrow as pa

BATCH = "batch"
"""Name under which DuckDB knows the table in memory."""


@dataclass(frozen=True)
class ArrowSource:
    """A table in memory, all of whose rows are wanted. ``day`` names the column that tells a row's day (UTC)."""

    columns: Mapping[str, str]
    day: str
    partitioned: bool = True
    tie: str = "t.rowid"

    def scan(self, _bound: Bound) -> str:
        """Return the FROM item, with the alias ``t``."""
        return f"{sql.quote(BATCH)} AS t"

    def day_number(self) -> str:
        """Return the day of a row, in days since 1970, or null; a text's time of day may have a zone."""
        return sql.day_number(day_of(sql.column(self.day), self.columns[self.day]))

    def wanted(self, _bound: Bound) -> list[str]:
        """Return no condition."""
        return []


class ArrowEngine:
    """Runs statements on one table in memory."""

    columns_a_scan = 1

    def __init__(self, table: pa.Table) -> None:
        self._connection = embedded.connect()
        self._connection.register(BATCH, table)

    def rows(self, statement: Statement) -> list[tuple[Any, ...]]:
        """Run a statement and return its rows."""
        return self._connection.execute(statement.text, statement.values).fetchall()

    def arrays(self, statement: Statement) -> dict[str, Ints]:
        """Run a statement whose columns are whole numbers and return them, with ``ROLLED_UP`` for null."""
        return embedded.arrays(self._connection.execute(statement.text, statement.values))

    def close(self) -> None:
        """Let go of the table."""
        self._connection.close()


def day_of(value: str, kind: str) -> str:
    """Return a value as DATE (UTC), null where it can't be read as one; a text without a zone is UTC."""
    return f"CAST(TRY_CAST({value} AS TIMESTAMPTZ) AS DATE)" if sql.is_text(kind) else f"CAST({value} AS DATE)"


def profiles(spec: Spec, frame: Frame, table: pa.Table, name: str) -> dict[date, Profile]:
    """Return the profile of each day that a table's rows are of, in order.

    A row's day is in the day column, or, where the table has none, that of its event time (UTC). ``name`` says in
    messages where the table is from. Raises WatchkeeperError where neither column is there, or a row has no day.
    """
    engine = ArrowEngine(table)
    try:
        columns = {each: kind for each, kind, *_ in engine.rows(Statement(f"DESCRIBE {sql.quote(BATCH)}", {}))}
        source = ArrowSource(columns, _day(spec, columns, name))
        query = f"SELECT count(*) FROM {source.scan(Bound())} WHERE {source.day_number()} IS NULL"
        ((without,),) = engine.rows(Statement(query, {}))
        if without:
            raise WatchkeeperError(
                f"{name}: column '{source.day}': {without:,} rows have no day; accepted are dates and times"
            )
        return dict(sorted(scanning.profiles(spec, frame, source, engine).items()))
    finally:
        engine.close()


def _day(spec: Spec, columns: Mapping[str, str], name: str) -> str:
    asked = [each for each in (spec.features.day, spec.features.time) if each]
    found = next((each for each in asked if each in columns), None)
    if found is None:
        raise WatchkeeperError(
            f"{name}: has no column {' or '.join(repr(each) for each in asked)} that tells the day of a row; "
            f"it has {', '.join(columns)}{did_you_mean(asked[-1], columns)}"
        )
    return found
