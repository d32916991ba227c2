from __future__ import annotations

import time
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from profiles import codec
from profiles.profile import EVERYONE, Cohort, Counts, Cube, Profile
from tests.warehouse import made
from tests.warehouse.made import DAY

WHOLE = st.integers(-(2**62), 2**62)
GROUPS = st.sampled_from([EVERYONE, ("channel", None), ("channel", "o'näh"), ("age_band", "60+")])
COUNTS = st.builds(
    Counts, nulls=WHOLE, nonfinite=WHOLE, total=st.integers(-(10**30), 10**30),
    bins=st.dictionaries(st.integers(-400, 500), WHOLE.filter(bool), max_size=8),
)  # fmt: skip
CUBES = st.builds(Cube, st.dictionaries(GROUPS, arrays(np.int64, (10, 4, 3), elements=WHOLE, fill=st.just(0))))
PROFILES = st.builds(
    Profile, schema_id=st.text(max_size=16), rows=WHOLE, cube=CUBES,
    features=st.dictionaries(GROUPS, st.dictionaries(st.text(max_size=9), COUNTS, max_size=3), max_size=3),
)  # fmt: skip
COHORTS = st.builds(Cohort, labels=CUBES, delays=st.dictionaries(st.integers(0, 800), st.integers(1, 10**9)))


@settings(max_examples=40, deadline=None)
@given(PROFILES)
def test_any_profile_comes_back_as_it_was_and_gives_the_same_bytes(profile):
    data = codec.profile_to_bytes(profile)
    again = codec.profile_from_bytes(data)
    assert again == profile
    assert codec.profile_to_bytes(again) == data


@settings(max_examples=40, deadline=None)
@given(COHORTS)
def test_any_cohort_comes_back_as_it_was_and_gives_the_same_bytes(cohort):
    data = codec.cohort_to_bytes(cohort)
    again = codec.cohort_from_bytes(data)
    assert again == cohort
    assert codec.cohort_to_bytes(again) == data


def test_the_bytes_don_t_depend_on_the_order_in_which_profiles_were_added(bank):
    first, second, third = (
        bank.warehouse.profile(bank.model, bank.frame, DAY, DAY + timedelta(days=2))[DAY + timedelta(days=i)]
        for i in range(3)
    )
    assert codec.profile_to_bytes(first + second + third) == codec.profile_to_bytes(third + (first + second))


def test_a_frame_comes_back_as_it_was(bank):
    text = codec.profile_schema_to_json(bank.frame)
    assert codec.profile_schema_from_json(text) == bank.frame
    assert codec.profile_schema_to_json(codec.profile_schema_from_json(text)) == text
    assert codec.profile_schema_id(bank.frame) == bank.frame.id


def test_bytes_of_another_version_or_damaged_ones_are_refused(bank):
    data = codec.profile_to_bytes(Profile("f"))
    with pytest.raises(ValueError, match="version 9 can't be read; version 1 can"):
        codec.profile_from_bytes(b"\x09" + data[1:])
    with pytest.raises(ValueError, match="version none"):
        codec.profile_from_bytes(b"")
    with pytest.raises(ValueError, match="damaged"):
        codec.cohort_from_bytes(data[:-9])
    with pytest.raises(ValueError, match="a profile schema of version 9"):
        codec.profile_schema_from_json(codec.profile_schema_to_json(bank.frame).replace('"version": 1', '"version": 9'))


def test_a_day_s_profile_is_small_and_quick_to_read():
    rng = np.random.default_rng(0)
    cube = {}
    for group in range(12):
        part = np.zeros((800, 4, 3), dtype=np.int64)
        part[rng.integers(200, 600, 900), rng.integers(0, 4, 900)] = rng.integers(1, 10**9, (900, 3))
        cube["group", str(group)] = part
    counts = {f"x{i}": Counts(bins={c: int(rng.integers(1, 999)) for c in range(-50, 60)}) for i in range(15)}
    features = {("channel", str(i)): counts for i in range(6)}
    data = codec.profile_to_bytes(Profile("f", 1, features, Cube(cube)))
    taken = []
    for _ in range(10):
        start = time.process_time()
        codec.profile_from_bytes(data)
        taken.append(time.process_time() - start)
    assert len(data) < 200_000
    assert min(taken) < 0.02  # seconds; about 0.003 on an idle machine


def test_the_week_s_frame_is_json_that_people_can_read(bank):
    assert '"country": {"top": ["FR", "GB", "US"], "rest": []}' in codec.profile_schema_to_json(bank.frame)
    assert made.spec().slices == list(bank.frame.slices)
