"""The tables of a warehouse folder: which files hold some days, with which columns, and the label table."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from models.errors import WatchkeeperError, did_you_mean
from models.spec import Labels, Spec
from warehouse.duckdb.files import TableFiles, find_table_files
from warehouse.duckdb.scanner import ParquetScanner
from warehouse.duckdb.source import FileSource
from warehouse.profiling import assembly
from warehouse.sql import expressions as sql
from warehouse.sql import label_queries, scan_queries
from warehouse.sql.expressions import Bound
from warehouse.sql.scan_queries import where_clause
from warehouse.sql.statement import Statement


class ParquetTables:
    """The tables under a folder, as ``scanner`` sees their files."""

    def __init__(self, root: Path, scanner: ParquetScanner) -> None:
        self._root, self._scanner = root.absolute(), scanner

    def files(self, spec: Spec) -> TableFiles:
        """Return the files of the feature table."""
        return find_table_files(self._root, spec.features.table, spec.features.day)

    def days(self, spec: Spec, start: date, end: date) -> list[date]:
        """Return the days that have a partition, in order."""
        found = self.files(spec)
        if found.partitioned:
            return [day for day in found.by_day if start <= day <= end]
        return [day for source in self.sources(spec, start, end) for day in self._days_inside(source)]

    def baseline(self, spec: Spec) -> FileSource:
        """Return the files of the baseline's days as one source; raise WatchkeeperError where there is none."""
        chosen, found = spec.baseline, self.files(spec)
        wanted = [file for day in chosen.days() for file in found.by_day.get(day, [])] or found.plain
        if not wanted:
            raise WatchkeeperError(
                f"{spec.model}: table {spec.features.table} has no partition on the baseline's days {chosen.start} to "
                f"{chosen.end}{_describe_days(found)}; name other days under 'baseline' in the model file"
            )
        return self._source(spec, wanted, chosen.start, chosen.end, partitioned=found.partitioned)

    def span(self, spec: Spec, start: date, end: date) -> FileSource:
        """Return all files of a span of days as one source; columns that changed take the type that holds both."""
        found = self.files(spec)
        wanted = [file for day, of_day in found.by_day.items() if start <= day <= end for file in of_day] or found.plain
        if not wanted:
            raise WatchkeeperError(
                f"{spec.model}: table {spec.features.table} has no partition from {start} to {end}"
                f"{_describe_days(found)}"
            )
        return self._source(spec, wanted, start, end, partitioned=found.partitioned)

    def sources(self, spec: Spec, start: date, end: date) -> list[FileSource]:
        """Return the files of a span of days, those with the same columns and types together."""
        found = self.files(spec)
        if not found.partitioned:
            return [self._source(spec, found.plain, start, end, partitioned=False)] if found.plain else []
        alike: dict[object, list[Path]] = defaultdict(list)
        days = {day: of_day for day, of_day in found.by_day.items() if start <= day <= end}
        kinds = self._file_kinds([file for of_day in days.values() for file in of_day])
        for of_day in days.values():
            alike[frozenset[tuple[Any, ...]]().union(*(kinds[str(file)] for file in of_day))].extend(of_day)
        return [self._source(spec, of_kind, start, end, partitioned=True) for of_kind in alike.values()]

    def labels(self, spec: Spec) -> FileSource | None:
        """Return the label table, all of it; None where the model file names none, or it holds no file yet.

        Raises WatchkeeperError for a column that isn't there, and for labels or times that can't be read.
        """
        labels = spec.labels
        if labels is None:
            return None
        found = find_table_files(self._root, labels.table, spec.features.day)
        paths = [file for of_day in found.by_day.values() for file in of_day] or found.plain
        if not paths:
            return None
        source = self._described(paths, spec.features.day, date.min, date.max, partitioned=found.partitioned)
        for key in ("id", "label", "known_at", *(["type"] if labels.type else [])):
            scan_queries.require_label_column(spec, labels, source.columns, key)
        if source.columns[labels.label] != "BOOLEAN" or sql.is_text_type(source.columns[labels.known_at]):
            self._require_readable_labels(spec, labels, source)
        return source

    def _require_readable_labels(self, spec: Spec, labels: Labels, source: FileSource) -> None:
        """Raise WatchkeeperError where a label or its time can't be read."""
        no_label, no_time = self._scanner.rows(label_queries.unreadable_labels_query(labels, source))[0]
        for count, name, accepted in (
            (no_label, labels.label, "true and false, or 1 and 0"),
            (no_time, labels.known_at, "times such as 2026-01-31 09:30:00"),
        ):
            if count:
                raise WatchkeeperError(
                    f"{spec.model}: labels: table {labels.table}, column '{name}': {count:,} values can't be read; "
                    f"accepted are {accepted}"
                )

    def _file_kinds(self, paths: Sequence[Path]) -> dict[str, frozenset[tuple[Any, ...]]]:
        """Return the columns and types of each file, as its footer has them."""
        if len(paths) < 2:
            return {str(path): frozenset() for path in paths}
        text = "SELECT file_name, name, type, converted_type, logical_type FROM parquet_schema($files)"
        found: dict[str, set[tuple[Any, ...]]] = {str(path): set() for path in paths}
        for file, *kind in self._scanner.rows(Statement(text, {"files": [str(path) for path in paths]})):
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

    def _described(self, paths: Sequence[Path], day: str, start: date, end: date, *, partitioned: bool) -> FileSource:
        source = FileSource(tuple(str(path) for path in paths), {}, day, partitioned, start, end)
        bound = Bound()
        found = self._scanner.rows(Statement(f"DESCRIBE SELECT * FROM {source.scan(bound)}", bound.values))
        # DuckDB takes every folder 'key=value' on the way for a column, also those above the table.
        above = {part.partition("=")[0] for part in paths[0].parts if "=" in part} - {day}
        return replace(source, columns={name: kind for name, kind, *_ in found if name not in above})

    def _days_inside(self, source: FileSource) -> list[date]:
        bound = Bound()
        text = (
            f"SELECT DISTINCT {source.day_number()} AS d FROM {source.scan(bound)}{where_clause(source.wanted(bound))}"
        )
        return sorted(
            assembly.date_of_day_number(number) for (number,) in self._scanner.rows(Statement(text, bound.values))
        )


def _describe_days(found: TableFiles) -> str:
    days = list(found.by_day)
    return f"; it has days from {days[0]} to {days[-1]}" if days else ""
