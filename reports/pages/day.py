"""A day's page: everything that its watch measured, breaches first; once it is old, what asked for something.

How the model did on the day's payments is on the model's page instead: it changes with every label that arrives.
"""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Any

from ledger.measurements import VerdictTally
from ledger.records.incidents import Incident
from ledger.records.measurements import Measurement
from reports import wording
from reports.model_view import URGENT, ModelView, count_verdicts, incident_covers, measurements_as_json
from reports.pages import status

MOST_ROWS = 600
"""Most figures that a page shows in full, breaches first; the rest is counted, and in the JSON beside it."""
MOST_QUIET_ROWS = 150
"""Most quiet figures among them: a year of days of many models must stay quick to build and small to keep."""


def build_day_page(model_view: ModelView, day: date) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what the template of a day's page is filled with, and the same for machines."""
    whole, tally = model_view.whole(day), model_view.tallies.get(day, {})
    found = model_view.judged(day) if whole else model_view.urgent[day]
    ahead = nowcast_at_day_end(model_view, day) if whole else []
    days = list(model_view.runs)
    at = days.index(day)
    run = model_view.runs[day]
    incidents = [incident for incident in model_view.incidents if incident_covers(incident, day)]
    context = {
        "spec": model_view.spec,
        "day": day,
        "run": run,
        "before": days[at - 1] if at else None,
        "after": days[at + 1] if at + 1 < len(days) else None,
        "counts": Counter(count_verdicts(tally)),
        "total": sum(count_verdicts(tally).values()),
        "sections": monitor_sections([*found, *ahead], tally | {"nowcast": dict(Counter(m.verdict for m in ahead))}),
        "whole": whole,
        "incidents": [incident_banner(incident) for incident in incidents],
        "states": status.STATE_TITLES,
    }
    machine = {
        "model": model_view.spec.model, "day": day, "rows": run.rows, "source_version": run.source_version,
        "incidents": [incident.id for incident in incidents], "counts": tally, "complete": whole,
        "measurements": measurements_as_json([*found, *ahead]),
    }  # fmt: skip
    return context, machine


def nowcast_at_day_end(model_view: ModelView, day: date) -> list[Measurement]:
    """Return what the day's payments were expected to come to, at its end; labels have told more since."""
    found = model_view.ledger.measurements(
        model_view.spec.model, day_from=day, day_to=day, as_of=day, monitors=("nowcast",)
    )
    return [m for m in found if not m.slice]


def incident_banner(incident: Incident) -> dict[str, Any]:
    """Return what a day's page tells of an incident; where it differs, the pages of its days are written anew."""
    since, until = wording.format_short_day(incident.opened), wording.format_short_day(incident.last_bad)
    over = f"{since} to {until}" if incident.last_bad != incident.opened else since
    return {
        "page": incident.page,
        "headline": wording.incident_headline(incident),
        "when": f"open, since {since}" if incident.live else f"{incident.status.value}, {over}",
    }


def monitor_sections(found: list[Measurement], tally: VerdictTally) -> list[dict[str, Any]]:
    """Return the figures by monitor: urgent ones, then the quiet ones for everyone, then quiet slices, up to MOST_ROWS.

    ``tally`` counts all that there are, whether found for the page or not.
    """
    left = MOST_ROWS
    result = []
    order = {metric: index for index, metric in enumerate(wording.METRIC_TITLES)}
    found = sorted(found, key=lambda m: (bool(m.slice), m.feature, m.slice, order.get(m.metric, len(order)), m.metric))
    urgent = {
        monitor: [m for m in found if m.monitor == monitor and m.verdict in URGENT]
        for monitor in wording.MONITOR_TITLES
    }
    quiet = {
        monitor: [m for m in found if m.monitor == monitor and m.verdict not in URGENT]
        for monitor in wording.MONITOR_TITLES
    }
    shown_urgent, left = _share_out(urgent, left)
    left = min(left, MOST_QUIET_ROWS)
    whole = {monitor: [m for m in part if not m.slice or monitor == "fairness"] for monitor, part in quiet.items()}
    shown_whole, left = _share_out(whole, left)
    slices = {monitor: [m for m in part if m.slice and monitor != "fairness"] for monitor, part in quiet.items()}
    shown_slices, left = _share_out(slices, left)
    for monitor, title in wording.MONITOR_TITLES.items():
        every = sum(tally.get(monitor, {}).values())
        shown = [*shown_whole[monitor], *shown_slices[monitor]]
        if every:
            result.append(
                {
                    "monitor": monitor,
                    "title": title,
                    "urgent": shown_urgent[monitor],
                    "quiet": shown,
                    "hidden": every - len(shown_urgent[monitor]) - len(shown),
                    "counts": tally[monitor],
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
