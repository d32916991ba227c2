"""Takes a day into the ledger: its profile, those of days before it that never were scanned, and its labels.

The only part of a watch that writes profiles and cohorts. Everything after it reads the ledger.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import groupby

import numpy as np

from ledger.records.retraining import BaselineChange
from ledger.records.runs import StreamedDay
from models.spec import Spec
from monitors.inputs import cohort_horizon_days
from profiles.schema import ProfileSchema
from warehouse.protocol import Partition
from watchkeeper.context import Context
from watchkeeper.pipeline import labels
from watchkeeper.pipeline.day_cache import DayCache
from watchkeeper.pipeline.load_day import StoredDays, load_stored_days, require_baseline_days


@dataclass(frozen=True)
class AvailableDay:
    """What is there of a day, and what is stored of it and the days before.

    ``partition`` is what arrived or was streamed (None: nothing), ``known_columns`` the types that columns had on the
    baseline's first day. ``changed`` are the cohort days whose figures may differ from those known the day before.
    """

    partition: Partition | StreamedDay | None
    known_columns: Mapping[str, str] | None
    stored: StoredDays
    changed: frozenset[date] = frozenset()


def take_in_past(ctx: Context, spec: Spec, day: date, cache: DayCache) -> AvailableDay:
    """Look at what is there of a day, and scan the days before it that never were: a model first watched has a past.

    The partition is looked at before anything is read from it: data that is rewritten meanwhile has another version
    than the one recorded, and the day is watched again. Raises WatchkeeperError where no day of the baseline has rows.
    """
    schema = ensure_profile_schema(ctx, spec)
    partition = ctx.warehouse.partition(spec, day)
    stored = load_stored_days(ctx.ledger, spec, schema)
    chosen = stored.baseline(spec, day)
    horizon = day - timedelta(days=cohort_horizon_days(spec))
    span = min(chosen.start, horizon), max(chosen.end, day)
    streamed = ctx.ledger.streamed_days(spec.model, schema.id, *span)
    found = _scan_missing_baseline(ctx, spec, stored, chosen, streamed, cache)
    rows = {**stored.row_counts, **found}
    scanned = rows.keys() - (streamed.keys() - found.keys())
    rows |= scan_missing_days(ctx, spec, schema, (horizon, day - timedelta(days=1)), scanned, cache)
    stored = replace(stored, row_counts=rows)
    first = ctx.warehouse.partition(spec, require_baseline_days(spec, stored, day)[0])
    return AvailableDay(partition or streamed.get(day), first.columns if first else None, stored)


def take_in_day(ctx: Context, spec: Spec, day: date, past: AvailableDay, cache: DayCache) -> AvailableDay:
    """Scan a day's partition and take in the labels known by its end; return what is stored since."""
    stored = _scan_day(ctx, spec, day, past.stored, cache)
    if stored.schema.score is None or spec.labels is None:
        return replace(past, stored=stored)
    start = day - timedelta(days=cohort_horizon_days(spec))
    if not ctx.ledger.runs(spec.model, end=day - timedelta(days=1)):  # the first watch reads the whole baseline's
        start = min(start, *stored.of_baseline(spec, day))
    changed = labels.update_cohorts(ctx, spec, stored.schema, start, day)
    if spec.labels.negative != "explicit":  # its unlabelled payments turn legitimate today
        changed = changed | {day - timedelta(days=spec.labels.negative.after_days)}
    return replace(past, stored=stored, changed=frozenset(changed))


def ensure_profile_schema(ctx: Context, spec: Spec) -> ProfileSchema:
    """Return the model's profile schema; fit and save one when the model is new or its file asks for other columns."""
    stored = ctx.ledger.profile_schema(spec.model)
    if stored is not None and _schema_fits(spec, stored):
        return stored
    schema = ctx.warehouse.fit_profile_schema(spec)
    ctx.ledger.save_profile_schema(spec.model, schema)
    return schema


def scan_baseline(ctx: Context, spec: Spec, schema: ProfileSchema, day: date, cache: DayCache) -> StoredDays:
    """Scan the days of the baseline in force on a day that never were; return what is stored."""
    stored = load_stored_days(ctx.ledger, spec, schema)
    chosen = stored.baseline(spec, day)
    streamed = ctx.ledger.streamed_days(spec.model, schema.id, chosen.start, chosen.end)
    found = _scan_missing_baseline(ctx, spec, stored, chosen, streamed, cache)
    return replace(stored, row_counts={**stored.row_counts, **found})


def _scan_missing_baseline(
    ctx: Context,
    spec: Spec,
    stored: StoredDays,
    chosen: BaselineChange,
    streamed: Mapping[date, StreamedDay],
    cache: DayCache,
) -> dict[date, int]:
    """Scan the days of a baseline that never were, and those that lost the counts of their slices; return their rows.

    The latter didn't stand for normal when they lost them, and now do.
    """
    schema, span = stored.schema, (chosen.start, chosen.end)
    whole = ctx.ledger.row_counts(spec.model, schema.id, *span, whole=True).keys()
    return scan_missing_days(ctx, spec, schema, span, whole - streamed.keys(), cache)


def scan_missing_days(
    ctx: Context,
    spec: Spec,
    schema: ProfileSchema,
    span: tuple[date, date],
    scanned: Collection[date],
    cache: DayCache,
) -> dict[date, int]:
    """Scan the days of a span that aren't among the ``scanned`` ones, a run of them at a time, and save their profiles.

    Return the rows of each day that was scanned.
    """
    rows: dict[date, int] = {}
    for first, last in _consecutive_spans([day for day in ctx.warehouse.days(spec, *span) if day not in scanned]):
        found = ctx.warehouse.profile(spec, schema, first, last)
        ctx.ledger.save_profiles(spec.model, found)
        cache.forget(found.keys())
        rows |= {day: profile.rows for day, profile in found.items()}
    return rows


def _scan_day(ctx: Context, spec: Spec, day: date, stored: StoredDays, cache: DayCache) -> StoredDays:
    """Scan a day's partition anew and save its profile in place of an older one; a streamed one stands until then."""
    schema = stored.schema
    found = ctx.warehouse.profile(spec, schema, day, day)
    cache.forget([day])
    with ctx.ledger.transaction():
        if day not in found and ctx.ledger.streamed_days(spec.model, schema.id, day, day):
            rows = ctx.ledger.row_counts(spec.model, schema.id, day, day)
            return replace(stored, row_counts=stored.row_counts | rows)
        ctx.ledger.forget_profile(spec.model, schema.id, day)
        ctx.ledger.save_profiles(spec.model, found)
    others = {other: rows for other, rows in stored.row_counts.items() if other != day}
    return replace(stored, row_counts=others | {other: profile.rows for other, profile in found.items()})


def _consecutive_spans(days: list[date]) -> list[tuple[date, date]]:
    """Return the first and last day of each run of consecutive days."""
    ordered = sorted(days)
    runs = groupby(enumerate(ordered), key=lambda item: item[1].toordinal() - item[0])
    spans = [[day for _, day in run] for _, run in runs]
    return [(span[0], span[-1]) for span in spans]


def _schema_fits(spec: Spec, schema: ProfileSchema) -> bool:
    """Return whether a profile schema still has the columns, groups and threshold that the model file asks for."""
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
    own = {spec.score.version}  # a schema from before versions were counted is still good
    groups = {*spec.groups, *spec.pairs} | own
    if (asked and asked != kinds) or tuple(spec.slices) != schema.slices or groups != {*schema.groups} | own:
        return False
    if schema.score is None or spec.score.threshold is None:
        return True
    low, high = spec.score.range
    same_range = (schema.score.centre, schema.score.scale) == (low, high - low)
    return same_range and abs(float(schema.score.position(np.float64(spec.score.threshold)))) < 1e-9
