"""Limits learned from a baseline's days: what they say, and what they make of events, rare levels and the top."""

from __future__ import annotations

import re
import time
from datetime import date, timedelta

import numpy as np
import pytest

from ledger.records.measurements import Verdict
from models.spec import Baseline, Event
from monitors.drift import daily_drift
from monitors.drift.calibration import learn_calibration
from profiles.bins import UNSEEN, Levels, number_grid, score_grid
from profiles.profile import Counts
from tests.monitors.made import counted, frame, levels_counted, profile, spec

START, DAY = date(2026, 1, 1), date(2026, 3, 2)
AGE, SCORE = number_grid((22.0, 45.0, 68.0)), score_grid(0.0, 1.0, 0.85)
SHOPS = Levels(tuple(map(str, range(500))), frozenset(map(str, range(20_000))))
FRAME = frame({"age": AGE}, {"shop": SHOPS}, SCORE)
ZIPF = 1 / np.arange(1, 20_001) / np.sum(1 / np.arange(1, 20_001))


def drawn(rng, rows=20_000, shift=0.0, logits=0.0, fresh=0.0, top=0.0):
    z = rng.normal(-4.5 + logits, 1.2, rows)
    z[: int(top * rows)] = rng.normal(3.5, 0.2, int(top * rows))
    shop = levels_counted(rng.multinomial(int(rows * (1 - fresh)), ZIPF))
    return profile(
        {
            "age": counted(AGE, rng.normal(45 + shift + rng.normal(0, 0.3), 10, rows)),
            "shop": Counts(bins={**shop.bins, UNSEEN: int(rows * fresh)}) if fresh else shop,
            "score": counted(SCORE, 1 / (1 + np.exp(-z))),
        }
    )


@pytest.fixture(scope="module")
def learned():
    rng = np.random.default_rng(3)
    return learn_calibration(spec(), FRAME, {START + timedelta(days=i): drawn(rng) for i in range(56)})


def measured(learned, own=None, **today):
    found = daily_drift.measure_drift(own or spec(), FRAME, DAY, drawn(np.random.default_rng(9), **today), learned)
    return {(one.feature, one.metric): one for one in found}


def breaches(found):
    return {key for key, one in found.items() if one.verdict is Verdict.BREACH}


def test_a_limit_says_what_it_was_learned_from_its_floor_and_how_seldom_chance_passes_it(learned):
    found = measured(learned)
    assert not breaches(found)
    assert re.fullmatch(
        r"PSI 0\.00\d against a usual 0\.000 to 0\.00\d on 56 baseline days; limit 0\.0\d\d "
        r"\(at least 0\.03 more than chance\), passed by chance (about|less than) once in [0-9,]+ years",
        found["age", "psi"].reason,
    ), found["age", "psi"].reason
    assert re.match(
        r"0 % null; baseline 0 %, usually 0 % to 0 % on 56 baseline days; ", found["age", "null_share"].reason
    )


def test_a_shift_of_a_third_of_a_standard_deviation_is_found_and_of_a_tenth_is_not_worth_a_word(learned):
    assert ("age", "psi") in breaches(measured(learned, shift=3.3))
    assert not breaches(measured(learned, shift=0.5))


def test_on_the_day_of_an_event_a_shift_counts_only_from_three_times_its_limit_on(learned):
    event = Event(name="Black Friday", start=DAY - timedelta(days=1), end=DAY)
    own = spec().model_copy(update={"baseline": Baseline(start=START, end=DAY, events=[event])})
    softened = measured(learned, own, shift=2.0)["age", "psi"]
    assert softened.verdict is Verdict.INSUFFICIENT
    assert softened.reason.endswith(
        "the day belongs to Black Friday, when this figure counts only from three times its limit on"
    )
    assert ("age", "psi") in breaches(measured(learned, own, shift=9.0))


def test_a_baseline_leaves_out_its_events():
    own = Baseline(start=START, end=START + timedelta(days=6), events=[Event(name="New Year", start=START)])
    assert own.days() == [START + timedelta(days=i) for i in range(1, 7)]
    assert own.left_out() == [START]
    assert (own.event_on(START), own.event_on(DAY)) == ("New Year", None)


def test_some_shops_never_seen_are_usual_where_thousands_are_rare_and_a_new_one_at_four_per_cent_is_not(learned):
    assert not breaches(measured(learned, fresh=0.002))
    assert ("shop", "unseen_share") in breaches(measured(learned, fresh=0.04))


def test_more_scores_at_the_top_are_told_apart(learned):
    found = breaches(measured(learned, top=0.01))
    assert {("score", "top_score_share"), ("score", "top_score_psi")} <= found
    one = measured(learned, top=0.01)["score", "top_score_share"]
    assert re.match(r"1\.9\d % of scores above the baseline's 99 % point; baseline 0\.9\d* %, usually", one.reason)
    fallen = measured(learned, logits=-1.0)["score", "top_score_share"]
    assert (fallen.verdict, fallen.value < fallen.limit) == (Verdict.BREACH, True)


def test_thirty_columns_in_five_slices_are_learned_in_a_few_seconds():
    names = [f"age{i}" for i in range(30)]
    counts = [{"age": counted(AGE, np.random.default_rng(i).normal(45, 10, 500))} for i in range(56)]
    groups = dict.fromkeys("abcde")
    days = {
        START + timedelta(days=i): profile(
            dict.fromkeys(names, own["age"]), **{value: dict.fromkeys(names, own["age"]) for value in groups}
        )
        for i, own in enumerate(counts)
    }
    began = time.process_time()
    found = learn_calibration(spec(), frame(dict.fromkeys(names, AGE)), days)
    assert len(found.learned) == 180
    assert time.process_time() - began < 6
