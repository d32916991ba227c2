from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from models.errors import WatchkeeperError
from models.spec import Column, Features
from profiles.profile import EVERYONE
from tests.warehouse import made
from tests.warehouse.made import DAY, payments
from warehouse.duckdb.warehouse import ParquetWarehouse
from warehouse.profiling import binning


@pytest.fixture
def bank(tmp_path):
    made.write(tmp_path, payments(400, seed=1))
    return ParquetWarehouse(tmp_path)


def test_row_groups_with_texts_of_their_own_are_counted_as_one_day(bank, tmp_path):
    model = made.spec()
    frame = bank.fit_profile_schema(model)
    rows = pd.concat([payments(300, seed=2), payments(300, seed=3).assign(country="XX"), payments(200, seed=4)])
    pq.write_table(pa.Table.from_pandas(rows, preserve_index=False), made.write(tmp_path, rows), row_group_size=100)
    assert bank.profile(model, frame, DAY, DAY) == {DAY: made.profile_of(frame, model, rows)}


def test_texts_without_a_dictionary_in_the_file_are_counted_all_the_same(bank, tmp_path):
    model, rows = made.spec(), payments(500, seed=5)
    frame = bank.fit_profile_schema(model)
    path = made.write(tmp_path, rows)
    pq.write_table(pa.Table.from_pandas(rows, preserve_index=False), path, use_dictionary=False)
    assert bank.profile(model, frame, DAY, DAY) == {DAY: made.profile_of(frame, model, rows)}


def test_categories_kept_as_such_by_pandas_are_texts(bank, tmp_path):
    model, rows = made.spec(), payments(500, seed=6)
    frame = bank.fit_profile_schema(model)
    made.write(tmp_path, rows.astype({"country": "category", "channel": "category"}))
    assert bank.profile(model, frame, DAY, DAY) == {DAY: made.profile_of(frame, model, rows)}


def test_whole_numbers_are_levels_and_slices_too(tmp_path):
    rows = payments(300, seed=7).assign(country=np.arange(300) % 7, channel=np.arange(300) % 3)
    made.write(tmp_path, rows)
    model, bank = made.spec(), ParquetWarehouse(tmp_path)
    frame = bank.fit_profile_schema(model)
    assert set(frame.groups["channel"]) == {"0", "1", "2"}
    assert bank.profile(model, frame, DAY, DAY) == {DAY: made.profile_of(frame, model, rows)}


def test_a_slice_that_is_no_text_is_counted_by_sql(tmp_path):
    rows = payments(300, seed=8).assign(channel=np.arange(300) % 2 + 0.5)
    made.write(tmp_path, rows)
    model, bank = made.spec(), ParquetWarehouse(tmp_path)
    frame = bank.fit_profile_schema(model)
    assert set(frame.groups["channel"]) == {"0.5", "1.5"}
    assert bank.profile(model, frame, DAY, DAY) == {DAY: made.profile_of(frame, model, rows)}


def test_a_text_that_is_not_utf8_is_an_error_that_names_the_file(bank, tmp_path):
    model = made.spec(features=Features(table="cards/features", columns={"country": Column(kind="category")}))
    frame = bank.fit_profile_schema(model)
    rows = pa.Table.from_pandas(payments(50, seed=9), preserve_index=False)
    broken = pa.array([b"\xff\xfe"] * 50, pa.binary()).view(pa.string())
    path = tmp_path / "cards" / "features" / f"day={DAY}" / "part-0.parquet"
    pq.write_table(rows.set_column(rows.schema.get_field_index("country"), "country", broken), path)
    with pytest.raises(WatchkeeperError, match=rf"{path}: can't be read as Parquet"):
        bank.profile(model, frame, DAY, DAY)


def test_sums_are_exact_where_a_double_could_not_hold_them(bank, tmp_path):
    rows = payments(400, seed=10).assign(amount_gbp=1e11 + 0.01 * np.arange(400))
    model = made.spec()
    frame = bank.fit_profile_schema(model)
    made.write(tmp_path, rows)
    assert bank.profile(model, frame, DAY, DAY) == {DAY: made.profile_of(frame, model, rows)}
    assert 1e11 / frame.numbers["amount_gbp"].unit > binning.EXACT_BELOW


@pytest.mark.parametrize("nulls", [0, 80])
@pytest.mark.parametrize("kind", ["int8", "uint8", "int16", "uint64", "float"])
def test_numbers_of_every_width_with_nulls_and_values_at_both_ends_are_counted_alike(tmp_path, kind, nulls):
    model, rows = made.spec(), payments(400, seed=11)
    whole = pd.Series(np.random.default_rng(11).integers(0, 201, 400) - (0 if kind.startswith("u") else 100))
    numbers = whole.where(np.arange(400) >= nulls)
    table = pa.Table.from_pandas(rows, preserve_index=False)
    own = pa.array(numbers, from_pandas=True).cast(kind)
    path = made.write(tmp_path, rows)
    pq.write_table(table.set_column(table.schema.get_field_index("amount_gbp"), "amount_gbp", own), path)
    bank = ParquetWarehouse(tmp_path)
    frame = bank.fit_profile_schema(model)
    expected = made.profile_of(frame, model, rows.assign(amount_gbp=numbers))
    assert bank.profile(model, frame, DAY, DAY) == {DAY: expected}
    assert expected.features[EVERYONE]["amount_gbp"].nulls == nulls
