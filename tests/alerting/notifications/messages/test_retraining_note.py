"""What becomes of a retraining is told in the incident's own message and thread, by Slack's own rules."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from alerting.notifications.channels.slack.sender import SlackChannel
from alerting.notifications.messages import retraining_note
from alerting.notifications.outbox import deliver_messages
from ledger.records.messages import Message
from ledger.store import Ledger
from tests.alerting.notifications.channels.slack.server import CHANNEL_NAME, TOKEN, Slack

INCIDENT, DAY = "card_payments-performance_decay-2026-03-03", date(2026, 3, 4)
BLOCKS = [{"type": "section", "text": {"type": "mrkdwn", "text": "recall fell"}}]
LINK = "http://localhost:8080/dags/retrain__card_payments/runs/asset_triggered__a%2Bb/tasks/approve/required_actions"
NOW = datetime(2026, 3, 5, tzinfo=UTC)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = Ledger.open(f"sqlite:///{tmp_path}/ledger.db")
    opened.enqueue(Message(INCIDENT, DAY, "opened", CHANNEL_NAME, "recall fell", BLOCKS))
    yield opened
    opened.close()


def test_slack_shows_that_a_retraining_waits_and_then_what_became_of_it(ledger: Ledger, slack: Slack) -> None:
    to = SlackChannel(TOKEN, CHANNEL_NAME, slack.url, timeout_seconds=5)
    deliver_messages(ledger, to, NOW)
    retraining_note.enqueue_retraining_note(
        ledger, INCIDENT, DAY, "asked", "Retraining is waiting for approval: `x*y` fell.", link=LINK
    )
    deliver_messages(ledger, to, NOW)
    (message,) = slack.posted
    assert message["blocks"][-1]["elements"][0]["text"] == (
        f"Retraining is waiting for approval: `x*y` fell. <{LINK}|Answer in Airflow>"
    )
    retraining_note.enqueue_retraining_note(ledger, INCIDENT, DAY, "answered", "Retraining: nothing changes.")
    deliver_messages(ledger, to, NOW)
    (message,) = slack.posted
    assert message["text"] == "recall fell"
    assert [block["type"] for block in message["blocks"]] == ["section", "context"]
    assert "waiting" not in str(message["blocks"])
    assert [note.partition(":")[0] for note in slack.notes] == ["Retraining is waiting for approval", "Retraining"]
    assert slack.notes[0].endswith(LINK)


def test_a_note_is_told_once_a_day_on_each_channel_that_knows_the_incident(ledger: Ledger) -> None:
    ledger.enqueue(Message(INCIDENT, DAY, "opened", "console", "recall fell", BLOCKS))
    assert retraining_note.enqueue_retraining_note(ledger, INCIDENT, DAY, "asked", "waits") == 2
    assert retraining_note.enqueue_retraining_note(ledger, INCIDENT, DAY, "asked", "waits") == 0
    assert retraining_note.enqueue_retraining_note(ledger, "another-incident", DAY, "asked", "waits") == 0


def test_a_note_never_stands_before_what_the_incident_was_last_told(ledger: Ledger) -> None:
    later = date(2026, 3, 9)
    ledger.enqueue(Message(INCIDENT, later, "updated", CHANNEL_NAME, "recall fell more", BLOCKS))
    retraining_note.enqueue_retraining_note(ledger, INCIDENT, DAY, "answered", "done")
    newest = ledger.messages(INCIDENT)[-1]
    assert (newest.kind, newest.day, newest.text) == ("answered", later, "recall fell more")


def test_a_long_note_is_cut_to_what_slack_takes(ledger: Ledger) -> None:
    retraining_note.enqueue_retraining_note(ledger, INCIDENT, DAY, "answered", "<&>" * 5000, link=LINK)
    assert len(ledger.messages(INCIDENT)[-1].blocks[-1]["elements"][0]["text"]) < 3000
