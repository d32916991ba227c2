from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest
import sqlalchemy as sa

from ledger.records.measurements import Measurement
from ledger.snapshot import snapshot_ledger
from ledger.store import Ledger
from models.errors import WatchkeeperError
from tests.ledger.made import DAY, MODEL, SPEC, days, frame, incident, measurement, message, run

ROOT = Path(__file__).parents[2]


def process(what: str, url: str, model: str) -> subprocess.Popen[str]:
    """Start a worker and wait until it is ready to begin."""
    pipe = subprocess.PIPE
    command = [sys.executable, "-m", "tests.ledger.worker", what, url, model]
    started = subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, stderr=pipe, text=True)
    assert started.stdout is not None
    assert started.stdout.readline() == "ready\n"
    return started


def begin(*workers: subprocess.Popen[str]) -> None:
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("go\n")
        worker.stdin.flush()


def test_all_that_a_transaction_saves_is_kept_together(ledger: Ledger) -> None:
    with ledger.transaction():
        ledger.save_run(run())
        with ledger.transaction():
            ledger.enqueue(message())
        assert ledger.run(MODEL, DAY) == run()
        assert ledger.unsent(message().channel) == [message()]
    assert ledger.run(MODEL, DAY) == run()
    assert ledger.messages() == [message()]


def test_an_error_in_a_transaction_leaves_the_old_results(ledger: Ledger) -> None:
    ledger.save_measurements(MODEL, DAY, ("drift",), [measurement(), measurement(metric="ks")])
    ledger.save_incidents(MODEL, DAY, [incident()])
    before = snapshot_ledger(ledger)
    with pytest.raises(ZeroDivisionError):
        _conclude_and_fail(ledger)
    assert snapshot_ledger(ledger) == before
    ledger.save_run(run())
    assert ledger.run(MODEL, DAY) == run()


def _conclude_and_fail(ledger: Ledger) -> None:
    with ledger.transaction():
        ledger.save_measurements(MODEL, DAY, ("drift",), [measurement(value=0.99)])
        ledger.save_incidents(MODEL, DAY, [])
        ledger.save_run(run())
        ledger.save_profile_schema(MODEL, frame())
        ledger.enqueue(message())
        raise ZeroDivisionError


def test_a_save_of_two_figures_under_one_key_fails_whole(ledger: Ledger) -> None:
    ledger.save_measurements(MODEL, DAY, ("drift",), [measurement()])
    with pytest.raises(sa.exc.IntegrityError):
        ledger.save_measurements(MODEL, DAY, ("drift",), [measurement(value=1.0), measurement(value=2.0)])
    assert ledger.measurements() == [measurement()]


def test_a_writer_killed_in_the_midst_leaves_the_old_results_and_no_lock(url: str) -> None:
    ledger = Ledger.open(url)
    ledger.save_measurements(MODEL, DAY, ("drift",), [measurement()])
    before = snapshot_ledger(ledger)
    with process("dies", url, MODEL) as worker:
        begin(worker)
        assert worker.stdout is not None
        assert worker.stdout.readline() == "in the midst\n"
        assert snapshot_ledger(ledger) == before  # readers neither wait for a writer nor see its half
        worker.kill()
    ledger.save_run(run())
    assert snapshot_ledger(ledger) == {**before, "runs": snapshot_ledger(ledger)["runs"]}
    ledger.close()


def test_two_processes_write_different_models_at_once(url: str) -> None:
    models = (MODEL, "app_scams")
    with process("writes", url, models[0]) as one, process("writes", url, models[1]) as other:
        begin(one, other)
        assert [worker.communicate()[1] for worker in (one, other)] == ["", ""]
    ledger = Ledger.open(url)
    for model in models:
        assert [(r.day, r.rows) for r in ledger.runs(model)] == list(zip(days(40), range(40), strict=True))
        assert len(ledger.measurements(model)) == 40 * 50
    ledger.close()


def test_processes_that_open_a_new_ledger_at_once_all_can_and_log_nothing(url: str) -> None:
    with process("opens", url, "a") as a, process("opens", url, "b") as b, process("opens", url, "c") as c:
        begin(a, b, c)
        assert [worker.communicate()[1] for worker in (a, b, c)] == ["", "", ""]
    ledger = Ledger.open(url)
    assert [r.model for r in ledger.runs()] == ["a", "b", "c"]
    ledger.close()


def test_threads_have_transactions_of_their_own(ledger: Ledger) -> None:
    """A page that is built beside a watch must not read its unfinished day."""
    seen: list[object] = []
    with ledger.transaction():
        ledger.save_run(run())
        reader = threading.Thread(target=lambda: seen.append(ledger.runs()))
        reader.start()
        reader.join(20)
    assert seen == [[]]


def _watch(ledger: Ledger, measurements: list[Measurement]) -> None:
    with ledger.transaction():
        ledger.save_run(run(day=days(2)[1]))
        ledger.save_measurements(MODEL, DAY, ("drift",), measurements)


def test_a_full_disk_is_one_sentence_and_loses_nothing(sqlite: Ledger) -> None:
    sqlite.save_run(run())
    before = snapshot_ledger(sqlite)
    sqlite.close()
    # The real error of a full disk, from the database's own limit on its size.
    sa.event.listen(sqlite.engine, "connect", lambda connection, _: connection.execute("PRAGMA max_page_count=1"))
    many = [measurement(feature=f"f{i}", reason="x" * 500) for i in range(2000)]
    with pytest.raises(WatchkeeperError) as caught:
        _watch(sqlite, many)
    sentence = "the ledger can't be written; nothing of this step was kept (database or disk is full)"
    assert str(caught.value) == sentence
    assert snapshot_ledger(sqlite) == before


def test_a_lost_table_is_one_sentence_where_it_is_read(ledger: Ledger) -> None:
    with ledger.engine.connect() as connection:
        connection.exec_driver_sql("DROP TABLE baselines")
        connection.commit()
    with pytest.raises(WatchkeeperError, match=r"^the ledger can't be read \(.*baselines.*\)$"):
        ledger.baseline(SPEC)
