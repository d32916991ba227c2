"""Everything in a ledger as plain values, so that two ledgers can be compared."""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa

from ledger.store import Ledger
from ledger.tables import metadata

VOLATILE = {"sent_at", "attempts", "last_error"}
"""What depends on when and how often a message was tried, not on what was concluded."""


def snapshot(ledger: Ledger) -> dict[str, list[tuple[Any, ...]]]:
    """Return every table's rows in a canonical order, without what depends on the time of a delivery."""
    found = {}
    with ledger.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for table in metadata.sorted_tables:
            rows = connection.execute(sa.select(table)).all()
            found[table.name] = sorted((tuple(map(_plain, row)) for row in rows), key=repr)
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, str) and value.startswith("{"):
        content = json.loads(value)
        return json.dumps({key: content[key] for key in sorted(content) if key not in VOLATILE})
    return value
