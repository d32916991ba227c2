from __future__ import annotations

from datetime import timedelta

from httpx import Client

from ledger import told
from ledger.store import Ledger
from tests.ledger.made import DAY, MODEL
from tests.service.conftest import HOSTILE, NOW


def test_a_partition_is_announced_once_however_often_it_is_said(ask: Client, ledger: Ledger) -> None:
    path = f"/v1/models/{MODEL}/partitions/{DAY}"
    first, again = ask.post(path), ask.post(path)
    assert (first.status_code, again.status_code) == (201, 200)
    assert (
        first.json() == again.json() == {"model": MODEL, "day": str(DAY), "at": "2026-03-04T09:00:00Z", "by": "airflow"}
    )
    assert told.announced(ledger.database, MODEL, DAY) == told.Announced(MODEL, DAY, NOW, "airflow")


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
