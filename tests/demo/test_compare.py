from __future__ import annotations

import io
from datetime import timedelta
from typing import Any

import pytest
from rich.console import Console

from demo.compare import SEEN_WITHIN_DAYS, compare_with_script
from simulator.script import DEMO_SCRIPT, ScriptedIncident


def found(scripted: ScriptedIncident, **changed: Any) -> dict[str, Any]:
    """Return the incident that a scripted trouble should become, as the command line shows it."""
    return {
        "id": f"{scripted.model}-{scripted.start}-{scripted.cause}",
        "model": scripted.model,
        "cause": scripted.cause,
        "feature": scripted.feature or "",
        "slice": scripted.slice or "",
        "opened": str(scripted.start),
        "status": "firing" if scripted.end is None else "resolved",
        "amount_gbp_per_day": 1000.0,
        "summary": "something",
        **changed,
    }


def problems(incidents: list[dict[str, Any]]) -> list[str]:
    return compare_with_script(incidents, Console(file=io.StringIO()))


def test_the_scripted_incidents_and_no_other_are_no_problem() -> None:
    assert problems([found(scripted) for scripted in DEMO_SCRIPT]) == []


@pytest.mark.parametrize("missing", DEMO_SCRIPT, ids=lambda s: f"{s.model}-{s.cause}")
def test_each_missing_incident_is_a_problem(missing: ScriptedIncident) -> None:
    (problem,) = problems([found(scripted) for scripted in DEMO_SCRIPT if scripted is not missing])
    assert problem.startswith("not found:")


def test_an_invented_incident_is_a_problem() -> None:
    invented = found(DEMO_SCRIPT[0], cause="score_shift", id="invented")
    (problem,) = problems([*(found(scripted) for scripted in DEMO_SCRIPT), invented])
    assert problem.startswith("invented: invented")


@pytest.mark.parametrize("scripted", DEMO_SCRIPT, ids=lambda s: f"{s.model}-{s.cause}")
def test_an_incident_seen_too_late_too_early_or_with_another_cause_is_not_the_scripted_one(
    scripted: ScriptedIncident,
) -> None:
    late = scripted.start + timedelta(days=SEEN_WITHIN_DAYS.get(scripted.cause, 0) + 1)
    early = scripted.start - timedelta(days=1)
    others = [found(other) for other in DEMO_SCRIPT if other is not scripted]
    for changed in ({"opened": str(late)}, {"opened": str(early)}, {"cause": "score_shift"}, {"model": "another"}):
        assert len(problems([*others, found(scripted, **changed)])) == 2, changed


def test_an_incident_that_is_over_must_be_resolved_and_one_that_is_not_must_fire() -> None:
    first, *rest = DEMO_SCRIPT
    wrong = "resolved" if first.end is None else "firing"
    (problem,) = problems([found(first, status=wrong), *(found(scripted) for scripted in rest)])
    assert f"is {wrong}, but the trouble lasted" in problem
