"""What buttons and the API do, in a real ledger."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from fastapi import FastAPI

from ledger.store import Ledger
from models.errors import WatchkeeperError
from service.actions import Action, Perform, Verb
from service.app import create_app
from service.app_state import AppState
from service.perform import make_deliverer, make_performer
from tests.ledger.made import DAY, MODEL, incident, message
from tests.service.conftest import HOSTILE, NOW, OLD, WRITER, client
from tests.service.test_slack import HOOK, form, payload, sent
from watchkeeper import incident_actions
from watchkeeper.settings import Settings
from watchkeeper.whatif.feedback import NOT_A_PROBLEM, incidents_called_no_problem

ID = incident().id
ON_CALL = "on-call (Slack U123)"


@pytest.fixture
def desk(settings: Settings, ledger: Ledger) -> AppState:
    return AppState(settings, lambda: NOW)


@pytest.fixture
def perform(desk: AppState) -> Perform:
    return make_performer(desk)


def act(verb: Verb, incident_id: str = ID, *, until: date | None = None) -> Action:
    return Action(verb, incident_id, ON_CALL, "the feed is being mended", until)


def test_an_acknowledged_incident_is_logged_with_who_and_why(perform: Perform, ledger: Ledger) -> None:
    assert perform(act(Verb.ACKNOWLEDGE)) == f"{ID}: acknowledged by {ON_CALL}."
    handling = incident_actions.handlings_by_incident(ledger, MODEL)[ID]
    assert handling.state == "acknowledged"
    assert handling.acknowledged is not None
    assert (handling.acknowledged.actor, handling.acknowledged.reason) == (ON_CALL, "the feed is being mended")
    assert handling.acknowledged.at == NOW


def test_a_snoozed_incident_sleeps_until_its_day_and_a_past_day_is_refused(perform: Perform, ledger: Ledger) -> None:
    assert perform(act(Verb.SNOOZE, until=date(2026, 3, 7))).startswith(f"{ID}: snoozed until the morning of Sat 7 Mar")
    assert incident_actions.handlings_by_incident(ledger, MODEL)[ID].asleep(NOW)
    assert perform(act(Verb.SNOOZE)).endswith(f"snoozed until it is resolved by {ON_CALL}.")
    with pytest.raises(WatchkeeperError, match="which is not after 2026-03-04"):
        perform(act(Verb.SNOOZE, until=NOW.date()))


def test_a_silence_covers_the_same_trouble_only(perform: Perform, ledger: Ledger) -> None:
    assert "silenced for data up to Wed 11 Mar" in perform(act(Verb.SILENCE, until=date(2026, 3, 11)))
    (silence,) = incident_actions.known_silences(ledger)
    assert silence.matchers == {
        "model": MODEL, "cause": "column_fault", "feature": "amount_gbp", "slice": "channel=app"
    }  # fmt: skip
    assert (silence.start, silence.end, silence.by) == (DAY, date(2026, 3, 11), ON_CALL)


def test_not_a_problem_is_kept_once_a_person_and_changes_nothing_else(perform: Perform, ledger: Ledger) -> None:
    before = ledger.incidents()
    for _ in range(2):
        assert "kept as not a problem" in perform(act(Verb.NOT_A_PROBLEM))
    perform(replace(act(Verb.NOT_A_PROBLEM), by="owner (airflow)"))
    assert [e.actor for e in ledger.events(incident=ID, kinds=(NOT_A_PROBLEM,))] == [ON_CALL, "owner (airflow)"]
    ((called, event),) = incidents_called_no_problem(ledger, MODEL)
    assert (called.id, event.actor) == (ID, ON_CALL)
    assert ledger.incidents() == before


def test_what_is_over_or_not_there_cannot_be_taken_on(perform: Perform) -> None:
    with pytest.raises(WatchkeeperError, match=f"{OLD}: it is resolved and can't be acknowledged"):
        perform(act(Verb.ACKNOWLEDGE, OLD))
    for verb in (Verb.ACKNOWLEDGE, Verb.NOT_A_PROBLEM):
        with pytest.raises(WatchkeeperError, match=f"did you mean '{OLD}'"):
            perform(act(verb, OLD + "x"))


@pytest.fixture
def whole(settings: Settings, desk: AppState, replies: list[tuple[str, str]]) -> FastAPI:
    return create_app(
        settings,
        make_performer(desk),
        make_deliverer(desk),
        clock=lambda: NOW,
        reply=lambda url, text: replies.append((url, text)),
    )


def test_a_press_is_in_the_log_in_the_message_and_answered(
    whole: FastAPI, settings: Settings, ledger: Ledger, replies: list[tuple[str, str]]
) -> None:
    ledger.enqueue(message(channel="console"))
    assert sent(client(whole), form(payload())).status_code == 200
    assert incident_actions.handlings_by_incident(ledger)[ID].state == "acknowledged"
    assert replies == [(HOOK, replies[0][1])]
    assert replies[0][1].endswith(f"acknowledged by {ON_CALL}.")
    assert f"Acknowledged by {ON_CALL} at 09:00 UTC on Wed 4 Mar" in settings.messages.read_text()


def test_the_api_does_the_same_and_says_what_cannot_be_done(whole: FastAPI, ledger: Ledger) -> None:
    asked = client(whole, WRITER)
    done = asked.post(f"/v1/incidents/{ID}/acknowledge", json={"by": "on-call", "reason": HOSTILE})
    assert done.json() == {"done": f"{ID}: acknowledged by on-call (airflow)."}
    assert incident_actions.handlings_by_incident(ledger)[ID].acknowledged == ledger.events(incident=ID)[-1]
    assert ledger.events(incident=ID)[-1].reason == HOSTILE
    refused = asked.post(f"/v1/incidents/{OLD}/acknowledge", json={"by": "on-call", "reason": "mine"})
    assert (refused.status_code, refused.headers["content-type"]) == (409, "application/problem+json")
    late = asked.post(f"/v1/incidents/{ID}/snooze", json={"by": "on-call", "reason": "mine", "until": "2026-01-01"})
    assert late.status_code == 409
    odd = asked.post(f"/v1/incidents/{ID}/silence", json={"by": "on-call\u202e", "reason": "mine"})
    assert (odd.status_code, odd.json()["detail"][:7]) == (422, "body.by")


def test_a_channel_that_cannot_be_reached_undoes_nothing(
    settings: Settings, ledger: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    broken = AppState(replace(settings, models=settings.models / "none"), lambda: NOW)
    make_deliverer(broken)()
    assert "messages could not be delivered" in caplog.text
