"""From a retraining request to a challenger that is promoted, put into shadow, or turned down with a reason."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from alerting import notes
from alerting.metrics import newest_mature_day
from alerting.retraining import spoilt
from alerting.words import counted, day_words, pounds
from ledger.records import Decision, Retrained
from models.errors import WatchkeeperError
from models.spec import Spec
from watchkeeper import challenger
from watchkeeper.promotion import BASELINE_DAYS, champion_of, new_baseline, registry_of
from watchkeeper.settings import REPOSITORY
from watchkeeper.stored import Context

if TYPE_CHECKING:
    import pandas as pd

SEED = 20260101
MOST_ROWS = 400_000
"""Bound on the rows that leave the warehouse for a fit; a sample by hash of the id above it."""
WEEK = 7
"""Days that decay judges together."""


def open_request(ctx: Context, spec: Spec) -> Decision | None:
    """Return the newest request that has no outcome yet; an event that comes twice finds none the second time."""
    answered = {outcome.request for outcome in ctx.ledger.retrained(spec.model)}
    requests = [d for d in ctx.ledger.decisions(spec.model) if d.verdict == "requested" and d.request not in answered]
    return max(requests, key=lambda decision: decision.day, default=None)


def retrain(ctx: Context, spec: Spec, request: Decision, approved_by: str = "") -> Retrained:
    """Fit a challenger on the request's window, judge it on the later days, promote it only when it is better.

    The outcome, the new baseline of a promotion, and what the incident's thread tells of it are one transaction, and
    the stored model's name follows from the request, so that a run killed at any point and run again ends the same.
    Raises WatchkeeperError where approval is required and nobody gave it, or the window has nothing to learn from.
    """
    if request.approval == "required" and not approved_by:
        raise WatchkeeperError(f"{spec.model}: request {request.request} needs a person's approval, and has none")
    fit_from, fit_to, evaluate_to = window_of(request)
    evaluate_from = fit_to + timedelta(days=1)
    rows = _sound(ctx, spec, request.excluded, fit_from, fit_to, request.day)
    unseen = _sound(ctx, spec, request.excluded, evaluate_from, evaluate_to, request.day)
    for name, part in (("fit", rows), ("evaluation", unseen)):
        if not len(part) or part["label"].nunique() < 2:
            raise WatchkeeperError(
                f"{spec.model}: the {name} window of request {request.request} lacks frauds or legitimate payments"
            )
    model = challenger.fit(spec, rows, SEED)
    judgement = challenger.judge(spec, unseen, challenger.scores(spec, model, unseen), SEED)
    name = f"{request.day}-{_digest(spec, request)}"
    registry_of(ctx).add(spec.model, name, model, _card(ctx, spec, request, len(rows), judgement))
    better = "in shadow" if spec.retraining.shadow_days else "promoted"
    outcome = replace(
        _answered(spec, request, ctx.ledger.retrained(spec.model)),
        outcome=better if judgement.better else "kept champion",
        reasons=judgement.reasons,
        challenger=name,
        comparison=judgement.figures,
        approved_by=approved_by,
    )
    record(ctx, spec, request, outcome)
    return outcome


def refuse(ctx: Context, spec: Spec, request: Decision, by: str, why: str) -> Retrained:
    """Record that a request was not approved, by whom (empty: nobody answered) and why; the champion stays."""
    blank = _answered(spec, request, ctx.ledger.retrained(spec.model))
    outcome = replace(blank, outcome="not approved", reasons=(why,), approved_by=by)
    record(ctx, spec, request, outcome)
    return outcome


def answer(
    ctx: Context, spec: Spec, name: str, outcome: str, challenger_name: str, reasons: Sequence[str], by: str
) -> Retrained:
    """Record what became of a request whose retraining ran elsewhere: 'promoted' or 'kept champion', and why.

    An answer that is there already stands. Raises WatchkeeperError for a request that was never made, for a
    promotion without the model's name, and where approval is required and nobody is said to have given it.
    """
    requests = {d.request: d for d in ctx.ledger.decisions(spec.model) if d.verdict == "requested"}
    if name not in requests:
        have = ", ".join(requests) or "none"
        raise WatchkeeperError(f"{name}: no such request; those of {spec.model} are: {have}")
    before = ctx.ledger.retrained(spec.model)
    if there := next((each for each in before if each.request == name), None):
        return there
    if outcome == "promoted" and not challenger_name:
        raise WatchkeeperError(f"{name}: a promotion needs the name of the trained model; give --challenger")
    if requests[name].approval == "required" and not by:
        raise WatchkeeperError(f"{name}: needs a person's approval; say whose with --by")
    new = replace(_answered(spec, requests[name], before), outcome=outcome, reasons=tuple(reasons), approved_by=by)
    new = replace(new, challenger=challenger_name)
    record(ctx, spec, requests[name], new)
    return new


def end_shadow(ctx: Context, spec: Spec, day: date) -> Retrained | None:
    """Judge a challenger in shadow again once its days are mature: promote it, or keep the champion.

    Champion and challenger score the same payments of the ``shadow_days`` after the request, which neither fit nor
    first judgement saw. Returns None while there is nothing to end.
    """
    waiting = [outcome for outcome in ctx.ledger.retrained(spec.model) if outcome.outcome == "in shadow"]
    newest = newest_mature_day(day, ctx.ledger.measurements(spec.model, as_of=day, monitors=("decay",)))
    if not waiting or newest is None:
        return None
    before = waiting[-1]
    start, end = before.day + timedelta(days=1), before.day + timedelta(days=spec.retraining.shadow_days)
    if newest < end:
        return None
    excluded = spoilt(spec, ctx.ledger.incidents(spec.model, as_of=day), day, start, end)
    rows = _sound(ctx, spec, excluded, start, end, day)
    model = registry_of(ctx).load(spec.model, before.challenger)
    judgement = challenger.judge(spec, rows, challenger.scores(spec, model, rows), SEED)
    outcome = replace(
        before,
        outcome="promoted" if judgement.better else "kept champion",
        reasons=judgement.reasons,
        evaluated_from=start,
        evaluated_to=end,
        comparison=judgement.figures,
    )
    request = next(decision for decision in ctx.ledger.decisions(spec.model) if decision.request == before.request)
    record(ctx, spec, request, outcome, day)
    return outcome


def record(ctx: Context, spec: Spec, request: Decision, outcome: Retrained, day: date | None = None) -> None:
    """Save an outcome with all that follows from it: a promotion's baseline, and the note in the incident's thread.

    ``day`` is the one on which a shadow ended; None: the request was answered.
    """
    with ctx.ledger.transaction():
        ctx.ledger.save_retrained(outcome)
        if outcome.outcome == "promoted":
            ctx.ledger.save_baseline(new_baseline(spec, outcome, day or request.day))
        kind = "answered" if day is None else "after shadow"
        on = day or request.day
        measured = ctx.ledger.measurements(spec.model, as_of=on, monitors=("decay",))
        story = _story(spec, outcome, on, newest_mature_day(on, measured))
        notes.tell(ctx.ledger, request.incident, on, kind, story)


def question(spec: Spec, request: Decision) -> str:
    """Return what a person is asked before a retraining."""
    gain = ""
    if request.gain_gbp_per_day:
        low, high = request.gain_low_gbp_per_day or 0.0, request.gain_high_gbp_per_day or request.gain_gbp_per_day
        gain = f" It may win back up to {pounds(request.gain_gbp_per_day)} a day ({pounds(low)} to {pounds(high)})."
    fit_from, fit_to, evaluate_to = window_of(request)
    left_out = f" without {counted(len(request.excluded), 'day')} of bad data" if request.excluded else ""
    return (
        f"Retraining is waiting for approval: {'; '.join(request.reasons)}.{gain} It would learn from "
        f"{day_words(fit_from)} to {day_words(fit_to)}{left_out} and be judged on the days up to "
        f"{day_words(evaluate_to)}. Without an answer in {spec.retraining.approval_hours} hours, nothing changes."
    )


def window_of(request: Decision) -> tuple[date, date, date]:
    """Return the first and last day to fit on and the last to judge on; raise WatchkeeperError where there is none."""
    if request.fit_from is None or request.fit_to is None or request.evaluate_to is None:
        raise WatchkeeperError(f"{request.model}: the request of {request.day} names no window of fit data")
    return request.fit_from, request.fit_to, request.evaluate_to


def _answered(spec: Spec, request: Decision, before: Sequence[Retrained]) -> Retrained:
    """Return a request's outcome without what became of it."""
    fit_from, fit_to, evaluate_to = window_of(request)
    since = fit_to + timedelta(days=1)
    span = (fit_from, fit_to, since, evaluate_to)
    return Retrained(request.request, spec.model, request.day, "", (), *span, champion_of(before), "", {})


def _story(spec: Spec, outcome: Retrained, day: date, mature: date | None) -> str:
    """Return what became of a request, as its incident's thread tells it; ``mature`` is the newest mature day then."""
    by = f", approved by {outcome.approved_by}" if outcome.approved_by else ""
    judged = f"judged on {day_words(outcome.evaluated_from)} to {day_words(outcome.evaluated_to)}"
    why = "; ".join(outcome.reasons)
    if outcome.outcome == "not approved":
        return f"Retraining: nothing changes, for {why}."
    if outcome.outcome == "kept champion":
        return f"Retraining{by}: the challenger was not better, {judged}, so nothing changes: {why}."
    if outcome.outcome == "in shadow":
        days = spec.retraining.shadow_days
        return f"Retraining{by}: the challenger is better, {judged}; it is in shadow for {days} new days: {why}."
    return f"Retraining{by}: challenger {outcome.challenger} is promoted, {judged}: {why}. " + _awaited(
        spec, outcome, day, mature
    )


def _awaited(spec: Spec, outcome: Retrained, promoted: date, mature: date | None) -> str:
    """Return what an incident waits for after a promotion, and until when."""
    ripening = "."
    if mature is not None:
        own_week = promoted + timedelta(days=WEEK) + (promoted - mature)
        ripening = f", from {day_words(own_week)} on if labels come as late as now."
    since = day_words(new_baseline(spec, outcome, promoted).day)
    return (
        f"This incident stays open until a week of the new champion's own is mature and sound{ripening} Its score is "
        f"held against its own days so far once they are a week, and against its first {BASELINE_DAYS} from {since} on."
    )


def _sound(ctx: Context, spec: Spec, excluded: tuple[date, ...], start: date, end: date, as_of: date) -> pd.DataFrame:
    """Return the labelled payments of a span of days as known on a day, without days of a data fault."""
    rows = ctx.warehouse.labelled_rows(spec, start, end, as_of, MOST_ROWS, SEED)
    return rows[~rows[spec.features.day].astype(str).isin([str(day) for day in excluded])]


def _digest(spec: Spec, request: Decision) -> str:
    text = f"{spec.model_dump_json(by_alias=True)}|{request}|{SEED}"
    return hashlib.sha256(text.encode()).hexdigest()[:10]


def _card(ctx: Context, spec: Spec, request: Decision, rows: int, judgement: challenger.Judgement) -> dict[str, Any]:
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
    fit_from, _, evaluate_to = window_of(request)
    partitions = sorted(ctx.warehouse.versions(spec, fit_from, evaluate_to).items())
    labels = ctx.warehouse.label_versions(spec, [request.day])
    return hashlib.sha256(f"{partitions}|{labels}".encode()).hexdigest()
