from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from models.errors import WatchkeeperError
from models.spec import Spec
from tests.ledger.made import DAY, incident
from tests.watchkeeper.conftest import FROM, MODEL, TO
from tests.watchkeeper.whatif.test_replay import rules
from watchkeeper.context import Context
from watchkeeper.whatif.feedback import incidents_called_no_problem, is_same_trouble, record_not_a_problem
from watchkeeper.whatif.replay import describe_replay, replay_content, replay_days, replay_row


def test_feedback_is_shown_beside_what_todays_and_other_rules_tell(
    watched: Context, spec: Spec, tmp_path: Path
) -> None:
    (found,) = watched.ledger.incidents(MODEL)
    record_not_a_problem(watched, found.id, "on-call", "a planned outage")
    today = replay_days(watched, spec, FROM, TO)
    assert describe_replay(today)[-1] == "People called 1 of them no problem."
    loose = replay_days(watched, spec, FROM, TO, rules(tmp_path / "loose.yaml", alerts={"limits": {"null_share": 0.5}}))
    assert "Of 1 incident that people called no problem they still report 0." in describe_replay(loose)
    (told,) = loose.incidents
    assert replay_row(loose, told)[-1].endswith("(no problem, says on-call: a planned outage)")
    (row,) = json.loads(json.dumps(replay_content(loose), default=str))["incidents"]
    assert row["not_a_problem"] == "on-call: a planned outage"


def test_without_feedback_nothing_is_said_of_it(watched: Context, spec: Spec) -> None:
    found = replay_days(watched, spec, FROM, TO)
    assert not [sentence for sentence in describe_replay(found) if "no problem" in sentence]
    assert [told.feedback for told in found.incidents] == [""]


def test_the_first_word_of_each_person_stands(watched: Context) -> None:
    (found,) = watched.ledger.incidents(MODEL)
    first = record_not_a_problem(watched, found.id, "on-call", "planned")
    assert record_not_a_problem(watched, found.id, "on-call", "really") == first
    assert record_not_a_problem(watched, found.id, "owner", "agreed").number == first.number + 1
    assert incidents_called_no_problem(watched.ledger, MODEL) == [(found, first)]
    with pytest.raises(WatchkeeperError, match="there is no incident 'none'"):
        record_not_a_problem(watched, "none", "on-call", "planned")


def test_the_same_trouble_is_of_one_cause_and_place_at_the_same_time() -> None:
    one = incident(opened=DAY, last_bad=DAY + timedelta(days=3))
    later = replace(one, opened=DAY + timedelta(days=3), last_bad=DAY + timedelta(days=9))
    assert is_same_trouble(one, later)
    assert is_same_trouble(later, one)
    assert not is_same_trouble(one, replace(later, feature="channel"))
    assert not is_same_trouble(one, replace(later, opened=DAY + timedelta(days=4)))
