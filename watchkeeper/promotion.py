"""Who is in charge: the ledger is the truth, the registry follows it; and the way back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from alerting import notes
from ledger.records import Baselined, Retrained
from models.errors import WatchkeeperError
from models.spec import Spec
from watchkeeper.registry import LocalRegistry, Registry, Stage
from watchkeeper.stored import Context

BASELINE_DAYS = 28
IN_PRODUCTION = "the model in production"
"""The champion before any challenger was promoted; it is not in the registry."""


def registry_of(ctx: Context) -> Registry:
    """Return the registry that the settings name."""
    return LocalRegistry(ctx.settings.registry)


def champion_of(outcomes: Sequence[Retrained]) -> str:
    """Return the name of the champion: the newest promoted challenger that was not rolled back."""
    reign = _reign(outcomes)
    return reign[-1].challenger if reign else IN_PRODUCTION


def settle(ctx: Context, spec: Spec) -> str:
    """Bring the registry's stages in line with the ledger, and return the champion; it may be repeated."""
    registry, outcomes = registry_of(ctx), ctx.ledger.retrained(spec.model)
    champion = champion_of(outcomes)
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


def new_baseline(spec: Spec, outcome: Retrained, promoted: date) -> Baselined:
    """Let the new champion's first days in charge stand for normal, once they are over.

    Until then the baseline from before holds, which the new champion has to reach; only its score is not held against
    the other champion's (``monitors.promoted``).
    """
    start, end = promoted + timedelta(days=1), promoted + timedelta(days=BASELINE_DAYS)
    in_force = end + timedelta(days=1)
    return Baselined(spec.model, in_force, start, end, f"challenger {outcome.challenger} promoted")


def rollback(ctx: Context, spec: Spec, reason: str, day: date) -> Retrained:
    """Put the champion before the present one back in charge, with its baseline; asked again on a day it does nothing.

    Raises WatchkeeperError where there is nothing to go back to, or no reason.
    """
    if not reason.strip():
        raise WatchkeeperError(f"{spec.model}: a rollback needs a reason, for whoever reads the record; give --reason")
    outcomes = ctx.ledger.retrained(spec.model)
    name = f"{spec.model}/rollback-{day}"
    done = next((outcome for outcome in outcomes if outcome.request == name), None)
    if done is not None:
        settle(ctx, spec)
        return done
    reign = _reign(outcomes)
    if not reign:
        raise WatchkeeperError(f"{spec.model}: no challenger was ever promoted, so there is nothing to roll back")
    last = reign[-1]
    back = reign[-2].challenger if len(reign) > 1 else IN_PRODUCTION
    span = (last.fit_from, last.fit_to, last.evaluated_from, last.evaluated_to)
    outcome = Retrained(name, spec.model, day, "rolled back", (reason.strip(),), *span, last.challenger, back, {})
    decision = next((each for each in ctx.ledger.decisions(spec.model) if each.request == last.request), None)
    with ctx.ledger.transaction():
        ctx.ledger.save_retrained(outcome)
        ctx.ledger.save_baseline(_baseline_before(ctx, spec, last, day))
        if decision is not None:
            told = f"Retraining: challenger {last.challenger} was rolled back to {back}: {reason.strip()}."
            notes.tell(ctx.ledger, decision.incident, day, "rolled back", told)
    settle(ctx, spec)
    return outcome


def _reign(outcomes: Sequence[Retrained]) -> list[Retrained]:
    """Return the promotions in force, the newest last; a rollback takes its own away."""
    reign: list[Retrained] = []
    for outcome in sorted(outcomes, key=lambda each: (each.day, each.outcome == "rolled back")):
        if outcome.outcome == "promoted":
            reign.append(outcome)
        elif outcome.outcome == "rolled back":
            reign = [each for each in reign if each.challenger != outcome.champion]
    return reign


def _baseline_before(ctx: Context, spec: Spec, last: Retrained, day: date) -> Baselined:
    """Return the baseline from before a promotion, in force again from a rollback's day on.

    Where the promotion's own is yet to come into force, it is replaced on its day: the newest counts.
    """
    recorded = ctx.ledger.baselines(spec.model)
    own = next((each for each in recorded if each.reason == f"challenger {last.challenger} promoted"), None)
    earlier = [each for each in recorded if own is None or each.day < own.day]
    start, end = (earlier[-1].start, earlier[-1].end) if earlier else (spec.baseline.start, spec.baseline.end)
    in_force = max(day, own.day) if own else day
    return Baselined(spec.model, in_force, start, end, f"challenger {last.challenger} rolled back")
