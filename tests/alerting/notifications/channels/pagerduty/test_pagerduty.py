from __future__ import annotations

from dataclasses import replace

from alerting.notifications.channels.pagerduty.sender import PagerDutyChannel, dedup_key
from tests.alerting.notifications.channels.http_server import Web
from tests.alerting.notifications.channels.made import INCIDENT, LINKS, OPENED, RESOLVED, SECRET


def pagerduty(web: Web) -> PagerDutyChannel:
    return PagerDutyChannel("on-call", SECRET, web.url, timeout_seconds=0.3)


def test_pagerduty_is_told_one_alert_from_trigger_to_resolve(web: Web) -> None:
    web.usual = 202
    place = pagerduty(web).send(OPENED, None)
    for message in (replace(OPENED, kind="handled 7"), RESOLVED):
        assert pagerduty(web).send(message, place) == place
    assert [path for path, _, _ in web.posted] == ["/v2/enqueue"] * 3
    trigger, acknowledge, resolve = web.contents
    assert [each["event_action"] for each in web.contents] == ["trigger", "acknowledge", "resolve"]
    assert {each["dedup_key"] for each in web.contents} == {INCIDENT.id}
    assert trigger["payload"]["summary"] == "🔴 Card payments: device_age_days is 31 % empty"
    assert (trigger["payload"]["severity"], trigger["payload"]["source"]) == ("critical", "card_payments")
    assert trigger["payload"]["component"] == "card_payments/features"
    assert trigger["payload"]["custom_details"]["incidents"][0]["cause"] == "column_fault"
    assert [(link["text"], link["href"]) for link in trigger["links"]] == [
        ("Open the incident", LINKS.page(INCIDENT)),
        ("Runbook", "https://docs.example/watchkeeper/runbook/column_fault/"),
    ]
    assert acknowledge.keys() == resolve.keys() == {"routing_key", "event_action", "dedup_key"}


def test_a_long_id_is_shortened_for_pagerduty_and_stays_its_own() -> None:
    one, other = dedup_key("x" * 300), dedup_key("x" * 299 + "y")
    assert len(one) == len(other) == 255
    assert one != other
