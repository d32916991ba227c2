"""What one scan of a partition brings back: counts that add and subtract, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from profiles.bins import Floats, Ints
from profiles.counts import (
    BinCounts,
    Counts,
    Group,
    LazyArrays,
    PackedCounts,
    sort_groups,
    sum_bin_counts,
    sum_packed_counts,
)

__all__ = ["BinCounts", "Cohort", "Counts", "Cube", "Group", "Moments", "Profile", "sort_groups", "sum_profiles"]

EVERYONE: Group = ("", None)
FRAUD_TYPE = "fraud_type"
"""Stands for the column of the label table that holds a fraud's type; only frauds have one."""
MISSED: Group = ("alert", "none")
"""The frauds that raised no alert."""

OPEN, BLOCKED, FRAUD, LEGITIMATE = range(4)
"""Label states of a scored payment: no label yet, blocked (no honest label can come), fraud, legitimate."""
COUNT, PENCE, SCORE, WEIGHT, WEIGHTED_PENCE, UNWEIGHTED = range(6)
"""What the cube sums: payments, amount in pence, score in billionths of its range; and, where the model file names a
propensity p, 1 / p in millionths, pence / p, and payments without a usable p. Blocked payments have no weight."""


@dataclass(frozen=True)
class Cube:
    """Scores by label state and group: ``bins[group]`` has the shape (score bin, label state, sum), integers.

    The first axis is the score's bin number plus the grid's ``half``, so a payment raised an alert when index >= half.
    """

    bins: Mapping[Group, Ints] = field(default_factory=dict)

    def __add__(self, other: Cube) -> Cube:
        return _sum_cubes([(1, self), (1, other)])

    def __sub__(self, other: Cube) -> Cube:
        return _sum_cubes([(1, self), (-1, other)])

    def labelled(self, labels: Cube) -> Cube:
        """Return the cube with labels filled in.

        Args:
            labels: the payments that have one (states fraud and legitimate), by this cube's groups and fraud types.
        Returns:
            A new cube: these payments left the state open.
        """
        bins = dict(self.bins)
        for group, part in labels.bins.items():
            if group not in bins:  # fraud types, which are not known before the label
                bins[group] = part
                continue
            bins[group] = bins[group] + part
            bins[group][:, OPEN] -= part.sum(axis=1)
        return Cube(sort_groups({group: part for group, part in bins.items() if part.any()}))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Cube):
            return NotImplemented
        return self.bins.keys() == other.bins.keys() and all(
            np.array_equal(part, other.bins[group]) for group, part in self.bins.items()
        )

    __hash__ = None  # type: ignore[assignment]  # arrays inside: equal by value, so not hashable


PER_BIN = 64
"""Coordinates are kept in 64ths of a grid's bin. Within a grid of 256 bins they are at most 2^13, so a day's sum of
products stays exact in a double up to 2^27 rows, and in 64 bits for a thousand such days."""
ALL_NUMBERS = ""
"""Name of the moments of all numbers of a model together; those of an embedding have its column's name."""


@dataclass(frozen=True)
class Moments:
    """Sums over n rows of k coordinates: ``sums`` (k) and ``products`` (k, k; symmetric), integers.

    A coordinate is a value's position on its grid in 64ths of a bin, clipped to the grid.
    """

    n: int
    sums: Ints
    products: Ints

    @classmethod
    def from_upper(cls, n: int, sums: Ints, upper: Ints) -> Moments:
        """Return moments from the upper triangle of their products.

        Args:
            n: rows.
            sums: (k).
            upper: (k (k + 1) / 2), by rows, with the diagonal.
        Returns:
            Moments with the full symmetric (k, k) products.
        Example:
            >>> Moments.from_upper(1, np.array([2, 3]), np.array([4, 6, 9])).products.tolist()
            [[4, 6], [6, 9]]
        """
        k = len(sums)
        products, places = np.zeros((k, k), dtype=np.int64), np.triu_indices(k)
        products[places] = upper
        products.T[places] = upper
        return cls(n, sums, products)

    def __add__(self, other: Moments) -> Moments:
        return Moments(self.n + other.n, self.sums + other.sums, self.products + other.products)

    def __sub__(self, other: Moments) -> Moments:
        return Moments(self.n - other.n, self.sums - other.sums, self.products - other.products)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Moments):
            return NotImplemented
        same = np.array_equal(self.sums, other.sums) and np.array_equal(self.products, other.products)
        return self.n == other.n and same

    __hash__ = None  # type: ignore[assignment]  # arrays inside: equal by value, so not hashable

    @property
    def mean(self) -> Floats:
        """Return the mean of each coordinate, in bins: (k)."""
        return np.asarray(self.sums / self.n / PER_BIN)

    @property
    def covariance(self) -> Floats:
        """Return the covariance of the coordinates (divided by n), in bins squared: (k, k)."""
        return np.asarray(self.products / self.n / PER_BIN**2 - np.outer(self.mean, self.mean))


@dataclass(frozen=True)
class Profile:
    """Everything Watchkeeper keeps of a partition, or of any sum of partitions.

    ``features[group][column]`` are counts for ``EVERYONE`` and for each value of each slice column;
    ``cube`` also has the protected columns. ``moments`` are there where the model file asks for them.
    Only profiles with the same ``schema_id`` add and subtract.
    """

    schema_id: str
    rows: int = 0
    features: Mapping[Group, Mapping[str, Counts]] = field(default_factory=dict)
    cube: Cube = field(default_factory=Cube)
    moments: Mapping[str, Moments] = field(default_factory=dict)

    def __add__(self, other: Profile) -> Profile:
        return _sum_signed_profiles(self.schema_id, [(1, self), (1, other)])

    def __sub__(self, other: Profile) -> Profile:
        return _sum_signed_profiles(self.schema_id, [(1, self), (-1, other)])


def sum_profiles(profiles: Iterable[Profile], schema_id: str) -> Profile:
    """Return the sum of profiles.

    Args:
        profiles: any number, none included.
        schema_id: the id of the profile schema that all of them have.
    Returns:
        Their sum; of none, the empty profile of that schema.
    Raises:
        ValueError: where a profile has another schema.
    """
    return _sum_signed_profiles(schema_id, [(1, profile) for profile in profiles])


def _sum_cubes(parts: Sequence[tuple[int, Cube]]) -> Cube:
    """Return the signed sum of cubes, added up when it is first looked at: drift looks at none."""
    return Cube(LazyArrays(partial(_sum_cube_bins, parts)))


def _sum_cube_bins(parts: Sequence[tuple[int, Cube]]) -> dict[Group, Ints]:
    """Return the signed sum of cubes, its groups in order and without those that are zero everywhere."""
    bins: dict[Group, Ints] = {}
    for sign, cube in parts:
        for group, part in cube.bins.items():
            if group in bins:
                (np.add if sign > 0 else np.subtract)(bins[group], part, out=bins[group])
            else:
                bins[group] = sign * part
    return sort_groups({group: part for group, part in bins.items() if part.any()})


def _sum_signed_profiles(schema_id: str, parts: Sequence[tuple[int, Profile]]) -> Profile:
    """Return the signed sum of profiles; a column or group of which nothing is left is left out."""
    for _, profile in parts:
        if profile.schema_id != schema_id:
            raise ValueError(f"profiles of the schemas {schema_id} and {profile.schema_id} don't add up")
    return Profile(
        schema_id,
        sum(sign * profile.rows for sign, profile in parts),
        sum_packed_counts([(sign, PackedCounts.of(profile.features)) for sign, profile in parts]),
        _sum_cubes([(sign, profile.cube) for sign, profile in parts]),
        _sum_moments([(sign, profile.moments) for sign, profile in parts]),
    )


def _sum_moments(parts: Sequence[tuple[int, Mapping[str, Moments]]]) -> dict[str, Moments]:
    """Return the signed sum of moments, without those of which nothing is left."""
    summed: dict[str, Moments] = {}
    for sign, moments in parts:
        for name, own in moments.items():
            nothing = Moments(0, np.zeros_like(own.sums), np.zeros_like(own.products))
            before = summed.get(name, nothing)
            summed[name] = before + own if sign > 0 else before - own
    return {name: summed[name] for name in sorted(summed) if summed[name].products.any() or summed[name].n}


@dataclass(frozen=True)
class Cohort:
    """What was known, as of some day, about the payments scored on one day.

    ``labels`` holds the labelled payments only (states fraud and legitimate); ``delays`` counts the
    frauds among them, blocked ones left out, by the days between scoring and their first fraud label, and
    ``delays_by_group`` does so for parts of them: MISSED and, where the model file names any, each fraud type, which
    also is a group of ``labels`` (of frauds only).
    """

    labels: Cube = field(default_factory=Cube)
    delays: Mapping[int, int] = field(default_factory=dict)
    delays_by_group: Mapping[Group, Mapping[int, int]] = field(default_factory=dict)

    def __add__(self, other: Cohort) -> Cohort:
        return _sum_cohorts([(1, self), (1, other)])

    def __sub__(self, other: Cohort) -> Cohort:
        return _sum_cohorts([(1, self), (-1, other)])


def _sum_cohorts(parts: Sequence[tuple[int, Cohort]]) -> Cohort:
    """Return the signed sum of cohorts, its delays in order and without zeros."""
    groups = {group for _, cohort in parts for group in cohort.delays_by_group}
    delays_by_group = {
        group: sum_bin_counts([(sign, cohort.delays_by_group.get(group, {})) for sign, cohort in parts])
        for group in groups
    }
    return Cohort(
        _sum_cubes([(sign, cohort.labels) for sign, cohort in parts]),
        sum_bin_counts([(sign, cohort.delays) for sign, cohort in parts]),
        sort_groups({group: delays for group, delays in delays_by_group.items() if len(delays)}),
    )
