from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from ledger.records.incidents import Incident, Status
from ledger.records.retraining import Decision, RetrainingOutcome
from ledger.store import Ledger
from tests.ledger.made import DAY, MODEL, days, incident, run

FIRST, SECOND, THIRD, FOURTH = days(4)


def life(name: str, *states: tuple[date, Status], model: str = MODEL) -> list[Incident]:
    """Return the states that an incident had on some days."""
    opened = states[0][0]
    return [incident(id=name, model=model, opened=opened, concluded=day, status=status) for day, status in states]


def save(ledger: Ledger, *lives: list[Incident]) -> None:
    states = [state for states in lives for state in states]
    for model, day in sorted({(state.model, state.concluded) for state in states}):
        ledger.save_incidents(model, day, [s for s in states if (s.model, s.concluded) == (model, day)])


FLOOD = life("flood", (FIRST, Status.FIRING), (SECOND, Status.FIRING), (THIRD, Status.RESOLVED))
SHIFT = life("shift", (SECOND, Status.PENDING), (THIRD, Status.FIRING))
BLIP = life("blip", (SECOND, Status.PENDING), (THIRD, Status.WITHDRAWN))
OTHER = life("other", (SECOND, Status.FIRING), model="app_scams")


def test_an_incident_is_known_as_it_was_last_concluded(ledger: Ledger) -> None:
    save(ledger, FLOOD, SHIFT, BLIP, OTHER)
    assert ledger.incidents() == [OTHER[0], SHIFT[1], FLOOD[2]]
    assert ledger.incidents(MODEL) == [SHIFT[1], FLOOD[2]]
    assert ledger.incidents(MODEL, as_of=SECOND) == [BLIP[0], SHIFT[0], FLOOD[1]]
    assert ledger.incidents(MODEL, as_of=FIRST - timedelta(days=1)) == []
    assert ledger.incident_history("flood") == FLOOD
    assert ledger.incident_history("nothing") == []


def test_a_day_starts_from_the_incidents_that_the_day_before_left_alive(ledger: Ledger) -> None:
    save(ledger, FLOOD, SHIFT, BLIP, OTHER)
    assert ledger.live_incidents(MODEL, FIRST) == []
    assert ledger.live_incidents(MODEL, SECOND) == [FLOOD[0]]
    assert ledger.live_incidents(MODEL, THIRD) == [BLIP[0], FLOOD[1], SHIFT[0]]
    assert ledger.live_incidents(MODEL, FOURTH + timedelta(days=30)) == [SHIFT[1]]


def test_concluding_a_day_again_replaces_only_that_models_day(ledger: Ledger) -> None:
    save(ledger, FLOOD, SHIFT, OTHER)
    ledger.save_incidents(MODEL, SECOND, [])
    assert ledger.incident_history("flood") == [FLOOD[0], FLOOD[2]]
    assert ledger.incident_history("shift") == [SHIFT[1]]
    assert ledger.incidents("app_scams") == OTHER
    with pytest.raises(ValueError, match="incident other was not concluded of card_payments on 2026-03-03"):
        ledger.save_incidents(MODEL, SECOND, OTHER)


def test_runs_say_which_days_were_concluded(ledger: Ledger) -> None:
    for day in (THIRD, FIRST, FOURTH):
        ledger.save_run(run(day=day))
    ledger.save_run(run(model="app_scams", day=SECOND, live=False, steps={}))
    ledger.save_run(run(day=THIRD, source_version="v2"))
    assert ledger.concluded_days(MODEL, FIRST) == [THIRD, FOURTH]
    assert ledger.run(MODEL, THIRD) == run(day=THIRD, source_version="v2")
    assert ledger.run(MODEL, SECOND) is None
    assert [(r.model, r.day) for r in ledger.runs()] == [
        ("app_scams", SECOND),
        (MODEL, FIRST),
        (MODEL, THIRD),
        (MODEL, FOURTH),
    ]
    assert [r.day for r in ledger.runs(MODEL, SECOND, THIRD)] == [THIRD]


def test_decisions_are_one_a_day(ledger: Ledger) -> None:
    refused = Decision(MODEL, SECOND, "refused", "flood", ("the data is broken",), excluded=(FIRST, SECOND))
    asked = Decision(MODEL, FIRST, "requested", "shift", ("recall fell",), FIRST, SECOND, THIRD)
    other = Decision("app_scams", FIRST, "not needed")
    for decision in (replace(refused, verdict="requested"), refused, asked, other):
        ledger.save_decision(decision)
    assert ledger.decisions(MODEL) == [asked, refused]
    assert ledger.decisions() == [other, asked, refused]


def test_the_outcome_of_a_retraining_stands_under_its_request(ledger: Ledger) -> None:
    comparison = {"pr_auc": {"champion": 0.51, "challenger": 0.63, "n": 200.0}}
    window = (FIRST, SECOND, THIRD, FOURTH)
    kept = RetrainingOutcome(
        f"{MODEL}/{DAY}", MODEL, DAY, "kept champion", ("no better",), *window, "v7", "c1", comparison
    )
    promoted = replace(kept, outcome="promoted")
    earlier = replace(kept, request=f"{MODEL}/2026-02-28", day=date(2026, 2, 28))
    for outcome in (kept, promoted, earlier):
        ledger.save_retraining_outcome(outcome)
    assert ledger.retraining_outcomes(MODEL) == [earlier, promoted] == ledger.retraining_outcomes()
    assert ledger.retraining_outcomes("app_scams") == []
