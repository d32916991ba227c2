from __future__ import annotations

from datetime import date, timedelta

import pytest

from ledger.records.measurements import Measurement, Verdict
from models.spec import Spec
from monitors.coverage import GAP_KINDS, RECENT_DAYS, find_gaps

DAY = date(2026, 3, 31)
DAYS = [DAY - timedelta(days=n) for n in range(40)]


def spec(**changes: object) -> Spec:
    content: dict[str, object] = {
        "model": "card",
        "features": {"table": "t", "columns": {"amount_gbp": {"kind": "number", "importance": 0.4}}},
        "score": {"threshold": 0.8},
        "labels": {"table": "labels"},
        "protected": {"age_band": {"reference": "30-59"}},
        "baseline": {"from": date(2026, 1, 1), "to": date(2026, 1, 31)},
    }
    return Spec.model_validate(content | changes)


def figure(verdict: Verdict, **more: str) -> Measurement:
    usual = {"monitor": "decay", "metric": "recall", "reason": "12 frauds known,\n30 needed"} | more
    return Measurement("card", DAY, DAY, verdict=verdict, **usual)  # type: ignore[arg-type]  # a test's shorthand


def found(model: Spec, columns: tuple[str, ...] = (), watched: list[date] = DAYS, *figures: Measurement) -> list:
    return [(gap.kind, gap.what) for gap in find_gaps(model, columns, watched, figures)]


def test_a_model_that_is_wholly_watched_has_no_gaps() -> None:
    columns = ("payment_id", "day", "score", "amount_gbp", "age_band")
    assert found(spec(), columns, DAYS, figure(Verdict.OK), figure(Verdict.BREACH)) == []


@pytest.mark.parametrize(
    ("changes", "gap"),
    [
        ({"labels": None}, ("labels", "Card")),
        ({"score": {}}, ("score", "score")),
        ({"protected": {}}, ("fairness", "Card")),
        ({"features": {"table": "t", "columns": {"age": {"kind": "number"}}}}, ("feature", "age")),
    ],
)
def test_what_the_model_file_leaves_out_is_named(changes: dict[str, object], gap: tuple[str, str]) -> None:
    assert found(spec(**changes)) == [gap]


def test_a_column_that_nobody_listed_is_named_unless_every_column_is_watched() -> None:
    assert found(spec(), ("amount_gbp", "device_id")) == [("feature", "device_id")]
    assert found(spec(features={"table": "t"}), ("amount_gbp", "device_id")) == []


def test_days_that_were_skipped_lately_are_named() -> None:
    skipped = DAY - timedelta(days=3)
    old = DAY - timedelta(days=RECENT_DAYS + 3)
    assert found(spec(), (), [day for day in DAYS if day not in (skipped, old)]) == [("day", str(skipped))]
    assert found(spec(), (), []) == [("never watched", "Card")]


@pytest.mark.parametrize(
    ("measured", "gap"),
    [
        (figure(Verdict.IMMATURE), ("figure", "decay recall")),
        (figure(Verdict.ERRORED, monitor="check", feature="amount_gbp"), ("figure", "check recall, amount_gbp")),
        (figure(Verdict.INSUFFICIENT, slice="age_band=60+"), ("group", "age_band=60+")),
    ],
)
def test_a_figure_without_a_verdict_is_a_gap_told_once(measured: Measurement, gap: tuple[str, str]) -> None:
    (only,) = find_gaps(spec(), (), DAYS, [measured, measured])
    assert (only.kind, only.what) == gap
    assert only.why == f"{measured.verdict}: 12 frauds known, 30 needed"
    assert only.kind in GAP_KINDS


def test_a_young_cohort_is_no_gap() -> None:
    assert find_gaps(spec(), (), DAYS, [figure(Verdict.IMMATURE, monitor="performance")]) == []
