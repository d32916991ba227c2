"""Money: what fraud is at risk, caught and lost a day, and what the threshold costs."""

from __future__ import annotations

from catalogue.entries import Metric, Unit, Worse
from catalogue.metrics.performance_monitors import DECAY_MONITOR
from catalogue.registers import add_metric

SECTION = "Money"

COST = add_metric(
    Metric(
        key="cost_gbp_per_day",
        title="Cost of the threshold",
        phrase="cost of the threshold",
        formula="value of missed fraud + alerts × cost of a review, a day",
        meaning="What today's threshold costs.",
        caveat="The annoyance of customers who are stopped has no price here.",
        section=SECTION,
        monitors=(DECAY_MONITOR,),
        unit=Unit.MONEY_PER_DAY,
    )
)
LEAST_COST = add_metric(
    Metric(
        key="least_cost_gbp_per_day",
        title="Cost of the cheapest threshold",
        phrase="cost of the cheapest threshold",
        formula="the lowest cost over all thresholds, a day",
        meaning="What the cheapest threshold would have cost.",
        caveat="Found on the same days, so a little too low.",
        section=SECTION,
        monitors=(DECAY_MONITOR,),
        unit=Unit.MONEY_PER_DAY,
    )
)
LEAST_COST_THRESHOLD = add_metric(
    Metric(
        key="least_cost_threshold",
        title="Cheapest threshold",
        phrase="cheapest threshold",
        formula="the threshold with the lowest cost",
        meaning="Where the threshold would have cost least.",
        caveat="Its interval holds all thresholds that are not surely more expensive.",
        section=SECTION,
        monitors=(DECAY_MONITOR,),
        worse=Worse.EITHER,
    )
)
LOST = add_metric(
    Metric(
        key="lost_gbp_per_day",
        title="Fraud value lost compared with the baseline",
        phrase="fraud value lost compared with the baseline",
        formula="(value detection rate of the baseline − that of now) × value of fraud a day",
        meaning="How much more gets away a day than would if the model caught the share that it did in the baseline.",
        caveat="Known fraud only; what is recovered later isn't taken off.",
        section=SECTION,
        monitors=(DECAY_MONITOR,),
        unit=Unit.MONEY_PER_DAY,
    )
)
CAUGHT = add_metric(
    Metric(
        key="caught_gbp_per_day",
        title="Fraud value caught in the baseline",
        phrase="fraud value caught in the baseline",
        formula="value of caught fraud in the baseline / days",
        meaning="What the model saved a day, and so the most that a day without it can cost.",
        caveat="Known fraud only, without blocked payments.",
        section=SECTION,
        monitors=(DECAY_MONITOR,),
        unit=Unit.MONEY_PER_DAY,
        worse=Worse.LOWER,
    )
)
FRAUD = add_metric(
    Metric(
        key="fraud_gbp_per_day",
        title="Fraud value",
        phrase="fraud value",
        formula="value of known fraud / days",
        meaning="How much money is at risk a day.",
        caveat="Known fraud only.",
        section=SECTION,
        monitors=(DECAY_MONITOR,),
        unit=Unit.MONEY_PER_DAY,
    )
)
