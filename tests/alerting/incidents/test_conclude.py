from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

import catalogue
from alerting.incidents import evidence_kinds
from catalogue import Evidence, causes
from ledger.records.incidents import Incident, Status
from ledger.records.measurements import Measurement, Verdict
from monitors.performance import decay
from monitors.performance.maturity import learn_delay_curve
from tests.alerting import made
from tests.alerting.made import ARRIVED, FIRST, NO_PARTITION, m, ok, timeline, with_verdict
from tests.monitors import scored

BAD, CLEAN = "bad", "clean"


def days_of(word: str, evidence: Measurement) -> list[Measurement]:
    """Turn a word of a timeline into a day's measurements."""
    if word == BAD:
        return [*ARRIVED, evidence]
    if word == CLEAN:
        return [*ARRIVED, *ok(evidence)]
    if word == "no data":
        return NO_PARTITION
    if word == "nothing measured":
        return []
    return [*ARRIVED, *with_verdict(Verdict(word), evidence)]


def lives(words: str, evidence: Measurement) -> list[str]:
    """Return the state of the evidence's incident at the end of each day of a timeline."""
    days = [days_of(word.strip(), evidence) for word in words.split(",")]
    wanted = timeline([days[0]])[0][0].cause
    result = []
    for incidents in timeline(days):
        states = [incident.status for incident in incidents if incident.cause == wanted]
        result.append(str(states[0]) if states else "-")
    return result


SOFT = [made.AMOUNT_DRIFT, made.SCORE_DRIFT, made.RECALL, made.GAP]


@pytest.mark.parametrize("evidence", SOFT)
@pytest.mark.parametrize(
    ("words", "states"),
    [
        ("bad, bad", "pending firing"),
        ("bad, clean, clean", "pending pending withdrawn"),
        ("bad, clean, bad, bad", "pending pending firing firing"),
        ("bad, clean, clean, bad, bad", "pending pending withdrawn pending firing"),
        ("bad, clean, no data, bad", "pending pending pending firing"),
        ("bad, no data, bad", "pending pending firing"),
        ("bad, insufficient, bad", "pending pending firing"),
        ("bad, bad, clean, clean", "pending firing firing resolved"),
        ("bad, bad, clean, bad, clean, clean", "pending firing firing firing firing resolved"),
        ("bad, bad, clean, no data, clean", "pending firing firing firing resolved"),
        ("bad, bad, no data, no data, no data", "pending firing firing firing firing"),
        ("bad, bad, nothing measured, nothing measured", "pending firing firing firing"),
        ("bad, bad, missing, errored, immature, insufficient", "pending firing firing firing firing firing"),
        ("bad, bad, clean, clean, clean", "pending firing firing resolved -"),
        ("bad, bad, clean, clean, bad", "pending firing firing resolved pending"),
    ],
)
def test_what_may_be_chance_waits_and_is_never_resolved_on_no_data(
    evidence: Measurement, words: str, states: str
) -> None:
    assert lives(words, evidence) == states.split()


@pytest.mark.parametrize(
    "evidence", [made.NULL_FLOOD, made.UNIT_ERROR, made.DUPLICATES, made.FEW_ROWS, made.NULL_CHECK]
)
@pytest.mark.parametrize(
    ("words", "states"),
    [
        ("bad, clean, clean", "firing firing resolved"),
        ("bad, bad, clean, clean", "firing firing firing resolved"),
        ("bad, no data, no data", "firing firing firing"),
        ("bad, clean, bad, clean, clean", "firing firing firing firing resolved"),
        ("bad, insufficient, insufficient", "firing firing firing"),
    ],
)
def test_a_data_fault_fires_at_once(evidence: Measurement, words: str, states: str) -> None:
    assert lives(words, evidence) == states.split()


def of(cause: str, days: Sequence[Sequence[Incident]]) -> list[Incident]:
    return [incident for day in days for incident in day if incident.cause == cause]


def test_a_missing_partition_is_resolved_by_the_next_one_that_comes_in_time() -> None:
    found = of(causes.MISSING_PARTITION, timeline([NO_PARTITION, NO_PARTITION, ARRIVED]))
    assert [i.status for i in found] == [Status.FIRING, Status.FIRING, Status.RESOLVED]
    assert (found[-1].bad_days, found[-1].resolved) == (2, FIRST + timedelta(days=2))


def test_a_late_partition_does_not_resolve_a_missing_one_and_the_next_in_time_resolves_both() -> None:
    days = timeline([NO_PARTITION, made.LATE, ARRIVED])
    assert [(i.cause, i.status) for i in days[1]] == [
        (causes.MISSING_PARTITION, Status.FIRING),
        (causes.LATE_PARTITION, Status.FIRING),
    ]
    assert {i.status for i in days[2]} == {Status.RESOLVED}


def test_a_partition_of_unknown_history_is_there_all_the_same() -> None:
    first_days = [replace(ARRIVED[0], verdict=Verdict.INSUFFICIENT), ARRIVED[1]]
    assert timeline([NO_PARTITION, first_days])[1][0].status is Status.RESOLVED


def test_an_errored_check_is_resolved_when_it_runs_again_whatever_it_finds() -> None:
    errored = timeline([[*ARRIVED, made.ERRORED], ARRIVED, ok(made.ERRORED), ok(made.ERRORED)])
    assert [day[0].status for day in errored] == [Status.FIRING, Status.FIRING, Status.FIRING, Status.RESOLVED]


FLOODED, MENDED = [*ARRIVED, made.NULL_FLOOD], [*ARRIVED, *ok(made.NULL_FLOOD)]


@pytest.mark.parametrize(("quiet_days", "same"), [(1, True), (7, True), (8, False)])
def test_what_comes_back_within_a_week_of_its_end_is_the_same_incident_reopened(quiet_days: int, same: bool) -> None:
    days = timeline([FLOODED, MENDED, MENDED, *[MENDED] * (quiet_days - 1), FLOODED])
    (first,), (last,) = days[0], days[-1]
    assert (last.id == first.id, last.status, last.resolved) == (same, Status.FIRING, None)
    assert (last.opened == first.opened, last.bad_days, last.reopened) == (
        (True, 2, last.concluded) if same else (False, 1, None)
    )


def test_what_may_be_chance_must_hold_again_before_it_is_reopened_and_else_stays_resolved() -> None:
    bad, clean = [*ARRIVED, made.RECALL], [*ARRIVED, *ok(made.RECALL)]
    days = timeline([bad, bad, clean, clean, bad, clean, clean, bad, bad])
    assert [str(i.status) for (i,) in days] == [
        *("pending", "firing", "firing", "resolved", "pending", "pending", "resolved", "pending", "firing"),
    ]
    assert len({i.id for (i,) in days}) == 1
    assert days[-1][0].fired == FIRST + timedelta(days=1)


def test_a_model_file_can_ask_for_a_new_incident_each_time() -> None:
    never = made.spec(alerts={"reopen_days": 0})
    days = timeline([FLOODED, MENDED, MENDED, FLOODED], never)
    assert days[0][0].id != days[3][0].id
    assert days[3][0].opened == FIRST + timedelta(days=3)


def test_what_was_withdrawn_was_told_to_nobody_and_is_not_reopened() -> None:
    bad, clean = [*ARRIVED, made.RECALL], [*ARRIVED, *ok(made.RECALL)]
    days = timeline([bad, clean, clean, bad])
    assert days[0][0].id != days[3][0].id


def test_an_incident_keeps_its_id_its_first_day_and_its_figures_over_a_clean_day() -> None:
    days = timeline([[*ARRIVED, made.NULL_FLOOD], [*ARRIVED, *ok(made.NULL_FLOOD)]])
    first, second = days[0][0], days[1][0]
    assert replace(second, concluded=first.concluded, clean_days=0) == first


def test_further_figures_of_an_open_incident_open_no_second() -> None:
    days = timeline([[made.RECALL], [made.RECALL, made.PR_AUC, made.FALSE_POSITIVES], [made.PR_AUC, made.ALERT_RATE]])
    assert [[i.cause for i in day] for day in days] == [[causes.PERFORMANCE_DECAY]] * 3
    assert len({i.id for day in days for i in day}) == 1


def test_a_figure_that_improved_does_not_resolve_while_another_is_still_bad() -> None:
    bad = [*ARRIVED, made.RECALL, made.PR_AUC]
    better = [*ARRIVED, *ok(made.RECALL), made.PR_AUC]
    assert [day[0].status for day in timeline([bad, bad, better, better, better])][-1] is Status.FIRING


def test_a_check_that_was_taken_out_of_the_model_file_resolves_with_the_others() -> None:
    other = ok(made.UNIQUE)
    days = timeline([[*ARRIVED, made.NULL_CHECK, *other], [*ARRIVED, *other], [*ARRIVED, *other]])
    assert days[-1][0].status is Status.RESOLVED


def test_a_live_fault_keeps_its_columns_drift_quiet_on_a_day_without_hard_evidence() -> None:
    days = timeline([[made.NULL_FLOOD], [*ARRIVED, *ok(made.NULL_FLOOD), made.DEVICE_DRIFT, made.SCORE_DRIFT]])
    assert [i.cause for i in days[1]] == [causes.COLUMN_FAULT]


def mature(age_days: int) -> Measurement:
    """Return the age from which cohorts' frauds are known: recall pools the seven days up to it."""
    return m("decay", "frauds_mature_until", value=float(age_days), n=age_days, verdict=Verdict.OK)


def test_cohorts_scored_during_a_data_fault_are_no_decay_when_their_labels_come() -> None:
    clean = [*ARRIVED, *ok(made.UNIT_ERROR)]
    fault = [[*ARRIVED, made.UNIT_ERROR]] * 3
    decayed = [[*clean, made.RECALL, mature(age_days)] for age_days in (1, 2)]
    within = [*fault, *[clean] * 4, *decayed]
    beside = [*fault, *[clean] * 7, *decayed]
    assert of(causes.PERFORMANCE_DECAY, timeline(within)) == []
    assert of(causes.PERFORMANCE_DECAY, timeline(beside)) != []


def test_decay_that_was_there_before_a_data_fault_stays() -> None:
    decayed = [*ARRIVED, made.RECALL, mature(5)]
    covered = [*ARRIVED, made.RECALL, mature(1), *ok(made.UNIT_ERROR)]
    days = timeline([decayed, decayed, *[[*decayed, made.UNIT_ERROR]] * 3, *[covered] * 3])
    decay = of(causes.PERFORMANCE_DECAY, days)
    assert len({i.id for i in decay}) == 1
    assert (decay[-1].status, decay[-1].bad_days) == (Status.FIRING, 8)


def test_the_alert_rate_of_a_week_with_a_broken_day_in_it_is_explained() -> None:
    clean = [*ARRIVED, *ok(made.UNIT_ERROR)]
    rate = [*clean, made.ALERT_RATE]
    assert of(causes.SCORE_SHIFT, timeline([[*ARRIVED, made.UNIT_ERROR], clean, clean, rate, rate])) == []


def test_a_gap_that_opened_before_a_shift_keeps_its_alert_rates_as_evidence() -> None:
    days = timeline([[made.SELECTION], [made.SELECTION], *[[made.SELECTION, made.AMOUNT_DRIFT]] * 3])
    gap = of(causes.FAIRNESS_GAP, days)[-1]
    assert (gap.status, gap.bad_days) == (Status.FIRING, 5)


def test_days_to_wait_are_the_model_files() -> None:
    patient = made.spec(alerts={"pending_days": 3, "resolve_days": 1})  # three of three
    bad, clean = [*ARRIVED, made.RECALL], [*ARRIVED, *ok(made.RECALL)]
    states = [day[0].status for day in timeline([bad, bad, bad, clean], patient)]
    assert states == [Status.PENDING, Status.PENDING, Status.FIRING, Status.RESOLVED]


def test_three_of_five_days_is_a_rule_too() -> None:
    rule = made.spec(alerts={"pending_days": 3, "pending_window_days": 5})
    bad, clean = [*ARRIVED, made.RECALL], [*ARRIVED, *ok(made.RECALL)]
    assert [day[0].status for day in timeline([bad, clean, bad, clean, bad], rule)][-1] is Status.FIRING
    assert [day[0].status for day in timeline([bad, clean, bad, clean, clean], rule)][-1] is Status.WITHDRAWN


def test_a_psi_far_beyond_its_limit_waits_for_no_second_day_and_a_single_clean_day_does_not_end_it() -> None:
    far = replace(made.AMOUNT_DRIFT, value=0.5, low=0.45, high=0.55)
    assert lives("bad, clean, clean", far) == ["firing", "firing", "resolved"]


def test_false_alarms_that_labels_show_weeks_after_a_score_shift_are_no_second_incident() -> None:
    shifted = [*ARRIVED, made.ALERT_RATE]
    days = timeline([shifted, shifted, *[[*shifted, made.FALSE_POSITIVES]] * 2])
    assert [[i.cause for i in day] for day in days] == [[causes.SCORE_SHIFT]] * 4
    assert days[-1][0].explains == 1
    recall_too = timeline([shifted, shifted, *[[*shifted, made.FALSE_POSITIVES, made.RECALL]] * 2])
    assert [i.cause for i in recall_too[-1]] == [causes.SCORE_SHIFT, causes.PERFORMANCE_DECAY]


def test_the_cohorts_behind_a_figure_are_those_that_the_decay_monitor_pools() -> None:
    payments = scored.bank(60, seed=3, rows=2000, recall=lambda day: 0.8 if day < 40 else 0.4)
    as_of = scored.START + timedelta(days=59)
    cubes, known = scored.known(payments, as_of)
    normal = [scored.START + timedelta(days=n) for n in range(20)]
    found = decay.measure_decay(
        scored.spec(), scored.frame(), as_of, cubes, learn_delay_curve(known, as_of, 120), normal
    )
    pooled = {m.metric: evidence_kinds.pooled_cohort_days(m, found) for m in found}
    assert pooled["alert_rate"][-1] == as_of
    assert {len(pooled[metric]) for metric in catalogue.evidence(Evidence.LOSS)} == {7}
    assert pooled["precision"][-1] == evidence_kinds.newest_mature_day(as_of, found)
    assert pooled["recall"][-1] >= pooled["precision"][-1]
