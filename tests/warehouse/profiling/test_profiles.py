from __future__ import annotations

import tempfile
from datetime import timedelta
from functools import reduce
from operator import add
from pathlib import Path

import numpy as np
import pandas as pd
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from profiles.profile import EVERYONE, Counts, Profile, sum_profiles
from tests.warehouse import made
from tests.warehouse.made import DAY, payments, profile_of, write
from warehouse.duckdb.warehouse import ParquetWarehouse

WITHOUT_SHRINKING = [Phase.explicit, Phase.reuse, Phase.generate]
"""Every example writes files: a failing one is shown as it was found."""
EXTREME = st.sampled_from([np.nan, np.inf, -np.inf, 0.0, -0.0, 1e308, -1e308, 5e-324, 1e18, -1e15, 30.0, 0.005])
ANY_NUMBER = EXTREME | st.floats(allow_nan=True, allow_infinity=True) | st.floats(-1000, 5000)
ROW = st.fixed_dictionaries(
    {
        "amount_gbp": st.none() | ANY_NUMBER,
        "age_days": st.none() | ANY_NUMBER,
        "country": st.sampled_from(["GB", "FR", "US", "XX", "", "'; --", None]),
        "trusted": st.booleans(),
        "channel": st.sampled_from(["chip", "online", "phone", "fax", None]),
        "age_band": st.sampled_from(["18-29", "30-59", "60+", "(other)", None]),
        "score": st.none() | st.sampled_from([0.8, 0.0, 1.0, np.nan, np.inf, -0.5, 1.5]) | st.floats(0, 1),
        "action": st.sampled_from(["allow", "block", None]),
    }
)


def table(rows):
    made_rows = pd.DataFrame(rows, columns=["amount_gbp", "age_days", "country", "trusted", "channel", "age_band",
                                            "score", "action"])  # fmt: skip
    numbers = ["amount_gbp", "age_days", "score"]
    return made_rows.astype(dict.fromkeys(numbers, "float64")).assign(payment_id=range(len(made_rows)), trusted=True)


def profiled(bank, rows):
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder), rows)
        return ParquetWarehouse(Path(folder)).profile(bank.model, bank.frame, DAY, DAY)[DAY]


def test_a_profile_is_what_numpy_and_pandas_count_on_the_raw_rows(bank):
    found = bank.warehouse.profile(bank.model, bank.frame, bank.start, bank.end)
    assert list(found) == list(bank.days)
    for day, rows in bank.days.items():
        assert found[day] == profile_of(bank.frame, bank.model, rows)


@settings(max_examples=25, deadline=None, phases=WITHOUT_SHRINKING)
@given(rows=st.lists(ROW, min_size=1, max_size=40))
def test_every_value_is_counted_where_the_grid_says_however_extreme(bank, rows):
    found, expected = profiled(bank, table(rows)), profile_of(bank.frame, bank.model, table(rows))
    assert found.cube == expected.cube
    assert found == expected


@settings(max_examples=15, deadline=None, phases=WITHOUT_SHRINKING)
@given(
    rows=st.lists(ROW, min_size=3, max_size=40),
    cuts=st.lists(st.integers(0, 40), min_size=2, max_size=2).map(sorted),
    order=st.permutations(range(3)),
)
def test_merging_in_any_order_and_grouping_is_the_profile_of_the_union(bank, rows, cuts, order):
    everything = table(rows)
    parts = [everything[: cuts[0]], everything[cuts[0] : cuts[1]], everything[cuts[1] :]]
    with tempfile.TemporaryDirectory() as folder:
        for i, part in enumerate(parts):
            write(Path(folder), part, DAY + timedelta(days=i))
        found = ParquetWarehouse(Path(folder)).profile(bank.model, bank.frame, DAY, DAY + timedelta(days=2))
    a, b, c = (found[DAY + timedelta(days=i)] for i in order)
    union = profiled(bank, everything)
    assert a + b + c == a + (b + c) == (c + a) + b == sum_profiles([b, c, a], bank.frame.id) == union
    assert union - a == b + c
    assert union - a - b == c
    assert union - union == Profile(bank.frame.id)


def test_a_span_of_days_is_profiled_as_its_days_one_by_one(bank):
    span = bank.warehouse.profile(bank.model, bank.frame, bank.start, bank.end)
    for day in bank.days:
        assert bank.warehouse.profile(bank.model, bank.frame, day, day)[day] == span[day]


def test_a_partition_of_several_files_is_one_profile(bank, tmp_path):
    rows = payments(300, seed=9)
    write(tmp_path, rows[:100], name="a")
    write(tmp_path, rows[100:], name="b")
    found = ParquetWarehouse(tmp_path).profile(bank.model, bank.frame, DAY, DAY)[DAY]
    assert found == profile_of(bank.frame, bank.model, rows)


def test_sums_are_exact_where_floating_point_depends_on_the_order(bank):
    rows = payments(3, seed=1).assign(amount_gbp=[1e11, 0.01, -1e11])
    counts = profiled(bank, rows).features[EVERYONE]["amount_gbp"]
    assert counts.total == round(0.01 / bank.frame.numbers["amount_gbp"].unit)


def test_a_score_at_the_threshold_is_an_alert_and_one_below_it_is_not(bank):
    below = np.nextafter(0.8, 0) - 1e-12
    bins = profiled(bank, payments(3, seed=1).assign(score=[0.8, below, 0.79])).features[EVERYONE]["score"].bins
    assert sum(rows for cell, rows in bins.items() if cell >= 0) == 1


def test_a_number_column_stored_as_integers_decimals_or_booleans_counts_alike(bank):
    rows = payments(50, seed=2).assign(age_days=np.arange(50))
    expected = profile_of(bank.frame, bank.model, rows)
    for kind in ("int8", "int64", "float32"):
        assert profiled(bank, rows.astype({"age_days": kind})) == expected
    flags = rows.assign(age_days=rows.age_days % 2 == 0)
    assert profiled(bank, flags) == profile_of(bank.frame, bank.model, flags.astype({"age_days": float}))


def test_a_missing_column_is_left_out_not_counted_as_null(bank, tmp_path):
    rows = payments(100, seed=3)
    write(tmp_path, rows)
    write(tmp_path, rows.drop(columns=["age_days", "channel", "trusted"]), DAY + timedelta(days=1))
    found = ParquetWarehouse(tmp_path).profile(bank.model, bank.frame, DAY, DAY + timedelta(days=1))
    assert found[DAY] == profile_of(bank.frame, bank.model, rows)
    without = found[DAY + timedelta(days=1)]
    assert set(without.features[EVERYONE]) == {"amount_gbp", "country", "score"}
    assert list(without.features) == [EVERYONE]
    assert without.cube.bins.keys() == {EVERYONE, ("age_band", "18-29"), ("age_band", "30-59"), ("age_band", "60+")}


def test_an_all_null_column_is_all_nulls(bank):
    rows = payments(40, seed=4).assign(age_days=np.nan, country=None)
    found = profiled(bank, rows).features[EVERYONE]
    assert found["age_days"] == found["country"] == Counts(nulls=40)


def test_null_nan_and_infinite_values_are_counted_apart(bank, tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = pa.table({"payment_id": [1, 2, 3, 4], "age_days": pa.array([None, float("nan"), float("-inf"), 900.0])})
    (tmp_path / "cards/features" / f"day={DAY}").mkdir(parents=True)
    pq.write_table(rows, tmp_path / "cards/features" / f"day={DAY}" / "part.parquet")
    found = ParquetWarehouse(tmp_path).profile(bank.model, bank.frame, DAY, DAY)[DAY]
    counts = found.features[EVERYONE]["age_days"]
    assert (counts.nulls, counts.nonfinite, counts.finite) == (1, 2, 1)
    assert found.cube.bins == {}


def test_a_category_turned_number_and_a_number_turned_text_are_counted_and_don_t_stop_the_profile(bank, tmp_path):
    rows = payments(4, seed=5)
    turned = rows.assign(country=[3, 4, 5, 6], age_days=["900", "n/a", " 1e3 ", None], score=["0.9", "0.1", "?", None])
    write(tmp_path, rows)
    write(tmp_path, turned, DAY + timedelta(days=1))
    found = ParquetWarehouse(tmp_path).profile(bank.model, bank.frame, DAY, DAY + timedelta(days=1))
    assert found[DAY] == profile_of(bank.frame, bank.model, rows)
    counts = found[DAY + timedelta(days=1)].features[EVERYONE]
    assert counts["country"] == Counts(bins={-2: 4})
    assert (counts["age_days"].nulls, counts["age_days"].nonfinite, counts["age_days"].finite) == (1, 1, 2)
    assert (counts["score"].nulls, counts["score"].nonfinite, counts["score"].finite) == (1, 1, 2)
    assert found[DAY + timedelta(days=1)].cube.bins[EVERYONE][..., 0].sum() == 2


def test_column_names_and_values_that_look_like_sql_are_only_names_and_values(tmp_path):
    awkward = "x\"); DROP TABLE t; -- '"
    rows = payments(60, seed=6).rename(columns={"age_days": awkward}).assign(country="'); DROP TABLE t; --")
    root = tmp_path / "o'brien [1] key=7"
    write(root, rows)
    model = made.spec(
        features=made.Features(
            table="cards/features",
            columns={awkward: made.Column(kind="number"), "country": made.Column(kind="category")},
        )
    )
    warehouse = ParquetWarehouse(root)
    frame = warehouse.fit_profile_schema(model)
    assert warehouse.profile(model, frame, DAY, DAY)[DAY] == profile_of(frame, model, rows)
    assert frame.categories["country"].top == ("'); DROP TABLE t; --",)
    assert "key" not in warehouse.partition(model, DAY).columns


def test_a_table_of_five_hundred_columns_gives_one_profile(tmp_path):
    rng = np.random.default_rng(0)
    wide = pd.DataFrame(rng.standard_normal((30, 500)), columns=[f"x{i}" for i in range(500)])
    rows = pd.concat([payments(30, seed=7), wide], axis=1)
    write(tmp_path, rows)
    columns = {name: made.Column(kind="number") for name in wide}
    model = made.spec(features=made.Features(table="cards/features", columns=columns))
    warehouse = ParquetWarehouse(tmp_path)
    frame = warehouse.fit_profile_schema(model)
    assert warehouse.profile(model, frame, DAY, DAY)[DAY] == profile_of(frame, model, rows)


def test_one_warehouse_serves_several_threads(bank):
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda day: bank.warehouse.profile(bank.model, bank.frame, day, day)[day], bank.days))
    whole = bank.warehouse.profile(bank.model, bank.frame, bank.start, bank.end)
    assert reduce(add, found) == sum_profiles(whole.values(), bank.frame.id)
