"""Loads what a day's monitors need, once, from what the ledger holds; nothing is scanned and nothing written."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from catalogue.metrics.performance_monitors import ESTIMATE_MONITOR
from ledger.records.retraining import BaselineChange
from ledger.store import Ledger, baseline_in_force
from models.errors import WatchkeeperError
from models.spec import HISTORY_DAYS, Spec
from monitors.drift.new_champion import baseline_being_gathered
from monitors.drift.slow_drift import WINDOW_DAYS
from monitors.inputs import CardRanking, DayInputs, DayProfile, ScoredDays, cohort_horizon_days
from monitors.performance.card_precision import days_to_rank
from monitors.performance.maturity import learn_delay_curve, maturing_days
from profiles.profile import Cohort, Cube, Profile
from profiles.schema import ProfileSchema
from warehouse.protocol import Warehouse
from watchkeeper.pipeline.custom_metrics import load_metric_functions
from watchkeeper.pipeline.day_cache import DayCache


@dataclass(frozen=True)
class StoredDays:
    """Which days the ledger holds a profile of, with their rows, and which baselines were recorded."""

    schema: ProfileSchema
    baselines: Sequence[BaselineChange]
    row_counts: dict[date, int]

    def baseline(self, spec: Spec, day: date) -> BaselineChange:
        """Return the baseline in force on a day."""
        return baseline_in_force(spec, self.baselines, day)

    def of_baseline(self, spec: Spec, day: date) -> list[date]:
        """Return the days with rows of the baseline in force on a day, in order."""
        chosen = self.baseline(spec, day)
        return [
            each
            for each in sorted(self.row_counts)
            if chosen.start <= each <= chosen.end and self.row_counts[each] and not spec.baseline.excludes_day(each)
        ]

    def before(self, day: date) -> dict[date, int]:
        """Return the rows of the days whose row counts a day's is held against."""
        first = day - timedelta(days=HISTORY_DAYS)
        return {each: rows for each, rows in self.row_counts.items() if first <= each < day}


def load_stored_days(ledger: Ledger, spec: Spec, schema: ProfileSchema) -> StoredDays:
    """Read which days are stored of a model; no profile is decoded."""
    rows = ledger.row_counts(spec.model, schema.id, date.min, date.max)
    return StoredDays(schema, ledger.baselines(spec.model), rows)


def load_baseline(ledger: Ledger, cache: DayCache, spec: Spec, stored: StoredDays, day: date) -> dict[date, Profile]:
    """Return the profile of each day of the baseline in force on a day, in order.

    Raises WatchkeeperError where the ledger holds no day of it with rows.
    """
    cache.begin(spec.model, stored.schema.id)
    return cache.profiles(ledger, require_baseline_days(spec, stored, day))


def require_baseline_days(spec: Spec, stored: StoredDays, day: date) -> list[date]:
    """Return the days with rows of the baseline in force on a day; raise WatchkeeperError where there is none."""
    days = stored.of_baseline(spec, day)
    if not days:
        chosen = stored.baseline(spec, day)
        raise WatchkeeperError(
            f"{spec.model}: table {spec.features.table} has no rows on the baseline's days "
            f"{chosen.start} to {chosen.end}; name other days under 'baseline' in the model file"
        )
    return days


def load_day(
    ledger: Ledger,
    cache: DayCache,
    spec: Spec,
    stored: StoredDays,
    day: date,
    changed: Collection[date] = (),
) -> DayInputs:
    """Load everything that a day's monitors need but what the warehouse ranks (``load_card_ranking``).

    ``changed`` are the cohort days whose labels differ from those known the day before. Raises WatchkeeperError where
    the ledger holds no day of the baseline.
    """
    schema = stored.schema
    cache.begin(spec.model, schema.id)
    normal = require_baseline_days(spec, stored, day)
    gathering = baseline_being_gathered(stored.baselines, day)
    since = [day - timedelta(days=WINDOW_DAYS), *([gathering.start] if gathering else [])]
    if schema.score is not None or spec.metrics:
        since += [normal[0], day - timedelta(days=cohort_horizon_days(spec))]
    start = min(since)
    recent = [each for each in stored.row_counts if start <= each <= day]
    profiles = cache.profiles(ledger, {*recent, *normal})
    baseline = {each: profiles[each] for each in normal}
    own_days = {each: profiles[each] for each in profiles if gathering and gathering.start <= each < day}
    return DayInputs(
        spec,
        schema,
        day,
        stored.row_counts,
        {each: profile for each, profile in profiles.items() if each <= day},
        baseline,
        _load_own(cache, spec, schema, day, profiles, baseline),
        load_scored_days(ledger, cache, spec, stored, day, changed=changed) if schema.score is not None else None,
        gathering,
        own_days,
        load_metric_functions(spec),
    )


def _load_own(
    cache: DayCache,
    spec: Spec,
    schema: ProfileSchema,
    day: date,
    profiles: Mapping[date, Profile],
    baseline: Mapping[date, Profile],
) -> DayProfile | None:
    profile = profiles.get(day)
    if profile is None or not profile.rows:
        return None
    first = day - timedelta(days=WINDOW_DAYS)
    vectors = cache.vectors(spec, schema, {each: own for each, own in profiles.items() if first <= each <= day})
    others = {each: own for each, own in baseline.items() if each != day}
    learned = cache.behaviour(spec, schema, others)
    calibration = cache.calibration(spec, schema, baseline)
    return DayProfile(profile, vectors.pop(day), vectors, calibration, learned.behaviour, learned.levels)


def load_scored_days(
    ledger: Ledger,
    cache: DayCache,
    spec: Spec,
    stored: StoredDays,
    day: date,
    *,
    changed: Collection[date] = (),
) -> ScoredDays:
    """Return the scores and labels that a day's monitors need, as known by the end of it."""
    normal = stored.of_baseline(spec, day)
    start = min(*normal, day - timedelta(days=cohort_horizon_days(spec)))
    cohorts, cubes = load_labelled_cubes(ledger, cache, spec, stored, start, day)
    curve = learn_delay_curve(cohorts, day, cohort_horizon_days(spec))
    yesterday = day - timedelta(days=1)
    estimates = ledger.measurements(spec.model, as_of_from=start, as_of_to=yesterday, monitors=(ESTIMATE_MONITOR,))
    return ScoredDays(
        cohorts,
        cubes,
        curve,
        frozenset(set(normal) & cubes.keys()),
        frozenset({*changed, day, *maturing_days(spec.labels, day, curve)}),
        estimates,
    )


def load_labelled_cubes(
    ledger: Ledger, cache: DayCache, spec: Spec, stored: StoredDays, start: date, as_of: date
) -> tuple[dict[date, Cohort], dict[date, Cube]]:
    """Return the cohorts of the days from ``start`` to ``as_of`` as known on the latter, and the days' score cubes."""
    schema = stored.schema
    cache.begin(spec.model, schema.id)
    profiles = cache.profiles(ledger, [day for day in stored.row_counts if start <= day <= as_of])
    return cache.labelled(ledger.cohort_contents(spec.model, schema.id, start, as_of, as_of), profiles)


def load_card_ranking(warehouse: Warehouse, inputs: DayInputs) -> DayInputs:
    """Return the inputs with the cards that the warehouse ranks highest, where the model file names cards."""
    spec, day = inputs.spec, inputs.day
    if spec.score.entity is None or inputs.scored is None:
        return inputs
    days = days_to_rank(spec, day, inputs.scored.cohorts)
    cards = warehouse.top_cards(spec, min(days), max(days), day)
    return replace(inputs, cards=CardRanking(days, cards))
