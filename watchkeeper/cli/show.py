"""How answers look in a terminal, and as JSON for machines."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

import catalogue
from alerting.incidents.lifecycle import Handling
from alerting.incidents.silences import Silence
from alerting.incidents.state import UNTOUCHED, IncidentState
from ledger.records.events import Event
from ledger.records.incidents import Incident
from ledger.records.measurements import Measurement, Verdict
from ledger.records.runs import Run
from monitors.coverage import Gap

if TYPE_CHECKING:
    from watchkeeper.whatif.drill import DrilledFault

MEASUREMENT_KEYS = (
    *("model", "day", "as_of", "monitor", "metric", "feature", "slice"),
    *("value", "low", "high", "n", "limit", "verdict", "reason"),
)
INCIDENT_KEYS = (
    *("id", "model", "status", "cause", "feature", "slice", "opened", "resolved"),
    *("amount_gbp_per_day", "data_fault", "summary", "state", "acknowledged_by", "quiet", "handled"),
)
HANDLING_KEYS = ("state", "acknowledged_by", "quiet", "handled")
EVENT_KEYS = ("number", "at", "model", "incident", "actor", "kind", "reason", "payload", "hash")
SILENCE_KEYS = ("id", "matchers", "start", "end", "by", "comment", "ended")
COLOURS = {Verdict.OK: "green", Verdict.BREACH: "red", Verdict.ERRORED: "magenta"}


def to_json(rows: Sequence[dict[str, Any]] | dict[str, Any]) -> str:
    """Return rows as a JSON list, or one answer as an object; dates as ISO text."""
    return json.dumps(rows, indent=1, default=str, allow_nan=False)


def measurement_row(m: Measurement) -> dict[str, Any]:
    """Return a measurement with the keys that the documentation promises."""
    return {key: getattr(m, key) for key in MEASUREMENT_KEYS}


def incident_row(
    incident: Incident, handling: Handling | None = None, incident_state: IncidentState = UNTOUCHED
) -> dict[str, Any]:
    """Return an incident, and what people did with it, with the keys that the documentation promises."""
    row = {key: getattr(incident, key) for key in INCIDENT_KEYS if key not in HANDLING_KEYS}
    acknowledged = handling.acknowledged if handling else None
    row["state"] = handling.state if handling else incident.status
    row["acknowledged_by"] = acknowledged.actor if acknowledged else None
    return row | {"quiet": incident_state.quiet, "handled": list(incident_state.lines)}


def event_row(event: Event) -> dict[str, Any]:
    """Return an event of the log with the keys that the documentation promises."""
    return {key: getattr(event, key) for key in EVENT_KEYS} | {"at": event.at.isoformat()}


def silence_row(silence: Silence) -> dict[str, Any]:
    """Return a silence with the keys that the documentation promises."""
    return {key: getattr(silence, key) for key in SILENCE_KEYS}


def run_row(run: Run, incidents: Sequence[Incident]) -> dict[str, Any]:
    """Return what one watched day came to."""
    firing = [incident.id for incident in incidents if incident.status == "firing"]
    return {"model": run.model, "day": run.day, "rows": run.rows, "live": run.live, "firing": firing}


def measurement_table(measurements: Sequence[Measurement]) -> Table:
    """Return measurements as a table, one line each."""
    table = Table(
        "day", "as of", "monitor", "metric", "feature", "slice", "value", "95 % interval", "n", "verdict", "reason"
    )
    for m in measurements:
        interval = "" if m.low is None or m.high is None else f"{m.low:.4g} to {m.high:.4g}"
        value = "" if m.value is None else f"{m.value:.4g}"
        cells = [
            m.day,
            m.as_of,
            m.monitor,
            catalogue.metric(m.metric).title,
            m.feature,
            m.slice,
            value,
            interval,
            f"{m.n:,}",
            m.verdict,
            m.reason,
        ]
        table.add_row(*(escape(str(cell)) for cell in cells), style=COLOURS.get(m.verdict, "dim"))
    return table


def incident_table(incidents: Sequence[Incident], rows: Sequence[dict[str, Any]]) -> Table:
    """Return incidents as a table that fits a narrow terminal; ``rows`` are their ``incident_row``.

    The id stands whole on a line of its own, to be copied into the next command, above what is wrong and who has it.
    """
    table = Table("incident", "state", "since", "GBP a day", box=box.SIMPLE, pad_edge=False)
    table.columns[0].min_width = max((len(i.id) for i in incidents), default=0)
    for i, row in zip(incidents, rows, strict=True):
        money = "" if i.amount_gbp_per_day is None else f"{i.amount_gbp_per_day:,.0f}"
        fault = " (data fault)" if i.data_fault else ""
        since = f"{i.opened}\nto {i.resolved}" if i.resolved else str(i.opened)
        cells = ["\n".join([i.id, f"{i.summary}{fault}", *row["handled"]]), row["state"], since, money]
        table.add_row(*(escape(str(cell)) for cell in cells), style="red" if row["state"] == "firing" else "")
    return table


def event_table(events: Sequence[Event]) -> Table:
    """Return what happened as a table, one line each, in order."""
    table = Table("at (UTC)", "what", "by", "why")
    for e in events:
        table.add_row(*(escape(str(cell)) for cell in (f"{e.at:%Y-%m-%d %H:%M}", e.kind, e.actor, e.reason)))
    return table


def silence_table(silences: Sequence[Silence]) -> Table:
    """Return silences as a table, one line each."""
    table = Table("silence", "what", "from", "to", "by", "comment", "ended")
    for s in silences:
        what = ", ".join(f"{name}={wanted}" for name, wanted in s.matchers.items())
        cells = (s.id, what, s.start, s.end, s.by, s.comment, "yes" if s.ended else "")
        table.add_row(*(escape(str(cell)) for cell in cells))
    return table


def coverage_table(gaps: Sequence[Gap]) -> Table:
    """Return what isn't watched as a table, one line each."""
    table = Table("model", "kind", "what", "why")
    for gap in gaps:
        table.add_row(*(escape(cell) for cell in (gap.model, gap.kind, gap.what, gap.why)))
    return table


def pruned_table(rows: Sequence[dict[str, Any]]) -> Table:
    """Return what pruning freed as a table, one line for each rule of each model."""
    table = Table("model", "what", "before", "rows", "bytes")
    for row in rows:
        table.add_row(row["model"], row["what"], str(row["before"] or ""), f"{row['rows']:,}", f"{row['bytes']:,}")
    return table


def replay_table(rows: Sequence[Sequence[str]]) -> Table:
    """Return what fired under today's and under changed rules as a table, one line for each incident."""
    table = Table("today's rules", "changed rules", "cause", "where", "summary")
    for row in rows:
        table.add_row(*(escape(cell) for cell in row))
    return table


def drill_table(found: Sequence[DrilledFault]) -> Table:
    """Return what became of each fault as a table, one line for each."""
    table = Table("fault", "column", "noticed", "named as", "column named", "GBP a day", "GBP until noticed")
    for d in found:
        noticed = f"on day {d.after_days}" if d.after_days else f"not in {d.days} days"
        money = ["" if amount is None else f"up to {amount:,.0f}" for amount in (d.gbp_per_day, d.cost_gbp)]
        cells = [d.fault, d.feature, noticed, d.cause or "", ", ".join(d.named), *money]
        table.add_row(
            *(escape(str(cell)) for cell in cells), style="" if d.right else "red" if not d.after_days else "yellow"
        )
    return table


def print_answer(console: Console, rows: Sequence[dict[str, Any]], table: Table, *, machine: bool) -> None:
    """Print rows as JSON for a machine, or as a table for a person."""
    if machine:
        console.file.write(to_json(rows) + "\n")
    elif rows:
        console.print(table)
    else:
        console.print("nothing found")
