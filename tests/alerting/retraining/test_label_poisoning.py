from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from alerting.retraining.label_poisoning import find_suspect_days
from ledger.records.measurements import Measurement, Verdict
from tests.alerting import made

FIRST = date(2026, 3, 1)
APP = "channel=app"


def frauds(counts: Mapping[int, int], usual: int = 40, slice_: str = "", days: int = 30) -> list[Measurement]:
    """Return the recall of each day with its number of known frauds."""
    return [
        replace(
            made.RECALL,
            monitor="performance",
            day=FIRST + timedelta(days=day),
            n=counts.get(day, usual),
            slice=slice_,
            verdict=Verdict.OK,
        )
        for day in range(days)
    ]


def rates(spike: float) -> list[Measurement]:
    blank = made.m("performance", "alert_rate", value=0.02, verdict=Verdict.OK)
    days = [replace(blank, day=FIRST + timedelta(days=day)) for day in range(30)]
    return [*days[:9], replace(days[9], value=spike), *days[10:]]


def test_a_flood_of_labels_on_one_day_is_suspect() -> None:
    (found,) = find_suspect_days(frauds({12: 160}))
    assert found.day == date(2026, 3, 13)
    assert found.reason == "160 frauds are labelled on Fri 13 Mar, where 40 a day are usual"


def test_a_burst_of_frauds_from_one_slice_is_suspect_where_the_whole_day_is_not() -> None:
    (found,) = find_suspect_days([*frauds({12: 80}), *frauds({12: 45}, usual=5, slice_=APP)])
    assert found.reason == "45 frauds on Fri 13 Mar are of `channel=app`, where 5 a day are usual"


def test_a_spike_of_the_alert_rate_is_suspect() -> None:
    assert [suspect.day for suspect in find_suspect_days(rates(0.07))] == [date(2026, 3, 10)]
    assert find_suspect_days(rates(0.05)) == []


def test_a_day_of_repeated_rows_is_suspect() -> None:
    day = date(2026, 3, 9)
    (found,) = find_suspect_days([replace(made.DUPLICATES, day=day)])
    assert found == (day, "3 % of the rows of Mon 9 Mar repeat an id")
    assert find_suspect_days(made.ok(made.DUPLICATES)) == []


def test_a_new_pattern_that_grows_over_weeks_is_learnt_from() -> None:
    grown = {day: 40 + 2 * day for day in range(30)}
    assert find_suspect_days([*frauds(grown), *frauds({day: 5 + day for day in range(30)}, slice_=APP)]) == []


def test_a_day_is_told_once_and_a_short_window_tells_nothing() -> None:
    assert len(find_suspect_days([*frauds({9: 400}), *frauds({9: 390}, usual=30, slice_=APP), *rates(0.5)])) == 1
    assert find_suspect_days(frauds({2: 4000}, days=6)) == []


@given(seed=st.integers(0, 10_000), usual=st.floats(0.5, 500))
def test_chance_alone_is_never_suspect(seed: int, usual: float) -> None:
    counts = np.random.default_rng(seed).poisson(usual, 66)
    days = dict(enumerate(int(count) for count in counts))
    assert find_suspect_days([*frauds(days, days=66), *frauds(days, days=66, slice_=APP)]) == []
