"""Holds the incidents that were found against the script of what really went wrong."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from rich.console import Console
from rich.table import Table

from simulator.script import DEMO_SCRIPT, ScriptedIncident

SEEN_WITHIN_DAYS = {"performance_decay": 21, "fairness_gap": 21, "population_shift": 2}
"""Labels come late, and a gap between groups takes days to exceed chance; everything else shows on its first day."""


def compare_with_script(found: Sequence[dict[str, Any]], console: Console) -> list[str]:
    """Print a line for each scripted trouble, and return a sentence for each that is missing, wrong, or invented."""
    left = list(found)
    problems = []
    table = Table("model", "what went wrong", "since", "first seen", "now", "GBP a day")
    for scripted in sorted(DEMO_SCRIPT, key=lambda s: (s.model, s.start)):
        match = next((incident for incident in left if _matches_script(incident, scripted)), None)
        what = " ".join(filter(None, [scripted.cause.replace("_", " "), scripted.feature, scripted.slice]))
        if match is None:
            problems.append(f"not found: {what} of {scripted.model} since {scripted.start}")
            table.add_row(scripted.model, what, str(scripted.start), "not found", style="red")
            continue
        left.remove(match)
        money = "" if match["amount_gbp_per_day"] is None else f"{match['amount_gbp_per_day']:,.0f}"
        table.add_row(scripted.model, what, str(scripted.start), match["opened"], match["status"], money)
        if (match["status"] == "firing") != (scripted.end is None):
            problems.append(
                f"{match['id']} is {match['status']}, but the trouble lasted {scripted.start} to {scripted.end}"
            )
    console.print(table)
    return problems + [f"invented: {incident['id']}: {incident['summary']}" for incident in left]


def _matches_script(incident: dict[str, Any], scripted: ScriptedIncident) -> bool:
    opened = date.fromisoformat(incident["opened"])
    latest = scripted.start + timedelta(days=SEEN_WITHIN_DAYS.get(scripted.cause, 0))
    return (
        (incident["model"], incident["cause"]) == (scripted.model, scripted.cause)
        and scripted.feature in (None, incident["feature"])
        and scripted.slice in (None, incident["slice"])
        and scripted.start <= opened <= latest
    )
