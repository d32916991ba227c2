"""Which Parquet files hold a table's days, as ``<root>/<table>/day=YYYY-MM-DD/*.parquet`` or as plain files."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from models.errors import WatchkeeperError, did_you_mean
from warehouse.protocol import short_digest


@dataclass(frozen=True)
class TableFiles:
    """A table's files. ``by_day`` is empty where no folder is named after a day; the files are in ``plain`` then."""

    table: str
    by_day: dict[date, list[Path]]
    plain: list[Path]

    @property
    def partitioned(self) -> bool:
        """Return whether days have folders of their own."""
        return not self.plain


def find_table_files(root: Path, table: str, day_column: str) -> TableFiles:
    """List a table's files; raise WatchkeeperError where the table isn't there or can't be listed.

    Like Spark and Hive it leaves out names that start with '.' or '_': files still being written.
    """
    table_path = root / table
    try:
        if table_path.is_file():
            return TableFiles(table, {}, [table_path])
        entries = sorted(table_path.iterdir())
    except FileNotFoundError as error:
        raise _no_such_table(root, table) from error
    except OSError as error:
        raise WatchkeeperError(
            f"{table_path}: can't be listed ({error.strerror}); check the folder's permissions"
        ) from error
    by_day: dict[date, list[Path]] = {}
    for entry in entries:
        day = day_of_folder(entry.name, day_column)
        if day is not None:
            by_day[day] = _parquet_files(sorted(entry.glob("*.parquet")))
    if by_day:
        return TableFiles(table, {day: files for day, files in sorted(by_day.items()) if files}, [])
    plain = _parquet_files(entries)
    # Another key's folders, such as a label table's month=…: every file below belongs to the table.
    return TableFiles(
        table,
        {},
        plain
        or [file for file in _parquet_files(sorted(table_path.rglob("*.parquet"))) if _is_visible(file, table_path)],
    )


def files_version(files: Iterable[Path], *content: object) -> str:
    """Return a short digest of the files' names, sizes and times of writing, and of what is known of their content."""
    facts = [f"{file.name} {file.stat().st_size} {file.stat().st_mtime_ns}" for file in files]
    return short_digest(*facts, *content)


def files_arrived_at(files: Iterable[Path]) -> datetime:
    """Return when the newest of the files was written, in UTC."""
    return datetime.fromtimestamp(max(file.stat().st_mtime for file in files), UTC)


def day_of_folder(name: str, day_column: str) -> date | None:
    """Return the day that a folder is named after, as ``day=YYYY-MM-DD``; None where it isn't."""
    key, separator, value = name.partition("=")
    if not separator or key != day_column:
        return None
    try:
        day = date.fromisoformat(value)
    except ValueError:
        return None
    return day if value == day.isoformat() else None  # DuckDB takes 20260131 for a number


def _parquet_files(entries: Iterable[Path]) -> list[Path]:
    return [entry for entry in entries if entry.suffix == ".parquet" and entry.name[0] not in "._" and entry.is_file()]


def _is_visible(file: Path, table_path: Path) -> bool:
    return all(part[0] not in "._" for part in file.relative_to(table_path).parts)


def _no_such_table(root: Path, table: str) -> WatchkeeperError:
    if not root.is_dir():
        return WatchkeeperError(
            f"{root}: no such warehouse folder; set WATCHKEEPER_WAREHOUSE to the folder of your tables"
        )
    depth = len(Path(table).parts)
    tables = [str(path.relative_to(root)) for path in root.glob("/".join("*" * depth)) if path.is_dir()]
    accepted = f"; tables there are {', '.join(sorted(tables)[:10])}" if tables else ""
    return WatchkeeperError(f"{root / table}: no such table{did_you_mean(table, tables)}{accepted}")
