"""Reaches the ledger's database: SQLite in a file, or PostgreSQL."""

from __future__ import annotations

import sqlite3
import time
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from ledger.storage import migrate
from ledger.storage.write_lock import LOCK_WAIT_SECONDS
from models.errors import WatchkeeperError

DRIVERS = {
    "sqlite": "sqlite",
    "sqlite+pysqlite": "sqlite",
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
}
ACCEPTED_URLS = "accepted is e.g. sqlite:///watchkeeper.db or postgresql+psycopg://user@host/name"


def connect_ledger(url: str) -> sa.Engine:
    """Return an engine on a database whose tables are at the newest revision; raise WatchkeeperError if it can't be."""
    address = _parse_url(url)
    shown = _url_without_password(address)
    try:
        engine = sa.create_engine(address, pool_pre_ping=address.drivername != "sqlite")
    except ModuleNotFoundError as error:
        raise WatchkeeperError(
            f"ledger {shown}: needs the package '{error.name}'; install watchkeeper with its extra 'postgres'"
        ) from error
    if address.drivername == "sqlite":
        sa.event.listen(engine, "connect", _prepare_sqlite)
    try:
        migrate.upgrade_to_newest(engine, shown)
    except (SQLAlchemyError, OSError) as error:
        engine.dispose()
        raise WatchkeeperError(
            f"ledger {shown}: can't be opened ({database_error_text(error)}); check the address in WATCHKEEPER_LEDGER, "
            "and that what it names is there and may be written"
        ) from error
    except WatchkeeperError:
        engine.dispose()
        raise
    return engine


def database_error_text(error: Exception) -> str:
    """Return the database's own words, their first line only: the rest is advice about servers or our SQL."""
    return str(getattr(error, "orig", None) or error).strip().splitlines()[0]


def _parse_url(url: str) -> sa.URL:
    try:
        address = sa.make_url(url)
    except (ArgumentError, ValueError):
        # The address itself is left out, here and in the cause: it may hold a password where none was expected.
        raise WatchkeeperError(f"WATCHKEEPER_LEDGER is no database address; {ACCEPTED_URLS}") from None
    if address.drivername not in DRIVERS:
        raise WatchkeeperError(
            f"ledger {_url_without_password(address)}: unknown kind '{address.drivername}'; {ACCEPTED_URLS}"
        )
    return address.set(drivername=DRIVERS[address.drivername])


def _url_without_password(address: sa.URL) -> str:
    """Return the address without its password, which may also stand among the options."""
    return address.set(query={}).render_as_string(hide_password=True)


def _prepare_sqlite(connection: Any, _record: object) -> None:
    """Let readers go on beside one writer, and let a second writer wait for its turn."""
    connection.isolation_level = None  # ``Database.transaction`` begins transactions, not the driver
    connection.execute(f"PRAGMA busy_timeout={LOCK_WAIT_SECONDS * 1000}").close()
    _use_wal(connection)
    connection.execute("PRAGMA synchronous=NORMAL").close()
    connection.execute("PRAGMA foreign_keys=ON").close()


def _use_wal(connection: Any) -> None:
    """Switch the file to a write-ahead log; where another process is at it too, SQLite fails instead of waiting."""
    until = time.monotonic() + LOCK_WAIT_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL").close()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(0.01)
        else:
            return
