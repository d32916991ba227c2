from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from catalogue import causes
from ledger.records.measurements import Verdict
from models.errors import WatchkeeperError
from models.spec import Spec
from simulator.bank import build_bank
from tests.watchkeeper.conftest import MODEL
from tests.watchkeeper.ingest.streams import DAY, cut, rows_of, streamed, write
from watchkeeper.context import Context
from watchkeeper.ingest.ingest import ingest_batches
from watchkeeper.pipeline import watch
from watchkeeper.pipeline.take_in import ensure_profile_schema
from watchkeeper.settings import Settings

NEXT = date(2026, 1, 21)


@pytest.fixture
def settings(settings: Settings, broken_bank: Callable[..., Path]) -> Settings:
    """Return settings whose warehouse lacks the day that is streamed, on a clock in the evening of that day."""
    return replace(settings, warehouse=str(broken_bank(without=DAY)), now=f"{DAY}T20:00:00")


def take(ctx: Context, spec: Spec, file: Path) -> None:
    ingest_batches(ctx, spec, str(file), io.BytesIO(), str, batch_id=None, follow=False)


def drift(ctx: Context) -> list[object]:
    return list(ctx.ledger.measurements(MODEL, as_of=DAY, monitors=("drift", "score")))


def test_a_streamed_day_is_measured_as_its_partition_would_be(
    settings: Settings, ctx: Context, spec: Spec, bank: Path, tmp_path: Path
) -> None:
    scanned = watch.open_context(replace(settings, warehouse=str(bank), ledger=f"sqlite:///{tmp_path}/scanned.db"))
    watch.watch_day(scanned, spec, DAY)
    for i, part in enumerate(cut(rows_of(bank), 3)):
        take(ctx, spec, write(part, tmp_path / f"{i}.arrow"))
    run = watch.watch_day(ctx, spec, DAY)
    assert (run.rows, run.source_version) == (len(rows_of(bank)), "batches: 3")
    assert drift(ctx) == drift(scanned) != []
    assert [i for i in ctx.ledger.incidents(MODEL) if i.data_fault] == []
    assert streamed(ctx, spec)[DAY].rows == run.rows


def test_a_day_that_is_not_over_is_not_incomplete_and_is_watched_again_with_every_batch(
    settings: Settings, ctx: Context, spec: Spec, bank: Path, tmp_path: Path
) -> None:
    first, second = cut(rows_of(bank, most=600), 2)
    take(ctx, spec, write(first, tmp_path / "1.arrow"))
    watch.watch_day(ctx, spec, DAY)
    (rows,) = ctx.ledger.measurements(MODEL, as_of=DAY, metric="row_count")
    assert (rows.verdict, rows.n, rows.reason.endswith("but the day isn't over")) == (Verdict.INSUFFICIENT, 300, True)
    assert watch.stale_days(ctx, spec, NEXT) == []
    take(ctx, spec, write(second, tmp_path / "2.arrow"))
    assert watch.stale_days(ctx, spec, NEXT) == [DAY]
    later = watch.open_context(replace(settings, now=f"{NEXT}T05:00:00"))
    assert watch.watch_day(later, spec, DAY).rows == 600
    assert [i.cause for i in later.ledger.incidents(MODEL)] == [causes.INCOMPLETE_PARTITION]


def test_a_partition_that_comes_replaces_what_was_streamed_and_later_batches_are_refused(
    settings: Settings, ctx: Context, spec: Spec, bank: Path, tmp_path: Path
) -> None:
    first, second = cut(rows_of(bank, most=600), 2)
    taken = write(first, tmp_path / "1.arrow")
    take(ctx, spec, taken)
    watch.watch_day(ctx, spec, DAY)
    build_bank(Path(settings.warehouse), [MODEL], DAY, DAY, 7, [])
    file = write(second, tmp_path / "2.arrow")
    with pytest.raises(WatchkeeperError, match=f"300 rows of {DAY} are not counted: the day's partition was there"):
        take(ctx, spec, file)
    assert watch.stale_days(ctx, spec, NEXT) == [DAY]
    run = watch.watch_day(ctx, spec, DAY)
    whole = watch.open_context(settings).warehouse.profile(spec, ensure_profile_schema(ctx, spec), DAY, DAY)
    assert (run.rows, streamed(ctx, spec)) == (whole[DAY].rows, whole)
    with pytest.raises(WatchkeeperError, match="are not counted"):
        take(ctx, spec, file)
    take(ctx, spec, taken)  # counted before: no error
    assert streamed(ctx, spec) == whole


def test_a_partition_that_comes_replaces_what_was_streamed_also_when_a_later_day_is_watched(
    settings: Settings, ctx: Context, spec: Spec, bank: Path, tmp_path: Path
) -> None:
    take(ctx, spec, write(rows_of(bank, most=600), tmp_path / "1.arrow"))
    build_bank(Path(settings.warehouse), [MODEL], DAY, DAY, 7, [])
    watch.watch_day(ctx, spec, NEXT)
    assert streamed(ctx, spec) == watch.open_context(settings).warehouse.profile(
        spec, ensure_profile_schema(ctx, spec), DAY, DAY
    )
