"""Records as rows: the natural key in columns, the whole record as JSON."""

from __future__ import annotations

from typing import Any, TypeVar

import sqlalchemy as sa
from pydantic import TypeAdapter

from ledger.records import Baselined, Decision, Incident, Message, Retrained, Run, TakenIn

Stored = Baselined | Decision | Incident | Message | Retrained | Run | TakenIn
Record = TypeVar("Record", Baselined, Decision, Incident, Message, Retrained, Run, TakenIn)
ADAPTERS: dict[type, TypeAdapter[Any]] = {
    kind: TypeAdapter(kind) for kind in (Baselined, Decision, Incident, Message, Retrained, Run, TakenIn)
}


def to_row(table: sa.Table, record: Stored) -> dict[str, Any]:
    """Return a record as a row of a table; a column that the record doesn't have is left to the caller."""
    columns = {column.name: getattr(record, column.name) for column in table.c if hasattr(record, column.name)}
    return columns | {"content": to_text(record)}


def to_text(record: Stored) -> str:
    """Return a record as JSON."""
    return ADAPTERS[type(record)].dump_json(record).decode()


def from_text(kind: type[Record], content: str) -> Record:
    """Return the record that ``to_text`` wrote."""
    record: Record = ADAPTERS[kind].validate_json(content)
    return record
