from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from models.errors import WatchkeeperError
from tests.warehouse import made
from tests.warehouse.made import DAY, payments, write
from warehouse.duckdb.warehouse import ParquetWarehouse

LAST, AS_OF = DAY + timedelta(days=2), date(2026, 1, 10)


@pytest.fixture
def bank(tmp_path):
    rng, days = np.random.default_rng(1), {}
    for i in range(3):
        rows = payments(300, seed=i, first_id=1000 * i).assign(card=[f"c{n}" for n in rng.integers(0, 80, 300)])
        rows.loc[:2, "score"] = [np.nan, np.inf, -np.inf]
        rows.loc[3, "card"] = None
        days[DAY + timedelta(days=i)] = rows
        write(tmp_path, rows, DAY + timedelta(days=i))
    told = [(1000 * (n % 3) + n, n % 4 > 0, "2026-01-09") for n in range(200)]
    told += [(1000 * (n % 3) + n, False, "2026-01-10 12:00") for n in range(40)]  # taken back
    told += [(1000 * (n % 3) + n, True, "2026-01-11") for n in range(200, 300)]  # not known yet
    made.labels(tmp_path, told)
    return tmp_path, days, {key for key, fraud, _ in told[:200] if fraud} - {key for key, _, _ in told[200:240]}


def model(capacity=3, **changes):
    score = made.Score(threshold=0.8, action="action", blocked=["block"], entity="card", **changes)
    return made.spec(score=score, alerts={"capacity_per_day": capacity})


def test_the_first_cards_of_each_day_are_those_that_pandas_finds(bank):
    root, days, frauds = bank
    found = ParquetWarehouse(root).top_cards(model(), DAY, LAST, AS_OF)
    rows = pd.concat([own.assign(day=day) for day, own in days.items()])
    rows = rows[np.isfinite(rows.score) & (rows.action != "block") & rows.card.notna()]
    best = rows.assign(fraud=rows.payment_id.isin(frauds)).groupby(["day", "card"], as_index=False)
    best = best.agg(score=("score", "max"), fraud=("fraud", "max"))
    compromised = set(best.card[best.fraud])
    place = best.groupby("day").score.rank(method="min", ascending=False)
    first = best[place <= 7 * 3]
    assert sum(one.cards for one in found) == len(first)
    for day, of_day in first.groupby("day"):
        mine = [one for one in found if one.day == day]
        assert sorted(s for one in mine for s in [one.score] * one.cards) == sorted(of_day.score)
        assert sum(one.fraud for one in mine) == of_day.fraud.sum()
        assert sum(one.card != 0 for one in mine) == of_day.card.isin(compromised).sum()
    assert len({one.card for one in found if one.card}) == len(set(first.card) & compromised)


def test_cards_that_share_the_last_place_all_come_and_honest_ones_as_one_count(tmp_path):
    write(tmp_path, payments(500, seed=1).assign(score=0.5, card=np.arange(500), action="allow"))
    made.labels(tmp_path, [(7, True, "2026-01-06"), (8, True, "2026-01-06")])
    found = ParquetWarehouse(tmp_path).top_cards(model(), DAY, DAY, AS_OF)
    assert sorted(one.cards for one in found) == [1, 1, 498]
    assert {one.card == 0 for one in found if one.cards == 498} == {True}


def test_without_cards_labels_or_rows_nothing_is_ranked_and_a_wrong_column_is_named(bank, tmp_path):
    root, _, _ = bank
    warehouse = ParquetWarehouse(root)
    assert warehouse.top_cards(made.spec(), DAY, LAST, AS_OF) == []
    assert warehouse.top_cards(model().model_copy(update={"labels": None}), DAY, LAST, AS_OF) == []
    assert warehouse.top_cards(model(), date(2025, 1, 1), date(2025, 1, 7), AS_OF) == []
    wrong = model().model_copy(update={"score": model().score.model_copy(update={"entity": "cart"})})
    with pytest.raises(WatchkeeperError, match=r"score.entity: table cards/features has no column 'cart'.*card"):
        warehouse.top_cards(wrong, DAY, LAST, AS_OF)
