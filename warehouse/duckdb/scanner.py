"""Runs statements over Parquet files in DuckDB, and reads plain columns with Arrow; an error names the file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from models.errors import WatchkeeperError
from models.spec import Spec
from profiles.bins import Ints
from profiles.schema import ProfileSchema
from warehouse.duckdb import files
from warehouse.duckdb.connection import connect_duckdb, fetch_arrays
from warehouse.duckdb.source import FileSource
from warehouse.profiling import column_counts, score_counts
from warehouse.profiling.assembly import GroupedRows
from warehouse.profiling.binning import BATCH_ROWS
from warehouse.profiling.column_counts import RowBatch
from warehouse.source import Source
from warehouse.sql import expressions as sql
from warehouse.sql.statement import Statement


class ParquetScanner:
    """One DuckDB connection; every call has a cursor of its own, so threads may share the object."""

    def __init__(self, threads: int | None = None) -> None:
        self._connection = connect_duckdb(threads)

    def counts(
        self, profile_schema: ProfileSchema, source: Source, names: Sequence[str], slices: Sequence[str]
    ) -> Iterator[tuple[str, GroupedRows]]:
        """Yield the counts of each column; raise WatchkeeperError that names a file that can't be read."""
        with self._naming_bad_files(source):
            yield from column_counts.count_columns(profile_schema, source, names, slices, self)

    def score_counts(
        self, profile_schema: ProfileSchema, spec: Spec, source: Source, groups: Sequence[str]
    ) -> GroupedRows:
        """Return the score cube's rows; raise WatchkeeperError that names a file that can't be read."""
        with self._naming_bad_files(source):
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
        return self.fetch(statement).fetchall()

    def arrays(self, statement: Statement) -> dict[str, Ints]:
        """Run a statement whose columns are whole numbers and return them, with ``ROLLED_UP`` for null."""
        return fetch_arrays(self.fetch(statement))

    def fetch(self, statement: Statement) -> duckdb.DuckDBPyConnection:
        """Run a statement; raise WatchkeeperError that names the file where one of its files can't be read."""
        try:
            return self._connection.cursor().execute(statement.text, statement.values)
        except duckdb.Error:
            for paths in (value for value in statement.values.values() if isinstance(value, list)):
                for path in (path for path in paths if str(path).endswith(".parquet")):
                    self._check_file(str(path))
            raise

    @contextmanager
    def _naming_bad_files(self, source: Source) -> Iterator[None]:
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
