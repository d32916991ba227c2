"""The one place that says which day a DAG run watches."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo


def day_of_run(context: Mapping[str, Any], timezone: str = "UTC") -> date:
    """Return the day a run watches: ``day`` in its configuration, else the start of its data interval.

    Raises ValueError where a run has neither, as one started by hand without a date.
    """
    run = context["dag_run"]
    given = (run.conf or {}).get("day")
    if given:
        return date.fromisoformat(given)
    if run.data_interval_start is None:
        raise ValueError('this run has no date: start it with a logical date or with {"day": "YYYY-MM-DD"}')
    start = run.data_interval_start.astimezone(ZoneInfo(timezone))
    day: date = start.date()
    return day
