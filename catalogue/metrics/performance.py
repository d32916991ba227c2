"""Performance: how well the model catches fraud, by cohort day, of late, as estimated, and over all payments."""

from __future__ import annotations

from catalogue.entries import Derived, Effect, Evidence, Limit, Metric, Needs, Quality, Unit, Worse
from catalogue.metrics.performance_monitors import (
    COHORT_MONITOR,
    DECAY_MONITOR,
    ESTIMATE_MONITOR,
    FAIRNESS_MONITOR,
    NOWCAST_MONITOR,
    SELECTIVE_MONITOR,
)
from catalogue.registers import add_derived, add_metric

SECTION = "Performance, by cohort day and against the baseline"
COMPARED = "How figures are compared"

RECALL = add_metric(
    Metric(
        key="recall",
        title="Recall",
        phrase="recall",
        formula="frauds that raised an alert / known frauds",
        meaning="How much of the fraud raises an alert.",
        caveat="Fraud that nobody reports is in no figure, and blocked payments never get an honest label.",
        section=SECTION,
        monitors=(DECAY_MONITOR, ESTIMATE_MONITOR, NOWCAST_MONITOR, SELECTIVE_MONITOR, COHORT_MONITOR),
        unit=Unit.SHARE,
        worse=Worse.LOWER,
        effect=Effect.DROP,
        minimum_effect=0.1,
        limit=Limit.TEST,
        evidence=Evidence.LOSS,
        evidence_rank=1,
        quality=Quality(Needs.FRAUDS, says="of frauds caught", cases="frauds", event="were caught"),
    )
)
PRECISION = add_metric(
    Metric(
        key="precision",
        title="Precision",
        phrase="precision",
        formula="frauds among alerts / alerts with a label",
        meaning="How many alerts are worth looking at.",
        caveat="Moves with how much fraud there is, not with the model alone.",
        section=SECTION,
        monitors=(
            DECAY_MONITOR,
            ESTIMATE_MONITOR,
            NOWCAST_MONITOR,
            SELECTIVE_MONITOR,
            COHORT_MONITOR,
            FAIRNESS_MONITOR,
        ),
        unit=Unit.SHARE,
        worse=Worse.LOWER,
        effect=Effect.DROP,
        minimum_effect=0.1,
        limit=Limit.TEST,
        evidence=Evidence.LOSS,
        evidence_rank=5,
        quality=Quality(
            Needs.LABELS,
            false_alarms=True,
            says="of labelled alerts were fraud",
            says_estimated="of alerts are fraud",
            cases="alerts with a label",
            event="were fraud",
            harm_rank=4,
        ),
    )
)
FALSE_POSITIVE_RATE = add_metric(
    Metric(
        key="false_positive_rate",
        title="False-positive rate",
        phrase="false-positive rate",
        formula="alerts among legitimate payments / legitimate payments",
        meaning="How often a legitimate customer is stopped.",
        caveat="Legitimate is a payment that has had no fraud label for as long as the model file says.",
        section=SECTION,
        monitors=(DECAY_MONITOR, ESTIMATE_MONITOR, SELECTIVE_MONITOR, COHORT_MONITOR, FAIRNESS_MONITOR),
        unit=Unit.SHARE,
        effect=Effect.FACTOR,
        minimum_effect=1.5,
        limit=Limit.TEST,
        evidence=Evidence.LOSS,
        evidence_rank=6,
        quality=Quality(
            Needs.LABELS,
            false_alarms=True,
            says="of legitimate payments raised an alert",
            says_estimated="of legitimate payments raise an alert",
            cases="legitimate payments",
            event="raised an alert",
            harm_rank=1,
        ),
    )
)
ALERT_RATE = add_metric(
    Metric(
        key="alert_rate",
        title="Alert rate",
        phrase="alert rate",
        formula="alerts / payments",
        meaning="How much work alerts make; needs no label.",
        caveat="Rises with fraud as well as with a fault.",
        section=SECTION,
        monitors=(DECAY_MONITOR, COHORT_MONITOR),
        unit=Unit.SHARE,
        worse=Worse.EITHER,
        effect=Effect.FACTOR,
        minimum_effect=1.5,
        limit=Limit.TEST,
        quality=Quality(
            Needs.NOTHING,
            false_alarms=True,
            says="of payments raised an alert",
            cases="payments",
            event="raised an alert",
        ),
    )
)
TRAFFIC_SHARE = add_metric(
    Metric(
        key="traffic_share",
        title="Share of payments",
        phrase="share of payments",
        formula="payments of a group / payments",
        meaning="How payments are spread over groups, such as what was done with them.",
        caveat="Says nothing of whether the model is right about them.",
        section=SECTION,
        monitors=(SELECTIVE_MONITOR,),
        unit=Unit.SHARE,
    )
)
FRAUD_SHARE = add_metric(
    Metric(
        key="fraud_share",
        title="Fraud rate",
        phrase="fraud rate",
        formula="frauds / labelled payments",
        meaning="How much fraud there is among payments whose label is known.",
        caveat="Rises as labels arrive.",
        section=SECTION,
        monitors=(SELECTIVE_MONITOR,),
        unit=Unit.SHARE,
    )
)
PR_AUC = add_metric(
    Metric(
        key="pr_auc",
        title="PR-AUC",
        phrase="PR-AUC",
        formula="average precision over all thresholds",
        meaning="How well the score puts frauds above legitimate payments, where fraud is rare; 1 is perfect.",
        caveat="Depends on the fraud rate; scores that share a bin count as equal, which lowers it by about 0.003.",
        section=SECTION,
        monitors=(DECAY_MONITOR, ESTIMATE_MONITOR, COHORT_MONITOR),
        worse=Worse.LOWER,
        effect=Effect.DROP,
        minimum_effect=0.1,
        limit=Limit.TEST,
        evidence=Evidence.LOSS,
        evidence_rank=3,
        quality=Quality(Needs.LABELS),
    )
)
ROC_AUC = add_metric(
    Metric(
        key="roc_auc",
        title="ROC-AUC",
        phrase="ROC-AUC",
        formula="P(score of a fraud > score of a legitimate payment)",
        meaning="How well the score puts frauds above legitimate payments, whatever the fraud rate; 0.5 is chance.",
        caveat="Hardly moves where fraud is rare; see PR-AUC.",
        section=SECTION,
        monitors=(DECAY_MONITOR, ESTIMATE_MONITOR, COHORT_MONITOR),
        worse=Worse.LOWER,
        effect=Effect.DROP,
        minimum_effect=0.05,
        limit=Limit.TEST,
        evidence=Evidence.LOSS,
        evidence_rank=4,
        quality=Quality(Needs.LABELS),
    )
)
VALUE_DETECTION_RATE = add_metric(
    Metric(
        key="value_detection_rate",
        title="Value detection rate",
        phrase="value detection rate",
        formula="value of frauds that raised an alert / value of known frauds",
        meaning="How much of the fraud's money is caught.",
        caveat="A few large frauds can move it a lot: see the interval.",
        section=SECTION,
        monitors=(DECAY_MONITOR, ESTIMATE_MONITOR, NOWCAST_MONITOR, SELECTIVE_MONITOR, COHORT_MONITOR),
        unit=Unit.SHARE,
        worse=Worse.LOWER,
        effect=Effect.DROP,
        minimum_effect=0.1,
        limit=Limit.TEST,
        evidence=Evidence.LOSS,
        evidence_rank=2,
        quality=Quality(Needs.FRAUDS, says="of the fraud's value caught"),
    )
)
CALIBRATION_ERROR = add_metric(
    Metric(
        key="calibration_error",
        title="Expected calibration error",
        phrase="expected calibration error",
        formula="mean |mean score − fraud rate| over ten bins of equal size, less what noise adds",
        meaning="Whether a score of 1 % means 1 % of fraud; 0 is perfect.",
        caveat="Within a bin, scores that are too high and too low can cancel out.",
        section=SECTION,
        monitors=(DECAY_MONITOR, COHORT_MONITOR),
        unit=Unit.SHARE,
        effect=Effect.RISE,
        minimum_effect=0.02,
        limit=Limit.TEST,
        evidence=Evidence.LOSS,
        evidence_rank=7,
        quality=Quality(Needs.LABELS, false_alarms=True),
    )
)
RECALL_AT_FALSE_POSITIVE_RATE = add_metric(
    Metric(
        key="recall_at_false_positive_rate",
        title="Recall at a fixed false-positive rate",
        phrase="recall at a fixed false-positive rate",
        formula="recall at the threshold that gives a fixed false-positive rate",
        meaning="How much fraud would be caught at that rate, however the threshold is set today.",
        caveat="That threshold is found on the same payments.",
        section=SECTION,
        monitors=(DECAY_MONITOR, COHORT_MONITOR),
        unit=Unit.SHARE,
        worse=Worse.LOWER,
        quality=Quality(Needs.LABELS),
    )
)
FALSE_POSITIVE_RATIO = add_metric(
    Metric(
        key="false_positive_ratio",
        title="False alarms for each fraud caught",
        phrase="false alarms for each fraud caught",
        formula="false alarms / frauds caught",
        meaning="How many legitimate customers are stopped for each fraud caught.",
        caveat="Moves with the fraud rate, as precision does.",
        section=SECTION,
        monitors=(DECAY_MONITOR, COHORT_MONITOR),
        digits=1,
        quality=Quality(Needs.LABELS),
    )
)
BRIER_SCORE = add_metric(
    Metric(
        key="brier_score",
        title="Brier score",
        phrase="Brier score",
        formula="mean (score − label)²",
        meaning="Calibration and ranking in one number; 0 is perfect.",
        caveat="Where fraud is rare it follows the fraud rate more than the model.",
        section=SECTION,
        monitors=(DECAY_MONITOR, COHORT_MONITOR),
        quality=Quality(Needs.LABELS),
    )
)
CARD_PRECISION = add_metric(
    Metric(
        key="card_precision",
        title="Precision of the top cards",
        phrase="precision of the top cards",
        formula="defrauded cards among those looked at / cards looked at",
        meaning="Whether the cards with the highest scores, as many as can be looked at in a day, are the right ones.",
        caveat="Needs a card or customer column; a defrauded card counts only once.",
        section=SECTION,
        monitors=(DECAY_MONITOR, COHORT_MONITOR),
        unit=Unit.SHARE,
        worse=Worse.LOWER,
    )
)

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
        monitors=(ESTIMATE_MONITOR,),
        limit=Limit.FIXED,
    )
)
