from __future__ import annotations

from dags.approval import parse_answer


def test_an_answer_says_whether_it_approves_and_whose_it_is() -> None:
    user = {"id": "7", "name": "A. Person"}
    assert parse_answer({"chosen_options": ["Approve"], "responded_by_user": user}) == {
        "approved": True,
        "by": "A. Person",
    }
    assert parse_answer({"chosen_options": ["Reject"], "responded_by_user": user}) == {
        "approved": False,
        "by": "A. Person",
    }


def test_an_approval_without_a_name_is_a_persons_and_a_default_after_the_time_is_nobodys() -> None:
    assert parse_answer({"chosen_options": ["Approve"], "responded_by_user": None})["by"] == "a person without a name"
    assert parse_answer({"chosen_options": ["Reject"], "responded_by_user": None}) == {"approved": False, "by": ""}
