"""Everything in a ledger as plain values, so that two ledgers can be compared."""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa

from ledger.storage.tables import metadata
from ledger.store import Ledger

VOLATILE_KEYS = {
    "sent", "sent_at", "attempts", "last_error", "ts", "events", "due_at", "first_tried_at", "dead", "bundle",
}  # fmt: skip
"""What depends on when and how often delivery was tried, or on labels of no payment, not on what was concluded."""

HISTORY_TABLES = {"events", "announced", "slack_requests"}
"""Tables that say how the ledger came to be what it is, and who asked: of a day watched again they say more."""


def snapshot_ledger(ledger: Ledger) -> dict[str, list[tuple[Any, ...]]]:
    """Return every table's rows in a canonical order, without what is volatile and without history."""
    return {
        table.name: sorted(
            (tuple(map(_plain, row)) for row in ledger.database.rows(sa.select(*_stable_columns(table)))), key=repr
        )
        for table in metadata.sorted_tables
        if table.name not in HISTORY_TABLES
    }


def _stable_columns(table: sa.Table) -> list[sa.Column[Any]]:
    return [column for column in table.c if column.name not in VOLATILE_KEYS]


def _plain(value: Any) -> Any:
    if isinstance(value, str) and value.startswith("{"):
        content = json.loads(value)
        return json.dumps({key: content[key] for key in sorted(content) if key not in VOLATILE_KEYS})
    return value
