"""A model's recent mature cohorts and its baseline's, each pooled, for as many days as hold enough cases.

A week of cohorts holds every weekday once. Where it holds too few frauds for a verdict, the window widens to two, four
and eight weeks. Each metric waits only for the labels that it needs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from typing import NamedTuple

import numpy as np

from catalogue import Needs
from catalogue.metrics.performance import VALUE_DETECTION_RATE
from ledger.records.measurements import Verdict
from models.spec import Spec
from monitors.performance import figures
from monitors.performance.cubes import LABEL_STATES, count_at_threshold
from monitors.performance.figures import ConfusionCounts
from monitors.performance.maturity import (
    LabelDelayCurve,
    MaturityAges,
    maturity_ages,
    maturity_ages_of_type,
    newest_days,
)
from monitors.stats.intervals import Estimate
from profiles.bins import Floats, Ints
from profiles.profile import EVERYONE, FRAUD, PENCE, Cube, Group

WINDOWS_DAYS = (7, 14, 28, 56)
"""The first window with enough cases is judged; those beyond the first hold no day of the baseline."""
LEAST_SHARE = 4 / 7
"""Of the window's days at least so many must have payments."""


@dataclass(frozen=True)
class PooledCohorts:
    """Cohort days pooled: their score cubes of a group, settled where labels are waited for.

    ``known_share`` of all fraud is known on the youngest day. What takes every score bin is added up if it is asked
    for: rates at the threshold are not worth it.
    """

    spec: Spec
    days: list[date]
    cubes: Mapping[date, Cube]
    group: Group
    needs: Needs
    known_share: float

    @cached_property
    def _counts(self) -> Ints:
        """Return the payments below and above the threshold by state: (day, 2, states)."""
        found = [count_at_threshold(self.cubes[day], self.group) for day in self.days]
        none = np.zeros((2, LABEL_STATES), np.int64)
        return np.array([self._settled(none if own is None else own) for own in found])

    @cached_property
    def daily(self) -> list[ConfusionCounts]:
        """Return each day's counts at the threshold."""
        return [figures.confusion_from_counts(own) for own in self._counts]

    @cached_property
    def counts(self) -> ConfusionCounts:
        """Return the counts at the threshold of all days."""
        return figures.confusion_from_counts(self._counts.sum(axis=0))

    @cached_property
    def part(self) -> Ints:
        """Return the sum of the days' parts of the score cube: (score bins, states, sums)."""
        pooled = figures.pool_cohort_days(self.cubes, self.days, self.group)
        return self._settled(self._nothing if pooled is None else pooled)

    @cached_property
    def frauds(self) -> Ints:
        """Return each day's frauds: (days, score bins, sums)."""
        return np.stack([self.cubes[day].bins.get(self.group, self._nothing)[:, FRAUD] for day in self.days])

    @cached_property
    def _nothing(self) -> Ints:
        return np.zeros_like(self.cubes[self.days[0]].bins[EVERYONE])

    def _settled(self, part: Ints) -> Ints:
        return figures.count_unlabelled_as_legitimate(self.spec, part) if self.needs is Needs.LABELS else part

    def estimate(self, metric: str, false_positive_rate: float = 0.01) -> Estimate | None:
        """Return a metric over the pooled days; for money, each day's bins are units of their own.

        Args:
            metric: key of a quality metric.
            false_positive_rate: 0 to 1, for recall at a fixed one.
        Returns:
            The figure with its 95 % interval; None where it is undefined.
        Source:
            ``figures.compute_metric``, its lower bound by ``figures.allow_for_unknown_fraud``.
        """
        if metric == VALUE_DETECTION_RATE:
            found = figures.value_detection_rate(self.frauds)
        elif metric in figures.EVENTS_AND_CASES:
            found = figures.compute_share(metric, self.counts)
        else:
            found = figures.compute_metric(metric, self.part, self.counts, false_positive_rate)
        return figures.allow_for_unknown_fraud(metric, found, self.known_share)

    def fraud_gbp(self, *, caught: bool) -> Floats:
        """Return the amount of each day's frauds.

        Args:
            caught: count those that raised an alert only.
        Returns:
            GBP: (days).
        """
        first = self.frauds.shape[1] // 2 if caught else 0
        gbp: Floats = self.frauds[:, first:, PENCE].sum(axis=1) / 100
        return gbp


class NotComparable(NamedTuple):
    """Why two sides can't be compared."""

    verdict: Verdict
    reason: str


class CohortComparison(NamedTuple):
    """The recent cohorts and the baseline's, as far as they are mature for the same labels."""

    recent: PooledCohorts
    normal: PooledCohorts
    window_days: int

    @property
    def span(self) -> str:
        """Return the recent cohorts' days in words, as in 'the week to 7 May'."""
        length = "week" if self.window_days == 7 else f"{self.window_days} days"
        return f"the {length} to {_format_day(self.recent.days[-1])}"


@dataclass(frozen=True)
class KnownCohorts:
    """All that is known of a model's cohorts on a day, and what was pooled of it before."""

    spec: Spec
    as_of: date
    cubes: Mapping[date, Cube]
    scored: list[date]
    baseline: frozenset[date]
    curve: LabelDelayCurve
    pooled: dict[tuple[Needs, Group, int], CohortComparison | NotComparable] = field(default_factory=dict)

    def ages(self, group: Group) -> MaturityAges:
        """Return from which age on cohorts are mature.

        Args:
            group: EVERYONE, or FRAUD_TYPE and a type.
        Returns:
            Ages in days.
        """
        every = maturity_ages(self.spec.labels, self.curve)
        if group == EVERYONE or self.spec.labels is None:
            return every
        return maturity_ages_of_type(self.spec.labels, self.curve, every, group)

    def compare_over(self, needs: Needs, group: Group, window_days: int) -> CohortComparison | NotComparable:
        """Return the recent and the baseline's mature days, summed; kept for the next metric that asks.

        Args:
            needs: the labels that the metric waits for.
            group: EVERYONE, or FRAUD_TYPE and a type.
            window_days: calendar days of the recent side.
        Returns:
            Both sides, or why they can't be compared.
        """
        key = needs, group, window_days
        if key not in self.pooled:
            self.pooled[key] = _compare_cohorts(self, *key)
        return self.pooled[key]

    def first_sufficient_window(self, metric: str, group: Group) -> CohortComparison | NotComparable:
        """Return both sides over the first window that has enough cases for a metric.

        Args:
            metric: key of a quality metric.
            group: EVERYONE, or FRAUD_TYPE and a type.
        Returns:
            Both sides, of the widest window where none has enough; or why they can't be compared.
        """
        found = self.compare_over(figures.labels_needed(metric), group, WINDOWS_DAYS[0])
        for window_days in WINDOWS_DAYS[1:]:
            if isinstance(found, NotComparable) or not figures.describe_too_few_cases(metric, found.recent.counts):
                break
            wider = self.compare_over(figures.labels_needed(metric), group, window_days)
            if isinstance(wider, NotComparable) or not self.baseline.isdisjoint(wider.recent.days):
                break
            found = wider
        return found


def _compare_cohorts(
    known: KnownCohorts, needs: Needs, group: Group, window_days: int
) -> CohortComparison | NotComparable:
    scored, mature = known.scored, known.ages(group)
    from_days = mature.of(needs)
    recent = newest_days(scored, known.as_of, from_days, window_days)
    if not scored:
        return NotComparable(Verdict.INSUFFICIENT, "No scored payments since the baseline began.")
    end = known.as_of - timedelta(days=from_days)
    seventh = min(scored) + timedelta(days=WINDOWS_DAYS[0] - 1)
    if end < seventh:
        return NotComparable(Verdict.IMMATURE, f"The first week of cohorts is {mature.describe_when(seventh, needs)}.")
    if len(recent) < LEAST_SHARE * window_days:
        reason = f"Only {len(recent)} of the {window_days} newest mature cohort days, up to {end}, have payments."
        return NotComparable(Verdict.INSUFFICIENT, reason)
    normal = sorted(day for day in scored if day in known.baseline and day <= end and day not in recent)
    if not normal:
        reason = f"Besides the newest mature week, up to {end}, no baseline day is mature."
        return NotComparable(Verdict.IMMATURE, reason)
    return CohortComparison(
        _pool_cohorts(known, recent, needs, group), _pool_cohorts(known, normal, needs, group), window_days
    )


def _pool_cohorts(known: KnownCohorts, days: list[date], needs: Needs, group: Group) -> PooledCohorts:
    share = known.curve.parts.get(group, known.curve).share((known.as_of - days[-1]).days)
    return PooledCohorts(known.spec, days, known.cubes, group, needs, share.value if share else 1.0)


def _format_day(day: date) -> str:
    return f"{day.day} {day:%b}"
