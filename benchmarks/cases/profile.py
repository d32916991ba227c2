"""Watchkeeper's scan: histograms, moments, nulls, categories and score cube of a span of days, by slices."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pandas  # noqa: ICN001, F401  DuckDB would import it at its first bound value, within the work
import pyarrow.parquet  # noqa: F401  likewise at the first file

from benchmarks import kept
from benchmarks.data import Table, day_of
from benchmarks.model import spec
from profiles import codec
from profiles.profile import EVERYONE, Profile
from warehouse.duckdb.warehouse import ParquetWarehouse

Profiles = dict[date, Profile]


def prepare(
    *, root: str, rows: int, days: int, columns: int, span: int, slices: int, moments: bool
) -> Callable[[], Profiles]:
    """Return the profiling of the first ``span`` days by a frame that is already fixed."""
    table = Table(rows, days, columns)
    model = spec(table, slices=slices, moments=moments)
    bank = ParquetWarehouse(Path(root))
    frame = kept.frame(Path(root), model)

    return lambda: bank.profile(model, frame, day_of(0), day_of(span - 1))


def answer(found: Profiles) -> dict[str, int]:
    """Return how much was brought back."""
    one = found[day_of(0)]
    return {
        "days": len(found),
        "rows": sum(profile.rows for profile in found.values()),
        "columns": len(one.features[EVERYONE]),
        "groups": len(one.features),
        "moments": len(one.moments),
        "stored_kb_a_day": round(len(codec.profile_to_bytes(one)) / 1000),
    }
