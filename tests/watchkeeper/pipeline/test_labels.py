from __future__ import annotations

import itertools
import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from ledger.snapshot import snapshot_ledger
from ledger.store import Ledger
from models.spec import Score, Spec
from profiles.profile import Cohort
from tests.warehouse import made
from tests.warehouse.made import DAY, payments, write
from warehouse.duckdb.warehouse import ParquetWarehouse
from watchkeeper.context import Context
from watchkeeper.pipeline import labels
from watchkeeper.settings import Settings

HORIZON = timedelta(days=4)
DAYS = [DAY + timedelta(days=i) for i in range(8)]
NAMES = itertools.count()
FAKE = Cohort(delays={99: 7})
"""Marks a stored cohort: what is counted anew loses it."""


class Bank:
    """A small bank whose partitions and label events come and go, with its ledger and frame."""

    def __init__(self, root: Path, ledger: Ledger, spec: Spec) -> None:
        self.root, self.spec, self.events = root, spec, list[tuple[object, object, str]]()
        made.week(root, rows=30)
        self.ctx = Context(Settings(), ParquetWarehouse(root), ledger, datetime(2026, 2, 1, tzinfo=UTC))
        self.frame = self.ctx.warehouse.fit_profile_schema(spec)
        self.tell()

    def tell(self, *events: tuple[object, object, str]) -> None:
        self.events += events
        made.labels(self.root, self.events)

    def take_in(self, as_of: date) -> set[date]:
        return labels.update_cohorts(self.ctx, self.spec, self.frame, as_of - HORIZON, as_of)

    def stored(self, as_of: date) -> dict[date, Cohort]:
        """Return what the ledger holds of the days within the horizon that have a partition."""
        held = self.ctx.ledger.cohorts(self.spec.model, self.frame.id, as_of - HORIZON, as_of, as_of)
        return {day: held.get(day, Cohort()) for day in self.ctx.warehouse.days(self.spec, as_of - HORIZON, as_of)}

    def counted(self, as_of: date) -> dict[date, Cohort]:
        """Return the same, counted from all labels."""
        return self.ctx.warehouse.label_changes(self.spec, self.frame, as_of - HORIZON, as_of, None, as_of)

    def mark(self, as_of: date) -> None:
        """Put what can't be into the cohorts stored as of a day."""
        fakes = {day: held + FAKE for day, held in self.stored(as_of).items()}
        self.ctx.ledger.save_cohorts(self.spec.model, self.frame.id, as_of, fakes)

    def marked(self, as_of: date) -> set[date]:
        """Return the days whose stored cohort still has the mark, and check that all is right but for the mark."""
        stored, counted = self.stored(as_of), self.counted(as_of)
        assert all(stored[day] in (counted[day], counted[day] + FAKE) for day in counted)
        return {day for day in counted if stored[day] != counted[day]}


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    opened = Ledger.open(f"sqlite:///{tmp_path_factory.mktemp('ledger')}/ledger.db")
    yield opened
    opened.close()


@pytest.fixture
def bank(tmp_path: Path, ledger: Ledger) -> Bank:
    bank = Bank(tmp_path, ledger, made.spec(model=f"cards_{next(NAMES)}"))
    bank.tell(*((1000 * i + j, j % 3 > 0, f"2026-01-{5 + i + j % 4:02}") for i in range(7) for j in range(12)))
    return bank


ACTION = st.one_of(
    st.tuples(st.just("tell"), st.integers(0, 6), st.integers(0, 9), st.booleans() | st.none(), st.integers(-24, 200)),
    st.tuples(st.just("forget"), st.integers(0, 20)),
    st.tuples(st.just("write"), st.integers(0, 6), st.integers(0, 3)),
    st.tuples(st.just("remove"), st.integers(0, 6)),
    st.tuples(st.just("take in"), st.integers(0, 9)),
    st.tuples(st.just("take in"), st.integers(0, 9)),
)


@settings(
    max_examples=25,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(script=st.lists(ACTION, min_size=4, max_size=24))
@example(  # an earlier day takes in a label that comes late, and then it turns out to be a mistake
    script=[("take in", 5), ("take in", 6), ("tell", 4, 2, True, 100), ("take in", 5), ("forget", 0), ("take in", 7)]
)
def test_whatever_happens_to_labels_and_partitions_the_ledger_holds_what_a_full_count_finds(
    tmp_path: Path, ledger: Ledger, script: list[tuple]
) -> None:
    shutil.rmtree(tmp_path)
    bank = Bank(tmp_path, ledger, made.spec(model=f"cards_{next(NAMES)}"))
    for what, *values in [*script, ("take in", 9)]:
        if what == "tell":
            day, payment, label, hours = values
            bank.tell((1000 * day + payment, label, str(pd.Timestamp(DAY) + pd.Timedelta(hours=hours))))
        elif what == "forget":
            del bank.events[values[0] : values[0] + 1]
            bank.tell()
        elif what == "write":
            day, seed = values
            write(tmp_path, payments(25, seed=seed, first_id=1000 * day), DAY + timedelta(days=day))
        elif what == "remove":
            shutil.rmtree(tmp_path / "cards/features" / f"day={DAYS[values[0]]}", ignore_errors=True)
        else:
            as_of = DAY + timedelta(days=values[0])
            bank.take_in(as_of)
            assert bank.stored(as_of) == bank.counted(as_of)


def test_a_day_starts_from_what_is_stored_of_the_day_before_and_counts_only_its_own_cohort(bank: Bank) -> None:
    bank.take_in(DAYS[4])
    bank.mark(DAYS[4])
    assert bank.take_in(DAYS[5]) > {DAYS[5]}
    assert bank.marked(DAYS[5]) == set(DAYS[1:5])


def test_days_that_were_not_watched_are_made_up_for_by_the_next_that_is(bank: Bank) -> None:
    bank.take_in(DAYS[2])
    bank.mark(DAYS[2])
    bank.take_in(DAYS[5])
    assert bank.marked(DAYS[5]) == {DAYS[1], DAYS[2]}


def test_a_label_that_arrives_late_makes_all_cohorts_be_counted_anew(bank: Bank) -> None:
    bank.take_in(DAYS[4])
    bank.mark(DAYS[4])
    bank.tell((2020, True, f"{DAYS[3]} 10:00"))
    bank.take_in(DAYS[5])
    assert bank.marked(DAYS[5]) == set()


def test_a_label_that_is_known_later_makes_none_be_counted_anew(bank: Bank) -> None:
    bank.take_in(DAYS[4])
    bank.mark(DAYS[4])
    bank.tell((2020, True, f"{DAYS[5]} 00:00"), (2021, None, f"{DAYS[3]} 10:00"))
    bank.take_in(DAYS[5])
    assert bank.marked(DAYS[5]) == set(DAYS[1:5])


def test_a_partition_that_was_written_again_or_came_late_has_its_cohort_counted_anew(bank: Bank) -> None:
    kept = bank.root / "cards/features" / f"day={DAYS[2]}"
    kept.rename(bank.root / "away")
    bank.take_in(DAYS[4])
    bank.mark(DAYS[4])
    (bank.root / "away").rename(kept)
    write(bank.root, payments(28, seed=9, first_id=3000), DAYS[3])
    bank.take_in(DAYS[5])
    assert bank.marked(DAYS[5]) == {DAYS[1], DAYS[4]}


def test_other_rules_in_the_model_file_make_all_cohorts_be_counted_anew(bank: Bank) -> None:
    bank.take_in(DAYS[4])
    bank.mark(DAYS[4])
    bank.spec = made.spec(model=bank.spec.model, score=Score(threshold=0.8, amount="amount_gbp"))
    bank.take_in(DAYS[5])
    assert bank.marked(DAYS[5]) == set()


def test_a_cohort_older_than_the_horizon_is_final(bank: Bank) -> None:
    bank.take_in(DAYS[4])
    before = bank.stored(DAYS[4])[DAY]
    bank.tell(*((i, True, f"{DAYS[5]} 10:00") for i in range(15, 30)))
    assert DAY not in bank.take_in(DAYS[5])
    (held,) = bank.ctx.ledger.cohorts(bank.spec.model, bank.frame.id, DAY, DAY, DAYS[5]).values()
    assert held == before != bank.ctx.warehouse.label_changes(bank.spec, bank.frame, DAY, DAY, None, DAYS[5])[DAY]


def test_taking_in_days_again_in_any_order_leaves_the_ledger_as_it_is(bank: Bank) -> None:
    days = DAYS[2:7]
    first = [bank.take_in(day) for day in days]
    before = snapshot_ledger(bank.ctx.ledger)
    assert [bank.take_in(day) for day in reversed(days)] == first[::-1]
    assert snapshot_ledger(bank.ctx.ledger) == before


def test_two_models_of_one_table_don_t_share_what_they_took_in(bank: Bank) -> None:
    bank.take_in(DAYS[4])
    bank.mark(DAYS[4])
    bank.spec = bank.spec.model_copy(update={"model": f"cards_{next(NAMES)}"})
    bank.take_in(DAYS[5])
    assert bank.marked(DAYS[5]) == set()
