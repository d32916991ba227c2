"""What the bank writes: partitions that anyone can write again, byte for byte."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pyarrow.parquet as pq
import pytest

from models.errors import WatchkeeperError
from simulator import incidents as on_demand
from simulator.bank import build_bank
from simulator.batch import draw_batch
from simulator.recipes import RECIPES
from tests.simulator.conftest import SEED

START, END = date(2026, 1, 1), date(2026, 1, 6)
SCAMS = "app_scams"


def files(root):
    return {str(p.relative_to(root)): p.read_bytes() for p in sorted(root.rglob("*")) if p.is_file()}


def arrived(root, day, table="features"):
    stamp = (root / SCAMS / table / f"day={day}" / "part-0.parquet").stat().st_mtime
    return datetime.fromtimestamp(stamp, UTC)


@pytest.fixture(scope="module")
def bank(tmp_path_factory):
    root = tmp_path_factory.mktemp("bank")
    build_bank(root, [SCAMS], START, END, SEED, [])
    return root


def test_a_model_has_a_partition_of_features_and_one_of_labels_for_each_day(bank):
    expected = [f"{SCAMS}/{t}/day=2026-01-{d:02d}/part-0.parquet" for t in ("features", "labels") for d in range(1, 7)]
    assert list(files(bank)) == expected


def test_the_same_seed_gives_the_same_bytes(bank, tmp_path):
    build_bank(tmp_path, [SCAMS], START, END, SEED, [])
    assert files(tmp_path) == files(bank)


def test_another_seed_gives_another_bank(bank, tmp_path):
    build_bank(tmp_path, [SCAMS], START, START, SEED + 1, [])
    assert not set(files(tmp_path).values()) & set(files(bank).values())


def test_a_bank_extended_day_by_day_is_the_bank_built_at_once(bank, tmp_path):
    for count in range(6):
        day = START + timedelta(days=count)
        build_bank(tmp_path, [SCAMS], day, day, SEED, [])
    assert files(tmp_path) == files(bank)


def test_a_day_built_alone_has_the_labels_of_all_days_before(tmp_path):
    last = START + timedelta(days=100)
    build_bank(tmp_path / "all", [SCAMS], START, last, SEED, [])
    build_bank(tmp_path / "alone", [SCAMS], last, last, SEED, [])
    alone, all_days = files(tmp_path / "alone"), files(tmp_path / "all")
    assert len(alone) == 2
    assert all(all_days[name] == content for name, content in alone.items())


def test_a_day_built_again_replaces_itself(bank, tmp_path):
    for _ in range(2):
        build_bank(tmp_path, [SCAMS], START, END, SEED, [])
    assert files(tmp_path) == files(bank)


def test_labels_are_filed_under_the_day_they_became_known(bank):
    for day in range(1, 7):
        known = pq.read_table(bank / SCAMS / "labels" / f"day=2026-01-{day:02d}" / "part-0.parquet")[
            "known_at"
        ].to_numpy()
        assert len(known)
        assert set(known.astype("datetime64[D]")) == {np.datetime64(f"2026-01-{day:02d}")}


def test_the_truth_is_not_in_the_feature_table(bank, model):
    spec_columns = {RECIPES[model].id, "event_time", *RECIPES[model].columns, "score", "model_version", "action"}
    from simulator.bank import feature_table

    assert set(feature_table(draw_batch(RECIPES[model], START, SEED)).column_names) == spec_columns
    assert not spec_columns & {"fraud", "is_fraud", "label"}


def test_event_times_are_on_the_partitions_day_and_in_the_hour_that_the_feature_says(bank):
    rows = pq.read_table(bank / SCAMS / "features" / "day=2026-01-03" / "part-0.parquet")
    times = rows["event_time"].to_numpy()
    assert set(times.astype("datetime64[D]")) == {np.datetime64("2026-01-03")}
    assert (times.astype("datetime64[h]").astype(int) % 24 == rows["hour"].to_numpy()).all()


def test_a_partition_arrives_before_six_on_the_next_day(bank):
    for count in range(6):
        day = START + timedelta(days=count)
        for table in ("features", "labels"):
            deadline = datetime.combine(day + timedelta(days=1), datetime.min.time(), UTC) + timedelta(hours=6)
            assert timedelta(0) < deadline - arrived(bank, day, table) < timedelta(hours=1)


def test_a_late_day_arrives_late(bank, tmp_path):
    build_bank(tmp_path, [SCAMS], START, START, SEED, [on_demand.late_day(SCAMS, 5, START, START)])
    assert arrived(tmp_path, START) - arrived(bank, START) == timedelta(hours=5)


def test_a_missing_day_has_no_features_but_its_labels_come(bank, tmp_path):
    lost = START + timedelta(days=2)
    build_bank(tmp_path, [SCAMS], START, END, SEED, [])
    build_bank(tmp_path, [SCAMS], START, END, SEED, [on_demand.missing_day(SCAMS, lost, lost)])
    gone = set(files(bank)) - set(files(tmp_path))
    assert gone == {f"{SCAMS}/features/day={lost}/part-0.parquet"}
    assert all(content == files(bank)[name] for name, content in files(tmp_path).items())


def test_progress_counts_model_days(tmp_path):
    done = []
    build_bank(tmp_path, [SCAMS, "card_payments"], START, START + timedelta(days=1), SEED, [], done.append)
    assert sum(done) == 4


@pytest.mark.parametrize(
    ("models", "start", "end", "said"),
    [
        (["card_payment"], START, END, "did you mean 'card_payments'"),
        ([SCAMS], date(2025, 12, 31), END, "opened on 2026-01-01"),
        ([SCAMS], END, START, "must not be before the first"),
    ],
)
def test_what_cannot_be_built_is_said_in_a_sentence(tmp_path, models, start, end, said):
    with pytest.raises(WatchkeeperError, match=said):
        build_bank(tmp_path, models, start, end, SEED, [])
    assert not files(tmp_path)


def test_a_negative_seed_is_said_in_a_sentence(tmp_path):
    with pytest.raises(WatchkeeperError, match="seed is -1; accepted: a whole number from 0 on"):
        build_bank(tmp_path, [SCAMS], START, START, -1, [])


def test_a_folder_that_is_a_file_is_said_in_a_sentence(tmp_path):
    (tmp_path / "bank").write_text("not a folder")
    with pytest.raises(WatchkeeperError, match="can't be written to"):
        build_bank(tmp_path / "bank", [SCAMS], START, START, SEED, [])
