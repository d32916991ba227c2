"""What pages say about money, retraining and intervals reads as people would say it."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from catalogue import causes
from ledger.records.incidents import Incident, Status
from ledger.records.retraining import Decision
from reports.pages import fleet, incident
from reports.wording import formatting, money

DAY = date(2026, 4, 28)


def costing(amount_gbp: float, low: float, high: float, cause: str) -> Incident:
    return Incident(
        id=f"card-{cause}", model="card", cause=cause, concluded=DAY, opened=DAY, last_bad=DAY, status=Status.FIRING,
        amount_gbp_per_day=amount_gbp, amount_low_gbp_per_day=low, amount_high_gbp_per_day=high,
    )  # fmt: skip


FAULT = costing(4_500, 0, 4_700, causes.COLUMN_FAULT)
DECAY = costing(26_000, 18_000, 34_000, causes.PERFORMANCE_DECAY)


def test_money_that_a_fault_may_not_have_cost_is_an_upper_bound() -> None:
    assert money.describe_money_at_stake(FAULT).replace(formatting.SPACE, " ") == "up to GBP 4.5k a day"
    assert money.describe_money_at_stake(DECAY).replace(formatting.SPACE, " ") == "about GBP 26k a day (GBP 18k to 34k)"


@pytest.mark.parametrize(("open_now", "bound"), [([FAULT], True), ([DECAY], False), ([FAULT, DECAY], False)])
def test_a_models_money_is_an_upper_bound_where_its_costliest_incidents_is(
    open_now: list[Incident], bound: bool
) -> None:
    assert money.is_upper_bound(open_now) is bound


def test_a_fleet_with_one_upper_bound_says_up_to() -> None:
    cards = [{"open": [1], "amount_gbp_per_day": 26e3}, {"open": [1], "amount_gbp_per_day": 4.6e3, "at_most": True}]
    assert (
        fleet.describe_fleet(cards).replace(formatting.SPACE, " ").endswith("2 models, up to GBP 31k a day at stake.")
    )
    assert ", about GBP" in fleet.describe_fleet(cards[:1]).replace(formatting.SPACE, " ")


def decided(days: int, verdict: str, about: str = "flood") -> Decision:
    return Decision("card", DAY + timedelta(days=days), verdict, about, (f"on day {days}",))


def test_refusals_of_days_in_a_row_are_shown_once_with_the_newest_reason() -> None:
    spans = incident.group_decisions([decided(0, "requested"), decided(1, "refused"), decided(2, "refused")])
    assert [(s["first"], s["last"], s["decision"].reasons) for s in spans] == [
        (DAY + timedelta(days=1), DAY + timedelta(days=2), ("on day 2",)),
        (DAY, DAY, ("on day 0",)),
    ]


def test_requests_and_refusals_for_different_incidents_stay_apart() -> None:
    assert len(incident.group_decisions([decided(0, "requested"), decided(1, "requested")])) == 2
    assert len(incident.group_decisions([decided(0, "refused"), decided(1, "refused", "decay")])) == 2


def test_a_count_has_no_interval_and_rows_that_break_a_check_are_a_share() -> None:
    assert formatting.format_interval("mature_frauds", 412, 412) == ""
    assert formatting.format_figure("expect_column_values_to_not_be_null", 0.311) == f"31{formatting.SPACE}%"
    assert formatting.format_figure("expect_column_mean_to_be_between", 0.311) == "0.311"
