from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ledger.records.measurements import Verdict
from ledger.store import Ledger
from tests.warehouse import made
from tests.warehouse.made import DAY
from warehouse.budget import StatementCost
from warehouse.duckdb.warehouse import ParquetWarehouse
from watchkeeper.context import Context
from watchkeeper.pipeline import costs
from watchkeeper.settings import Settings

NOON = datetime(2026, 1, 12, 12, tzinfo=UTC)
TODAY = NOON.date()


@pytest.fixture
def ctx(tmp_path):
    made.week(tmp_path)
    return Context(Settings(), ParquetWarehouse(tmp_path), Ledger.open(f"sqlite:///{tmp_path}/ledger.db"), NOON)


def kept(ctx, day=DAY, step="profile", billed=100, left_out=""):
    spec = made.spec()
    with costs.cost_accounting(ctx, spec, day):
        if left_out:
            ctx.warehouse.account.left_out["cards"] = left_out
        ctx.warehouse.account.record(StatementCost("cards", step, 120, 90, billed))
    return {m.slice: m for m in ctx.ledger.measurements("cards", as_of=day, monitors=("cost",))}


def test_the_bytes_of_each_step_are_a_measurement_of_the_day_on_which_they_were_billed(ctx):
    kept(ctx, step="arrive", billed=20)
    found = kept(ctx, left_out="without slice channel")
    assert {name: m.value for name, m in found.items()} == {"step=arrive": 20, "step=profile": 100}
    profile = found["step=profile"]
    assert (profile.day, profile.as_of, profile.metric, profile.n) == (TODAY, DAY, "bytes_billed", 1)
    assert profile.verdict is Verdict.OK
    assert "read without slice channel, to keep within the budget" in profile.reason


def test_a_step_that_runs_again_adds_to_what_it_cost(ctx):
    kept(ctx)
    assert kept(ctx)["step=profile"].value == 200


def test_a_step_that_fails_was_paid_for_all_the_same(ctx):
    def fails() -> None:
        with costs.cost_accounting(ctx, made.spec(), DAY):
            ctx.warehouse.account.record(StatementCost("cards", "profile", 1, 1, 55))
            raise TimeoutError

    with pytest.raises(TimeoutError):
        fails()
    assert [m.value for m in ctx.ledger.measurements("cards", monitors=("cost",))] == [55]


def test_what_earlier_steps_cost_is_kept_before_the_next_begins_and_counts_once(ctx):
    with costs.cost_accounting(ctx, made.spec(), DAY) as save_costs:
        ctx.warehouse.account.record(StatementCost("cards", "arrive", 1, 1, 20))
        save_costs()
        assert [m.value for m in ctx.ledger.measurements("cards", monitors=("cost",))] == [20]
        ctx.warehouse.account.record(StatementCost("cards", "profile", 1, 1, 55))
        assert ctx.warehouse.account.billed("cards") == 75
    assert sorted(m.value for m in ctx.ledger.measurements("cards", monitors=("cost",))) == [20, 55]


def test_the_budget_of_today_counts_what_other_days_cost_today_and_nothing_of_yesterday(ctx):
    kept(ctx, DAY, billed=100)
    kept(ctx, DAY + timedelta(days=1), billed=30)
    with costs.cost_accounting(ctx, made.spec(), DAY):
        assert ctx.warehouse.account.billed("cards") == 130
    tomorrow = replace(ctx, now=NOON + timedelta(days=1))
    with costs.cost_accounting(tomorrow, made.spec(), DAY):
        assert ctx.warehouse.account.billed("cards") == 0


def test_a_warehouse_that_costs_nothing_leaves_no_measurement(ctx):
    with costs.cost_accounting(ctx, made.spec(), DAY):
        ctx.warehouse.partition(made.spec(), DAY)
    assert ctx.ledger.measurements("cards") == []
