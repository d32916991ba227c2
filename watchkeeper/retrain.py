"""From a retraining request to a promoted challenger, or to a recorded reason why the champion stays."""

from __future__ import annotations

import hashlib
import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd

from ledger.records import Baselined, Decision, Retrained
from models.errors import WatchkeeperError
from models.spec import Spec
from watchkeeper import challenger
from watchkeeper.files import write_whole
from watchkeeper.settings import REPOSITORY
from watchkeeper.stored import Context

SEED = 20260101
MOST_ROWS = 400_000
"""Bound on the rows that leave the warehouse for a fit; a sample by hash of the id above it."""
BASELINE_DAYS = 28


def open_request(ctx: Context, spec: Spec) -> Decision | None:
    """Return the newest request that has no outcome yet; an event that comes twice finds none the second time."""
    answered = {outcome.request for outcome in ctx.ledger.retrained(spec.model)}
    requests = [d for d in ctx.ledger.decisions(spec.model) if d.verdict == "requested" and d.request not in answered]
    return max(requests, key=lambda decision: decision.day, default=None)


def retrain(ctx: Context, spec: Spec, request: Decision) -> Retrained:
    """Fit a challenger on the request's window, judge it on the later days, promote it only when it is better.

    The outcome, and the new baseline of a promotion, are one transaction, and the stored model's name follows from
    the request, so that a run killed at any point and run again ends the same.
    """
    if request.fit_from is None or request.fit_to is None or request.evaluate_to is None:
        raise WatchkeeperError(f"{spec.model}: the request of {request.day} names no window of fit data")
    evaluate_from = request.fit_to + timedelta(days=1)
    rows = _sound(ctx, spec, request, request.fit_from, request.fit_to)
    unseen = _sound(ctx, spec, request, evaluate_from, request.evaluate_to)
    for name, part in (("fit", rows), ("evaluation", unseen)):
        if not len(part) or part["label"].nunique() < 2:
            raise WatchkeeperError(
                f"{spec.model}: the {name} window of request {request.request} lacks frauds or legitimate payments"
            )
    model = challenger.fit(spec, rows, SEED)
    judgement = challenger.judge(spec, unseen, challenger.scores(spec, model, unseen), SEED)
    name = f"{request.day}-{_digest(spec, request)}"
    folder = ctx.settings.registry / spec.model
    _store(folder / name, model, _card(spec, request, len(rows), judgement))
    outcome = Retrained(
        request=request.request,
        model=spec.model,
        day=request.day,
        outcome="promoted" if judgement.better else "kept champion",
        reasons=judgement.reasons,
        fit_from=request.fit_from,
        fit_to=request.fit_to,
        evaluated_from=evaluate_from,
        evaluated_to=request.evaluate_to,
        champion=champion_of(ctx, spec),
        challenger=name,
        comparison=judgement.figures,
    )
    with ctx.ledger.transaction():
        ctx.ledger.save_retrained(outcome)
        if judgement.better:
            ctx.ledger.save_baseline(_new_baseline(spec, request, name))
    return outcome


def champion_of(ctx: Context, spec: Spec) -> str:
    """Return the name of the newest promoted challenger, or say that none was ever promoted."""
    promoted = [outcome for outcome in ctx.ledger.retrained(spec.model) if outcome.outcome == "promoted"]
    return max(promoted, key=lambda outcome: outcome.day).challenger if promoted else "the model in production"


def point_to_champion(ctx: Context, spec: Spec) -> str:
    """Write the champion's name where the scoring service reads it; the ledger is the truth, so it may be repeated."""
    folder = ctx.settings.registry / spec.model
    folder.mkdir(parents=True, exist_ok=True)
    name = champion_of(ctx, spec)
    write_whole(folder / "champion.json", json.dumps({"champion": name}, indent=1))
    return name


def _sound(ctx: Context, spec: Spec, request: Decision, start: date, end: date) -> pd.DataFrame:
    """Return the labelled payments of a span of days as known on the request's day, without days of a data fault."""
    rows = ctx.warehouse.labelled_rows(spec, start, end, request.day, MOST_ROWS, SEED)
    return rows[~rows[spec.features.day].astype(str).isin([str(day) for day in request.excluded])]


def _new_baseline(spec: Spec, request: Decision, name: str) -> Baselined:
    """Let the newest mature days stand for normal once the cooldown is over.

    Before then the new champion has no mature cohort of its own; and days that are watched while it is being trained,
    or again later, are judged by the same baseline whenever the training ends.
    """
    assert request.fit_from is not None
    assert request.evaluate_to is not None
    in_force = request.day + timedelta(days=max(1, spec.retraining.cooldown_days))
    start = max(request.fit_from, request.evaluate_to - timedelta(days=BASELINE_DAYS - 1))
    return Baselined(spec.model, in_force, start, request.evaluate_to, f"challenger {name} promoted")


def _digest(spec: Spec, request: Decision) -> str:
    text = f"{spec.model_dump_json(by_alias=True)}|{request}|{SEED}"
    return hashlib.sha256(text.encode()).hexdigest()[:10]


def _card(spec: Spec, request: Decision, rows: int, judgement: challenger.Judgement) -> dict[str, Any]:
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
        "seed": SEED,
        "lock_sha256": hashlib.sha256(lock.read_bytes()).hexdigest() if lock.exists() else "",
        "better": judgement.better,
        "reasons": judgement.reasons,
        "figures": judgement.figures,
    }


def _store(folder: Path, model: Any, card: dict[str, Any]) -> None:
    import joblib  # noqa: PLC0415  comes with scikit-learn

    folder.mkdir(parents=True, exist_ok=True)
    joblib.dump(model, folder / "model.joblib")
    write_whole(folder / "card.json", json.dumps(card, indent=1, default=str))
