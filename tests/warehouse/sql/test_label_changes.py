from __future__ import annotations

import itertools
import re
import tempfile
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from models.spec import Labels
from profiles.profile import COUNT, EVERYONE, FRAUD, LEGITIMATE, MISSED, Cohort
from profiles.schema import OTHER_VALUES
from tests.warehouse import made
from tests.warehouse.made import DAY, cohort_of, payments, write
from warehouse.duckdb.source import FileSource
from warehouse.duckdb.warehouse import ParquetWarehouse
from warehouse.sql import label_queries as label_events

SECOND = DAY + timedelta(days=1)
DAYS = [DAY + timedelta(days=i) for i in range(-2, 8)]
IDS, HOURS = st.integers(-2, 65), st.integers(-24, 7 * 24 + 12)
EVENT = st.tuples(IDS | st.none(), st.sampled_from([True, False, None]), HOURS | st.none())


def at(hours):
    return None if hours is None else str(pd.Timestamp(DAY) + pd.Timedelta(hours=hours))


def changes(root, bank, since, as_of):
    return ParquetWarehouse(root).label_changes(bank.model, bank.frame, DAY, SECOND, since, as_of)


def counts(cohort):
    bins = cohort.labels.bins.get(EVERYONE, np.zeros((1, 4, 3), dtype=int))
    return {"fraud": int(bins[:, FRAUD, COUNT].sum()), "legitimate": int(bins[:, LEGITIMATE, COUNT].sum())}


@pytest.fixture
def root(bank, tmp_path):
    write(tmp_path, payments(40, seed=3).assign(action="allow"))
    return tmp_path


@settings(max_examples=40, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(events=st.lists(EVENT, min_size=1, max_size=80), gaps=st.lists(st.integers(1, 4), min_size=1, max_size=9))
@example(events=[(1, True, 5), (1, False, 30), (1, True, 30), (1, True, 50), (1, False, 80)], gaps=[1] * 9)
def test_whatever_happened_to_labels_the_changes_of_each_day_add_up_to_all_that_is_known(bank, events, gaps):
    first, second = payments(40, seed=3), payments(30, seed=4, first_id=30)  # ten ids are there on both days
    first.loc[:3, "score"] = [np.nan, np.inf, 2.0, -1.0]
    steps = [DAYS[0], *(DAYS[0] + timedelta(days=int(days)) for days in np.cumsum(gaps))]
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder), first)
        write(Path(folder), second, SECOND)
        made.labels(Path(folder), [(key, label, at(hours)) for key, label, hours in events])
        told = pd.DataFrame([e for e in events if None not in e], columns=["payment_id", "is_fraud", "hours"])
        told = told.astype({"payment_id": int, "is_fraud": bool, "hours": int})
        told["known_at"] = pd.Timestamp(DAY) + pd.to_timedelta(told.hours, unit="h")
        known = changes(Path(folder), bank, None, steps[0])
        for since, as_of in itertools.pairwise(steps):
            news = changes(Path(folder), bank, since, as_of)
            known = {day: known[day] + news[day] for day in (DAY, SECOND)}
            assert known == changes(Path(folder), bank, None, as_of)
            for day, rows in ((DAY, first), (SECOND, second)):
                assert known[day] == cohort_of(bank.frame, bank.model, rows, told, day, as_of)


TYPES = ["takeover", "scam"]
TYPED = Labels(table="cards/labels", type="kind", types=TYPES)
TYPED_EVENT = st.tuples(IDS, st.booleans(), HOURS, st.sampled_from([*TYPES, "other", None]))


@settings(max_examples=40, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(events=st.lists(TYPED_EVENT, min_size=1, max_size=80), gaps=st.lists(st.integers(1, 4), min_size=1, max_size=9))
@example(events=[(1, True, 5, "scam"), (1, False, 30, None), (1, True, 60, "takeover")], gaps=[1] * 9)
def test_by_type_of_fraud_too_the_changes_add_up_to_all_that_is_known(bank, events, gaps):
    rows, model = payments(40, seed=3), bank.model.model_copy(update={"labels": TYPED})
    steps = [DAYS[0], *(DAYS[0] + timedelta(days=int(days)) for days in np.cumsum(gaps))]
    told = pd.DataFrame(events, columns=["payment_id", "is_fraud", "hours", "kind"])
    told["known_at"] = pd.Timestamp(DAY) + pd.to_timedelta(told.hours, unit="h")
    told["type"] = [kind if kind in TYPES else OTHER_VALUES for kind in told.kind]
    told["rank"] = [TYPES.index(kind) if kind in TYPES else -1 for kind in told.type]
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder), rows)
        write(Path(folder), told[["payment_id", "is_fraud", "known_at", "kind"]], DAY, "cards/labels")
        warehouse = ParquetWarehouse(Path(folder))
        known = warehouse.label_changes(model, bank.frame, DAY, DAY, None, steps[0])[DAY]
        for since, as_of in itertools.pairwise(steps):
            known += warehouse.label_changes(model, bank.frame, DAY, DAY, since, as_of)[DAY]
            assert known == warehouse.label_changes(model, bank.frame, DAY, DAY, None, as_of)[DAY]
            assert known == cohort_of(bank.frame, model, rows, told, DAY, as_of)


def test_a_reversal_takes_back_the_fraud_and_its_delay(bank, root):
    made.labels(root, [(1, True, "2026-01-06"), (2, True, "2026-01-06"), (1, False, "2026-01-08")])
    news = changes(root, bank, date(2026, 1, 7), date(2026, 1, 8))[DAY]
    assert counts(news) == {"fraud": -1, "legitimate": 1}
    assert news.delays == {1: -1}
    missed = float(payments(40, seed=3).score[1]) < 0.8
    assert news.delays_by_group == ({MISSED: {1: -1}} if missed else {})


def test_an_event_that_says_what_was_known_changes_nothing(bank, root):
    made.labels(root, [(i, label, day) for i, label in ((1, True), (2, False)) for day in ("2026-01-06", "2026-01-08")])
    assert changes(root, bank, date(2026, 1, 7), date(2026, 1, 8)) == {DAY: Cohort()}


def test_a_day_belongs_to_the_changes_until_its_last_moment(bank, root):
    made.labels(root, [
        (1, True, "2026-01-06 23:59:59.999999"), (2, True, "2026-01-07 00:00"), (3, True, "2026-01-07 23:59:59.999999"),
        (4, True, "2026-01-08 00:00"),
    ])  # fmt: skip
    assert counts(changes(root, bank, date(2026, 1, 6), date(2026, 1, 7))[DAY]) == {"fraud": 2, "legitimate": 0}


@pytest.mark.parametrize("since", [None, DAY])
def test_of_the_feature_table_only_keys_scores_and_groups_are_read(bank, since):
    kinds = {"payment_id": "BIGINT", "amount_gbp": "DOUBLE", "age_days": "DOUBLE", "country": "VARCHAR",
             "trusted": "BOOLEAN", "channel": "VARCHAR", "age_band": "VARCHAR", "score": "DOUBLE", "action": "VARCHAR",
             "day": "DATE"}  # fmt: skip
    features = FileSource(("f.parquet",), kinds, "day", partitioned=False, start=DAY, end=DAY)
    table = {"payment_id": "BIGINT", "is_fraud": "BOOLEAN", "known_at": "TIMESTAMP"}
    labels = FileSource(("l.parquet",), table, "day", partitioned=True, start=DAY, end=DAY)
    groups = list(bank.frame.groups)
    text = label_events.label_changes_query(bank.frame, bank.model, features, groups, labels, since, SECOND).text
    keys = {"payment_id", "day", "score", "amount_gbp", "action", "channel", "age_band"}
    assert set(re.findall(r't\."(\w+)"', text)) == keys | set(table)
    assert text.count('"') == 2 * len(re.findall(r't\."(\w+)"', text)), "every name is quoted and of a scanned table"
    assert not re.search(r"SELECT \*|t\.\*", text)


def test_a_partition_without_its_features_has_the_same_cohort(bank, root, tmp_path):
    made.labels(root, [(i, i % 2 == 0, "2026-01-06") for i in range(30)])
    whole = changes(root, bank, None, SECOND)
    write(tmp_path, payments(40, seed=3).assign(action="allow").drop(columns=["age_days", "country", "trusted"]))
    assert changes(root, bank, None, SECOND) == whole != {DAY: Cohort()}


def version(root, bank, as_of=SECOND):
    (found,) = ParquetWarehouse(root).label_versions(bank.model, [as_of])
    return found


def test_the_version_of_the_labels_is_that_of_the_events_known_by_then_in_any_order_and_file(bank, root):
    (root / "cards/labels").mkdir()
    nothing = version(root, bank)
    events = [(i, i % 3 == 0, f"2026-01-06 {i:02}:00") for i in range(20)]
    made.labels(root, events)
    first = version(root, bank)
    made.labels(root, [*events[:5:-1], (5, None, "2026-01-06"), (6, True, None)])
    made.labels(root, [*events[:6], (3, False, "2026-01-07")], SECOND)
    assert version(root, bank) == first != nothing
    assert version(root, bank, date(2026, 1, 5)) == nothing
    assert version(root, bank, date(2026, 1, 7)) != first
    days = [SECOND, date(2026, 1, 5), date(2026, 1, 7)]
    assert ParquetWarehouse(root).label_versions(bank.model, days) == [version(root, bank, day) for day in days]


@pytest.mark.parametrize("late", [(1, False, "2026-01-06 01:00"), (2, True, "2026-01-06"), (1, True, "2026-01-06 02")])
def test_any_other_event_is_another_version_of_the_labels(bank, root, late):
    made.labels(root, [(1, True, "2026-01-06 01:00")])
    first = version(root, bank)
    made.labels(root, [(1, True, "2026-01-06 01:00"), late], SECOND)
    both = version(root, bank)
    made.labels(root, [late])
    made.labels(root, [], SECOND)
    assert len({first, both, version(root, bank)}) == 3


def test_a_partition_written_again_is_another_version_of_its_day_only(bank, tmp_path):
    made.week(tmp_path)
    warehouse, span = ParquetWarehouse(tmp_path), (DAY, DAY + timedelta(days=9))
    before = warehouse.versions(bank.model, *span)
    assert list(before) == [DAY + timedelta(days=i) for i in range(7)]
    assert warehouse.versions(bank.model, *span) == before
    write(tmp_path, payments(401, seed=0))
    after = warehouse.versions(bank.model, *span)
    assert {day for day in before if before[day] != after[day]} == {DAY}


def test_days_that_share_their_files_have_another_version_together(bank, tmp_path):
    (tmp_path / "cards/features").mkdir(parents=True)
    for rows in (20, 21):
        parts = [payments(rows, seed=i).assign(day=DAY + timedelta(days=i)) for i in range(3)]
        pd.concat(parts).to_parquet(tmp_path / "cards/features/all.parquet", index=False)
        found = ParquetWarehouse(tmp_path).versions(bank.model, DAY, SECOND)
        assert list(found) == [DAY, SECOND]
        if rows == 20:
            first = found
    assert not set(first.values()) & set(found.values())
