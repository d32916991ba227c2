from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ledger.records.retraining import BaselineChange, Decision, RetrainingOutcome
from ledger.records.runs import LabelSnapshot
from ledger.snapshot import HISTORY_TABLES, snapshot_ledger
from ledger.storage import tables
from ledger.store import Ledger
from tests.ledger.made import DAY, MODEL, cohort, days, frame, incident, measurement, message, profile, run

NIGHT = datetime(2026, 3, 3, 3, 0, tzinfo=UTC)


def fill(ledger: Ledger, delivered: datetime, ts: str, failures: int = 0) -> None:
    """Save something in every table; only the delivery differs."""
    ledger.save_profile_schema(MODEL, frame())
    ledger.save_baseline(BaselineChange(MODEL, DAY, DAY, DAY, "promoted"))
    ledger.save_profiles(MODEL, {day: profile() for day in days(3)})
    ledger.add_batch(MODEL, "b1", {days(4)[3]: profile()})
    ledger.save_cohorts(MODEL, "f1", DAY, {day: cohort(2) for day in days(2)})
    ledger.save_label_snapshot(LabelSnapshot(MODEL, "f1", DAY, "r1", "2 events", dict.fromkeys(days(2), "v1")))
    ledger.save_measurements(MODEL, DAY, ("drift",), [measurement(metric=metric) for metric in ("psi", "ks")])
    ledger.save_incidents(MODEL, DAY, [incident()])
    ledger.save_run(run())
    ledger.save_decision(Decision(MODEL, DAY, "refused"))
    ledger.save_retraining_outcome(
        RetrainingOutcome("r", MODEL, DAY, "promoted", (), DAY, DAY, DAY, DAY, "v1", "v2", {"n": 1})
    )
    ledger.enqueue(message())
    for _ in range(failures):
        ledger.record_attempt(message(), sent_at=None, error="timed out")
    ledger.record_attempt(message(), sent_at=delivered, error="")
    ledger.save_thread(incident().id, message().channel, ts)


def test_ledgers_that_differ_in_deliveries_only_have_one_snapshot(ledger: Ledger, tmp_path: Path) -> None:
    other = Ledger.open(f"sqlite:///{tmp_path}/other.db")
    fill(ledger, NIGHT, "1700.1")
    for _ in range(2):
        fill(other, datetime(2026, 3, 4, tzinfo=UTC), "1799.9", failures=2)
    found = snapshot_ledger(ledger)
    assert found == snapshot_ledger(other)
    assert set(found) == set(tables.metadata.tables) - HISTORY_TABLES
    assert all(found.values())
    other.close()


@pytest.mark.parametrize("what", ["measurement", "message", "profile", "thread"])
def test_ledgers_that_differ_in_what_was_concluded_have_not(sqlite: Ledger, what: str) -> None:
    fill(sqlite, NIGHT, "1700.1")
    before = snapshot_ledger(sqlite)
    if what == "measurement":
        sqlite.save_measurements(MODEL, DAY, ("drift",), [replace(measurement(), value=0.32), measurement(metric="ks")])
    elif what == "message":
        sqlite.enqueue(message(kind="updated"))
    elif what == "profile":
        sqlite.save_profiles(MODEL, {DAY: profile(101)})
    else:
        sqlite.save_thread("another", "console", "1")
    assert snapshot_ledger(sqlite) != before
