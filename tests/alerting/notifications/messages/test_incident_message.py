"""The messages themselves are kept in golden/: read them there.

After a change that is meant, write them anew and read the difference:
``WATCHKEEPER_GOLDEN=write python -m pytest tests/alerting/notifications/messages/test_incident_message.py``
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from alerting.notifications.messages.incident_message import (
    compose_message,
    compose_thread_note,
    compose_withdrawal,
    to_mrkdwn,
    to_plain_text,
)
from alerting.notifications.messages.links import Links
from ledger.records.incidents import Incident
from ledger.records.measurements import Measurement
from tests.alerting import made
from tests.alerting.incidents.test_diagnostics import MIX, MOVED, VERSION, WITHIN, WORST
from tests.alerting.made import ARRIVED, MONEY, NO_PARTITION, m, one_day, spec, timeline

GOLDEN = Path(__file__).parent / "golden"
SITE = Links("https://watch.example/site")

CLEAN = [*ARRIVED, *made.ok(made.NULL_FLOOD, made.NULL_CHECK)]
FLOODED = [*ARRIVED, made.NULL_FLOOD, made.NULL_CHECK, made.DEVICE_DRIFT, made.SCORE_DRIFT, made.ALERT_RATE, *MONEY]
TOLD: dict[str, tuple[str, Sequence[Sequence[Measurement]]]] = {
    "null_flood_opened": ("opened", [FLOODED]),
    "null_flood_updated": ("updated", [FLOODED, FLOODED, CLEAN]),
    "null_flood_resolved": ("resolved", [FLOODED, FLOODED, CLEAN, CLEAN]),
    "unit_error": ("opened", [[*ARRIVED, made.UNIT_ERROR, *MONEY]]),
    "recoded_category": ("opened", [[*ARRIVED, made.RECODED, *MONEY]]),
    "feed_fault": (
        "opened",
        [[*ARRIVED, made.NULL_FLOOD, *(replace(made.NULL_FLOOD, feature=f) for f in ("amount_gbp", "hour")), *MONEY]],
    ),
    "missing_partition": ("opened", [[*NO_PARTITION, *MONEY]]),
    "late_partition": ("opened", [made.LATE]),
    "stale_partition": ("opened", [[*ARRIVED, made.STALE, made.STALE_COLUMN, *MONEY]]),
    "stale_column": ("opened", [[*ARRIVED, made.STALE_COLUMN, *MONEY]]),
    "incomplete_partition": ("opened", [[made.FEW_ROWS]]),
    "duplicate_rows": ("opened", [[*ARRIVED, made.DUPLICATES, made.UNIQUE, *MONEY]]),
    "schema_change": ("opened", [[*ARRIVED, m("schema", "missing_columns", "amount_gbp", 1.0), *MONEY]]),
    "watch_errored": ("opened", [[*ARRIVED, made.ERRORED]]),
    "population_shift": ("opened", [[*ARRIVED, made.AMOUNT_DRIFT, made.DEVICE_DRIFT, made.SCORE_DRIFT]] * 2),
    "score_shift": ("opened", [[*ARRIVED, made.SCORE_DRIFT, made.ALERT_RATE]] * 2),
    "model_release": ("opened", [[*ARRIVED, made.SCORE_DRIFT, made.ALERT_RATE, VERSION]] * 2),
    "new_fraud_pattern": ("opened", [[*ARRIVED, made.RECALL, WORST, *MONEY]] * 2),
    "mix": ("opened", [[*ARRIVED, made.AMOUNT_DRIFT, made.SCORE_DRIFT, MIX, WITHIN, *MOVED]] * 2),
    "performance_decay": ("opened", [[*ARRIVED, made.RECALL, made.PR_AUC, *MONEY]] * 2),
    "fairness_gap": ("opened", [[*ARRIVED, made.GAP, made.SELECTION]] * 2),
    "unclassified_breach": ("opened", [[*ARRIVED, made.UNKNOWN]] * 2),
    "unclassified_breaches": (
        "opened",
        [[*ARRIVED, *(replace(made.UNKNOWN, feature=f) for f in ("amount_gbp", "channel", "hour"))]] * 2,
    ),
}


def incident_of(days: Sequence[Sequence[Measurement]]) -> Incident:
    (incident,) = timeline(days)[-1]
    return incident


def held_against(path: Path, found: str) -> None:
    if os.environ.get("WATCHKEEPER_GOLDEN") == "write":
        path.write_text(found, encoding="utf-8")
    assert found == path.read_text(encoding="utf-8"), f"{path.name} differs; see this file's first lines"


@pytest.mark.parametrize("name", TOLD)
def test_a_message_reads_as_it_is_kept(name: str) -> None:
    kind, days = TOLD[name]
    text, blocks = compose_message(spec(), incident_of(days), kind, SITE)
    held_against(GOLDEN / f"{name}.txt", text + "\n")
    held_against(GOLDEN / f"{name}.json", json.dumps(blocks, indent=1, ensure_ascii=False) + "\n")


def test_every_kept_message_is_still_told() -> None:
    assert {path.stem for path in GOLDEN.iterdir()} == set(TOLD)


def texts(blocks: Any) -> list[str]:
    """Return every mrkdwn text of a message."""
    if isinstance(blocks, list):
        return [text for block in blocks for text in texts(block)]
    if isinstance(blocks, dict):
        own = [blocks["text"]] if blocks.get("type") == "mrkdwn" else []
        return own + [text for value in blocks.values() for text in texts(value)]
    return []


DOCS = "https://docs.example/a|b>"


@pytest.mark.parametrize("name", TOLD)
def test_the_first_step_links_to_the_runbook_of_its_cause_where_there_is_documentation(name: str) -> None:
    kind, days = TOLD[name]
    incident = incident_of(days)
    text, blocks = compose_message(spec(), incident, kind, Links(SITE.site, DOCS))
    steps = [line for part in texts(blocks) for line in part.splitlines() if line.startswith("*First step:*")]
    assert len(steps) == (kind != "resolved")
    for step in steps:
        assert step.endswith(f" <https://docs.example/a%7Cb&gt;/runbook/{incident.cause}/|Runbook>")
        assert f"\nRunbook: {DOCS}/runbook/{incident.cause}/\n" in text
    assert "unbook" not in json.dumps(compose_message(spec(), incident, kind, SITE))


def test_a_runbook_is_linked_after_a_first_step_of_any_length() -> None:
    long = replace(incident_of([FLOODED]), first_step="&" * 5000)
    _, blocks = compose_message(spec(), long, "opened", Links(SITE.site, DOCS))
    assert blocks[1]["text"]["text"].endswith("|Runbook>")
    assert len(blocks[1]["text"]["text"]) <= 3000


HOSTILE = "a`b*c*_d_~e~<!channel><@U123|x>&lt;:fire:\n\x1b[31mhttp://evil.example|"


def hostile_message() -> tuple[str, list[dict[str, Any]]]:
    nulls = replace(made.NULL_FLOOD, feature=HOSTILE, reason=f"most by '{HOSTILE}'")
    drift = replace(made.NULL_FLOOD, feature=HOSTILE, metric="nonfinite_share", reason=f"_{HOSTILE}_ *{HOSTILE}")
    (incident,) = one_day(nulls, drift)
    return compose_message(spec(owner="a<b>&*c*"), incident, "opened", Links("https://watch.example/a|b"))


def test_a_value_from_data_can_neither_mention_nor_format_nor_link() -> None:
    _, blocks = hostile_message()
    for text in texts(blocks):
        outside = (text.partition("|Open the incident>")[2] or text).split("`")[::2]
        for line in "".join(outside).splitlines():
            said = line.partition(":* ")[2] if line.startswith("*") else line
            assert "<!" not in said
            assert "<@" not in said
            assert "*" not in said
            assert "~" not in said
            assert "_d_" not in said
            assert ":fire:" not in said
        assert text.count("`") % 2 == 0
    elements = [element for block in blocks for element in (block.get("text"), *block.get("elements", [])) if element]
    assert all(element["verbatim"] for element in elements if element["type"] == "mrkdwn")
    assert not blocks[0]["text"]["emoji"]


def test_a_terminal_cannot_be_steered_by_a_value() -> None:
    text, _ = hostile_message()
    assert all(c.isprintable() or c == "\n" for c in text)
    assert "`" not in text


def test_a_message_stays_within_slacks_limits_whatever_it_holds() -> None:
    long = [replace(made.NULL_FLOOD, metric=metric, reason="<&>`*" * 2000, slice=f"channel={metric}" + "<" * 900)
            for metric in ("null_share", "nonfinite_share", "scale_ratio", "unseen_share")]  # fmt: skip
    (incident,) = one_day(*long)
    _, blocks = compose_message(spec(title="x" * 400), incident, "opened", SITE)
    assert len(blocks) <= 50
    assert len(blocks[0]["text"]["text"]) <= 150
    assert all(0 < len(text) <= 3000 for text in texts(blocks))


def test_names_stay_code_and_an_unmatched_backtick_does_not_swallow_the_rest() -> None:
    assert to_mrkdwn("`a_b` is <5") == "`a_b` is &lt;5"
    assert to_mrkdwn("it`s *so*") == "it's ∗so∗"
    assert to_mrkdwn("snake_case _loud_") == "snake_case ˍloudˍ"
    assert to_mrkdwn("at 10:30:15 :fire: ") == "at 10:30:15 ∶fire: "
    assert to_plain_text("`a` b") == "a b"


def test_an_update_of_an_unchanged_incident_says_the_same_as_the_first_message() -> None:
    incident = incident_of(TOLD["null_flood_opened"][1])
    assert compose_message(spec(), incident, "opened", SITE) == compose_message(spec(), incident, "updated", SITE)


def test_the_thread_keeps_one_line_for_each_change() -> None:
    days = timeline(TOLD["null_flood_resolved"][1])
    notes = [
        compose_thread_note(day[0], kind)
        for day, kind in zip(days, ["opened", "updated", "updated", "resolved"], strict=True)
    ]
    assert notes == [
        "",
        "Wed 4 Mar: device_age_days is 31 % empty (bad day 2).",
        "Thu 5 Mar: device_age_days is 31 % empty (bad day 2, 1 clean day since).",
        "Fri 6 Mar: resolved after 2 bad days and 2 clean days.",
    ]


def test_a_withdrawn_message_says_what_it_was() -> None:
    text, blocks = compose_withdrawal("🔴 Card payments: device_age_days is 31 % empty\nmore")
    assert text.startswith("⚪ withdrawn: Card payments: device_age_days is 31 % empty\n")
    assert blocks[0]["text"]["text"] == "⚪ withdrawn: Card payments: device_age_days is 31 % empty"
