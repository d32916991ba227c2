"""Card precision against the handbook's own procedure, and against random order where cards are tied."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.records.measurements import Verdict
from monitors.performance import card_precision
from tests.monitors.scored import START, spec
from warehouse.sql.top_entities import RankedCard


def ranked(rows: pd.DataFrame) -> list[RankedCard]:
    """Return payments (day, card, score, fraud) as the warehouse ranks them: cards without fraud by score only."""
    ever = rows.groupby("card").fraud.transform("max")
    top = rows.assign(card=np.where(ever, rows.card + 1, 0), one=rows.card).groupby(["day", "one"])
    best = top.agg(score=("score", "max"), fraud=("fraud", "max"), card=("card", "first")).reset_index()
    counted = best.groupby(["day", "score", "card", "fraud"]).size()
    return [
        RankedCard(START + timedelta(days=int(day)), score, int(card), bool(fraud), int(n))
        for (day, score, card, fraud), n in counted.items()
    ]


def by_the_book(rows: pd.DataFrame, capacity: int, rng=None) -> list[float]:
    """Return the compromised cards among the first ones of each day; those that were caught are left out later."""
    best = rows.groupby(["day", "card"], as_index=False).agg(score=("score", "max"), fraud=("fraud", "max"))
    day, card, score, fraud = (best[name].to_numpy() for name in ("day", "card", "score", "fraud"))
    caught = np.zeros(card.max() + 1, bool)
    found = []
    for number in np.unique(day):
        pool = np.flatnonzero((day == number) & ~caught[card])
        tie_breaker = np.arange(len(pool)) if rng is None else rng.random(len(pool))
        first = pool[np.lexsort((tie_breaker, -score[pool]))[:capacity]]
        caught[card[first[fraud[first]]]] = True
        found.append(float(fraud[first].sum()))
    return found


def payments(rng, days, size, cards_, score):
    rows = pd.DataFrame({"day": rng.integers(0, days, size), "card": rng.integers(0, cards_, size)})
    return rows.assign(score=score(size), fraud=rng.random(size) < 0.3).sort_values("day")


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.integers(1, 12))
def test_without_ties_it_is_what_the_handbook_counts(seed, capacity):
    rng = np.random.default_rng(seed)
    rows = payments(rng, 4, 80, 25, rng.random)
    found = card_precision.compromised_cards_by_day(ranked(rows), capacity)
    assert [caught for caught, _ in found.values()] == pytest.approx(by_the_book(rows, capacity))
    assert all(caught <= n <= capacity for caught, n in found.values())


def test_cards_that_share_the_last_place_are_looked_at_in_random_order_and_the_average_counts():
    rng = np.random.default_rng(5)
    rows = payments(rng, 4, 240, 60, lambda n: rng.choice([0.1, 0.5, 0.9], n))
    found = [caught for caught, _ in card_precision.compromised_cards_by_day(ranked(rows), 15).values()]
    average = np.mean([by_the_book(rows, 15, rng) for _ in range(250)], axis=0)
    assert found[0] == pytest.approx(average[0], abs=0.15)  # the first day is exact
    assert found == pytest.approx(average, abs=0.35)  # later, which cards left together is averaged too


def test_a_card_that_was_caught_leaves_the_pool_and_one_that_was_not_stays():
    def card(day, number, score, *, fraud):
        return RankedCard(START + timedelta(days=day), score, number, fraud, 1)

    caught = [card(0, 1, 0.9, fraud=True), card(1, 1, 0.9, fraud=True), card(1, 2, 0.8, fraud=False)]
    assert list(card_precision.compromised_cards_by_day(caught, 1).values()) == [(1.0, 1), (0.0, 1)]
    honest_before = [card(0, 1, 0.9, fraud=False), card(1, 1, 0.9, fraud=True)]
    assert list(card_precision.compromised_cards_by_day(honest_before, 1).values()) == [(0.0, 1), (1.0, 1)]
    assert list(card_precision.compromised_cards_by_day(caught[:1], 100).values()) == [
        (1.0, 1)
    ]  # of one card, one is looked at
    assert card_precision.compromised_cards_by_day([], 5) == {}


def test_the_newest_mature_day_and_the_week_have_a_figure_with_an_interval():
    rng = np.random.default_rng(6)
    rows = payments(rng, 7, 7000, 2000, rng.random)
    model, days = spec(alerts={"capacity_per_day": 50}), [START + timedelta(days=n) for n in range(7)]
    day, week = card_precision.measure_card_precision(model, START + timedelta(days=40), ranked(rows), days)
    assert (day.monitor, day.day, day.n, day.verdict) == ("performance", days[-1], 50, Verdict.OK)
    assert (week.monitor, week.day, week.n) == ("decay", START + timedelta(days=40), 7)
    for m in (day, week):
        assert m.metric == "card_precision"
        assert 0 <= m.low <= m.value <= m.high <= 1
    assert week.value == pytest.approx(np.mean(by_the_book(rows, 50)) / 50)
    assert "of the 50 cards with the highest scores had a fraud that day." in day.reason
    assert "Of 50 cards a day, over 7 mature days" in week.reason
    assert card_precision.measure_card_precision(model, START, [], days) == []
