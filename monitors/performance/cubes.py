"""Score cubes of many days, of which little is asked: each group is labelled and counted once, if ever."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from functools import partial

import numpy as np

from monitors.stats.lazy import LazyMapping
from profiles.bins import Ints
from profiles.profile import COUNT, OPEN, SCORE, Cube, Group, sort_groups

LABEL_STATES = 4


class _LabelledGroups(LazyMapping[Group, Ints]):
    """The groups of a cube whose payments got labels."""

    def __init__(self, before: Cube, labels: Cube) -> None:
        super().__init__(
            lambda: sort_groups(dict.fromkeys([*before.bins, *labels.bins])), partial(_labelled_group, before, labels)
        )
        self.before, self.labels = before, labels

    def __contains__(self, group: object) -> bool:
        return group in self.before.bins or group in self.labels.bins  # labels are read where they must be


def _labelled_group(before: Cube, labels: Cube, group: Group) -> Ints:
    own = [Cube({group: cube.bins[group]} if group in cube.bins else {}) for cube in (before, labels)]
    return own[0].labelled(own[1]).bins[group]


def label_lazily(cube: Cube, labels: Cube) -> Cube:
    """Return ``cube.labelled(labels)``, each group made when it is asked for: of young cohorts hardly any ever is.

    Args:
        cube: the scored payments of a day.
        labels: the labelled ones among them.
    Returns:
        The cube with labels filled in.
    """
    return Cube(_LabelledGroups(cube, labels))


def count_at_threshold(cube: Cube, group: Group) -> Ints | None:
    """Return a group's payments below and above the threshold by label state.

    Counted once for each cube, and kept with it: a day is part of many windows, and of those of many days to come.

    Args:
        cube: the score cube of a day.
        group: a slice or protected column and its value, or EVERYONE.
    Returns:
        Payments: (2, states), below first; None where the group has none.
    """
    kept: dict[Group, Ints] = vars(cube).setdefault("counted", {})
    if group not in kept and group in cube.bins:
        kept[group] = _compute_at_threshold(cube, group)
    return kept.get(group)


def _compute_at_threshold(cube: Cube, group: Group) -> Ints:
    if not isinstance(cube.bins, _LabelledGroups):
        return sum_at_threshold(cube.bins[group])
    before, labels = count_at_threshold(cube.bins.before, group), count_at_threshold(cube.bins.labels, group)
    if before is None or labels is None:  # a type of fraud is known of labels only
        return np.asarray(labels if before is None else before)
    result = before + labels
    result[:, OPEN] -= labels.sum(axis=1)
    return result


def count_days_at_threshold(cubes: Mapping[date, Cube], days: Iterable[date], group: Group) -> Ints | None:
    """Return a group's payments below and above the threshold by label state, over days.

    Args:
        cubes: score cubes by day.
        days: keys of ``cubes``.
        group: a slice or protected column and its value, or EVERYONE.
    Returns:
        Payments: (2, states), below first; None where the group has none.
    """
    found = [counts for day in days if (counts := count_at_threshold(cubes[day], group)) is not None]
    return np.asarray(np.sum(found, axis=0)) if found else None


class CumulativeCounts:
    """What ``count_days_at_threshold`` returns, for many spans of the same days.

    Each group is added up once; a span is a difference.
    """

    def __init__(self, cubes: Mapping[date, Cube], first: date) -> None:
        self._days = sorted(day for day in cubes if day >= first)
        self._position = {day: position for position, day in enumerate(self._days)}
        self._cubes, self._sums = cubes, dict[Group, Ints]()

    def tally(self, days: Sequence[date], group: Group) -> Ints | None:
        """Return a group's payments below and above the threshold by label state, over a span of days.

        Args:
            days: at least one, in order; all days from the first to the last count.
            group: a slice or protected column and its value, or EVERYONE.
        Returns:
            Payments: (2, states), below first; None where the group has none.
        """
        if group not in self._sums:
            own = [count_at_threshold(self._cubes[day], group) for day in self._days]
            none = np.zeros((2, LABEL_STATES), np.int64)
            self._sums[group] = np.cumsum([none, *(none if each is None else each for each in own)], axis=0)
        first, last = self._position[days[0]], self._position[days[-1]]
        found = self._sums[group][last + 1] - self._sums[group][first]
        return np.asarray(found) if found.any() else None


def sums_by_score_bin(cube: Cube, group: Group) -> Ints | None:
    """Return a group's payments and sum of scores by score bin, whatever their labels; kept with the cube.

    Args:
        cube: the score cube of a day.
        group: a slice or protected column and its value, or EVERYONE.
    Returns:
        Payments, and scores in billionths of their range: (2, score bins); None where the group has none.
    """
    if isinstance(cube.bins, _LabelledGroups) and group in cube.bins.before.bins:
        return sums_by_score_bin(cube.bins.before, group)
    kept: dict[Group, Ints] = vars(cube).setdefault("by_score", {})
    if group not in kept and group in cube.bins:
        kept[group] = sum_by_score_bin(cube.bins[group])
    return kept.get(group)


def sum_by_score_bin(part: Ints) -> Ints:
    """Return the payments of a part and their sum of scores by score bin.

    Args:
        part: (score bins, states, sums).
    Returns:
        Payments, and scores in billionths of their range: (2, score bins).
    """
    return np.stack([part[:, :, COUNT].sum(axis=1), part[:, :, SCORE].sum(axis=1)])


def sum_at_threshold(part: Ints) -> Ints:
    """Return the payments of a part below and above the threshold by label state.

    Args:
        part: (score bins, states, sums), the threshold in the middle.
    Returns:
        Payments: (2, states), below first.
    """
    return np.asarray(part[:, :, COUNT].reshape(2, len(part) // 2, -1).sum(axis=1))
