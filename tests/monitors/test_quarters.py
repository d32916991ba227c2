"""Quarters played day by day: quiet ones page nobody, and what matters is caught in time.

``python -m benchmarks.quarters`` plays 200 quiet quarters and prints the pages of each; here are a few.
"""

from __future__ import annotations

import pytest

from benchmarks.quarters.play import CHANGES, caught, quiet

SEED = 7000
IN_TIME_DAYS = {"0.3 sd over 14 days": 14}


@pytest.mark.parametrize("rows", [2000, 50_000])
def test_a_quiet_quarter_pages_nobody(rows):
    """Weekdays, growth, a window that fills, days that stray, flags constant in a day, 20,000 shops, a busy payday."""
    assert quiet(SEED, rows).pages == []


@pytest.mark.parametrize("rows", [2000, 50_000])
@pytest.mark.parametrize("name", CHANGES)
def test_what_matters_is_caught_in_three_days_and_its_column_named(name, rows):
    most_days = IN_TIME_DAYS.get(name, 3)
    found = caught(name, SEED, rows, most_days)
    assert found is not None
