"""An incident's page: what happened, how sure, how much, why, and what to do first."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

from catalogue.metrics.performance_monitors import COHORT_MONITOR
from ledger.records.incidents import Incident
from ledger.records.measurements import Measurement, Verdict
from reports.charts import over_time
from reports.export.json_parts import OBJECTS, TEXT, TEXTS, YES_OR_NO, record, records
from reports.pages import cause_tree
from reports.pages.page import PageContent
from reports.views.measurements import measurements_as_json
from reports.views.model_view import ModelView
from reports.wording import formatting, naming
from reports.wording.formatting import capitalise
from reports.wording.money import describe_money_at_stake
from reports.wording.timeline import (
    STATUS_TITLES,
    build_incident_timeline,
    describe_acknowledgement,
    describe_message_kind,
    group_decisions,
)
from reports.writing import file_name

PROBABLE_CAUSE_PREFIX, UNKNOWN_MONEY_PREFIX = "Probable cause: ", "Money at stake is not known: "
"""How two sentences of the evidence begin that the page shows among its facts."""
MIN_CHART_DAYS = 4
"""A figure of fewer days shows nothing that the evidence doesn't say; it is drawn only where there is no better."""
MOST_SLICES, MOST_SIMILAR = 12, 8
"""Most groups and other incidents that a page names."""
MOST_CHARTS = 8
"""Most figures over time that a page draws; the evidence names the others."""
JSON = {
    "incident": record("Incident"), "data_fault": YES_OR_NO, "kind": TEXT, "history": records("Incident"),
    "decisions": records("Decision"), "messages": OBJECTS, "causes": {"type": ["object", "null"]},
    "worst_slices": records("Measurement"), "similar": TEXTS,
}  # fmt: skip


def build_incident_page(model_view: ModelView, incident: Incident) -> PageContent:
    """Return the content of an incident's page."""
    history = model_view.ledger.incident_history(incident.id)
    messages = model_view.ledger.messages(incident.id)
    decisions = [d for d in model_view.decisions if d.incident == incident.id]
    zone = ZoneInfo(model_view.spec.schedule.timezone)
    probable = _evidence_after(incident, PROBABLE_CAUSE_PREFIX)
    tree = cause_tree.build_cause_tree(model_view, incident, capitalise(probable or incident.cause_entry.title))
    worst, alike = worst_slices(model_view, incident), similar_incidents(model_view, incident)
    log = model_view.ledger.events(incident=incident.id)
    context = {
        "spec": model_view.spec,
        "incident": incident,
        "cause": incident.cause_entry.title,
        "probable": probable,
        "tree": tree,
        "unknown": _evidence_after(incident, UNKNOWN_MONEY_PREFIX),
        "evidence": [
            text for text in incident.evidence if not text.startswith((PROBABLE_CAUSE_PREFIX, UNKNOWN_MONEY_PREFIX))
        ],
        "runbook": model_view.runbook(incident.cause),
        "status": STATUS_TITLES[incident.status],
        "money": describe_money_at_stake(incident),
        "lasted": describe_duration(incident),
        "figures": incident_charts(model_view, incident),
        "taken_on": describe_acknowledgement(log, zone),
        "take_it_on": f"watchkeeper incident acknowledge {shlex.quote(incident.id)} --by YOU",
        "timeline": build_incident_timeline(history, messages, decisions, log, zone),
        "feature_page": _feature_page(model_view, incident),
        "worst": worst,
        "similar": alike,
        "money_of": describe_money_at_stake,
        "decisions": group_decisions(decisions)[:6],
        "outcomes": model_view.outcomes,
        "messages": [(describe_message_kind(message), message) for message in messages],
        "has_page": model_view.runs.keys(),
        "drilldown": f"{incident.id}-evidently.html" if model_view.has_drilldown(incident) else "",
    }
    machine = {
        "incident": incident, "data_fault": incident.data_fault, "kind": incident.cause_entry.kind,
        "history": history, "decisions": decisions,
        "messages": [{"day": m.day, "kind": m.kind, "channel": m.channel, "text": m.text, "sent_at": m.sent_at}
                     for m in messages],
        "causes": cause_tree.cause_tree_as_json(tree), "worst_slices": measurements_as_json(worst),
        "similar": [other.id for other in alike],
    }  # fmt: skip
    return context, machine


def _feature_page(model_view: ModelView, incident: Incident) -> str:
    """Return the page of the column that the incident is about, where it has one."""
    there = incident.feature and incident.feature in model_view.features
    return f"../models/{incident.model}/features/{file_name(incident.feature)}.html" if there else ""


def worst_slices(model_view: ModelView, incident: Incident) -> list[Measurement]:
    """Return what the incident's own figures come to in the groups, the farthest over its limit first.

    They are of the newest bad day, or of the last before it on which groups were measured.
    """
    wanted = {tuple(key.split("/", 3)[:3]) for key in incident.figures}
    monitors = sorted({key[0] for key in wanted} - {COHORT_MONITOR})
    if not monitors:
        return []
    found = [
        m
        for m in model_view.ledger.measurements(incident.model, as_of=incident.last_bad, monitors=monitors)
        if m.slice and m.value is not None and (m.monitor, m.metric, m.feature) in wanted
    ]
    return sorted(found, key=lambda m: (m.verdict is not Verdict.BREACH, -_times_limit(m), m.slice))[:MOST_SLICES]


def _times_limit(m: Measurement) -> float:
    return abs(m.value or 0.0) / m.limit if m.limit else abs(m.value or 0.0)


def similar_incidents(model_view: ModelView, incident: Incident) -> list[Incident]:
    """Return the model's other incidents of the same cause, those about the same column or group first."""
    others = [other for other in model_view.incidents if other.id != incident.id and other.cause == incident.cause]
    same = (incident.feature, incident.slice)
    return sorted(others, key=lambda o: ((o.feature, o.slice) != same, -o.opened.toordinal(), o.id))[:MOST_SIMILAR]


def describe_duration(incident: Incident) -> str:
    """Return how long it has been going on, or went on."""
    bad = formatting.pluralise(incident.bad_days, "bad day")
    if incident.resolved:
        clean = formatting.pluralise(incident.clean_days, "clean day")
        return f"{bad}; resolved {formatting.format_day(incident.resolved)} after {clean}"
    clean = f", then {formatting.pluralise(incident.clean_days, 'clean day')}" if incident.clean_days else ""
    return f"{bad}, the last {formatting.format_day(incident.last_bad)}{clean}"


def incident_charts(model_view: ModelView, incident: Incident) -> list[dict[str, Any]]:
    """Return the figures over time that the incident names, in its order."""
    every = [
        [m for m in _figure_series(model_view, key) if m.value is not None] for key in incident.figures[:MOST_CHARTS]
    ]
    long_enough = [points for points in every if len(points) >= MIN_CHART_DAYS] or [
        points for points in every if points
    ]
    return [
        {
            "title": naming.measurement_title(points[0]),
            "figure": over_time.draw_over_time(
                points, since=incident.opened, height=210, link=_days_folder(incident, points[0])
            ),
            "says": describe_series(points, incident),
        }
        for points in long_enough
    ]


def _days_folder(incident: Incident, m: Measurement) -> str:
    """Return the folder of the days that a figure's marks lead to; a cohort day's figure is on no day's page."""
    return "" if m.monitor == COHORT_MONITOR else f"../models/{incident.model}/days/"


def _figure_series(model_view: ModelView, key: str) -> list[Measurement]:
    monitor, _, rest = key.partition("/")
    metric = rest.partition("/")[0]
    return [m for m in model_view.series(monitor, metric) if m.figure == key]


def describe_series(points: Sequence[Measurement], incident: Incident) -> str:
    """Return what a figure came to in the incident, and what it was before."""
    before = [m.value for m in points if m.day < incident.opened and m.value is not None]
    during = [m for m in points if incident.opened <= m.day <= incident.last_bad]
    newest = (during or points)[-1]
    said = formatting.format_figure(newest.metric, newest.value) if during else "no figure"
    said += f" on {formatting.format_short_day(newest.day if during else incident.last_bad)}"
    if before:
        low, high = (
            formatting.format_figure(newest.metric, min(before)),
            formatting.format_figure(newest.metric, max(before)),
        )
        said += f"; it was {low} to {high} in the {formatting.pluralise(len(before), 'day')} before"
    return f"{said}."


def _evidence_after(incident: Incident, beginning: str) -> str:
    """Return the rest of the evidence's sentence that begins so, or nothing."""
    return next((e.removeprefix(beginning) for e in incident.evidence if e.startswith(beginning)), "")
