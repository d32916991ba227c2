"""An incident's page: what happened, how sure, how much, why, and what to do first."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

from ledger.records import Incident, Measurement, Verdict
from reports import cause_tree, figures, today, words
from reports.reading import Reading, rows
from reports.timeline import STATUS, did, spans, taken_on, timeline
from reports.write import file_name, sentence

PROBABLE, UNKNOWN = "Probable cause: ", "Money at stake is not known: "
"""How two sentences of the evidence begin that the page shows among its facts."""
FEW = 4
"""A figure of fewer days shows nothing that the evidence doesn't say; it is drawn only where there is no better."""
SLICES, SIMILAR = 12, 8
"""Most groups and other incidents that a page names."""
FIGURES = 8
"""Most figures over time that a page draws; the evidence names the others."""


def page(reading: Reading, incident: Incident, *, drilldown: bool) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what the template of an incident's page is filled with, and the same for machines."""
    history = reading.ledger.incident_history(incident.id)
    messages = reading.ledger.messages(incident.id)
    decisions = [d for d in reading.decisions if d.incident == incident.id]
    zone = ZoneInfo(reading.spec.schedule.timezone)
    probable = _told_of(incident, PROBABLE)
    tree = cause_tree.tree(reading, incident, sentence(probable or words.CAUSES[incident.cause]))
    worst, alike = worst_slices(reading, incident), similar(reading, incident)
    log = reading.ledger.events(incident=incident.id)
    context = {
        "spec": reading.spec,
        "incident": incident,
        "cause": words.CAUSES[incident.cause],
        "probable": probable,
        "tree": tree,
        "unknown": _told_of(incident, UNKNOWN),
        "evidence": [text for text in incident.evidence if not text.startswith((PROBABLE, UNKNOWN))],
        "runbook": reading.runbook(incident.cause),
        "status": STATUS[incident.status],
        "money": today.money(incident),
        "lasted": lasted(incident),
        "figures": drawn(reading, incident),
        "taken_on": taken_on(log, zone),
        "take_it_on": f"watchkeeper incident acknowledge {shlex.quote(incident.id)} --by YOU",
        "timeline": timeline(history, messages, decisions, log, zone),
        "feature_page": _feature_page(reading, incident),
        "worst": worst,
        "similar": alike,
        "money_of": today.money,
        "decisions": spans(decisions)[:6],
        "outcomes": reading.outcomes,
        "messages": [(did(message), message) for message in messages],
        "has_page": reading.runs.keys(),
        "drilldown": f"{incident.id}-evidently.html" if drilldown else "",
    }
    machine = {
        "incident": incident, "data_fault": incident.data_fault, "history": history, "decisions": decisions,
        "messages": [{"day": m.day, "kind": m.kind, "channel": m.channel, "text": m.text, "sent_at": m.sent_at}
                     for m in messages],
        "causes": cause_tree.machine(tree), "worst_slices": rows(worst), "similar": [other.id for other in alike],
    }  # fmt: skip
    return context, machine


def _feature_page(reading: Reading, incident: Incident) -> str:
    """Return the page of the column that the incident is about, where it has one."""
    there = incident.feature and incident.feature in reading.features
    return f"../models/{incident.model}/features/{file_name(incident.feature)}.html" if there else ""


def worst_slices(reading: Reading, incident: Incident) -> list[Measurement]:
    """Return what the incident's own figures come to in the groups, the farthest over its limit first.

    They are of the newest bad day, or of the last before it on which groups were measured.
    """
    wanted = {tuple(key.split("/", 3)[:3]) for key in incident.figures}
    monitors = sorted({key[0] for key in wanted} - {"performance"})
    if not monitors:
        return []
    found = [
        m
        for m in reading.ledger.measurements(incident.model, as_of=incident.last_bad, monitors=monitors)
        if m.slice and m.value is not None and (m.monitor, m.metric, m.feature) in wanted
    ]
    return sorted(found, key=lambda m: (m.verdict is not Verdict.BREACH, -_times_limit(m), m.slice))[:SLICES]


def _times_limit(m: Measurement) -> float:
    return abs(m.value or 0.0) / m.limit if m.limit else abs(m.value or 0.0)


def similar(reading: Reading, incident: Incident) -> list[Incident]:
    """Return the model's other incidents of the same cause, those about the same column or group first."""
    others = [other for other in reading.incidents if other.id != incident.id and other.cause is incident.cause]
    same = (incident.feature, incident.slice)
    return sorted(others, key=lambda o: ((o.feature, o.slice) != same, -o.opened.toordinal(), o.id))[:SIMILAR]


def lasted(incident: Incident) -> str:
    """Return how long it has been going on, or went on."""
    bad = words.plural(incident.bad_days, "bad day")
    if incident.resolved:
        return f"{bad}; resolved {words.day(incident.resolved)} after {words.plural(incident.clean_days, 'clean day')}"
    clean = f", then {words.plural(incident.clean_days, 'clean day')}" if incident.clean_days else ""
    return f"{bad}, the last {words.day(incident.last_bad)}{clean}"


def drawn(reading: Reading, incident: Incident) -> list[dict[str, Any]]:
    """Return the figures over time that the incident names, in its order."""
    every = [[m for m in _series(reading, key) if m.value is not None] for key in incident.figures[:FIGURES]]
    telling = [points for points in every if len(points) >= FEW] or [points for points in every if points]
    return [
        {
            "title": words.title(points[0]),
            "figure": figures.over_time(points, since=incident.opened, height=210, link=_days(incident, points[0])),
            "says": says(points, incident),
        }
        for points in telling
    ]


def _days(incident: Incident, m: Measurement) -> str:
    """Return the folder of the days that a figure's marks lead to; a cohort day's figure is on no day's page."""
    return "" if m.monitor == "performance" else f"../models/{incident.model}/days/"


def _series(reading: Reading, key: str) -> list[Measurement]:
    monitor, _, rest = key.partition("/")
    metric = rest.partition("/")[0]
    return [m for m in reading.series(monitor, metric) if m.figure == key]


def says(points: Sequence[Measurement], incident: Incident) -> str:
    """Return what a figure came to in the incident, and what it was before."""
    before = [m.value for m in points if m.day < incident.opened and m.value is not None]
    during = [m for m in points if incident.opened <= m.day <= incident.last_bad]
    newest = (during or points)[-1]
    said = words.figure(newest.metric, newest.value) if during else "no figure"
    said += f" on {words.short_day(newest.day if during else incident.last_bad)}"
    if before:
        low, high = words.figure(newest.metric, min(before)), words.figure(newest.metric, max(before))
        said += f"; it was {low} to {high} in the {words.plural(len(before), 'day')} before"
    return f"{said}."


def _told_of(incident: Incident, beginning: str) -> str:
    """Return the rest of the evidence's sentence that begins so, or nothing."""
    return next((e.removeprefix(beginning) for e in incident.evidence if e.startswith(beginning)), "")
