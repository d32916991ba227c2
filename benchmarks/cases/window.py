"""Drift of a rolling window of ninety days against its baseline, from profiles in the ledger alone."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

from benchmarks import kept
from benchmarks.counting import CountingWarehouse
from benchmarks.data import Table, day_of
from benchmarks.model import spec
from ledger.records.measurements import Measurement
from ledger.store import Ledger
from monitors.drift.daily_drift import measure_drift
from profiles.profile import sum_profiles
from warehouse.duckdb.warehouse import ParquetWarehouse
from watchkeeper.pipeline.day_cache import DayCache
from watchkeeper.pipeline.load_day import load_baseline, load_stored_days

WINDOW_DAYS = 90
BASELINE_DAYS = 7


class Found(NamedTuple):
    """What the window came to, over how many rows, and how often the bank's rows were read for it."""

    figures: list[Measurement]
    rows: int
    scans: int


def prepare(*, root: str, rows: int, days: int, columns: int) -> Callable[[], Found]:
    """Return the reading, adding and judging of the window.

    The ledger is filled before: a week of baseline and ninety days, each with the counts of a scanned day (there
    are ``days`` of them, which come round again). It is opened anew, so that nothing is left in memory.
    """
    table = Table(rows, days, columns)
    bank = CountingWarehouse(ParquetWarehouse(Path(root)))
    address = f"sqlite:///{tempfile.mkdtemp(dir=root)}/ledger.db"
    model = spec(table, baseline_days=BASELINE_DAYS)
    frame = kept.frame(Path(root), spec(table))
    scanned = list(bank.profile(model, frame, day_of(0), day_of(min(days, 4) - 1)).values())
    ledger = Ledger.open(address)
    ledger.save_profile_schema(model.model, frame)
    span = range(BASELINE_DAYS + WINDOW_DAYS)
    ledger.save_profiles(model.model, {day_of(i): scanned[i % len(scanned)] for i in span})
    ledger.close()
    bank.asked.clear()
    last = day_of(BASELINE_DAYS + WINDOW_DAYS - 1)

    def work() -> Found:
        ledger, cache = Ledger.open(address), DayCache()
        stored = load_stored_days(ledger, model, frame)
        learned = cache.calibration(model, frame, load_baseline(ledger, cache, model, stored, last))
        days = cache.profiles(ledger, [last - timedelta(days=i) for i in range(WINDOW_DAYS)])
        window = sum_profiles(days.values(), frame.id)
        found = measure_drift(model, frame, last, window, learned)
        ledger.close()
        return Found(found, window.rows, bank.scans)

    return work


def answer(found: Found) -> dict[str, int]:
    """Return the figures, the rows behind them, and the scans of the bank's data."""
    return {"figures": len(found.figures), "rows": found.rows, "scans": found.scans}
