"""Card precision: of the cards that can be looked at in a day, those with the highest scores, how many are defrauded.

As the Fraud Detection Handbook has it (Le Borgne et al., 2022, section 4.2): a card's score is the highest of its
payments of the day, it is compromised when one of them is a fraud, and a compromised card that was looked at leaves the
pool of the following days, because it is blocked. Cards that share the last rank are looked at in random order; what
that gives on average is counted: each of them is looked at in part, and leaves the pool in part.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date, timedelta

import numpy as np

from catalogue.metrics.performance import CARD_PRECISION
from catalogue.metrics.performance_monitors import COHORT_MONITOR, DECAY_MONITOR
from ledger.records.measurements import Measurement, Verdict
from models.spec import Spec
from monitors.inputs import DayInputs, cohort_horizon_days
from monitors.measurements import build_measurement
from monitors.performance.maturity import learn_delay_curve, maturity_ages
from monitors.registry import monitor
from monitors.stats import intervals
from monitors.stats.intervals import Estimate
from profiles.profile import Cohort
from warehouse.sql.top_entities import DAYS_RANKED_TOGETHER, RankedCard


def compromised_cards_by_day(ranked: Sequence[RankedCard], capacity: int) -> dict[date, tuple[float, float]]:
    """Return how many compromised cards are looked at each day.

    Args:
        ranked: the cards with the highest scores of consecutive days: at least ``capacity`` a day, and as many more as
            may have left the pool.
        capacity: cards that can be looked at in a day.
    Returns:
        By day: compromised cards looked at, on average over ties, and all cards looked at.
    Source:
        Le Borgne et al., Fraud Detection Handbook, 2022, section 4.2.
    """
    days: dict[date, dict[float, list[RankedCard]]] = defaultdict(lambda: defaultdict(list))
    for card in ranked:
        days[card.day][card.score].append(card)
    left: dict[int, float] = defaultdict(float)  # share of a card that has left the pool
    found = {}
    for day in sorted(days):
        capacity_left, caught, gone = float(capacity), 0.0, dict[int, float]()
        for score in sorted(days[day], reverse=True):
            cards = [(card, card.cards * (1 - left[card.card])) for card in days[day][score]]
            tied = sum(weight for _, weight in cards)
            if tied <= 0:
                continue
            part = min(1.0, capacity_left / tied)
            capacity_left -= part * tied
            for card, weight in cards:
                if card.fraud:
                    caught += part * weight
                    gone[card.card] = part * weight
            if capacity_left <= 0:
                break
        for card_, share in gone.items():
            left[card_] += share
        found[day] = caught, capacity - max(capacity_left, 0.0)
    return found


def days_to_rank(spec: Spec, as_of: date, cohorts: Mapping[date, Cohort]) -> list[date]:
    """Return the newest mature days, whose cards are ranked together.

    When days are mature is learned from the cohorts whose labels may still change.

    Args:
        spec: the model file.
        as_of: day at whose end the labels were read.
        cohorts: what was known then, by cohort day.
    Returns:
        Days, the newest first.
    """
    horizon_days = cohort_horizon_days(spec)
    recent = {day: cohort for day, cohort in cohorts.items() if (as_of - day).days <= horizon_days}
    ages = maturity_ages(spec.labels, learn_delay_curve(recent, as_of, horizon_days))
    newest = as_of - timedelta(days=ages.labels)
    return [newest - timedelta(days=step) for step in range(DAYS_RANKED_TOGETHER)]


def measure_card_precision(
    spec: Spec, as_of: date, ranked: Sequence[RankedCard], days: Collection[date]
) -> list[Measurement]:
    """Return the newest mature day's card precision, and its mean over the days with Student's t interval.

    Args:
        spec: the model file; ``alerts.capacity_per_day`` is the capacity.
        as_of: day at whose end the labels were read.
        ranked: the cards of ``days`` with the highest scores.
        days: the mature days that were ranked together, for cards leave the pool in their order.
    Returns:
        At most two measurements, shares from 0 to 1; none where no card was ranked.
    """
    found = compromised_cards_by_day(ranked, spec.alerts.capacity_per_day)
    return list(_card_precision_measurements(spec, as_of, found, max(days))) if found else []


def _card_precision_measurements(
    spec: Spec, as_of: date, found: Mapping[date, tuple[float, float]], newest: date
) -> Iterator[Measurement]:
    capacity, shares = spec.alerts.capacity_per_day, np.array([caught / n for caught, n in found.values()])
    if newest in found:
        caught, n = found[newest]
        low, high = intervals.clopper_pearson(caught, n)
        reason = f"{caught:.4g} of the {n:.0f} cards with the highest scores had a fraud that day."
        own = Estimate(caught / n, low, high, round(n))
        yield build_measurement(spec, newest, as_of, COHORT_MONITOR, CARD_PRECISION, own, Verdict.OK, reason)
    if len(shares) < 2:
        return
    mean = intervals.daily_mean_estimate(shares)
    mean = mean._replace(low=max(0.0, mean.low), high=min(1.0, mean.high))
    reason = f"Of {capacity:,} cards a day, over {len(shares)} mature days up to {newest}; caught cards leave the pool."
    yield build_measurement(spec, as_of, as_of, DECAY_MONITOR, CARD_PRECISION, mean, Verdict.OK, reason)


@monitor(COHORT_MONITOR, DECAY_MONITOR, for_incidents=False)
def measure_card_precision_of_day(inputs: DayInputs) -> list[Measurement]:
    """Return the precision of the cards that were ranked for a day; nothing where none were."""
    ranked = inputs.cards
    return measure_card_precision(inputs.spec, inputs.day, ranked.cards, ranked.days) if ranked else []
