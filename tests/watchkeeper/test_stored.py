from __future__ import annotations

import sys
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

import monitors.drift
from tests.warehouse import made
from tests.warehouse.made import DAY
from tests.watchkeeper.counted import Counted
from warehouse.profile import total
from watchkeeper import watch
from watchkeeper.settings import Settings
from watchkeeper.stored import baseline_profiles, calibration, frame_of, scan_missing

LAST = DAY + timedelta(days=96)
START = LAST - timedelta(days=89)


def test_ninety_stored_days_are_one_select_and_ask_the_bank_nothing(
    tmp_path: Path, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = {DAY + timedelta(days=i): made.payments(80, seed=i) for i in range(97)}
    for day, own in rows.items():
        made.write(tmp_path, own, day)
    spec = made.spec()
    ctx = watch.context(replace(settings, warehouse=str(tmp_path)))
    frame = frame_of(ctx, spec)
    scan_missing(ctx, spec, frame, DAY, LAST)
    learned = calibration(ctx, spec, frame, baseline_profiles(ctx, spec, frame))
    counted, statements = Counted(ctx.warehouse), list[str]()
    ctx = replace(ctx, warehouse=counted, seen={}, sums={})  # type: ignore[arg-type]  # it passes everything on
    sa.event.listen(ctx.ledger.engine, "before_cursor_execute", lambda *given: statements.append(given[2]))

    began = time.perf_counter()
    window = total(ctx.ledger.profiles(spec.model, frame.id, START, LAST).values(), frame.id)
    found = monitors.drift.measure(spec, frame, LAST, window, learned)
    took = time.perf_counter() - began

    with capsys.disabled():
        sys.stdout.write(f" {took:.3f} s for 90 days ")
    assert [statement.split()[0] for statement in statements] == ["SELECT"]
    assert counted.calls == []
    assert found
    assert window.rows == 90 * 80
    by_hand = total((made.profile_of(frame, spec, own) for day, own in rows.items() if day >= START), frame.id)
    assert window == by_hand
    counted.days(spec, START, LAST)
    assert [name for name, _ in counted.calls] == ["days"]  # so it does count
