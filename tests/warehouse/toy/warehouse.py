"""The warehouse, by DuckDB's reader of CSV files and statements alone: no column is read into this process."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb

from models.spec import Spec
from profiles.bins import Ints
from profiles.profile import Cohort, Profile
from profiles.schema import ProfileSchema
from tests.warehouse.toy.engine import ENGINE
from warehouse.budget import CostAccount
from warehouse.duckdb.connection import connect_duckdb, fetch_arrays
from warehouse.profiling import assembly, scanning, schema
from warehouse.profiling.assembly import GroupedRows
from warehouse.protocol import Partition, Relation, short_digest
from warehouse.source import Source, TableSource
from warehouse.sql import expressions as sql
from warehouse.sql import row_queries, scan_queries
from warehouse.sql.expressions import Bound
from warehouse.sql.scan_queries import where_clause
from warehouse.sql.statement import Statement
from warehouse.sql.top_entities import RankedCard


class CsvWarehouse:
    """A table is ``<root>/<table>.csv``, with '/' in its name as '.'; each is a view of one connection."""

    def __init__(self, root: Path) -> None:
        self._scanner = _Scanner(connect_duckdb(threads=1))
        self._columns: dict[str, Mapping[str, str]] = {}
        self.account = CostAccount()
        for file in sorted(root.glob("*.csv")):
            self._columns[file.stem] = self._scanner.read(file.stem, file)

    def partition(self, spec: Spec, day: date) -> Partition | None:
        source, bound = self._source(spec, day, day), Bound()
        text = f"SELECT count(*), count(DISTINCT {sql.quoted_column(spec.features.id)}), CAST(sum(hash(t)) AS VARCHAR) "
        text += f"FROM {source.scan(bound)}{where_clause(source.wanted(bound))}"
        rows, ids, digest = self._scanner.rows(Statement(text, bound.values))[0]
        return Partition(rows, ids, datetime.now(UTC), short_digest(rows, digest), source.columns) if rows else None

    def days(self, spec: Spec, start: date, end: date) -> list[date]:
        found = self._scanner.rows(scan_queries.row_counts_query(self._source(spec, start, end)))
        return sorted(assembly.date_of_day_number(number) for number, _ in found)

    def fit_profile_schema(self, spec: Spec) -> ProfileSchema:
        source = self._source(spec, spec.baseline.start, spec.baseline.end)
        return schema.fit_profile_schema(spec, source, self._scanner.rows)

    def profile(self, spec: Spec, profile_schema: ProfileSchema, start: date, end: date) -> dict[date, Profile]:
        source = self._source(spec, start, end)
        return dict(sorted(scanning.profile_source(spec, profile_schema, source, self._scanner).items()))

    def versions(self, spec: Spec, start: date, end: date) -> dict[date, str]:
        found = {day: self.partition(spec, day) for day in self.days(spec, start, end)}
        return {day: partition.version for day, partition in found.items() if partition}

    def label_versions(self, spec: Spec, as_of: Sequence[date]) -> list[str]:
        return scanning.read_label_versions(spec, self._labels(spec), as_of, self._scanner)

    def label_changes(
        self, spec: Spec, profile_schema: ProfileSchema, start: date, end: date, since: date | None, as_of: date
    ) -> dict[date, Cohort]:
        source, labels = self._source(spec, start, end), self._labels(spec)
        changed = scanning.read_label_changes(spec, profile_schema, source, labels, since, as_of, self._scanner)
        return {day: changed.get(day, Cohort()) for day in self.days(spec, start, end)}

    def top_cards(self, spec: Spec, start: date, end: date, as_of: date) -> list[RankedCard]:
        source, labels = self._source(spec, start, end), self._labels(spec)
        return scanning.read_top_cards(spec, source, labels, as_of, self._scanner)

    def relation(self, spec: Spec, day: date) -> Relation:
        table = _view(spec.features.table)
        file = sql.quote_literal(str(self._scanner.files[table]))
        wanted = f"{sql.quote_identifier(spec.features.day)} = DATE {sql.quote_literal(str(day))}"
        return Relation(f"SELECT * FROM read_csv({file}) WHERE {wanted}", ENGINE, "duckdb:///:memory:")

    def sample(self, spec: Spec, start: date, end: date, rows: int, seed: int) -> Any:
        statement = row_queries.sample_query(spec, self._source(spec, start, end), rows, seed)
        return self._scanner.fetch(statement).df()

    def labelled_rows(self, spec: Spec, start: date, end: date, as_of: date, rows: int, seed: int) -> Any:
        source, labels = self._source(spec, start, end), self._labels(spec)
        return self._scanner.fetch(row_queries.labelled_rows_query(spec, source, labels, as_of, rows, seed)).df()

    def _source(self, spec: Spec, start: date, end: date) -> TableSource:
        table = _view(spec.features.table)
        return TableSource(table, self._columns[table], spec.features.day, start, end, tie_breaker="hash(t)")

    def _labels(self, spec: Spec) -> TableSource:
        assert spec.labels is not None
        table = _view(spec.labels.table)
        return TableSource(table, self._columns[table], "", date.min, date.max, tie_breaker="hash(t)")


class _Scanner:
    """Runs every count as the statement that says it."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self.files: dict[str, Path] = {}

    def read(self, table: str, file: Path) -> Mapping[str, str]:
        """Make a view of a file, in a schema as its name says, and return its columns."""
        self.files[table] = file
        dataset = sql.quote_identifier(table.partition(".")[0])
        self._connection.execute(f"CREATE SCHEMA IF NOT EXISTS {dataset}")
        name = sql.quote_table_path(table)
        self._connection.execute(f"CREATE VIEW {name} AS SELECT * FROM read_csv({sql.quote_literal(str(file))})")
        return {name: kind for name, kind, *_ in self._connection.execute(f"DESCRIBE {name}").fetchall()}

    def counts(
        self, profile_schema: ProfileSchema, source: Source, names: Sequence[str], slices: Sequence[str]
    ) -> Iterator[tuple[str, GroupedRows]]:
        for name in names:
            yield name, self.arrays(scan_queries.column_counts_query(profile_schema, source, name, slices))

    def score_counts(
        self, profile_schema: ProfileSchema, spec: Spec, source: Source, groups: Sequence[str]
    ) -> GroupedRows:
        return self.arrays(scan_queries.score_counts_query(profile_schema, spec, source, groups))

    def rows(self, statement: Statement) -> list[tuple[Any, ...]]:
        return self.fetch(statement).fetchall()

    def arrays(self, statement: Statement) -> dict[str, Ints]:
        return fetch_arrays(self.fetch(statement))

    def fetch(self, statement: Statement) -> duckdb.DuckDBPyConnection:
        return self._connection.cursor().execute(statement.text, statement.values)


def _view(table: str) -> str:
    return table.replace("/", ".")
