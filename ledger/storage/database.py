"""Reads and writes the ledger's tables; what is written together is kept together."""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DatabaseError, DataError, IntegrityError

from ledger.storage.connection import connect_ledger, database_error_text
from ledger.storage.write_lock import begin_write
from models.errors import WatchkeeperError

Rows = Sequence[Mapping[str, Any]]


class Database:
    """A database of ledger tables. Each write is a transaction of its own, unless it stands in ``transaction()``."""

    def __init__(self, url: str) -> None:
        self.engine = connect_ledger(url)
        weakref.finalize(self, self.engine.dispose)  # a ledger that nobody holds any more leaves no connection open
        self._open: ContextVar[sa.Connection | None] = ContextVar("open transaction", default=None)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Keep everything written inside, or, after an error, nothing of it; one inside another is part of it."""
        if self._open.get() is not None:
            yield
            return
        with _explained_failures("written; nothing of this step was kept"), self.engine.connect() as connection:
            begin_write(connection)
            token = self._open.set(connection)
            try:
                yield
            finally:
                self._open.reset(token)
            connection.commit()  # without it, closing the connection takes everything back

    def rows(self, query: sa.Select[Any]) -> Sequence[Any]:
        """Return the rows that a query finds, with what an open transaction wrote."""
        inside = self._open.get()
        if inside is not None:
            return inside.execute(query).all()
        with _explained_failures("read"), self.engine.connect() as connection:
            return connection.execute(query).all()

    def values(self, query: sa.Select[Any]) -> list[Any]:
        """Return the first column of what a query finds."""
        return [row[0] for row in self.rows(query)]

    def write(self, statement: sa.Executable, rows: Rows | None = None) -> None:
        """Execute a statement, once for each row where rows are given: of none, not at all."""
        if rows is not None and not rows:
            return
        with self.transaction():
            connection = self._open.get()
            assert connection is not None
            connection.execute(statement, rows)

    def replace(self, table: sa.Table, rows: Rows) -> None:
        """Write rows in place of those with the same natural key, by delete and insert, which every database can."""
        same = [column == sa.bindparam(f"old_{column.name}") for column in table.primary_key]
        keys = [{f"old_{column.name}": row[column.name] for column in table.primary_key} for row in rows]
        with self.transaction():
            self.write(sa.delete(table).where(*same), keys)
            self.write(sa.insert(table), rows)

    def close(self) -> None:
        """Close the connections; the next use opens new ones."""
        self.engine.dispose()


@contextmanager
def _explained_failures(what: str) -> Iterator[None]:
    """Say in a sentence what the database's surroundings made fail: disk, permissions, network, another writer."""
    try:
        yield
    except (IntegrityError, DataError):
        raise  # a mistake of ours: two rows under one key, or a value that its column can't hold
    except DatabaseError as error:
        raise WatchkeeperError(f"the ledger can't be {what} ({database_error_text(error)})") from error
