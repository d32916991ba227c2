"""What recall, precision and value detection of a young cohort will come to when all of its fraud is known.

Of a cohort of age a, caught fraud is known with chance F_c(a) and missed fraud with chance F_m(a), each by the curve of
its own delays (``maturity``). If frauds are Poisson, the c caught and m missed ones that are known say of the two rates

    rate_c ~ Gamma(c + 1/2) / F_c(a),    rate_m ~ Gamma(m + 1/2) / F_m(a)    (Jeffreys' prior),

and recall is rate_c / (rate_c + rate_m). Where all is known, F = 1, that is Jeffreys' Beta(c + 1/2, m + 1/2). F itself
is uncertain: Beta, with the effective sample size of Greenwood's error. Money is a compound Poisson sum, and counts as
the number of equal payments that would vary as much. Precision is the share of unblocked alerts, whose number is known
from the start, that are fraud: Beta(c + 1/2, n - c + 1/2) / F_c(a).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, timedelta

import numpy as np

import catalogue
from catalogue.metrics.performance import PRECISION, VALUE_DETECTION_RATE
from catalogue.metrics.performance_monitors import NOWCAST_MONITOR
from ledger.records.measurements import Measurement, Verdict
from models.spec import Spec
from monitors.inputs import DayInputs, cohort_horizon_days
from monitors.measurements import build_measurement
from monitors.performance import figures
from monitors.performance.maturity import CAUGHT, LabelDelayCurve, maturity_ages
from monitors.registry import monitor
from monitors.stats import intervals
from monitors.stats.intervals import ALPHA, Estimate
from profiles.bins import Floats, Ints
from profiles.profile import COUNT, EVERYONE, FRAUD, MISSED, PENCE, Cube
from profiles.schema import ProfileSchema

DRAWS = 4000
SEED = 7
"""The same draws for every cohort and at every run, so that a figure changes only when its data does."""


def measure_nowcasts(
    spec: Spec,
    schema: ProfileSchema,
    as_of: date,
    cubes: Mapping[date, Cube],
    curve: LabelDelayCurve,
    changed: Collection[date],
) -> list[Measurement]:
    """Return the estimates for each immature cohort day in ``changed``, as known at the end of ``as_of``.

    They are never judged: the verdict is immature, or insufficient where the curves of caught and missed fraud, or any
    fraud of the day, aren't known.

    Args:
        spec: the model file; without labels nothing is measured. With ``negative: explicit`` there is none for
            precision: when legitimate payments get their label is not known.
        schema: how partitions are profiled; without a score nothing is measured.
        as_of: day at whose end the labels were read.
        cubes: score cubes with these labels, by cohort day.
        curve: the label-delay curve.
        changed: cohort days to measure; those without a cube, or after ``as_of``, are left out.
    Returns:
        Measurements in order of day.
    """
    if schema.score is None or spec.labels is None:
        return []
    nowcast = catalogue.monitor(NOWCAST_MONITOR).metrics
    wanted = [metric for metric in figures.available_metrics(spec) if metric in nowcast]
    if spec.labels.negative == "explicit" and PRECISION in wanted:
        wanted.remove(PRECISION)
    mature, spread = maturity_ages(spec.labels, curve), spread_of_amounts(cubes)
    return [
        _nowcast_measurement(spec, as_of, day, metric, cubes[day].bins[EVERYONE], curve, spread)
        for day in sorted(changed)
        if day in cubes and day <= as_of and EVERYONE in cubes[day].bins
        for metric in wanted
        if (as_of - day).days < mature.of(figures.labels_needed(metric))
    ]


def _nowcast_measurement(
    spec: Spec, as_of: date, day: date, metric: str, part: Ints, curve: LabelDelayCurve, spread: float
) -> Measurement:
    age_days = (as_of - day).days
    share, found = curve.share(age_days), nowcast_metric(metric, part, curve, age_days, spread)
    if found is None or share is None:
        return build_measurement(
            spec, day, as_of, NOWCAST_MONITOR, metric, None, Verdict.INSUFFICIENT, _why_no_nowcast(curve)
        )
    reason = f"Estimated for all of its fraud: about {share.value:.0%} is known."
    reason += figures.describe_exclusions(spec, metric, figures.count_confusion(part))
    return build_measurement(spec, day, as_of, NOWCAST_MONITOR, metric, found, Verdict.IMMATURE, reason)


def _why_no_nowcast(curve: LabelDelayCurve) -> str:
    """Return why there is no estimate."""
    for group, name in ((CAUGHT, "caught"), (MISSED, "missed")):
        if group not in curve.parts or curve.parts[group].reach_days < 0:
            frauds = curve.parts[group].frauds if group in curve.parts else 0
            return f"Only {frauds} {name} frauds are known, too few to learn how late their labels come."
    return "None of its fraud is known yet."


def nowcast_metric(
    metric: str, part: Ints, curve: LabelDelayCurve, age_days: int, spread: float = 1.0
) -> Estimate | None:
    """Return a metric as it will be when all fraud is known.

    Args:
        metric: recall, precision or value_detection_rate.
        part: a cohort's part of the score cube: (score bins, states, sums).
        curve: the label-delay curve, with those of caught and missed fraud.
        age_days: the cohort's age.
        spread: that of the frauds' amounts, see ``spread_of_amounts``.
    Returns:
        A share, 0 to 1, with its 95 % interval; n are the frauds known so far (for precision the alerts). None where
        nothing can be said.
    Source:
        Gamma posteriors under Jeffreys' prior, divided by the share known; see the module.
    """
    rng = np.random.default_rng(SEED)
    counts = figures.count_confusion(part)
    caught_share, missed_share = (
        _draw_known_shares(curve.parts.get(group), age_days, rng) for group in (CAUGHT, MISSED)
    )
    if caught_share is None or missed_share is None or not counts.frauds:
        return None
    if metric == PRECISION:
        return _nowcast_precision(counts, caught_share, rng)
    weights = (
        _equal_payments(part[:, FRAUD], spread)
        if metric == VALUE_DETECTION_RATE
        else ((counts.caught, 1.0), (counts.missed, 1.0))
    )
    if weights is None:
        return None
    (caught, caught_gbp), (missed, missed_gbp) = weights
    known = caught * caught_gbp / caught_share[0], missed * missed_gbp / missed_share[0]
    rates = (
        rng.gamma(number + 0.5, gbp, DRAWS) / share[1]
        for number, gbp, share in ((caught, caught_gbp, caught_share), (missed, missed_gbp, missed_share))
    )
    first, second = rates
    return _summarise_draws(known[0] / sum(known), first / (first + second), counts.frauds)


def _nowcast_precision(
    counts: figures.ConfusionCounts, caught_share: tuple[float, Floats], rng: np.random.Generator
) -> Estimate | None:
    alerts = counts.alerts - counts.blocked_alerts
    if not alerts:
        return None
    drawn = np.minimum(1.0, rng.beta(counts.caught + 0.5, alerts - counts.caught + 0.5, DRAWS) / caught_share[1])
    return _summarise_draws(min(1.0, counts.caught / alerts / caught_share[0]), drawn, alerts)


def _draw_known_shares(
    curve: LabelDelayCurve | None, age_days: int, rng: np.random.Generator
) -> tuple[float, Floats] | None:
    """Return the share of fraud that is known at an age, and draws of it; None where it is not known, or is 0.

    Of what is taken to follow beyond the reach, the draws let none up to twice as much follow.
    """
    found = curve.share(age_days) if curve else None
    if curve is None or found is None or found.value <= 0:
        return None
    if found.value >= 1:
        return 1.0, np.ones(DRAWS)
    seen = 1.0 if age_days >= curve.horizon_days else 1 - curve.tail
    value, error = found.value / seen, found.error / seen
    n = value * (1 - value) / error**2 if error > 0 and 0 < value < 1 else float(found.n)
    draws = rng.beta(value * n + 0.5, (1 - value) * n + 0.5, DRAWS)
    return found.value, draws * (1 - np.minimum(1.0, 2 * curve.tail * rng.random(DRAWS)) * (1 - 1e-9))


def _equal_payments(frauds: Ints, spread: float) -> tuple[tuple[float, float], tuple[float, float]] | None:
    """Return the (number, GBP each) of equal payments that vary as much as the caught ones do, and as the missed.

    A side without a fraud takes the mean amount of the other. None where no fraud has an amount.
    """
    half, (n, pence) = len(frauds) // 2, (frauds[:, what] for what in (COUNT, PENCE))
    if not pence.sum():
        return None
    found = []
    for side in (slice(half, None), slice(half)):
        number, amount = int(n[side].sum()), float(pence[side].sum()) / 100
        mean = amount / number if amount else float(pence.sum()) / 100 / int(n.sum())
        found.append((number / spread if amount else 0.0, mean * spread))
    return found[0], found[1]


def spread_of_amounts(cubes: Mapping[date, Cube]) -> float:
    """Return how unequal the frauds' amounts are: a single day has too few frauds to show how rare large ones are.

    Args:
        cubes: score cubes by cohort day, all that there are.
    Returns:
        The mean square of the amounts over the square of their mean; 1 if all are equal, or there is no fraud.
    Source:
        ``intervals.compound_poisson_variance``.
    """
    frauds = [cube.bins[EVERYONE][:, FRAUD] for cube in cubes.values() if EVERYONE in cube.bins]
    if not frauds:
        return 1.0
    units = np.concatenate(frauds)
    n, pence = units[:, COUNT], units[:, PENCE].astype(np.float64)
    return float(intervals.compound_poisson_variance(n, pence) * n.sum() / pence.sum() ** 2) if pence.sum() > 0 else 1.0


def _summarise_draws(value: float, drawn: Floats, n: int) -> Estimate:
    """Return a figure with the 95 % interval of its draws, which holds the figure itself."""
    low, high = np.quantile(drawn, [ALPHA / 2, 1 - ALPHA / 2]).tolist()
    return Estimate(value, min(low, value), max(high, value), n, float(drawn.std()))


@monitor(NOWCAST_MONITOR, for_incidents=False)
def measure_nowcasts_of_day(inputs: DayInputs) -> list[Measurement]:
    """Return the nowcasts of the cohort days that changed, from days that no retention may have dropped."""
    known = inputs.scored
    if known is None:
        return []
    horizon = inputs.day - timedelta(days=cohort_horizon_days(inputs.spec))
    kept = {day: cube for day, cube in known.cubes.items() if day in known.baseline_days or day >= horizon}
    return measure_nowcasts(inputs.spec, inputs.schema, inputs.day, kept, known.curve, known.changed & kept.keys())
