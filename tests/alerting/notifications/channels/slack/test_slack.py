from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from alerting.notifications.channels.errors import DeliveryError
from alerting.notifications.channels.slack.sender import SlackChannel
from alerting.notifications.channels.slack.settings import SlackSettings
from ledger.records.messages import Chart, ChartPoint, Message
from tests.alerting.notifications.channels.slack.server import CHANNEL_ID, CHANNEL_NAME, TOKEN, Slack

BLOCKS: list[dict[str, Any]] = [{"type": "section", "text": {"type": "mrkdwn", "text": "hello"}}]
OPENED = Message("card_payments-1", date(2026, 3, 3), "opened", CHANNEL_NAME, "<!channel> 31 % null", BLOCKS)
UPDATED = replace(OPENED, day=date(2026, 3, 4), kind="updated", text="30 % null", thread_note="now *30* % null")
AGAIN = replace(OPENED, attempts=1)


def channel(
    slack: Slack, name: str = CHANNEL_NAME, token: str = TOKEN, slept: list[float] | None = None
) -> SlackChannel:
    waits = slept if slept is not None else []
    return SlackChannel(token, name, slack.url, timeout_seconds=2, sleep=waits.append)


@pytest.mark.parametrize("name", [CHANNEL_NAME, CHANNEL_ID])
def test_an_incident_is_one_message_edited_in_place_with_its_history_in_the_thread(slack: Slack, name: str) -> None:
    to = channel(slack, name)
    place = to.send(OPENED, None)
    assert place == f"{CHANNEL_ID}/1700000000.000000"
    assert to.send(UPDATED, place) == place
    (message,) = slack.posted
    assert message["text"] == "30 % null"
    assert message["blocks"] == BLOCKS
    payload = message["metadata"]["event_payload"]
    assert len(payload.pop("note")) == 16
    assert payload == {"incident": "card_payments-1", "day": "2026-03-04", "kind": "updated"}
    assert slack.notes == ["now ∗30∗ % null"]


def test_the_fallback_text_mentions_nobody(slack: Slack) -> None:
    channel(slack).send(OPENED, None)
    assert slack.posted[0]["text"] == "&lt;!channel&gt; 31 % null"


@pytest.mark.parametrize("name", [CHANNEL_NAME, CHANNEL_ID])
def test_a_message_that_came_through_before_a_crash_is_found_and_not_sent_again(slack: Slack, name: str) -> None:
    to = channel(slack, name)
    for other in ("card_payments-0", "card_payments-1", "card_payments-2"):
        to.send(replace(OPENED, incident=other), None)
    assert to.send(AGAIN, None) == f"{CHANNEL_ID}/1700000000.000001"
    assert len(slack.messages) == 3


def test_a_message_that_did_not_come_through_is_sent_again(slack: Slack) -> None:
    channel(slack).send(AGAIN, None)
    assert len(slack.posted) == 1


def test_a_thread_note_is_kept_once_when_its_update_is_repeated(slack: Slack) -> None:
    to = channel(slack)
    place = to.send(OPENED, None)
    to.send(UPDATED, place)
    to.send(replace(UPDATED, attempts=1), place)
    assert len(slack.notes) == 1


def test_without_the_scope_to_look_a_message_is_rather_sent_twice_than_never(slack: Slack) -> None:
    to = channel(slack)
    to.send(OPENED, None)
    slack.next = ["missing_scope"]
    to.send(AGAIN, None)
    assert len(slack.posted) == 2


def test_a_message_that_somebody_deleted_is_told_anew(slack: Slack) -> None:
    place = channel(slack).send(UPDATED, f"{CHANNEL_ID}/1600000000.000000")
    assert place == f"{CHANNEL_ID}/1700000000.000000"
    assert len(slack.posted) == 1


def test_blocks_that_slack_refuses_are_told_in_plain_text(slack: Slack) -> None:
    slack.next = ["invalid_blocks"]
    channel(slack).send(OPENED, None)
    assert slack.posted[0]["blocks"] == []


def limited(seconds: str) -> tuple[int, dict[str, str], dict[str, Any]]:
    return 429, {"Retry-After": seconds}, {"ok": False, "error": "ratelimited"}


PICTURE = Chart(
    "Nulls: device_age_days (%)",
    "31 % on Tue 3 Mar; it was 0.2 % before.",
    " %",
    (
        ChartPoint(date(2026, 3, 1), 0.2, 0.8),
        ChartPoint(date(2026, 3, 2), 0.2, 0.8),
        ChartPoint(date(2026, 3, 3), 31.0, 0.8, bad=True),
    ),
    date(2026, 3, 3),
)
DRAWN = replace(OPENED, picture=PICTURE)


def test_a_picture_of_the_figure_goes_into_the_thread_with_its_words_for_who_cannot_see_it(slack: Slack) -> None:
    to = channel(slack)
    place = to.send(DRAWN, None)
    to.send(replace(DRAWN, kind="updated"), place)
    (shown,) = slack.pictures
    assert f"{CHANNEL_ID}/{shown['thread_ts']}" == place
    assert shown["title"] == "Nulls: device_age_days (%)"
    assert shown["alt_txt"] == "Nulls: device_age_days (%): 31 % on Tue 3 Mar; it was 0.2 % before."
    assert slack.uploads[shown["id"]]["content"].startswith(b"\x89PNG")


@pytest.mark.parametrize("answered", range(5))
def test_after_a_crash_at_any_call_there_is_one_message_and_one_picture(slack: Slack, answered: int) -> None:
    """The first process dies when it made so many calls: nothing of it is recorded."""
    slack.stop_after = answered
    with suppress(DeliveryError):
        channel(slack).send(DRAWN, None)
    slack.stop_after = None
    channel(slack).send(replace(DRAWN, attempts=1), None)
    assert len(slack.posted) == len(slack.pictures) == 1


def test_without_the_scope_for_files_the_message_goes_and_it_is_said_once(
    slack: Slack, caplog: pytest.LogCaptureFixture
) -> None:
    slack.lacking = {"files.getUploadURLExternal"}
    to = channel(slack)
    for incident in ("card_payments-1", "card_payments-2"):
        to.send(replace(DRAWN, incident=incident), None)
    assert (len(slack.posted), slack.pictures) == (2, [])
    (record,) = caplog.records
    assert record.getMessage().startswith(
        "#fraud: no picture of card_payments-1 (missing_scope; the app lacks the scope"
    )


def test_without_the_scope_to_look_no_picture_is_shown_twice(slack: Slack) -> None:
    channel(slack, CHANNEL_ID).send(DRAWN, None)
    slack.lacking = {"conversations.replies"}
    channel(slack, CHANNEL_ID).send(replace(DRAWN, attempts=1), None)
    assert (len(slack.posted), len(slack.pictures)) == (1, 1)


@pytest.mark.parametrize("answer", ["hang up", "drop", (503, {}, "down"), (429, {"Retry-After": "3"}, {}), "no_idea"])
@pytest.mark.parametrize("step", range(3))
def test_a_picture_that_fails_is_left_out_and_the_message_stays(slack: Slack, answer: Any, step: int) -> None:
    slack.next = [None] * (1 + step) + [answer]
    place = channel(slack).send(DRAWN, None)
    assert place == f"{CHANNEL_ID}/{slack.posted[0]['ts']}"
    assert len(slack.posted) == 1


def test_a_short_rate_limit_is_waited_for(slack: Slack) -> None:
    slack.next = [limited("3"), limited("4")]
    slept: list[float] = []
    channel(slack, slept=slept).send(OPENED, None)
    assert slept == [3.0, 4.0]
    assert len(slack.posted) == 1


@pytest.mark.parametrize(("asked", "seconds"), [("600", 600.0), ("soon", 60.0)])
def test_a_long_rate_limit_is_left_to_the_next_delivery(slack: Slack, asked: str, seconds: float) -> None:
    slack.next = [limited(asked)]
    slept: list[float] = []
    with pytest.raises(DeliveryError) as error:
        channel(slack, slept=slept).send(OPENED, None)
    assert (error.value.retry_after_seconds, error.value.permanent, slept) == (seconds, False, [])


def test_rate_limits_are_waited_for_half_a_minute_in_all(slack: Slack) -> None:
    slack.next = [limited("20"), limited("20")]
    with pytest.raises(DeliveryError):
        channel(slack).send(OPENED, None)


@pytest.mark.parametrize(
    ("answer", "permanent"),
    [
        ("hang up", False),
        ("drop", False),
        ((503, {}, "<html>down</html>"), False),
        ((200, {}, "<html>a proxy</html>"), False),
        ("internal_error", False),
        ("invalid_auth", True),
        ("not_in_channel", True),
        ("msg_too_long", True),
    ],
)
def test_every_failure_says_whether_a_person_is_needed(slack: Slack, answer: Any, permanent: bool) -> None:
    slack.next = [answer]
    with pytest.raises(DeliveryError) as error:
        channel(slack).send(OPENED, None)
    assert error.value.permanent is permanent


def test_a_slack_that_is_not_there_is_passing() -> None:
    nowhere = SlackChannel(TOKEN, CHANNEL_NAME, "http://127.0.0.1:9/api/", timeout_seconds=1)
    with pytest.raises(DeliveryError) as error:
        nowhere.send(OPENED, None)
    assert not error.value.permanent


@pytest.mark.parametrize("token", [TOKEN + "-of-another", "xoxb-secret\nwith a line", "xoxb-secret-ä"])
def test_a_token_is_in_no_error_and_no_log(slack: Slack, token: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with pytest.raises(DeliveryError) as error:
        channel(slack, token=token).send(OPENED, None)
    assert "secret" not in str(error.value)
    assert error.value.__cause__ is None
    assert "secret" not in caplog.text


def test_after_a_long_look_for_an_earlier_message_nothing_is_posted(slack: Slack) -> None:
    moments = iter([0.0, 46.0])
    slow = SlackChannel(TOKEN, CHANNEL_ID, slack.url, clock=lambda: next(moments))
    with pytest.raises(DeliveryError, match="took too long") as error:
        slow.send(replace(OPENED, attempts=1), None)
    assert not error.value.permanent
    assert slack.posted == []


def test_a_slack_channel_of_the_routes_keeps_its_name_and_posts_to_its_channel(slack: Slack) -> None:
    settings = SlackSettings(kind="slack", channel=CHANNEL_NAME, url=slack.url)
    audit = settings.build("audit", TOKEN)
    audit.send(OPENED, None)
    assert audit.name == "audit"
    assert len(slack.posted) == 1
