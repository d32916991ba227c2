from __future__ import annotations

import tempfile
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import WatchkeeperError
from profiles.codec import profile_from_bytes, profile_schema_from_json, profile_schema_to_json, profile_to_bytes
from profiles.profile import ALL_NUMBERS, PER_BIN, Moments, sum_profiles
from tests.warehouse import made
from tests.warehouse.made import DAY, payments, write
from warehouse.duckdb.warehouse import ParquetWarehouse
from warehouse.sql.moments import grid_coordinates


def model(**columns: str):
    kinds = {"amount_gbp": "number", "age_days": "number"} | columns
    features = made.Features(
        table="cards/features", second_moments=True, columns={n: made.Column(kind=k) for n, k in kinds.items()}
    )
    return made.spec(features=features)


def embedded(rows: int, seed: int, dimensions: int = 5) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    mixed = rng.normal(size=(rows, dimensions)) @ rng.normal(size=(dimensions, dimensions))
    return payments(rows, seed).assign(text=list(mixed))


def of_raw_rows(frame, rows: pd.DataFrame) -> Moments:
    z = np.stack(
        [grid_coordinates(frame.numbers[name], rows[name].to_numpy(dtype=float)) for name in frame.moments], axis=1
    )
    return Moments(len(rows), z.sum(axis=0), z.T @ z)


def profiled(rows: pd.DataFrame, spec, frame):
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder), rows)
        return ParquetWarehouse(Path(folder)).profile(spec, frame, DAY, DAY)[DAY]


@pytest.fixture(scope="module")
def framed(tmp_path_factory):
    root = tmp_path_factory.mktemp("embedded")
    for i in range(7):
        write(root, embedded(300, seed=i), DAY + timedelta(days=i))
    spec = model(text="embedding")
    return spec, ParquetWarehouse(root).fit_profile_schema(spec)


def test_moments_of_numbers_are_numpy_s_on_the_raw_rows(framed):
    spec, frame = framed
    rows = embedded(500, seed=20)
    found = profiled(rows, spec, frame).moments[ALL_NUMBERS]
    assert found == of_raw_rows(frame, rows)
    places = np.stack([frame.numbers[name].position(rows[name].fillna(frame.numbers[name].centre).to_numpy())
                       for name in frame.moments], axis=1)  # fmt: skip
    exact = np.cov(np.clip(places, -128, 128), rowvar=False, bias=True)
    assert found.covariance == pytest.approx(exact, abs=0.05 * np.sqrt(np.diag(exact)).min() / PER_BIN + 1e-3)
    assert np.corrcoef(places, rowvar=False) == pytest.approx(
        found.covariance / np.sqrt(np.outer(*[np.diag(found.covariance)] * 2)), abs=1e-4
    )


def test_moments_of_an_embedding_are_numpy_s_mean_and_covariance(framed):
    spec, frame = framed
    rows = embedded(400, seed=21)
    found, grid = profiled(rows, spec, frame).moments["text"], frame.embeddings["text"].grid
    cell = grid.scale * grid.width
    raw = np.stack(rows.text.to_list())
    assert found.n == 400
    assert found.mean * cell == pytest.approx(raw.mean(axis=0), abs=cell / PER_BIN)
    assert found.covariance * cell**2 == pytest.approx(np.cov(raw, rowvar=False, bias=True), rel=2e-3, abs=1e-3)


def test_rows_whose_embedding_is_null_or_of_another_length_are_left_out(framed):
    spec, frame = framed
    rows = embedded(6, seed=22)
    broken = rows.assign(text=[*rows.text[:4], None, np.zeros(4)])
    assert profiled(broken, spec, frame).moments["text"] == profiled(rows[:4], spec, frame).moments["text"]


@settings(max_examples=20, deadline=None)
@given(
    values=st.lists(
        st.tuples(
            st.none() | st.floats(allow_nan=True, allow_infinity=True),
            st.floats(-1e4, 1e5) | st.sampled_from([1.7e308, -1.7e308, 5e-324, np.nan]),
        ),
        min_size=2,
        max_size=30,
    ),
    cut=st.integers(0, 30),
)
def test_moments_add_and_subtract_exactly_however_extreme_the_values(framed, values, cut):
    spec, frame = framed
    rows = embedded(len(values), seed=1).assign(
        amount_gbp=pd.Series([a for a, _ in values], dtype=float), age_days=[b for _, b in values]
    )
    whole = profiled(rows, spec, frame)
    parts = [profiled(part, spec, frame) for part in (rows[:cut], rows[cut:]) if len(part)]
    assert whole.moments[ALL_NUMBERS] == of_raw_rows(frame, rows)
    assert sum_profiles(parts, frame.id) == whole
    assert (whole - parts[-1]).moments == sum_profiles(parts[:-1], frame.id).moments


def test_a_profile_with_moments_and_its_frame_are_read_as_they_were_written(framed):
    spec, frame = framed
    profile = profiled(embedded(50, seed=3), spec, frame)
    assert set(profile.moments) == {ALL_NUMBERS, "text"}
    assert profile_from_bytes(profile_to_bytes(profile)) == profile
    assert profile_schema_from_json(profile_schema_to_json(frame)) == frame


def test_a_day_without_one_of_the_columns_has_no_moments_of_numbers(framed):
    spec, frame = framed
    assert set(profiled(embedded(50, seed=3).drop(columns="age_days"), spec, frame).moments) == {"text"}


def test_a_column_that_is_no_array_can_t_be_an_embedding(tmp_path):
    for i in range(7):
        write(tmp_path, payments(30, seed=i), DAY + timedelta(days=i))
    with pytest.raises(WatchkeeperError, match=r"features\.columns\.country: kind embedding.* accepted are arrays"):
        ParquetWarehouse(tmp_path).fit_profile_schema(model(country="embedding"))
