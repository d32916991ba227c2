"""The figures of a fraud model from its score cube: at the threshold exact, over all scores within a bin.

A ``part`` is one group's array of the cube, or any sum of them: (score bins ascending, label states, sums), integers.
The threshold is the lower edge of the middle bin, so figures at the threshold are exact. ROC-AUC, average
precision and calibration see scores at bin resolution: payments in one bin are tied. Against the raw scores
ROC-AUC is off by at most half the share of fraud-legitimate pairs that fall into one bin (0.0001 where scores are
spread, up to 0.004 a day where half of all payments crowd into one), and
average precision comes out lower by about 0.003 on continuous scores.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np

import catalogue
from catalogue import Needs
from catalogue.metrics.performance import (
    ALERT_RATE,
    BRIER_SCORE,
    CALIBRATION_ERROR,
    FALSE_POSITIVE_RATE,
    FALSE_POSITIVE_RATIO,
    PR_AUC,
    PRECISION,
    RECALL,
    RECALL_AT_FALSE_POSITIVE_RATE,
    ROC_AUC,
    VALUE_DETECTION_RATE,
)
from models.spec import Spec
from monitors.performance import thresholds
from monitors.performance.cubes import sum_at_threshold
from monitors.stats import intervals, ranking
from monitors.stats.intervals import Estimate
from profiles.bins import Ints
from profiles.profile import BLOCKED, COUNT, FRAUD, LEGITIMATE, OPEN, PENCE, Cube, Group

MIN_FRAUDS = 30
MIN_ALERTS = 30
MIN_LEGITIMATE = 1_000
MIN_ROWS = 100


@dataclass(frozen=True)
class ConfusionCounts:
    """Counts at the threshold. Blocked payments and those without a label are in ``alerts`` and ``rows`` only."""

    caught: int
    missed: int
    false_alarms: int
    passed: int
    alerts: int
    rows: int
    blocked: int
    blocked_alerts: int
    open: int

    @property
    def frauds(self) -> int:
        """Return the known frauds, caught or missed."""
        return self.caught + self.missed

    @property
    def legitimate(self) -> int:
        """Return the payments known, or taken, to be legitimate."""
        return self.false_alarms + self.passed

    @property
    def labelled_alerts(self) -> int:
        """Return the alerts that have a label."""
        return self.caught + self.false_alarms


def labels_needed(metric: str) -> Needs:
    """Return which labels a metric of the model's quality waits for.

    Args:
        metric: key of a quality metric; CatalogueError for any other.
    Returns:
        Nothing, frauds or labels.
    """
    return catalogue.quality(metric).needs


def sentence_end(metric: str) -> str:
    """Return what follows a share in a sentence.

    Args:
        metric: key of a metric.
    Returns:
        Words led by a blank, as ' of frauds caught'; '' for what is no share.
    """
    entry = catalogue.metric(metric)
    return f" {entry.quality.says}" if entry.quality and entry.quality.says and not entry.base else ""


def count_confusion(part: Ints) -> ConfusionCounts:
    """Return a part's counts at the threshold.

    Args:
        part: (score bins, states, sums).
    Returns:
        Payments by what became of them.
    """
    return confusion_from_counts(sum_at_threshold(part))


def confusion_from_counts(counts: Ints) -> ConfusionCounts:
    """Return counts at the threshold by their names.

    Args:
        counts: payments below and above the threshold: (2, states).
    Returns:
        Payments by what became of them.
    """
    below, above = counts.tolist()
    return ConfusionCounts(
        caught=above[FRAUD],
        missed=below[FRAUD],
        false_alarms=above[LEGITIMATE],
        passed=below[LEGITIMATE],
        alerts=sum(above),
        rows=sum(below) + sum(above),
        blocked=below[BLOCKED] + above[BLOCKED],
        blocked_alerts=above[BLOCKED],
        open=below[OPEN] + above[OPEN],
    )


def count_unlabelled_as_legitimate(spec: Spec, part: Ints) -> Ints:
    """Return a part of mature cohorts with its payments without a label as legitimate, where the model file says so.

    Args:
        spec: the model file; with ``negative: explicit`` the part is returned as it is.
        part: (score bins, states, sums), or counts (2, states): the second axis is the state.
    Returns:
        An array of the same shape.
    """
    if spec.labels is None or spec.labels.negative == "explicit":
        return part
    result = part.copy()
    result[:, LEGITIMATE] += part[:, OPEN]
    result[:, OPEN] = 0
    return result


def pool_cohort_days(cubes: Mapping[date, Cube], days: Iterable[date], group: Group) -> Ints | None:
    """Return the sum of a group's parts over days.

    Args:
        cubes: score cubes by cohort day.
        days: keys of ``cubes``.
        group: a slice or protected column and its value, or EVERYONE.
    Returns:
        (score bins, states, sums); None where the group has no payment on any of them.
    """
    result: Ints | None = None
    for day in days:
        part = cubes[day].bins.get(group)
        if part is not None:
            result = part.copy() if result is None else np.add(result, part, out=result)
    return result


def value_detection_rate(frauds: Ints) -> Estimate | None:
    """Return the money of caught frauds over that of all frauds; blocked payments count on neither side.

    Args:
        frauds: (units, score bins, sums), a unit being a day or a sum of days.
    Returns:
        A share, 0 to 1; n is the number of frauds. None where there is no money.
    Source:
        ``intervals.amount_share_estimate``.
    """
    half = frauds.shape[1] // 2
    counts, pence = frauds[:, :, COUNT], frauds[:, :, PENCE].astype(np.float64)
    if pence.sum() <= 0:
        return None
    return intervals.amount_share_estimate(
        (counts[:, half:].ravel(), pence[:, half:].ravel()), (counts[:, :half].ravel(), pence[:, :half].ravel())
    )


EVENTS_AND_CASES: dict[str, Callable[[ConfusionCounts], tuple[int, int]]] = {
    RECALL: lambda c: (c.caught, c.frauds),
    PRECISION: lambda c: (c.caught, c.labelled_alerts),
    FALSE_POSITIVE_RATE: lambda c: (c.false_alarms, c.legitimate),
    ALERT_RATE: lambda c: (c.alerts, c.rows),
}
"""The metrics that are shares of counts at the threshold: events, and the cases among which they are counted."""


SCORE_BIN_METRICS: dict[str, Callable[[Ints], Estimate | None]] = {
    VALUE_DETECTION_RATE: lambda part: value_detection_rate(part[None, :, FRAUD]),
    CALIBRATION_ERROR: thresholds.calibration_error,
    BRIER_SCORE: thresholds.brier_score,
}
"""The metrics that need more of a part than its counts."""


def compute_share(metric: str, counts: ConfusionCounts) -> Estimate | None:
    """Return a metric of EVENTS_AND_CASES.

    Args:
        metric: one of EVENTS_AND_CASES.
        counts: counts at the threshold.
    Returns:
        A share, 0 to 1; None where there is nothing to divide by.
    Source:
        ``intervals.share_estimate``.
    Example:
        >>> counts = confusion_from_counts(np.array([[0, 0, 10, 900], [0, 5, 30, 60]]))
        >>> compute_share("recall", counts).value, compute_share("alert_rate", counts).n
        (0.75, 1005)
    """
    events, n = EVENTS_AND_CASES[metric](counts)
    return intervals.share_estimate(events, n) if n else None


def compute_metric(
    metric: str, part: Ints, counts: ConfusionCounts, false_positive_rate: float = 0.01
) -> Estimate | None:
    """Return a metric of the model's quality.

    Args:
        metric: key of a quality metric.
        part: (score bins, states, sums).
        counts: the part's counts at the threshold.
        false_positive_rate: 0 to 1, for recall at a fixed one.
    Returns:
        The figure; None where it is undefined (divided by 0).
    Source:
        the function of each metric.
    """
    if metric in EVENTS_AND_CASES:
        return compute_share(metric, counts)
    if metric in SCORE_BIN_METRICS:
        return SCORE_BIN_METRICS[metric](part)
    if metric == FALSE_POSITIVE_RATIO:
        return thresholds.false_positive_ratio(counts.caught, counts.false_alarms)
    if not (counts.frauds and counts.legitimate):
        return None
    frauds, legitimate = part[:, FRAUD, COUNT], part[:, LEGITIMATE, COUNT]
    if metric == RECALL_AT_FALSE_POSITIVE_RATE:
        return thresholds.recall_at_false_positive_rate(false_positive_rate, frauds, legitimate)
    return {ROC_AUC: ranking.roc_auc, PR_AUC: ranking.average_precision}[metric](frauds, legitimate)


def allow_for_unknown_fraud(metric: str, found: Estimate | None, known_share: float) -> Estimate | None:
    """Return recall or value detection rate with a lower bound that also holds if all unknown fraud was missed.

    Args:
        metric: key of a quality metric; others than these two are returned as they are.
        found: the figure over the frauds known so far.
        known_share: share of all fraud that is known, 0 to 1.
    Returns:
        The figure with its lower bound multiplied by that of the share known; None of None.
    Source:
        Clopper-Pearson: of n known frauds, n / ``known_share`` are expected in all.
    """
    if found is None or labels_needed(metric) is not Needs.FRAUDS or known_share >= 1:
        return found
    known_low = intervals.clopper_pearson(found.n, found.n / known_share).low if known_share > 0 else 0.0
    return found._replace(low=found.low * known_low)


def describe_too_few_cases(metric: str, counts: ConfusionCounts) -> str:
    """Return which cases are too few for a metric.

    Args:
        metric: key of a quality metric.
        counts: counts at the threshold.
    Returns:
        Words as '12 known frauds, 30 needed', or ''.
    """
    if metric == ALERT_RATE:
        return _too_few(counts.rows, MIN_ROWS, "payments")
    if metric in (PRECISION, FALSE_POSITIVE_RATIO):
        return _too_few(counts.labelled_alerts, MIN_ALERTS, "alerts with a label")
    few_frauds = "" if metric == FALSE_POSITIVE_RATE else _too_few(counts.frauds, MIN_FRAUDS, "known frauds")
    if few_frauds or labels_needed(metric) is Needs.FRAUDS:
        return few_frauds
    return _too_few(counts.legitimate, MIN_LEGITIMATE, "legitimate payments")


def _too_few(have: int, needed: int, what: str) -> str:
    return "" if have >= needed else f"{have:,} {what}, {needed:,} needed"


def available_metrics(spec: Spec) -> list[str]:
    """Return the metrics that a model file allows.

    Args:
        spec: the model file: some metrics need a threshold, labels, an amount or a score in [0, 1].
    Returns:
        Keys of quality metrics, in the catalogue's order.
    """
    without = set()
    if spec.score.threshold is None:
        without |= {RECALL, PRECISION, FALSE_POSITIVE_RATE, ALERT_RATE, VALUE_DETECTION_RATE}
        without.add(FALSE_POSITIVE_RATIO)
    if spec.labels is None:
        without |= {metric for metric, needs in catalogue.labels_needed().items() if needs is not Needs.NOTHING}
    if spec.score.amount is None:
        without.add(VALUE_DETECTION_RATE)
    if spec.score.range != (0.0, 1.0):
        without |= {CALIBRATION_ERROR, BRIER_SCORE}
    return [metric for metric in catalogue.labels_needed() if metric not in without]


def describe_exclusions(spec: Spec, metric: str, counts: ConfusionCounts) -> str:
    """Return what a reader must know of the payments a figure leaves out.

    Args:
        spec: the model file.
        metric: key of a quality metric.
        counts: counts at the threshold.
    Returns:
        Sentences led by a blank, or ''.
    """
    sentences = ""
    needs = labels_needed(metric)
    if counts.blocked and needs is not Needs.NOTHING:
        share = counts.blocked_alerts / max(1, counts.alerts)
        share_words = f"{100 * share:.2g} % of the alerts"
        sentences += f" Left out, for they get no label: {counts.blocked:,} blocked ({share_words})."
    if spec.labels and spec.labels.negative == "explicit" and needs is Needs.LABELS and counts.open:
        sentences += f" Over labelled payments only; {counts.open:,} have no label."
    if metric == FALSE_POSITIVE_RATIO and not counts.caught and counts.false_alarms:
        least = thresholds.false_positive_ratio(0, counts.false_alarms)
        sentences += f" No fraud was caught: there are at least {least.low:.0f} for each." if least else ""
    return sentences
