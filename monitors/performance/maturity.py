"""How much of a cohort's fraud is known by now: the label-delay curve, learnt from labels that are still arriving.

A cohort of age a can only have shown delays of 0 to a days, so short delays are over-represented. The reverse-time
product-limit estimator corrects this (Lagakos, Barraj & De Gruttola, Biometrika 1988; the chain ladder of insurers):

    q(k) = frauds known after exactly k days / frauds known within k days, both in cohorts of age k or more
    F(a) = product over k > a of (1 - q(k))

It gives F relative to the longest delay that the cohorts could show, their ``reach``. Until the reach is the horizon,
more may follow: the mass beyond is taken to be the mass that arrived in the older half of the reach (delays that
thin out from octave to octave keep below it), and the curve is lowered by it.

Alerts are looked at within days while missed fraud waits for the customer, so both have curves of their own; and so
has each type of fraud that the model file names.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

import numpy as np

from catalogue import Needs
from models.spec import Labels
from monitors.stats.intervals import Estimate, Interval, clopper_pearson
from profiles.bins import Floats, Ints
from profiles.profile import EVERYONE, MISSED, Cohort, Group

CAUGHT: Group = ("alert", "raised")
"""The frauds that raised an alert: all but the MISSED."""
MIN_FRAUDS = 30
"""Fewer known frauds, in all or old enough to show a delay, teach nothing about delays."""
LEAST_REACH_DAYS = 28
"""Where labels are explicit, cohorts must have been followed this long before the curve's end is believed."""


@dataclass(frozen=True)
class LabelDelayCurve:
    """Share of a cohort's fraud known at each age in days.

    ``known[a]`` is relative to ``reach_days``, its last age; ``errors`` are its standard errors (Greenwood's) and
    ``at_risk[a]`` the frauds it rests on; ``tail`` is the share taken to follow beyond the reach. ``known`` is empty
    where too few frauds are known. ``parts`` are the curves of CAUGHT and MISSED fraud and of each fraud type.
    """

    known: Floats
    errors: Floats
    at_risk: Ints
    tail: float
    frauds: int
    horizon_days: int
    parts: Mapping[Group, LabelDelayCurve] = field(default_factory=dict)

    @property
    def reach_days(self) -> int:
        """Return the longest delay in days that enough cohorts were old enough to show; -1 without a curve."""
        return len(self.known) - 1

    def share(self, age_days: int) -> Estimate | None:
        """Return the share of a cohort's fraud that is known at an age.

        Args:
            age_days: days since the payments were scored; below 0 nothing is known, from the horizon on all is.
        Returns:
            A share, 0 to 1, with its 95 % interval, whose upper end leaves out the tail; None where too few frauds are
            known.
        Source:
            reverse-time product limit (see the module); Clopper-Pearson with the effective sample size of Greenwood's
            error.
        """
        if not len(self.known):
            return None
        if age_days >= self.horizon_days:
            return Estimate(1.0, 1.0, 1.0, self.frauds)
        if age_days < 0:
            return Estimate(0.0, 0.0, 0.0, self.frauds)
        age = min(age_days, self.reach_days)
        value, error, n = float(self.known[age]), float(self.errors[age]), int(self.at_risk[age])
        low, high = _interval(value, error, n)
        seen = 1 - self.tail
        return Estimate(value * seen, low * seen, high, n, error * seen)

    def missed_share(self, age_days: int) -> float | None:
        """Return the share of a cohort's *missed* fraud that is known at an age: recall is too high until it is.

        Even if all caught fraud (c of all) was known first, of the share S known in all (S - c) / (1 - c) of the
        missed ones would be. Where few missed frauds are known, their own curve ends early and says less than that.

        Args:
            age_days: days since the payments were scored.
        Returns:
            A share, 0 to 1; None where too few frauds are known.
        Source:
            the larger of that bound and the missed frauds' own curve.
        """
        share, missed = self.share(age_days), self.parts.get(MISSED)
        if share is None or missed is None:
            return None if share is None else share.value
        rest, own = missed.frauds / self.frauds, missed.share(age_days)
        at_worst = 1 - (1 - share.value) / rest if rest > 0 else share.value
        return max(0.0, at_worst, own.value if own else 0.0)

    def mature_days(self, maturity: float) -> int | None:
        """Return the age at which enough of a cohort's missed fraud is known.

        Args:
            maturity: the share that is enough, 0 to 1.
        Returns:
            Days; None where it is not known yet.
        """
        for age in range(self.reach_days + 1):
            share = self.missed_share(age)
            if share is not None and share >= maturity:
                return age
        return self.horizon_days if self.reach_days >= self.horizon_days else None


def learn_delay_curve(cohorts: Mapping[date, Cohort], as_of: date, horizon_days: int) -> LabelDelayCurve:
    """Learn the label-delay curve from what was known of each cohort.

    Args:
        cohorts: what was known at the end of ``as_of``, by cohort day; later days are left out.
        as_of: day at whose end the labels were read.
        horizon_days: age from which a cohort is final; longer delays are left out.
    Returns:
        The curve, with those of caught and missed fraud and of each fraud type as its parts. A negative delay (a label
        older than the payment) counts as 0.
    Source:
        Lagakos, Barraj & De Gruttola, Biometrika 1988; see the module.
    Example:
        >>> cohorts = {date(2026, 1, day): Cohort(delays={0: 30, 2: 10}) for day in range(1, 29)}
        >>> curve = learn_delay_curve(cohorts, as_of=date(2026, 1, 28), horizon_days=20)
        >>> [round(curve.share(age).value, 2) for age in (0, 1, 2)]
        [0.75, 0.75, 1.0]
    """
    exact = {EVERYONE: np.zeros(horizon_days + 1, np.int64), MISSED: np.zeros(horizon_days + 1, np.int64)}
    within = {group: counts.copy() for group, counts in exact.items()}
    for day in (day for day in cohorts if day <= as_of):
        age = min((as_of - day).days, horizon_days)
        for group, delays in {EVERYONE: cohorts[day].delays, **cohorts[day].delays_by_group}.items():
            counts = np.zeros(age + 1, np.int64)
            for delay, frauds in delays.items():
                if delay <= age:
                    counts[max(0, delay)] += frauds
            exact.setdefault(group, np.zeros(horizon_days + 1, np.int64))[: age + 1] += counts
            within.setdefault(group, np.zeros(horizon_days + 1, np.int64))[: age + 1] += np.cumsum(counts)
    exact[CAUGHT], within[CAUGHT] = exact[EVERYONE] - exact[MISSED], within[EVERYONE] - within[MISSED]
    curves = {group: _fit_curve(exact[group], within[group], horizon_days) for group in exact}
    return replace(curves.pop(EVERYONE), parts=curves)


def _fit_curve(exact: Ints, within: Ints, horizon_days: int) -> LabelDelayCurve:
    known, errors, at_risk = _product_limit(exact, within)
    reach = len(known) - 1
    tail = 0.0 if reach >= horizon_days or reach < 0 else float(1 - known[reach // 2])
    return LabelDelayCurve(known, errors, at_risk, tail, int(exact.sum()), horizon_days)


@dataclass(frozen=True)
class MaturityAges:
    """The ages in days from which a cohort's figures are mature.

    ``frauds``: enough missed fraud is known for recall. ``labels``: besides, what has no label counts as legitimate.
    ``why`` says why they had to be set to their latest, where delays aren't known well enough yet.
    """

    frauds: int
    labels: int
    why: str = ""

    def of(self, needs: Needs) -> int:
        """Return the age from which figures are mature.

        Args:
            needs: the labels that they wait for.
        Returns:
            Days; 0 for figures that wait for none.
        """
        return {Needs.NOTHING: 0, Needs.FRAUDS: self.frauds, Needs.LABELS: self.labels}[needs]

    def describe_when(self, day: date, needs: Needs) -> str:
        """Return when a cohort day's figures will be mature.

        Args:
            day: the cohort day.
            needs: the labels that they wait for.
        Returns:
            Words, as 'mature on 2026-05-07', with ``why`` where that is the latest date.
        """
        latest = f" at the latest ({self.why})" if self.why else ""
        return f"mature on {day + timedelta(days=self.of(needs))}{latest}"


def maturity_ages(labels: Labels | None, curve: LabelDelayCurve) -> MaturityAges:
    """Return from which age on cohorts are mature, by the model file and the delays seen so far.

    The end of the curve is believed once cohorts were followed for ``negative.after_days`` (the owner's word for
    when no label means legitimate) or for LEAST_REACH_DAYS. Before that, cohorts are mature at the horizon only;
    but where no curve can be learnt for want of frauds, legitimate payments are still known by ``after_days``.

    Args:
        labels: the model file's ``labels``; None: every cohort is mature at once.
        curve: the label-delay curve.
    Returns:
        Ages in days.
    """
    if labels is None:
        return MaturityAges(0, 0)
    horizon = labels.horizon_days
    silent_days = None if labels.negative == "explicit" else labels.negative.after_days
    needed = min(horizon, LEAST_REACH_DAYS if silent_days is None else silent_days)
    if curve.reach_days < 0:
        latest = horizon if silent_days is None else silent_days
        return MaturityAges(
            horizon, latest, f"only {curve.frauds} frauds are known, too few to learn how late labels come"
        )
    if curve.reach_days < needed:
        why = f"label delays were followed for {curve.reach_days} days, {needed} are needed"
        return MaturityAges(horizon, max(horizon, silent_days or 0), why)
    frauds = curve.mature_days(labels.maturity)
    if frauds is None:
        why = f"after {curve.reach_days} days fraud still comes in"
        return MaturityAges(horizon, max(horizon, silent_days or 0), why)
    return MaturityAges(frauds, max(frauds, silent_days or 0))


def maturity_ages_of_type(labels: Labels, curve: LabelDelayCurve, every: MaturityAges, group: Group) -> MaturityAges:
    """Return from which age on the figures of one fraud type are mature: never before those of all fraud.

    Args:
        labels: the model file's ``labels``.
        curve: the label-delay curve of all fraud, with the type's among its parts.
        every: the ages of all fraud.
        group: FRAUD_TYPE and the type.
    Returns:
        Ages in days.
    """
    own = curve.parts.get(group)
    age = own.mature_days(labels.maturity) if own else None
    if age is not None:
        return replace(every, frauds=max(every.frauds, age))
    frauds = own.frauds if own else 0
    why = f"only {frauds} frauds of this type are known, or they still come in: too few to learn how late they come"
    return MaturityAges(labels.horizon_days, max(labels.horizon_days, every.labels), every.why or why)


def newest_days(days: Collection[date], as_of: date, from_days: int, count: int) -> list[date]:
    """Return the days of the newest calendar days that are old enough.

    Args:
        days: days to choose from.
        as_of: the day that ages count back from.
        from_days: least age in days.
        count: length of the window in calendar days.
    Returns:
        At most ``count`` days, in order.
    Example:
        >>> newest_days([date(2026, 3, day) for day in (1, 5, 6, 9)], date(2026, 3, 9), from_days=2, count=4)
        [datetime.date(2026, 3, 5), datetime.date(2026, 3, 6)]
    """
    end = as_of - timedelta(days=from_days)
    before = end - timedelta(days=count)
    return sorted(day for day in days if before < day <= end)


def maturing_days(labels: Labels | None, as_of: date, curve: LabelDelayCurve) -> set[date]:
    """Return the cohort days about to turn mature: their verdict changes even when no label comes.

    The curve is learned anew each day, so the age of maturity may move by a day or two between runs.

    Args:
        labels: the model file's ``labels``, or None.
        as_of: day at whose end the labels were read.
        curve: the label-delay curve.
    Returns:
        Five days at most; none where the age isn't known.
    """
    mature_days = curve.mature_days(labels.maturity) if labels else None
    if mature_days is None:
        return set()
    return {as_of - timedelta(days=age) for age in range(max(0, mature_days - 2), mature_days + 3)}


def _product_limit(exact: Ints, within: Ints) -> tuple[Floats, Floats, Ints]:
    """Return the curve relative to its reach, its standard errors, and the frauds it rests on, by age."""
    enough = np.flatnonzero(within >= MIN_FRAUDS)
    if not len(enough):
        return np.empty(0), np.empty(0), np.empty(0, np.int64)
    exact, within = exact[: enough[-1] + 1], within[: enough[-1] + 1]
    n = np.maximum(within, 1)
    q = exact / n
    terms = np.divide(q, n * (1 - q), out=np.full_like(q, np.inf), where=q < 1)
    steps = np.append((1 - q)[1:], 1.0)
    known = np.cumprod(steps[::-1])[::-1]
    variance = np.cumsum(np.append(terms[1:], 0.0)[::-1])[::-1]
    errors = np.where(known > 0, known * np.sqrt(np.where(known > 0, variance, 0.0)), 0.0)
    at_risk = np.minimum.accumulate(np.append(within[1:], within[-1])[::-1])[::-1]
    return known, errors, at_risk


def _interval(value: float, error: float, n: int) -> Interval:
    effective = value * (1 - value) / error**2 if error > 0 and 0 < value < 1 else float(n)
    return clopper_pearson(value * effective, effective)
