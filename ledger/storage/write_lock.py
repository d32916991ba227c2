"""One writer at a time, on SQLite because it can't do otherwise, and on PostgreSQL so that it behaves the same."""

from __future__ import annotations

import sqlalchemy as sa

LOCK_WAIT_SECONDS = 30
"""How long a writer waits for another one, such as another model's backfill."""
WRITE_LOCK_KEY = 0x57415443
"""The number under which PostgreSQL knows a writer's turn ('WATC'); locks are kept apart by database."""


def begin_write(connection: sa.Connection) -> None:
    """Begin a transaction that writes, after those of others; raise OperationalError after 30 seconds of waiting."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{LOCK_WAIT_SECONDS}s'")
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITE_LOCK_KEY})")
