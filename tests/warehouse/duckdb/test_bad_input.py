from __future__ import annotations

import os
from datetime import UTC, date, datetime, timedelta

import pandas as pd
import pytest

from models.errors import WatchkeeperError
from profiles.profile import Profile
from tests.warehouse import made
from tests.warehouse.made import DAY, payments, profile_of, write
from warehouse.duckdb.warehouse import ParquetWarehouse


def test_a_missing_table_is_an_error_with_the_nearest_spelling(bank):
    model = made.spec(features=made.Features(table="cards/feature"))
    with pytest.raises(WatchkeeperError, match=r"cards/feature: no such table; did you mean 'cards/features'\?"):
        bank.warehouse.partition(model, DAY)


def test_a_missing_warehouse_says_which_setting_to_fix(tmp_path):
    with pytest.raises(WatchkeeperError, match="nowhere: no such warehouse folder; set WATCHKEEPER_WAREHOUSE"):
        ParquetWarehouse(tmp_path / "nowhere").days(made.spec(), DAY, DAY)


def test_a_day_without_a_folder_or_a_file_has_no_partition(bank, tmp_path):
    write(tmp_path, payments(5, seed=1))
    (tmp_path / f"cards/features/day={DAY + timedelta(days=1)}").mkdir()
    (tmp_path / f"cards/features/day={DAY + timedelta(days=1)}/_part-0.parquet").write_bytes(b"half of it")
    found = ParquetWarehouse(tmp_path)
    for day in (DAY + timedelta(days=1), DAY + timedelta(days=2)):
        assert found.partition(bank.model, day) is None
        with pytest.raises(WatchkeeperError, match=f"no partition of {day}"):
            found.relation(bank.model, day)
    assert found.days(bank.model, DAY, DAY + timedelta(days=9)) == [DAY]
    assert found.profile(bank.model, bank.frame, DAY + timedelta(days=1), DAY + timedelta(days=2)) == {}


def test_an_empty_partition_is_a_partition_without_rows(bank, tmp_path):
    write(tmp_path, payments(5, seed=1)[:0])
    found = ParquetWarehouse(tmp_path)
    partition = found.partition(bank.model, DAY)
    assert (partition.rows, partition.distinct_ids) == (0, 0)
    assert "amount_gbp" in partition.columns
    assert found.profile(bank.model, bank.frame, DAY, DAY) == {DAY: Profile(bank.frame.id)}


def damaged_pages(whole):
    """Return the file with its footer whole and every page overwritten."""
    footer = len(whole) - 8 - int.from_bytes(whole[-8:-4], "little")
    return whole[:4] + b"\xff" * (footer - 4) + whole[footer:]


@pytest.mark.parametrize(
    "damage", [lambda whole: b"", lambda whole: b"PAR1 is all there is", lambda whole: whole[:999], damaged_pages]
)
def test_a_corrupt_file_is_an_error_that_names_it(bank, tmp_path, damage):
    write(tmp_path, payments(500, seed=1), DAY + timedelta(days=1))
    path = write(tmp_path, payments(500, seed=1))
    path.write_bytes(damage(path.read_bytes()))
    found = ParquetWarehouse(tmp_path)
    with pytest.raises(WatchkeeperError) as error:
        found.profile(bank.model, bank.frame, DAY, DAY + timedelta(days=1))
    assert str(error.value).startswith(f"{path}: can't be read as Parquet (")
    assert "\n" not in str(error.value)
    assert set(found.profile(bank.model, bank.frame, DAY + timedelta(days=1), DAY + timedelta(days=1)))


def test_a_corrupt_label_file_is_an_error_that_names_it(bank, tmp_path):
    write(tmp_path, payments(50, seed=1))
    folder = tmp_path / "cards/labels"
    folder.mkdir()
    (folder / "all.parquet").write_bytes(b"not Parquet")
    with pytest.raises(WatchkeeperError, match=r"cards/labels/all\.parquet: can't be read as Parquet"):
        ParquetWarehouse(tmp_path).label_changes(bank.model, bank.frame, DAY, DAY, None, DAY)


def test_a_partition_tells_when_it_was_written_and_changes_version_when_it_is_rewritten(bank, tmp_path):
    path = write(tmp_path, payments(50, seed=1))
    os.utime(path, ns=(10**18, 10**18))
    found = ParquetWarehouse(tmp_path)
    first = found.partition(bank.model, DAY)
    assert first.arrived_at == datetime(2001, 9, 9, 1, 46, 40, tzinfo=UTC)
    assert found.partition(bank.model, DAY) == first
    write(tmp_path, payments(50, seed=2))
    assert found.partition(bank.model, DAY).version != first.version
    assert found.profile(bank.model, bank.frame, DAY, DAY)[DAY] == profile_of(
        bank.frame, bank.model, payments(50, seed=2)
    )


def test_without_an_id_column_every_row_counts_as_different(bank, tmp_path):
    write(tmp_path, payments(50, seed=1).drop(columns="payment_id"))
    assert ParquetWarehouse(tmp_path).partition(bank.model, DAY).distinct_ids == 50


@pytest.mark.parametrize("kind", ["date", "text", "timestamp", "zoned"])
def test_files_without_day_folders_are_read_by_their_day_column(bank, tmp_path, kind):
    days = pd.Series([DAY + timedelta(days=i % 3) for i in range(90)])
    stamps = pd.to_datetime(days) + pd.Timedelta(hours=23)
    column = {"date": days, "text": days.astype(str), "timestamp": stamps, "zoned": stamps.dt.tz_localize("UTC")}[kind]
    rows = payments(90, seed=1)
    (tmp_path / "cards").mkdir()
    rows.assign(day=column).to_parquet(tmp_path / "cards/features", index=False)
    found = ParquetWarehouse(tmp_path)
    assert found.days(bank.model, DAY, DAY + timedelta(days=1)) == [DAY, DAY + timedelta(days=1)]
    assert found.partition(bank.model, DAY).rows == 30
    assert found.partition(bank.model, date(2027, 1, 1)) is None
    whole = found.profile(bank.model, bank.frame, DAY, DAY + timedelta(days=9))
    assert whole == {
        DAY + timedelta(days=i): profile_of(bank.frame, bank.model, rows[days == DAY + timedelta(days=i)])
        for i in range(3)
    }


def test_a_day_inside_shared_files_is_rewritten_only_when_its_own_rows_change(bank, tmp_path):
    days, rows = [DAY] * 20 + [DAY + timedelta(days=1)] * 20, payments(40, seed=1)
    (tmp_path / "cards/features").mkdir(parents=True)
    path = tmp_path / "cards/features/all.parquet"
    found = ParquetWarehouse(tmp_path)

    def versions(rows):
        rows.assign(day=days).to_parquet(path)
        return [found.partition(bank.model, DAY + timedelta(days=i)).version for i in range(2)]

    first, second = versions(rows)
    changed = rows.assign(amount_gbp=rows.amount_gbp.where(rows.payment_id != 30, 1e6))
    assert versions(changed)[0] == first
    assert versions(changed)[1] != second


def test_folders_that_aren_t_days_or_are_still_being_written_are_no_partitions(bank, tmp_path):
    path = write(tmp_path, payments(5, seed=1))
    for folder in ("day=20260106", "day=2026-13-01", "_temporary/0"):
        (tmp_path / "cards/features" / folder).mkdir(parents=True)
        (tmp_path / "cards/features" / folder / "part-0.parquet").write_bytes(path.read_bytes())
    assert ParquetWarehouse(tmp_path).days(bank.model, DAY, DAY + timedelta(days=400)) == [DAY]


def test_a_table_without_any_day_is_an_error_that_says_so(bank, tmp_path):
    (tmp_path / "cards/features").mkdir(parents=True)
    payments(9, seed=1).assign(date=DAY).to_parquet(tmp_path / "cards/features/all.parquet")
    with pytest.raises(WatchkeeperError, match=r"neither folders day=YYYY-MM-DD nor a column 'day'; it has payment_id"):
        ParquetWarehouse(tmp_path).partition(bank.model, DAY)
