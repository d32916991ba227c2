"""What is said again and to whom, when nobody takes an incident on; and what only stands in the day's digest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from alerting.incidents.conclude import conclude_incidents
from alerting.notifications.channels.pagerduty.sender import PagerDutyChannel
from alerting.notifications.messages.links import Links
from alerting.notifications.outbox import Delivery, deliver_messages, enqueue_incident_messages
from alerting.notifications.reminders import enqueue_reminders
from alerting.notifications.routes.schema import Routes
from alerting.notifications.routes.severity import severity_of
from ledger.records.measurements import Measurement
from ledger.store import Ledger
from models.spec import Spec
from tests.alerting import made
from tests.alerting.made import ARRIVED, FIRST, on, spec
from tests.alerting.notifications.channels import http_server
from tests.alerting.notifications.channels.slack.server import CHANNEL_NAME, Slack
from tests.alerting.notifications.test_outbox import slack_channel

NOW = datetime(2026, 3, 4, 6, 0, tzinfo=UTC)
SITE = Links("https://watch.example")
FLOOD = [*ARRIVED, made.NULL_FLOOD]
ROUTES = Routes.model_validate(
    {
        "default": CHANNEL_NAME,
        "channels": {"pager": {"kind": "pagerduty"}},
        "rules": [{"to": ["pager"], "after_hours": 4}],
        "digest": {"tiers": [3]},
        "repeat_days": 2,
    }
)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = Ledger.open(f"sqlite:///{tmp_path}/ledger.db")
    yield opened
    opened.close()


def watched(ledger: Ledger, of: Spec, number: int, measurements: list[Measurement]) -> None:
    day = FIRST + timedelta(days=number)
    found = [replace(m, model=of.model) for m in on(day, *measurements)]
    with ledger.transaction():
        ledger.save_incidents(of.model, day, conclude_incidents(of, day, found, ledger.live_incidents(of.model, day)))
        severity_for = partial(severity_of, ROUTES, of)
        enqueue_incident_messages(ledger, of, day, CHANNEL_NAME, SITE, severity_for=severity_for)
        enqueue_incident_messages(ledger, of, day, "pager", SITE, severity_for=lambda _: None)


def at(hours: float) -> datetime:
    return NOW + timedelta(hours=hours)


def reminded(ledger: Ledger, hours: float, of: Spec | None = None, **more: object) -> int:
    return enqueue_reminders(ledger, of or spec(), ROUTES, CHANNEL_NAME, at(hours), **more)  # type: ignore[arg-type]


def test_what_nobody_takes_on_goes_to_somebody_else_after_some_hours(ledger: Ledger, slack: Slack) -> None:
    watched(ledger, spec(), 0, FLOOD)
    assert reminded(ledger, 5) == 0  # nobody was told yet
    deliver_messages(ledger, slack_channel(slack), at(0))
    (incident,) = ledger.incidents()
    assert reminded(ledger, 3.9) == 0
    assert reminded(ledger, 5, taken_on=[incident.id]) == 0
    assert reminded(ledger, 5) == 1
    assert reminded(ledger, 6) == 0
    with http_server.running() as web:
        pager = PagerDutyChannel("pager", "key", web.url)
        assert deliver_messages(ledger, pager, at(6)) == Delivery(sent=1)
        for number in (1, 2):
            watched(ledger, spec(), number, [*ARRIVED, *made.ok(made.NULL_FLOOD)])
        deliver_messages(ledger, pager, at(60))
        trigger, *_, resolve = web.contents
    assert trigger["payload"]["custom_details"]["text"].splitlines()[1] == "Nobody has taken this on for 5 hours."
    assert (resolve["event_action"], resolve["dedup_key"]) == ("resolve", trigger["dedup_key"])


def test_what_lasts_is_said_again_where_people_see_it_until_it_is_taken_on(ledger: Ledger, slack: Slack) -> None:
    watched(ledger, spec(), 0, FLOOD)
    deliver_messages(ledger, slack_channel(slack), at(0))
    (incident,) = ledger.incidents()
    reminded(ledger, 5)
    assert reminded(ledger, 47) == 0
    assert reminded(ledger, 48, taken_on=[incident.id]) == 0
    assert reminded(ledger, 48) == 1
    assert deliver_messages(ledger, slack_channel(slack), at(48)) == Delivery(sent=1)
    (note,) = [m for m in slack.messages if "thread_ts" in m]
    assert note["text"] == "Still open after 3 days, and taken on by nobody."
    assert note["reply_broadcast"]
    assert reminded(ledger, 72) == 0
    assert reminded(ledger, 97) == 1
    assert len(slack.posted) == 1


def test_what_pages_nobody_stands_in_the_days_one_digest(ledger: Ledger, slack: Slack) -> None:
    specs = [spec(model=f"m{i}", title=f"M{i}", tier=3, features=_table(i)) for i in range(9)]
    for of in specs:
        watched(ledger, of, 0, FLOOD)
    watched(ledger, spec(), 0, FLOOD)
    assert deliver_messages(ledger, slack_channel(slack), at(0)) == Delivery(sent=2)
    digest, own = sorted(slack.shown)
    assert digest.startswith(
        "Digest of Tue 3 Mar: 9 incidents that page nobody\n- 🔴 M0: device_age_days is 31 % empty\n"
    )
    assert own.startswith("🔴 Card payments")
    assert [reminded(ledger, 60, of) for of in specs] == [0] * 9
    watched(ledger, specs[0], 1, [*ARRIVED, *made.ok(made.NULL_FLOOD)])
    watched(ledger, specs[0], 2, [*ARRIVED, *made.ok(made.NULL_FLOOD)])
    deliver_messages(ledger, slack_channel(slack), at(48))
    assert len(slack.posted) == 2
    assert "1 other resolved." in sorted(slack.shown)[0]


def _table(number: int) -> dict[str, object]:
    return {"table": f"t{number}", "columns": {"device_age_days": {"kind": "number"}}}
