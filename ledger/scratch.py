"""A copy of one model's history in memory, to try out what is then thrown away."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa

from ledger.storage import tables
from ledger.store import Ledger


def copy_to_memory(ledger: Ledger, model: str, start: date, end: date) -> Ledger:
    """Return a ledger in memory with what monitors read of a model from ``start`` to ``end``: nothing is decoded.

    Profile schemas, recorded baselines and runs are whole; profiles, batches and cohorts are those of days of the span,
    cohorts as they were known by ``end``. What is written to it is gone with it. It belongs to one thread.
    """
    copy = Ledger.open("sqlite://")
    spans = {tables.profiles: "day", tables.batches: "day", tables.cohorts: "day"}
    with copy.transaction():
        for table in (tables.frames, tables.baselines, tables.runs, *spans):
            where = [table.c.model == model]
            where += [table.c[spans[table]].between(start, end)] if table in spans else []
            where += [table.c.as_of <= end] if table is tables.cohorts else []
            rows = ledger.database.rows(sa.select(table).where(*where))
            copy.database.write(sa.insert(table), [row._asdict() for row in rows])
    return copy
