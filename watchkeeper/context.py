"""What was scanned before, from the ledger; and what wasn't, scanned once and stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import groupby
from typing import NamedTuple

import numpy as np

from ledger.records.runs import StreamedDay
from ledger.store import Ledger
from models.errors import WatchkeeperError
from models.spec import Spec
from monitors.drift.calibration import Calibration, learn_calibration
from monitors.drift.slow_drift import SlowDriftBaseline, learn_slow_drift_baseline
from monitors.faults import baseline_behaviour
from monitors.faults.baseline_behaviour import BaselineBehaviour, DayVectors
from monitors.performance.cubes import label_lazily
from profiles.codec import cohort_from_bytes
from profiles.profile import Cohort, Cube, Profile, sum_profiles
from profiles.schema import ProfileSchema
from warehouse.protocol import Partition, Warehouse
from watchkeeper.settings import Settings


class CachedCohort(NamedTuple):
    """What was last known of a cohort day, and its score cube with those labels, made from ``content`` and profile."""

    content: bytes | None
    profile: Profile | None
    cohort: Cohort | None
    cube: Cube | None


class CachedBehaviour(NamedTuple):
    """What the days of a baseline did, of one column and of its level."""

    days: Mapping[date, Profile]
    behaviour: BaselineBehaviour
    levels: SlowDriftBaseline


@dataclass(frozen=True)
class Context:
    """What every step is given. ``live`` is False in a backfill, which concludes but tells and asks nobody.

    The rest keeps in memory what a backfill of many days would decode, add up and learn every day: profiles, sums of
    baselines, cohorts with their score cubes, and what baselines say. ``cached_vectors`` and
    ``cached_behaviour`` are the last day's.
    """

    settings: Settings
    warehouse: Warehouse
    ledger: Ledger
    now: datetime
    live: bool = True
    cached_profiles: dict[tuple[str, str, date], Profile] = field(default_factory=dict, repr=False)
    cached_baseline_sums: dict[tuple[str, str, tuple[date, ...]], Profile] = field(default_factory=dict, repr=False)
    cached_cohorts: dict[tuple[str, str, date], CachedCohort] = field(default_factory=dict, repr=False)
    cached_calibrations: dict[tuple[str, str, tuple[date, ...]], Calibration] = field(default_factory=dict, repr=False)
    cached_vectors: dict[tuple[str, str, date], tuple[Profile, DayVectors]] = field(default_factory=dict, repr=False)
    cached_behaviour: dict[tuple[str, str], CachedBehaviour] = field(default_factory=dict, repr=False)


def profile_schema_of(ctx: Context, spec: Spec) -> ProfileSchema:
    """Return the model's frame; fix one when the model is first watched or its file asks for other columns."""
    stored = ctx.ledger.profile_schema(spec.model)
    if stored is not None and _schema_fits(spec, stored):
        return stored
    schema = ctx.warehouse.fit_profile_schema(spec)
    ctx.ledger.save_profile_schema(spec.model, schema)
    return schema


def partition_or_streamed(ctx: Context, spec: Spec, schema: ProfileSchema, day: date) -> Partition | StreamedDay | None:
    """Return a day's partition or, while it isn't there, what was streamed of the day; None without either."""
    return ctx.warehouse.partition(spec, day) or ctx.ledger.streamed_days(spec.model, schema.id, day, day).get(day)


def scan_day(ctx: Context, spec: Spec, schema: ProfileSchema, day: date) -> Profile | None:
    """Scan a day's partition anew, store its profile in place of an older one, and return it; None without one.

    The profile of a streamed day stands until its partition is there.
    """
    found = ctx.warehouse.profile(spec, schema, day, day)
    ctx.cached_profiles.pop((spec.model, schema.id, day), None)
    with ctx.ledger.transaction():
        if day not in found and ctx.ledger.streamed_days(spec.model, schema.id, day, day):
            return ctx.ledger.profiles(spec.model, schema.id, day, day)[day]
        ctx.ledger.forget_profile(spec.model, schema.id, day)
        ctx.ledger.save_profiles(spec.model, found)
    return found.get(day)


def scan_missing_days(
    ctx: Context, spec: Spec, schema: ProfileSchema, start: date, end: date, *, whole: bool = False
) -> dict[date, int]:
    """Scan the days of a span that never were, a run of them at a time; return the rows of each day with a profile.

    Streamed days were never scanned either. ``whole`` also scans anew what lost the counts of its slices: days that
    didn't stand for normal, and now do.
    """
    stored = ctx.ledger.row_counts(spec.model, schema.id, start, end)
    enough = ctx.ledger.row_counts(spec.model, schema.id, start, end, whole=True) if whole else stored
    scanned = enough.keys() - ctx.ledger.streamed_days(spec.model, schema.id, start, end).keys()
    missing = [day for day in ctx.warehouse.days(spec, start, end) if day not in scanned]
    for first, last in _consecutive_spans(missing):
        found = ctx.warehouse.profile(spec, schema, first, last)
        ctx.ledger.save_profiles(spec.model, found)
        stored |= {day: profile.rows for day, profile in found.items()}
        for day in found:
            ctx.cached_profiles.pop((spec.model, schema.id, day), None)
    return stored


def ensure_baseline_days(ctx: Context, spec: Spec, schema: ProfileSchema, as_of: date | None = None) -> list[date]:
    """Return the days, with a profile, of the baseline in force on a day, after scanning those never scanned.

    Raises WatchkeeperError where no partition of the baseline is there.
    """
    chosen = ctx.ledger.baseline(spec, as_of)
    stored = scan_missing_days(ctx, spec, schema, chosen.start, chosen.end, whole=True)
    days = sorted(day for day, rows in stored.items() if rows and not spec.baseline.excludes_day(day))
    if not days:
        raise WatchkeeperError(
            f"{spec.model}: table {spec.features.table} has no rows on the baseline's days "
            f"{chosen.start} to {chosen.end}; name other days under 'baseline' in the model file"
        )
    return days


def sum_baseline_profiles(
    ctx: Context, spec: Spec, schema: ProfileSchema, as_of: date | None = None
) -> tuple[Profile, int]:
    """Return the sum of the profiles of the baseline in force on a day, and its number of days."""
    days = tuple(ensure_baseline_days(ctx, spec, schema, as_of))
    key = (spec.model, schema.id, days)
    if key not in ctx.cached_baseline_sums:
        ctx.cached_baseline_sums[key] = sum_profiles(_profiles_on(ctx, spec, schema, days).values(), schema.id)
    return ctx.cached_baseline_sums[key], len(days)


def baseline_calibration(
    ctx: Context, spec: Spec, schema: ProfileSchema, baseline: Mapping[date, Profile]
) -> Calibration:
    """Return what was learned from the profiles of a baseline's days, once as long as the days stay the same."""
    key = (spec.model, schema.id, tuple(baseline))
    if key not in ctx.cached_calibrations:
        ctx.cached_calibrations[key] = learn_calibration(spec, schema, baseline)
    return ctx.cached_calibrations[key]


def vectors_by_day(ctx: Context, spec: Spec, schema: ProfileSchema, start: date, end: date) -> dict[date, DayVectors]:
    """Return the rows by cell of each stored day of a span; from one day to the next, only the new one is laid out."""
    found = {}
    for day, profile in stored_profiles(ctx, spec, schema, start, end).items():
        known = ctx.cached_vectors.get((spec.model, schema.id, day))
        found[day] = (
            known if known and known[0] is profile else (profile, baseline_behaviour.day_vectors(spec, schema, profile))
        )
    ctx.cached_vectors.clear()
    ctx.cached_vectors.update({(spec.model, schema.id, day): own for day, own in found.items()})
    return {day: vectors for day, (_, vectors) in found.items()}


def behaviour_of_days(ctx: Context, spec: Spec, schema: ProfileSchema, days: Mapping[date, Profile]) -> CachedBehaviour:
    """Return what some days of a baseline did, learned once as long as they stay the same."""
    known = ctx.cached_behaviour.get((spec.model, schema.id))
    if known and list(known.days) == list(days) and all(known.days[day] is days[day] for day in days):
        return known
    own = baseline_behaviour.learn_baseline_behaviour(
        spec, schema, {day: baseline_behaviour.day_vectors(spec, schema, profile) for day, profile in days.items()}
    )
    ctx.cached_behaviour[spec.model, schema.id] = CachedBehaviour(days, own, learn_slow_drift_baseline(own))
    return ctx.cached_behaviour[spec.model, schema.id]


def baseline_profiles(
    ctx: Context, spec: Spec, schema: ProfileSchema, as_of: date | None = None
) -> dict[date, Profile]:
    """Return the profile of each day of the baseline in force on a day, in order."""
    return _profiles_on(ctx, spec, schema, ensure_baseline_days(ctx, spec, schema, as_of))


def _profiles_on(ctx: Context, spec: Spec, schema: ProfileSchema, days: Sequence[date]) -> dict[date, Profile]:
    profiles = stored_profiles(ctx, spec, schema, days[0], days[-1])
    return {day: profiles[day] for day in days}


def stored_profiles(ctx: Context, spec: Spec, schema: ProfileSchema, start: date, end: date) -> dict[date, Profile]:
    """Return the stored profiles of a span of days, in order; only those not seen before are decoded."""
    days = ctx.ledger.row_counts(spec.model, schema.id, start, end)
    fresh = [day for day in days if (spec.model, schema.id, day) not in ctx.cached_profiles]
    for first, last in _consecutive_spans(fresh):
        for day, profile in ctx.ledger.profiles(spec.model, schema.id, first, last).items():
            ctx.cached_profiles[spec.model, schema.id, day] = profile
    return {day: ctx.cached_profiles[spec.model, schema.id, day] for day in sorted(days)}


def labelled_cohorts_and_cubes(
    ctx: Context, spec: Spec, schema: ProfileSchema, start: date, as_of: date
) -> tuple[dict[date, Cohort], dict[date, Cube]]:
    """Return the cohorts of a span as they were known on ``as_of``, and every day's score cube with their labels.

    Only what differs from the last call is decoded and counted: from one day to the next, few cohorts change.
    """
    profiles = stored_profiles(ctx, spec, schema, start, as_of)
    contents = ctx.ledger.cohort_contents(spec.model, schema.id, start, as_of, as_of)
    known: dict[date, CachedCohort] = {}
    for day in profiles.keys() | contents.keys():
        content, profile = contents.get(day), profiles.get(day)
        before = ctx.cached_cohorts.get((spec.model, schema.id, day))
        if before is None or before.content != content or before.profile is not profile:
            before = _cached_cohort(content, profile)
        known[day] = before
    ctx.cached_cohorts.clear()
    ctx.cached_cohorts.update({(spec.model, schema.id, day): own for day, own in known.items()})
    cohorts = {day: cohort for day in sorted(contents) if (cohort := known[day].cohort) is not None}
    return cohorts, {day: cube for day in profiles if (cube := known[day].cube) is not None}


def _cached_cohort(content: bytes | None, profile: Profile | None) -> CachedCohort:
    cohort = None if content is None else cohort_from_bytes(content)
    cube = None if profile is None else profile.cube
    if cube is not None and cohort is not None:
        cube = label_lazily(cube, cohort.labels)
    return CachedCohort(content, profile, cohort, cube)


def _consecutive_spans(days: list[date]) -> list[tuple[date, date]]:
    """Return the runs of consecutive days in a list of days."""
    ordered = sorted(days)
    runs = groupby(enumerate(ordered), key=lambda item: item[1].toordinal() - item[0])
    spans = [[day for _, day in run] for _, run in runs]
    return [(span[0], span[-1]) for span in spans]


def _schema_fits(spec: Spec, schema: ProfileSchema) -> bool:
    """Return whether a frame still has the columns, groups and threshold that the model file asks for."""
    asked = {name: column.kind for name, column in spec.features.columns.items()}
    kinds = {
        **dict.fromkeys(schema.numbers, "number"),
        **dict.fromkeys(schema.categories, "category"),
        **dict.fromkeys(schema.embeddings, "embedding"),
    }
    if spec.features.second_moments != bool(schema.moments):
        return False
    if schema.score is not None and schema.weighted != (spec.score.propensity is not None):
        return False
    own = {spec.score.version}  # a frame from before versions were counted is still good
    groups = {*spec.groups, *spec.pairs} | own
    if (asked and asked != kinds) or tuple(spec.slices) != schema.slices or groups != {*schema.groups} | own:
        return False
    if schema.score is None or spec.score.threshold is None:
        return True
    low, high = spec.score.range
    same_range = (schema.score.centre, schema.score.scale) == (low, high - low)
    return same_range and abs(float(schema.score.position(np.float64(spec.score.threshold)))) < 1e-9
