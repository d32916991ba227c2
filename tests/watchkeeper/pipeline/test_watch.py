from __future__ import annotations

import json
import multiprocessing
import os
import signal
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from catalogue import causes
from ledger.records.incidents import Status
from ledger.records.measurements import Verdict
from ledger.snapshot import snapshot_ledger
from ledger.store import Ledger
from models.spec import Spec
from simulator import incidents as trouble
from simulator.bank import build_bank
from tests.watchkeeper.conftest import LAST, MODEL, days
from watchkeeper.context import Context
from watchkeeper.pipeline import watch
from watchkeeper.settings import Settings

DAY, NEXT = date(2026, 1, 20), date(2026, 1, 21)


def test_a_quiet_day_has_no_breach_and_no_incident(ctx: Context, spec: Spec) -> None:
    watch.watch_day(ctx, spec, DAY)
    found = ctx.ledger.measurements(MODEL, as_of=DAY)
    assert {m.monitor for m in found} >= {
        "arrival",
        "schema",
        "check",
        "drift",
        "score",
        "fault",
        "slow",
        "performance",
        "decay",
        "estimate",
        "selective",
        "fairness",
    }
    assert [m for m in found if m.verdict in (Verdict.BREACH, Verdict.ERRORED)] == []
    assert ctx.ledger.incidents(MODEL) == []


def test_every_figure_that_is_judged_has_a_count_and_an_interval(ctx: Context, spec: Spec) -> None:
    watch.watch_day(ctx, spec, DAY)
    judged = [m for m in ctx.ledger.measurements(MODEL, as_of=DAY) if m.verdict is Verdict.OK and m.limit is not None]
    assert judged
    for m in judged:
        assert m.n > 0, m
        if m.monitor in ("drift", "score", "fault", "slow", "decay", "fairness"):
            assert m.low is not None, m
            assert m.high is not None, m
            assert m.low <= m.high, m


def test_watching_a_day_again_changes_nothing(settings: Settings, spec: Spec) -> None:
    first = watch.open_context(settings)
    for day in days(date(2026, 1, 18), DAY):
        watch.watch_day(first, spec, day)
    before = snapshot_ledger(first.ledger)
    again = watch.open_context(settings)
    for day in (DAY, date(2026, 1, 18), date(2026, 1, 19)):
        watch.watch_day(again, spec, day)
    assert snapshot_ledger(again.ledger) == before


def test_a_backfill_concludes_but_tells_nobody_and_asks_for_nothing(
    settings: Settings, spec: Spec, broken_bank: Callable[..., Path]
) -> None:
    ctx = watch.open_context(replace(settings, warehouse=str(broken_bank(without=DAY))), live=False)
    watch.watch_day(ctx, spec, DAY)
    assert [i.cause for i in ctx.ledger.incidents(MODEL)] == [causes.MISSING_PARTITION]
    assert ctx.ledger.messages() == []
    assert ctx.ledger.decisions(MODEL) == []


def test_a_missing_partition_is_one_incident_and_is_resolved_when_the_feed_is_back(
    settings: Settings, spec: Spec, broken_bank: Callable[..., Path]
) -> None:
    ctx = watch.open_context(replace(settings, warehouse=str(broken_bank(without=DAY))))
    watch.watch_day(ctx, spec, DAY)
    (incident,) = ctx.ledger.incidents(MODEL)
    assert (incident.cause, incident.status, incident.data_fault) == (causes.MISSING_PARTITION, Status.FIRING, True)
    watch.watch_day(ctx, spec, date(2026, 1, 21))
    (incident,) = ctx.ledger.incidents(MODEL)
    assert (incident.status, incident.resolved) == (Status.RESOLVED, date(2026, 1, 21))


def test_a_partition_that_comes_after_it_was_watched_is_watched_again_before_the_day_and_told_to_lineage(
    settings: Settings, spec: Spec, tmp_path: Path, broken_bank: Callable[..., Path]
) -> None:
    root = broken_bank(without=DAY)
    ctx = watch.open_context(replace(settings, warehouse=str(root)))
    watch.watch_day(ctx, spec, DAY)
    assert watch.stale_days(ctx, spec, NEXT) == []
    build_bank(root, [MODEL], DAY, DAY, 7, [])
    assert watch.stale_days(ctx, spec, NEXT) == [DAY]
    told = tmp_path / "lineage.jsonl"
    watch.run_day(replace(ctx, settings=replace(ctx.settings, lineage=str(told))), spec, NEXT)
    assert [run.rows > 0 for run in ctx.ledger.runs(MODEL)] == [True, True]
    events = [json.loads(line) for line in told.read_text().splitlines()]
    nominal = [event["run"]["facets"]["nominalTime"]["nominalStartTime"][:10] for event in events]
    assert [event["eventType"] for event in events] == ["START", "COMPLETE", "START", "COMPLETE"]
    assert nominal == [str(DAY), str(DAY), str(NEXT), str(NEXT)]


def test_a_partition_rewritten_while_it_is_watched_is_watched_again(
    settings: Settings, spec: Spec, broken_bank: Callable[..., Path]
) -> None:
    root = broken_bank(without=DAY)
    build_bank(root, [MODEL], DAY, DAY, 7, [])
    ctx = watch.open_context(replace(settings, warehouse=str(root)))

    def rewrite(step: str, _: str) -> None:
        if step == "arrive":
            build_bank(root, [MODEL], DAY, DAY, 7, [trouble.duplicate_rows(MODEL, 0.03, DAY)])

    watch.watch_day(ctx, spec, DAY, rewrite)
    assert watch.stale_days(ctx, spec, date(2026, 1, 21)) == [DAY]


def test_a_null_flood_is_a_column_fault_and_blocks_retraining(
    settings: Settings, spec: Spec, tmp_path: Path, broken_bank: Callable[..., Path]
) -> None:
    root = broken_bank(without=DAY)
    flood = trouble.null_flood(MODEL, "beneficiary_age_days", 0.31, DAY)
    build_bank(root, [MODEL], DAY, DAY, 7, [flood])
    ctx = watch.open_context(replace(settings, warehouse=str(root)))
    watch.watch_day(ctx, spec, DAY)
    (incident,) = ctx.ledger.incidents(MODEL)
    assert (incident.cause, incident.feature) == (causes.COLUMN_FAULT, "beneficiary_age_days")
    (decision,) = ctx.ledger.decisions(MODEL)
    assert decision.verdict == "refused"
    assert any("beneficiary_age_days" in reason for reason in decision.reasons)


def test_yesterday_again_is_one_incident_whatever_else_it_breaks(
    settings: Settings, spec: Spec, broken_bank: Callable[..., Path]
) -> None:
    root = broken_bank(without=DAY)
    build_bank(root, [MODEL], DAY, DAY, 7, [trouble.stale_partition(MODEL, DAY, seed=7)])
    ctx = watch.open_context(replace(settings, warehouse=str(root)))
    watch.watch_day(ctx, spec, DAY)
    (incident,) = ctx.ledger.incidents(MODEL)
    assert (incident.cause, incident.status) == (causes.STALE_PARTITION, Status.FIRING)
    assert "Mon 19 Jan" in incident.confidence


def _killed_at(settings: Settings, spec: Spec, commit: int) -> None:
    """Watch a day in this process, and kill it with SIGKILL just before its nth commit."""
    seen = 0

    def count(_: object) -> None:
        nonlocal seen
        seen += 1
        if seen == commit:
            os.kill(os.getpid(), signal.SIGKILL)

    ctx = watch.open_context(settings)
    event.listen(Engine, "commit", count)
    watch.watch_day(ctx, spec, DAY)
    watch.deliver_and_write_heartbeat(ctx, [spec])


def test_killed_at_any_write_and_run_again_the_ledger_is_the_same(
    settings: Settings, spec: Spec, tmp_path: Path
) -> None:
    whole = watch.open_context(settings)
    watch.watch_day(whole, spec, DAY)
    watch.deliver_and_write_heartbeat(whole, [spec])
    wanted = snapshot_ledger(whole.ledger)
    fork = multiprocessing.get_context("fork")
    killed = 0
    for commit in range(1, 60):
        mine = replace(settings, ledger=f"sqlite:///{tmp_path}/killed-{commit}.db")
        Ledger.open(mine.ledger)
        child = fork.Process(target=_killed_at, args=(mine, spec, commit))
        child.start()
        child.join(120)
        again = watch.open_context(mine)
        watch.watch_day(again, spec, DAY)
        watch.deliver_and_write_heartbeat(again, [spec])
        assert snapshot_ledger(again.ledger) == wanted, f"killed before commit {commit}"
        if child.exitcode == 0:
            break
        assert child.exitcode == -signal.SIGKILL
        killed += 1
    assert killed >= 5, "the run should have written at least once in each step"


def test_a_cohort_as_of_a_day_does_not_change_when_later_labels_come(
    settings: Settings, spec: Spec, bank: Path, tmp_path: Path, broken_bank: Callable[..., Path]
) -> None:
    root = broken_bank()
    for file in (root / MODEL / "labels").rglob("*.parquet"):
        if file.parent.name > f"day={DAY}":
            file.unlink()
    known_then = watch.open_context(replace(settings, warehouse=str(root), ledger=f"sqlite:///{tmp_path}/then.db"))
    known_now = watch.open_context(settings)
    for ctx in (known_then, known_now):
        watch.watch_day(ctx, spec, DAY)
    performance = [
        ctx.ledger.measurements(MODEL, as_of=DAY, monitors=("performance", "decay", "fairness"))
        for ctx in (known_then, known_now)
    ]
    assert performance[0] == performance[1] != []


@pytest.mark.parametrize("column", ["amount_gbp"])
def test_a_day_with_infinite_and_nan_values_is_watched(
    settings: Settings, spec: Spec, broken_bank: Callable[..., Path], column: str
) -> None:
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    root = broken_bank()
    file = root / MODEL / "features" / f"day={DAY}" / "part-0.parquet"
    table = pq.read_table(file, partitioning=None)
    values = table[column].to_numpy().astype(float).copy()
    values[:500], values[500:900] = np.inf, np.nan
    changed = table.set_column(table.schema.get_field_index(column), column, pa.array(values))
    file.unlink()
    pq.write_table(changed, file)
    ctx = watch.open_context(replace(settings, warehouse=str(root)))
    watch.watch_day(ctx, spec, DAY)
    (incident,) = [i for i in ctx.ledger.incidents(MODEL) if i.cause == causes.COLUMN_FAULT]
    assert incident.feature == column


def test_the_last_day_of_the_bank_can_be_watched(ctx: Context, spec: Spec) -> None:
    assert watch.watch_day(ctx, spec, LAST).rows > 10_000
