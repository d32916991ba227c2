"""Waits for a partition without holding a worker: the triggerer looks every minute, until the deadline."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from airflow.sdk import BaseOperator, Context
from airflow.triggers.base import BaseTrigger, TriggerEvent

from dags.day import day_of


def arrived(model: str, day: date) -> bool:
    """Return whether the model's partition of a day is in the warehouse."""
    import warehouse  # noqa: PLC0415  not while a DAG file is parsed
    from models.load import load  # noqa: PLC0415
    from watchkeeper.settings import read  # noqa: PLC0415

    settings = read()
    spec = load(settings.models / f"{model}.yaml")
    return warehouse.open(settings.warehouse).partition(spec, day) is not None


class PartitionTrigger(BaseTrigger):
    """Fires when the partition is there or its deadline (ISO time, UTC) has passed, whichever comes first."""

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
            there = await asyncio.to_thread(arrived, self.model, date.fromisoformat(self.day))
            if there or datetime.now(UTC) >= deadline:
                yield TriggerEvent(there)
                return
            await asyncio.sleep(self.poll_seconds)


class PartitionWait(BaseOperator):
    """Waits for the model's partition; a deadline that passes is not an error but a finding of the next task."""

    def __init__(self, *, model: str, arrives_by: str | None, timezone: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.model, self.arrives_by, self.timezone = model, arrives_by, timezone

    def execute(self, context: Context) -> bool:
        """Return at once when the partition is there or there is nothing to wait for; else leave it to the trigger."""
        day = day_of(context, self.timezone)
        deadline = self.deadline(day)
        there = arrived(self.model, day)
        if there or deadline is None or datetime.now(UTC) >= deadline:
            return there
        self.defer(trigger=PartitionTrigger(self.model, day.isoformat(), deadline.isoformat()), method_name="answered")
        return False

    def deadline(self, day: date) -> datetime | None:
        """Return the time, on the next day, until which to wait; None when the model file names none."""
        if self.arrives_by is None:
            return None
        return datetime.combine(day + timedelta(days=1), time.fromisoformat(self.arrives_by), ZoneInfo(self.timezone))

    def answered(self, context: Context, event: bool) -> bool:  # noqa: FBT001  Airflow's signature
        """Return whether the partition came."""
        return event
