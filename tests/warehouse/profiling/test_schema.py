from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from models.errors import WatchkeeperError
from profiles.bins import number_grid, score_grid
from tests.warehouse import made
from tests.warehouse.made import DAY, payments, profile_of, write
from warehouse.duckdb.warehouse import ParquetWarehouse
from warehouse.profiling import schema


def framed(root, **changes):
    return ParquetWarehouse(root).fit_profile_schema(made.spec(**changes))


def test_a_frame_fixes_grids_levels_and_groups_from_the_baseline(bank):
    rows = pd.concat(bank.days.values())
    for name in made.NUMBERS:
        low, middle, high = np.quantile(rows[name].dropna(), [0.01, 0.5, 0.99], method="inverted_cdf")
        assert bank.frame.numbers[name] == number_grid((low, middle, high))
    assert bank.frame.categories["country"].top == ("FR", "GB", "US")
    assert bank.frame.categories["trusted"].top == ("false", "true")
    assert bank.frame.score == score_grid(0, 1, 0.8)
    assert bank.frame.groups == {"channel": ("chip", "online", "phone", None), "age_band": ("18-29", "30-59", "60+")}
    assert bank.frame.slices == ("channel",)


def test_the_same_baseline_gives_the_same_frame_whatever_the_order_of_rows(bank, tmp_path):
    for day, rows in bank.days.items():
        write(tmp_path, rows.sample(frac=1, random_state=1), day)
    assert framed(tmp_path) == bank.frame
    assert framed(tmp_path, slices=[]).id != bank.frame.id


def test_excluded_days_and_days_outside_the_baseline_don_t_shape_the_frame(tmp_path):
    for i in range(3):
        write(tmp_path, payments(50, seed=i).assign(age_days=float(i)), DAY + timedelta(days=i))
    baseline = made.Baseline(start=DAY, end=DAY + timedelta(days=1), exclude=[DAY])
    assert framed(tmp_path, baseline=baseline).numbers["age_days"] == number_grid((1, 1, 1))


def test_only_the_commonest_levels_have_cells_and_the_others_are_remembered(tmp_path):
    levels = [f"L{i:03}" for i in range(600) for _ in range(2 if i < 500 else 1)]
    write(tmp_path, payments(len(levels), seed=1).assign(country=levels))
    found = framed(tmp_path).categories["country"]
    assert found.top == tuple(f"L{i:03}" for i in range(500))
    assert found.seen == set(levels)


def test_rare_group_values_share_one_group(tmp_path):
    values = [f"v{i:02}" for i in range(25) for _ in range(30 - i)]
    rows = payments(len(values), seed=1).assign(channel=values)
    write(tmp_path, rows)
    warehouse, model = ParquetWarehouse(tmp_path), made.spec()
    frame = warehouse.fit_profile_schema(model)
    assert frame.groups["channel"] == tuple(f"v{i:02}" for i in range(20))
    found = warehouse.profile(model, frame, DAY, DAY)[DAY]
    assert ("channel", "(other)") in found.features
    assert found == profile_of(frame, model, rows)


def test_without_listed_columns_every_other_column_is_a_feature_by_its_type(tmp_path):
    rows = payments(60, seed=1).assign(
        reference=[f"r{i}" for i in range(60)], seen_at=pd.Timestamp(DAY), is_fraud=False, version="v1"
    )
    write(tmp_path, rows)
    found = framed(tmp_path, features=made.Features(table="cards/features", columns={}))
    assert set(found.numbers) == {"amount_gbp", "age_days"}
    assert set(found.categories) == {"country", "trusted", "version"}


def test_a_column_that_only_tells_the_date_is_no_feature_unless_it_is_listed(tmp_path):
    for i in range(3):
        rows = payments(50, seed=i).assign(is_weekend=i == 2, week=float(i), always=1.0, either=[0, 1] * 25)
        write(tmp_path, rows, DAY + timedelta(days=i))
    unlisted = made.Features(table="cards/features")
    found = framed(tmp_path, features=unlisted, baseline=made.Baseline(start=DAY, end=DAY + timedelta(days=2)))
    assert {"is_weekend", "week"} & {*found.numbers, *found.categories} == set()
    assert {"always", "either", "age_days"} <= found.numbers.keys()
    listed = made.Features(table="cards/features", columns={"is_weekend": made.Column(kind="category")})
    assert "is_weekend" in framed(tmp_path, features=listed).categories


def test_large_baselines_take_quantiles_from_a_fixed_part(bank, monkeypatch):
    monkeypatch.setattr(schema, "MOST_QUANTILE_ROWS", 1000)
    first, second = (ParquetWarehouse(bank.root).fit_profile_schema(bank.model) for _ in range(2))
    assert first == second
    assert first.numbers["age_days"].centre == pytest.approx(bank.frame.numbers["age_days"].centre, rel=0.1)
    assert first.categories == bank.frame.categories


@pytest.mark.parametrize("value", [None, np.inf, 1e308, 5e-324, 0.0])
def test_a_column_without_a_spread_still_has_a_grid(tmp_path, value):
    rows = payments(30, seed=1).assign(age_days=pd.Series([value] * 30, dtype="float64"))
    write(tmp_path, rows)
    warehouse, model = ParquetWarehouse(tmp_path), made.spec()
    frame = warehouse.fit_profile_schema(model)
    assert warehouse.profile(model, frame, DAY, DAY)[DAY] == profile_of(frame, model, rows)


def test_values_that_are_fine_in_a_large_number_are_counted_like_numpy(tmp_path):
    rows = payments(200, seed=1)
    rows["age_days"] = 1e15 + np.arange(200) % 3 * 0.125
    write(tmp_path, rows)
    warehouse, model = ParquetWarehouse(tmp_path), made.spec()
    frame = warehouse.fit_profile_schema(model)
    assert warehouse.profile(model, frame, DAY, DAY)[DAY] == profile_of(frame, model, rows)


def test_a_model_without_a_score_column_has_no_score_grid_and_no_cube(tmp_path):
    rows = payments(30, seed=1)
    write(tmp_path, rows.drop(columns="score"))
    made.labels(tmp_path, [(1, True, "2026-01-06")])
    model = made.spec(score=made.Score())
    warehouse = ParquetWarehouse(tmp_path)
    frame = warehouse.fit_profile_schema(model)
    assert frame.score is None
    assert warehouse.profile(model, frame, DAY, DAY)[DAY].cube.bins == {}
    assert warehouse.label_changes(model, frame, DAY, DAY, None, DAY + timedelta(days=9))[DAY].delays == {1: 1}
    with pytest.raises(WatchkeeperError, match=r"score\.column: .* no column 'score' on the baseline's days"):
        framed(tmp_path, score=made.Score(column="score"))


def test_a_score_listed_as_a_feature_is_counted_on_the_score_s_grid(tmp_path):
    columns = {"score": made.Column(kind="number")}
    write(tmp_path, payments(30, seed=1))
    found = framed(tmp_path, features=made.Features(table="cards/features", columns=columns))
    assert found.numbers == {"score": found.score}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"slices": ["chanel"]}, r"slices: chanel: .* no column 'chanel' .*did you mean 'channel'"),
        ({"protected": {"sex": made.Protected(reference="M")}}, r"protected\.sex: .* no column 'sex'"),
        ({"score": made.Score(action="act")}, r"score\.action: .* no column 'act' .*did you mean 'action'"),
        ({"features": made.Features(table="cards/features", id="payment")}, r"features\.id: .* no column 'payment'"),
        ({"baseline": made.Baseline(start=DAY - timedelta(9), end=DAY - timedelta(3))},
         r"no partition on the baseline's days .*; it has days from 2026-01-05 to 2026-01-11"),
        ({"features": made.Features(table="cards/features", columns={"country": made.Column(kind="number")})},
         r"features\.columns\.country: kind number, but .* holds VARCHAR"),
        ({"features": made.Features(table="cards/features", columns={"score": made.Column(kind="category")})},
         "the score must be of kind number"),
    ],
)  # fmt: skip
def test_a_model_file_that_doesn_t_fit_the_table_is_an_error_in_a_sentence(bank, changes, sentence):
    with pytest.raises(WatchkeeperError, match=sentence) as error:
        framed(bank.root, **changes)
    assert "\n" not in str(error.value)


def test_a_baseline_of_empty_partitions_is_an_error(tmp_path):
    write(tmp_path, payments(3, seed=1)[:0])
    with pytest.raises(WatchkeeperError, match="has no rows on the baseline's days"):
        framed(tmp_path)
