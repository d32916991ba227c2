"""A day of the small bank cut into micro-batches, and what its profile has to be."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from models.spec import Spec
from profiles.profile import Profile
from tests.watchkeeper.conftest import MODEL
from watchkeeper.context import Context
from watchkeeper.pipeline.take_in import ensure_profile_schema

DAY = date(2026, 1, 20)


def rows_of(bank: Path, day: date = DAY, most: int | None = None) -> pa.Table:
    """Return a day's rows, or the first of them; the event time tells their day."""
    return pq.read_table(bank / MODEL / "features" / f"day={day}" / "part-0.parquet", partitioning=None).slice(0, most)


def cut(table: pa.Table, parts: int) -> list[pa.Table]:
    size = -(-len(table) // parts)
    return [table.slice(start, size) for start in range(0, len(table), size)]


def json_lines(table: pa.Table) -> str:
    return "".join(json.dumps(row, default=lambda moment: moment.isoformat()) + "\n" for row in table.to_pylist())


def write(table: pa.Table, file: Path) -> Path:
    """Write a table as what the file's name says."""
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_name(f".{file.name}")
    if file.suffix == ".parquet":
        pq.write_table(table, part)
    elif file.suffix == ".jsonl":
        part.write_text(json_lines(table))
    else:
        opened = pa.ipc.new_file if file.suffix == ".arrow" else pa.ipc.new_stream
        with opened(part, table.schema) as writer:
            writer.write_table(table, max_chunksize=1000)
    part.rename(file)
    return file


def streamed(ctx: Context, spec: Spec, days: Sequence[date] = (DAY,)) -> dict[date, Profile]:
    """Return the profiles that the ledger has of days."""
    return ctx.ledger.profiles(spec.model, ensure_profile_schema(ctx, spec).id, min(days), max(days))
