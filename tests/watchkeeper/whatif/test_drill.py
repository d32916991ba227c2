"""Stored days broken in memory: what is noticed, and that the arithmetic of faults does what it says."""

from __future__ import annotations

import json

import numpy as np
import pytest

from ledger.snapshot import snapshot_ledger
from models.errors import WatchkeeperError
from models.spec import Spec
from profiles.bins import UNSEEN, number_grid, score_grid
from profiles.profile import BinCounts, Counts
from tests.watchkeeper.conftest import MODEL, Say, one_sentence
from watchkeeper.context import Context
from watchkeeper.whatif.drill import drilled_row, run_drill
from watchkeeper.whatif.injected_faults import (
    apportion_rows,
    rebinned,
    with_level_renamed,
    with_nulls,
    with_unseen_level,
    with_values_changed,
)

GRID = number_grid((0.0, 50.0, 100.0))
VALUES = np.random.default_rng(3).normal(50, 15, 10_000)


def counted(values: np.ndarray, nulls: int = 0) -> Counts:
    bins, rows = np.unique(GRID.bin_of(values), return_counts=True)
    return Counts(nulls, 0, round(float(values.sum()) / GRID.unit), BinCounts(bins, rows))


def test_a_share_of_every_cell_turns_null_and_no_row_is_lost() -> None:
    before = counted(VALUES, nulls=7)
    after = with_nulls(before, 0.3)
    assert (after.rows, after.nulls) == (before.rows, 3_007)
    assert all(after.bins.get(cell, 0) <= rows for cell, rows in before.bins.items())


def test_levels_that_come_under_new_names_are_unseen() -> None:
    before = Counts(3, 0, 0, BinCounts.of({0: 600, 1: 397}))
    assert dict(with_level_renamed(before, 0).bins) == {UNSEEN: 600, 1: 397}
    assert dict(with_unseen_level(before, 0.04).bins) == {UNSEEN: 40, 0: 576, 1: 381}
    assert with_unseen_level(before, 0.04).rows == before.rows


def test_moved_values_are_counted_where_they_now_belong() -> None:
    after = with_values_changed(GRID, counted(VALUES), lambda x: x + 10)
    places = np.array([GRID.midpoint(cell) for cell in after.bins])
    rows = np.array(list(after.bins.values()))
    assert rows.sum() == len(VALUES)
    assert np.average(places, weights=rows) == pytest.approx(VALUES.mean() + 10, abs=1.1)
    assert after.total * GRID.unit / len(VALUES) == pytest.approx(VALUES.mean() + 10, abs=1.1)


def test_a_column_in_anothers_place_keeps_its_values() -> None:
    wide = number_grid((0.0, 500.0, 1000.0))
    after = rebinned(GRID, wide, counted(VALUES))
    assert after.total * wide.unit / len(VALUES) == pytest.approx(VALUES.mean(), abs=1.1)
    assert set(after.bins) <= set(range(wide.bin_of(np.float64(-20)).item(), wide.bin_of(np.float64(120)).item() + 1))


def test_rows_are_apportioned_to_the_last_one() -> None:
    assert apportion_rows(np.array([3, 3, 3]), 5).tolist() == [2, 2, 1]
    assert apportion_rows(np.array([10, 0, 1]), 22).tolist() == [20, 0, 2]
    assert apportion_rows(np.array([0, 0]), 0).tolist() == [0, 0]


def test_a_drill_breaks_stored_days_without_a_table_or_a_write(watched: Context, spec: Spec) -> None:
    before = snapshot_ledger(watched.ledger)
    found = run_drill(watched, spec, days=2, seed=1)
    assert snapshot_ledger(watched.ledger) == before
    by_name = {d.fault: d for d in found}
    assert len(by_name) == len(found) >= 12
    for name, cause in (
        ("30 % of a column null", "column_fault"),
        ("a unit 100 times larger", "column_fault"),
        ("a level renamed", "column_fault"),
        ("20 % of the rows twice", "duplicate_rows"),
    ):
        assert (by_name[name].after_days, by_name[name].cause, by_name[name].right) == (1, cause, True), name
    flood = by_name["30 % of a column null"]
    assert flood.named == (flood.feature,)
    missed = [d for d in found if d.after_days is None]
    assert all(d.cause == "" and not d.right and d.days >= 2 for d in missed)
    for d in found:
        if d.gbp_per_day is not None:
            assert d.cost_gbp == pytest.approx(d.gbp_per_day * (d.after_days or d.days))
    assert [drilled_row(d) for d in run_drill(watched, spec, days=2, seed=1)] == [drilled_row(d) for d in found]


def test_the_command_answers_people_and_machines_and_says_when_too_few_days_are_stored(
    say: Say, watched: Context
) -> None:
    answer = say("drill", "--model", MODEL, "--days", "1", "--seed", "2", "--json")
    assert answer.status == 0, answer.err
    assert {"fault", "feature", "after_days", "cause", "named", "cost_gbp"} <= set(json.loads(answer.out)[0])
    told = one_sentence(say("drill", "--model", MODEL, "--days", "30"))
    assert told == f"{MODEL}: 5 days were watched; a drill of 30 days needs more than 30"


def test_a_model_never_watched_cannot_be_drilled(ctx: Context, spec: Spec) -> None:
    with pytest.raises(WatchkeeperError, match="no day from"):
        run_drill(ctx, spec)


def test_scores_move_by_whole_cells_of_the_scores_grid() -> None:
    assert round(0.3 / score_grid(0, 1, 0.03).width) * 0.04 == pytest.approx(0.3, abs=0.021)
