from __future__ import annotations

from pathlib import Path

import pytest

from tests.dags.conftest import Ask

MODEL = """\
model: small
features: {table: small, arrives_by: "06:00"}
baseline: {from: 2026-01-01, to: 2026-01-02}
"""
SETUP = """
import asyncio, os
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
import pyarrow as pa, pyarrow.parquet as pq
from airflow.sdk.exceptions import TaskDeferred
from dags.wait import PartitionTrigger, PartitionWait

tomorrow = datetime.now(UTC).date() + timedelta(days=1)

def deliver(day):
    folder = Path(os.environ["WATCHKEEPER_WAREHOUSE"]) / "small" / f"day={day}"
    folder.mkdir(parents=True)
    pq.write_table(pa.table({"payment_id": [1, 2], "score": [0.1, 0.9]}), folder / "a.parquet")

def wait(day, model="small"):
    operator = PartitionWait(task_id="wait", model=model)
    run = SimpleNamespace(conf={"day": str(day)}, data_interval_start=None)
    try:
        return operator.execute({"dag_run": run})
    except TaskDeferred as deferred:
        return deferred.trigger.serialize()

async def first(trigger):
    async for event in trigger.run():
        return event.payload
"""


@pytest.fixture
def given(tmp_path: Path) -> dict[str, str]:
    """Return the settings of a bank whose one table has no partition yet but one long ago."""
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "small.yaml").write_text(MODEL)
    unhurried = MODEL.replace("model: small", "model: unhurried").replace(', arrives_by: "06:00"', "")
    (tmp_path / "models" / "unhurried.yaml").write_text(unhurried)
    (tmp_path / "bank").mkdir()
    return {
        "WATCHKEEPER_MODELS": str(tmp_path / "models"),
        "WATCHKEEPER_WAREHOUSE": str(tmp_path / "bank"),
        "WATCHKEEPER_LEDGER": f"sqlite:///{tmp_path}/ledger.db",
    }


def test_a_partition_that_is_there_is_not_waited_for(ask: Ask, given: dict[str, str]) -> None:
    assert ask(SETUP + "deliver(tomorrow)\nanswer = wait(tomorrow)", **given) is True


def test_a_partition_whose_deadline_has_passed_is_left_to_the_watch(ask: Ask, given: dict[str, str]) -> None:
    code = "deliver(tomorrow)\nanswer = [wait(date(2026, 1, 5)), wait(tomorrow + timedelta(days=9), 'unhurried')]"
    assert ask(SETUP + code, **given) == [False, False]


def test_a_partition_that_is_still_to_come_is_waited_for_by_the_triggerer(ask: Ask, given: dict[str, str]) -> None:
    code = "deliver(tomorrow + timedelta(days=1))\nanswer = [wait(tomorrow), str(tomorrow)]"
    (path, arguments), day = ask(SETUP + code, **given)
    assert path == "dags.wait.PartitionTrigger"
    assert (arguments["model"], arguments["day"]) == ("small", day)
    assert arguments["deadline"].endswith("T06:00:00+00:00")


def test_the_trigger_fires_when_the_partition_comes_or_the_deadline_passes(ask: Ask, given: dict[str, str]) -> None:
    code = """
deliver(tomorrow + timedelta(days=1))
async def both():
    soon = (datetime.now(UTC) + timedelta(seconds=60)).isoformat()
    waiting = asyncio.create_task(first(PartitionTrigger("small", str(tomorrow), soon, poll_seconds=0.1)))
    await asyncio.sleep(0.5)
    still_waiting = not waiting.done()
    deliver(tomorrow)
    past = datetime.now(UTC).isoformat()
    later = str(tomorrow + timedelta(days=7))
    return [still_waiting, await waiting, await first(PartitionTrigger("small", later, past, poll_seconds=0.1))]
answer = asyncio.run(both())
"""
    assert ask(SETUP + code, **given) == [True, True, False]


def test_a_partition_that_is_announced_is_looked_for_at_once(ask: Ask, given: dict[str, str]) -> None:
    code = """
import time
from ledger import inbox
from ledger.store import Ledger
deliver(tomorrow + timedelta(days=1))
PartitionTrigger.announced_seconds = 0.2
soon = (datetime.now(UTC) + timedelta(seconds=300)).isoformat()
trigger = PartitionTrigger("small", str(tomorrow), soon, poll_seconds=120)

def come():
    time.sleep(1)
    deliver(tomorrow)
    database = Ledger.open(os.environ["WATCHKEEPER_LEDGER"]).database
    inbox.record_announcement(database, "small", tomorrow, datetime.now(UTC), "feed")

async def both():
    return (await asyncio.gather(first(trigger), asyncio.to_thread(come)))[0]

began = time.monotonic()
there = asyncio.run(both())
answer = [there, time.monotonic() - began < 60]
"""
    assert ask(SETUP + code, **given) == [True, True]
