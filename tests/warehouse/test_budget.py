from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import WatchkeeperError
from warehouse.budget import (
    CostAccount,
    ReadPlan,
    StatementCost,
    choose_plan,
    format_bytes,
    reading_plans,
    sample_features,
)

DAY = date(2026, 3, 1)
FEATURES = [f"feature_{i}" for i in range(200)]
GB = 10**9

names = st.lists(st.text(min_size=1, max_size=8), unique=True, max_size=40)


def bytes_of(plan: ReadPlan) -> int:
    """A gigabyte for each column that is read, and one for the score."""
    return GB * (1 + len(plan.features) + len(plan.slices))


def chosen(left_gb: float) -> ReadPlan:
    return choose_plan("m", reading_plans(FEATURES, ["channel", "country"], DAY), bytes_of, int(left_gb * GB), 500 * GB)


def test_everything_is_read_where_the_budget_pays_for_it():
    assert chosen(203) == ReadPlan(tuple(FEATURES), ("channel", "country"))


def test_slices_go_first_and_the_last_one_before_the_others():
    assert chosen(202.9).slices == ("channel",)
    assert chosen(202.9).left_out == "without slice country"
    assert chosen(201.9).slices == ()
    assert chosen(201.9).left_out == "without slices channel, country"
    assert chosen(201).features == tuple(FEATURES)


def test_then_a_part_of_the_features_is_read():
    assert len(chosen(200).features) == 100
    assert chosen(200).slices == ()
    assert "with 100 of 200 features (each has its turn within 2 days)" in chosen(200).left_out
    assert len(chosen(5).features) in (3, 4)


def test_and_where_even_the_least_is_too_much_nothing_is_and_the_error_says_what_to_do():
    with pytest.raises(
        WatchkeeperError, match=r"^m: even the least .* bill [45] GB, and 2 GB of the 500 GB a day are left"
    ):
        chosen(2)
    with pytest.raises(WatchkeeperError, match="and 0 B of the 500 GB"):
        chosen(-1)


def test_nothing_further_is_estimated_once_a_plan_fits():
    asked = []

    def estimate(plan):
        asked.append(plan)
        return bytes_of(plan)

    choose_plan("m", reading_plans(FEATURES, ["channel"], DAY), estimate, 500 * GB, 500 * GB)
    assert len(asked) == 1


@given(names, st.lists(st.sampled_from("abcdef"), unique=True), st.dates())
def test_every_plan_reads_no_more_than_the_one_before_and_always_the_same(features, slices, day):
    found = list(reading_plans(features, slices, day))
    assert found == list(reading_plans(features, slices, day))
    assert [bytes_of(plan) for plan in found] == sorted((bytes_of(plan) for plan in found), reverse=True)
    assert all(plan.features for plan in found) or not features
    assert [plan.left_out == "" for plan in found] == [True] + [False] * (len(found) - 1)


@given(names, st.sampled_from([2, 4, 8]), st.dates(max_value=date(9000, 1, 1)))
def test_every_feature_has_its_turn_exactly_once_in_as_many_days(features, one_in, day):
    turns = [sample_features(features, one_in, day + timedelta(days=i)) for i in range(one_in)]
    assert sorted(name for turn in turns for name in turn) == sorted(features)
    assert max(map(len, turns)) - min(map(len, turns)) <= 1


def test_an_account_adds_up_what_was_billed_by_model():
    account = CostAccount({"a": 5})
    for model, billed in (("a", 1), ("b", 2), ("a", 3)):
        account.record(StatementCost(model, "profile", 0, 0, billed))
    assert (account.billed("a"), account.billed("b"), account.billed("c")) == (9, 2, 0)


@pytest.mark.parametrize(
    ("count", "words"), [(0, "0 B"), (999, "999 B"), (10485760, "10.5 MB"), (5 * 10**11, "500 GB")]
)
def test_a_size_is_in_words(count, words):
    assert format_bytes(count) == words
