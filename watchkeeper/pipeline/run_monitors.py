"""Every monitor of a day, over what the ledger holds of its data and labels."""

from __future__ import annotations

from datetime import date, timedelta

from catalogue.performance_monitors import ESTIMATE_MONITOR
from ledger.records.measurements import Measurement, Verdict
from models.spec import HISTORY_DAYS, Spec
from monitors.diagnostics import measure_diagnostics
from monitors.drift.daily_drift import measure_drift
from monitors.drift.multivariate import measure_multivariate_drift
from monitors.drift.new_champion import baseline_being_gathered, calibrate_score_on_own_days, withhold_score_verdicts
from monitors.drift.season import diagnose_season
from monitors.drift.slow_drift import WINDOW_DAYS, measure_slow_drift
from monitors.fairness.group_rates import measure_calibration_gaps, measure_group_rates
from monitors.faults.baseline_behaviour import day_vectors
from monitors.faults.column_faults import measure_column_faults
from monitors.performance.by_cohort import measure_cohort_performance, measure_label_delay
from monitors.performance.card_precision import measure_card_precision
from monitors.performance.costs import measure_threshold_costs
from monitors.performance.decay import measure_decay
from monitors.performance.declined_payments import measure_declined_payments
from monitors.performance.estimate import measure_estimates
from monitors.performance.maturity import LabelDelayCurve, learn_delay_curve, maturity_ages
from monitors.performance.nowcast import measure_nowcasts
from profiles.profile import Profile
from profiles.schema import ProfileSchema
from warehouse.sql import top_entities
from watchkeeper.context import (
    Context,
    baseline_calibration,
    baseline_profiles,
    behaviour_of_days,
    labelled_cohorts_and_cubes,
    stored_profiles,
    vectors_by_day,
)
from watchkeeper.pipeline import custom_metrics

MONITORS_RUN = (
    "drift", "score", "fault", "slow", "performance", "nowcast", "decay", "estimate", "selective", "fairness",
    "custom", "clue",
)  # fmt: skip


def run_monitors(
    ctx: Context,
    spec: Spec,
    schema: ProfileSchema,
    day: date,
    profile: Profile | None,
    changed: set[date],
    *,
    only_what_alerts: bool = False,
) -> list[Measurement]:
    """Run every monitor of a day over what the ledger holds; nothing is written.

    ``profile`` is the day's (None: no partition), ``changed`` the cohort days whose labels differ from the day before.
    ``only_what_alerts`` leaves out figures that open no incident, such as estimates: half of the work. The warehouse is
    asked for no row but of baseline days that were never scanned.
    """
    found: list[Measurement] = []
    normal = baseline_profiles(ctx, spec, schema, day)
    coming = baseline_being_gathered(ctx.ledger.baselines(spec.model), day)
    own = stored_profiles(ctx, spec, schema, coming.start, day - timedelta(days=1)) if coming else {}
    if profile is not None and profile.rows:
        learned = calibrate_score_on_own_days(spec, schema, baseline_calibration(ctx, spec, schema, normal), own)
        found += measure_drift(spec, schema, day, profile, learned)
        if any(m.verdict is Verdict.BREACH for m in found):
            found += diagnose_season(spec, schema, day, profile, normal, found)
        recent = vectors_by_day(ctx, spec, schema, day - timedelta(days=WINDOW_DAYS), day - timedelta(days=1))
        today = day_vectors(spec, schema, profile)
        before = behaviour_of_days(ctx, spec, schema, {other: own for other, own in normal.items() if other != day})
        found += measure_column_faults(spec, schema, day, today, recent, before.behaviour)
        found += measure_slow_drift(spec, day, today, recent, before.levels)
        if schema.moments or schema.embeddings:
            found += measure_multivariate_drift(spec, schema, day, profile, list(normal.values()))
    if schema.score is not None:
        found += _measure_scores(ctx, spec, schema, day, set(normal), changed, only_what_alerts=only_what_alerts)
    judged = withhold_score_verdicts(found, spec.score.column, coming, len(own))
    return judged + custom_metrics.measure_own_metrics(ctx, spec, schema, day)


def measure_top_cards(ctx: Context, spec: Spec, schema: ProfileSchema, as_of: date) -> list[Measurement]:
    """Measure how many of the cards with the highest scores were compromised, on the newest mature days."""
    if spec.score.entity is None:
        return []
    cohorts, _ = labelled_cohorts_and_cubes(ctx, spec, schema, as_of - timedelta(days=cohort_horizon_days(spec)), as_of)
    ages = maturity_ages(spec.labels, learn_delay_curve(cohorts, as_of, cohort_horizon_days(spec)))
    newest = as_of - timedelta(days=ages.labels)
    days = [newest - timedelta(days=step) for step in range(top_entities.DAYS_RANKED_TOGETHER)]
    ranked = ctx.warehouse.top_cards(spec, min(days), newest, as_of)
    return measure_card_precision(spec, as_of, ranked, days)


def cohort_horizon_days(spec: Spec) -> int:
    """Return how far back cohorts may still change, or row counts are looked at."""
    return max(spec.labels.horizon_days if spec.labels else 0, HISTORY_DAYS)


def _measure_scores(
    ctx: Context,
    spec: Spec,
    schema: ProfileSchema,
    as_of: date,
    normal: set[date],
    changed: set[date],
    *,
    only_what_alerts: bool,
) -> list[Measurement]:
    """Measure performance, decay and fairness from the score cubes as they were known on ``as_of``.

    ``normal`` are the days of the baseline, ``changed`` the cohort days whose labels differ from the day before.
    """
    horizon = as_of - timedelta(days=cohort_horizon_days(spec))
    start = min(*normal, horizon)
    cohorts, cubes = labelled_cohorts_and_cubes(ctx, spec, schema, start, as_of)
    curve = learn_delay_curve(cohorts, as_of, cohort_horizon_days(spec))
    judged = [
        *measure_decay(spec, schema, as_of, cubes, curve, normal & cubes.keys()),
        *measure_group_rates(spec, schema, as_of, cubes, curve),
        *measure_diagnostics(spec, schema, as_of, cubes, curve, normal & cubes.keys()),
    ]
    if only_what_alerts:
        return judged
    changed = changed | {as_of} | _maturing_days(spec, as_of, curve)
    kept = {day: cube for day, cube in cubes.items() if day in normal or day >= horizon}  # the others may be tidied
    estimated = ctx.ledger.measurements(
        spec.model, as_of_from=start, as_of_to=as_of - timedelta(days=1), monitors=(ESTIMATE_MONITOR,)
    )
    return [
        *judged,
        *measure_calibration_gaps(spec, schema, as_of, cubes, curve),
        *measure_cohort_performance(spec, schema, as_of, cubes, curve, changed & cubes.keys()),
        *measure_label_delay(spec, as_of, curve),
        *measure_nowcasts(spec, schema, as_of, kept, curve, changed & kept.keys()),
        *measure_threshold_costs(spec, schema, as_of, cubes, curve),
        *measure_estimates(spec, schema, as_of, cubes, curve, normal & cubes.keys(), estimated),
        *measure_declined_payments(spec, schema, as_of, cubes, curve),
    ]


def _maturing_days(spec: Spec, as_of: date, curve: LabelDelayCurve) -> set[date]:
    """Return the cohort days about to turn mature: their verdict changes even when no label comes.

    The curve is learned anew each day, so the age of maturity may move by a day or two between runs.
    """
    mature_days = curve.mature_days(spec.labels.maturity) if spec.labels else None
    if mature_days is None:
        return set()
    return {as_of - timedelta(days=age) for age in range(max(0, mature_days - 2), mature_days + 3)}
