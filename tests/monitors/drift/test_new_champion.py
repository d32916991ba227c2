from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from benchmarks.quarters.model import FIRST, FRAME, SPEC, Bank, Change
from ledger.records.measurements import Measurement, Verdict
from ledger.records.retraining import BaselineChange
from monitors.drift import daily_drift
from monitors.drift.calibration import Calibration, learn_calibration
from monitors.drift.new_champion import baseline_being_gathered, calibrate_score_on_own_days, withhold_score_verdicts
from profiles.profile import Profile

PROMOTED = date(2026, 4, 28)
OWN = BaselineChange("card", date(2026, 5, 27), date(2026, 4, 29), date(2026, 5, 26), "challenger c1 promoted")
M = Measurement("card", PROMOTED, PROMOTED, "score", "psi", "score", "", 5.2, n=4000, limit=0.1, verdict=Verdict.BREACH)


@pytest.mark.parametrize(("day", "gathers"), [(0, False), (1, True), (28, True), (29, False)])
def test_a_new_champions_own_days_are_those_after_its_promotion_until_its_baseline_holds(
    day: int, gathers: bool
) -> None:
    assert (baseline_being_gathered([OWN], PROMOTED + timedelta(days=day)) == OWN) is gathers


def test_of_two_promotions_the_newer_ones_days_count() -> None:
    week = timedelta(days=7)
    newer = replace(OWN, day=OWN.day + week, start=OWN.start + week, end=OWN.end + week)
    assert baseline_being_gathered([newer, OWN], PROMOTED + timedelta(days=10)) == newer


def test_a_baseline_of_days_before_a_promotion_gathers_nothing() -> None:
    before = BaselineChange(
        "card", PROMOTED + timedelta(days=14), date(2026, 3, 20), date(2026, 4, 16), "as it was once"
    )
    assert baseline_being_gathered([before], date(2026, 4, 1)) is None


@pytest.mark.parametrize(
    ("change", "judged"),
    [
        ({}, False),
        ({"metric": "top_score_share", "slice": "channel=app"}, False),
        ({"monitor": "slow", "metric": "slow_drift"}, False),
        ({"monitor": "decay", "metric": "alert_rate", "feature": ""}, False),
        ({"metric": "null_share"}, True),
        ({"monitor": "fault", "metric": "constant_share"}, True),
        ({"monitor": "drift", "feature": "amount_gbp"}, True),
        ({"monitor": "slow", "metric": "slow_drift", "feature": "amount_gbp"}, True),
        ({"monitor": "decay", "metric": "recall", "feature": ""}, True),
        ({"monitor": "decay", "metric": "false_positive_rate", "feature": ""}, True),
    ],
)
def test_only_how_the_score_lies_is_not_judged_meanwhile(change: dict[str, str], judged: bool) -> None:
    m = replace(M, **change)  # type: ignore[arg-type]
    (found,) = withhold_score_verdicts([m], "score", OWN)
    assert found.verdict is (Verdict.BREACH if judged else Verdict.INSUFFICIENT)
    assert found.value == m.value, "the figure is shown all the same"
    if not judged:
        assert found.reason.startswith("Not judged: a new champion scores since 29 Apr")
    assert withhold_score_verdicts([m], "score", None) == [m]


@pytest.mark.parametrize("verdict", [Verdict.ERRORED, Verdict.MISSING, Verdict.IMMATURE])
def test_what_says_nothing_of_the_score_stays_as_it_is(verdict: Verdict) -> None:
    m = replace(M, verdict=verdict)
    assert withhold_score_verdicts([m], "score", OWN) == [m]


NEW = Change(shift={"score": 0.8})
"""A new champion's scores lie elsewhere from the first day on."""


@pytest.fixture(scope="module")
def before() -> Calibration:
    bank = Bank(seed=5, rows=20_000)
    return learn_calibration(SPEC, FRAME, {FIRST + timedelta(days=n): bank.day(n) for n in range(28)})


@pytest.fixture(scope="module")
def own() -> dict[date, Profile]:
    bank = Bank(seed=6, rows=20_000)
    return {FIRST + timedelta(days=n): bank.day(n, NEW) for n in range(28, 56)}


def breaches(before: Calibration, own: dict[date, Profile], number: int, today: Profile) -> set[str]:
    """Return the columns that breach on a day of the new champion, of which the days before it are known."""
    day = FIRST + timedelta(days=number)
    learned = calibrate_score_on_own_days(SPEC, FRAME, before, {d: profile for d, profile in own.items() if d < day})
    return {
        m.feature for m in daily_drift.measure_drift(SPEC, FRAME, day, today, learned) if m.verdict is Verdict.BREACH
    }


def test_from_a_week_of_its_own_on_a_new_champions_score_is_held_against_itself(
    before: Calibration, own: dict[date, Profile]
) -> None:
    told = {n: breaches(before, own, n, own[FIRST + timedelta(days=n)]) for n in range(28, 56)}
    assert all("score" in told[n] for n in range(28, 35)), "of six days nothing is learned"
    assert not any("score" in told[n] for n in range(35, 56))


def test_a_gross_change_of_a_new_champions_score_is_seen_before_its_baseline_holds(
    before: Calibration, own: dict[date, Profile]
) -> None:
    broken = Bank(seed=7, rows=20_000)
    for n, shift in ((36, 4.0), (50, 1.8)):
        assert "score" in breaches(before, own, n, broken.day(n, Change(shift={"score": shift})))


def test_a_figure_held_against_few_days_of_its_own_says_so_and_keeps_its_verdict() -> None:
    (found,) = withhold_score_verdicts([M], "score", OWN, 7)
    assert found.verdict is Verdict.BREACH
    assert "Held against the 7 days that a new champion scores, since 29 Apr" in found.reason
    slow = replace(M, monitor="slow", metric="slow_drift")
    assert [m.verdict for m in withhold_score_verdicts([M, slow], "score", OWN, 6)] == [Verdict.INSUFFICIENT] * 2
    assert [m.verdict for m in withhold_score_verdicts([slow], "score", OWN, 20)] == [Verdict.INSUFFICIENT]
