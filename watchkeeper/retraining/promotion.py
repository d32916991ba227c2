"""Who is in charge: the ledger is the truth, the registry follows it; and the way back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from alerting.notifications.messages import retraining_note
from ledger.records.retraining import BaselineChange, RetrainingOutcome
from models.errors import WatchkeeperError
from models.spec import Spec
from watchkeeper.context import Context
from watchkeeper.retraining.registry import LocalRegistry, Registry, Stage

BASELINE_DAYS = 28
IN_PRODUCTION = "the model in production"
"""The champion before any challenger was promoted; it is not in the registry."""


def open_registry(ctx: Context) -> Registry:
    """Return the registry that the settings name."""
    return LocalRegistry(ctx.settings.registry)


def current_champion(outcomes: Sequence[RetrainingOutcome]) -> str:
    """Return the name of the champion: the newest promoted challenger that was not rolled back."""
    promotions = _promotions_in_force(outcomes)
    return promotions[-1].challenger if promotions else IN_PRODUCTION


def settle_registry_stages(ctx: Context, spec: Spec) -> str:
    """Bring the registry's stages in line with the ledger, and return the champion; it may be repeated."""
    registry, outcomes = open_registry(ctx), ctx.ledger.retraining_outcomes(spec.model)
    champion = current_champion(outcomes)
    wanted: dict[str, Stage] = {
        outcome.challenger: "shadow" if outcome.outcome == "in shadow" else "archived"
        for outcome in outcomes
        if outcome.challenger not in ("", IN_PRODUCTION)
    }
    if champion != IN_PRODUCTION:
        wanted[champion] = "champion"
    have = registry.stages(spec.model)
    for version, stage in sorted(wanted.items(), key=lambda item: item[1] != "champion"):
        if have.get(version) != stage:
            registry.move(spec.model, version, stage)
    return champion


def baseline_after_promotion(spec: Spec, outcome: RetrainingOutcome, promoted: date) -> BaselineChange:
    """Let the new champion's first days in charge stand for normal, once they are over.

    Until then the baseline from before holds, which the new champion has to reach; only its score is not held against
    the other champion's (``monitors.drift.new_champion``).
    """
    start, end = promoted + timedelta(days=1), promoted + timedelta(days=BASELINE_DAYS)
    in_force = end + timedelta(days=1)
    return BaselineChange(spec.model, in_force, start, end, f"challenger {outcome.challenger} promoted")


def roll_back_champion(ctx: Context, spec: Spec, reason: str, day: date) -> RetrainingOutcome:
    """Put the champion before the present one back in charge, with its baseline; asked again on a day it does nothing.

    Raises WatchkeeperError where there is nothing to go back to, or no reason.
    """
    if not reason.strip():
        raise WatchkeeperError(f"{spec.model}: a rollback needs a reason, for whoever reads the record; give --reason")
    outcomes = ctx.ledger.retraining_outcomes(spec.model)
    name = f"{spec.model}/rollback-{day}"
    done = next((outcome for outcome in outcomes if outcome.request == name), None)
    if done is not None:
        settle_registry_stages(ctx, spec)
        return done
    promotions = _promotions_in_force(outcomes)
    if not promotions:
        raise WatchkeeperError(f"{spec.model}: no challenger was ever promoted, so there is nothing to roll back")
    last = promotions[-1]
    back = promotions[-2].challenger if len(promotions) > 1 else IN_PRODUCTION
    span = (last.fit_from, last.fit_to, last.evaluated_from, last.evaluated_to)
    outcome = RetrainingOutcome(
        name, spec.model, day, "rolled back", (reason.strip(),), *span, last.challenger, back, {}
    )
    decision = next((each for each in ctx.ledger.decisions(spec.model) if each.request == last.request), None)
    with ctx.ledger.transaction():
        ctx.ledger.save_retraining_outcome(outcome)
        ctx.ledger.save_baseline(_baseline_before_promotion(ctx, spec, last, day))
        if decision is not None:
            note = f"Retraining: challenger {last.challenger} was rolled back to {back}: {reason.strip()}."
            retraining_note.enqueue_retraining_note(ctx.ledger, decision.incident, day, "rolled back", note)
    settle_registry_stages(ctx, spec)
    return outcome


def _promotions_in_force(outcomes: Sequence[RetrainingOutcome]) -> list[RetrainingOutcome]:
    """Return the promotions in force, the newest last; a rollback takes its own away."""
    promotions: list[RetrainingOutcome] = []
    for outcome in sorted(outcomes, key=lambda each: (each.day, each.outcome == "rolled back")):
        if outcome.outcome == "promoted":
            promotions.append(outcome)
        elif outcome.outcome == "rolled back":
            promotions = [each for each in promotions if each.challenger != outcome.champion]
    return promotions


def _baseline_before_promotion(ctx: Context, spec: Spec, last: RetrainingOutcome, day: date) -> BaselineChange:
    """Return the baseline from before a promotion, in force again from a rollback's day on.

    Where the promotion's own is yet to come into force, it is replaced on its day: the newest counts.
    """
    recorded = ctx.ledger.baselines(spec.model)
    own = next((each for each in recorded if each.reason == f"challenger {last.challenger} promoted"), None)
    earlier = [each for each in recorded if own is None or each.day < own.day]
    start, end = (earlier[-1].start, earlier[-1].end) if earlier else (spec.baseline.start, spec.baseline.end)
    in_force = max(day, own.day) if own else day
    return BaselineChange(spec.model, in_force, start, end, f"challenger {last.challenger} rolled back")
