from __future__ import annotations

from dataclasses import replace

import pytest

from ledger.records.measurements import Measurement, Verdict
from monitors.performance.restated import RestatedFigure, is_restatable, restate_figure
from tests.monitors import scored

JUDGED = Measurement(
    "card", scored.START, scored.START, "decay", "recall", "", "", 0.62, low=0.57, high=0.67, n=380, limit=0.7,
    verdict=Verdict.BREACH, reason="62 % of frauds caught in the week to 18 Feb.",
)  # fmt: skip
NOW = replace(JUDGED, value=0.71, low=0.66, high=0.76, n=412, verdict=Verdict.OK, reason="71 % in the week to 18 Feb.")


def found(metric: str = "recall", was: float = 0.62, limit: float = 0.7, value: float = 0.71) -> RestatedFigure:
    judged = replace(JUDGED, metric=metric, value=was, limit=limit)
    made = restate_figure(scored.spec(), judged, judged, replace(NOW, metric=metric, value=value))
    assert made is not None
    return made


def test_it_keeps_what_was_and_what_is() -> None:
    one = found()
    assert (one.was, one.n_was, one.value, one.low, one.high, one.n) == (0.62, 380, 0.71, 0.66, 0.76, 412)
    assert (one.limit, one.minimum_effect, one.reason) == (0.7, 0.1, "71 % in the week to 18 Feb.")


@pytest.mark.parametrize(
    ("again", "now"),
    [
        (None, NOW),
        (replace(JUDGED, value=None), NOW),
        (replace(JUDGED, n=381), NOW),
        (replace(JUDGED, value=0.63), NOW),
        (JUDGED, None),
        (JUDGED, replace(NOW, value=None)),
        (JUDGED, replace(NOW, low=None)),
    ],
)
def test_what_cannot_be_had_again_is_not_restated(again: Measurement | None, now: Measurement | None) -> None:
    assert restate_figure(scored.spec(), JUDGED, again, now) is None


def test_what_was_judged_without_a_limit_is_not_restated() -> None:
    bare = replace(JUDGED, limit=None)
    assert restate_figure(scored.spec(), bare, bare, NOW) is None


@pytest.mark.parametrize(
    ("metric", "was", "limit", "value", "last_told", "telling"),
    [
        ("recall", 0.62, 0.7, 0.62, None, False),
        ("recall", 0.62, 0.7, 0.66, None, False),
        ("recall", 0.62, 0.7, 0.67, None, True),  # half of what matters
        ("recall", 0.62, 0.7, 0.57, None, True),
        ("recall", 0.62, 0.7, 0.71, 0.69, True),  # on the other side of its limit
        ("recall", 0.62, 0.7, 0.71, 0.70, False),
        ("false_positive_rate", 0.030, 0.021, 0.027, None, False),
        ("false_positive_rate", 0.030, 0.021, 0.024, None, True),  # by a factor of root 1.5
        ("false_positive_rate", 0.030, 0.021, 0.0205, 0.0215, True),
        ("false_positive_rate", 0.030, 0.021, 0.0, 0.02, True),
        ("calibration_error", 0.05, 0.03, 0.045, None, False),
        ("calibration_error", 0.05, 0.03, 0.04, None, True),
        ("false_positive_rate_ratio", 0.70, 0.8, 0.75, None, False),
        ("false_positive_rate_ratio", 0.70, 0.8, 0.79, None, True),
        ("false_positive_rate_ratio", 1.30, 1.25, 1.26, None, False),
        ("false_positive_rate_ratio", 1.30, 1.25, 1.24, None, True),
    ],
)
def test_it_is_told_once_it_moved_by_what_matters_or_changed_sides(
    metric: str, was: float, limit: float, value: float, last_told: float | None, telling: bool
) -> None:
    assert found(metric, was, limit, value).worth_notifying(last_told) is telling


@pytest.mark.parametrize(
    ("figure", "may"),
    [
        ("decay/recall//", True),
        ("decay/precision//", True),
        ("decay/alert_rate//", False),
        ("fairness/true_positive_rate_ratio//sex=F", True),
        ("fairness/selection_rate_ratio//sex=F", False),
        ("score/psi/score/", False),
        ("estimate/recall//", False),
    ],
)
def test_what_rests_on_labels_may_be_restated(figure: str, may: bool) -> None:
    assert is_restatable(figure) is may
