"""Opens the ledger's database, at the newest revision of its tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from models.errors import WatchkeeperError

MIGRATIONS = Path(__file__).with_name("migrations")
WAIT_MS = 30_000
"""How long a writer waits for another one on SQLite."""


def connect(url: str) -> sa.Engine:
    """Return an engine on a database whose tables are at the newest revision; raise WatchkeeperError if it can't be."""
    try:
        address = sa.make_url(url)
    except ArgumentError as error:
        raise WatchkeeperError(
            "WATCHKEEPER_LEDGER is no database address; accepted is e.g. sqlite:///watchkeeper.db or "
            "postgresql+psycopg://user@host/name"
        ) from error
    shown = address.render_as_string(hide_password=True)
    try:
        engine = sa.create_engine(address)
        if engine.dialect.name == "sqlite":
            _prepare_sqlite(engine)
        _migrate(engine, shown)
    except (NoSuchModuleError, ModuleNotFoundError) as error:
        raise WatchkeeperError(f"ledger {shown}: no driver for '{address.drivername}' is installed") from error
    except (SQLAlchemyError, OSError) as error:
        reason = str(getattr(error, "orig", None) or error).splitlines()[0]
        raise WatchkeeperError(
            f"ledger {shown}: can't be opened ({reason}); check the address and its folder"
        ) from error
    return engine


def _prepare_sqlite(engine: sa.Engine) -> None:
    """Let readers go on beside one writer, and let a second writer wait its turn rather than fail."""

    @sa.event.listens_for(engine, "connect")
    def settle(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # transactions are begun below, not by the driver
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", f"busy_timeout={WAIT_MS}", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @sa.event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def _migrate(engine: sa.Engine, shown: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    script = ScriptDirectory.from_config(config)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as reading:
        current = MigrationContext.configure(reading).get_current_revision()
    if current == script.get_current_head():
        return
    if current is not None and current not in {revision.revision for revision in script.walk_revisions()}:
        raise WatchkeeperError(
            f"ledger {shown}: its tables are at revision {current}, which this version doesn't know; "
            "it was written by a newer Watchkeeper, so upgrade this one"
        )
    with engine.begin() as writing:  # one transaction: a second process waits, and then finds nothing to do
        config.attributes["connection"] = writing
        command.upgrade(config, "head")
