"""What Airflow calls when a watch DAG's run isn't done in time; its deadline alert names this function."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import SimpleNamespace
from typing import Any

from dags.day import day_of_run


def notify_not_watched(model: str, timezone: str, context: Mapping[str, Any]) -> str:
    """Notify that a day wasn't watched in time, but for a backfill. ``context`` is JSON, as the scheduler sends it."""
    from dags import steps  # noqa: PLC0415  the heavy imports belong to the task

    sent = context["dag_run"]
    if sent.get("run_type") == "backfill":
        return "a backfill notifies nobody"
    start = sent.get("data_interval_start")
    begun = datetime.fromisoformat(str(start).replace("Z", "+00:00")) if start else None
    run = SimpleNamespace(conf=sent.get("conf"), data_interval_start=begun)
    return steps.notify_late_day(model, day_of_run({"dag_run": run}, timezone))
