"""Figures read with their unit and no more digits than they deserve."""

from __future__ import annotations

import math
from datetime import date

import pytest

from ledger.records.measurements import Verdict
from reports.wording import formatting, naming


def plain(text: str) -> str:
    return text.replace(formatting.SPACE, " ").replace(formatting.MINUS, "-")


@pytest.mark.parametrize(
    ("metric", "value", "said"),
    [
        ("null_share", 0.0123456, "1.2 %"),
        ("null_share", 0.0, "0 %"),
        ("null_share", 0.00002, "<0.01 %"),
        ("null_share", 0.0042, "0.42 %"),
        ("recall", 0.8123, "81 %"),
        ("recall", 0.998, "99.8 %"),
        ("recall", 1.0, "100 %"),
        ("psi", 0.21349, "0.213"),
        ("fraud_share", 0.031, "3.1 %"),
        ("recall_estimate_error", 0.012, "1.2 %"),
        ("roc_auc_estimate_error", 0.0121, "0.012"),
        ("psi", None, "–"),
        ("psi", math.nan, "–"),
        ("row_count", 19204.0, "19,204"),
        ("lost_gbp_per_day", 41_230, "GBP 41k"),
        ("lost_gbp_per_day", 1_234_000, "GBP 1.2m"),
        ("lost_gbp_per_day", 999_600, "GBP 1.0m"),
        ("lost_gbp_per_day", 850.4, "GBP 850"),
        ("lost_gbp_per_day", -2_500, "-GBP 2.5k"),
        ("arrival_delay_minutes", 310, "5 h 10 min"),
        ("arrival_delay_minutes", -38, "-38 min"),
        ("arrival_delay_minutes", 0, "0 min"),
        ("false_positive_rate_ratio", 2.61, "2.61 ×"),
        ("recall_difference", -0.031, "-3.1 points"),
        ("mature_until", 14, "14 days"),
        ("false_positive_ratio", 12.34, "12.3"),
        ("card_precision", 0.287, "29 %"),
        ("least_cost_gbp_per_day", 4_120, "GBP 4.1k"),
        ("expect_column_mean_to_be_between", 48.2571, "48.26"),
    ],
)
def test_a_figure_has_its_unit_and_sensible_digits(metric: str, value: float | None, said: str) -> None:
    assert plain(formatting.format_figure(metric, value)) == said


def test_an_interval_says_its_unit_once() -> None:
    assert plain(formatting.format_interval("recall", 0.77, 0.85)) == "77 to 85 %"
    assert plain(formatting.format_interval("lost_gbp_per_day", 28_100, 55_400)) == "GBP 28k to 55k"
    assert plain(formatting.format_interval("psi", 0.1, 0.2)) == "0.100 to 0.200"


@pytest.mark.parametrize(("low", "high"), [(None, 0.2), (0.1, None), (0.1, math.inf)])
def test_an_open_interval_is_not_shown(low: float | None, high: float | None) -> None:
    assert formatting.format_interval("psi", low, high) == ""


def test_every_verdict_has_words_and_its_own_shape() -> None:
    assert set(naming.VERDICTS) == set(Verdict)
    assert len({worded.mark for worded in naming.VERDICTS.values()}) == len(Verdict)


def test_days_read_as_people_say_them() -> None:
    assert formatting.format_day(date(2026, 3, 3)) == "Tue 3 Mar 2026"
    assert formatting.format_short_day(date(2026, 3, 3)) == "Tue 3 Mar"


def test_a_fairness_metric_reads_as_a_comparison_with_the_reference() -> None:
    assert naming.metric_title("false_positive_rate_ratio") == "False-positive rate, ratio to the reference group"


def test_the_error_of_estimates_is_named_after_its_metric() -> None:
    assert naming.metric_title("recall_estimate_error") == "Recall, mean error of its estimates"
