from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from ledger.store import Ledger
from tests.ledger.made import KINDS, days, message

CHANNEL = message().channel
SENT = datetime(2026, 3, 3, 6, 4, 5, 678, tzinfo=UTC)


def test_a_message_is_put_into_the_outbox_once(ledger: Ledger) -> None:
    assert ledger.enqueue(message())
    assert not ledger.enqueue(message(text="said differently by a second run"))
    assert ledger.enqueue(message(channel="console"))
    assert ledger.messages() == [message(), message(channel="console")]
    assert ledger.unsent(CHANNEL) == [message()]


def test_messages_wait_in_the_order_in_which_they_are_told(ledger: Ledger) -> None:
    notified = [message(day=day, kind=kind, incident=name) for day in days(2) for kind in KINDS for name in ("a", "b")]
    for one in reversed(notified):
        ledger.enqueue(one)
    assert ledger.unsent(CHANNEL) == notified
    assert ledger.messages("b") == notified[1::2]


def test_a_failed_attempt_is_counted_and_the_message_keeps_waiting(ledger: Ledger) -> None:
    ledger.enqueue(message())
    ledger.record_attempt(message(), sent_at=None, error="channel_not_found")
    (waiting,) = ledger.unsent(CHANNEL)
    assert waiting == message(attempts=1, last_error="channel_not_found")
    ledger.record_attempt(waiting, sent_at=SENT.astimezone(timezone(timedelta(hours=5))), error="")
    assert ledger.unsent(CHANNEL) == []
    (sent,) = ledger.messages()
    assert sent == message(attempts=2, sent_at=SENT)
    assert sent.sent_at is not None
    assert sent.sent_at.utcoffset() == timedelta(0)


def test_an_attempt_marks_its_own_message_only(ledger: Ledger) -> None:
    others = [message(kind="updated"), message(incident="b"), message(channel="console"), message(day=days(2)[1])]
    for one in (message(), *others):
        ledger.enqueue(one)
    ledger.record_attempt(message(), sent_at=SENT, error="")
    assert [m for m in ledger.messages() if m.sent_at is None] == sorted(
        others, key=lambda m: (m.day, KINDS.index(m.kind), m.incident, m.channel)
    )


def test_an_attempt_of_a_message_that_was_never_put_leaves_nothing(ledger: Ledger) -> None:
    ledger.record_attempt(message(), sent_at=SENT, error="")
    assert ledger.messages() == []


def test_the_place_of_an_incidents_message_is_kept_by_channel(ledger: Ledger) -> None:
    assert ledger.thread("flood", CHANNEL) is None
    ledger.save_thread("flood", CHANNEL, "1700.1")
    ledger.save_thread("flood", CHANNEL, "1700.2")
    ledger.save_thread("flood", "#other", "9")
    assert (ledger.thread("flood", CHANNEL), ledger.thread("flood", "#other")) == ("1700.2", "9")


def test_what_was_told_last_about_each_incident_is_found(ledger: Ledger) -> None:
    first, second = days(2)
    for one in (message(), message(day=second, kind="updated"), message(incident="b"), message(incident="c")):
        ledger.enqueue(one)
        if one.incident != "c":
            ledger.record_attempt(one, sent_at=SENT, error="", bundle="bundle")
    assert [(m.incident, m.day, m.kind, m.bundle) for m in ledger.notified(CHANNEL, first)] == [
        ("b", first, "opened", "bundle"),
        (message().incident, second, "updated", "bundle"),
    ]
    assert [m.incident for m in ledger.notified(CHANNEL, second)] == [message().incident]
    assert ledger.notified("console", first) == []


def test_dead_letters_are_found_and_tried_again_when_asked_for(ledger: Ledger) -> None:
    for one in (message(), message(incident="b")):
        ledger.enqueue(one)
    ledger.record_attempt(message(), sent_at=None, error="gone", dead=True)
    assert [m.last_error for m in ledger.dead_letters()] == ["gone"]
    assert ledger.retry_dead_letters() == 1
    assert ledger.dead_letters() == []
    assert [m.last_error for m in ledger.unsent(CHANNEL)] == ["", "gone"]


def test_incidents_told_as_one_stand_at_one_place(ledger: Ledger) -> None:
    for incident in ("a", "b"):
        ledger.save_thread(incident, CHANNEL, "1700.1")
    ledger.save_thread("a", "#other", "9")
    assert ledger.threads(CHANNEL) == {"a": "1700.1", "b": "1700.1"}
