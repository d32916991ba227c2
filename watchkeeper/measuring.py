"""Every monitor of a day, over what the ledger holds of its data and labels."""

from __future__ import annotations

from datetime import date, timedelta

import monitors.cards
import monitors.clues
import monitors.costs
import monitors.decay
import monitors.drift
import monitors.estimate
import monitors.fairness
import monitors.faults
import monitors.habits
import monitors.maturity
import monitors.multivariate
import monitors.nowcast
import monitors.performance
import monitors.promoted
import monitors.season
import monitors.selective
import monitors.slow
from ledger.records import Measurement, Verdict
from models.spec import HISTORY_DAYS, Spec
from monitors.maturity import Curve
from warehouse import ranking
from warehouse.grid import Frame
from warehouse.profile import Profile
from watchkeeper import custom
from watchkeeper.stored import (
    Context,
    baseline_profiles,
    calibration,
    labelled,
    profiles_of,
    usual,
    vectors_of,
)

MEASURED = (
    "drift", "score", "fault", "slow", "performance", "nowcast", "decay", "estimate", "selective", "fairness",
    "custom", "clue",
)  # fmt: skip


def measured(
    ctx: Context,
    spec: Spec,
    frame: Frame,
    day: date,
    profile: Profile | None,
    changed: set[date],
    *,
    only_what_pages: bool = False,
) -> list[Measurement]:
    """Run every monitor of a day over what the ledger holds; nothing is written.

    ``profile`` is the day's (None: no partition), ``changed`` the cohort days whose labels differ from the day before.
    ``only_what_pages`` leaves out figures that open no incident, such as estimates: half of the work. The warehouse is
    asked for no row but of baseline days that were never scanned.
    """
    found: list[Measurement] = []
    normal = baseline_profiles(ctx, spec, frame, day)
    coming = monitors.promoted.settling(ctx.ledger.baselines(spec.model), day)
    own = profiles_of(ctx, spec, frame, coming.start, day - timedelta(days=1)) if coming else {}
    if profile is not None and profile.rows:
        learned = monitors.promoted.by_its_own(spec, frame, calibration(ctx, spec, frame, normal), own)
        found += monitors.drift.measure(spec, frame, day, profile, learned)
        if any(m.verdict is Verdict.BREACH for m in found):
            found += monitors.season.measure(spec, frame, day, profile, normal, found)
        recent = vectors_of(ctx, spec, frame, day - timedelta(days=monitors.slow.WINDOW_DAYS), day - timedelta(days=1))
        today = monitors.habits.vectors(spec, frame, profile)
        before = usual(ctx, spec, frame, {other: own for other, own in normal.items() if other != day})
        found += monitors.faults.measure(spec, frame, day, today, recent, before.habits)
        found += monitors.slow.measure(spec, day, today, recent, before.levels)
        if frame.moments or frame.embeddings:
            found += monitors.multivariate.measure(spec, frame, day, profile, list(normal.values()))
    if frame.score is not None:
        found += _measure_scores(ctx, spec, frame, day, set(normal), changed, only_what_pages=only_what_pages)
    judged = monitors.promoted.unjudged(found, spec.score.column, coming, len(own))
    return judged + custom.measure(ctx, spec, frame, day)


def top_cards(ctx: Context, spec: Spec, frame: Frame, as_of: date) -> list[Measurement]:
    """Measure how many of the cards with the highest scores were compromised, on the newest mature days."""
    if spec.score.entity is None:
        return []
    cohorts, _ = labelled(ctx, spec, frame, as_of - timedelta(days=horizon_days(spec)), as_of)
    ages = monitors.maturity.ages(spec.labels, monitors.maturity.learn(cohorts, as_of, horizon_days(spec)))
    newest = as_of - timedelta(days=ages.labels)
    days = [newest - timedelta(days=step) for step in range(ranking.MOST_DAYS)]
    ranked = ctx.warehouse.top_cards(spec, min(days), newest, as_of)
    return monitors.cards.measure(spec, as_of, ranked, days)


def horizon_days(spec: Spec) -> int:
    """Return how far back cohorts may still change, or row counts are looked at."""
    return max(spec.labels.horizon_days if spec.labels else 0, HISTORY_DAYS)


def _measure_scores(
    ctx: Context,
    spec: Spec,
    frame: Frame,
    as_of: date,
    normal: set[date],
    changed: set[date],
    *,
    only_what_pages: bool,
) -> list[Measurement]:
    """Measure performance, decay and fairness from the score cubes as they were known on ``as_of``.

    ``normal`` are the days of the baseline, ``changed`` the cohort days whose labels differ from the day before.
    """
    horizon = as_of - timedelta(days=horizon_days(spec))
    start = min(*normal, horizon)
    cohorts, cubes = labelled(ctx, spec, frame, start, as_of)
    curve = monitors.maturity.learn(cohorts, as_of, horizon_days(spec))
    judged = [
        *monitors.decay.measure(spec, frame, as_of, cubes, curve, normal & cubes.keys()),
        *monitors.fairness.measure(spec, frame, as_of, cubes, curve),
        *monitors.clues.measure(spec, frame, as_of, cubes, curve, normal & cubes.keys()),
    ]
    if only_what_pages:
        return judged
    changed = changed | {as_of} | _ripening(spec, as_of, curve)
    kept = {day: cube for day, cube in cubes.items() if day in normal or day >= horizon}  # the others may be tidied
    estimated = ctx.ledger.measurements(
        spec.model, as_of_from=start, as_of_to=as_of - timedelta(days=1), monitors=(monitors.estimate.MONITOR,)
    )
    return [
        *judged,
        *monitors.fairness.gaps(spec, frame, as_of, cubes, curve),
        *monitors.performance.measure(spec, frame, as_of, cubes, curve, changed & cubes.keys()),
        *monitors.performance.label_delay(spec, as_of, curve),
        *monitors.nowcast.measure(spec, frame, as_of, kept, curve, changed & kept.keys()),
        *monitors.costs.measure(spec, frame, as_of, cubes, curve),
        *monitors.estimate.measure(spec, frame, as_of, cubes, curve, normal & cubes.keys(), estimated),
        *monitors.selective.measure(spec, frame, as_of, cubes, curve),
    ]


def _ripening(spec: Spec, as_of: date, curve: Curve) -> set[date]:
    """Return the cohort days about to turn mature: their verdict changes even when no label comes.

    The curve is learned anew each day, so the age of maturity may move by a day or two between runs.
    """
    mature_days = curve.mature_days(spec.labels.maturity) if spec.labels else None
    if mature_days is None:
        return set()
    return {as_of - timedelta(days=age) for age in range(max(0, mature_days - 2), mature_days + 3)}
