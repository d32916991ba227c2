"""What a day is compared with: the other days, its weekday, a trend."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st

from monitors.drift import references
from monitors.drift.references import ReferenceKind

START = date(2026, 1, 1)
CELLS = np.arange(4)


def days(n):
    return [START + timedelta(days=i) for i in range(n)]


def drawn(n, shape=lambda day, i: [0.4, 0.3, 0.2, 0.1], rows=5000, seed=1):
    rng = np.random.default_rng(seed)
    return np.array([rng.multinomial(rng.integers(rows // 2, rows), shape(day, i)) for i, day in enumerate(days(n))])


def weekly(day, _):
    return [0.1, 0.3, 0.2, 0.4] if day.weekday() >= 5 else [0.4, 0.3, 0.2, 0.1]


def growing(_, i):
    return [0.4 - 0.004 * i, 0.3, 0.2, 0.1 + 0.004 * i]


@given(st.integers(2, 40), st.integers(0, 2**32 - 1))
def test_the_level_is_the_sum_of_the_days_and_leaving_a_day_out_is_subtracting_it(n, seed):
    counts = drawn(n, seed=seed)
    assert (
        references.fit_reference(ReferenceKind.LEVEL, days(n), counts).on(START, counts[0], CELLS).tolist()
        == counts.sum(0).tolist()
    )
    shares, rows = references.leave_one_out_shares(ReferenceKind.LEVEL, days(n), counts)
    others = counts.sum(0) - counts
    assert shares == pytest.approx(others / others.sum(axis=1, keepdims=True))
    assert rows == pytest.approx(others.sum(axis=1))


def test_a_weekday_is_the_sum_of_its_days():
    counts, dates = drawn(56, weekly), days(56)
    fitted = references.fit_reference(ReferenceKind.WEEKDAY, dates, counts)
    sunday = date(2026, 3, 8)
    mine = [counts[i] for i, day in enumerate(dates) if day.weekday() == 6]
    assert fitted.on(sunday, mine[0], CELLS).tolist() == np.sum(mine, axis=0).tolist()
    shares, rows = references.leave_one_out_shares(ReferenceKind.WEEKDAY, dates, counts)
    first = next(i for i, day in enumerate(dates) if day.weekday() == 6)
    others = np.sum(mine[1:], axis=0)
    assert shares[first] == pytest.approx(others / others.sum())
    assert rows[first] == pytest.approx(others.sum())


@pytest.mark.parametrize(
    ("shape", "kind"),
    [
        (lambda *_: [0.4, 0.3, 0.2, 0.1], ReferenceKind.LEVEL),
        (weekly, ReferenceKind.WEEKDAY),
        (growing, ReferenceKind.TREND),
    ],
)
def test_the_kind_that_fits_is_chosen(shape, kind):
    for seed in range(10):
        assert references.choose_reference_kind(days(56), drawn(56, shape, seed=seed)) is kind


def test_weekdays_need_four_weeks_and_a_trend_four_weeks_too():
    assert references.choose_reference_kind(days(27), drawn(27, weekly)) is ReferenceKind.LEVEL
    assert references.choose_reference_kind(days(27), drawn(27, growing)) is ReferenceKind.LEVEL
    assert not references.is_kind_usable(ReferenceKind.WEEKDAY, [day for day in days(90) if day.weekday() < 5])


def test_a_trend_is_statsmodels_weighted_least_squares_and_each_day_left_out_is_a_fit_without_it():
    counts, dates = drawn(40, growing), days(40)
    terms = sm.add_constant((np.arange(40) / 39 - 0.5)[:, None])
    rows = counts.sum(axis=1)
    shares, _ = references.leave_one_out_shares(ReferenceKind.TREND, dates, counts)
    for left in (0, 17, 39):
        kept = np.arange(40) != left
        for cell in range(4):
            fit = sm.WLS(counts[kept, cell] / rows[kept], terms[kept], weights=rows[kept]).fit()
            assert shares[left, cell] == pytest.approx(fit.predict(terms[left : left + 1])[0], abs=1e-9)


@pytest.mark.parametrize("reached", [40, 56, 80])
def test_a_trend_may_have_ended_or_go_on(reached):
    """The nearest of the ways that the trend may have gone is what a day is compared with."""
    fitted = references.fit_reference(ReferenceKind.TREND, days(56), drawn(56, growing, rows=100_000))
    wanted = np.array(growing(None, reached))
    found = fitted.on(START + timedelta(days=80), np.rint(wanted * 1e6).astype(int), CELLS)
    assert found / found.sum() == pytest.approx(wanted, abs=0.02)


def test_what_a_trend_doesnt_explain_stays_where_it_was():
    fitted = references.fit_reference(ReferenceKind.TREND, days(56), drawn(56, growing, rows=100_000))
    back = fitted.on(START + timedelta(days=80), np.array([700_000, 300_000, 0, 0]), CELLS)
    assert back[0] / back.sum() < 0.31


def filling_until(full):
    return lambda day, i: growing(day, 80 * min(1, i / full))


@pytest.mark.parametrize(("full", "left_out"), [(25, 31), (36, 38), (43, 45)])
def test_a_column_that_filled_is_judged_by_the_weeks_on_which_it_stands_still(full, left_out):
    counts = drawn(59, filling_until(full), rows=20_000)
    kind = references.choose_reference_kind(days(59), counts)
    assert kind is ReferenceKind.TREND
    assert references.days_before_settling(kind, days(59), counts) == left_out


@pytest.mark.parametrize("shape", [growing, filling_until(55), weekly, lambda *_: [0.4, 0.3, 0.2, 0.1]])
def test_what_still_moves_and_what_never_did_keeps_all_of_its_days(shape):
    for seed in range(10):
        counts = drawn(40 if shape is growing else 59, shape, rows=20_000, seed=seed)
        n = len(counts)
        assert references.days_before_settling(references.choose_reference_kind(days(n), counts), days(n), counts) == 0
