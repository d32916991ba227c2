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
from tests.watchkeeper.test_replay import rules
from watchkeeper.feedback import called_no_problem, not_a_problem, same_trouble
from watchkeeper.replay import as_content, cells, replay, sentences
from watchkeeper.stored import Context


def test_feedback_is_shown_beside_what_todays_and_other_rules_tell(
    watched: Context, spec: Spec, tmp_path: Path
) -> None:
    (found,) = watched.ledger.incidents(MODEL)
    not_a_problem(watched, found.id, "on-call", "a planned outage")
    today = replay(watched, spec, FROM, TO)
    assert sentences(today)[-1] == "People called 1 of them no problem."
    loose = replay(watched, spec, FROM, TO, rules(tmp_path / "loose.yaml", alerts={"limits": {"null_share": 0.5}}))
    assert "Of 1 incident that people called no problem they still tell 0." in sentences(loose)
    (told,) = loose.told
    assert cells(loose, told)[-1].endswith("(no problem, says on-call: a planned outage)")
    (row,) = json.loads(json.dumps(as_content(loose), default=str))["incidents"]
    assert row["not_a_problem"] == "on-call: a planned outage"


def test_without_feedback_nothing_is_said_of_it(watched: Context, spec: Spec) -> None:
    found = replay(watched, spec, FROM, TO)
    assert not [sentence for sentence in sentences(found) if "no problem" in sentence]
    assert [told.feedback for told in found.told] == [""]


def test_the_first_word_of_each_person_stands(watched: Context) -> None:
    (found,) = watched.ledger.incidents(MODEL)
    first = not_a_problem(watched, found.id, "on-call", "planned")
    assert not_a_problem(watched, found.id, "on-call", "really") == first
    assert not_a_problem(watched, found.id, "owner", "agreed").number == first.number + 1
    assert called_no_problem(watched.ledger, MODEL) == [(found, first)]
    with pytest.raises(WatchkeeperError, match="there is no incident 'none'"):
        not_a_problem(watched, "none", "on-call", "planned")


def test_the_same_trouble_is_of_one_cause_and_place_at_the_same_time() -> None:
    one = incident(opened=DAY, last_bad=DAY + timedelta(days=3))
    later = replace(one, opened=DAY + timedelta(days=3), last_bad=DAY + timedelta(days=9))
    assert same_trouble(one, later)
    assert same_trouble(later, one)
    assert not same_trouble(one, replace(later, feature="channel"))
    assert not same_trouble(one, replace(later, opened=DAY + timedelta(days=4)))
