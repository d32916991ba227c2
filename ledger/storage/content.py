"""Records as rows: the natural key in columns, the whole record as JSON."""

from __future__ import annotations

from typing import Any, TypeVar

import sqlalchemy as sa
from pydantic import TypeAdapter

from ledger.records.incidents import Incident
from ledger.records.messages import Message
from ledger.records.retraining import BaselineChange, Decision, RetrainingOutcome
from ledger.records.runs import LabelSnapshot, Run

StoredRecord = BaselineChange | Decision | Incident | Message | RetrainingOutcome | Run | LabelSnapshot
Record = TypeVar("Record", BaselineChange, Decision, Incident, Message, RetrainingOutcome, Run, LabelSnapshot)
ADAPTERS: dict[type, TypeAdapter[Any]] = {
    kind: TypeAdapter(kind)
    for kind in (BaselineChange, Decision, Incident, Message, RetrainingOutcome, Run, LabelSnapshot)
}


def record_to_row(table: sa.Table, record: StoredRecord) -> dict[str, Any]:
    """Return a record as a row of a table; a column that the record doesn't have is left to the caller."""
    columns = {column.name: getattr(record, column.name) for column in table.c if hasattr(record, column.name)}
    return columns | {"content": record_to_json(record)}


def record_to_json(record: StoredRecord) -> str:
    """Return a record as JSON."""
    return ADAPTERS[type(record)].dump_json(record).decode()


def record_from_json(kind: type[Record], content: str) -> Record:
    """Return the record that ``record_to_json`` wrote."""
    record: Record = ADAPTERS[kind].validate_json(content)
    return record
