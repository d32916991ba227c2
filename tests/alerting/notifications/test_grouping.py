"""One cause is one message, and a flood is a handful: counted at the local Slack."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

import catalogue
from alerting.incidents.conclude import conclude_incidents
from alerting.notifications.channels.slack.sender import SlackChannel
from alerting.notifications.grouping import MAX_NEW_MESSAGES
from alerting.notifications.messages.links import Links
from alerting.notifications.outbox import Delivery, deliver_messages, enqueue_incident_messages
from catalogue import causes
from ledger.records.incidents import Incident, Status
from ledger.records.measurements import Measurement
from ledger.store import Ledger
from models.spec import Spec
from tests.alerting import made
from tests.alerting.made import ARRIVED, FIRST, m, on, spec
from tests.alerting.notifications.channels.slack.server import CHANNEL_NAME, TOKEN, Slack

SITE = Links("https://watch.example")
NOW = datetime(2026, 3, 4, 6, 0, tzinfo=UTC)
BROKEN = [*ARRIVED, made.NULL_FLOOD]
MENDED = [*ARRIVED, *made.ok(made.NULL_FLOOD)]


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = Ledger.open(f"sqlite:///{tmp_path}/ledger.db")
    yield opened
    opened.close()


def model(name: str, importance: float = 0.2, table: str = "shared/features", **more: object) -> Spec:
    columns = {"device_age_days": {"kind": "number", "importance": importance}}
    return spec(model=name, title=name.title(), features={"table": table, "columns": columns}, checks=[], **more)


def slack_channel(slack: Slack) -> SlackChannel:
    return SlackChannel(TOKEN, CHANNEL_NAME, slack.url, timeout_seconds=5, sleep=lambda _: None)


def watched(ledger: Ledger, of: Spec, number: int, measurements: Sequence[Measurement]) -> None:
    day = FIRST + timedelta(days=number)
    found = [replace(each, model=of.model) for each in on(day, *measurements)]
    with ledger.transaction():
        live = ledger.live_incidents(of.model, day)
        ledger.save_incidents(of.model, day, conclude_incidents(of, day, found, live))
        enqueue_incident_messages(ledger, of, day, CHANNEL_NAME, SITE)


def told(ledger: Ledger, slack: Slack, number: int = 0) -> Delivery:
    return deliver_messages(ledger, slack_channel(slack), NOW + timedelta(days=number))


MONEY = [replace(each, value=90_000.0, high=95_000.0) for each in made.MONEY[:1]]


def test_a_broken_table_is_one_message_with_its_models_by_importance_and_money(ledger: Ledger, slack: Slack) -> None:
    watched(ledger, model("refunds", 0.05), 0, BROKEN)
    watched(ledger, model("wires", 0.3), 0, BROKEN)
    watched(ledger, model("cards", 0.3), 0, [*BROKEN, *MONEY])
    assert told(ledger, slack) == Delivery(sent=1)
    (text,) = slack.shown
    head, *lines = text.splitlines()
    assert head == "🔴 3 models: device_age_days is 31 % empty"
    assert lines[:3] == [
        "- Cards (tier 2), importance 30 %, up to GBP 28k a day",
        "- Wires (tier 2), importance 30 %",
        "- Refunds (tier 2), importance 5 %",
    ]
    assert "In Cards:" in lines
    assert [m.sent_at is None for m in ledger.messages()] == [False] * 3


def test_a_model_that_comes_later_joins_the_message_and_its_thread(ledger: Ledger, slack: Slack) -> None:
    watched(ledger, model("cards"), 0, BROKEN)
    assert told(ledger, slack) == Delivery(sent=1)
    assert slack.shown[0].startswith("🔴 Cards: device_age_days is 31 % empty")
    watched(ledger, model("wires"), 0, BROKEN)
    assert told(ledger, slack) == Delivery(sent=1)
    assert slack.shown[0].startswith("🔴 2 models: device_age_days is 31 % empty")
    assert slack.notes == ["Tue 3 Mar: also Wires (tier 2), importance 20 %."]


def test_the_message_stays_open_until_the_last_model_is_well(ledger: Ledger, slack: Slack) -> None:
    cards, wires = model("cards"), model("wires")
    for number, (one, other) in enumerate([(BROKEN, BROKEN), (MENDED, BROKEN), (MENDED, MENDED), (MENDED, MENDED)]):
        watched(ledger, cards, number, one)
        watched(ledger, wires, number, other)
        told(ledger, slack, number)
        heads = {2: "🔴 1 model: device_age_days", 3: "✅ 2 models, resolved: device_age_days"}
        assert slack.shown[0].startswith(heads.get(number, "🔴 2 models: device_age_days"))
        assert len(slack.posted) == 1
    assert "1 other resolved." not in slack.shown[0]


def test_the_same_fault_again_after_it_was_mended_is_a_new_message(ledger: Ledger, slack: Slack) -> None:
    days = [BROKEN, MENDED, MENDED, MENDED, MENDED, MENDED, MENDED, MENDED, MENDED, MENDED, MENDED, MENDED]
    for number, day in enumerate([*days, BROKEN]):
        watched(ledger, model("cards"), number, day)
        told(ledger, slack, number)
    watched(ledger, model("wires"), len(days), BROKEN)
    told(ledger, slack, len(days))
    assert len(slack.posted) == 2
    assert slack.shown[0].startswith("✅ Cards, resolved")
    assert slack.shown[1].startswith("🔴 2 models")


def test_other_tables_and_causes_of_a_models_own_keep_their_messages(ledger: Ledger, slack: Slack) -> None:
    watched(ledger, model("cards"), 0, BROKEN)
    watched(ledger, model("wires", table="other/features"), 0, BROKEN)
    assert told(ledger, slack) == Delivery(sent=2)
    gap = [*ARRIVED, made.GAP]
    for number in (1, 2):
        for name in ("loans", "leases"):
            watched(ledger, model(name), number, gap)
    told(ledger, slack, 2)
    assert len(slack.posted) == 4


def test_500_breaches_in_one_night_make_a_handful_of_messages(ledger: Ledger, slack: Slack) -> None:
    """25 models with 20 broken figures each, spread over ten tables, and concluded one after the other."""
    slack.page_size = 200
    breaches = 0
    for number in range(25):
        name = f"model{number:02}"
        columns = {f"column_{i}": {"kind": "number", "importance": 0.04} for i in range(20)}
        of = spec(model=name, title=name, features={"table": f"table_{number % 10}", "columns": columns}, checks=[])
        metrics = ["null_share", "scale_ratio", "unseen_share", "nonfinite_share"]
        found = [m("drift", metrics[(i + number) % 4], f"column_{i}", 0.4, limit=0.1) for i in range(20)]
        breaches += len(found)
        watched(ledger, of, 0, [*ARRIVED, *found])
        if number % 5 == 4:
            told(ledger, slack)
    assert breaches == 500
    assert len(slack.posted) <= MAX_NEW_MESSAGES + 1
    assert sum("further incident" in text for text in slack.shown) <= 1
    incidents = [i for i in ledger.incidents() if i.status is Status.FIRING]
    assert {m.incident for m in ledger.messages() if m.sent_at} == {i.id for i in incidents}
    places = ledger.threads(CHANNEL_NAME)
    assert {i.id for i in incidents} == set(places)
    assert len(set(places.values())) == len(slack.posted)
    for message in slack.posted:
        assert len(message["blocks"]) <= 50
        assert len(message["text"]) < 12_000


def test_the_heaviest_of_a_flood_keep_messages_of_their_own(ledger: Ledger, slack: Slack) -> None:
    for number in range(20):
        name = f"model{number:02}"
        watched(ledger, model(name, importance=number / 20, table=name), 0, BROKEN)
    assert told(ledger, slack) == Delivery(sent=MAX_NEW_MESSAGES + 1)
    own = [text for text in slack.shown if "further incident" not in text]
    assert {text.partition(":")[0] for text in own} == {f"🔴 Model{n}" for n in range(14, 20)}
    (flood,) = [text for text in slack.shown if "further incident" in text]
    assert flood.startswith("🔴 14 further incidents on Tue 3 Mar\n- 🔴 Model13: device_age_days is 31 % empty\n")
    assert "and 2 more incidents: see the report" in flood


def test_a_flood_ends_in_its_own_message(ledger: Ledger, slack: Slack) -> None:
    for number, day in enumerate([BROKEN, MENDED, MENDED]):
        for count in range(10):
            watched(ledger, model(f"model{count}", table=f"t{count}"), number, day)
        told(ledger, slack, number)
    assert len(slack.posted) == MAX_NEW_MESSAGES + 1
    assert all(text.startswith("✅") for text in slack.shown)


def test_a_slack_that_was_dead_for_a_day_gets_the_present_and_not_the_past(ledger: Ledger, slack: Slack) -> None:
    dead = SlackChannel(TOKEN, CHANNEL_NAME, "http://127.0.0.1:9/api/", timeout_seconds=1)
    names = [f"model{count}" for count in range(30)]
    for hours, day in ((0, BROKEN), (24, [*ARRIVED, replace(made.NULL_FLOOD, value=0.9)])):
        for name in names:
            watched(ledger, model(name), hours // 24, day)
        deliver_messages(ledger, dead, NOW + timedelta(hours=hours))
    assert told(ledger, slack, 2) == Delivery(sent=1)
    (text,) = slack.shown
    assert text.startswith("🔴 30 models: device_age_days is 90 % empty")
    assert slack.notes == []
    assert slack.calls.count("chat.postMessage") == 1


def test_a_year_backfilled_pages_nobody_and_the_first_live_day_tells_what_is_broken_now(
    ledger: Ledger, slack: Slack
) -> None:
    cards = model("cards")
    states: dict[str, Incident] = {}
    for number in range(365):
        day = FIRST - timedelta(days=365 - number)
        bad = number % 20 in (3, 4) or number >= 363
        found = [replace(each, model="cards") for each in on(day, *(BROKEN if bad else MENDED))]
        touched = conclude_incidents(cards, day, found, [i for i in states.values() if i.live])
        states |= {i.id: i for i in touched}
        ledger.save_incidents("cards", day, touched)
    assert len(states) > 15
    assert told(ledger, slack) == Delivery()
    watched(ledger, cards, 0, BROKEN)
    assert told(ledger, slack) == Delivery(sent=1)
    assert len(slack.posted) == 1


def test_what_lies_in_the_model_is_never_put_together() -> None:
    from alerting.notifications.grouping import group_key

    def one(cause: str) -> Incident:
        return Incident("a-1", "a", cause, date(2026, 3, 3), FIRST, FIRST, Status.FIRING)

    own = [c for c in catalogue.CAUSES if not group_key(model("cards"), one(c))]
    assert own == [
        causes.MODEL_RELEASE,
        causes.SCORE_SHIFT,
        causes.PERFORMANCE_DECAY,
        causes.FAIRNESS_GAP,
        causes.UNCLASSIFIED_BREACH,
    ]
