from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from alerting.notifications.grouping import NotificationGroup, gather_notification_groups, with_group_details
from alerting.notifications.messages.blocks import (
    BUTTON_ACTIONS,
    button_row,
    context_block,
    fit_block_limits,
    header_block,
    section_block,
)
from alerting.notifications.messages.group_message import MOST_LINES, render_group_message
from alerting.notifications.messages.incident_message import compose_message
from alerting.notifications.messages.links import Links
from ledger.records.messages import Message
from tests.alerting import made
from tests.alerting.made import ARRIVED, FIRST, one_day, spec
from tests.alerting.notifications.messages.test_incident_message import HOSTILE, texts

SITE = Links("https://watch.example")


def check(blocks: list[dict[str, Any]]) -> None:
    """Hold blocks against the limits that Slack documents."""
    assert 0 < len(blocks) <= 50
    for block in blocks:
        if block["type"] == "header":
            assert 0 < len(block["text"]["text"]) <= 150
        elif block["type"] == "section":
            assert 0 < len(block["text"]["text"]) <= 3000
        elif block["type"] == "context":
            assert 0 < len(block["elements"]) <= 10
            assert all(0 < len(element["text"]) <= 3000 for element in block["elements"])
        else:
            assert block["type"] == "actions"
            assert 0 < len(block["elements"]) <= 25
            ids = [button["action_id"] for button in block["elements"]]
            assert len(set(ids)) == len(ids)
            for button in block["elements"]:
                assert len(button["text"]["text"]) <= 75
                assert len(button.get("value", "")) <= 2000
                assert len(button.get("url", "")) <= 3000


@given(
    st.lists(
        st.tuples(
            st.sampled_from([header_block, section_block, context_block]), st.text("a<>&`\n ", min_size=1, max_size=40)
        )
    ),
    st.integers(1, 400),
)
def test_whatever_is_said_stays_within_slacks_limits(made_of: list[Any], times: int) -> None:
    blocks = [make("x" + text * times) for make, text in made_of]
    check(
        fit_block_limits(
            [header_block("a"), *blocks, *button_row(["a" * 60] * times, "https://x.example/" + "p" * times * 10)]
        )
    )


def test_of_too_many_blocks_the_buttons_stay() -> None:
    kept = fit_block_limits([header_block("a"), *[section_block("b")] * 80, *button_row(["i-1"])])
    check(kept)
    assert kept[-1]["type"] == "actions"
    assert kept[-2]["elements"][0]["text"] == "…"


def test_a_text_is_cut_in_no_entity_and_closes_its_code() -> None:
    assert section_block("x" * 2996 + "&lt;yyy")["text"]["text"] == "x" * 2996 + "…"
    assert section_block("`" + "x" * 4000)["text"]["text"].endswith("x`…")
    assert section_block("a\n" + "x" * 4000)["text"]["text"] == "a\n…"


def test_the_buttons_say_what_they_do_and_about_which_incidents() -> None:
    (row,) = button_row(["a-1", "b-1"], "https://watch.example/incidents/a-1.html")
    report, *others = row["elements"]
    assert (report["text"]["text"], report["url"]) == ("Report", "https://watch.example/incidents/a-1.html")
    assert {button["action_id"]: button["text"]["text"] for button in others} == BUTTON_ACTIONS
    assert {button["value"] for button in others} == {"a-1 b-1"}
    (local,) = button_row(["a-1"], "file:///site/a.html")
    assert all("url" not in button for button in local["elements"])


def bundle_of(count: int, name: str = "bundle") -> NotificationGroup:
    pending = []
    for number in range(count):
        of = spec(model=f"m{number}", title=f"{HOSTILE}{number}", owner=HOSTILE)
        flood = replace(made.NULL_FLOOD, feature=HOSTILE, reason=HOSTILE)
        (incident,) = one_day(*ARRIVED, flood, model=of)
        text, blocks = compose_message(of, incident, "opened", SITE)
        pending.append(with_group_details(Message(incident.id, FIRST, "opened", "c", text, blocks), of, incident, SITE))
    return NotificationGroup(name, tuple(pending))


def test_a_message_about_many_hostile_models_mentions_formats_and_links_nothing() -> None:
    for name in ("bundle", "flood-20260303", "digest-20260303"):
        told = render_group_message(bundle_of(100, name))
        check(told.blocks)
        shown = "\n".join(texts(told.blocks))
        outside = "".join(part for number, part in enumerate(shown.split("`")) if number % 2 == 0)
        assert "<!channel" not in shown
        assert "<@" not in shown
        assert "~e~" not in outside
        assert ":fire:" not in outside
        assert "and 88 more incidents: see the report" in told.text
        assert told.text.count("\n- ") >= MOST_LINES
        assert all(c.isprintable() or c == "\n" for c in told.text)
        assert len(json.dumps(told.blocks)) < 60_000


def test_gathering_is_the_same_in_any_order_of_models_and_loses_nobody() -> None:
    pending = [replace(m, group=f"g{number % 9}") for number, m in enumerate(bundle_of(40).pending)]
    one, other = gather_notification_groups(pending, [], {}), gather_notification_groups(pending[::-1], [], {})
    assert sorted(m.incident for b in one for m in b.pending) == sorted(m.incident for m in pending)
    assert _named(one) == _named(other)
    assert len(one) == 7


def _named(notification_groups: list[NotificationGroup]) -> dict[str, set[str]]:
    return {
        notification_group.id: {m.incident for m in notification_group.pending}
        for notification_group in notification_groups
    }


def test_the_next_day_has_room_of_its_own() -> None:
    pending = [replace(m, group=f"g{number}") for number, m in enumerate(bundle_of(12).pending)]
    later = [replace(m, day=FIRST + timedelta(days=1)) for m in pending[6:]]
    assert len(gather_notification_groups([*pending[:6], *later], [], {})) == 12
