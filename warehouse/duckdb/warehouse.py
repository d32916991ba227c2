"""The embedded warehouse: DuckDB, in memory, over folders of Parquet files; no file is ever locked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from models.errors import WatchkeeperError, did_you_mean
from models.spec import Labels, Spec
from profiles.bins import Ints
from profiles.profile import Cohort, Profile
from profiles.schema import ProfileSchema
from warehouse.budget import CostAccount
from warehouse.duckdb import files
from warehouse.duckdb.connection import connect_duckdb, fetch_arrays
from warehouse.duckdb.files import TableFiles
from warehouse.profiling import assembly, column_counts, scanning, schema, score_counts
from warehouse.profiling.assembly import GroupedRows
from warehouse.profiling.binning import BATCH_ROWS
from warehouse.profiling.column_counts import RowBatch
from warehouse.protocol import Partition, Relation
from warehouse.source import FileSource, Source
from warehouse.sql import expressions as sql
from warehouse.sql import label_queries as label_events
from warehouse.sql import row_queries, scan_queries
from warehouse.sql.expressions import Bound
from warehouse.sql.scan_queries import Statement, where_clause
from warehouse.sql.top_entities import RankedCard

if TYPE_CHECKING:
    import pandas as pd


class ParquetWarehouse:
    """Tables are folders ``<root>/<table>/day=YYYY-MM-DD/*.parquet``, or Parquet files with a day column in them.

    One DuckDB connection for each object; every call has a cursor of its own, so threads may share the object.
    ``threads`` limits DuckDB's (default: one for each core).
    """

    def __init__(self, root: Path, threads: int | None = None) -> None:
        self._root = root.absolute()
        self._connection = connect_duckdb(threads)
        self.account = CostAccount()  # reading files costs nothing

    def partition(self, spec: Spec, day: date) -> Partition | None:
        """Return what arrived for a day, or None; raise WatchkeeperError where the table or file can't be read."""
        found = self._sources(spec, day, day)
        if not found:
            return None
        (source,) = found
        bound = Bound()
        distinct = (
            f"count(DISTINCT {sql.quoted_column(spec.features.id)})"
            if spec.features.id in source.columns
            else "count(*)"
        )
        # Days that share their files with others are told apart by what is in them, not by when a file was written.
        content = "''" if source.partitioned else "CAST(sum(hash(t)) AS VARCHAR)"
        text = f"SELECT count(*), {distinct}, {content} FROM {source.scan(bound)}{where_clause(source.wanted(bound))}"
        count, distinct_ids, digest = self.rows(Statement(text, bound.values))[0]
        if not count and not source.partitioned:
            return None
        paths = [Path(file) for file in source.files]
        version = files.files_version(paths if source.partitioned else [], count, digest)
        return Partition(count, distinct_ids, files.files_arrived_at(paths), version, source.columns)

    def days(self, spec: Spec, start: date, end: date) -> list[date]:
        """Return the days that have a partition, in order."""
        found = self._files(spec)
        if found.partitioned:
            return [day for day in found.by_day if start <= day <= end]
        return [day for source in self._sources(spec, start, end) for day in self._days_inside(source)]

    def fit_profile_schema(self, spec: Spec) -> ProfileSchema:
        """Fix the bins of every feature from the model's baseline days; raise WatchkeeperError if none is there."""
        chosen, found = spec.baseline, self._files(spec)
        wanted = [file for day in chosen.days() for file in found.by_day.get(day, [])] or found.plain
        if not wanted:
            raise WatchkeeperError(
                f"{spec.model}: table {spec.features.table} has no partition on the baseline's days {chosen.start} to "
                f"{chosen.end}{_describe_days(found)}; name other days under 'baseline' in the model file"
            )
        source = self._source(spec, wanted, chosen.start, chosen.end, partitioned=found.partitioned)
        return schema.fit_profile_schema(spec, source, self.rows)

    def profile(self, spec: Spec, profile_schema: ProfileSchema, start: date, end: date) -> dict[date, Profile]:
        """Scan the partitions of a span of days once and return a profile for each day that has one.

        A column that a day's files don't have is left out of that day's profile: missing is not null.
        """
        result = {day: Profile(profile_schema.id) for day in self.days(spec, start, end)}
        for source in self._sources(spec, start, end):
            result |= scanning.profile_source(spec, profile_schema, source, self)
        return dict(sorted(result.items()))

    def versions(self, spec: Spec, start: date, end: date) -> dict[date, str]:
        """Return a short text for each day that has a partition, which changes whenever its files were written.

        It comes from the files' names, sizes and times, so days that share their files change together.
        """
        found = self._files(spec)
        return {day: files.files_version(found.by_day.get(day, found.plain)) for day in self.days(spec, start, end)}

    def label_versions(self, spec: Spec, as_of: Sequence[date]) -> list[str]:
        """Return for each day a short text that changes with the label events known by its end (UTC).

        It is the same for the same events in any order or files. Those that count for nothing are left out.
        """
        labels = self._labels(spec, spec.labels) if spec.labels is not None else None
        if labels is None:
            return [scanning.NO_LABEL_EVENTS] * len(as_of)
        return scanning.read_label_versions(spec, labels, as_of, self)

    def label_changes(
        self, spec: Spec, profile_schema: ProfileSchema, start: date, end: date, since: date | None, as_of: date
    ) -> dict[date, Cohort]:
        """Return what was known of each partition day by the end of ``as_of``, less what was by the end of ``since``.

        Days end in UTC. ``since`` None means nothing was known. By a join on keys; no feature column is read.
        The newest event of an id counts; of two at the same moment, the one that says fraud. Events without a
        label or a time count for nothing. A payment that is in the table twice counts twice.
        """
        result = {day: Cohort() for day in self.days(spec, start, end)}
        labels = self._labels(spec, spec.labels) if spec.labels is not None else None
        if labels is None:
            return result
        for source in self._sources(spec, start, end):
            if spec.features.id in source.columns:
                result |= scanning.read_label_changes(spec, profile_schema, source, labels, since, as_of, self)
        return dict(sorted(result.items()))

    def top_cards(self, spec: Spec, start: date, end: date, as_of: date) -> list[RankedCard]:
        """Return the cards (``score.entity``) with the highest scores of each day, by what was known by ``as_of``."""
        if spec.labels is None or spec.score.entity is None or not self.days(spec, start, end):
            return []
        labels = self._labels(spec, spec.labels)
        return scanning.read_top_cards(spec, self._span(spec, start, end), labels, as_of, self) if labels else []

    def relation(self, spec: Spec, day: date) -> Relation:
        """Return the query of a day's partition and where it runs; raise WatchkeeperError where no partition is."""
        found = self._sources(spec, day, day)
        if not found:
            raise WatchkeeperError(f"{spec.model}: table {spec.features.table} has no partition of {day}")
        return Relation(row_queries.partition_query(found[0], day), "duckdb:///:memory:")

    def sample(self, spec: Spec, start: date, end: date, rows: int, seed: int) -> pd.DataFrame:
        """Return at most ``rows`` payments of a span of days, the same ones at every call (by hash of id and seed)."""
        source = self._span(spec, start, end)
        scan_queries.require_column(spec, source, "features.id", spec.features.id)
        return self._fetch(row_queries.sample_query(spec, source, rows, seed)).df()

    def labelled_rows(self, spec: Spec, start: date, end: date, as_of: date, rows: int, seed: int) -> pd.DataFrame:
        """Return at most ``rows`` payments with a boolean column ``label`` as known by ``as_of``, for training.

        Payments without a label count as legitimate only where the model file says so (``negative.after_days``).
        """
        if spec.labels is None:
            raise WatchkeeperError(f"{spec.model}: rows with labels were asked for, but the model file has no 'labels'")
        source = self._span(spec, start, end)
        scan_queries.require_column(spec, source, "features.id", spec.features.id)
        labels = self._labels(spec, spec.labels)
        if labels is None:
            raise WatchkeeperError(f"{spec.model}: label table {spec.labels.table} holds no Parquet file yet")
        return self._fetch(row_queries.labelled_rows_query(spec, source, labels, as_of, rows, seed)).df()

    def _files(self, spec: Spec) -> TableFiles:
        return files.find_table_files(self._root, spec.features.table, spec.features.day)

    def _span(self, spec: Spec, start: date, end: date) -> FileSource:
        """Return all files of a span of days as one source; columns that changed take the type that holds both."""
        found = self._files(spec)
        wanted = [file for day, of_day in found.by_day.items() if start <= day <= end for file in of_day] or found.plain
        if not wanted:
            raise WatchkeeperError(
                f"{spec.model}: table {spec.features.table} has no partition from {start} to {end}"
                f"{_describe_days(found)}"
            )
        return self._source(spec, wanted, start, end, partitioned=found.partitioned)

    def _sources(self, spec: Spec, start: date, end: date) -> list[FileSource]:
        """Return the files of a span of days, those with the same columns and types together."""
        found = self._files(spec)
        if not found.partitioned:
            return [self._source(spec, found.plain, start, end, partitioned=False)] if found.plain else []
        alike: dict[object, list[Path]] = defaultdict(list)
        days = {day: of_day for day, of_day in found.by_day.items() if start <= day <= end}
        kinds = self._file_kinds([file for of_day in days.values() for file in of_day])
        for of_day in days.values():
            alike[frozenset[tuple[Any, ...]]().union(*(kinds[str(file)] for file in of_day))].extend(of_day)
        return [self._source(spec, of_kind, start, end, partitioned=True) for of_kind in alike.values()]

    def _file_kinds(self, paths: Sequence[Path]) -> dict[str, frozenset[tuple[Any, ...]]]:
        """Return the columns and types of each file, as its footer has them."""
        if len(paths) < 2:
            return {str(path): frozenset() for path in paths}
        text = "SELECT file_name, name, type, converted_type, logical_type FROM parquet_schema($files)"
        found: dict[str, set[tuple[Any, ...]]] = {str(path): set() for path in paths}
        for file, *kind in self.rows(Statement(text, {"files": [str(path) for path in paths]})):
            found[file].add(tuple(kind))
        return {file: frozenset(kinds) for file, kinds in found.items()}

    def _source(self, spec: Spec, paths: Sequence[Path], start: date, end: date, *, partitioned: bool) -> FileSource:
        """Describe files; raise WatchkeeperError where they hold no day."""
        source = self._described(paths, spec.features.day, start, end, partitioned=partitioned)
        if source.day not in source.columns:
            raise WatchkeeperError(
                f"{spec.model}: features.day: table {spec.features.table} has neither folders {source.day}=YYYY-MM-DD "
                f"nor a column '{source.day}'; it has {', '.join(source.columns)}"
                f"{did_you_mean(source.day, source.columns)}"
            )
        return source

    def _labels(self, spec: Spec, labels: Labels) -> FileSource | None:
        """Return the label table, all of it; None where it holds no file yet.

        Raises WatchkeeperError for a column that isn't there, and for labels or times that can't be read.
        """
        found = files.find_table_files(self._root, labels.table, spec.features.day)
        paths = [file for of_day in found.by_day.values() for file in of_day] or found.plain
        if not paths:
            return None
        source = self._described(paths, spec.features.day, date.min, date.max, partitioned=found.partitioned)
        for key in ("id", "label", "known_at", *(["type"] if labels.type else [])):
            scan_queries.require_label_column(spec, labels, source.columns, key)
        if source.columns[labels.label] != "BOOLEAN" or sql.is_text_type(source.columns[labels.known_at]):
            no_label, no_time = self.rows(label_events.unreadable_labels_query(labels, source))[0]
            for count, name, accepted in (
                (no_label, labels.label, "true and false, or 1 and 0"),
                (no_time, labels.known_at, "times such as 2026-01-31 09:30:00"),
            ):
                if count:
                    raise WatchkeeperError(
                        f"{spec.model}: labels: table {labels.table}, column '{name}': {count:,} values can't be read; "
                        f"accepted are {accepted}"
                    )
        return source

    def _described(self, paths: Sequence[Path], day: str, start: date, end: date, *, partitioned: bool) -> FileSource:
        source = FileSource(tuple(str(path) for path in paths), {}, day, partitioned, start, end)
        bound = Bound()
        found = self.rows(Statement(f"DESCRIBE SELECT * FROM {source.scan(bound)}", bound.values))
        # DuckDB takes every folder 'key=value' on the way for a column, also those above the table.
        above = {part.partition("=")[0] for part in paths[0].parts if "=" in part} - {day}
        return replace(source, columns={name: kind for name, kind, *_ in found if name not in above})

    def _days_inside(self, source: FileSource) -> list[date]:
        bound = Bound()
        text = (
            f"SELECT DISTINCT {source.day_number()} AS d FROM {source.scan(bound)}{where_clause(source.wanted(bound))}"
        )
        return sorted(assembly.date_of_day_number(number) for (number,) in self.rows(Statement(text, bound.values)))

    def counts(
        self, profile_schema: ProfileSchema, source: Source, names: Sequence[str], slices: Sequence[str]
    ) -> Iterator[tuple[str, GroupedRows]]:
        """Yield the counts of each column; raise WatchkeeperError that names a file that can't be read."""
        with self._checking(source):
            yield from column_counts.count_columns(profile_schema, source, names, slices, self)

    def score_counts(
        self, profile_schema: ProfileSchema, spec: Spec, source: Source, groups: Sequence[str]
    ) -> GroupedRows:
        """Return the score cube's rows; raise WatchkeeperError that names a file that can't be read."""
        with self._checking(source):
            return score_counts.count_scores(profile_schema, spec, source, groups, self)

    def readable(self, source: Source, names: Sequence[str]) -> set[str]:
        """Return the columns that are in the files themselves, where each of these holds one day."""
        import pyarrow.parquet as pq  # noqa: PLC0415  takes as long to import as everything else here

        if not (isinstance(source, FileSource) and source.partitioned):
            return set()
        return set(names).intersection(pq.read_schema(source.files[0]).names) - {source.day}

    def batches(self, source: Source, names: Sequence[str]) -> Iterator[RowBatch]:
        """Yield the rows of files that hold one day each."""
        import pyarrow.parquet as pq  # noqa: PLC0415

        assert isinstance(source, FileSource)
        texts = [name for name in names if sql.is_text_type(source.columns[name])]
        for file in source.files:
            day = files.day_of_folder(Path(file).parent.name, source.day)
            assert day is not None
            # By one thread and without reading ahead: else it takes twice the CPU and half as much memory again.
            whole = pq.ParquetFile(file, read_dictionary=texts, pre_buffer=False)
            for rows in whole.iter_batches(BATCH_ROWS, columns=list(names), use_threads=False):
                yield RowBatch(day, dict(zip(rows.schema.names, rows.columns, strict=True)))

    def rows(self, statement: Statement) -> list[tuple[Any, ...]]:
        """Run a statement and return its rows."""
        return self._fetch(statement).fetchall()

    def arrays(self, statement: Statement) -> dict[str, Ints]:
        """Run a statement whose columns are whole numbers and return them, with ``ROLLED_UP`` for null."""
        return fetch_arrays(self._fetch(statement))

    def _fetch(self, statement: Statement) -> duckdb.DuckDBPyConnection:
        """Run a statement; raise WatchkeeperError that names the file where one of its files can't be read."""
        try:
            return self._connection.cursor().execute(statement.text, statement.values)
        except duckdb.Error:
            for paths in (value for value in statement.values.values() if isinstance(value, list)):
                for path in (path for path in paths if str(path).endswith(".parquet")):
                    self._check_file(str(path))
            raise

    @contextmanager
    def _checking(self, source: Source) -> Iterator[None]:
        """Look at each file where Arrow can't read one, or a text isn't UTF-8."""
        try:
            yield
        except (OSError, ValueError):
            for file in source.files if isinstance(source, FileSource) else ():
                self._check_file(file)
            raise

    def _check_file(self, path: str) -> None:
        """Read all of a file; raise WatchkeeperError that names it where that fails."""
        try:
            self._connection.cursor().execute(
                "SELECT max(COLUMNS(*)) FROM read_parquet($file)", {"file": path}
            ).fetchall()
        except duckdb.Error as error:
            said = str(error).splitlines()[0].partition(": ")[2].replace(f"'{path}'", "").replace(path, "")
            reason = said.strip(" .:") or type(error).__name__
            raise WatchkeeperError(f"{path}: can't be read as Parquet ({reason}); write the file again") from error


def _describe_days(found: TableFiles) -> str:
    days = list(found.by_day)
    return f"; it has days from {days[0]} to {days[-1]}" if days else ""
