from __future__ import annotations

import tempfile
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from models.errors import WatchkeeperError
from profiles.profile import EVERYONE, FRAUD, LEGITIMATE, OPEN, Cohort
from tests.warehouse import made
from tests.warehouse.made import DAY, cohort_of, payments, write
from warehouse.duckdb.warehouse import ParquetWarehouse

AS_OF = DAY + timedelta(days=10)
EVENT = st.tuples(
    st.integers(-3, 45),
    st.booleans(),
    st.integers(-3, 14 * 24).map(lambda hours: str(pd.Timestamp(DAY) + pd.Timedelta(hours=hours))),
)


def known(root, model, frame, as_of=AS_OF, day=DAY):
    return ParquetWarehouse(root).label_changes(model, frame, DAY, DAY + timedelta(days=1), None, as_of)[day]


def states(cohort):
    bins = cohort.labels.bins.get(EVERYONE, np.zeros((1, 4, 3)))
    return {"fraud": int(bins[:, FRAUD, 0].sum()), "legitimate": int(bins[:, LEGITIMATE, 0].sum())}


@pytest.fixture
def day(bank, tmp_path):
    """One day of 40 payments that weren't blocked."""
    rows = payments(40, seed=3).assign(action="allow")
    write(tmp_path, rows)
    return tmp_path, bank.model, bank.frame


@settings(max_examples=20, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(events=st.lists(EVENT, min_size=1, max_size=60))
def test_a_cohort_is_what_pandas_finds_and_later_labels_never_change_it(bank, events):
    rows, model, frame = payments(40, seed=3), bank.model, bank.frame
    rows.loc[:3, "score"] = [np.nan, np.inf, 2.0, -1.0]
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder), rows)
        made.labels(Path(folder), events)
        found = known(Path(folder), model, frame)
        table = pd.DataFrame(events, columns=["payment_id", "is_fraud", "known_at"])
        table["known_at"] = pd.to_datetime(table.known_at)
        assert found == cohort_of(frame, model, rows, table, DAY, AS_OF)
        later = pd.Timestamp(AS_OF) + pd.Timedelta(days=1)
        made.labels(Path(folder), [(i, True, str(later)) for i in range(40)], DAY + timedelta(days=1))
        assert known(Path(folder), model, frame) == found


def test_the_newest_event_counts_and_a_tie_says_fraud(day):
    root, model, frame = day
    made.labels(root, [
        (1, True, "2026-01-06 10:00"), (1, False, "2026-01-07 10:00"),
        (2, False, "2026-01-06 10:00"), (2, True, "2026-01-06 10:00"),
        (3, False, "2026-01-06 10:00"), (3, True, "2026-01-08 10:00"),
    ])  # fmt: skip
    found = known(root, model, frame)
    assert states(found) == {"fraud": 2, "legitimate": 1}
    assert found.delays == {1: 1, 3: 1}


def test_a_delay_runs_to_the_first_fraud_label_and_is_never_negative(day):
    root, model, frame = day
    made.labels(root, [(1, True, "2026-01-08 23:59"), (1, True, "2026-01-12 00:00"), (2, True, "2026-01-01 00:00")])
    assert known(root, model, frame).delays == {0: 1, 3: 1}


def test_a_label_counts_until_the_last_moment_of_the_as_of_day(day):
    root, model, frame = day
    made.labels(root, [(1, True, "2026-01-15 23:59:59.999999"), (2, True, "2026-01-16 00:00:00")])
    assert states(known(root, model, frame, as_of=date(2026, 1, 15))) == {"fraud": 1, "legitimate": 0}


def test_labels_of_unknown_ids_and_events_without_label_id_or_time_are_ignored(day):
    root, model, frame = day
    made.labels(root, [(999, True, "2026-01-06"), (1, None, "2026-01-06"), (None, True, "2026-01-06"), (2, True, None)])
    assert known(root, model, frame) == Cohort()


def test_a_payment_that_is_there_twice_counts_twice(bank, tmp_path):
    rows = payments(40, seed=3).assign(action="allow")
    write(tmp_path, pd.concat([rows, rows[:10]]))
    made.labels(tmp_path, [(1, True, "2026-01-06"), (20, True, "2026-01-06")])
    assert states(known(tmp_path, bank.model, bank.frame)) == {"fraud": 3, "legitimate": 0}
    assert bank.model.features.id == "payment_id"
    found = ParquetWarehouse(tmp_path).partition(bank.model, DAY)
    assert (found.rows, found.distinct_ids) == (50, 40)


def test_the_labels_move_payments_out_of_the_open_state(bank, tmp_path):
    rows = payments(200, seed=3)
    write(tmp_path, rows)
    made.labels(tmp_path, [(i, i % 2 == 0, "2026-01-06") for i in range(100)])
    profile = ParquetWarehouse(tmp_path).profile(bank.model, bank.frame, DAY, DAY)[DAY]
    cohort = known(tmp_path, bank.model, bank.frame)
    whole = profile.cube.labelled(cohort.labels)
    assert whole.bins[EVERYONE].sum(axis=1).tolist() == profile.cube.bins[EVERYONE].sum(axis=1).tolist()
    open_before, open_after = (cube.bins[EVERYONE][:, OPEN, 0].sum() for cube in (profile.cube, whole))
    assert open_before - open_after == sum(states(cohort).values())
    assert all((part >= 0).all() for part in whole.bins.values())


@pytest.mark.parametrize(
    "column",
    [
        pd.Series([True, False, True]),
        pd.Series([1, 0, 1]),
        pd.Series([1.0, 0.0, 1.0]),
        pd.Series(["true", "false", "1"]),
    ],
)
@pytest.mark.parametrize("ids", [[1, 2, 3], ["1", "2", "x-3"], [1.0, 2.0, 3.0]])
@pytest.mark.parametrize("zone", [None, "UTC", "America/New_York"])
def test_labels_ids_and_times_of_other_types_mean_the_same(day, column, ids, zone):
    root, model, frame = day
    times = pd.to_datetime(["2026-01-15 12:00", "2026-01-15 12:00", "2026-01-20 12:00"]).tz_localize(zone)
    write(root, pd.DataFrame({"payment_id": ids, "is_fraud": column, "known_at": times}), DAY, "cards/labels")
    assert states(known(root, model, frame)) == {"fraud": 1, "legitimate": 1}


def test_times_with_a_zone_are_compared_in_utc(day):
    root, model, frame = day
    late = pd.to_datetime(["2026-01-15 21:00"]).tz_localize("America/New_York")  # 02:00 UTC on the 16th
    write(root, pd.DataFrame({"payment_id": [1], "is_fraud": [True], "known_at": late}), DAY, "cards/labels")
    assert states(known(root, model, frame, as_of=date(2026, 1, 15))) == {"fraud": 0, "legitimate": 0}
    assert known(root, model, frame, as_of=date(2026, 1, 16)).delays == {11: 1}


@pytest.mark.parametrize(("name", "value"), [("is_fraud", "perhaps"), ("is_fraud", 2), ("known_at", "soon")])
def test_a_label_or_time_that_can_t_be_read_is_an_error_that_names_its_column(day, name, value):
    root, model, frame = day
    row = {"payment_id": [1], "is_fraud": [True], "known_at": ["2026-01-06"]} | {name: [value]}
    write(root, pd.DataFrame(row), DAY, "cards/labels")
    with pytest.raises(WatchkeeperError, match=f"cards/labels, column '{name}': 1 values can't be read; accepted are"):
        known(root, model, frame)


def test_a_label_table_without_a_column_is_an_error_with_the_nearest_spelling(day):
    root, model, frame = day
    write(root, pd.DataFrame({"payment_id": [1], "is_fraude": [True], "known_at": ["2026"]}), DAY, "cards/labels")
    with pytest.raises(WatchkeeperError, match=r"labels\.label: .* no column 'is_fraud'.*did you mean 'is_fraude'"):
        known(root, model, frame)


def test_no_labels_yet_are_empty_cohorts_and_no_label_table_is_an_error(day):
    root, model, frame = day
    with pytest.raises(WatchkeeperError, match="cards/labels: no such table"):
        known(root, model, frame)
    (root / "cards/labels").mkdir()
    assert known(root, model, frame) == Cohort()


def test_labels_need_no_partitions(day):
    root, model, frame = day
    (root / "cards/labels/year=2026").mkdir(parents=True)
    rows = pd.DataFrame({"payment_id": [1], "is_fraud": [True], "known_at": pd.to_datetime(["2026-01-06"])})
    rows.to_parquet(root / "cards/labels/year=2026/all.parquet")
    assert states(known(root, model, frame)) == {"fraud": 1, "legitimate": 0}


def test_a_day_without_its_score_or_id_column_has_an_empty_cohort(bank, tmp_path):
    rows = payments(40, seed=3)
    made.labels(tmp_path, [(1, True, "2026-01-06"), (1001, True, "2026-01-06")])
    write(tmp_path, rows.drop(columns="score"))
    write(tmp_path, rows.drop(columns="payment_id"), DAY + timedelta(days=1))
    assert known(tmp_path, bank.model, bank.frame) == Cohort()
    assert known(tmp_path, bank.model, bank.frame, day=DAY + timedelta(days=1)) == Cohort()
