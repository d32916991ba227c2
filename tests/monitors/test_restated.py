from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from statsmodels.stats.proportion import proportion_confint

from ledger.records import Measurement
from monitors import decay, performance, restated
from monitors.maturity import learn
from tests.monitors import scored

AS_OF = scored.START + timedelta(days=59)
LATER = AS_OF + timedelta(days=40)


def judged(as_of: date = AS_OF) -> tuple[Measurement, date, list[Measurement], list[Measurement]]:
    """Return a recall as the decay monitor judged it, and the single days' recalls as known then and much later."""
    payments = scored.bank(60, seed=3, rows=2000, recall=lambda day: 0.8 if day < 40 else 0.4)
    known = {}
    for when in (as_of, LATER):
        cubes, cohorts = scored.known(payments, when)
        curve = learn(cohorts, when, 120)
        known[when] = cubes, curve
    cubes, curve = known[as_of]
    normal = [scored.START + timedelta(days=n) for n in range(20)]
    found = decay.measure(scored.spec(), scored.frame(), as_of, cubes, curve, normal)
    (recall,) = [m for m in found if (m.metric, m.slice) == ("recall", "")]
    (age,) = [m for m in found if m.metric == "frauds_mature_until"]
    single = [
        [
            m
            for m in performance.measure(scored.spec(), scored.frame(), when, *known[when], known[when][0].keys())
            if (m.metric, m.slice) == ("recall", "")
        ]
        for when in (as_of, LATER)
    ]
    return recall, as_of - timedelta(days=int(age.n)), single[0], single[1]


def test_a_pooled_recall_is_had_again_from_single_days_and_restated_by_later_labels() -> None:
    recall, newest, then, now = judged()
    same = restated.recall(recall, newest, then, then)
    assert same is not None
    assert (same.value, same.n) == (pytest.approx(recall.value), recall.n)
    later = restated.recall(recall, newest, then, now)
    assert later is not None
    assert later.n > recall.n, "labels went on coming"
    assert later.end == newest
    low, high = proportion_confint(round(later.value * later.n), later.n, method="wilson")
    assert (later.low, later.high) == (pytest.approx(low), pytest.approx(high))


def test_a_figure_that_cannot_be_had_again_is_not_restated() -> None:
    recall, newest, then, now = judged()
    assert restated.recall(recall, newest, [m for m in then if m.day != newest], now) is None
    assert restated.recall(replace(recall, n=recall.n + 1), newest, then, now) is None
    assert restated.recall(replace(recall, value=None), newest, then, now) is None


FOUND = restated.Restated(date(2026, 2, 12), date(2026, 2, 18), 0.62, 0.71, 0.66, 0.76, 412, 0.7)


def test_it_says_what_was_what_is_and_what_that_means() -> None:
    assert FOUND.words(date(2026, 5, 12)) == (
        "with labels known by 12 May, recall of 12 Feb to 18 Feb was 0.71 (0.66 to 0.76, 412 frauds), not 0.62. "
        "It would not have been a breach."
    )
    assert replace(FOUND, value=0.68).words(date(2026, 5, 12)).endswith("not 0.62.")


@pytest.mark.parametrize(
    ("value", "last_told", "telling"),
    [
        (0.62, None, False),
        (0.66, None, False),
        (0.67, None, True),
        (0.57, None, True),
        (0.71, 0.69, True),  # on the other side of its limit
        (0.71, 0.70, False),
        (0.71, 0.71, False),
    ],
)
def test_it_is_told_once_it_moved_or_changed_sides(value: float, last_told: float | None, telling: bool) -> None:
    assert replace(FOUND, value=value).worth_telling(last_told) is telling
