"""Clues: a split of the score's change that adds up, and a worst slice that chance doesn't name."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from monitors import diagnostics
from monitors.performance import maturity
from monitors.performance.cubes import sum_by_score_bin
from profiles.profile import OPEN
from tests.monitors.scored import START, bank, cube, frame, known, part, spec

DAYS = 75
AS_OF = START + timedelta(days=DAYS - 1)


def column(rng, names, sizes, shifts):
    return {
        ("channel", name): sum_by_score_bin(part(np.clip(rng.beta(2, 8, size) + shift, 0, 1), np.full(size, OPEN)))
        for name, size, shift in zip(names, sizes, shifts, strict=True)
        if size
    }


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    sizes=st.lists(st.integers(0, 400), min_size=6, max_size=6),
    shifts=st.lists(st.floats(-0.2, 0.3), min_size=6, max_size=6),
)
def test_mix_and_within_add_up_to_the_change_of_the_mean(seed, sizes, shifts) -> None:
    rng = np.random.default_rng(seed)
    now = column(rng, "abc", sizes[:3], shifts[:3])
    before = column(rng, "abc", sizes[3:], shifts[3:])
    found = diagnostics.decompose_mean_change(now, before)
    if not now or not before:
        assert found is None
        return
    means = [sum(own[1].sum() for own in side.values()) / sum(own[0].sum() for own in side.values()) / 1e9
             for side in (now, before)]  # fmt: skip
    assert found.mix.value + found.within.value == pytest.approx(means[0] - means[1], abs=1e-9)


def test_a_change_of_shares_alone_is_mix_and_of_scores_alone_is_within() -> None:
    rng = np.random.default_rng(1)
    groups = column(rng, "ab", (300, 300), (0.0, 0.3))
    grown = {("channel", "a"): groups["channel", "a"], ("channel", "b"): 3 * groups["channel", "b"]}
    found = diagnostics.decompose_mean_change(grown, groups)
    assert found.within.value == pytest.approx(0, abs=1e-12)
    assert found.mix.low > 0
    higher = column(np.random.default_rng(1), "ab", (300, 300), (0.1, 0.4))
    found = diagnostics.decompose_mean_change(higher, groups)
    assert found.mix.value == pytest.approx(0, abs=1e-12)
    assert found.within.low > 0


def test_the_intervals_of_mix_and_within_hold_the_truth_in_about_95_of_100_samples() -> None:
    rng = np.random.default_rng(5)
    inside = {"mix": 0, "within": 0}
    for _ in range(400):
        sizes = rng.multinomial(900, (0.6, 0.4)), rng.multinomial(900, (0.4, 0.6))
        now, before = (column(rng, "ab", size, (0.0, 0.2)) for size in sizes)
        found = diagnostics.decompose_mean_change(now, before)
        for name, truth in (("mix", 0.2 * 0.2 * -1), ("within", 0.0)):
            own = getattr(found, name)
            inside[name] += own.low <= truth <= own.high
    assert all(370 <= count <= 392 for count in inside.values()), inside


def test_holms_correction_is_that_of_r() -> None:
    assert diagnostics.holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])  # p.adjust(p, "holm")
    assert diagnostics.holm([0.9, 0.8]) == [1.0, 1.0]


@given(st.integers(0, 40), st.integers(0, 40), st.integers(0, 300), st.integers(0, 300))
def test_fishers_test_is_scipys(events, rest, other_events, other_rest) -> None:
    if events + rest and other_events + other_rest:
        wanted = stats.fisher_exact([[events, rest], [other_events, other_rest]], alternative="less").pvalue
        found = diagnostics.fisher_less(events, events + rest, other_events, other_events + other_rest)
        assert found == pytest.approx(wanted, abs=1e-9)


def measured(recall_of_web, seed=3):
    def channel(rng, n):
        return {"channel": rng.choice(["app", "web"], n, p=[0.7, 0.3])}

    payments = bank(DAYS, seed, rows=3000, fraud_share=0.03, columns=channel)
    for day in payments[-50:]:
        web = day.fraud & (day.columns["channel"] == "web") & (day.score >= 0.5)
        lost = web & (np.random.default_rng(day.day.toordinal()).random(len(web)) >= recall_of_web)
        day.score[lost] = 0.2
        day.blocked[lost] = False
    cubes, cohorts = known(payments, AS_OF)
    curve = maturity.learn_delay_curve(cohorts, AS_OF, 120)
    normal = [START + timedelta(days=i) for i in range(20)]
    return {
        m.metric: m
        for m in diagnostics.measure_diagnostics(spec(), frame(), AS_OF, cubes, curve, normal)
        if not m.feature
    }


def test_the_slice_that_lost_recall_is_found_and_named() -> None:
    found = measured(0.4)["worst_recall"]
    assert found.slice == "channel=web"
    assert found.value < 0.55
    assert found.low <= found.value <= found.high
    assert "worst of 2 slices" in found.reason


def test_no_slice_is_named_where_none_got_worse() -> None:
    found = measured(1.0)["worst_recall"]
    assert (found.slice, found.value) == ("", None)
    assert found.reason == "none of 2 slices got worse beyond chance"


def test_what_only_two_slices_together_lost_is_found_there() -> None:
    """Old phones in the app lose their recall; neither old phones nor the app alone say so as clearly."""

    def both(rng, n):
        channel, phone = rng.choice(["app", "web"], n), rng.choice(["new", "old"], n)
        joint = np.char.add(np.char.add(channel, " & "), phone)
        return {"channel": channel, "phone": phone, "channel & phone": joint}

    payments = bank(DAYS, 5, rows=3000, fraud_share=0.03, columns=both)
    for day in payments[-50:]:
        lost = day.fraud & (day.columns["channel & phone"] == "app & old") & (day.score >= 0.5)
        day.score[lost], day.blocked[lost] = 0.2, False
    cubes, cohorts = known(payments, AS_OF)
    model = spec(slices=["channel", "phone"], slice_pairs=True)
    joint = tuple(f"{channel} & {phone}" for channel in ("app", "web") for phone in ("new", "old"))
    own = replace(frame(**{"phone": ("new", "old"), "channel & phone": joint}), slices=("channel", "phone"))
    normal = [START + timedelta(days=i) for i in range(20)]
    found = diagnostics.measure_diagnostics(
        model, own, AS_OF, cubes, maturity.learn_delay_curve(cohorts, AS_OF, 120), normal
    )
    (worst,) = [m for m in found if m.metric == "worst_recall"]
    assert worst.slice == "channel & phone=app & old"
    assert "worst of 8 slices" in worst.reason


def test_payments_of_a_version_that_the_baseline_never_saw_are_counted() -> None:
    days = [START + timedelta(days=i) for i in range(4)]
    score, state = np.full(100, 0.2), np.full(100, OPEN)
    old = cube(score, state, model_version=["v1"] * 100)
    new = cube(score, state, model_version=["v1"] * 40 + ["(other)"] * 60)
    model = spec(score={"threshold": 0.5, "version": "model_version"})
    own = frame(model_version=("v1",))
    for today, wanted in ((new, 0.6), (old, 0.0)):
        cubes = dict.fromkeys(days[:3], old) | {days[3]: today}
        found = diagnostics.measure_diagnostics(
            model, own, days[3], cubes, maturity.learn_delay_curve({}, days[3], 120), days[:3]
        )
        (version,) = [m for m in found if m.metric == "new_version_share"]
        assert (version.value, version.n, version.feature) == (wanted, 100, "model_version")
