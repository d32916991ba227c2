"""The monitors of performance: by cohort day, of late, as estimated, as expected, over all payments, the bank's own."""

from __future__ import annotations

from catalogue import labels, money, performance
from catalogue.entries import BudgetPart, Derived, Limit, Monitor, Stage
from catalogue.fairness import COMPARED
from catalogue.registers import add_derived, add_monitor

ESTIMATE_ERROR = add_derived(
    Derived(
        name="Mean error of its estimates",
        title="{metric}, mean error of its estimates",
        phrase="mean error of the estimated {metric}",
        formula="mean |estimate − what came true| over past weeks",
        meaning="How far off a metric's estimates were that were made from scores, before labels.",
        caveat="Past weeks only: a new kind of fraud that the score can't see makes estimates wrong without a sign.",
        ending="_estimate_error",
        section=COMPARED,
        limit=Limit.FIXED,
    )
)
_OF_SCORES = (
    performance.RECALL, performance.PRECISION, performance.FALSE_POSITIVE_RATE, performance.ALERT_RATE,
    performance.PR_AUC, performance.ROC_AUC, performance.VALUE_DETECTION_RATE, performance.CALIBRATION_ERROR,
    performance.RECALL_AT_FALSE_POSITIVE_RATE, performance.FALSE_POSITIVE_RATIO, performance.BRIER_SCORE,
    performance.CARD_PRECISION,
)  # fmt: skip

DECAY_MONITOR = add_monitor(
    Monitor(
        key="decay",
        title="Performance of recent mature days, against the baseline",
        order=80,
        metrics=(
            *_OF_SCORES, money.FRAUD, money.CAUGHT, money.LOST, money.COST, money.LEAST_COST,
            money.LEAST_COST_THRESHOLD, labels.MATURE_FRAUDS, labels.MATURE_UNTIL, labels.FRAUDS_MATURE_UNTIL,
        ),
        stage=Stage.REALISED,
        budget_parts=(BudgetPart.PERFORMANCE,),
        restatable=True,
    )
)  # fmt: skip
ESTIMATE_MONITOR = add_monitor(
    Monitor(
        key="estimate",
        title="Estimated performance of the newest week, before its labels",
        order=90,
        metrics=(
            performance.RECALL, performance.PRECISION, performance.FALSE_POSITIVE_RATE, performance.ROC_AUC,
            performance.PR_AUC, performance.VALUE_DETECTION_RATE,
        ),
        derived=(ESTIMATE_ERROR,),
        stage=Stage.ESTIMATED,
        prefix="estimated",
        opens_incidents=False,
    )
)  # fmt: skip
NOWCAST_MONITOR = add_monitor(
    Monitor(
        key="nowcast",
        title="Nowcast: what this day's figures will come to once its labels are complete",
        order=100,
        metrics=(performance.RECALL, performance.PRECISION, performance.VALUE_DETECTION_RATE),
        about_its_day=False,
        opens_incidents=False,
    )
)
SELECTIVE_MONITOR = add_monitor(
    Monitor(
        key="selective",
        title="Performance over all payments, adjusted for declined payments (reject inference)",
        order=110,
        metrics=(
            performance.RECALL, performance.PRECISION, performance.FALSE_POSITIVE_RATE,
            performance.VALUE_DETECTION_RATE, performance.TRAFFIC_SHARE, performance.FRAUD_SHARE,
        ),
        stage=Stage.REALISED,
        opens_incidents=False,
    )
)  # fmt: skip
COHORT_MONITOR = add_monitor(
    Monitor(
        key="performance",
        title="Performance by cohort day, as known by now",
        order=150,
        metrics=(*_OF_SCORES, labels.LABEL_DELAY),
        about_its_day=False,
        on_day_page=False,
        opens_incidents=False,
    )
)
CUSTOM_MONITOR = add_monitor(
    Monitor(
        key="custom",
        title="The bank's own metrics",
        order=130,
        metrics=(),
        stage=Stage.CUSTOM,
        budget_parts=(BudgetPart.CUSTOM,),
    )
)
