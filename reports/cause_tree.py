"""From cause to effect: what shows an incident's cause, and what else it reached, stage by stage.

A cause that is early explains what comes after it: data, features, score, performance, fairness.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ledger.records import Incident, Measurement, Verdict
from reports import words
from reports.reading import JUDGED, Reading
from reports.write import file_name

STAGES = {
    "The data": ("arrival", "schema", "check", "fault"),
    "Features": ("drift", "slow"),
    "The score": ("score",),
    "Estimated performance": ("estimate",),
    "Realised performance": ("decay", "selective"),
    "Fairness": ("fairness",),
    "The bank's own metrics": ("custom",),
}
MOST = 12
"""Figures that a stage names; the rest is counted."""


@dataclass(frozen=True)
class Branch:
    """A line of the tree, the page that tells more of it, and what hangs on it."""

    text: str
    link: str = ""
    branches: tuple[Branch, ...] = ()


def tree(reading: Reading, incident: Incident, cause: str) -> Branch | None:
    """Return the tree of an incident, as of its last bad day; None where that day's figures are not in the ledger."""
    judged = reading.ledger.measurements(incident.model, as_of=incident.last_bad, monitors=JUDGED)
    by_key = {m.figure: m for m in judged}
    own = [by_key[key] for key in incident.figures if key in by_key]
    if not own:
        return None
    reached = [by_key[key] for key in incident.explained if key in by_key]
    branches = [Branch("What shows it", branches=_figures(reading, own)), *_stages(reading, reached)]
    left = incident.explains - len(reached)
    if left > 0:
        more = "other alarm" if reached else "alarm"
        branches.append(Branch(f"It also explains {words.plural(left, more)}"))
    quiet = _quiet(judged)
    if quiet:
        branches.append(Branch(f"Nothing over a limit: {', '.join(quiet)}"))
    return Branch(cause, branches=tuple(branches))


def _stages(reading: Reading, reached: list[Measurement]) -> Iterable[Branch]:
    for title, monitors in STAGES.items():
        here = [m for m in reached if m.monitor in monitors]
        if here:
            yield Branch(f"Reaches {title[0].lower()}{title[1:]}", branches=_figures(reading, here))


def _figures(reading: Reading, found: list[Measurement]) -> tuple[Branch, ...]:
    named = [Branch(_said(m), _page(reading, m)) for m in found[:MOST]]
    more = len(found) - MOST
    return (*named, *([Branch(f"and {words.plural(more, 'other figure')}")] if more > 0 else []))


def _said(m: Measurement) -> str:
    limit = f", limit {words.figure(m.metric, m.limit)}" if m.limit is not None else ""
    return f"{words.title(m)}: {words.figure(m.metric, m.value)}{limit}"


def _page(reading: Reading, m: Measurement) -> str:
    known = m.feature and m.feature in reading.features
    return f"../models/{m.model}/features/{file_name(m.feature)}.html" if known else ""


def _quiet(judged: list[Measurement]) -> list[str]:
    """Return the stages that were judged and have nothing over a limit."""
    verdicts: Mapping[str, set[Verdict]] = {
        title: {m.verdict for m in judged if m.monitor in monitors} for title, monitors in STAGES.items()
    }
    return [
        title[0].lower() + title[1:]
        for title, found in verdicts.items()
        if Verdict.OK in found and not found & {Verdict.BREACH, Verdict.ERRORED, Verdict.MISSING}
    ]


def machine(branch: Branch | None) -> dict[str, Any] | None:
    """Return the tree for machines."""
    if branch is None:
        return None
    return {"text": branch.text, "branches": [machine(each) for each in branch.branches]}
