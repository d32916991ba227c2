from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from httpx import Client, Response
from hypothesis import given
from hypothesis import strategies as st
from slack_sdk.signature import SignatureVerifier

from ledger.store import Ledger
from service.actions import Action, Verb
from service.app import create_app
from service.slack import parse_press
from tests.ledger.made import incident
from tests.service.conftest import HOSTILE, NOW, OLD, WRITER, client, header, nothing, quiet
from watchkeeper.settings import Settings

SECRET = "shh"
HOOK = "https://hooks.slack.com/actions/T1/2/3"
ON_CALL = {"id": "U123", "username": "on-call"}


def payload(verb: str = "acknowledge", value: str = incident().id, **changes: Any) -> dict[str, Any]:
    action = {"action_id": f"watchkeeper:{verb}", "value": value, "type": "button"}
    return {"type": "block_actions", "user": ON_CALL, "response_url": HOOK, "actions": [action], **changes}


def form(content: dict[str, Any]) -> bytes:
    return urlencode({"payload": json.dumps(content)}).encode()


def sent(
    slack: Client, body: bytes, *, age_seconds: int = 0, secret: str = SECRET, signed: bytes | None = None, **more: str
) -> Response:
    timestamp = str(int(NOW.timestamp()) - age_seconds)
    signature = SignatureVerifier(secret).generate_signature(timestamp=timestamp, body=signed or body)
    given = {"X-Slack-Request-Timestamp": timestamp, "X-Slack-Signature": signature or "", **more}
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    return slack.post("/slack/actions", content=body, headers=kind | {k.replace("_", "-"): v for k, v in given.items()})


@pytest.fixture
def slack(app: FastAPI) -> Client:
    return client(app)


@pytest.mark.parametrize(
    ("verb", "until"),
    [
        (Verb.ACKNOWLEDGE, None),
        (Verb.SNOOZE, date(2026, 3, 7)),
        (Verb.SILENCE, date(2026, 3, 11)),
        (Verb.NOT_A_PROBLEM, None),
    ],
)
def test_a_press_does_what_the_button_says_in_the_name_of_who_pressed(
    slack: Client, done: list[Action], replies: list[tuple[str, str]], verb: Verb, until: date | None
) -> None:
    assert sent(slack, form(payload(verb))).status_code == 200
    ((action),) = done
    assert replace(action, reason="") == Action(verb, incident().id, "on-call (Slack U123)", "", until)
    assert action.reason.startswith("pressed “")
    ((url, text),) = replies
    assert url == HOOK
    assert text.startswith(f"{verb} of ")


def test_a_message_about_several_incidents_is_answered_for_each_and_delivered_once(
    slack: Client, done: list[Action], delivered: list[int]
) -> None:
    sent(slack, form(payload("snooze", "incident-1 incident-2")))
    assert delivered == [2]
    assert [action.incident for action in done] == ["incident-1", "incident-2"]


def test_what_cannot_be_done_is_said_to_who_pressed_and_cannot_format(
    slack: Client, done: list[Action], delivered: list[int], replies: list[tuple[str, str]]
) -> None:
    assert sent(slack, form(payload(value=OLD))).status_code == 200
    assert done == delivered == []
    assert replies[0][1].startswith("That could not be done: ")
    sent(slack, form(payload(value="<!channel>*x*", user={"id": "U<1>", "name": HOSTILE})))
    text = replies[1][1]
    assert "<" not in text
    assert "*" not in text
    assert done[0].by.endswith("(Slack U1)")
    assert "\u202e" not in done[0].by


@pytest.mark.parametrize(
    ("forged", "said"),
    [
        ({"secret": "guessed"}, "this isn't signed by Slack"),
        ({"signed": b"another body"}, "this isn't signed by Slack"),
        ({"X_Slack_Signature": "v0=" + "0" * 64}, "this isn't signed by Slack"),
        ({"X_Slack_Signature": ""}, "this isn't signed by Slack"),
        ({"X_Slack_Signature": "v1=" + "0" * 64}, "this isn't signed by Slack"),
        ({"X_Slack_Request_Timestamp": "now"}, "this isn't signed by Slack"),
        ({"X_Slack_Request_Timestamp": str(int(NOW.timestamp()) + 1)}, "this isn't signed by Slack"),
        ({"age_seconds": 301}, "this was signed more than five minutes ago, or by a clock that is wrong"),
        ({"age_seconds": -301}, "this was signed more than five minutes ago, or by a clock that is wrong"),
    ],
)
def test_a_forged_or_late_request_is_refused_and_nothing_is_done(
    slack: Client, done: list[Action], forged: dict[str, Any], said: str
) -> None:
    answer = sent(slack, form(payload()), **forged)
    assert (answer.status_code, answer.json()["detail"]) == (401, said)
    assert done == []


def test_a_request_of_almost_five_minutes_is_taken_and_a_replayed_one_refused(
    app: FastAPI, settings: Settings, slack: Client, done: list[Action], ledger: Ledger
) -> None:
    body = form(payload())
    assert sent(slack, body, age_seconds=299).status_code == 200
    again = sent(slack, body, age_seconds=299)
    assert (again.status_code, again.json()["detail"]) == (401, "this came before")
    other = client(create_app(settings, nothing, quiet, clock=lambda: NOW + timedelta(seconds=1)))
    assert sent(other, body, age_seconds=299).status_code == 401, "another worker knows it too"
    assert len(done) == 1


def test_a_token_of_the_api_is_no_signature_and_a_signature_is_no_token(slack: Client, done: list[Action]) -> None:
    assert slack.post("/slack/actions", content=form(payload()), headers=header(WRITER)).status_code == 401
    body = form(payload())
    timestamp = str(int(NOW.timestamp()))
    signature = SignatureVerifier(SECRET).generate_signature(timestamp=timestamp, body=body)
    signed = {"X-Slack-Request-Timestamp": timestamp, "X-Slack-Signature": str(signature)}
    for path in ("/v1/models", "/slack/actions/", "//slack/actions", "/slack/actions/x"):
        assert slack.post(path, content=body, headers=signed).status_code == 401
    assert done == []


def test_without_a_signing_secret_no_button_is_answered(settings: Settings, ledger: Ledger) -> None:
    closed = client(create_app(replace(settings, slack_signing_secret=""), nothing, quiet, clock=lambda: NOW))
    answer = sent(closed, form(payload()))
    assert (answer.status_code, "isn't set" in answer.json()["detail"]) == (401, True)


def test_a_ledger_that_cannot_remember_a_request_is_503(slack: Client, done: list[Action], ledger: Ledger) -> None:
    ledger.database.write(sa.text("DROP TABLE slack_requests"))
    assert sent(slack, form(payload())).status_code == 503
    assert done == []


@pytest.mark.parametrize(
    "content",
    [
        payload("report"),
        payload("delete"),
        payload(value=""),
        {"type": "view_submission"},
        {"type": "block_actions", "actions": ["x", None, {"action_id": 3}]},
        {"type": "block_actions", "actions": {"action_id": "watchkeeper:acknowledge"}},
    ],
)
def test_other_presses_are_answered_and_nothing_is_done(
    slack: Client, done: list[Action], content: dict[str, Any]
) -> None:
    assert sent(slack, form(content)).status_code == 200
    assert done == []


@pytest.mark.parametrize("body", [b"", b"payload=", b"payload=[]", b"payload={", b"payload=%ff", b"\xff\xfe", b"x=1"])
def test_a_signed_body_without_a_payload_is_a_problem(slack: Client, body: bytes) -> None:
    readable = body.decode("latin-1").encode()  # what a client could sign of bytes that are no text
    answer = sent(slack, body, signed=readable or b"")
    assert answer.status_code in {400, 401}
    assert answer.headers["content-type"] == "application/problem+json"


def test_an_answer_goes_to_slack_only(slack: Client, done: list[Action], replies: list[tuple[str, str]]) -> None:
    for url in ("https://evil.example/", "http://hooks.slack.com/a", "https://hooks.slack.com.evil.example/", "", 3):
        sent(slack, form(payload(response_url=url)))
    assert len(done) == 5
    assert replies == []


def test_what_fails_here_is_told_without_why(
    settings: Settings, ledger: Ledger, replies: list[tuple[str, str]], caplog: pytest.LogCaptureFixture
) -> None:
    def perform(action: Action) -> str:
        raise RuntimeError("a secret")

    app = create_app(settings, perform, quiet, clock=lambda: NOW, reply=lambda url, text: replies.append((url, text)))
    assert sent(client(app), form(payload())).status_code == 200
    assert "failed here" in replies[0][1]
    assert "secret" not in replies[0][1]
    assert "a secret" in caplog.text


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.fixed_dictionaries(
        {"type": st.just("block_actions"), "actions": json_values | st.lists(st.fixed_dictionaries(
            {"action_id": st.just("watchkeeper:silence") | json_values, "value": json_values}), max_size=3)},
        optional={"user": json_values, "response_url": json_values},
    )
)  # fmt: skip
def test_no_payload_breaks_the_reader_and_every_name_is_readable(content: dict[str, Any]) -> None:
    found = parse_press(content, NOW.date())
    for action in found.actions if found else ():
        assert action.by.isprintable()
        assert 0 < len(action.by) <= 100
        assert " " not in action.incident
