"""Profiles of rows in memory: Arrow tables, counted by the very statements that count a partition's files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np

from models.errors import WatchkeeperError, did_you_mean
from models.spec import Spec
from profiles.bins import Ints
from profiles.profile import Profile
from profiles.schema import ProfileSchema
from warehouse.duckdb.connection import connect_duckdb, fetch_arrays
from warehouse.profiling import column_counts, scanning, score_counts
from warehouse.profiling.assembly import GroupedRows
from warehouse.profiling.assembly import date_of_day_number as day_of_number
from warehouse.profiling.binning import BATCH_ROWS
from warehouse.profiling.column_counts import RowBatch
from warehouse.source import Source
from warehouse.sql import expressions as sql
from warehouse.sql.expressions import Bound
from warehouse.sql.statement import Statement

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

ROWS_TABLE = "batch"
"""Name under which DuckDB knows the rows."""


@dataclass(frozen=True)
class ArrowSource:
    """Rows in memory, all of them wanted, with a day column of dates."""

    columns: Mapping[str, str]
    day: str
    partitioned: bool = True
    only_day: date | None = None
    tie_breaker: str = "t.rowid"

    def scan(self, _bound: Bound) -> str:
        """Return the FROM item, with the alias ``t``."""
        return f"{sql.quote_identifier(ROWS_TABLE)} AS t"

    def day_number(self) -> str:
        """Return the day of a row, in days since 1970."""
        return sql.as_day_number(sql.quoted_column(self.day))

    def wanted(self, _bound: Bound) -> list[str]:
        """Return no condition."""
        return []


@dataclass
class ArrowScanner:
    """Runs statements on the rows that a connection holds, and reads them as columns."""

    connection: duckdb.DuckDBPyConnection

    def counts(
        self, schema: ProfileSchema, source: Source, names: Sequence[str], slices: Sequence[str]
    ) -> Iterator[tuple[str, GroupedRows]]:
        """Yield the counts of each column."""
        return column_counts.count_columns(schema, source, names, slices, self)

    def score_counts(self, schema: ProfileSchema, spec: Spec, source: Source, groups: Sequence[str]) -> GroupedRows:
        """Return the score cube's rows."""
        return score_counts.count_scores(schema, spec, source, groups, self)

    def readable(self, source: Source, names: Sequence[str]) -> set[str]:
        """Return the columns that the rows have, but the day's."""
        return set(names).intersection(source.columns) - {source.day}

    def batches(self, source: Source, names: Sequence[str]) -> Iterator[RowBatch]:
        """Yield the rows, those of a day together."""
        bound = Bound()
        wanted = ", ".join([f"{source.day_number()} AS d", *(sql.quoted_column(name) for name in names)])
        for rows in self.connection.execute(f"SELECT {wanted} FROM {source.scan(bound)}").to_arrow_reader(BATCH_ROWS):
            days = rows.column(0).to_numpy()
            for day in np.unique(days).tolist():
                yield RowBatch(day_of_number(day), dict(zip(names, rows.filter(days == day).columns[1:], strict=True)))

    def rows(self, statement: Statement) -> list[tuple[Any, ...]]:
        """Run a statement and return its rows."""
        return self.connection.execute(statement.text, statement.values).fetchall()

    def arrays(self, statement: Statement) -> dict[str, Ints]:
        """Run a statement whose columns are whole numbers and return them, with ``ROLLED_UP`` for null."""
        return fetch_arrays(self.connection.execute(statement.text, statement.values))


def profiled_column_types(spec: Spec, schema: ProfileSchema) -> dict[str, str]:
    """Return the columns that a profile is made of, but the day's, each with the type that holds all it may be."""
    score = spec.score
    groups = [name for name in schema.groups if name not in spec.pairs]
    kinds = dict.fromkeys([*schema.categories, *groups, *([score.action] if score.action else [])], "VARCHAR")
    kinds |= dict.fromkeys(schema.embeddings, "DOUBLE[]")
    numbers = [*schema.numbers, *([score.column] if schema.score else []), *([score.amount] if score.amount else [])]
    numbers += [score.propensity] if score.propensity else []
    kinds |= dict.fromkeys(numbers, "DOUBLE")
    return {name: kind for name, kind in kinds.items() if name != spec.features.day}


def cast_to_date(value: str, kind: str) -> str:
    """Return a value as DATE (UTC), null where it can't be read as one; a text without a zone is UTC."""
    return f"CAST(TRY_CAST({value} AS TIMESTAMPTZ) AS DATE)" if sql.is_text_type(kind) else f"CAST({value} AS DATE)"


def profile_table(spec: Spec, schema: ProfileSchema, table: pa.Table, name: str) -> dict[date, Profile]:
    """Return the profile of each day that a table's rows are of, in order.

    A row's day is in the day column, or, where the table has none, that of its event time (UTC). ``name`` says in
    messages where the table is from. Raises WatchkeeperError where neither column is there, or a row has no day.
    """
    connection = connect_duckdb()
    try:
        source = _copy_table(connection, spec, schema, table, name)
        return dict(sorted(scanning.profile_source(spec, schema, source, ArrowScanner(connection)).items()))
    finally:
        connection.close()


def _copy_table(
    connection: duckdb.DuckDBPyConnection, spec: Spec, schema: ProfileSchema, table: pa.Table, name: str
) -> ArrowSource:
    """Copy what is read of a table, so that each statement finds days, not texts or times that it has to convert."""
    connection.register("given", table)
    kinds = {each: kind for each, kind, *_ in connection.execute("DESCRIBE given").fetchall()}
    given, day = _day_column(spec, kinds, name), spec.features.day
    columns = {each: kinds[each] for each in profiled_column_types(spec, schema) if each in kinds}
    wanted = [
        f"{cast_to_date(sql.quote_identifier(given), kinds[given])} AS {sql.quote_identifier(day)}",
        *(sql.quote_identifier(each) for each in columns),
    ]
    connection.execute(f"CREATE TABLE {sql.quote_identifier(ROWS_TABLE)} AS SELECT {', '.join(wanted)} FROM given")
    connection.unregister("given")
    query = f"SELECT count(*) FROM {sql.quote_identifier(ROWS_TABLE)} WHERE {sql.quote_identifier(day)} IS NULL"
    ((without,),) = connection.execute(query).fetchall()
    if without:
        raise WatchkeeperError(f"{name}: column '{given}': {without:,} rows have no day; accepted are dates and times")
    return ArrowSource({day: "DATE"} | columns, day)


def _day_column(spec: Spec, columns: Mapping[str, str], name: str) -> str:
    asked = [each for each in (spec.features.day, spec.features.time) if each]
    found = next((each for each in asked if each in columns), None)
    if found is None:
        raise WatchkeeperError(
            f"{name}: has no column {' or '.join(repr(each) for each in asked)} that holds the day of a row; "
            f"it has {', '.join(columns)}{did_you_mean(asked[-1], columns)}"
        )
    return found
