from __future__ import annotations

from datetime import date, timedelta

import pytest
from httpx import Client

from ledger import inbox
from ledger.store import Ledger
from service.actions import Action, Verb
from tests.ledger.made import DAY, MODEL, incident
from tests.service.conftest import HOSTILE, NOW, OLD


def test_a_partition_is_announced_once_however_often_it_is_said(ask: Client, ledger: Ledger) -> None:
    path = f"/v1/models/{MODEL}/partitions/{DAY}"
    first, again = ask.post(path), ask.post(path)
    assert (first.status_code, again.status_code) == (201, 200)
    assert (
        first.json() == again.json() == {"model": MODEL, "day": str(DAY), "at": "2026-03-04T09:00:00Z", "by": "airflow"}
    )
    assert inbox.find_announcement(ledger.database, MODEL, DAY) == inbox.PartitionAnnouncement(
        MODEL, DAY, NOW, "airflow"
    )


def test_a_partition_of_an_unknown_model_or_of_the_future_is_refused(ask: Client) -> None:
    unknown = ask.post(f"/v1/models/card_paymens/partitions/{DAY}")
    assert (unknown.status_code, unknown.json()["detail"]) == (
        404,
        "there is no model 'card_paymens'; did you mean 'card_payments'?",
    )
    early = ask.post(f"/v1/models/{MODEL}/partitions/{NOW.date() + timedelta(days=2)}")
    assert (early.status_code, early.json()["detail"]) == (422, "path.day: 2026-03-06 hasn't begun yet")
    assert ask.post(f"/v1/models/{HOSTILE.replace('/', '')}/partitions/{DAY}").status_code == 404
    assert ask.post(f"/v1/models/{MODEL}/partitions/yesterday").status_code == 422


@pytest.mark.parametrize("verb", list(Verb))
def test_an_incident_is_handled_in_the_name_of_person_and_token(
    ask: Client, done: list[Action], delivered: list[int], verb: Verb
) -> None:
    body = {"by": " on-call ", "reason": "the feed is being mended", "until": "2026-03-09"}
    answer = ask.post(f"/v1/incidents/{incident().id}/{verb}", json=body)
    assert answer.json() == {"done": f"{verb} of {incident().id} by on-call (airflow)"}
    assert done == [Action(verb, incident().id, "on-call (airflow)", body["reason"], date(2026, 3, 9))]
    assert delivered == [1]


def test_what_an_incident_does_not_allow_is_a_conflict_and_an_unknown_one_is_not_found(
    ask: Client, done: list[Action]
) -> None:
    body = {"by": "on-call", "reason": "mine"}
    refused = ask.post(f"/v1/incidents/{OLD}/acknowledge", json=body)
    assert (refused.status_code, refused.json()["detail"]) == (409, f"{OLD}: it is resolved and can't be acknowledged")
    assert ask.post("/v1/incidents/none/acknowledge", json=body).status_code == 404
    assert ask.post(f"/v1/incidents/{incident().id}/delete", json=body).status_code == 422
    assert done == []


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"by": "on-call"}, "body.reason: field required"),
        ({"by": " ", "reason": "x"}, "body.by: string should have at least 1 character"),
        ({"by": "on-call", "reason": "x", "until": "soon"}, "body.until: input should be a valid date"),
        ({"by": "on-call", "reason": "x", "force": True}, "body.force: extra inputs are not permitted"),
        ({"by": "on-call", "reason": "x" * 2001}, "body.reason: string should have at most 2000 characters"),
        ([], "body: input should be a valid dictionary"),
    ],
)
def test_what_is_left_out_of_an_act_is_named(ask: Client, done: list[Action], body: object, said: str) -> None:
    answer = ask.post(f"/v1/incidents/{incident().id}/acknowledge", json=body)
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith(said)
    assert done == []
