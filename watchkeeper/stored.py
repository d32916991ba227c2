"""What was scanned before, from the ledger; and what wasn't, scanned once and stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import groupby
from typing import NamedTuple

import numpy as np

import monitors.cubes
import monitors.slow
from ledger.records import Streamed
from ledger.store import Ledger
from models.errors import WatchkeeperError
from models.spec import Spec
from monitors import habits
from monitors.calibration import Calibration, learn
from monitors.habits import Habits, Vectors
from warehouse.codec import cohort_from_bytes
from warehouse.grid import Frame
from warehouse.profile import Cohort, Cube, Profile, total
from warehouse.protocol import Partition, Warehouse
from watchkeeper.settings import Settings


class Known(NamedTuple):
    """What was last known of a cohort day, and its score cube with those labels, made from ``content`` and profile."""

    content: bytes | None
    profile: Profile | None
    cohort: Cohort | None
    cube: Cube | None


class Usual(NamedTuple):
    """What the days of a baseline did, of one column and of its level."""

    days: Mapping[date, Profile]
    habits: Habits
    levels: monitors.slow.Learned


@dataclass(frozen=True)
class Context:
    """What every step is given. ``live`` is False in a backfill, which concludes but tells and asks nobody.

    The rest keeps in memory what a backfill of many days would decode, add up and learn every day: profiles, sums of
    baselines, cohorts with their score cubes, and what baselines say. ``vectors`` and ``usual`` are the last day's.
    """

    settings: Settings
    warehouse: Warehouse
    ledger: Ledger
    now: datetime
    live: bool = True
    seen: dict[tuple[str, str, date], Profile] = field(default_factory=dict, repr=False)
    sums: dict[tuple[str, str, tuple[date, ...]], Profile] = field(default_factory=dict, repr=False)
    known: dict[tuple[str, str, date], Known] = field(default_factory=dict, repr=False)
    calibrations: dict[tuple[str, str, tuple[date, ...]], Calibration] = field(default_factory=dict, repr=False)
    vectors: dict[tuple[str, str, date], tuple[Profile, Vectors]] = field(default_factory=dict, repr=False)
    usual: dict[tuple[str, str], Usual] = field(default_factory=dict, repr=False)


def frame_of(ctx: Context, spec: Spec) -> Frame:
    """Return the model's frame; fix one when the model is first watched or its file asks for other columns."""
    stored = ctx.ledger.frame(spec.model)
    if stored is not None and _fits(spec, stored):
        return stored
    frame = ctx.warehouse.frame(spec)
    ctx.ledger.save_frame(spec.model, frame)
    return frame


def arrived(ctx: Context, spec: Spec, frame: Frame, day: date) -> Partition | Streamed | None:
    """Return a day's partition or, while it isn't there, what was streamed of the day; None without either."""
    return ctx.warehouse.partition(spec, day) or ctx.ledger.streamed(spec.model, frame.id, day, day).get(day)


def scan(ctx: Context, spec: Spec, frame: Frame, day: date) -> Profile | None:
    """Scan a day's partition anew, store its profile in place of an older one, and return it; None without one.

    The profile of a streamed day stands until its partition is there.
    """
    found = ctx.warehouse.profile(spec, frame, day, day)
    ctx.seen.pop((spec.model, frame.id, day), None)
    with ctx.ledger.transaction():
        if day not in found and ctx.ledger.streamed(spec.model, frame.id, day, day):
            return ctx.ledger.profiles(spec.model, frame.id, day, day)[day]
        ctx.ledger.forget_profile(spec.model, frame.id, day)
        ctx.ledger.save_profiles(spec.model, found)
    return found.get(day)


def scan_missing(
    ctx: Context, spec: Spec, frame: Frame, start: date, end: date, *, whole: bool = False
) -> dict[date, int]:
    """Scan the days of a span that never were, a run of them at a time; return the rows of each day with a profile.

    Streamed days were never scanned either. ``whole`` also scans anew what lost the counts of its slices: days that
    didn't stand for normal, and now do.
    """
    stored = ctx.ledger.row_counts(spec.model, frame.id, start, end)
    enough = ctx.ledger.row_counts(spec.model, frame.id, start, end, whole=True) if whole else stored
    scanned = enough.keys() - ctx.ledger.streamed(spec.model, frame.id, start, end).keys()
    missing = [day for day in ctx.warehouse.days(spec, start, end) if day not in scanned]
    for first, last in _spans(missing):
        found = ctx.warehouse.profile(spec, frame, first, last)
        ctx.ledger.save_profiles(spec.model, found)
        stored |= {day: profile.rows for day, profile in found.items()}
        for day in found:
            ctx.seen.pop((spec.model, frame.id, day), None)
    return stored


def baseline_days(ctx: Context, spec: Spec, frame: Frame, as_of: date | None = None) -> list[date]:
    """Return the days, with a profile, of the baseline in force on a day, after scanning those never scanned.

    Raises WatchkeeperError where no partition of the baseline is there.
    """
    chosen = ctx.ledger.baseline(spec, as_of)
    stored = scan_missing(ctx, spec, frame, chosen.start, chosen.end, whole=True)
    days = sorted(day for day, rows in stored.items() if rows and not spec.baseline.leaves_out(day))
    if not days:
        raise WatchkeeperError(
            f"{spec.model}: table {spec.features.table} has no rows on the baseline's days "
            f"{chosen.start} to {chosen.end}; name other days under 'baseline' in the model file"
        )
    return days


def baseline_sum(ctx: Context, spec: Spec, frame: Frame, as_of: date | None = None) -> tuple[Profile, int]:
    """Return the sum of the profiles of the baseline in force on a day, and its number of days."""
    days = tuple(baseline_days(ctx, spec, frame, as_of))
    key = (spec.model, frame.id, days)
    if key not in ctx.sums:
        ctx.sums[key] = total(_profiles_on(ctx, spec, frame, days).values(), frame.id)
    return ctx.sums[key], len(days)


def calibration(ctx: Context, spec: Spec, frame: Frame, baseline: Mapping[date, Profile]) -> Calibration:
    """Return what was learned from the profiles of a baseline's days, once as long as the days stay the same."""
    key = (spec.model, frame.id, tuple(baseline))
    if key not in ctx.calibrations:
        ctx.calibrations[key] = learn(spec, frame, baseline)
    return ctx.calibrations[key]


def vectors_of(ctx: Context, spec: Spec, frame: Frame, start: date, end: date) -> dict[date, Vectors]:
    """Return the rows by cell of each stored day of a span; from one day to the next, only the new one is laid out."""
    found = {}
    for day, profile in profiles_of(ctx, spec, frame, start, end).items():
        known = ctx.vectors.get((spec.model, frame.id, day))
        found[day] = known if known and known[0] is profile else (profile, habits.vectors(spec, frame, profile))
    ctx.vectors.clear()
    ctx.vectors.update({(spec.model, frame.id, day): own for day, own in found.items()})
    return {day: vectors for day, (_, vectors) in found.items()}


def usual(ctx: Context, spec: Spec, frame: Frame, days: Mapping[date, Profile]) -> Usual:
    """Return what some days of a baseline did, learned once as long as they stay the same."""
    known = ctx.usual.get((spec.model, frame.id))
    if known and list(known.days) == list(days) and all(known.days[day] is days[day] for day in days):
        return known
    own = habits.learn(spec, frame, {day: habits.vectors(spec, frame, profile) for day, profile in days.items()})
    ctx.usual[spec.model, frame.id] = Usual(days, own, monitors.slow.learn(own))
    return ctx.usual[spec.model, frame.id]


def baseline_profiles(ctx: Context, spec: Spec, frame: Frame, as_of: date | None = None) -> dict[date, Profile]:
    """Return the profile of each day of the baseline in force on a day, in order."""
    return _profiles_on(ctx, spec, frame, baseline_days(ctx, spec, frame, as_of))


def _profiles_on(ctx: Context, spec: Spec, frame: Frame, days: Sequence[date]) -> dict[date, Profile]:
    profiles = profiles_of(ctx, spec, frame, days[0], days[-1])
    return {day: profiles[day] for day in days}


def profiles_of(ctx: Context, spec: Spec, frame: Frame, start: date, end: date) -> dict[date, Profile]:
    """Return the stored profiles of a span of days, in order; only those not seen before are decoded."""
    days = ctx.ledger.row_counts(spec.model, frame.id, start, end)
    fresh = [day for day in days if (spec.model, frame.id, day) not in ctx.seen]
    for first, last in _spans(fresh):
        for day, profile in ctx.ledger.profiles(spec.model, frame.id, first, last).items():
            ctx.seen[spec.model, frame.id, day] = profile
    return {day: ctx.seen[spec.model, frame.id, day] for day in sorted(days)}


def labelled(
    ctx: Context, spec: Spec, frame: Frame, start: date, as_of: date
) -> tuple[dict[date, Cohort], dict[date, Cube]]:
    """Return the cohorts of a span as they were known on ``as_of``, and every day's score cube with their labels.

    Only what differs from the last call is decoded and counted: from one day to the next, few cohorts change.
    """
    profiles = profiles_of(ctx, spec, frame, start, as_of)
    contents = ctx.ledger.cohort_contents(spec.model, frame.id, start, as_of, as_of)
    known: dict[date, Known] = {}
    for day in profiles.keys() | contents.keys():
        content, profile = contents.get(day), profiles.get(day)
        before = ctx.known.get((spec.model, frame.id, day))
        if before is None or before.content != content or before.profile is not profile:
            before = _known(content, profile)
        known[day] = before
    ctx.known.clear()
    ctx.known.update({(spec.model, frame.id, day): own for day, own in known.items()})
    cohorts = {day: cohort for day in sorted(contents) if (cohort := known[day].cohort) is not None}
    return cohorts, {day: cube for day in profiles if (cube := known[day].cube) is not None}


def _known(content: bytes | None, profile: Profile | None) -> Known:
    cohort = None if content is None else cohort_from_bytes(content)
    cube = None if profile is None else profile.cube
    if cube is not None and cohort is not None:
        cube = monitors.cubes.labelled(cube, cohort.labels)
    return Known(content, profile, cohort, cube)


def _spans(days: list[date]) -> list[tuple[date, date]]:
    """Return the runs of consecutive days in a list of days."""
    ordered = sorted(days)
    runs = groupby(enumerate(ordered), key=lambda item: item[1].toordinal() - item[0])
    spans = [[day for _, day in run] for _, run in runs]
    return [(span[0], span[-1]) for span in spans]


def _fits(spec: Spec, frame: Frame) -> bool:
    """Return whether a frame still has the columns, groups and threshold that the model file asks for."""
    asked = {name: column.kind for name, column in spec.features.columns.items()}
    kinds = {
        **dict.fromkeys(frame.numbers, "number"),
        **dict.fromkeys(frame.categories, "category"),
        **dict.fromkeys(frame.embeddings, "embedding"),
    }
    if spec.features.second_moments != bool(frame.moments):
        return False
    if frame.score is not None and frame.weighted != (spec.score.propensity is not None):
        return False
    own = {spec.score.version}  # a frame from before versions were counted is still good
    groups = {*spec.groups, *spec.pairs} | own
    if (asked and asked != kinds) or tuple(spec.slices) != frame.slices or groups != {*frame.groups} | own:
        return False
    if frame.score is None or spec.score.threshold is None:
        return True
    low, high = spec.score.range
    same_range = (frame.score.centre, frame.score.scale) == (low, high - low)
    return same_range and abs(float(frame.score.position(np.float64(spec.score.threshold)))) < 1e-9
