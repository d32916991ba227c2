"""A first look at a table that no model file describes yet, and its files laid out by day."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from models.errors import WatchkeeperError, did_you_mean
from warehouse.duckdb import files
from warehouse.duckdb.connection import connect_duckdb
from warehouse.sql import expressions as sql
from warehouse.sql.expressions import Bound, quoted_column

CSV_ENDINGS = (".csv", ".tsv", ".csv.gz", ".tsv.gz")
MOST_COMMON_VALUES = 50
"""Commonest values that are looked at."""


@dataclass(frozen=True)
class ColumnFacts:
    """What one column holds: rows without a value, different values (estimated beyond a few), and the commonest.

    ``low`` and ``high`` are None for what isn't a number, ``common`` is value and rows, the commonest first.
    """

    kind: str
    nulls: int
    distinct: int
    low: float | None
    high: float | None
    common: tuple[tuple[str, int], ...]


class InspectedTable:
    """One Parquet or CSV file, or a folder of Parquet files, as DuckDB reads it; nothing is written to it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.is_csv = path.name.lower().endswith(CSV_ENDINGS)
        self.key, self._files = _find_files(path, is_csv=self.is_csv)
        self._connection = connect_duckdb()
        self.columns: dict[str, str] = {name: kind for name, kind, *_ in self._rows(f"DESCRIBE {self._select('*')}")}
        self.rows: int = self._rows(self._select("count(*)"))[0][0]
        if not self.rows:
            raise WatchkeeperError(f"{path}: has no rows; give a table with some weeks of scored payments")

    @property
    def name(self) -> str:
        """Return the table's name without its ending."""
        return self.path.name.split(".")[0]

    def need(self, name: str) -> str:
        """Return a column's name; raise WatchkeeperError where the table doesn't have it."""
        if name not in self.columns:
            raise WatchkeeperError(
                f"{self.path}: has no column '{name}'; it has {', '.join(self.columns)}"
                f"{did_you_mean(name, self.columns)}"
            )
        return name

    def facts(self, name: str) -> ColumnFacts:
        """Return what a column holds."""
        kind, own = self.columns[self.need(name)], quoted_column(name)
        ends = "NULL, NULL"
        if sql.is_number_type(kind) or kind == "BOOLEAN":
            value = sql.column_as_double(name, kind)
            ends = ", ".join(f"{end}(CASE WHEN isfinite({value}) THEN {value} END)" for end in ("min", "max"))
        nulls, distinct, low, high = self._rows(
            self._select(f"count(*) - count({own}), approx_count_distinct({own}), {ends}")
        )[0]
        common: Sequence[tuple[str, int]] = ()
        if distinct <= 2 * MOST_COMMON_VALUES:
            values = f"{self._select(f'CAST({own} AS VARCHAR) AS value, count(*) AS n')} WHERE {own} IS NOT NULL"
            common = self._rows(f"{values} GROUP BY value ORDER BY n DESC, value LIMIT {MOST_COMMON_VALUES}")
            distinct = len(common) if len(common) < MOST_COMMON_VALUES else distinct
        return ColumnFacts(kind, nulls, distinct, low, high, tuple(common))

    def is_unique(self, name: str) -> bool:
        """Return whether every row has a value of its own."""
        return bool(self._rows(self._select(f"count(DISTINCT {quoted_column(name)}) = count(*)"))[0][0])

    def days(self, name: str) -> dict[date, int]:
        """Return the rows of each day (UTC) in order; rows without a readable one are left out."""
        day = sql.column_as_date(self.need(name), self.columns[name])
        found = self._rows(f"SELECT d, count(*) FROM ({self._select(f'{day} AS d')}) WHERE d IS NOT NULL GROUP BY d")
        return dict(sorted(found))

    def correlation_with_time(self, name: str, time: str) -> float:
        """Return how closely a number follows the time, as a correlation from -1 to 1; 0 where that can't be known."""
        value, when = sql.column_as_double(name, self.columns[name]), sql.column_as_timestamp(time, self.columns[time])
        pair = f"CASE WHEN isfinite({value}) THEN {value} END AS x, epoch({when}) AS y"
        found = self._rows(f"SELECT corr(x, y) FROM ({self._select(pair)}) WHERE abs(x) < 1e150")[0][0]
        return float(found) if found is not None and abs(found) <= 1 else 0.0

    def quantile(self, name: str, share: float) -> float:
        """Return the value that a share of a number's rows lie at or below."""
        value = sql.column_as_double(name, self.columns[name])
        bound = Bound()
        found = self._select(f"quantile_disc(CASE WHEN isfinite({value}) THEN {value} END, {bound(share)})")
        return float(self._rows(found, bound.values)[0][0])

    def decision_threshold(self, score: str, decision: str) -> float | None:
        """Return the lowest score of the rows whose decision is 1, where no row without has as high a one."""
        value, truth = (
            sql.column_as_double(score, self.columns[score]),
            sql.column_as_boolean(decision, self.columns[decision]),
        )
        ends = f"min(CASE WHEN {truth} THEN {value} END), max(CASE WHEN NOT {truth} THEN {value} END)"
        lowest, highest = self._rows(self._select(ends))[0]
        return lowest if lowest is not None and highest is not None and lowest > highest else None

    def lay_out(self, target: Path, time: str, new_id: str | None) -> None:
        """Copy the rows into ``target/day=YYYY-MM-DD/``, with a row number as ``new_id``; all of it or nothing.

        Raises WatchkeeperError where the target is there already, or a row has no day.
        """
        if target.exists():
            raise WatchkeeperError(f"{target}: is there already; remove it, or leave out --lay-out to read it as it is")
        if "day" in self.columns and time != "day":
            raise WatchkeeperError(
                f"{self.path}: has a column 'day', which the folders of days need for themselves; rename it, "
                "or name it as the day with --set day=day"
            )
        day = sql.column_as_date(time, self.columns[time])
        without = self._rows(f"{self._select('count(*)')} WHERE {day} IS NULL")[0][0]
        if without:
            raise WatchkeeperError(
                f"{self.path}: {without:,} rows have no day in column '{time}'; accepted are times such as "
                "2026-01-31 09:30:00 in every row"
            )
        others = ", ".join(quoted_column(name) for name in self.columns if name != "day")
        numbered = f", row_number() OVER () AS {sql.quote_identifier(new_id)}" if new_id else ""
        unfinished = target.with_name(f".{target.name}.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        try:
            unfinished.mkdir(parents=True)
            self._rows(
                f"COPY ({self._select(f'{others}{numbered}, {day} AS day')}) TO {sql.quote_literal(str(unfinished))} "
                "(FORMAT parquet, PARTITION_BY (day), OVERWRITE_OR_IGNORE)"
            )
            unfinished.rename(target)
        except OSError as error:
            raise WatchkeeperError(f"{target}: can't be written ({error.strerror})") from error
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)

    def _select(self, what: str) -> str:
        how = "read_csv($files, sample_size = -1)" if self.is_csv else "read_parquet($files, union_by_name = true"
        hive = "" if self.is_csv else f", hive_partitioning = {'true' if self.key else 'false'})"
        return f"SELECT {what} FROM {how}{hive} AS t"

    def _rows(self, text: str, values: dict[str, object] | None = None) -> list[tuple[Any, ...]]:
        try:
            given = {"files": [str(file) for file in self._files], **(values or {})}
            return self._connection.cursor().execute(text, given).fetchall()
        except duckdb.Error as error:
            reason = str(error).splitlines()[0].partition(": ")[2].strip(" .:")
            raise WatchkeeperError(f"{self.path}: can't be read ({reason})") from error


def _find_files(path: Path, *, is_csv: bool) -> tuple[str, list[Path]]:
    """Return the key of the folders named after a day (or ''), and the table's files."""
    if path.is_file():
        if not (is_csv or path.suffix == ".parquet"):
            raise WatchkeeperError(
                f"{path}: is neither Parquet nor CSV; accepted are .parquet, {', '.join(CSV_ENDINGS)}"
            )
        return "", [path]
    if not path.is_dir():
        raise WatchkeeperError(f"{path}: no such file or folder; give a Parquet or CSV file, or a folder of Parquet")
    keys = [entry.name.partition("=")[0] for entry in sorted(path.iterdir()) if "=" in entry.name]
    key = next((key for key in keys if any(files.day_of_folder(e.name, key) for e in path.iterdir())), "")
    found = files.find_table_files(path.parent, path.name, key)
    listed = [file for of_day in found.by_day.values() for file in of_day] or found.plain
    if not listed:
        raise WatchkeeperError(f"{path}: holds no Parquet file; a CSV is given by its own name")
    return key, listed
