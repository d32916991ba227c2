"""A day that looks as such days of the baseline do is told apart from one that doesn't."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np

from ledger.records.measurements import Measurement, Verdict
from monitors.drift import season
from profiles.bins import number_grid
from profiles.profile import EVERYONE, BinCounts, Counts, Profile
from profiles.schema import ProfileSchema
from tests.monitors.scored import spec

GRID = number_grid((0.0, 50.0, 100.0))
FRAME = ProfileSchema("f", {"amount": GRID}, {}, None, (), {})
FIRST = date(2026, 1, 1)
SUNDAY = date(2026, 3, 8)


def profile(day: date, shift: float, rows: int = 4000) -> Profile:
    values = np.random.default_rng(day.toordinal()).normal(45 + shift, 12, rows)
    bins, counts = np.unique(GRID.bin_of(values), return_counts=True)
    return Profile("f", rows, {EVERYONE: {"amount": Counts(0, 0, 0, BinCounts(bins, counts))}})


def clues(day: date, shift: float, *, of_sundays: float) -> list[Measurement]:
    days = [FIRST + timedelta(days=i) for i in range(56)]
    baseline = {d: profile(d, of_sundays if d.weekday() == 6 else 0.0) for d in days}
    breach = Measurement("card", day, day, "drift", "psi", "amount", value=0.4, verdict=Verdict.BREACH)
    return season.diagnose_season(spec(), FRAME, day, profile(day, shift), baseline, [breach])


def test_a_sunday_that_looks_like_the_baselines_sundays_is_a_season() -> None:
    (found,) = clues(SUNDAY, 20, of_sundays=20)
    assert (found.metric, found.feature, found.verdict) == ("season", "amount", Verdict.OK)
    assert found.value is not None
    assert found.limit is not None
    assert found.value <= found.limit
    assert "8 baseline days of the same kind (the same weekday) look alike" in found.reason


def test_a_sunday_unlike_the_baselines_sundays_or_a_monday_like_them_is_none() -> None:
    assert clues(SUNDAY, 20, of_sundays=0) == []
    assert clues(SUNDAY + timedelta(days=1), 20, of_sundays=20) == []


def test_a_feature_that_did_not_drift_is_not_asked_about() -> None:
    day = profile(SUNDAY, 0)
    assert season.diagnose_season(spec(), FRAME, SUNDAY, day, {FIRST: day}, []) == []
