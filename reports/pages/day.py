"""A day's page: everything that its watch measured, breaches first; once it is old, what asked for something.

How the model did on the day's payments is on the model's page instead: it changes with every label that arrives.
"""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Any

import catalogue
from catalogue.metrics.fairness import FAIRNESS_MONITOR
from catalogue.metrics.performance_monitors import NOWCAST_MONITOR
from ledger.measurements import VerdictTally
from ledger.records.incidents import Incident
from ledger.records.measurements import Measurement
from reports.export.json_parts import COUNT, COUNTS, DAY, TEXT, TEXTS, YES_OR_NO, records
from reports.pages.page import PageContent
from reports.views.measurements import URGENT, measurements_as_json
from reports.views.model_view import ModelView
from reports.views.strip import count_verdicts, incident_covers
from reports.wording import formatting, naming
from reports.wording.states import STATE_TITLES

MOST_ROWS = 600
"""Most figures that a page shows in full, breaches first; the rest is counted, and in the JSON beside it."""
MOST_QUIET_ROWS = 150
"""Most quiet figures among them: a year of days of many models must stay quick to build and small to keep."""
JSON = {
    "model": TEXT, "day": DAY, "rows": COUNT, "source_version": TEXT, "incidents": TEXTS,
    "counts": {"type": "object", "additionalProperties": COUNTS}, "complete": YES_OR_NO,
    "measurements": records("Measurement"),
}  # fmt: skip


def build_day_page(model_view: ModelView, day: date) -> PageContent:
    """Return the content of the page of a watched day."""
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
        "sections": monitor_sections(
            [*found, *ahead], tally | {NOWCAST_MONITOR: dict(Counter(m.verdict for m in ahead))}
        ),
        "whole": whole,
        "incidents": [incident_banner(incident) for incident in incidents],
        "states": STATE_TITLES,
    }
    machine = {
        "model": model_view.spec.model, "day": day, "rows": run.rows, "source_version": run.source_version,
        "incidents": [incident.id for incident in incidents], "counts": tally, "complete": whole,
        "measurements": measurements_as_json([*found, *ahead]),
    }  # fmt: skip
    return context, machine


def nowcast_at_day_end(model_view: ModelView, day: date) -> list[Measurement]:
    """Return what the day's payments were expected to come to, at its end; labels have shown more since."""
    found = model_view.ledger.measurements(
        model_view.spec.model, day_from=day, day_to=day, as_of=day, monitors=(NOWCAST_MONITOR,)
    )
    return [m for m in found if not m.slice]


def incident_banner(incident: Incident) -> dict[str, Any]:
    """Return what a day's page says of an incident; where it differs, the pages of its days are written anew."""
    since, until = formatting.format_short_day(incident.opened), formatting.format_short_day(incident.last_bad)
    over = f"{since} to {until}" if incident.last_bad != incident.opened else since
    return {
        "page": incident.page,
        "headline": naming.incident_headline(incident),
        "when": f"open, since {since}" if incident.live else f"{incident.status.value}, {over}",
    }


def monitor_sections(found: list[Measurement], tally: VerdictTally) -> list[dict[str, Any]]:
    """Return the figures by monitor: urgent ones, then the quiet ones for everyone, then quiet slices, up to MOST_ROWS.

    ``tally`` counts all that there are, whether found for the page or not.
    """
    order = {metric: index for index, metric in enumerate(catalogue.METRICS)}
    found = sorted(found, key=lambda m: (bool(m.slice), m.feature, m.slice, order.get(m.metric, len(order)), m.metric))
    urgent, whole, slices = (_by_monitor(found, tally, kind) for kind in ("urgent", "whole", "slices"))
    shown_urgent, left = _share_out(urgent, MOST_ROWS)
    shown_whole, left = _share_out(whole, min(left, MOST_QUIET_ROWS))
    shown_slices, left = _share_out(slices, left)
    sections = [
        {
            "monitor": monitor,
            "title": naming.monitor_title(monitor),
            "urgent": shown_urgent[monitor],
            "quiet": [*shown_whole[monitor], *shown_slices[monitor]],
            "hidden": sum(counts.values())
            - sum(len(shown[monitor]) for shown in (shown_urgent, shown_whole, shown_slices)),
            "counts": counts,
        }
        for monitor in urgent
        if sum((counts := tally[monitor]).values())
    ]
    return sorted(sections, key=lambda section: not section["urgent"])


def _by_monitor(found: list[Measurement], tally: VerdictTally, kind: str) -> dict[str, list[Measurement]]:
    """Return a kind of figures by monitor, in the order of monitors: urgent, quiet of the whole, quiet of slices."""
    on_page = [monitor.key for monitor in catalogue.monitors_in_order() if monitor.on_day_page]
    ordered = [key for key in on_page if key in tally] + sorted(key for key in tally if key not in catalogue.MONITORS)
    parts: dict[str, list[Measurement]] = {monitor: [] for monitor in ordered}
    for m in found:
        if m.monitor in parts and _kind_of(m) == kind:
            parts[m.monitor].append(m)
    return parts


def _kind_of(m: Measurement) -> str:
    if m.verdict in URGENT:
        return "urgent"
    return "slices" if m.slice and m.monitor != FAIRNESS_MONITOR else "whole"


def _share_out(parts: dict[str, list[Measurement]], left: int) -> tuple[dict[str, list[Measurement]], int]:
    """Return the first figures of each part, as many as are left in all, and how many more may follow."""
    result = {}
    for name, part in parts.items():
        result[name] = part[:left]
        left -= len(result[name])
    return result, left
