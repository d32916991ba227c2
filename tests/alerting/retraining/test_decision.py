from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

from alerting.retraining.decision import decide_retraining, retraining_window
from ledger.records.incidents import Incident
from ledger.records.measurements import Measurement, Verdict
from ledger.records.retraining import Decision, RetrainingOutcome
from models.spec import Spec
from tests.alerting import made
from tests.alerting.made import ARRIVED, FIRST, MATURE, on, one_day, spec, timeline

DAY = date(2026, 4, 28)
NEWEST = DAY - timedelta(days=12)


def firing(*measurements: Measurement, day: date = DAY) -> list[Incident]:
    """Return what fires since March, and did so on the day, too."""
    return [replace(i, last_bad=day, concluded=day) for i in timeline([[*ARRIVED, *measurements]] * 2)[-1]]


def decided(
    incidents: Sequence[Incident],
    *,
    measurements: Sequence[Measurement] = MATURE,
    earlier: Sequence[Decision] = (),
    outcomes: Sequence[RetrainingOutcome] = (),
    window: Sequence[Measurement] = (),
    model: Spec | None = None,
) -> Decision:
    return decide_retraining(model or spec(), DAY, incidents, on(DAY, *measurements), earlier, outcomes, window)


def requested(days_ago: int) -> Decision:
    return Decision(made.MODEL, DAY - timedelta(days=days_ago), "requested")


def answered(request: Decision, outcome: str = "kept champion") -> RetrainingOutcome:
    return RetrainingOutcome(request.request, made.MODEL, request.day, outcome, (), *[request.day] * 4, "v7", "c1", {})


def test_decay_without_a_fault_is_a_request_with_the_incident_and_the_window() -> None:
    (decay,) = firing(made.RECALL)
    decision = decided([decay])
    assert (decision.verdict, decision.incident, decision.approval) == ("requested", decay.id, "required")
    assert decision.evaluate_to == NEWEST
    assert decision.fit_to == NEWEST - timedelta(days=7)
    assert decision.fit_from == decision.fit_to - timedelta(days=59)
    assert decision.reasons[0].startswith("recall fell to 52 % since ")


def test_the_fit_window_never_begins_before_the_baseline() -> None:
    early = FIRST
    decision = decide_retraining(spec(), early, firing(made.RECALL, day=early), on(early, *MATURE), [])
    assert decision.fit_from == date(2026, 1, 1)


def test_nothing_wrong_needs_nothing() -> None:
    assert decided([]) == Decision(made.MODEL, DAY, "not needed", reasons=("nothing is wrong",))


def test_a_shift_alone_needs_nothing_for_there_is_no_measured_loss() -> None:
    for evidence in (made.AMOUNT_DRIFT, made.SCORE_DRIFT, made.GAP):
        decision = decided(firing(evidence))
        assert decision.verdict == "not needed"
        assert decision.reasons[0].endswith("but no measured loss yet")


def test_pending_decay_asks_for_nothing() -> None:
    assert decided(one_day(made.RECALL)).verdict == "not needed"


def test_a_decay_that_was_not_there_today_asks_for_nothing() -> None:
    mending = timeline([[*ARRIVED, made.RECALL]] * 2 + [[*ARRIVED, *made.ok(made.RECALL)]])[-1]
    decision = decided(mending)
    assert (decision.verdict, decision.reasons) == (
        "not needed",
        ("recall fell to 52 %, but no loss was measured today",),
    )


def test_a_null_flood_blocks_retraining_and_says_why() -> None:
    (fault,) = one_day(made.NULL_FLOOD)
    decision = decided([fault])
    assert (decision.verdict, decision.incident) == ("refused", fault.id)
    assert decision.reasons == (
        "data fault in `device_age_days`: `device_age_days` is 31 % empty; retraining on broken data would do harm",
    )
    assert decision.fit_from is None


def test_a_fault_blocks_even_where_decay_is_firing() -> None:
    decay, fault = firing(made.RECALL)[0], one_day(made.NULL_FLOOD)[0]
    decision = decided([decay, fault])
    assert (decision.verdict, decision.incident) == ("refused", decay.id)


def test_a_resolved_fault_blocks_nothing_and_its_days_are_left_out_of_the_fit() -> None:
    clean = [*ARRIVED, *made.ok(made.NULL_FLOOD)]
    (fault,) = timeline([[*ARRIVED, made.NULL_FLOOD], [*ARRIVED, made.NULL_FLOOD], clean, clean])[-1]
    (missing,) = timeline([made.NO_PARTITION, ARRIVED])[-1]
    (late,) = timeline([made.LATE, ARRIVED])[-1]
    missing = replace(missing, opened=DAY - timedelta(days=20), last_bad=DAY - timedelta(days=20))
    decision = decided([*firing(made.RECALL), fault, missing, late])
    assert decision.verdict == "requested"
    assert decision.excluded == (FIRST, FIRST + timedelta(days=1), DAY - timedelta(days=20))


def test_too_few_mature_frauds_refuse() -> None:
    few = [replace(MATURE[0], n=199, value=199.0), MATURE[1]]
    decision = decided(firing(made.RECALL), measurements=few)
    assert decision.verdict == "refused"
    assert decision.reasons == ("only 199 frauds are mature; at least 200 are wanted to learn from",)


def test_labels_of_an_unknown_delay_refuse() -> None:
    unknown = [replace(MATURE[0], verdict=Verdict.IMMATURE, reason="No mature cohort day yet."), MATURE[1]]
    decision = decided(firing(made.RECALL), measurements=unknown)
    assert decision.verdict == "refused"
    assert decision.reasons == (
        "labels are immature, for it isn't known yet how late they come: No mature cohort day yet.",
    )


def test_without_a_maturity_nothing_can_be_asked_for() -> None:
    decision = decided(firing(made.RECALL), measurements=[])
    assert decision.verdict == "refused"
    assert len(decision.reasons) == 2


def test_a_window_without_a_mature_day_refuses() -> None:
    young = [MATURE[0], replace(MATURE[1], value=120.0)]
    assert "no mature day is left" in decided(firing(made.RECALL), measurements=young).reasons[0]


def test_the_cooldown_refuses_until_its_last_day_and_not_after() -> None:
    for days_ago, verdict in ((1, "refused"), (13, "refused"), (14, "requested"), (40, "requested")):
        earlier = requested(days_ago)
        decision = decided(firing(made.RECALL), earlier=[earlier], outcomes=[answered(earlier)])
        assert decision.verdict == verdict


def test_a_request_without_an_outcome_blocks_another_until_it_must_be_lost() -> None:
    for days_ago, verdict in ((1, "refused"), (29, "refused"), (30, "requested")):
        assert decided(firing(made.RECALL), earlier=[requested(days_ago)]).verdict == verdict


def test_a_challenger_in_shadow_blocks_another_request_until_it_is_judged() -> None:
    earlier = requested(40)
    decision = decided(firing(made.RECALL), earlier=[earlier], outcomes=[answered(earlier, "in shadow")])
    assert decision.reasons == ("the challenger of Thu 19 Mar is still in shadow",)


def test_after_a_rollback_the_cooldown_holds_too() -> None:
    earlier = requested(40)
    back = replace(answered(requested(3), "rolled back"), request=f"{made.MODEL}/rollback-{DAY - timedelta(days=3)}")
    decision = decided(firing(made.RECALL), earlier=[earlier], outcomes=[answered(earlier, "promoted"), back])
    assert decision.reasons == (
        "a challenger was rolled back on Sat 25 Apr; the cooldown of 14 days lasts until Sat 9 May",
    )


def test_without_a_cooldown_an_answered_request_blocks_nothing() -> None:
    hasty = spec(retraining={"cooldown_days": 0, "approval": "none"})
    earlier = requested(1)
    decision = decided(firing(made.RECALL), earlier=[earlier], outcomes=[answered(earlier)], model=hasty)
    assert decision.verdict == "requested"


def test_earlier_refusals_and_the_days_own_decision_do_not_count_for_the_cooldown() -> None:
    earlier = [Decision(made.MODEL, DAY - timedelta(days=1), "refused"), requested(0)]
    assert decided(firing(made.RECALL), earlier=earlier).verdict == "requested"


def test_a_request_says_what_a_good_challenger_would_win_back_and_on_what_evidence() -> None:
    (decay,) = firing(made.RECALL, *made.MONEY)
    decision = decided([decay])
    gain = (decision.gain_low_gbp_per_day, decision.gain_gbp_per_day, decision.gain_high_gbp_per_day)
    assert gain == (28_000.0, 41_000.0, 55_000.0)
    assert decision.evidence == decay.evidence


def test_a_window_that_looks_poisoned_refuses_until_a_person_has_looked() -> None:
    flood = NEWEST - timedelta(days=20)
    window = [
        replace(made.RECALL, monitor="performance", day=NEWEST - timedelta(days=back), n=200 if back == 20 else 40)
        for back in range(40)
    ]
    refused = decided(firing(made.RECALL), window=window)
    assert refused.verdict == "refused"
    (reason,) = refused.reasons
    assert reason.startswith("the window looks poisoned: 200 frauds are labelled on Fri 27 Mar")
    accepted = spec(retraining={"accept": [flood]})
    assert decided(firing(made.RECALL), window=window, model=accepted).excluded == ()
    left_out = spec(retraining={"exclude": [flood]})
    assert decided(firing(made.RECALL), window=window, model=left_out).excluded == (flood,)


def test_the_window_is_asked_for_only_where_a_decay_is_firing() -> None:
    mature = on(DAY, *MATURE)
    assert retraining_window(spec(), DAY, firing(made.RECALL), mature) == (NEWEST - timedelta(days=66), NEWEST)
    assert retraining_window(spec(), DAY, firing(made.NULL_FLOOD), mature) is None
    assert retraining_window(spec(), DAY, firing(made.RECALL), []) is None


def test_every_reason_is_given() -> None:
    few = [replace(MATURE[0], n=3), MATURE[1]]
    earlier = [Decision(made.MODEL, DAY - timedelta(days=1), "requested")]
    incidents = [*firing(made.RECALL), *one_day(made.NULL_FLOOD), *one_day(made.UNIT_ERROR)]
    assert len(decided(incidents, measurements=few, earlier=earlier).reasons) == 5
