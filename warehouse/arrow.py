"""Profiles of rows in memory: Arrow tables, counted by the very statements that count a partition's files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np

from models.errors import WatchkeeperError, did_you_mean
from models.spec import Spec
from warehouse import counting, counting_scores, embedded, scanning, sql
from warehouse.assemble import Rows
from warehouse.assemble import day_of as day_of_number
from warehouse.counting import Batch
from warehouse.grid import Frame, Ints
from warehouse.placing import BATCH_ROWS
from warehouse.profile import Profile
from warehouse.scans import Statement
from warehouse.source import Source
from warehouse.sql import Bound

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

BATCH = "batch"
"""Name under which DuckDB knows the rows."""


@dataclass(frozen=True)
class ArrowSource:
    """Rows in memory, all of them wanted, with a day column of dates."""

    columns: Mapping[str, str]
    day: str
    partitioned: bool = True
    only_day: date | None = None
    tie: str = "t.rowid"

    def scan(self, _bound: Bound) -> str:
        """Return the FROM item, with the alias ``t``."""
        return f"{sql.quote(BATCH)} AS t"

    def day_number(self) -> str:
        """Return the day of a row, in days since 1970."""
        return sql.day_number(sql.column(self.day))

    def wanted(self, _bound: Bound) -> list[str]:
        """Return no condition."""
        return []


@dataclass
class ArrowEngine:
    """Runs statements on the rows that a connection holds."""

    connection: duckdb.DuckDBPyConnection

    def counts(
        self, frame: Frame, source: Source, names: Sequence[str], slices: Sequence[str]
    ) -> Iterator[tuple[str, Rows]]:
        """Yield the counts of each column."""
        return counting.column_counts(frame, source, names, slices, self)

    def score_counts(self, frame: Frame, spec: Spec, source: Source, groups: Sequence[str]) -> Rows:
        """Return the score cube's rows."""
        return counting_scores.score_counts(frame, spec, source, groups, self)

    def readable(self, source: Source, names: Sequence[str]) -> set[str]:
        """Return the columns that the rows have, but the day's."""
        return set(names).intersection(source.columns) - {source.day}

    def batches(self, source: Source, names: Sequence[str]) -> Iterator[Batch]:
        """Yield the rows, those of a day together."""
        bound = Bound()
        wanted = ", ".join([f"{source.day_number()} AS d", *(sql.column(name) for name in names)])
        for rows in self.connection.execute(f"SELECT {wanted} FROM {source.scan(bound)}").to_arrow_reader(BATCH_ROWS):
            days = rows.column(0).to_numpy()
            for day in np.unique(days).tolist():
                yield Batch(day_of_number(day), dict(zip(names, rows.filter(days == day).columns[1:], strict=True)))

    def rows(self, statement: Statement) -> list[tuple[Any, ...]]:
        """Run a statement and return its rows."""
        return self.connection.execute(statement.text, statement.values).fetchall()

    def arrays(self, statement: Statement) -> dict[str, Ints]:
        """Run a statement whose columns are whole numbers and return them, with ``ROLLED_UP`` for null."""
        return embedded.arrays(self.connection.execute(statement.text, statement.values))


def columns_read(spec: Spec, frame: Frame) -> dict[str, str]:
    """Return the columns that a profile is made of, but the day's, each with the type that holds all it may be."""
    score = spec.score
    groups = [name for name in frame.groups if name not in spec.pairs]
    kinds = dict.fromkeys([*frame.categories, *groups, *([score.action] if score.action else [])], "VARCHAR")
    kinds |= dict.fromkeys(frame.embeddings, "DOUBLE[]")
    numbers = [*frame.numbers, *([score.column] if frame.score else []), *([score.amount] if score.amount else [])]
    numbers += [score.propensity] if score.propensity else []
    kinds |= dict.fromkeys(numbers, "DOUBLE")
    return {name: kind for name, kind in kinds.items() if name != spec.features.day}


def day_of(value: str, kind: str) -> str:
    """Return a value as DATE (UTC), null where it can't be read as one; a text without a zone is UTC."""
    return f"CAST(TRY_CAST({value} AS TIMESTAMPTZ) AS DATE)" if sql.is_text(kind) else f"CAST({value} AS DATE)"


def profiles(spec: Spec, frame: Frame, table: pa.Table, name: str) -> dict[date, Profile]:
    """Return the profile of each day that a table's rows are of, in order.

    A row's day is in the day column, or, where the table has none, that of its event time (UTC). ``name`` says in
    messages where the table is from. Raises WatchkeeperError where neither column is there, or a row has no day.
    """
    connection = embedded.connect()
    try:
        source = _copied(connection, spec, frame, table, name)
        return dict(sorted(scanning.profiles(spec, frame, source, ArrowEngine(connection)).items()))
    finally:
        connection.close()


def _copied(connection: duckdb.DuckDBPyConnection, spec: Spec, frame: Frame, table: pa.Table, name: str) -> ArrowSource:
    """Copy what is read of a table, so that each statement finds days, not texts or times that it has to convert."""
    connection.register("given", table)
    kinds = {each: kind for each, kind, *_ in connection.execute("DESCRIBE given").fetchall()}
    given, day = _day(spec, kinds, name), spec.features.day
    columns = {each: kinds[each] for each in columns_read(spec, frame) if each in kinds}
    wanted = [f"{day_of(sql.quote(given), kinds[given])} AS {sql.quote(day)}", *(sql.quote(each) for each in columns)]
    connection.execute(f"CREATE TABLE {sql.quote(BATCH)} AS SELECT {', '.join(wanted)} FROM given")
    connection.unregister("given")
    query = f"SELECT count(*) FROM {sql.quote(BATCH)} WHERE {sql.quote(day)} IS NULL"
    ((without,),) = connection.execute(query).fetchall()
    if without:
        raise WatchkeeperError(f"{name}: column '{given}': {without:,} rows have no day; accepted are dates and times")
    return ArrowSource({day: "DATE"} | columns, day)


def _day(spec: Spec, columns: Mapping[str, str], name: str) -> str:
    asked = [each for each in (spec.features.day, spec.features.time) if each]
    found = next((each for each in asked if each in columns), None)
    if found is None:
        raise WatchkeeperError(
            f"{name}: has no column {' or '.join(repr(each) for each in asked)} that tells the day of a row; "
            f"it has {', '.join(columns)}{did_you_mean(asked[-1], columns)}"
        )
    return found
