from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from ledger.records.retraining import BaselineChange
from ledger.records.runs import LabelSnapshot
from ledger.store import Ledger
from profiles.profile import Cohort
from tests.ledger.made import DAY, MODEL, SPEC, cohort, days, frame, profile

FIRST, SECOND, THIRD = days(3)


def test_the_frame_saved_last_is_the_models(ledger: Ledger) -> None:
    assert ledger.profile_schema(MODEL) is None
    for schema_id in ("f1", "f2", "f2"):
        ledger.save_profile_schema(MODEL, frame(schema_id))
        ledger.save_profile_schema("app_scams", frame("other"))
    assert ledger.profile_schema(MODEL) == frame("f2")
    ledger.save_profile_schema(MODEL, frame("f1"))
    assert ledger.profile_schema(MODEL) == frame("f1")


def test_the_baseline_is_the_model_files_until_another_is_recorded(ledger: Ledger) -> None:
    assert ledger.baseline(SPEC) == BaselineChange(
        MODEL, date(2026, 1, 1), date(2026, 1, 1), date(2026, 1, 31), "model file"
    )
    recorded = BaselineChange(MODEL, DAY, date(2026, 2, 1), date(2026, 2, 28), "challenger promoted")
    ledger.save_baseline(recorded)
    ledger.save_baseline(recorded)
    assert ledger.baseline(SPEC) == recorded == ledger.baseline(SPEC, as_of=DAY)
    assert ledger.baseline(SPEC, as_of=DAY - timedelta(days=1)).reason == "model file"


def test_profiles_come_back_by_span_and_frame_in_order_and_a_new_scan_replaces(ledger: Ledger) -> None:
    ledger.save_profiles(MODEL, {day: profile(100 + i) for i, day in enumerate(reversed(days(5)))})
    ledger.save_profiles(MODEL, {FIRST: profile(9_999, "f2")})
    ledger.save_profiles("app_scams", {SECOND: profile(1)})
    ledger.save_profiles(MODEL, {SECOND: profile(500)})
    found = ledger.profiles(MODEL, "f1", FIRST, THIRD)
    assert list(found.items()) == [(FIRST, profile(104)), (SECOND, profile(500)), (THIRD, profile(102))]
    assert list(ledger.row_counts(MODEL, "f1", FIRST, THIRD).items()) == [(FIRST, 104), (SECOND, 500), (THIRD, 102)]
    assert ledger.profiles(MODEL, "f2", FIRST, THIRD) == {FIRST: profile(9_999, "f2")}


def test_only_cohorts_of_which_more_is_known_are_stored(ledger: Ledger) -> None:
    first = ledger.save_cohorts(MODEL, "f1", FIRST, {FIRST: cohort(3), SECOND: Cohort()})
    second = ledger.save_cohorts(MODEL, "f1", SECOND, {FIRST: cohort(3), SECOND: cohort(1)})
    third = ledger.save_cohorts(MODEL, "f1", THIRD, {FIRST: cohort(4), SECOND: cohort(1)})
    assert (first, second, third) == ({FIRST}, {SECOND}, {FIRST})
    span = (MODEL, "f1", FIRST, THIRD)
    assert ledger.cohorts(*span, as_of=FIRST) == {FIRST: cohort(3)}
    assert ledger.cohorts(*span, as_of=SECOND) == {FIRST: cohort(3), SECOND: cohort(1)}
    assert list(ledger.cohorts(*span, as_of=DAY + timedelta(days=99)).items()) == [
        (FIRST, cohort(4)),
        (SECOND, cohort(1)),
    ]
    assert ledger.cohorts(MODEL, "f2", FIRST, THIRD, as_of=THIRD) == {}
    assert ledger.cohorts(MODEL, "f1", SECOND, THIRD, as_of=THIRD) == {SECOND: cohort(1)}


def test_cohorts_as_of_a_day_are_replaced_by_a_second_run_of_it_which_says_the_same_days(ledger: Ledger) -> None:
    ledger.save_cohorts(MODEL, "f1", FIRST, {FIRST: cohort(3)})
    known = {FIRST: cohort(3), SECOND: cohort(1)}
    runs = [ledger.save_cohorts(MODEL, "f1", SECOND, known) for _ in range(2)]
    assert runs == [{SECOND}, {SECOND}]
    ledger.save_cohorts(MODEL, "f1", SECOND, {FIRST: cohort(5), SECOND: Cohort()})
    assert ledger.cohorts(MODEL, "f1", FIRST, THIRD, as_of=THIRD) == {FIRST: cohort(5)}
    ledger.save_cohorts(MODEL, "f1", SECOND, {})
    assert ledger.cohorts(MODEL, "f1", FIRST, THIRD, as_of=THIRD) == {FIRST: cohort(3)}


def test_labels_taken_back_are_a_change(ledger: Ledger) -> None:
    ledger.save_cohorts(MODEL, "f1", FIRST, {FIRST: cohort(3)})
    assert ledger.save_cohorts(MODEL, "f1", SECOND, {FIRST: Cohort()}) == {FIRST}
    assert ledger.cohorts(MODEL, "f1", FIRST, FIRST, as_of=SECOND) == {FIRST: Cohort()}


def taken(as_of: date, **changes: object) -> LabelSnapshot:
    usual = LabelSnapshot(MODEL, "f1", as_of, "r1", "2 events, a7", {FIRST: "v1", SECOND: "v2"})
    return replace(usual, **changes)  # type: ignore[arg-type]  # fields by name, of many types


def test_what_was_taken_in_is_found_by_the_newest_day_before(ledger: Ledger) -> None:
    for record in (taken(SECOND), taken(FIRST), taken(FIRST, events="3 events, b8"), taken(SECOND, frame="f2")):
        ledger.save_label_snapshot(record)
    assert ledger.label_snapshot(MODEL, "f1", FIRST) is None
    assert ledger.label_snapshot(MODEL, "f1", SECOND) == taken(FIRST, events="3 events, b8")
    assert (
        ledger.label_snapshot(MODEL, "f1", THIRD)
        == taken(SECOND)
        == ledger.label_snapshot(MODEL, "f1", date(2027, 1, 1))
    )
    assert ledger.label_snapshot("app_scams", "f1", THIRD) is None


def test_cohorts_saved_otherwise_than_before_take_the_ground_from_later_days(ledger: Ledger) -> None:
    ledger.save_cohorts(MODEL, "f1", FIRST, {FIRST: cohort(3)})
    for record in (taken(FIRST), taken(SECOND), taken(SECOND, frame="f2"), taken(SECOND, model="app_scams")):
        ledger.save_label_snapshot(record)
    ledger.save_cohorts(MODEL, "f1", FIRST, {FIRST: cohort(3), SECOND: Cohort()})
    assert ledger.label_snapshot(MODEL, "f1", THIRD) == taken(SECOND)
    ledger.save_cohorts(MODEL, "f1", FIRST, {FIRST: cohort(4)})
    assert ledger.label_snapshot(MODEL, "f1", THIRD) == taken(FIRST)
    ledger.save_cohorts(MODEL, "f1", SECOND, {FIRST: cohort(5)})
    assert ledger.label_snapshot(MODEL, "f1", THIRD) is None, (
        "what is saved as of the second day was built on another first"
    )
    assert ledger.label_snapshot(MODEL, "f2", THIRD) == taken(SECOND, frame="f2")
    assert ledger.label_snapshot("app_scams", "f1", THIRD) == taken(SECOND, model="app_scams")
