"""A day's page: everything that its watch measured, breaches first.

How the model did on the day's payments is on the model's page instead: it changes with every label that arrives.
"""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Any

from ledger.records import Measurement
from reports import today, words
from reports.reading import URGENT, Reading, concerns, rows

ROWS = 600
"""Most figures that a page shows in full, breaches first; the rest is counted, and in the JSON beside it."""
QUIET = 150
"""Most quiet figures among them: a year of days of many models must stay quick to build and small to keep."""


def page(reading: Reading, day: date) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what the template of a day's page is filled with, and the same for machines."""
    found = reading.judged(day)
    days = list(reading.runs)
    at = days.index(day)
    run = reading.runs[day]
    incidents = [incident for incident in reading.incidents if concerns(incident, day)]
    context = {
        "spec": reading.spec,
        "day": day,
        "run": run,
        "before": days[at - 1] if at else None,
        "after": days[at + 1] if at + 1 < len(days) else None,
        "counts": Counter(m.verdict for m in found),
        "total": len(found),
        "sections": sections(found),
        "incidents": incidents,
        "states": today.STATES,
    }
    machine = {
        "model": reading.spec.model, "day": day, "rows": run.rows, "source_version": run.source_version,
        "incidents": [incident.id for incident in incidents], "measurements": rows(found),
    }  # fmt: skip
    return context, machine


def sections(found: list[Measurement]) -> list[dict[str, Any]]:
    """Return the figures by monitor: urgent ones, then the quiet ones for everyone, then quiet slices, up to ROWS."""
    left = ROWS
    result = []
    order = {metric: place for place, metric in enumerate(words.METRICS)}
    found = sorted(found, key=lambda m: (bool(m.slice), m.feature, m.slice, order.get(m.metric, len(order)), m.metric))
    urgent = {monitor: [m for m in found if m.monitor == monitor and m.verdict in URGENT] for monitor in words.MONITORS}
    quiet = {
        monitor: [m for m in found if m.monitor == monitor and m.verdict not in URGENT] for monitor in words.MONITORS
    }
    shown_urgent, left = _share_out(urgent, left)
    left = min(left, QUIET)
    whole = {monitor: [m for m in part if not m.slice or monitor == "fairness"] for monitor, part in quiet.items()}
    shown_whole, left = _share_out(whole, left)
    slices = {monitor: [m for m in part if m.slice and monitor != "fairness"] for monitor, part in quiet.items()}
    shown_slices, left = _share_out(slices, left)
    for monitor, title in words.MONITORS.items():
        every = len(urgent[monitor]) + len(quiet[monitor])
        shown = [*shown_whole[monitor], *shown_slices[monitor]]
        if every:
            result.append(
                {
                    "monitor": monitor,
                    "title": title,
                    "urgent": shown_urgent[monitor],
                    "quiet": shown,
                    "hidden": every - len(shown_urgent[monitor]) - len(shown),
                    "counts": Counter(m.verdict for m in found if m.monitor == monitor),
                }
            )
    return sorted(result, key=lambda section: not section["urgent"])


def _share_out(parts: dict[str, list[Measurement]], left: int) -> tuple[dict[str, list[Measurement]], int]:
    """Return the first figures of each part, as many as are left in all, and how many more may follow."""
    result = {}
    for name, part in parts.items():
        result[name] = part[:left]
        left -= len(result[name])
    return result, left
