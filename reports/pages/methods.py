"""The methods page: every metric, monitor and cause of the catalogue, in words."""

from __future__ import annotations

from dataclasses import dataclass

import catalogue
from catalogue import Derived, Effect, Limit, Metric
from catalogue.registers import EXPECTATION
from reports.export.json_parts import records
from reports.pages.page import PageContent
from reports.views.fleet_view import FleetView
from reports.wording.naming import VERDICTS

JSON = {"methods": records("Method"), "monitors": records("MonitorEntry"), "causes": records("CauseEntry")}
OTHER_SECTION = "Other metrics"
"""Heads the metrics whose entry names no part of the page."""


@dataclass(frozen=True)
class Method:
    """A metric in words: its key, its title, formula, meaning and caveat; and when it is over its limit.

    ``limit`` is how its limit is found. ``minimum_effect`` is the smallest change worth an alert, in the way that
    ``effect`` says; None where there is none.
    """

    metric: str
    title: str
    formula: str
    tells: str
    limits: str
    unit: str
    limit: str
    effect: str
    minimum_effect: float | None


@dataclass(frozen=True)
class MonitorEntry:
    """A monitor: its key, its title, its place from data to outcome, and the keys of what it measures."""

    monitor: str
    title: str
    stage: str
    opens_incidents: bool
    metrics: tuple[str, ...]


@dataclass(frozen=True)
class CauseEntry:
    """A cause: its key, its title, what kind of incident it makes, the first step, and the runbook's address or ''."""

    cause: str
    title: str
    kind: str
    spoils_training: bool
    first_step: str
    runbook: str


def methods_by_section() -> dict[str, list[Method]]:
    """Return the method of every metric, and of every family of derived ones, under the title of its section."""
    return {
        title or OTHER_SECTION: [_method_of(entry) for entry in entries]
        for title, entries in catalogue.sections().items()
    }


def _method_of(entry: Metric | Derived) -> Method:
    return Method(
        entry.key,
        entry.name if isinstance(entry, Derived) else entry.title,
        entry.formula,
        entry.meaning,
        entry.caveat,
        str(entry.unit or "as the metric"),
        "" if entry.limit is Limit.NONE else str(entry.limit),
        "" if entry.effect is Effect.NONE else str(entry.effect),
        entry.minimum_effect,
    )


def monitor_entries() -> list[MonitorEntry]:
    """Return every monitor in the order of a day's page."""
    return [
        MonitorEntry(each.key, each.title, str(each.stage), each.opens_incidents, (*each.metrics, *each.derived))
        for each in catalogue.monitors_in_order()
    ]


def cause_entries(fleet: FleetView) -> list[CauseEntry]:
    """Return every cause: data faults, then real changes, then what nothing known explains."""
    return [
        CauseEntry(
            each.key,
            each.title,
            each.kind,
            each.spoils_training,
            _without_places(each.first_step),
            fleet.runbook(each.key),
        )
        for each in catalogue.causes_in_order()
    ]


def _without_places(text: str) -> str:
    """Return a first step as it reads of any table, column or group."""
    for place, said in (("table", "the table"), ("column", "the column"), ("group", "the group")):
        text = text.replace(f"`{{{place}}}`", said).replace(f"{{{place}}}", said)
    return text


def build_methods_page(fleet: FleetView) -> PageContent:
    """Return the methods page's content: what is registered when the site is built."""
    sections, monitors, causes = methods_by_section(), monitor_entries(), cause_entries(fleet)
    titles = {method.metric: method.title for methods in sections.values() for method in methods}
    context = {
        "sections": sections,
        "monitors": [(monitor, [titles.get(key, key) for key in monitor.metrics]) for monitor in monitors],
        "causes": causes,
        "verdicts": list(VERDICTS.values()),
        "expectation": EXPECTATION,
    }
    methods = [method for section in sections.values() for method in section]
    return context, {"methods": methods, "monitors": monitors, "causes": causes}
