from __future__ import annotations

import io
import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from alerting.incidents.conclude import conclude_incidents
from alerting.notifications.channels.console.sender import ConsoleChannel
from alerting.notifications.channels.errors import DeliveryError
from alerting.notifications.channels.slack.sender import SlackChannel
from alerting.notifications.messages.links import Links
from alerting.notifications.outbox import SENDING_LEASE, Delivery, deliver_messages, enqueue_incident_messages
from ledger.records.measurements import Measurement
from ledger.records.messages import Message
from ledger.store import Ledger
from tests.alerting import made
from tests.alerting.made import ARRIVED, FIRST, MODEL, on, spec
from tests.alerting.notifications.channels.slack.server import CHANNEL_ID, CHANNEL_NAME, TOKEN, Slack

SITE = Links("https://watch.example")
NOW = datetime(2026, 3, 10, 6, 0, tzinfo=UTC)
FLOOD = [*ARRIVED, made.NULL_FLOOD]
LESS = [*ARRIVED, replace(made.NULL_FLOOD, value=0.25)]
CLEAN = [*ARRIVED, *made.ok(made.NULL_FLOOD)]
DECAY = [*ARRIVED, made.RECALL]


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = Ledger.open(f"sqlite:///{tmp_path}/ledger.db")
    yield opened
    opened.close()


def watched(ledger: Ledger, number: int, measurements: Sequence[Measurement], channel: str = CHANNEL_NAME) -> int:
    """Conclude a day and enqueue what is news, in one transaction, as the watch does."""
    day = FIRST + timedelta(days=number)
    with ledger.transaction():
        live = ledger.live_incidents(MODEL, day)
        recent = ledger.incidents(MODEL, as_of=day - timedelta(days=1))
        ledger.save_incidents(MODEL, day, conclude_incidents(spec(), day, on(day, *measurements), live, recent))
        return enqueue_incident_messages(ledger, spec(), day, channel, SITE)


def kinds(ledger: Ledger) -> list[tuple[str, date]]:
    return [(message.kind, message.day) for message in ledger.messages()]


def slack_channel(slack: Slack) -> SlackChannel:
    return SlackChannel(TOKEN, CHANNEL_NAME, slack.url, timeout_seconds=2, sleep=lambda _: None)


def at(minutes: float) -> datetime:
    return NOW + timedelta(minutes=minutes)


def test_an_incident_is_opened_updated_when_it_says_something_else_and_resolved(ledger: Ledger) -> None:
    told = [watched(ledger, number, day) for number, day in enumerate([FLOOD, LESS, CLEAN, CLEAN, CLEAN])]
    assert told == [1, 1, 1, 1, 0]
    days = [FIRST + timedelta(days=number) for number in range(4)]
    assert kinds(ledger) == list(zip(["opened", "updated", "updated", "resolved"], days, strict=True))


def test_what_is_pending_or_withdrawn_is_told_to_nobody(ledger: Ledger) -> None:
    assert watched(ledger, 0, DECAY) == 0
    assert watched(ledger, 1, [*ARRIVED, *made.ok(made.RECALL)]) == 0
    assert watched(ledger, 2, [*ARRIVED, *made.ok(made.RECALL)]) == 0
    assert watched(ledger, 3, DECAY) == 0
    assert watched(ledger, 4, DECAY) == 1


def test_a_day_watched_again_tells_nothing_again(ledger: Ledger) -> None:
    for number, day in enumerate([FLOOD, LESS]):
        watched(ledger, number, day)
    before = ledger.messages()
    assert watched(ledger, 1, LESS) == 0
    assert watched(ledger, 0, FLOOD) == 0
    assert ledger.messages() == before


def test_an_incident_of_an_untold_past_is_opened_once_it_is_told_and_an_ended_one_never(ledger: Ledger) -> None:
    def backfilled(number: int, measurements: Sequence[Measurement]) -> None:
        day = FIRST + timedelta(days=number)
        live = ledger.live_incidents(MODEL, day)
        ledger.save_incidents(MODEL, day, conclude_incidents(spec(), day, on(day, *measurements), live))

    for number, day in enumerate([[*ARRIVED, made.UNIT_ERROR], *[[*FLOOD, *made.ok(made.UNIT_ERROR)]] * 2]):
        backfilled(number, day)
    watched(ledger, 3, FLOOD)
    (message,) = ledger.messages()
    assert (message.kind, message.day) == ("opened", FIRST + timedelta(days=3))
    assert "device_age_days" in message.incident


def test_an_incident_that_vanished_when_its_day_was_concluded_anew_is_withdrawn(ledger: Ledger) -> None:
    watched(ledger, 0, FLOOD)
    assert watched(ledger, 0, ARRIVED) == 1
    assert watched(ledger, 0, ARRIVED) == 0
    assert [message.kind for message in ledger.messages()] == ["opened", "resolved"]
    assert ledger.messages()[-1].text.startswith("⚪ withdrawn: Card payments: device_age_days is 31 % empty")


def test_other_models_and_other_channels_are_not_touched(ledger: Ledger) -> None:
    watched(ledger, 0, FLOOD)
    other = spec(model="card", title="Card")
    assert enqueue_incident_messages(ledger, other, FIRST, CHANNEL_NAME, SITE) == 0
    assert watched(ledger, 0, FLOOD, channel="console") == 1


def test_a_rolled_back_conclusion_leaves_no_message(ledger: Ledger) -> None:
    def fails_at_the_end() -> None:
        with ledger.transaction():
            watched(ledger, 0, FLOOD)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fails_at_the_end()
    assert ledger.messages() == []


def test_slack_shows_one_message_per_incident_and_its_history_in_the_thread(ledger: Ledger, slack: Slack) -> None:
    for number, day in enumerate([FLOOD, LESS, CLEAN, CLEAN]):
        watched(ledger, number, day)
        assert deliver_messages(ledger, slack_channel(slack), at(number)) == Delivery(sent=1)
    (message,) = slack.posted
    assert message["text"].startswith("✅ Card payments, resolved:")
    assert len(slack.notes) == 3
    assert deliver_messages(ledger, slack_channel(slack), at(9)) == Delivery()
    assert all(m.sent_at for m in ledger.messages())


def test_what_waited_for_days_is_told_as_it_is_now(ledger: Ledger, slack: Slack) -> None:
    for number, day in enumerate([FLOOD, LESS, CLEAN]):
        watched(ledger, number, day)
    assert deliver_messages(ledger, slack_channel(slack), NOW) == Delivery(sent=1)
    (message,) = slack.posted
    assert message["text"].startswith("🔴 Card payments: device_age_days is 25 % empty")
    assert slack.notes == []
    assert all(m.sent_at for m in ledger.messages())


DEAD = SlackChannel(TOKEN, CHANNEL_NAME, "http://127.0.0.1:9/api/", timeout_seconds=1)


def test_a_dead_slack_delays_and_drops_nothing(ledger: Ledger, slack: Slack) -> None:
    watched(ledger, 0, FLOOD)
    watched(ledger, 1, [*LESS, made.UNIT_ERROR])
    for minutes in (0, 0.2, 0.6, 1.0, 1.7, 2.0, 4.0):
        assert deliver_messages(ledger, DEAD, at(minutes)) == Delivery(waiting=2)
    assert deliver_messages(ledger, slack_channel(slack), at(600)) == Delivery(sent=2)
    assert len(slack.posted) == 2


class Longest(Random):
    """Draws the longest wait."""

    def uniform(self, a: float, b: float) -> float:
        return max(a, b)


def waits(ledger: Ledger, rng: Random, times: int) -> list[float]:
    now, found = NOW, []
    for _ in range(times):
        deliver_messages(ledger, DEAD, now, rng=rng)
        (message,) = ledger.messages()
        assert message.due_at is not None
        found.append((message.due_at - now).total_seconds())
        now = max(message.due_at, now)
    return found


def test_the_longest_wait_doubles_from_half_a_minute_to_an_hour(ledger: Ledger) -> None:
    watched(ledger, 0, FLOOD)
    assert waits(ledger, Longest(), 10) == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]


def test_the_wait_is_a_random_part_of_the_longest(ledger: Ledger) -> None:
    watched(ledger, 0, FLOOD)
    found = waits(ledger, Random(7), 10)
    longest = [30, 60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]
    assert all(0 <= wait <= most for wait, most in zip(found, longest, strict=True))
    shares = [wait / most for wait, most in zip(found, longest, strict=True)]
    assert max(shares) - min(shares) > 0.3


def test_what_cannot_be_told_for_three_days_is_a_dead_letter_until_there_is_news(ledger: Ledger, slack: Slack) -> None:
    watched(ledger, 0, FLOOD)
    for hours in (0, 48, 73):
        deliver_messages(ledger, DEAD, NOW + timedelta(hours=hours))
    (dead,) = ledger.dead_letters()
    assert dead.last_error.startswith("Slack can't be reached")
    assert deliver_messages(ledger, slack_channel(slack), NOW + timedelta(days=9)) == Delivery()
    watched(ledger, 1, LESS)
    assert deliver_messages(ledger, slack_channel(slack), NOW + timedelta(days=9)) == Delivery(sent=1)
    assert ledger.dead_letters() == []
    assert len(slack.posted) == 1


def test_a_rate_limit_is_honoured_to_the_second(ledger: Ledger, slack: Slack) -> None:
    watched(ledger, 0, FLOOD)
    slack.next = [(429, {"Retry-After": "600"}, {"ok": False, "error": "ratelimited"})]
    assert deliver_messages(ledger, slack_channel(slack), at(0)) == Delivery(waiting=1)
    assert deliver_messages(ledger, slack_channel(slack), at(9.9)) == Delivery(waiting=1)
    assert slack.calls == ["chat.postMessage"]
    assert deliver_messages(ledger, slack_channel(slack), at(10.02)) == Delivery(sent=1)


def test_what_a_person_must_mend_is_kept_and_tried_at_every_delivery(ledger: Ledger, slack: Slack) -> None:
    watched(ledger, 0, FLOOD)
    wrong = SlackChannel("xoxb-wrong", CHANNEL_NAME, slack.url)
    assert deliver_messages(ledger, wrong, NOW) == Delivery(failed=1)
    (message,) = ledger.messages()
    assert message.last_error == "Slack refuses chat.postMessage: invalid_auth"
    assert deliver_messages(ledger, slack_channel(slack), NOW) == Delivery(sent=1)


def test_one_message_that_slack_refuses_does_not_hold_up_other_incidents(ledger: Ledger, slack: Slack) -> None:
    watched(ledger, 0, [*FLOOD, made.UNIT_ERROR])
    slack.next = ["msg_too_long"]
    assert deliver_messages(ledger, slack_channel(slack), NOW) == Delivery(sent=1, failed=1)


class DiesError(Exception):
    """Stands for a process that ends there and then."""


class DyingChannel(SlackChannel):
    """Slack takes the message, and the process dies before it can record that."""

    def send(self, message: Message, ts: str | None) -> str:
        super().send(message, ts)
        raise DiesError


def dying(slack: Slack) -> DyingChannel:
    return DyingChannel(TOKEN, CHANNEL_NAME, slack.url, timeout_seconds=2)


@pytest.mark.parametrize("minutes", [0.0, SENDING_LEASE.total_seconds() / 60])
def test_a_crash_between_telling_and_recording_doubles_nothing(ledger: Ledger, slack: Slack, minutes: float) -> None:
    for number, day in enumerate([FLOOD, LESS, CLEAN, CLEAN]):
        watched(ledger, number, day)
        now = NOW + timedelta(days=number)
        with pytest.raises(DiesError):
            deliver_messages(ledger, dying(slack), now)
        assert deliver_messages(ledger, slack_channel(slack), now + timedelta(minutes=minutes)) == Delivery(sent=1)
    assert len(slack.posted) == 1
    assert len(slack.notes) == 3


def test_a_message_that_another_process_is_sending_is_left_to_it(ledger: Ledger, slack: Slack) -> None:
    watched(ledger, 0, FLOOD)
    with pytest.raises(DiesError):
        deliver_messages(ledger, dying(slack), at(0))
    assert deliver_messages(ledger, slack_channel(slack), at(0.5)) == Delivery(waiting=1)
    assert deliver_messages(ledger, slack_channel(slack), at(-0.5)) == Delivery(waiting=1)


def test_a_delivery_can_keep_to_its_own_models(ledger: Ledger, slack: Slack) -> None:
    watched(ledger, 0, FLOOD)
    assert deliver_messages(ledger, slack_channel(slack), NOW, models=["app_scams"]) == Delivery()
    assert deliver_messages(ledger, slack_channel(slack), NOW, models=[MODEL]) == Delivery(sent=1)


def test_the_place_of_a_message_is_remembered(ledger: Ledger, slack: Slack) -> None:
    watched(ledger, 0, FLOOD)
    deliver_messages(ledger, slack_channel(slack), NOW)
    (incident,) = ledger.incidents(MODEL)
    assert ledger.thread(incident.id, CHANNEL_NAME) == f"{CHANNEL_ID}/1700000000.000000"


def test_without_slack_the_same_message_goes_to_the_terminal_and_a_file(ledger: Ledger, tmp_path: Path) -> None:
    file, terminal = tmp_path / "told" / "messages.txt", io.StringIO()
    for number, day in enumerate([FLOOD, LESS]):
        watched(ledger, number, day, channel="console")
        assert deliver_messages(ledger, ConsoleChannel(file, terminal), at(number)) == Delivery(sent=1)
    told = file.read_text(encoding="utf-8")
    assert told == terminal.getvalue()
    incident = "card_payments-20260303-column_fault-device_age_days"
    assert told.startswith(f"--- 2026-03-03 opened {incident}\n🔴 Card payments: device_age_days is 31 % empty\n")
    assert f"\n\n--- 2026-03-04 updated {incident}\n🔴 Card payments: device_age_days is 25 % empty\n" in told


def test_a_console_message_that_was_written_before_a_crash_is_not_written_again(ledger: Ledger, tmp_path: Path) -> None:
    watched(ledger, 0, FLOOD, channel="console")
    console = ConsoleChannel(tmp_path / "messages.txt", io.StringIO())
    (message,) = ledger.messages()
    console.send(message, None)
    once = console.file.read_text(encoding="utf-8")
    console.send(replace(message, attempts=1), None)
    assert console.file.read_text(encoding="utf-8") == once


def test_a_terminal_without_emoji_gets_the_rest(tmp_path: Path) -> None:
    raw = io.BytesIO()
    terminal = io.TextIOWrapper(raw, encoding="ascii")
    ConsoleChannel(tmp_path / "m.txt", terminal).send(Message("a-1", FIRST, "opened", "console", "🔴 A", []), None)
    terminal.flush()
    assert b"? A" in raw.getvalue()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_delays_a_message() -> None:
    with pytest.raises(DeliveryError, match="/dev/full can't be written") as error:
        ConsoleChannel(Path(os.devnull).with_name("full"), io.StringIO()).send(
            Message("a-1", FIRST, "opened", "console", "A", []), None
        )
    assert not error.value.permanent


@pytest.mark.parametrize(
    "answer",
    [
        (429, {"Retry-After": "120"}, {"ok": False, "error": "ratelimited"}),
        (500, {}, "oops"),
        (503, {}, {"ok": False, "error": "service_unavailable"}),
        "internal_error",
        "hang up",
        "drop",
        "hang",
        "twice",
        None,
    ],
)
@pytest.mark.parametrize("news", [FLOOD, LESS])
def test_however_slack_answers_an_incident_stays_one_message(
    ledger: Ledger, slack: Slack, answer: object, news: Sequence[Measurement]
) -> None:
    """The first message, then an update; the trouble is at the first or at the second."""
    to = SlackChannel(TOKEN, CHANNEL_NAME, slack.url, timeout_seconds=1, sleep=lambda _: None)
    watched(ledger, 0, FLOOD)
    if news is LESS:
        assert deliver_messages(ledger, to, at(-10)) == Delivery(sent=1)
        watched(ledger, 1, LESS)
    slack.next = [answer]
    first = deliver_messages(ledger, to, at(0))
    assert first in (Delivery(sent=1), Delivery(waiting=1))
    if first.waiting:
        assert deliver_messages(ledger, to, at(60)) == Delivery(sent=1)
    assert len(slack.posted) == 1
    assert len(slack.notes) == (news is LESS)
    assert deliver_messages(ledger, to, at(120)) == Delivery()
