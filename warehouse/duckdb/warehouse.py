"""The embedded warehouse: DuckDB, in memory, over folders of Parquet files; no file is ever locked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from models.errors import WatchkeeperError
from models.spec import Spec
from profiles.profile import Cohort, Profile
from profiles.schema import ProfileSchema
from warehouse.budget import CostAccount
from warehouse.duckdb import files
from warehouse.duckdb.engine import ENGINE
from warehouse.duckdb.scanner import ParquetScanner
from warehouse.duckdb.source import partition_query
from warehouse.duckdb.tables import ParquetTables
from warehouse.profiling import scanning, schema
from warehouse.protocol import Partition, Relation
from warehouse.sql import expressions as sql
from warehouse.sql import row_queries, scan_queries
from warehouse.sql.expressions import Bound
from warehouse.sql.scan_queries import where_clause
from warehouse.sql.statement import Statement
from warehouse.sql.top_entities import RankedCard

if TYPE_CHECKING:
    import pandas as pd


class ParquetWarehouse:
    """Tables are folders ``<root>/<table>/day=YYYY-MM-DD/*.parquet``, or Parquet files with a day column in them.

    Threads may share the object. ``threads`` limits DuckDB's (default: one for each core).
    """

    def __init__(self, root: Path, threads: int | None = None) -> None:
        self._scanner = ParquetScanner(threads)
        self._tables = ParquetTables(root, self._scanner)
        self.account = CostAccount()  # reading files costs nothing

    def partition(self, spec: Spec, day: date) -> Partition | None:
        """Return what arrived for a day, or None; raise WatchkeeperError where the table or file can't be read."""
        found = self._tables.sources(spec, day, day)
        if not found:
            return None
        (source,) = found
        bound = Bound()
        distinct = (
            f"count(DISTINCT {sql.quoted_column(spec.features.id)})"
            if spec.features.id in source.columns
            else "count(*)"
        )
        # Days that share their files with others are distinguished by what is in them, not by when a file was written.
        content = "''" if source.partitioned else "CAST(sum(hash(t)) AS VARCHAR)"
        text = f"SELECT count(*), {distinct}, {content} FROM {source.scan(bound)}{where_clause(source.wanted(bound))}"
        count, distinct_ids, digest = self._scanner.rows(Statement(text, bound.values))[0]
        if not count and not source.partitioned:
            return None
        paths = [Path(file) for file in source.files]
        version = files.files_version(paths if source.partitioned else [], count, digest)
        return Partition(count, distinct_ids, files.files_arrived_at(paths), version, source.columns)

    def days(self, spec: Spec, start: date, end: date) -> list[date]:
        """Return the days that have a partition, in order."""
        return self._tables.days(spec, start, end)

    def fit_profile_schema(self, spec: Spec) -> ProfileSchema:
        """Fix the bins of every feature from the model's baseline days; raise WatchkeeperError if none is there."""
        return schema.fit_profile_schema(spec, self._tables.baseline(spec), self._scanner.rows)

    def profile(self, spec: Spec, profile_schema: ProfileSchema, start: date, end: date) -> dict[date, Profile]:
        """Scan the partitions of a span of days once and return a profile for each day that has one.

        A column that a day's files don't have is left out of that day's profile: missing is not null.
        """
        result = {day: Profile(profile_schema.id) for day in self.days(spec, start, end)}
        for source in self._tables.sources(spec, start, end):
            result |= scanning.profile_source(spec, profile_schema, source, self._scanner)
        return dict(sorted(result.items()))

    def versions(self, spec: Spec, start: date, end: date) -> dict[date, str]:
        """Return a short text for each day that has a partition, which changes whenever its files were written.

        It comes from the files' names, sizes and times, so days that share their files change together.
        """
        found = self._tables.files(spec)
        return {day: files.files_version(found.by_day.get(day, found.plain)) for day in self.days(spec, start, end)}

    def label_versions(self, spec: Spec, as_of: Sequence[date]) -> list[str]:
        """Return for each day a short text that changes with the label events known by its end (UTC).

        It is the same for the same events in any order or files. Those that count for nothing are left out.
        """
        labels = self._tables.labels(spec)
        if labels is None:
            return [scanning.NO_LABEL_EVENTS] * len(as_of)
        return scanning.read_label_versions(spec, labels, as_of, self._scanner)

    def label_changes(
        self, spec: Spec, profile_schema: ProfileSchema, start: date, end: date, since: date | None, as_of: date
    ) -> dict[date, Cohort]:
        """Return what was known of each partition day by the end of ``as_of``, less what was by the end of ``since``.

        Days end in UTC. ``since`` None means nothing was known. By a join on keys; no feature column is read.
        The newest event of an id counts; of two at the same moment, the one that says fraud. Events without a
        label or a time count for nothing. A payment that is in the table twice counts twice.
        """
        result = {day: Cohort() for day in self.days(spec, start, end)}
        labels = self._tables.labels(spec)
        if labels is None:
            return result
        for source in self._tables.sources(spec, start, end):
            if spec.features.id in source.columns:
                result |= scanning.read_label_changes(spec, profile_schema, source, labels, since, as_of, self._scanner)
        return dict(sorted(result.items()))

    def top_cards(self, spec: Spec, start: date, end: date, as_of: date) -> list[RankedCard]:
        """Return the cards (``score.entity``) with the highest scores of each day, by what was known by ``as_of``."""
        if spec.score.entity is None or not self.days(spec, start, end):
            return []
        labels = self._tables.labels(spec)
        return (
            scanning.read_top_cards(spec, self._tables.span(spec, start, end), labels, as_of, self._scanner)
            if labels
            else []
        )

    def relation(self, spec: Spec, day: date) -> Relation:
        """Return the query of a day's partition and where it runs; raise WatchkeeperError where no partition is."""
        found = self._tables.sources(spec, day, day)
        if not found:
            raise WatchkeeperError(f"{spec.model}: table {spec.features.table} has no partition of {day}")
        return Relation(partition_query(found[0], day), ENGINE, "duckdb:///:memory:")

    def sample(self, spec: Spec, start: date, end: date, rows: int, seed: int) -> pd.DataFrame:
        """Return at most ``rows`` payments of a span of days, the same ones at every call (by hash of id and seed)."""
        source = self._tables.span(spec, start, end)
        scan_queries.require_column(spec, source, "features.id", spec.features.id)
        return self._scanner.fetch(row_queries.sample_query(spec, source, rows, seed)).df()

    def labelled_rows(self, spec: Spec, start: date, end: date, as_of: date, rows: int, seed: int) -> pd.DataFrame:
        """Return at most ``rows`` payments with a boolean column ``label`` as known by ``as_of``, for training.

        Payments without a label count as legitimate only where the model file says so (``negative.after_days``).
        """
        if spec.labels is None:
            raise WatchkeeperError(f"{spec.model}: rows with labels were asked for, but the model file has no 'labels'")
        source = self._tables.span(spec, start, end)
        scan_queries.require_column(spec, source, "features.id", spec.features.id)
        labels = self._tables.labels(spec)
        if labels is None:
            raise WatchkeeperError(f"{spec.model}: label table {spec.labels.table} holds no Parquet file yet")
        return self._scanner.fetch(row_queries.labelled_rows_query(spec, source, labels, as_of, rows, seed)).df()
