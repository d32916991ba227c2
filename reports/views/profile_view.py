"""One model's stored profiles: of each day, of the newest days together, and of the baseline."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cached_property

from ledger.store import Ledger
from models.spec import Spec
from profiles.profile import EVERYONE, Counts, Group, Profile, sum_profiles
from profiles.schema import ProfileSchema

NOW_DAYS = 7
"""Newest days whose payments are 'now', beside the baseline's: every weekday once."""


@dataclass
class ProfileView:
    """The profiles of the days from ``first`` to ``last``, each part read once; empty before a model is watched."""

    ledger: Ledger
    spec: Spec
    first: date | None
    last: date | None

    @cached_property
    def schema(self) -> ProfileSchema | None:
        """Return what the bins of the model's profiles mean; None before it was first watched."""
        return self.ledger.profile_schema(self.spec.model)

    @cached_property
    def by_day(self) -> dict[date, Profile]:
        """Return the stored profiles of the days that charts show, in order."""
        if self.schema is None or self.first is None or self.last is None:
            return {}
        return self.ledger.profiles(self.spec.model, self.schema.id, self.first, self.last)

    @cached_property
    def now(self) -> Profile:
        """Return the sum of the newest days' profiles, ``NOW_DAYS`` at most."""
        newest = [self.by_day[day] for day in list(self.by_day)[-NOW_DAYS:]]
        return sum_profiles(newest, self.schema.id if self.schema else "")

    @cached_property
    def baseline(self) -> Profile:
        """Return the sum of the profiles of the baseline in force."""
        if self.schema is None:
            return sum_profiles([], "")
        chosen = self.ledger.baseline(self.spec, self.last)
        wanted = self.ledger.profiles(self.spec.model, self.schema.id, chosen.start, chosen.end)
        excluded = set(self.spec.baseline.exclude)
        return sum_profiles([profile for day, profile in wanted.items() if day not in excluded], self.schema.id)

    def counts(self, column: str) -> dict[date, Counts]:
        """Return a column's counts on each day of which there is a profile."""
        found = {day: column_counts_of(profile, column) for day, profile in self.by_day.items()}
        return {day: counts for day, counts in found.items() if counts.rows}

    @property
    def columns(self) -> set[str]:
        """Return the features that are profiled."""
        return {*self.schema.numbers, *self.schema.categories, *self.schema.embeddings} if self.schema else set()


def column_counts_of(profile: Profile, column: str, group: Group = EVERYONE) -> Counts:
    """Return a column's counts in a profile, empty where it has none."""
    return profile.features.get(group, {}).get(column, Counts())
