from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from models.spec import Column, Features, Labels
from profiles.profile import ALL_NUMBERS, EVERYONE, WEIGHT
from tests.warehouse import engines, made
from tests.warehouse.made import DAY, payments
from warehouse.sql import batched_queries

LONG = "x" * 10_000
TEXTS = [
    "",
    " ",
    LONG,
    "naïve ☕ 支払い",
    "\u202eabc",
    "'; DROP TABLE t; --",
    'say "hi"',
    "a:b",
    "`x`",
    "\\n",
    "NULL",
    None,
]
NUMBERS = [None, np.nan, np.inf, -np.inf, 0.0, -0.0, 1.7e308, -1.7e308, 5e-324, 30.0, 1e15, -3.5]
COLUMNS = {
    "x": "number", "whole": "number", "money": "number", "on": "number", "text_number": "number",
    "text": "category", "flag": "category", "born": "category", "at": "category",
    "price": "category", "rate": "category", "vector": "embedding",
}  # fmt: skip


def odd_rows(seed: int) -> pa.Table:
    """Every kind of value that a feature table may hold, each next to each by chance."""
    rng, n = np.random.default_rng(seed), 240

    def some(values, kind):
        return pa.array([values[i] for i in rng.integers(0, len(values), n)], kind)

    return pa.table(
        {
            "payment_id": pa.array(range(1000 * seed, 1000 * seed + n)),
            "x": some(NUMBERS, pa.float64()),
            "whole": some([None, 0, -1, 7, 2**62, -(2**62)], pa.int64()),
            "money": some([None, Decimal("0.005"), Decimal("12.340000000"), Decimal("-7.5")], pa.decimal128(38, 9)),
            "on": some([True, False, None], pa.bool_()),
            "text_number": some(["1.5", "n/a", "", None, "-2"], pa.string()),
            "text": some(TEXTS, pa.string()),
            "flag": some([True, False, None], pa.bool_()),
            "born": some([date(1970, 1, 1), date(2026, 2, 28), None], pa.date32()),
            "at": some([datetime(2026, 1, 1, 2, 3, 4, 500_000, UTC), datetime(1999, 12, 31, 23, 59, 59, 0, UTC), None],
                       pa.timestamp("us", "UTC")),
            "price": some([Decimal("1.50"), Decimal("2.000000000"), None], pa.decimal128(38, 9)),
            "rate": some([1.0, 2.0, 0.25, -0.0, np.nan, np.inf, None], pa.float64()),
            "vector": some([[1.0, 2.0], [0.5, -3.0], [], [1.0]], pa.list_(pa.float64())),
            "channel": some(["chip", "online", "", "☕", None], pa.string()),
            "age_band": some(["18-29", "30-59", "60+", None], pa.string()),
            "score": some([None, np.nan, np.inf, 0.0, 1.0, 0.8, 0.79, 1.5, -0.5, 0.123456789], pa.float64()),
            "amount_gbp": some([None, 0.01, 12.345, -5.0, 1e12, np.nan], pa.float64()),
            "action": some(["allow", "block", None], pa.string()),
        }
    )  # fmt: skip


@pytest.fixture(scope="module")
def odd(tmp_path_factory, bigquery_client):
    """A week of odd rows in both engines, of which the fourth day has no row, and the frame of the week."""
    features = Features(
        table="cards/features", second_moments=True, columns={n: Column(kind=k) for n, k in COLUMNS.items()}
    )
    days = {DAY + timedelta(days=i): odd_rows(i)[: 0 if i == 3 else None] for i in range(7)}
    found = engines.both(tmp_path_factory.mktemp("odd"), bigquery_client, made.spec(features=features),
                         {"features": days})  # fmt: skip
    return found, found.parquet.fit_profile_schema(found.spec)


def test_both_engines_make_the_same_profile_of_whatever_a_table_may_hold(odd):
    found, frame = odd
    parquet, bigquery = found.profiles(frame, DAY, DAY + timedelta(days=6))
    full = [day for day in parquet if day != DAY + timedelta(days=3)]
    assert list(bigquery) == full  # BigQuery has no partition without a row
    for day in full:
        assert bigquery[day].rows == parquet[day].rows == 240
        for group, columns in parquet[day].features.items():
            assert bigquery[day].features[group] == columns, group
        assert bigquery[day].cube == parquet[day].cube
        assert bigquery[day] == parquet[day]
    assert set(parquet[DAY].moments) == {ALL_NUMBERS, "vector"}


def test_an_empty_partition_has_no_rows_and_no_counts(odd):
    found, frame = odd
    empty = DAY + timedelta(days=3)
    parquet, bigquery = found.profiles(frame, empty, empty)
    assert parquet[empty].rows == 0
    assert bigquery == {}
    assert found.bigquery.partition(found.in_bigquery, empty) is None


def test_both_engines_tell_the_same_of_a_partition(odd):
    found, _ = odd
    parquet = found.parquet.partition(found.spec, DAY)
    bigquery = found.bigquery.partition(found.in_bigquery, DAY)
    assert (bigquery.rows, bigquery.distinct_ids) == (parquet.rows, parquet.distinct_ids) == (240, 240)
    assert bigquery.columns.keys() == parquet.columns.keys()
    full = [DAY + timedelta(days=i) for i in range(7) if i != 3]
    assert found.bigquery.days(found.in_bigquery, DAY, DAY + timedelta(days=30)) == full


def test_both_engines_fix_the_same_categories_and_groups(odd):
    found, frame = odd
    in_bigquery = found.bigquery.fit_profile_schema(found.in_bigquery)
    assert in_bigquery.categories == frame.categories
    assert in_bigquery.groups == frame.groups
    assert in_bigquery.embeddings == frame.embeddings
    assert in_bigquery.score == frame.score
    assert LONG in frame.categories["text"].seen


def test_both_engines_choose_the_same_sample(odd):
    found, _ = odd
    last = DAY + timedelta(days=6)
    parquet = found.parquet.sample(found.spec, DAY, last, 25, seed=3)
    bigquery = found.bigquery.sample(found.in_bigquery, DAY, last, 25, seed=3)
    assert bigquery.payment_id.tolist() == parquet.payment_id.tolist()


def test_twenty_thousand_levels_are_counted_alike(tmp_path, bigquery_client):
    rows = [f"level {i}" for i in range(20_000)]
    days = {DAY: rows, DAY + timedelta(days=1): [*rows[::2], *rows[::3], *[f"new {i}" for i in range(999)]]}
    tables = {
        day: pa.table({"payment_id": range(len(own)), "country": own, "channel": ["chip"] * len(own)})
        for day, own in days.items()
    }
    spec = made.spec(
        features=Features(table="cards/features", columns={"country": Column(kind="category")}),
        score=made.Score(), labels=None, protected={}, baseline=made.Baseline(start=DAY, end=DAY),
    )  # fmt: skip
    found = engines.both(tmp_path, bigquery_client, spec, {"features": tables})
    frame = found.parquet.fit_profile_schema(spec)
    parquet, bigquery = found.profiles(frame, DAY, DAY + timedelta(days=1))
    assert bigquery == parquet
    assert parquet[DAY + timedelta(days=1)].features[EVERYONE]["country"].bins[-2] == 999


def test_five_hundred_columns_are_counted_alike(tmp_path, bigquery_client):
    """They take nine statements, most of them flags, for the emulator takes a second for each number's expression."""
    rng = np.random.default_rng(0)
    wide = {f"x{i}": rng.standard_normal(40) if i % 50 == 0 else rng.choice(["no", "yes"], 40) for i in range(500)}
    rows = payments(40, seed=7)
    table = pa.Table.from_pandas(pd.concat([rows, pd.DataFrame(wide)], axis=1), preserve_index=False)
    columns = {name: Column(kind="number" if own.dtype == float else "category") for name, own in wide.items()}
    spec = made.spec(features=Features(table="cards/features", columns=columns))
    found = engines.both(tmp_path, bigquery_client, spec, {"features": {DAY: table}})
    frame = found.parquet.fit_profile_schema(spec)
    parquet, bigquery = found.profiles(frame, DAY, DAY)
    assert bigquery == parquet
    assert len(parquet[DAY].features[EVERYONE]) == 500 + 1 > batched_queries.MOST_COLUMNS_PER_STATEMENT


def test_names_that_look_like_sql_are_only_names(tmp_path, bigquery_client):
    rows = payments(60, seed=6).rename(columns={"age_days": "select"})
    features = Features(table="cards/features", columns={"select": Column(kind="number")})
    found = engines.both(
        tmp_path, bigquery_client, made.spec(features=features),
        {"features": {DAY: pa.Table.from_pandas(rows, preserve_index=False)}},
    )  # fmt: skip
    frame = found.parquet.fit_profile_schema(found.spec)
    parquet, bigquery = found.profiles(frame, DAY, DAY)
    assert bigquery == parquet


def test_both_engines_weigh_payments_by_the_same_propensities(tmp_path, bigquery_client):
    rng = np.random.default_rng(8)
    odd_values = rng.choice([None, np.nan, np.inf, 0.0, -1.0, 0.0001, 0.03, 0.37, 1.0, 1.1], 120)
    rows = payments(120, seed=8).assign(let_through=pd.array(odd_values, dtype="Float64"))
    events = pa.table(
        {
            "payment_id": pa.array(range(0, 120, 2)),
            "is_fraud": pa.array([i % 3 == 0 for i in range(60)]),
            "known_at": pa.array([datetime(2026, 1, 6, tzinfo=UTC)] * 60, pa.timestamp("us", "UTC")),
        }
    )
    score = made.Score(threshold=0.8, amount="amount_gbp", action="action", blocked=["block"], propensity="let_through")
    tables = {"features": {DAY: pa.Table.from_pandas(rows, preserve_index=False)}, "labels": {DAY: events}}
    found = engines.both(tmp_path, bigquery_client, made.spec(score=score), tables)
    frame = found.parquet.fit_profile_schema(found.spec)
    parquet, bigquery = found.profiles(frame, DAY, DAY)
    assert bigquery == parquet
    assert parquet[DAY].cube.bins[EVERYONE][:, :, WEIGHT].sum() > 120_000_000
    as_of = DAY + timedelta(days=3)
    known = found.bigquery.label_changes(found.in_bigquery, frame, DAY, DAY, None, as_of)
    assert known == found.parquet.label_changes(found.spec, frame, DAY, DAY, None, as_of)


def test_both_engines_take_in_the_same_labels_reversals_and_late_ones_too(tmp_path, bigquery_client):
    rng = np.random.default_rng(5)
    days = {DAY + timedelta(days=i): payments(150, seed=i, first_id=1000 * i) for i in range(4)}
    ids = np.concatenate([rows.payment_id for rows in days.values()])
    told = rng.choice(ids, 300)
    when = [datetime(2026, 1, 5, tzinfo=UTC) + timedelta(hours=int(h)) for h in rng.integers(0, 24 * 12, 300)]
    events = pa.table(
        {
            "payment_id": pa.array(told),
            "is_fraud": pa.array([bool(fraud) for fraud in rng.random(300) < 0.4], pa.bool_()),
            "kind": pa.array(rng.choice(["takeover", "scam", "other", None], 300), pa.string()),
            "known_at": pa.array(when, pa.timestamp("us", "UTC")),
        }
    )
    features = {day: pa.Table.from_pandas(rows, preserve_index=False) for day, rows in days.items()}
    tables = {"features": features, "labels": {DAY: events[:200], DAY + timedelta(days=9): events[200:]}}
    model = made.spec(labels=Labels(table="cards/labels", type="kind", types=["takeover", "scam"]))
    found = engines.both(tmp_path, bigquery_client, model, tables)
    frame, last = found.parquet.fit_profile_schema(found.spec), DAY + timedelta(days=3)
    middle, end = DAY + timedelta(days=5), DAY + timedelta(days=11)
    for since, as_of in ((None, middle), (middle, end), (None, end)):
        parquet = found.parquet.label_changes(found.spec, frame, DAY, last, since, as_of)
        bigquery = found.bigquery.label_changes(found.in_bigquery, frame, DAY, last, since, as_of)
        assert bigquery == parquet
        assert any(cohort.delays for cohort in parquet.values())
        assert len({group for cohort in parquet.values() for group in cohort.delays_by_group}) == 4
    by_age = {"score": model.score.model_copy(update={"entity": "age_days"})}
    ranked = found.parquet.top_cards(found.spec.model_copy(update=by_age), DAY, last, end)
    in_bigquery = found.in_bigquery.model_copy(update=by_age)
    other = found.bigquery.top_cards(in_bigquery, DAY, last, end)
    assert ranked
    assert len({card.card for card in ranked}) == len({card.card for card in other}) > 10
    assert sorted((c.day, c.score, c.fraud, c.cards) for c in other) == sorted(
        (c.day, c.score, c.fraud, c.cards) for c in ranked
    )
    first, second = found.bigquery.label_versions(found.in_bigquery, [middle, end])
    assert first != second
    rows = found.bigquery.labelled_rows(found.in_bigquery, DAY, last, end, 1000, seed=1)
    expected = found.parquet.labelled_rows(found.spec, DAY, last, end, 1000, seed=1)
    assert rows[["payment_id", "label"]].to_dict("list") == expected[["payment_id", "label"]].to_dict("list")
