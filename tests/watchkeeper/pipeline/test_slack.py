from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

from ledger.records.incidents import Status
from models.spec import Spec
from tests.alerting.conftest import slack
from tests.alerting.notifications.channels.slack.server import CHANNEL_NAME, TOKEN, Slack
from tests.watchkeeper.conftest import MODEL
from watchkeeper.pipeline import watch
from watchkeeper.settings import Settings

__all__ = ["slack"]
DAY, NEXT = date(2026, 1, 20), date(2026, 1, 21)


def test_an_incident_is_one_slack_message_from_its_first_day_to_its_last(
    settings: Settings, spec: Spec, broken_bank: Callable[..., Path], slack: Slack
) -> None:
    ctx = watch.open_context(
        replace(
            settings,
            warehouse=str(broken_bank(without=DAY)),
            slack_token=TOKEN,
            slack_channel=CHANNEL_NAME,
            slack_base_url=slack.url,
            site_url="https://watch.example",
        )
    )
    watch.watch_day(ctx, spec, DAY)
    assert watch.deliver_and_write_heartbeat(ctx, [spec]) == "1 sent, 0 waiting"
    watch.watch_day(ctx, spec, DAY)
    assert watch.deliver_and_write_heartbeat(ctx, [spec]) == "0 sent, 0 waiting", (
        "a day watched again must not tell twice"
    )
    (incident,) = ctx.ledger.incidents(MODEL)
    (message,) = slack.posted
    assert "no partition arrived" in message["text"]
    assert f"https://watch.example/{incident.page}" in str(message["blocks"])
    assert TOKEN not in str(slack.messages)

    watch.watch_day(ctx, spec, NEXT)
    watch.deliver_and_write_heartbeat(ctx, [spec])
    (incident,) = ctx.ledger.incidents(MODEL)
    assert incident.status is Status.RESOLVED
    (message,) = slack.posted
    assert "resolved" in str(message["blocks"]).lower()
    assert len(slack.notes) == 1


def test_a_dead_slack_delays_a_message_and_never_drops_it(
    settings: Settings, spec: Spec, broken_bank: Callable[..., Path], slack: Slack
) -> None:
    given = replace(
        settings,
        warehouse=str(broken_bank(without=DAY)),
        slack_token=TOKEN,
        slack_channel=CHANNEL_NAME,
        slack_base_url="http://127.0.0.1:9/api/",
    )
    watch.watch_day(watch.open_context(given), spec, DAY)
    assert watch.deliver_and_write_heartbeat(watch.open_context(given), [spec]) == "0 sent, 1 waiting"
    later = replace(given, slack_base_url=slack.url, now="2026-02-01T06:00:00")
    assert watch.deliver_and_write_heartbeat(watch.open_context(later), [spec]) == "1 sent, 0 waiting"
    assert len(slack.posted) == 1
