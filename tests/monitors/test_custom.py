"""A bank's own metrics: intervals and limits from days, and what happens when a function can't answer."""

from __future__ import annotations

import math
from datetime import timedelta

import numpy as np
import pytest

from ledger.records.measurements import Verdict
from monitors import custom
from monitors.performance import figures
from monitors.performance.maturity import learn_delay_curve
from profiles.bins import Grid
from profiles.profile import EVERYONE, LEGITIMATE, BinCounts, Counts, Profile, sum_profiles
from tests.monitors.scored import START, bank, cube, frame, known, spec

HOURS = Grid("linear", 12.0, 12.0, 1 / 12, half=12)
BASELINE = [START + timedelta(days=i) for i in range(28)]
METRIC = {"name": "night_share", "function": "bank:night", "floor": 0.05, "worse": "higher"}
MODEL = spec(metrics=[METRIC])


def night(profile, frame):
    """Return the share of payments before 6 o'clock."""
    counts = profile.features[EVERYONE]["hour"]
    return sum(rows for cell, rows in counts.bins.items() if HOURS.midpoint(cell) < 6) / counts.rows


def day(rng, share, rows=2000):
    """Return a day's profile whose night share varies by 1 point from day to day."""
    hours = np.where(rng.random(rows) < share + rng.normal(0, 0.01), 3.5, 15.5)
    bins, n = np.unique(HOURS.bin_of(hours), return_counts=True)
    cells_ = BinCounts(bins, n)
    scores = cube(rng.random(rows) * 0.4, np.full(rows, LEGITIMATE))
    return Profile("f", rows, {EVERYONE: {"hour": Counts(bins=cells_)}}, scores)


def days(seed, shares):
    return {START + timedelta(days=i): day(np.random.default_rng([seed, i]), share) for i, share in enumerate(shares)}


def judged(profiles, function=night, model=MODEL, cohorts=None):
    as_of = max(profiles)
    names = [metric.name for metric in model.metrics]
    functions = function if isinstance(function, dict) else dict.fromkeys(names, function)
    curve = learn_delay_curve(cohorts or {}, as_of, 120)
    return custom.measure_custom_metrics(model, frame(), as_of, profiles, curve, BASELINE, functions, seed=7)


def test_a_sum_that_is_lazy_is_the_sum():
    own = list(days(1, [0.1, 0.2, 0.3]).values())
    lazy, whole = custom.sum_profiles([own[0], own[2], own[2]]), sum_profiles([own[0], own[2], own[2]], "f")
    assert lazy.rows == whole.rows
    assert {group: dict(columns) for group, columns in lazy.features.items()} == whole.features
    assert lazy.cube == whole.cube
    with pytest.raises(KeyError):
        lazy.features[EVERYONE]["minute"]


def test_a_quiet_week_is_ok_and_says_what_was_learnt_from_how_many_days():
    (found,) = judged(days(2, [0.1] * 40))
    assert (found.monitor, found.metric, found.verdict, found.n) == ("custom", "night_share", Verdict.OK, 7)
    assert found.low < found.value < found.high
    assert found.value == pytest.approx(0.1, abs=0.015)
    assert found.limit == pytest.approx(0.15, abs=0.01)
    assert "in the 7 days to 9 Feb" in found.reason
    assert "A breach is 0.05 (or more, upwards) and more than 0.0" in found.reason
    assert "which the 28 baseline days leave to chance" in found.reason


@pytest.mark.parametrize(
    ("worse", "share", "verdict"),
    [
        ("higher", 0.2, Verdict.BREACH), ("higher", 0.02, Verdict.OK), ("lower", 0.02, Verdict.BREACH),
        ("lower", 0.2, Verdict.OK), ("either", 0.2, Verdict.BREACH), ("either", 0.02, Verdict.BREACH),
        ("either", 0.11, Verdict.OK),
    ],
)  # fmt: skip
def test_a_week_that_is_worse_than_the_floor_and_than_chance_is_a_breach(worse, share, verdict):
    model = spec(metrics=[METRIC | {"worse": worse}])
    (found,) = judged(days(3, [0.1] * 33 + [share] * 7), model=model)
    assert found.verdict is verdict
    if verdict is Verdict.BREACH:
        assert found.value > found.limit > 0.1 or found.value < found.limit < 0.1


def test_the_interval_of_a_week_holds_the_truth_about_as_often_as_it_says():
    rng, held = np.random.default_rng(9), []
    for _ in range(500):
        rows = rng.integers(300, 500, 7)
        hits = rng.binomial(rows, np.clip(rng.normal(0.1, 0.02, 7), 0, 1))
        spread = custom._bootstrap_spread(lambda own, h=hits, n=rows: h[own].sum() / n[own].sum(), range(7), 7, rng)
        half = custom._student_t_quantile(7, 0.05) * spread.error * math.sqrt(7 / 6)
        held.append(abs(hits.sum() / rows.sum() - 0.1) <= half)
    assert 0.93 - 3 * 0.0114 <= np.mean(held) <= 0.97 + 3 * 0.0076


def test_quiet_weeks_break_no_learnt_limit():
    strict = spec(metrics=[METRIC | {"floor": 0.001, "worse": "either"}])
    verdicts = [judged(days(seed, [0.1] * 36), model=strict)[0].verdict for seed in range(100, 115)]
    assert Verdict.BREACH not in verdicts


def test_a_day_watched_again_says_the_same():
    assert judged(days(4, [0.1] * 40)) == judged(days(4, [0.1] * 40))


def test_a_function_that_raises_is_errored_with_the_sentence_and_the_others_go_on():
    def broken(profile, frame):
        return profile.features[EVERYONE]["minute"]

    model = spec(metrics=[METRIC, METRIC | {"name": "gone"}, METRIC | {"name": "fine"}])
    functions = {"night_share": broken, "gone": "metrics.gone.function: not there.", "fine": night}
    first, second, third = judged(days(5, [0.1] * 40), functions, model)
    assert (first.verdict, first.value, first.reason) == (
        Verdict.ERRORED, None, "bank:night raised KeyError: 'minute'.",
    )  # fmt: skip
    assert (second.verdict, second.reason) == (Verdict.ERRORED, "metrics.gone.function: not there.")
    assert third.verdict is Verdict.OK


def test_what_is_undefined_or_too_short_is_insufficient():
    (found,) = judged(days(6, [0.1] * 40), lambda profile, frame: math.nan)
    assert (found.verdict, found.value) == (Verdict.INSUFFICIENT, None)
    assert "bank:night has no figure of this week" in found.reason
    (found,) = judged(days(6, [0.1] * 12))
    assert found.verdict is Verdict.INSUFFICIENT
    assert "5 other baseline days are there; 4 and 14 are needed" in found.reason


def test_a_metric_of_the_cube_waits_for_its_labels():
    def recall(cube_, frame_):
        counts = figures.count_confusion(cube_.bins[EVERYONE])
        return counts.caught / counts.frauds

    payments = bank(90, seed=8, rows=3000, recall=lambda day: 0.8 if day < 45 else 0.4)
    model = spec(metrics=[METRIC | {"of": "cube", "worse": "lower", "about": "performance"}])
    for age, verdict in ((20, Verdict.IMMATURE), (89, Verdict.BREACH)):
        as_of = START + timedelta(days=age)
        cubes, cohorts = known(payments, as_of)
        profiles = {day: Profile("f", 3000, {}, cube) for day, cube in cubes.items()}
        (found,) = judged(profiles, recall, model, cohorts)
        assert found.verdict is verdict, found.reason
    assert found.value == pytest.approx(0.4, abs=0.1)
    assert "lower. A breach is 0.05 (or more, downwards)" in found.reason
