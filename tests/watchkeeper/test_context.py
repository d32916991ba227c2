from __future__ import annotations

import sys
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from monitors.drift.daily_drift import measure_drift
from profiles.profile import sum_profiles
from tests.warehouse import made
from tests.warehouse.made import DAY
from tests.watchkeeper.counted import Counted
from watchkeeper.pipeline import watch
from watchkeeper.pipeline.day_cache import DayCache
from watchkeeper.pipeline.load_day import load_baseline, load_stored_days
from watchkeeper.pipeline.take_in import ensure_profile_schema, scan_missing_days
from watchkeeper.settings import Settings

LAST = DAY + timedelta(days=96)
START = LAST - timedelta(days=89)


def test_ninety_stored_days_are_one_select_and_ask_the_bank_nothing(
    tmp_path: Path, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = {DAY + timedelta(days=i): made.payments(80, seed=i) for i in range(97)}
    for day, own in rows.items():
        made.write(tmp_path, own, day)
    spec = made.spec()
    ctx = watch.open_context(replace(settings, warehouse=str(tmp_path)))
    frame, cache = ensure_profile_schema(ctx, spec), DayCache()
    scan_missing_days(ctx, spec, frame, (DAY, LAST), (), cache)
    baseline = load_baseline(ctx.ledger, cache, spec, load_stored_days(ctx.ledger, spec, frame), LAST)
    learned = cache.calibration(spec, frame, baseline)
    counted, statements = Counted(ctx.warehouse), list[str]()
    ctx = replace(ctx, warehouse=counted)  # type: ignore[arg-type]  # it passes everything on
    sa.event.listen(ctx.ledger.engine, "before_cursor_execute", lambda *given: statements.append(given[2]))

    began = time.perf_counter()
    window = sum_profiles(ctx.ledger.profiles(spec.model, frame.id, START, LAST).values(), frame.id)
    found = measure_drift(spec, frame, LAST, window, learned)
    took = time.perf_counter() - began

    with capsys.disabled():
        sys.stdout.write(f" {took:.3f} s for 90 days ")
    assert [statement.split()[0] for statement in statements] == ["SELECT"]
    assert counted.calls == []
    assert found
    assert window.rows == 90 * 80
    by_hand = sum_profiles((made.profile_of(frame, spec, own) for day, own in rows.items() if day >= START), frame.id)
    assert window == by_hand
    counted.days(spec, START, LAST)
    assert [name for name, _ in counted.calls] == ["days"]  # so it does count
