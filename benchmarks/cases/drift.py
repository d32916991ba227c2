"""Watchkeeper's drift of every column, on its first day and on every later one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas  # noqa: ICN001, F401  DuckDB would import it at its first bound value, within the work
import pyarrow.parquet  # noqa: F401  as pandas below

from benchmarks import kept
from benchmarks.data import Table, day_of
from benchmarks.model import spec
from ledger.records.measurements import Measurement
from monitors.drift.calibration import learn_calibration
from monitors.drift.daily_drift import measure_drift
from profiles.profile import Profile, sum_profiles
from profiles.schema import ProfileSchema
from warehouse.duckdb.warehouse import ParquetWarehouse

Found = list[Measurement]


def prepare(
    *, root: str, rows: int, days: int, columns: int, span: int, slices: int, first: bool
) -> Callable[[], Found]:
    """Return the comparison of ``span`` days with as many before them.

    The first time the frame is fixed and both sides are scanned; later the baseline's profile is read as it was
    stored, and the current side alone is scanned.
    """
    table, place = Table(rows, days, columns), Path(root)
    model = spec(table, slices=slices, baseline_days=span)
    bank = ParquetWarehouse(place)

    def profile(frame: ProfileSchema, from_day: int) -> Profile:
        return sum_profiles(
            bank.profile(model, frame, day_of(from_day), day_of(from_day + span - 1)).values(), frame.id
        )

    def work() -> Found:
        frame = bank.fit_profile_schema(model) if first else kept.frame(place, model)
        baseline = profile(frame, 0) if first else kept.baseline(place, model)
        return measure_drift(
            model, frame, day_of(span), profile(frame, span), learn_calibration(model, frame, {day_of(0): baseline})
        )

    return work


def answer(found: Found) -> dict[str, int]:
    """Return how many columns were compared, and by how many figures, slices included."""
    return {"columns": len({m.feature for m in found}), "figures": len(found)}
