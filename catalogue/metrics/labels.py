"""Labels: how late they come, and from which age on a day's figures count."""

from __future__ import annotations

from catalogue.entries import Metric, Unit, Worse
from catalogue.metrics.performance_monitors import COHORT_MONITOR, DECAY_MONITOR
from catalogue.registers import add_metric

SECTION = "Labels, and when they are complete"

LABEL_DELAY = add_metric(
    Metric(
        key="label_delay",
        title="Share of fraud known by this age",
        phrase="share of fraud known by this age",
        formula="product over ages k > a of 1 − q(k)",
        meaning="How much of a day's fraud has a label after a days (reverse-time product-limit estimate).",
        caveat="What comes later than anything seen so far is extrapolated from what came late.",
        section=SECTION,
        monitors=(COHORT_MONITOR,),
        unit=Unit.SHARE,
        worse=Worse.LOWER,
    )
)
MATURE_FRAUDS = add_metric(
    Metric(
        key="mature_frauds",
        title="Mature frauds",
        phrase="mature frauds",
        formula="known frauds of the newest 60 mature days",
        meaning="How many frauds a new model could learn from.",
        caveat="Frauds alike in kind count one by one.",
        section=SECTION,
        monitors=(DECAY_MONITOR,),
        unit=Unit.COUNT,
        worse=Worse.LOWER,
    )
)
MATURE_UNTIL = add_metric(
    Metric(
        key="mature_until",
        title="Age at which a day is mature",
        phrase="age at which a day is mature",
        formula="age in days at which labels are complete enough",
        meaning="From which age on precision and the false-positive rate count.",
        caveat="Learned anew each day, so it moves by a day or two.",
        section=SECTION,
        monitors=(DECAY_MONITOR,),
        unit=Unit.DAYS,
    )
)
FRAUDS_MATURE_UNTIL = add_metric(
    Metric(
        key="frauds_mature_until",
        title="Age at which a day's fraud is known",
        phrase="age at which a day's fraud is known",
        formula="age in days at which enough of the missed fraud is known",
        meaning="From which age on recall and the value detection rate count.",
        caveat="Learned anew each day, so it moves by a day or two.",
        section=SECTION,
        monitors=(DECAY_MONITOR,),
        unit=Unit.DAYS,
    )
)
