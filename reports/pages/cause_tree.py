"""From cause to effect: what shows an incident's cause, and what else it reached, stage by stage.

The stages are the catalogue's; an early one explains what comes after it: data, features, score, performance.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import catalogue
from ledger.records.incidents import Incident
from ledger.records.measurements import Measurement, Verdict
from reports.views.model_view import ModelView
from reports.wording import formatting, naming
from reports.writing import file_name

MOST_FIGURES = 12
"""Figures that a stage names; the rest is counted."""


@dataclass(frozen=True)
class Branch:
    """A line of the tree, the page that says more of it, and what hangs on it."""

    text: str
    link: str = ""
    branches: tuple[Branch, ...] = ()


def build_cause_tree(model_view: ModelView, incident: Incident, cause: str) -> Branch | None:
    """Return the tree of an incident, as of its last bad day; None where that day's figures are not in the ledger."""
    judged = model_view.ledger.measurements(incident.model, as_of=incident.last_bad, monitors=catalogue.day_monitors())
    by_key = {m.figure: m for m in judged}
    own = [by_key[key] for key in incident.figures if key in by_key]
    if not own:
        return None
    reached = [by_key[key] for key in incident.explained if key in by_key]
    branches = [
        Branch("What shows it", branches=_figure_branches(model_view, own)),
        *_stage_branches(model_view, reached),
    ]
    left = incident.explains - len(reached)
    if left > 0:
        one, many = ("other breach", "other breaches") if reached else ("breach", "breaches")
        branches.append(Branch(f"It also explains {formatting.pluralise(left, one, many)}"))
    quiet = _stages_within_limits(judged)
    if quiet:
        branches.append(Branch(f"Nothing over a limit: {', '.join(quiet)}"))
    return Branch(cause, branches=tuple(branches))


def _stage_branches(model_view: ModelView, reached: list[Measurement]) -> Iterable[Branch]:
    for title, monitors in catalogue.stages().items():
        here = [m for m in reached if m.monitor in monitors]
        if here:
            yield Branch(f"Reaches {title[0].lower()}{title[1:]}", branches=_figure_branches(model_view, here))
    staged = {monitor for monitors in catalogue.stages().values() for monitor in monitors}
    others = [m for m in reached if m.monitor not in staged]
    if others:
        yield Branch("Reaches other figures", branches=_figure_branches(model_view, others))


def _figure_branches(model_view: ModelView, found: list[Measurement]) -> tuple[Branch, ...]:
    named = [Branch(_describe_figure(m), _feature_page(model_view, m)) for m in found[:MOST_FIGURES]]
    more = len(found) - MOST_FIGURES
    return (*named, *([Branch(f"and {formatting.pluralise(more, 'other figure')}")] if more > 0 else []))


def _describe_figure(m: Measurement) -> str:
    limit = f", limit {formatting.format_figure(m.metric, m.limit)}" if m.limit is not None else ""
    return f"{naming.measurement_title(m)}: {formatting.format_figure(m.metric, m.value)}{limit}"


def _feature_page(model_view: ModelView, m: Measurement) -> str:
    known = m.feature and m.feature in model_view.features
    return f"../models/{m.model}/features/{file_name(m.feature)}.html" if known else ""


def _stages_within_limits(judged: list[Measurement]) -> list[str]:
    """Return the stages that were judged and have nothing over a limit."""
    verdicts: Mapping[str, set[Verdict]] = {
        title: {m.verdict for m in judged if m.monitor in monitors} for title, monitors in catalogue.stages().items()
    }
    return [
        title[0].lower() + title[1:]
        for title, found in verdicts.items()
        if Verdict.OK in found and not found & {Verdict.BREACH, Verdict.ERRORED, Verdict.MISSING}
    ]


def cause_tree_as_json(branch: Branch | None) -> dict[str, Any] | None:
    """Return the tree for machines."""
    if branch is None:
        return None
    return {"text": branch.text, "branches": [cause_tree_as_json(each) for each in branch.branches]}
