from __future__ import annotations

from datetime import timedelta

import duckdb
import pandas as pd
import pytest

from models.errors import WatchkeeperError
from models.spec import AfterDays
from tests.warehouse import made
from tests.warehouse.made import DAY, payments, write
from warehouse.duckdb.warehouse import ParquetWarehouse

LAST = DAY + timedelta(days=6)


@pytest.fixture
def labelled(tmp_path):
    """Two days of 40 payments; events: 1 fraud, 2 legitimate, 3 fraud and taken back, 1001 fraud known much later."""
    for i in range(2):
        write(tmp_path, payments(40, seed=i, first_id=1000 * i).assign(action="allow"), DAY + timedelta(days=i))
    made.labels(tmp_path, [
        (1, True, "2026-01-06"), (2, False, "2026-01-06"), (3, True, "2026-01-06"), (3, False, "2026-01-07"),
        (1001, True, "2026-03-01"),
    ])  # fmt: skip
    return ParquetWarehouse(tmp_path)


def rows_of(warehouse, as_of, negative, most=1000, seed=1):
    model = made.spec(labels=made.Labels(table="cards/labels", negative=negative))
    return warehouse.labelled_rows(model, DAY, DAY + timedelta(days=1), as_of, most, seed)


def test_a_sample_is_the_same_at_every_call_and_another_with_another_seed(bank):
    first = bank.warehouse.sample(bank.model, DAY, LAST, 100, seed=1)
    pd.testing.assert_frame_equal(first, ParquetWarehouse(bank.root).sample(bank.model, DAY, LAST, 100, seed=1))
    assert len(first) == 100
    assert set(first.payment_id) != set(bank.warehouse.sample(bank.model, DAY, LAST, 100, seed=2).payment_id)
    assert set(first.payment_id) < set(bank.warehouse.sample(bank.model, DAY, LAST, 200, seed=1).payment_id)


def test_a_sample_of_more_than_there_is_is_everything_of_those_days(bank):
    found = bank.warehouse.sample(bank.model, DAY, DAY, 10_000, seed=1)
    expected = bank.days[DAY]
    pd.testing.assert_frame_equal(
        found.drop(columns="day").sort_values("payment_id", ignore_index=True), expected, check_dtype=False
    )


def test_unlabelled_payments_are_legitimate_only_after_the_days_of_the_model_file(labelled):
    young = rows_of(labelled, DAY + timedelta(days=9), AfterDays(after_days=9))
    assert young.label.dtype == bool
    assert sorted(young.payment_id) == list(range(40))
    assert young.payment_id[young.label].tolist() == [1]
    old = rows_of(labelled, DAY + timedelta(days=30), AfterDays(after_days=9))
    assert len(old) == 80
    assert old.payment_id[old.label].tolist() == [1]


def test_with_explicit_negatives_unlabelled_payments_are_left_out(labelled):
    found = rows_of(labelled, DAY + timedelta(days=30), "explicit").set_index("payment_id").label
    assert found.to_dict() == {1: True, 2: False, 3: False}


def test_labels_known_later_are_not_used(labelled):
    found = rows_of(labelled, DAY + timedelta(days=30), "explicit")
    assert 1001 not in set(found.payment_id)
    assert 1001 in set(rows_of(labelled, DAY + timedelta(days=60), "explicit").payment_id)


def test_blocked_payments_are_never_training_rows(tmp_path):
    rows = payments(200, seed=1)
    write(tmp_path, rows)
    made.labels(tmp_path, [(i, True, "2026-01-06") for i in range(200)])
    found = rows_of(ParquetWarehouse(tmp_path), DAY + timedelta(days=30), "explicit")
    assert set(found.payment_id) == set(rows.payment_id[rows.action != "block"])


def test_training_rows_are_bounded_and_the_same_at_every_call(labelled):
    first, second = (rows_of(labelled, DAY + timedelta(days=60), AfterDays(after_days=1), 20) for _ in range(2))
    pd.testing.assert_frame_equal(first, second)
    assert len(first) == 20


def test_rows_that_can_t_be_had_are_errors_in_a_sentence(labelled, bank):
    with pytest.raises(WatchkeeperError, match="no partition from 2027-01-01 to 2027-01-02; it has days from"):
        bank.warehouse.sample(bank.model, DAY.replace(year=2027, day=1), DAY.replace(year=2027, day=2), 5, seed=1)
    with pytest.raises(WatchkeeperError, match="the model file has no 'labels'"):
        labelled.labelled_rows(made.spec(labels=None), DAY, LAST, LAST, 5, 1)
    strange = made.spec(features=made.Features(table="cards/features", id="payment"))
    with pytest.raises(WatchkeeperError, match=r"features\.id: .* no column 'payment'; .*did you mean 'payment_id'"):
        labelled.sample(strange, DAY, LAST, 5, 1)


def test_the_relation_of_a_day_runs_in_any_duckdb(bank, tmp_path):
    query = bank.warehouse.relation(bank.model, DAY).query
    with duckdb.connect() as connection:
        assert connection.execute(f"SELECT count(*), min(payment_id) FROM ({query})").fetchall() == [(400, 0)]
    root = tmp_path / "o'brien"
    (root / "cards/features").mkdir(parents=True)
    payments(9, seed=1).assign(day=[DAY] * 4 + [LAST] * 5).to_parquet(root / "cards/features/all.parquet")
    query = ParquetWarehouse(root).relation(bank.model, DAY).query
    with duckdb.connect() as connection:
        assert connection.execute(f"SELECT count(*) FROM ({query})").fetchall() == [(4,)]
