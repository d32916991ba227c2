"""Fairness: rates of a group beside those of its reference group, and the families of metrics that compare others."""

from __future__ import annotations

from catalogue.entries import Derived, Effect, Limit, Metric, Needs, Quality, Unit, Worse
from catalogue.metrics.performance import COMPARED, FALSE_POSITIVE_RATE, PRECISION
from catalogue.metrics.performance_monitors import FAIRNESS_MONITOR
from catalogue.registers import add_derived, add_metric

__all__ = [
    "CALIBRATION_GAP", "DIFFERENCE", "FAIRNESS_MONITOR", "RATES", "RATIO", "SELECTION_RATE", "TRUE_POSITIVE_RATE",
]  # fmt: skip

SECTION = "Fairness, group against reference"

TRUE_POSITIVE_RATE = add_metric(
    Metric(
        key="true_positive_rate",
        title="True-positive rate",
        phrase="true-positive rate",
        formula="frauds of a group that raised an alert / known frauds of the group",
        meaning="How well a group is protected from fraud: its recall.",
        caveat="Few frauds in a group say little: see the interval.",
        section=SECTION,
        monitors=(FAIRNESS_MONITOR,),
        unit=Unit.SHARE,
        worse=Worse.EITHER,
        quality=Quality(Needs.FRAUDS, same_as="recall", cases="frauds", event="were caught", harm_rank=2),
    )
)
SELECTION_RATE = add_metric(
    Metric(
        key="selection_rate",
        title="Selection rate",
        phrase="selection rate",
        formula="alerts of a group / payments of the group",
        meaning="How often a group is stopped: its alert rate.",
        caveat="Groups may also differ in how much fraud there is.",
        section=SECTION,
        monitors=(FAIRNESS_MONITOR,),
        unit=Unit.SHARE,
        worse=Worse.EITHER,
        quality=Quality(
            Needs.NOTHING,
            same_as="alert_rate",
            false_alarms=True,
            cases="payments",
            event="raised an alert",
            harm_rank=3,
        ),
    )
)
CALIBRATION_GAP = add_metric(
    Metric(
        key="calibration_gap",
        title="Calibration-in-the-large",
        phrase="calibration-in-the-large",
        formula="mean score of a group − fraud rate of the group",
        meaning="Above 0 the group's scores are too high on average, below 0 too low.",
        caveat="Within the group, scores that are too high and too low can cancel out.",
        section=SECTION,
        monitors=(FAIRNESS_MONITOR,),
        unit=Unit.POINTS,
        worse=Worse.EITHER,
    )
)
RATES = (SELECTION_RATE, FALSE_POSITIVE_RATE, TRUE_POSITIVE_RATE, PRECISION)
"""The rates that are compared between groups, in the order in which they are measured."""

RATIO = add_derived(
    Derived(
        name="Ratio to the reference group",
        title="{metric}, ratio to the reference group",
        phrase="{metric} ratio to the reference group",
        formula="group / reference group",
        meaning="How many times as often as in the reference group; 1 is alike.",
        caveat="Uncertain where the event is rare in the reference group: see the interval.",
        ending="_ratio",
        section=COMPARED,
        monitors=(FAIRNESS_MONITOR,),
        unit=Unit.TIMES,
        worse=Worse.EITHER,
        effect=Effect.FACTOR,
        minimum_effect=1.25,
        limit=Limit.TEST,
        limits_for=RATES,
    )
)
DIFFERENCE = add_derived(
    Derived(
        name="Difference to the reference group",
        title="{metric}, difference to the reference group",
        phrase="{metric} difference to the reference group",
        formula="group − reference group",
        meaning="The gap in percentage points, with an interval of its own.",
        caveat="Says little where the event is rare in both groups.",
        ending="_difference",
        section=COMPARED,
        monitors=(FAIRNESS_MONITOR,),
        unit=Unit.POINTS,
        worse=Worse.EITHER,
        effect=Effect.GAP,
        minimum_effect=0.1,
        limits_for=RATES,
    )
)
