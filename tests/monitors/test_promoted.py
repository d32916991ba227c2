from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from ledger.records import Baselined, Measurement, Verdict
from monitors.promoted import settling, unjudged

PROMOTED = date(2026, 4, 28)
OWN = Baselined("card", date(2026, 5, 27), date(2026, 4, 29), date(2026, 5, 26), "challenger c1 promoted")
M = Measurement("card", PROMOTED, PROMOTED, "score", "psi", "score", "", 5.2, n=4000, limit=0.1, verdict=Verdict.BREACH)


@pytest.mark.parametrize(("day", "gathers"), [(0, False), (1, True), (28, True), (29, False)])
def test_a_new_champions_own_days_are_those_after_its_promotion_until_its_baseline_holds(
    day: int, gathers: bool
) -> None:
    assert (settling([OWN], PROMOTED + timedelta(days=day)) == OWN) is gathers


def test_of_two_promotions_the_newer_ones_days_count() -> None:
    week = timedelta(days=7)
    newer = replace(OWN, day=OWN.day + week, start=OWN.start + week, end=OWN.end + week)
    assert settling([newer, OWN], PROMOTED + timedelta(days=10)) == newer


def test_a_baseline_of_days_before_a_promotion_gathers_nothing() -> None:
    before = Baselined("card", PROMOTED + timedelta(days=14), date(2026, 3, 20), date(2026, 4, 16), "as it was once")
    assert settling([before], date(2026, 4, 1)) is None


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
    (found,) = unjudged([m], "score", OWN)
    assert found.verdict is (Verdict.BREACH if judged else Verdict.INSUFFICIENT)
    assert found.value == m.value, "the figure is shown all the same"
    if not judged:
        assert found.reason.startswith("Not judged: a new champion scores since 29 Apr")
    assert unjudged([m], "score", None) == [m]


@pytest.mark.parametrize("verdict", [Verdict.ERRORED, Verdict.MISSING, Verdict.IMMATURE])
def test_what_says_nothing_of_the_score_stays_as_it_is(verdict: Verdict) -> None:
    m = replace(M, verdict=verdict)
    assert unjudged([m], "score", OWN) == [m]
