from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger import retention
from ledger.batches import BatchOutcome
from ledger.records.runs import StreamedDay
from ledger.snapshot import snapshot_ledger
from ledger.store import Ledger
from profiles.profile import sum_profiles
from tests.ledger.made import DAY, MODEL, days, profile
from tests.ledger.test_retention import sliced
from tests.ledger.test_transactions import begin, process

FIRST, SECOND = days(2)
COUNTED, KNOWN, REFUSED = BatchOutcome.COUNTED, BatchOutcome.KNOWN, BatchOutcome.REFUSED


def test_a_batch_is_added_to_the_profile_of_each_of_its_days(ledger: Ledger) -> None:
    assert ledger.add_batch(MODEL, "b1", {FIRST: profile(50), SECOND: profile(60)}) == {
        FIRST: COUNTED,
        SECOND: COUNTED,
    }
    assert ledger.add_batch(MODEL, "b2", {SECOND: profile(70)}) == {SECOND: COUNTED}
    assert ledger.profiles(MODEL, "f1", FIRST, SECOND) == {FIRST: profile(50), SECOND: profile(60) + profile(70)}
    assert ledger.row_counts(MODEL, "f1", FIRST, SECOND) == {FIRST: 50, SECOND: 130}
    assert ledger.batch_days(MODEL, "f1", "b1") == [FIRST, SECOND]
    assert ledger.streamed_days(MODEL, "f1", FIRST, SECOND) == {
        FIRST: StreamedDay(50, "batches: 1"), SECOND: StreamedDay(130, "batches: 2")
    }  # fmt: skip


def test_a_batch_sent_again_changes_nothing_whatever_is_in_it(ledger: Ledger) -> None:
    ledger.add_batch(MODEL, "b1", {DAY: profile(50)})
    before = snapshot_ledger(ledger)
    assert ledger.add_batch(MODEL, "b1", {DAY: profile(70)}) == {DAY: KNOWN}
    assert snapshot_ledger(ledger) == before


def test_models_and_frames_have_batches_of_their_own(ledger: Ledger) -> None:
    ledger.add_batch(MODEL, "b1", {DAY: profile(50)})
    assert ledger.add_batch("app_scams", "b1", {DAY: profile(50)}) == {DAY: COUNTED}
    assert ledger.add_batch(MODEL, "b1", {DAY: profile(50, "f2")}) == {DAY: COUNTED}
    assert ledger.profiles(MODEL, "f1", DAY, DAY) == {DAY: profile(50)}


def test_a_scan_replaces_what_was_streamed_and_the_day_takes_no_more(ledger: Ledger) -> None:
    ledger.add_batch(MODEL, "b1", {DAY: profile(50)})
    ledger.save_profiles(MODEL, {DAY: profile(100)})
    assert ledger.streamed_days(MODEL, "f1", DAY, DAY) == {}
    assert ledger.add_batch(MODEL, "b2", {DAY: profile(60)}) == {DAY: REFUSED}
    assert ledger.add_batch(MODEL, "b1", {DAY: profile(50)}) == {DAY: KNOWN}
    assert ledger.profiles(MODEL, "f1", DAY, DAY) == {DAY: profile(100)}
    ledger.forget_profile(MODEL, "f1", DAY)
    assert ledger.add_batch(MODEL, "b2", {DAY: profile(60)}) == {DAY: REFUSED}


def test_a_day_that_was_scanned_first_takes_no_batch_but_the_others_of_the_batch_do(ledger: Ledger) -> None:
    ledger.save_profiles(MODEL, {FIRST: profile(100)})
    assert ledger.add_batch(MODEL, "b1", {FIRST: profile(50), SECOND: profile(60)}) == {
        FIRST: REFUSED,
        SECOND: COUNTED,
    }
    assert ledger.profiles(MODEL, "f1", FIRST, SECOND) == {FIRST: profile(100), SECOND: profile(60)}


def test_a_day_that_retention_took_something_from_takes_no_batch(ledger: Ledger) -> None:
    for batch in ("b1", "b2"):
        ledger.add_batch(MODEL, batch, {FIRST: sliced(50), SECOND: sliced(60)})
    retention.drop_slice_counts(ledger.database, MODEL, SECOND, days(3)[2], [], dry_run=False)
    retention.drop_profiles(ledger.database, MODEL, SECOND, [], dry_run=False)
    before = snapshot_ledger(ledger)
    assert ledger.add_batch(MODEL, "b3", {FIRST: sliced(50), SECOND: sliced(60)}) == {FIRST: REFUSED, SECOND: REFUSED}
    assert ledger.add_batch(MODEL, "b1", {FIRST: sliced(50)}) == {FIRST: KNOWN}
    assert snapshot_ledger(ledger) == before
    assert list(ledger.streamed_days(MODEL, "f1", FIRST, SECOND)) == [SECOND]


@given(sent=st.lists(st.integers(0, 5), max_size=20))
@settings(max_examples=30, deadline=None)
def test_any_order_and_any_repeats_count_each_batch_once(
    tmp_path_factory: pytest.TempPathFactory, sent: list[int]
) -> None:
    ledger = Ledger.open(f"sqlite:///{tmp_path_factory.mktemp('ledger')}/ledger.db")
    for i in sent:
        ledger.add_batch(MODEL, f"b{i}", {DAY: profile(50 + i)})
    wanted = {DAY: sum_profiles([profile(50 + i) for i in set(sent)], "f1")} if sent else {}
    assert ledger.profiles(MODEL, "f1", DAY, DAY) == wanted
    ledger.close()


def test_two_processes_that_take_the_same_batches_at_once_count_each_once(url: str) -> None:
    with process("takes", url, MODEL) as one, process("takes", url, MODEL) as other:
        begin(one, other)
        assert [worker.communicate()[1] for worker in (one, other)] == ["", ""]
    ledger = Ledger.open(url)
    whole = sum_profiles([profile(50 + i) for i in range(30)], "f1")
    assert ledger.profiles(MODEL, "f1", FIRST, SECOND) == dict.fromkeys((FIRST, SECOND), whole)
    ledger.close()


def test_a_batch_whose_taker_is_killed_before_it_is_kept_counts_when_it_is_sent_again(url: str) -> None:
    ledger = Ledger.open(url)
    ledger.add_batch(MODEL, "b0", {DAY: profile(50)})
    before = snapshot_ledger(ledger)
    with process("takes_and_dies", url, MODEL) as worker:
        begin(worker)
        assert worker.stdout is not None
        assert worker.stdout.readline() == "in the midst\n"
        worker.kill()
    assert snapshot_ledger(ledger) == before
    assert ledger.add_batch(MODEL, "b1", {DAY: profile(60)}) == {DAY: COUNTED}
    assert ledger.profiles(MODEL, "f1", DAY, DAY) == {DAY: profile(50) + profile(60)}
    ledger.close()
