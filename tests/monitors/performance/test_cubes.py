"""What is labelled and counted lazily is what the cubes themselves say."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from monitors.performance import cubes, figures
from profiles.profile import FRAUD, FRAUD_TYPE, LEGITIMATE, OPEN, Cube, Group
from tests.monitors.scored import START

GROUPS: tuple[Group, ...] = (("", None), ("channel", "app"), ("channel", None))


def drawn(rng: np.random.Generator) -> tuple[Cube, Cube]:
    """Return a day's cube without labels, and a cube of some of its payments with them, one of a group of its own."""
    before, labels = {}, {}
    for group in GROUPS[: rng.integers(1, 4)]:
        whole = np.zeros((8, 4, 3), np.int64)
        whole[:, OPEN] = rng.integers(1, 50, (8, 3))
        own = np.zeros_like(whole)
        own[:, FRAUD] = whole[:, OPEN] // 5
        own[:, LEGITIMATE] = rng.integers(0, 2, (8, 1)) * (whole[:, OPEN] // 3)
        before[group] = whole
        if own.any() and rng.random() < 0.8:
            labels[group] = own
            labels[FRAUD_TYPE, "scam"] = own * (np.arange(4) == FRAUD)[:, None]
    return Cube(before), Cube({group: part for group, part in labels.items() if part.any()})


@given(st.integers(0, 2**32 - 1))
def test_a_cube_labelled_group_by_group_is_the_cube_labelled_at_once(seed: int) -> None:
    before, labels = drawn(np.random.default_rng(seed))
    assert cubes.label_lazily(before, labels) == before.labelled(labels)
    assert list(cubes.label_lazily(before, labels).bins) == list(before.labelled(labels).bins)


@given(st.integers(0, 2**32 - 1))
def test_counts_and_scores_of_a_group_are_those_of_its_cells(seed: int) -> None:
    before, labels = drawn(np.random.default_rng(seed))
    lazy, whole = cubes.label_lazily(before, labels), before.labelled(labels)
    for group in (*GROUPS, (FRAUD_TYPE, "scam")):
        own = whole.bins.get(group)
        counted, scores = cubes.count_at_threshold(lazy, group), cubes.sums_by_score_bin(lazy, group)
        if own is None:
            assert counted is None
            assert scores is None
            continue
        assert counted is not None
        assert np.array_equal(counted, cubes.sum_at_threshold(own))
        assert np.array_equal(np.asarray(scores), cubes.sum_by_score_bin(own))
        assert figures.confusion_from_counts(counted) == figures.count_confusion(own)


@given(st.integers(0, 2**32 - 1), st.integers(0, 6), st.integers(1, 7))
def test_a_window_as_a_difference_is_the_sum_of_its_days(seed: int, first: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    days = {START + timedelta(days=i): drawn(rng)[0] for i in range(7)}
    chosen = list(days)[first : first + count]
    windows = cubes.CumulativeCounts(days, START)
    for group in GROUPS:
        wanted = cubes.count_days_at_threshold(days, chosen, group)
        found = windows.tally(chosen, group)
        assert (wanted is None) == (found is None)
        assert wanted is None or np.array_equal(np.asarray(found), wanted)
