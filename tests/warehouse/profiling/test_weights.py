"""Sums of 1 / propensity in the score cube, where the model file names one."""

from __future__ import annotations

import tempfile
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from models.errors import WatchkeeperError
from models.spec import Score, Spec
from profiles import codec
from profiles.profile import BLOCKED, COUNT, EVERYONE, OPEN, UNWEIGHTED, WEIGHT, WEIGHTED_PENCE
from tests.warehouse import made
from tests.warehouse.made import DAY, cohort_of, payments, profile_of, write
from warehouse.duckdb.warehouse import ParquetWarehouse
from warehouse.profiling import arrow

AS_OF = DAY + timedelta(days=10)
SCORE = {"threshold": 0.8, "amount": "amount_gbp", "action": "action", "blocked": ["block"]}
MODEL = made.spec(score=Score(**SCORE, propensity="let_through"))


def day_of(seed, rows=60):
    rng = np.random.default_rng(seed)
    found = payments(rows, seed)
    return found.assign(let_through=np.where(found.score >= 0.8, np.round(rng.uniform(0.02, 0.5, rows), 4), 1.0))


def counted(rows, events=((0, False, "2026-01-06 10:00"),)):
    """Return frame, profile and cohort of one day's rows."""
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder), rows)
        made.labels(Path(folder), list(events))
        warehouse = ParquetWarehouse(Path(folder))
        frame = warehouse.fit_profile_schema(MODEL)
        cohort = warehouse.label_changes(MODEL, frame, DAY, DAY, None, AS_OF)[DAY]
        return frame, warehouse.profile(MODEL, frame, DAY, DAY)[DAY], cohort


PROPENSITY = st.none() | st.sampled_from([0.0, -0.1, 1.0, 1.0000001, 0.0001, 0.00009, np.nan, np.inf]) | st.floats(0, 1)


@settings(max_examples=15, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(st.lists(PROPENSITY, min_size=60, max_size=60))
def test_weights_are_what_numpy_sums_over_the_rows_whatever_the_propensity(given_propensity):
    rows = day_of(1).assign(let_through=pd.array(given_propensity, dtype="Float64"))
    events = [(i, i % 3 == 0, "2026-01-06 10:00") for i in range(0, 60, 2)]
    frame, profile, cohort = counted(rows, events)
    assert frame.weighted
    assert profile == profile_of(frame, MODEL, rows)
    table = pd.DataFrame(events, columns=["payment_id", "is_fraud", "known_at"])
    table["known_at"] = pd.to_datetime(table.known_at)
    assert cohort == cohort_of(frame, MODEL, rows, table, DAY, AS_OF)


def test_a_weight_is_one_over_p_and_blocked_payments_have_none():
    rows = day_of(2).assign(let_through=0.25, action=["block"] * 10 + ["review"] * 20 + ["allow"] * 30)
    rows.loc[10:12, "let_through"] = [np.nan, 0.0, 1.5]
    _, profile, _ = counted(rows)
    sums = profile.cube.bins[EVERYONE].sum(axis=0)
    assert sums[OPEN, [COUNT, WEIGHT, UNWEIGHTED]].tolist() == [50, 47 * 4_000_000, 3]
    assert sums[BLOCKED, [COUNT, WEIGHT, WEIGHTED_PENCE, UNWEIGHTED]].tolist() == [10, 0, 0, 0]
    assert profile.cube.bins["action", "review"].sum(axis=0)[OPEN, [COUNT, UNWEIGHTED]].tolist() == [20, 3]


def test_weighted_profiles_add_subtract_and_come_back_from_bytes():
    frame, one, cohort = counted(day_of(3), [(1, True, "2026-01-06 10:00")])
    other = profile_of(frame, MODEL, day_of(4))
    assert (one + other) - other == one
    for profile in (one, one + other):
        assert codec.profile_from_bytes(codec.profile_to_bytes(profile)) == profile
    assert codec.cohort_from_bytes(codec.cohort_to_bytes(cohort)) == cohort
    assert codec.profile_schema_from_json(codec.profile_schema_to_json(frame)) == frame


def test_a_day_without_the_column_is_unweighted_not_lost():
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder), day_of(5))
        frame = ParquetWarehouse(Path(folder)).fit_profile_schema(MODEL)
        write(Path(folder), day_of(6).drop(columns="let_through"), DAY + timedelta(days=1))
        day = DAY + timedelta(days=1)
        sums = ParquetWarehouse(Path(folder)).profile(MODEL, frame, day, day)[day].cube.bins[EVERYONE].sum(axis=0)
    assert sums[OPEN, UNWEIGHTED] == sums[OPEN, COUNT] > 0
    assert sums[OPEN, WEIGHT] == 0


def test_a_batch_is_weighted_as_a_partition_is():
    rows = day_of(7)
    frame, profile, _ = counted(rows)
    table = pa.Table.from_pandas(rows.assign(day=DAY))
    assert arrow.profile_table(MODEL, frame, table, "batch")[DAY].cube == profile.cube


def test_without_a_propensity_nothing_is_stored_for_it():
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder), day_of(8))
        plain = made.spec()
        frame = ParquetWarehouse(Path(folder)).fit_profile_schema(plain)
        assert not frame.weighted
        assert "weighted" not in codec.profile_schema_to_json(frame)
        assert ParquetWarehouse(Path(folder)).profile(plain, frame, DAY, DAY)[DAY].cube.bins[EVERYONE].shape[2] == 3


def test_a_propensity_that_the_table_lacks_is_named():
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder), day_of(9).drop(columns="let_through"))
        with pytest.raises(WatchkeeperError, match=r"score\.propensity: table cards/features has no column"):
            ParquetWarehouse(Path(folder)).fit_profile_schema(MODEL)


def test_a_propensity_needs_to_know_what_is_blocked():
    with pytest.raises(ValueError, match="'action' and 'blocked' must say which ones were not"):
        Score(threshold=0.8, propensity="let_through")
    assert Spec.model_validate(MODEL.model_dump(by_alias=True)).groups == ["channel", "age_band", "action"]
