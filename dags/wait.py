"""Waits for a partition without holding a worker: the triggerer looks every minute, until the deadline.

Somebody who announces the partition over the API has it looked for at once; it is the warehouse that says it is there.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from typing import Any

from airflow.sdk import BaseOperator, Context
from airflow.triggers.base import BaseTrigger, TriggerEvent

from dags.day import day_of_run
from models.errors import WatchkeeperError
from models.load import load_model_file
from models.spec import Spec
from watchkeeper.settings import read_settings


def partition_has_arrived(model: str, day: date) -> bool:
    """Return whether the model's partition of a day is in the warehouse."""
    import warehouse  # noqa: PLC0415  not while a DAG file is parsed

    return warehouse.open_warehouse(read_settings().warehouse).partition(load_spec(model), day) is not None


def load_spec(model: str) -> Spec:
    """Return what the model's file says now."""
    return load_model_file(read_settings().models_folder() / f"{model}.yaml")


def is_announced(model: str, day: date) -> bool:
    """Return whether somebody said that the partition is ready; a ledger that can't be asked knows of nobody."""
    from ledger import inbox  # noqa: PLC0415  not while a DAG file is parsed
    from ledger.store import Ledger  # noqa: PLC0415

    try:
        ledger = Ledger.open(read_settings().ledger)
    except WatchkeeperError:
        return False
    try:
        return inbox.find_announcement(ledger.database, model, day) is not None
    except WatchkeeperError:
        return False
    finally:
        ledger.close()


class PartitionTrigger(BaseTrigger):
    """Fires when the partition is there or its deadline (ISO time, UTC) has passed, whichever comes first."""

    announced_seconds = 10.0
    """How often the ledger is asked meanwhile; that is cheaper than asking the warehouse."""

    def __init__(self, model: str, day: str, deadline: str, poll_seconds: float = 60) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Airflow's own is untyped
        self.model, self.day, self.deadline, self.poll_seconds = model, day, deadline, poll_seconds

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return what another triggerer needs to take over."""
        given = {"model": self.model, "day": self.day, "deadline": self.deadline, "poll_seconds": self.poll_seconds}
        return "dags.wait.PartitionTrigger", given

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Look, and sleep, until there is an answer."""
        deadline = datetime.fromisoformat(self.deadline)
        while True:
            there = await asyncio.to_thread(partition_has_arrived, self.model, date.fromisoformat(self.day))
            if there or datetime.now(UTC) >= deadline:
                yield TriggerEvent(there)
                return
            await self._pause()

    async def _pause(self) -> None:
        """Sleep until the next look, or until the partition is announced where it wasn't before."""
        until = time.monotonic() + self.poll_seconds
        known = await asyncio.to_thread(is_announced, self.model, date.fromisoformat(self.day))
        while (left := until - time.monotonic()) > 0:
            await asyncio.sleep(left if known else min(left, self.announced_seconds))
            if not known and await asyncio.to_thread(is_announced, self.model, date.fromisoformat(self.day)):
                return


class PartitionWait(BaseOperator):
    """Waits for the model's partition; a deadline that passes is not an error but a finding of the next task."""

    def __init__(self, *, model: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.model = model

    def execute(self, context: Context) -> bool:
        """Return at once when the partition is there or there is nothing to wait for; else leave it to the trigger."""
        from checks.arrival import arrival_deadline  # noqa: PLC0415  not while a DAG file is parsed

        spec = load_spec(self.model)
        day = day_of_run(context, spec.schedule.timezone)
        due = arrival_deadline(spec, day)
        there = partition_has_arrived(self.model, day)
        if there or due is None or datetime.now(UTC) >= due:
            return there
        self.defer(trigger=PartitionTrigger(self.model, day.isoformat(), due.isoformat()), method_name="answered")
        return False

    def answered(self, context: Context, event: bool) -> bool:  # noqa: FBT001  Airflow's signature
        """Return whether the partition came."""
        return event
