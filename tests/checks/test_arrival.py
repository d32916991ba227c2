from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from checks import arrival, intervals
from ledger.records.measurements import Measurement, Verdict
from ledger.records.runs import StreamedDay
from models.spec import Spec
from tests.checks.conftest import DAY, spec_of
from warehouse.protocol import Partition

NOON = datetime(2026, 3, 3, 12, tzinfo=UTC)
COLUMNS = {"payment_id": "VARCHAR", "score": "DOUBLE", "day": "DATE"}


def partition(rows: int = 1000, distinct: int | None = None, **keys: Any) -> Partition:
    arrived = keys.pop("arrived_at", datetime(2026, 3, 3, 5, tzinfo=UTC))
    return Partition(rows, rows if distinct is None else distinct, arrived, "v1", keys.pop("columns", COLUMNS))


def usual(rows: int = 1000, days: int = 56) -> dict[date, int]:
    """Return rows by day that vary by chance only, with half as many on weekends."""
    rng = np.random.default_rng(7)
    before = [DAY - timedelta(days=i) for i in range(1, days + 1)]
    return {day: int(rng.poisson(rows / 2 if day.weekday() >= 5 else rows)) for day in before}


def figure(
    metric: str,
    found: Partition | None,
    history: Mapping[date, int] | None = None,
    *,
    spec: Spec | None = None,
    now: datetime = NOON,
) -> Measurement:
    measured = arrival.measure_arrival(spec or spec_of(), DAY, found, history or {}, None, now)
    return next(m for m in measured if m.metric == metric)


def due_by(clock: str, **keys: Any) -> Spec:
    return spec_of(features={"table": "payments", "arrives_by": clock}, **keys)


def test_a_usual_day_is_ok_with_its_rows_and_an_interval() -> None:
    measured = figure("row_count", partition(1010), usual())
    assert (measured.monitor, measured.verdict, measured.value, measured.n) == ("arrival", Verdict.OK, 1010, 1010)
    assert measured.low is not None
    assert measured.high is not None
    assert 900 < measured.low < 1010 < measured.high < 1120
    assert measured.reason.startswith("1,010 rows; the median of 8 Mondays is ")


@pytest.mark.parametrize(
    ("rows", "verdict"), [(600, Verdict.BREACH), (700, Verdict.OK), (1500, Verdict.OK), (1600, Verdict.BREACH)]
)
def test_two_thirds_of_the_usual_rows_or_half_as_many_again_is_a_breach(rows: int, verdict: Verdict) -> None:
    assert figure("row_count", partition(rows), usual()).verdict is verdict


def test_a_day_is_compared_with_its_own_weekday() -> None:
    sunday = date(2026, 3, 1)
    history = {day: rows for day, rows in usual(10_000).items() if day < sunday}
    (measured, *_) = arrival.measure_arrival(spec_of(), sunday, partition(4_900), history, None, NOON)
    assert measured.verdict is Verdict.OK
    assert "Sundays is 5,0" in measured.reason or "Sundays is 4,9" in measured.reason


def test_a_short_history_is_compared_with_all_its_days() -> None:
    measured = figure("row_count", partition(300), usual(days=5))
    assert measured.verdict is Verdict.BREACH
    assert "the median of 5 days is" in measured.reason


def test_two_days_are_too_few_to_say_what_is_usual() -> None:
    measured = figure("row_count", partition(300), usual(days=2))
    assert (measured.verdict, measured.value) == (Verdict.INSUFFICIENT, 300)


def test_later_days_are_no_history() -> None:
    later = {DAY + timedelta(days=i): 10 for i in range(30)}
    assert figure("row_count", partition(1000), usual() | later).verdict is Verdict.OK


def test_an_empty_partition_is_a_breach_without_any_history() -> None:
    measured = figure("row_count", partition(0))
    assert (measured.verdict, measured.value, measured.n) == (Verdict.BREACH, 0.0, 0)


def test_a_handful_of_rows_below_the_limit_may_be_chance() -> None:
    history = {DAY - timedelta(days=i): 4 + i % 3 for i in range(1, 57)}
    measured = figure("row_count", partition(2), history)
    assert measured.verdict is Verdict.INSUFFICIENT


def test_days_that_always_vary_wildly_need_more_than_the_limit() -> None:
    history = {DAY - timedelta(days=i): (200 if i // 7 % 2 else 2000) for i in range(1, 57)}
    assert figure("row_count", partition(400), history).verdict is Verdict.INSUFFICIENT


def test_a_few_broken_days_do_not_hide_the_next_one() -> None:
    history = usual() | {DAY - timedelta(days=i): 20 for i in (7, 3, 5)}
    assert figure("row_count", partition(100), history).verdict is Verdict.BREACH


def test_the_model_file_may_set_the_limit() -> None:
    spec = spec_of(alerts={"limits": {"row_count": 0.8}})
    measured = figure("row_count", partition(700), usual(), spec=spec)
    assert measured.verdict is Verdict.BREACH
    assert measured.limit == pytest.approx(800, rel=0.05)


@given(rows=st.integers(0, 100_000), usually=st.lists(st.integers(1, 100_000), min_size=3, max_size=20))
def test_a_breach_is_always_beyond_its_limit_and_outside_its_interval_of_the_median(
    rows: int, usually: list[int]
) -> None:
    history = {DAY - timedelta(days=7 * i): count for i, count in enumerate(usually, 1)}
    measured = figure("row_count", partition(rows), history)
    assert measured.low is not None
    assert measured.high is not None
    assert measured.low <= rows <= measured.high
    if measured.verdict is Verdict.BREACH and rows:
        middle = float(np.median(usually))
        assert not measured.low <= middle <= measured.high
        assert measured.limit is not None
        assert rows < measured.limit < middle or rows > measured.limit > middle


def test_a_missing_partition_says_when_it_was_due() -> None:
    measured = figure("row_count", None, usual(), spec=due_by("06:00"))
    assert (measured.verdict, measured.value, measured.n) == (Verdict.MISSING, None, 0)
    assert measured.reason == "no partition; was due 2026-03-03 06:00 UTC"


def test_a_missing_partition_that_is_not_due_yet_says_so() -> None:
    early = datetime(2026, 3, 3, 5, tzinfo=UTC)
    count = figure("row_count", None, usual(), spec=due_by("06:00"), now=early)
    delay = figure("arrival_delay_minutes", None, usual(), spec=due_by("06:00"), now=early)
    assert count.reason == "no partition; not due yet: 2026-03-03 06:00 UTC"
    assert (count.verdict, delay.verdict, delay.value) == (Verdict.MISSING, Verdict.MISSING, -60)


def test_a_missing_partition_past_its_deadline_is_late_by_the_time_so_far() -> None:
    measured = figure("arrival_delay_minutes", None, spec=due_by("06:00"))
    assert (measured.verdict, measured.value) == (Verdict.BREACH, 360)
    assert measured.reason == "not there yet, 6 h 0 min after the deadline 2026-03-03 06:00 UTC"


def test_a_missing_partition_has_neither_duplicates_nor_columns() -> None:
    measured = arrival.measure_arrival(due_by("06:00"), DAY, None, usual(), COLUMNS, NOON)
    assert [m.metric for m in measured] == ["row_count", "arrival_delay_minutes"]


@pytest.mark.parametrize(("minute", "verdict"), [(0, Verdict.OK), (1, Verdict.BREACH)])
def test_a_partition_is_late_after_its_deadline(minute: int, verdict: Verdict) -> None:
    arrived = partition(arrived_at=datetime(2026, 3, 3, 6, minute, tzinfo=UTC))
    measured = figure("arrival_delay_minutes", arrived, spec=due_by("06:00"))
    assert (measured.verdict, measured.value, measured.limit, measured.n) == (verdict, minute, 0, 1)


def test_the_deadline_is_in_the_schedules_timezone_whatever_the_season() -> None:
    spec = due_by("06:00", schedule={"timezone": "Europe/London"})
    assert arrival.arrival_deadline(spec, date(2026, 3, 2)) == datetime(2026, 3, 3, 6, tzinfo=UTC)
    assert arrival.arrival_deadline(spec, date(2026, 7, 2)) == datetime(2026, 7, 3, 5, tzinfo=UTC)


def test_without_a_deadline_nothing_is_late() -> None:
    assert {m.metric for m in arrival.measure_arrival(spec_of(), DAY, None, {}, None, NOON)} == {"row_count"}


def test_repeated_ids_are_a_breach_when_more_than_chance() -> None:
    measured = figure("duplicate_share", partition(20_000, 19_400))
    interval = stats.binomtest(600, 20_000).proportion_ci()
    assert (measured.verdict, measured.value, measured.limit) == (Verdict.BREACH, 0.03, 0.001)
    assert (measured.feature, measured.n) == ("payment_id", 20_000)
    assert measured.low == pytest.approx(interval.low)
    assert measured.high == pytest.approx(interval.high)


@pytest.mark.parametrize(
    ("rows", "distinct", "verdict"),
    [
        (20_000, 20_000, Verdict.OK),
        (20_000, 19_990, Verdict.OK),
        (100, 99, Verdict.INSUFFICIENT),
        (0, 0, Verdict.INSUFFICIENT),
    ],
)
def test_a_few_repeated_ids_are_not(rows: int, distinct: int, verdict: Verdict) -> None:
    assert figure("duplicate_share", partition(rows, distinct)).verdict is verdict


def test_duplicates_cannot_be_told_without_the_id() -> None:
    measured = figure("duplicate_share", partition(columns={"score": "DOUBLE"}))
    assert measured.verdict is Verdict.ERRORED


def test_whether_ids_of_a_streamed_day_repeat_is_not_known_and_says_so() -> None:
    measured = arrival.measure_arrival(spec_of(), DAY, StreamedDay(1000, "batches: 3"), usual(), None, NOON)
    share = next(m for m in measured if m.metric == "duplicate_share")
    assert (share.verdict, share.value, share.n) == (Verdict.INSUFFICIENT, None, 1000)
    assert "streamed" in share.reason


@given(events=st.integers(0, 500), more=st.integers(0, 5000))
def test_the_interval_of_a_share_is_scipys(events: int, more: int) -> None:
    expected = stats.binomtest(events, events + more + 1).proportion_ci()
    assert intervals.share_interval(events, events + more + 1) == pytest.approx(
        (expected.low, expected.high), abs=1e-12
    )


@given(events=st.integers(0, 100_000))
def test_the_interval_of_a_count_is_garwoods(events: int) -> None:
    low = stats.chi2.ppf(0.025, 2 * events) / 2 if events else 0.0
    expected = (low, stats.chi2.ppf(0.975, 2 * events + 2) / 2)
    assert intervals.count_interval(events) == pytest.approx(expected, rel=1e-9)
