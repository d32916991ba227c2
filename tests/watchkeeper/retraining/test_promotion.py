"""From an outcome to who is in charge, told in the incident's thread; and back again."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from alerting.wording import format_day
from ledger.records.measurements import Verdict
from ledger.records.messages import Message
from ledger.records.retraining import Decision, RetrainingOutcome
from ledger.snapshot import snapshot_ledger
from models.errors import WatchkeeperError
from models.spec import Spec
from tests.watchkeeper.conftest import LAST, MODEL, Say, one_sentence
from watchkeeper.context import Context
from watchkeeper.pipeline import watch
from watchkeeper.retraining import challenger, promotion, retrain
from watchkeeper.retraining.promotion import IN_PRODUCTION, current_champion, roll_back_champion, settle_registry_stages

INCIDENT = f"{MODEL}-performance_decay-2026-01-20"


def request(day: date = LAST) -> Decision:
    window = (day - timedelta(days=20), day - timedelta(days=16), day - timedelta(days=9))
    gain = {"gain_gbp_per_day": 41_000.0, "gain_low_gbp_per_day": 28_000.0, "gain_high_gbp_per_day": 55_000.0}
    return Decision(MODEL, day, "requested", INCIDENT, ("recall fell to 52 %",), *window, **gain)  # type: ignore[arg-type]


def promoted(name: str, day: date, outcome: str = "promoted") -> RetrainingOutcome:
    asked = request(day)
    blank = retrain._blank_outcome(SPEC, asked, ())
    return replace(blank, outcome=outcome, challenger=name, reasons=("PR-AUC 0.5 -> 0.7",), approved_by="A. Person")


SPEC = Spec.model_validate(
    {"model": MODEL, "features": {"table": "t"}, "baseline": {"from": date(2026, 1, 1), "to": date(2026, 1, 14)}}
)


def tell_of_the_incident(ctx: Context) -> None:
    blocks = [{"type": "header", "text": {"type": "plain_text", "text": "recall fell"}}]
    ctx.ledger.enqueue(Message(INCIDENT, LAST, "opened", "console", "recall fell", blocks))


def notes_of(ctx: Context) -> list[str]:
    return [message.thread_note for message in ctx.ledger.messages(INCIDENT)[1:]]


def test_a_promotion_makes_a_champion_and_a_baseline_and_tells_its_story(ctx: Context, spec: Spec) -> None:
    tell_of_the_incident(ctx)
    retrain.record_outcome(ctx, spec, request(), promoted("c1", LAST))
    assert settle_registry_stages(ctx, spec) == "c1"
    assert promotion.open_registry(ctx).stages(MODEL) == {"c1": "champion"}
    own = ctx.ledger.baseline(spec)
    assert (own.start, own.end) == (LAST + timedelta(days=1), LAST + timedelta(days=28)), "its own first days"
    assert own.day == LAST + timedelta(days=29)
    assert ctx.ledger.baseline(spec, LAST + timedelta(days=28)).reason == "model file", (
        "what it has to reach until then"
    )
    (note,) = notes_of(ctx)
    assert note.startswith("Retraining, approved by A. Person: challenger c1 is promoted, judged on Fri 9 Jan to ")
    assert "This incident stays open until a week of the new champion's own is mature and sound." in note
    assert note.endswith("its own days so far once they are a week, and against its first 28 from Sun 22 Feb on.")


def test_a_promotion_says_from_when_on_its_incident_can_end(ctx: Context, spec: Spec) -> None:
    tell_of_the_incident(ctx)
    watched(ctx, spec, LAST, mature_days=12)
    retrain.record_outcome(ctx, spec, request(), promoted("c1", LAST))
    (note,) = notes_of(ctx)
    first = LAST + timedelta(days=7 + 12)
    assert f"is mature and sound, from {format_day(first)} on if labels come as late as now." in note


def test_a_new_champions_other_scores_are_no_score_shift(ctx: Context, spec: Spec) -> None:
    """The days after a promotion look to the score as if everything had moved, for another model scores them."""
    retrain.record_outcome(ctx, spec, request(LAST - timedelta(days=5)), promoted("c1", LAST - timedelta(days=5)))
    watch.watch_day(replace(ctx, live=False), spec, LAST)
    found = ctx.ledger.measurements(MODEL, as_of=LAST, monitors=("score",))
    judged = {m.verdict for m in found if m.metric == "psi" and not m.slice}
    assert judged == {Verdict.INSUFFICIENT}


def test_nobody_is_told_the_rest_of_a_story_that_nobody_was_told(ctx: Context, spec: Spec) -> None:
    retrain.record_outcome(ctx, spec, request(), promoted("c1", LAST))
    assert ctx.ledger.messages() == []


def test_the_question_says_what_is_learnt_from_and_where_to_answer(ctx: Context, spec: Spec) -> None:
    from alerting.notifications.messages import retraining_note

    tell_of_the_incident(ctx)
    address = "http://localhost:8080/dags/retrain__app_scams/runs/a%3Ab/tasks/approve/required_actions"
    for _ in range(2):
        retraining_note.enqueue_retraining_note(
            ctx.ledger, INCIDENT, LAST, "asked", retrain.approval_question(spec, request()), link=address
        )
    first, asked = ctx.ledger.messages(INCIDENT)
    assert asked.text == first.text, "the incident's own message stays as it is"
    assert asked.blocks[:-1] == first.blocks
    shown = asked.blocks[-1]["elements"][0]["text"]
    assert "waiting for approval: recall fell to 52 %. It may win back up to GBP 41k a day (GBP 28k to GBP 55k)" in (
        shown
    )
    assert shown.endswith(f"<{address}|Answer in Airflow>")
    assert asked.thread_note.endswith(f"Without an answer in 72 hours, nothing changes. {address}")
    watch.deliver_and_write_heartbeat(ctx, [spec])
    assert "waiting for approval" in ctx.settings.messages.read_text()


def test_a_note_replaces_the_last_one_in_the_message_and_hostile_names_stay_text(ctx: Context, spec: Spec) -> None:
    tell_of_the_incident(ctx)
    retrain.refuse_request(ctx, spec, request(), "<!channel> *A*", "<!channel> *A* rejected it")
    retrain.record_outcome(ctx, spec, request(), promoted("c1", LAST), LAST + timedelta(days=20))
    answered, ended = ctx.ledger.messages(INCIDENT)[1:]
    assert answered.blocks[-1]["elements"][0]["text"].count("&lt;!channel&gt;") == 1
    assert len(ended.blocks) == len(answered.blocks) == 2


def test_a_rejection_is_recorded_and_the_request_is_closed(ctx: Context, spec: Spec) -> None:
    tell_of_the_incident(ctx)
    ctx.ledger.save_decision(request())
    outcome = retrain.refuse_request(ctx, spec, request(), "", "nobody answered within 72 hours")
    assert (outcome.outcome, outcome.champion, outcome.challenger) == ("not approved", IN_PRODUCTION, "")
    assert retrain.find_open_request(ctx, spec) is None
    assert notes_of(ctx) == ["Retraining: nothing changes, for nobody answered within 72 hours."]


def test_nothing_is_trained_without_the_approval_that_is_required(ctx: Context, spec: Spec) -> None:
    with pytest.raises(WatchkeeperError, match="needs a person's approval, and has none"):
        retrain.train_and_judge_challenger(ctx, spec, request())


def test_a_rollback_puts_champion_and_baseline_back_and_is_done_once_a_day(ctx: Context, spec: Spec) -> None:
    tell_of_the_incident(ctx)
    ctx.ledger.save_decision(request())
    first, second = LAST - timedelta(days=40), LAST
    for name, day in (("c1", first), ("c2", second)):
        retrain.record_outcome(ctx, spec, request(day), promoted(name, day))
    before = ctx.ledger.baseline(spec, first + timedelta(days=29))
    assert before.reason == "challenger c1 promoted"
    day = LAST + timedelta(days=2)
    done = roll_back_champion(ctx, spec, "twice the complaints", day)
    assert (done.champion, done.challenger) == ("c2", "c1")
    kept = snapshot_ledger(ctx.ledger)
    assert roll_back_champion(ctx, spec, "twice the complaints", day) == done
    assert snapshot_ledger(ctx.ledger) == kept
    assert promotion.open_registry(ctx).stages(MODEL) == {"c1": "champion", "c2": "archived"}
    now = ctx.ledger.baseline(spec, LAST + timedelta(days=60))
    assert (now.start, now.end) == (before.start, before.end)
    assert notes_of(ctx)[-1] == "Retraining: challenger c2 was rolled back to c1: twice the complaints."
    assert roll_back_champion(ctx, spec, "and again", day + timedelta(days=1)).challenger == IN_PRODUCTION
    with pytest.raises(WatchkeeperError, match="no challenger was ever promoted"):
        roll_back_champion(ctx, spec, "and again", day + timedelta(days=2))


def test_a_rollback_from_the_command_line_needs_a_reason(say: Say, ctx: Context, spec: Spec) -> None:
    assert "nothing to roll back" in one_sentence(say("rollback", "--model", MODEL, "--reason", "it is worse"))
    retrain.record_outcome(ctx, spec, request(), promoted("c1", LAST))
    assert "needs a reason" in one_sentence(say("rollback", "--model", MODEL, "--reason", " "))
    answer = say("rollback", "--model", MODEL, "--reason", "it is worse")
    assert answer.out.strip() == "app_scams: c1 was rolled back to the model in production"
    assert current_champion(ctx.ledger.retraining_outcomes(MODEL)) == IN_PRODUCTION


def test_an_answer_from_elsewhere_is_recorded_once(say: Say, ctx: Context) -> None:
    ctx.ledger.save_decision(request())
    name = request().request
    told = ("answer", name, "--outcome", "promoted", "--reason", "PR-AUC 0.5 -> 0.6")
    assert "give --challenger" in one_sentence(say(*told))
    assert "say whose with --by" in one_sentence(say(*told, "--challenger", "vertex-7"))
    whole = (*told, "--challenger", "vertex-7", "--by", "A. Person")
    assert say(*whole).out.strip() == f"{name}: promoted"
    again = say("answer", name, "--outcome", "kept-champion", "--reason", "?")
    assert again.out.strip() == f"{name}: promoted"
    assert f"{name}: was answered before, which stands" in again.err
    assert current_champion(ctx.ledger.retraining_outcomes(MODEL)) == "vertex-7"
    assert "no such request" in one_sentence(say("answer", f"{MODEL}/2020-01-01", *told[2:]))


def test_a_challenger_in_shadow_is_promoted_only_after_it_proved_better_again(ctx: Context, spec: Spec) -> None:
    slow = spec.model_copy(update={"retraining": spec.retraining.model_copy(update={"shadow_days": 7})})
    asked = date(2026, 1, 3)
    tell_of_the_incident(ctx)
    ctx.ledger.save_decision(request(asked))
    rows = ctx.warehouse.labelled_rows(slow, date(2026, 1, 4), date(2026, 1, 10), LAST, 10**6, 0)
    for name, few in (("good", rows), ("bad", rows.groupby("label").head(40))):
        fitted = challenger.fit_challenger(slow, few, 1)
        promotion.open_registry(ctx).add(MODEL, name, fitted, {})
        retrain.record_outcome(ctx, slow, request(asked), promoted(name, asked, "in shadow"))
        settle_registry_stages(ctx, slow)
        assert promotion.open_registry(ctx).stages(MODEL)[name] == "shadow"
        assert current_champion(ctx.ledger.retraining_outcomes(MODEL)) == IN_PRODUCTION
        watched(ctx, slow, LAST, mature_days=15)
        assert retrain.end_shadow(ctx, slow, LAST) is None, "its last day is not mature yet"
        watched(ctx, slow, LAST, mature_days=14)
        ended = retrain.end_shadow(ctx, slow, LAST)
        assert ended is not None
        assert (ended.evaluated_from, ended.evaluated_to) == (date(2026, 1, 4), date(2026, 1, 10))
        assert ended.outcome == ("promoted" if name == "good" else "kept champion"), ended.reasons
        assert retrain.end_shadow(ctx, slow, LAST) is None


def watched(ctx: Context, spec: Spec, day: date, mature_days: int) -> None:
    from ledger.records.measurements import Measurement

    ripe = Measurement(spec.model, day, day, "decay", "mature_until", value=float(mature_days), n=mature_days)
    ctx.ledger.save_measurements(spec.model, day, ("decay",), [ripe])
