"""From a retraining request to a challenger that is promoted, put into shadow, or turned down with a reason."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from alerting.incidents.evidence_kinds import newest_mature_day
from alerting.notifications.messages import retraining_note
from alerting.retraining.decision import excluded_days
from alerting.wording import format_day, format_pounds, pluralise
from ledger.records.retraining import Decision, RetrainingOutcome
from models.errors import WatchkeeperError
from models.spec import Spec
from watchkeeper.context import Context
from watchkeeper.retraining import challenger
from watchkeeper.retraining.promotion import BASELINE_DAYS, baseline_after_promotion, current_champion, open_registry
from watchkeeper.settings import REPOSITORY

if TYPE_CHECKING:
    import pandas as pd

SEED = 20260101
MAX_FIT_ROWS = 400_000
"""Bound on the rows that leave the warehouse for a fit; a sample by hash of the id above it."""
DECAY_WINDOW_DAYS = 7
"""Days that decay judges together."""


def find_open_request(ctx: Context, spec: Spec) -> Decision | None:
    """Return the newest request that has no outcome yet; an event that comes twice finds none the second time."""
    answered = {outcome.request for outcome in ctx.ledger.retraining_outcomes(spec.model)}
    requests = [d for d in ctx.ledger.decisions(spec.model) if d.verdict == "requested" and d.request not in answered]
    return max(requests, key=lambda decision: decision.day, default=None)


def train_and_judge_challenger(ctx: Context, spec: Spec, request: Decision, approved_by: str = "") -> RetrainingOutcome:
    """Fit a challenger on the request's window, judge it on the later days, promote it only when it is better.

    The outcome, the new baseline of a promotion, and what the incident's thread says of it are one transaction, and
    the stored model's name follows from the request, so that a run killed at any point and run again ends the same.
    Raises WatchkeeperError where approval is required and nobody gave it, or the window has nothing to learn from.
    """
    if request.approval == "required" and not approved_by:
        raise WatchkeeperError(f"{spec.model}: request {request.request} needs a person's approval, and has none")
    fit_from, fit_to, evaluate_to = retraining_window(request)
    evaluate_from = fit_to + timedelta(days=1)
    rows = _sound_rows(ctx, spec, request.excluded, fit_from, fit_to, request.day)
    unseen = _sound_rows(ctx, spec, request.excluded, evaluate_from, evaluate_to, request.day)
    for name, part in (("fit", rows), ("evaluation", unseen)):
        if not len(part) or part["label"].nunique() < 2:
            raise WatchkeeperError(
                f"{spec.model}: the {name} window of request {request.request} lacks frauds or legitimate payments"
            )
    model = challenger.fit_challenger(spec, rows, SEED)
    judgement = challenger.compare_with_champion(
        spec, unseen, challenger.score_with_challenger(spec, model, unseen), SEED
    )
    name = f"{request.day}-{_request_digest(spec, request)}"
    open_registry(ctx).add(spec.model, name, model, _model_card(ctx, spec, request, len(rows), judgement))
    better = "in shadow" if spec.retraining.shadow_days else "promoted"
    outcome = replace(
        _blank_outcome(spec, request, ctx.ledger.retraining_outcomes(spec.model)),
        outcome=better if judgement.better else "kept champion",
        reasons=judgement.reasons,
        challenger=name,
        comparison=judgement.figures,
        approved_by=approved_by,
    )
    record_outcome(ctx, spec, request, outcome)
    return outcome


def refuse_request(ctx: Context, spec: Spec, request: Decision, by: str, why: str) -> RetrainingOutcome:
    """Record that a request was not approved, by whom (empty: nobody answered) and why; the champion stays."""
    blank = _blank_outcome(spec, request, ctx.ledger.retraining_outcomes(spec.model))
    outcome = replace(blank, outcome="not approved", reasons=(why,), approved_by=by)
    record_outcome(ctx, spec, request, outcome)
    return outcome


def record_answer(
    ctx: Context, spec: Spec, name: str, outcome: str, challenger_name: str, reasons: Sequence[str], by: str
) -> RetrainingOutcome:
    """Record what became of a request whose retraining ran elsewhere: 'promoted' or 'kept champion', and why.

    An answer that is there already stands. Raises WatchkeeperError for a request that was never made, for a
    promotion without the model's name, and where approval is required and nobody is said to have given it.
    """
    requests = {d.request: d for d in ctx.ledger.decisions(spec.model) if d.verdict == "requested"}
    if name not in requests:
        have = ", ".join(requests) or "none"
        raise WatchkeeperError(f"{name}: no such request; those of {spec.model} are: {have}")
    before = ctx.ledger.retraining_outcomes(spec.model)
    if there := next((each for each in before if each.request == name), None):
        return there
    if outcome == "promoted" and not challenger_name:
        raise WatchkeeperError(f"{name}: a promotion needs the name of the trained model; give --challenger")
    if requests[name].approval == "required" and not by:
        raise WatchkeeperError(f"{name}: needs a person's approval; say whose with --by")
    new = replace(_blank_outcome(spec, requests[name], before), outcome=outcome, reasons=tuple(reasons), approved_by=by)
    new = replace(new, challenger=challenger_name)
    record_outcome(ctx, spec, requests[name], new)
    return new


def end_shadow(ctx: Context, spec: Spec, day: date) -> RetrainingOutcome | None:
    """Judge a challenger in shadow again once its days are mature: promote it, or keep the champion.

    Champion and challenger score the same payments of the ``shadow_days`` after the request, which neither fit nor
    first judgement saw. Returns None while there is nothing to end.
    """
    waiting = [outcome for outcome in ctx.ledger.retraining_outcomes(spec.model) if outcome.outcome == "in shadow"]
    newest = newest_mature_day(day, ctx.ledger.measurements(spec.model, as_of=day, monitors=("decay",)))
    if not waiting or newest is None:
        return None
    before = waiting[-1]
    start, end = before.day + timedelta(days=1), before.day + timedelta(days=spec.retraining.shadow_days)
    if newest < end:
        return None
    excluded = excluded_days(spec, ctx.ledger.incidents(spec.model, as_of=day), day, start, end)
    rows = _sound_rows(ctx, spec, excluded, start, end, day)
    model = open_registry(ctx).load(spec.model, before.challenger)
    judgement = challenger.compare_with_champion(spec, rows, challenger.score_with_challenger(spec, model, rows), SEED)
    outcome = replace(
        before,
        outcome="promoted" if judgement.better else "kept champion",
        reasons=judgement.reasons,
        evaluated_from=start,
        evaluated_to=end,
        comparison=judgement.figures,
    )
    request = next(decision for decision in ctx.ledger.decisions(spec.model) if decision.request == before.request)
    record_outcome(ctx, spec, request, outcome, day)
    return outcome


def record_outcome(
    ctx: Context, spec: Spec, request: Decision, outcome: RetrainingOutcome, day: date | None = None
) -> None:
    """Save an outcome with all that follows from it: a promotion's baseline, and the note in the incident's thread.

    ``day`` is the one on which a shadow ended; None: the request was answered.
    """
    with ctx.ledger.transaction():
        ctx.ledger.save_retraining_outcome(outcome)
        if outcome.outcome == "promoted":
            ctx.ledger.save_baseline(baseline_after_promotion(spec, outcome, day or request.day))
        kind = "answered" if day is None else "after shadow"
        on = day or request.day
        measured = ctx.ledger.measurements(spec.model, as_of=on, monitors=("decay",))
        story = _describe_outcome(spec, outcome, on, newest_mature_day(on, measured))
        retraining_note.enqueue_retraining_note(ctx.ledger, request.incident, on, kind, story)


def approval_question(spec: Spec, request: Decision) -> str:
    """Return what a person is asked before a retraining."""
    gain = ""
    if request.gain_gbp_per_day:
        low, high = request.gain_low_gbp_per_day or 0.0, request.gain_high_gbp_per_day or request.gain_gbp_per_day
        gain = (
            f" It may win back up to {format_pounds(request.gain_gbp_per_day)} a day "
            f"({format_pounds(low)} to {format_pounds(high)})."
        )
    fit_from, fit_to, evaluate_to = retraining_window(request)
    left_out = f" without {pluralise(len(request.excluded), 'day')} of bad data" if request.excluded else ""
    return (
        f"Retraining is waiting for approval: {'; '.join(request.reasons)}.{gain} It would learn from "
        f"{format_day(fit_from)} to {format_day(fit_to)}{left_out} and be judged on the days up to "
        f"{format_day(evaluate_to)}. Without an answer in {spec.retraining.approval_hours} hours, nothing changes."
    )


def retraining_window(request: Decision) -> tuple[date, date, date]:
    """Return the first and last day to fit on and the last to judge on; raise WatchkeeperError where there is none."""
    if request.fit_from is None or request.fit_to is None or request.evaluate_to is None:
        raise WatchkeeperError(f"{request.model}: the request of {request.day} names no window of fit data")
    return request.fit_from, request.fit_to, request.evaluate_to


def _blank_outcome(spec: Spec, request: Decision, before: Sequence[RetrainingOutcome]) -> RetrainingOutcome:
    """Return a request's outcome without what became of it."""
    fit_from, fit_to, evaluate_to = retraining_window(request)
    since = fit_to + timedelta(days=1)
    span = (fit_from, fit_to, since, evaluate_to)
    return RetrainingOutcome(request.request, spec.model, request.day, "", (), *span, current_champion(before), "", {})


def _describe_outcome(spec: Spec, outcome: RetrainingOutcome, day: date, mature: date | None) -> str:
    """Return what became of a request, as its incident's thread says it; ``mature`` is the newest mature day then."""
    by = f", approved by {outcome.approved_by}" if outcome.approved_by else ""
    judged = f"judged on {format_day(outcome.evaluated_from)} to {format_day(outcome.evaluated_to)}"
    why = "; ".join(outcome.reasons)
    if outcome.outcome == "not approved":
        return f"Retraining: nothing changes, for {why}."
    if outcome.outcome == "kept champion":
        return f"Retraining{by}: the challenger was not better, {judged}, so nothing changes: {why}."
    if outcome.outcome == "in shadow":
        days = spec.retraining.shadow_days
        return f"Retraining{by}: the challenger is better, {judged}; it is in shadow for {days} new days: {why}."
    return f"Retraining{by}: challenger {outcome.challenger} is promoted, {judged}: {why}. " + _describe_wait(
        spec, outcome, day, mature
    )


def _describe_wait(spec: Spec, outcome: RetrainingOutcome, promoted: date, mature: date | None) -> str:
    """Return what an incident waits for after a promotion, and until when."""
    ripening = "."
    if mature is not None:
        own_week = promoted + timedelta(days=DECAY_WINDOW_DAYS) + (promoted - mature)
        ripening = f", from {format_day(own_week)} on if labels come as late as now."
    since = format_day(baseline_after_promotion(spec, outcome, promoted).day)
    return (
        f"This incident stays open until a week of the new champion's own is mature and sound{ripening} Its score is "
        f"held against its own days so far once they are a week, and against its first {BASELINE_DAYS} from {since} on."
    )


def _sound_rows(
    ctx: Context, spec: Spec, excluded: tuple[date, ...], start: date, end: date, as_of: date
) -> pd.DataFrame:
    """Return the labelled payments of a span of days as known on a day, without days of a data fault."""
    rows = ctx.warehouse.labelled_rows(spec, start, end, as_of, MAX_FIT_ROWS, SEED)
    return rows[~rows[spec.features.day].astype(str).isin([str(day) for day in excluded])]


def _request_digest(spec: Spec, request: Decision) -> str:
    text = f"{spec.model_dump_json(by_alias=True)}|{request}|{SEED}"
    return hashlib.sha256(text.encode()).hexdigest()[:10]


def _model_card(
    ctx: Context, spec: Spec, request: Decision, rows: int, judgement: challenger.Judgement
) -> dict[str, Any]:
    """Return what model risk asks of a stored model: from what it was made, with what, and how it compared."""
    lock = REPOSITORY / "requirements.lock"
    return {
        "model": spec.model,
        "request": request.request,
        "incident": request.incident,
        "fit_from": str(request.fit_from),
        "fit_to": str(request.fit_to),
        "excluded": [str(day) for day in request.excluded],
        "fit_rows": rows,
        "data_version": _data_version(ctx, spec, request),
        "seed": SEED,
        "lock_sha256": hashlib.sha256(lock.read_bytes()).hexdigest() if lock.exists() else "",
        "better": judgement.better,
        "reasons": judgement.reasons,
        "figures": judgement.figures,
    }


def _data_version(ctx: Context, spec: Spec, request: Decision) -> str:
    """Return a digest of the partitions and label events that a challenger was fit and judged on."""
    fit_from, _, evaluate_to = retraining_window(request)
    partitions = sorted(ctx.warehouse.versions(spec, fit_from, evaluate_to).items())
    labels = ctx.warehouse.label_versions(spec, [request.day])
    return hashlib.sha256(f"{partitions}|{labels}".encode()).hexdigest()
