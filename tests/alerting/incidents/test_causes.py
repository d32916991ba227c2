from __future__ import annotations

from dataclasses import replace

import pytest

from catalogue import causes
from ledger.records.measurements import Measurement, Verdict
from tests.alerting import made
from tests.alerting.made import ARRIVED, causes_of, m, one_day, timeline

C = causes


@pytest.mark.parametrize(
    ("measurements", "cause", "feature", "slice_"),
    [
        ([made.ERRORED], C.WATCH_ERRORED, "", ""),
        (made.NO_PARTITION, C.MISSING_PARTITION, "", ""),
        (made.LATE, C.LATE_PARTITION, "", ""),
        ([made.FEW_ROWS], C.INCOMPLETE_PARTITION, "", ""),
        ([made.MANY_ROWS], C.INCOMPLETE_PARTITION, "", ""),
        ([m("schema", "missing_columns", "amount_gbp", 1.0)], C.SCHEMA_CHANGE, "", ""),
        ([m("schema", "retyped_columns", "amount_gbp", 1.0)], C.SCHEMA_CHANGE, "", ""),
        ([made.STALE], C.STALE_PARTITION, "", ""),
        ([made.DUPLICATES], C.DUPLICATE_ROWS, "", ""),
        ([made.UNIQUE], C.DUPLICATE_ROWS, "", ""),
        ([made.NULL_FLOOD], C.COLUMN_FAULT, "device_age_days", ""),
        ([made.UNIT_ERROR], C.COLUMN_FAULT, "amount_gbp", ""),
        ([made.RECODED], C.COLUMN_FAULT, "channel", ""),
        ([made.STALE_COLUMN], C.COLUMN_FAULT, "device_age_days", ""),
        ([made.SWAPPED], C.COLUMN_FAULT, "amount_gbp", ""),
        *(
            ([m("fault", metric, "amount_gbp", 0.3)], C.COLUMN_FAULT, "amount_gbp", "")
            for metric in ("constant_share", "spike_share", "scaled_share", "renamed_share")
        ),
        ([m("fault", "constant_share", "score", 1.0)], C.COLUMN_FAULT, "score", ""),
        ([made.CLUSTER], C.POPULATION_SHIFT, "", ""),
        ([made.SLOW], C.POPULATION_SHIFT, "", ""),
        ([replace(made.SLOW, feature="score")], C.SCORE_SHIFT, "", ""),
        ([made.NULL_CHECK], C.COLUMN_FAULT, "device_age_days", ""),
        ([m("drift", "nonfinite_share", "amount_gbp", 0.02)], C.COLUMN_FAULT, "amount_gbp", ""),
        ([m("score", "null_share", "score", 0.2)], C.COLUMN_FAULT, "score", ""),
        ([made.AMOUNT_DRIFT], C.POPULATION_SHIFT, "", ""),
        ([made.AMOUNT_DRIFT, made.DEVICE_DRIFT], C.POPULATION_SHIFT, "", ""),
        ([made.SCORE_DRIFT], C.SCORE_SHIFT, "", ""),
        ([made.ALERT_RATE], C.SCORE_SHIFT, "", ""),
        ([made.RECALL], C.PERFORMANCE_DECAY, "", ""),
        ([made.FALSE_POSITIVES], C.PERFORMANCE_DECAY, "", ""),
        ([made.GAP], C.FAIRNESS_GAP, "", "age_band=60+"),
        ([replace(made.SCORE_DRIFT, slice="age_band=60+")], C.FAIRNESS_GAP, "", "age_band=60+"),
    ],
)
def test_each_cause_is_told_by_its_own_evidence(
    measurements: list[Measurement], cause: str, feature: str, slice_: str
) -> None:
    (incident,) = timeline([measurements])[0]
    assert (incident.cause, incident.feature, incident.slice) == (cause, feature, slice_)
    assert incident.explains == 0
    assert incident.summary
    assert incident.confidence
    assert incident.first_step.endswith(".")


@pytest.mark.parametrize(
    ("measurements", "cause", "explained"),
    [
        (
            [*made.NO_PARTITION, made.LATE[1], made.NULL_CHECK, made.DEVICE_DRIFT, made.SCORE_DRIFT],
            C.MISSING_PARTITION,
            4,
        ),
        ([made.NULL_FLOOD, made.DEVICE_DRIFT, made.SCORE_DRIFT, made.ALERT_RATE], C.COLUMN_FAULT, 3),
        ([made.NULL_FLOOD, replace(made.DEVICE_DRIFT, slice="channel=app")], C.COLUMN_FAULT, 1),
        ([made.UNIT_ERROR, m("check", "expect_column_values_to_be_between", "amount_gbp")], C.COLUMN_FAULT, 1),
        ([made.STALE, made.STALE_COLUMN, made.AMOUNT_DRIFT, made.SCORE_DRIFT, made.NULL_CHECK], C.STALE_PARTITION, 4),
        ([made.SWAPPED, made.AMOUNT_DRIFT, made.CLUSTER, made.SLOW], C.COLUMN_FAULT, 3),
        ([made.DUPLICATES, made.MANY_ROWS, m("check", "expect_table_row_count_to_be_between")], C.DUPLICATE_ROWS, 2),
        ([m("schema", "missing_columns", "amount_gbp", 1.0), made.ERRORED, made.SCORE_DRIFT], C.SCHEMA_CHANGE, 2),
        ([made.AMOUNT_DRIFT, made.SCORE_DRIFT, made.ALERT_RATE], C.POPULATION_SHIFT, 2),
        ([made.AMOUNT_DRIFT, m("check", "expect_column_mean_to_be_between", "amount_gbp")], C.POPULATION_SHIFT, 1),
        ([made.AMOUNT_DRIFT, made.SELECTION], C.POPULATION_SHIFT, 1),
        ([made.FEW_ROWS, made.AMOUNT_DRIFT, made.SCORE_DRIFT], C.INCOMPLETE_PARTITION, 2),
        ([made.RECALL, made.ALERT_RATE], C.PERFORMANCE_DECAY, 1),
        ([made.GAP, made.FALSE_POSITIVES, made.ALERT_RATE], C.FAIRNESS_GAP, 2),
    ],
)
def test_a_cause_swallows_what_it_explains_and_counts_it(
    measurements: list[Measurement], cause: str, explained: int
) -> None:
    (incident,) = one_day(*measurements) if measurements[0] != made.NO_PARTITION[0] else timeline([measurements])[0]
    assert (incident.cause, incident.explains) == (cause, explained)


def test_a_fault_of_one_column_leaves_the_drift_of_another_to_be_a_shift() -> None:
    assert causes_of(made.NULL_FLOOD, made.AMOUNT_DRIFT) == [C.COLUMN_FAULT, C.POPULATION_SHIFT]


def test_two_broken_columns_are_two_incidents() -> None:
    assert [i.feature for i in one_day(made.NULL_FLOOD, made.UNIT_ERROR)] == ["amount_gbp", "device_age_days"]


FOURTEEN = [replace(made.NULL_FLOOD, feature=f"feature_{number}") for number in range(13)]


def test_columns_that_one_feed_left_null_are_one_incident_with_the_most_important_first() -> None:
    (incident,) = one_day(*FOURTEEN, made.NULL_FLOOD, made.DEVICE_DRIFT, made.SCORE_DRIFT)
    assert (incident.cause, incident.feature, incident.explains) == (C.FEED_FAULT, "", 2)
    assert incident.summary.startswith("14 columns are partly or wholly empty together: `device_age_days`")
    assert incident.data_fault
    assert incident.figures[0] == "drift/null_share/device_age_days/"
    assert "one feed or join" in incident.evidence[0]


def test_a_feed_fault_leaves_a_column_that_broke_in_another_way_to_its_own_incident() -> None:
    assert causes_of(*FOURTEEN, made.UNIT_ERROR) == [C.FEED_FAULT, C.COLUMN_FAULT]
    assert causes_of(*FOURTEEN[:2], made.UNIT_ERROR) == [C.COLUMN_FAULT] * 3


def test_decay_and_unfairness_have_labels_of_their_own_and_stand_beside_a_shift() -> None:
    found = causes_of(made.AMOUNT_DRIFT, made.RECALL, made.GAP)
    assert found == [C.POPULATION_SHIFT, C.PERFORMANCE_DECAY, C.FAIRNESS_GAP]


def test_a_failed_check_that_is_not_critical_opens_nothing() -> None:
    assert causes_of(m("check", "expect_column_values_to_be_between", "amount_gbp")) == []


def test_a_mean_out_of_bounds_is_a_column_fault_when_the_column_does_not_drift() -> None:
    assert causes_of(m("check", "expect_column_mean_to_be_between", "amount_gbp")) == [C.COLUMN_FAULT]


def test_what_is_ok_immature_insufficient_or_missing_opens_nothing() -> None:
    for verdict in (Verdict.OK, Verdict.IMMATURE, Verdict.INSUFFICIENT, Verdict.MISSING):
        assert causes_of(replace(made.NULL_FLOOD, verdict=verdict), replace(made.RECALL, verdict=verdict)) == []


def test_one_group_scored_otherwise_is_unfairness_and_everyone_is_a_score_shift() -> None:
    of_group = replace(made.SCORE_DRIFT, slice="age_band=60+")
    assert causes_of(of_group) == [C.FAIRNESS_GAP]
    assert causes_of(of_group, made.SCORE_DRIFT) == [C.SCORE_SHIFT]


def test_the_evidence_names_a_unit_error_by_its_power_of_ten() -> None:
    (incident,) = one_day(made.UNIT_ERROR)
    assert incident.summary == "`amount_gbp` is about 100 times too large"
    assert incident.evidence[0].startswith("Probable cause: unit error")
    (incident,) = one_day(replace(made.UNIT_ERROR, value=0.0011))
    assert incident.summary == "`amount_gbp` is about 1,000 times too small"
    (incident,) = one_day(replace(made.UNIT_ERROR, value=2.54 * 2))
    assert incident.summary == "`amount_gbp` is about 5.1 times too large"


def test_the_evidence_names_a_null_flood_with_its_share_and_the_baseline() -> None:
    (incident,) = one_day(made.DEVICE_DRIFT, made.NULL_CHECK, made.NULL_FLOOD)
    assert incident.summary == "`device_age_days` is 31 % empty"
    assert incident.confidence == "Certain: 31.2 % null; baseline 0.6 % of 1,180,000 rows in 59 days; limit 2.6 %."
    assert incident.evidence[0].startswith("Probable cause: the feed lost part of its values")
    assert incident.figures[0] == "drift/null_share/device_age_days/"


def test_a_shift_lists_its_features_the_most_important_first() -> None:
    (incident,) = one_day(made.DEVICE_DRIFT, replace(made.AMOUNT_DRIFT, metric="ks"), m("drift", "psi", "channel", 0.9))
    assert incident.summary == "the population moved in 3 features: `amount_gbp`, `device_age_days` and `channel`"


def test_each_feature_of_a_shift_is_shown_before_further_figures_and_slices_of_one() -> None:
    more = [replace(made.AMOUNT_DRIFT, metric="ks"), replace(made.AMOUNT_DRIFT, slice="channel=app")]
    (incident,) = one_day(*more, made.AMOUNT_DRIFT, made.DEVICE_DRIFT)
    assert [figure.split("/", 1)[1] for figure in incident.figures] == [
        "psi/amount_gbp/", "psi/device_age_days/", "ks/amount_gbp/",
    ]  # fmt: skip
    assert incident.explains == 1
    assert incident.evidence[1].startswith("`amount_gbp`: PSI")
    assert incident.evidence[2].startswith("`device_age_days`: PSI")


def test_that_a_fault_shows_in_every_slice_is_explained_and_one_slices_own_fault_is_evidence() -> None:
    in_slices = [replace(made.NULL_FLOOD, slice=f"channel={name}") for name in ("app", "web")]
    (incident,) = one_day(made.NULL_FLOOD, *in_slices)
    assert (incident.figures, incident.explains) == (("drift/null_share/device_age_days/",), 2)
    (incident,) = one_day(in_slices[0])
    assert incident.summary == "`device_age_days` is 31 % empty in `channel=app`"


def test_the_money_of_a_data_fault_is_at_most_its_share_of_what_was_caught() -> None:
    (incident,) = one_day(made.NULL_FLOOD, *made.MONEY)
    assert incident.amount_gbp_per_day == pytest.approx(0.312 * 130_000)
    assert (incident.amount_low_gbp_per_day, incident.amount_high_gbp_per_day) == (0.0, pytest.approx(0.312 * 142_000))
    (incident,) = timeline([[*made.NO_PARTITION, *made.MONEY]])[0]
    assert incident.amount_gbp_per_day == 130_000


def test_the_money_of_decay_is_what_is_lost_with_its_interval() -> None:
    (incident,) = one_day(made.RECALL, *made.MONEY)
    amounts = (incident.amount_low_gbp_per_day, incident.amount_gbp_per_day, incident.amount_high_gbp_per_day)
    assert amounts == (28_000, 41_000, 55_000)


@pytest.mark.parametrize(
    "measurements", [[made.RECALL], [made.NULL_FLOOD], [made.AMOUNT_DRIFT, *made.MONEY], [made.GAP]]
)
def test_money_that_is_not_measured_has_a_reason_and_no_figure(measurements: list[Measurement]) -> None:
    (incident,) = one_day(*measurements)
    assert incident.amount_gbp_per_day is None
    assert incident.evidence[-1].startswith("Money at stake is not known: ")


def test_a_value_from_data_cannot_break_out_of_its_backticks() -> None:
    (incident,) = one_day(replace(made.NULL_FLOOD, feature="a`*b*`\n<!channel>" + "x" * 200, reason="`*`\x1b[31m"))
    assert incident.summary.count("`") == 2
    assert "\n" not in incident.summary
    assert len(incident.summary) < 120


def test_incident_ids_are_readable_unique_and_safe_as_file_names() -> None:
    hostile = ["../../etc/passwd", "a b", "a/b", "", "ä", "<18", ">18", "x" * 500, "CON:"]
    ids = [one_day(replace(made.NULL_FLOOD, feature=name))[0].id for name in hostile]
    assert len(set(ids)) == len(hostile)
    assert all(
        set(i) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") and len(i) <= 160 for i in ids
    )
    (plain,) = one_day(made.NULL_FLOOD)
    assert plain.id == "card_payments-20260303-column_fault-device_age_days"
    (group,) = one_day(made.GAP)
    assert group.id == "card_payments-20260303-fairness_gap-age_band-60plus"


def test_the_order_of_measurements_does_not_matter() -> None:
    day = [*ARRIVED, made.NULL_FLOOD, made.DEVICE_DRIFT, made.AMOUNT_DRIFT, made.SCORE_DRIFT, made.GAP, made.RECALL]
    assert timeline([day]) == timeline([day[::-1]])


def test_a_partition_that_is_not_due_yet_is_not_missing() -> None:
    waiting = m("arrival", "arrival_delay_minutes", value=-90.0, limit=0.0, verdict=Verdict.MISSING)
    assert timeline([[*made.NO_PARTITION, waiting]]) == [[]]
    overdue = replace(waiting, value=90.0, verdict=Verdict.BREACH)
    (incident,) = timeline([[*made.NO_PARTITION, overdue]])[0]
    assert (incident.cause, incident.explains) == (C.MISSING_PARTITION, 1)


def test_an_empty_partition_is_incomplete_and_puts_everything_at_stake() -> None:
    (incident,) = one_day(m("arrival", "row_count", value=0.0, reason="the partition is there, but empty"), *made.MONEY)
    assert (incident.cause, incident.summary) == (C.INCOMPLETE_PARTITION, "the partition is there, but empty")
    assert incident.amount_gbp_per_day == 130_000


def test_checks_that_name_a_missing_column_among_others_are_explained_by_it() -> None:
    pair = replace(made.ERRORED, feature="payment_id, amount_gbp")
    assert causes_of(m("schema", "missing_columns", "amount_gbp", 1.0), pair) == [C.SCHEMA_CHANGE]


def test_decay_is_probably_a_new_fraud_pattern_only_where_nothing_else_moved() -> None:
    (alone,) = one_day(made.RECALL)
    assert "new fraud pattern" in alone.evidence[0]
    _, beside = one_day(made.RECALL, made.AMOUNT_DRIFT)
    assert (beside.cause, "new fraud pattern" in beside.evidence[0]) == (C.PERFORMANCE_DECAY, False)
    (alarms,) = one_day(made.FALSE_POSITIVES)
    assert "more false alarms" in alarms.evidence[0]


def test_an_interval_that_reaches_over_the_limit_is_only_likely() -> None:
    (clear,) = one_day(made.RECALL)
    assert clear.confidence.startswith("Very likely: 52 % of frauds caught")
    (close,) = one_day(replace(made.RECALL, value=0.68, high=0.73))
    assert close.confidence.startswith("Likely: 52 % of frauds caught")


def test_what_is_only_estimated_supports_decay_and_wakes_nobody_alone() -> None:
    reason = "Estimated from scores, before labels: about 61 % of frauds caught."
    estimated = m("estimate", "recall", value=0.61, reason=reason)
    assert timeline([[estimated], [estimated], [estimated]])[-1] == []
    (incident,) = timeline([[estimated, made.RECALL]])[0]
    assert incident.cause is C.PERFORMANCE_DECAY
    assert f"Estimated recall: {reason}" in incident.evidence
