"""What a model's days have in common, kept in memory while one after the other is watched or replayed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from ledger.store import Ledger
from models.spec import Spec
from monitors.drift.calibration import Calibration, learn_calibration
from monitors.drift.slow_drift import SlowDriftBaseline, learn_slow_drift_baseline
from monitors.faults.baseline_behaviour import BaselineBehaviour, DayVectors, day_vectors, learn_baseline_behaviour
from monitors.performance.cubes import label_lazily
from profiles.codec import cohort_from_bytes
from profiles.profile import Cohort, Cube, Profile
from profiles.schema import ProfileSchema


class LabelledDay(NamedTuple):
    """What was last known of a cohort day, and its score cube with those labels, made from ``content`` and profile."""

    content: bytes | None
    profile: Profile | None
    cohort: Cohort | None
    cube: Cube | None


class LearnedBehaviour(NamedTuple):
    """What some days of a baseline did, of one column and of its level."""

    days: Mapping[date, Profile]
    behaviour: BaselineBehaviour
    levels: SlowDriftBaseline


@dataclass
class DayCache:
    """Decodes, adds up and learns once what many days of one model need: hand the same cache to each of them.

    It holds nothing that isn't in the ledger, so a fresh one gives the same figures, only later. One cache serves one
    model, profile schema and model file at a time; ``begin`` empties it for another model or schema.
    """

    _owner: tuple[str, str] = ("", "")
    _profiles: dict[date, Profile] = field(default_factory=dict)
    _calibrations: dict[tuple[date, ...], Calibration] = field(default_factory=dict)
    _labelled: dict[date, LabelledDay] = field(default_factory=dict)
    _vectors: dict[date, tuple[Profile, DayVectors]] = field(default_factory=dict)
    _behaviour: LearnedBehaviour | None = None

    def begin(self, model: str, schema_id: str) -> None:
        """Make sure that what is kept is of this model and schema."""
        if self._owner != (model, schema_id):
            self._owner, self._behaviour = (model, schema_id), None
            self._profiles, self._calibrations, self._labelled, self._vectors = {}, {}, {}, {}

    def forget(self, days: Collection[date]) -> None:
        """Forget the profiles of days that were scanned anew."""
        for day in days:
            self._profiles.pop(day, None)

    def for_other_rules(self) -> DayCache:
        """Return a cache for a changed model file: what doesn't depend on its columns stays."""
        return DayCache(self._owner, dict(self._profiles), self._calibrations, dict(self._labelled))

    def without(self, days: Collection[date]) -> DayCache:
        """Return a cache for a history in which some days have other profiles."""
        kept = {day: profile for day, profile in self._profiles.items() if day not in days}
        return DayCache(
            self._owner, kept, self._calibrations, dict(self._labelled), dict(self._vectors), self._behaviour
        )

    def profiles(self, ledger: Ledger, days: Collection[date]) -> dict[date, Profile]:
        """Return the stored profiles of days that have one, in order; those not seen before are read together."""
        fresh = [day for day in days if day not in self._profiles]
        if fresh:
            self._profiles |= ledger.profiles_of_days(*self._owner, fresh)
        return {day: self._profiles[day] for day in sorted(days)}

    def calibration(self, spec: Spec, schema: ProfileSchema, baseline: Mapping[date, Profile]) -> Calibration:
        """Return what was learned from a baseline's days, once as long as the days stay the same."""
        key = tuple(baseline)
        if key not in self._calibrations:
            self._calibrations[key] = learn_calibration(spec, schema, baseline)
        return self._calibrations[key]

    def vectors(self, spec: Spec, schema: ProfileSchema, profiles: Mapping[date, Profile]) -> dict[date, DayVectors]:
        """Return the rows by bin of each of some days; from one day to the next, only the new one is laid out."""
        found = {}
        for day, profile in profiles.items():
            known = self._vectors.get(day)
            found[day] = known if known and known[0] is profile else (profile, day_vectors(spec, schema, profile))
        self._vectors = found
        return {day: vectors for day, (_, vectors) in found.items()}

    def behaviour(self, spec: Spec, schema: ProfileSchema, days: Mapping[date, Profile]) -> LearnedBehaviour:
        """Return what some days of a baseline did, learned once as long as they stay the same."""
        known = self._behaviour
        if known and list(known.days) == list(days) and all(known.days[day] is days[day] for day in days):
            return known
        vectors = {day: day_vectors(spec, schema, profile) for day, profile in days.items()}
        behaviour = learn_baseline_behaviour(spec, schema, vectors)
        self._behaviour = LearnedBehaviour(days, behaviour, learn_slow_drift_baseline(behaviour))
        return self._behaviour

    def labelled(
        self, contents: Mapping[date, bytes], profiles: Mapping[date, Profile]
    ) -> tuple[dict[date, Cohort], dict[date, Cube]]:
        """Return cohorts from their stored contents, and every day's score cube with their labels.

        Only what differs from the last call is decoded and counted: from one day to the next, few cohorts change.
        """
        found: dict[date, LabelledDay] = {}
        for day in profiles.keys() | contents.keys():
            content, profile = contents.get(day), profiles.get(day)
            before = self._labelled.get(day)
            if before is None or before.content != content or before.profile is not profile:
                before = _labelled_day(content, profile)
            found[day] = before
        self._labelled = found
        cohorts = {day: cohort for day in sorted(contents) if (cohort := found[day].cohort) is not None}
        return cohorts, {day: cube for day in profiles if (cube := found[day].cube) is not None}


def _labelled_day(content: bytes | None, profile: Profile | None) -> LabelledDay:
    cohort = None if content is None else cohort_from_bytes(content)
    cube = None if profile is None else profile.cube
    if cube is not None and cohort is not None:
        cube = label_lazily(cube, cohort.labels)
    return LabelledDay(content, profile, cohort, cube)
