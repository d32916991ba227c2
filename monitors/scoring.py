"""The figures of a fraud model from its score cube: at the threshold exact, over all scores within a cell.

A ``part`` is one group's array of the cube, or any sum of them: (score cell ascending, label state, what), integers.
The threshold lies on the border of the middle cell, so figures at the threshold are exact. ROC-AUC, average
precision and calibration see scores at cell resolution: payments in one cell are tied. Against the raw scores
ROC-AUC is off by at most half the share of fraud-legitimate pairs that fall into one cell (0.0001 where scores are
spread, up to 0.004 a day where half of all payments crowd into one), and
average precision comes out lower by about 0.003 on continuous scores.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np

from ledger.records import Measurement, Verdict
from models.spec import Spec
from monitors import intervals, miscalibration, thresholds
from monitors.cubes import at_threshold
from monitors.intervals import Estimate
from monitors.maturity import Needs
from warehouse.grid import Ints
from warehouse.profile import BLOCKED, COUNT, EVERYONE, FRAUD, LEGITIMATE, OPEN, PENCE, SCORE, Cube, Group

NEEDS: dict[str, Needs] = {
    "recall": "frauds",
    "precision": "labels",
    "false_positive_rate": "labels",
    "alert_rate": "nothing",
    "pr_auc": "labels",
    "roc_auc": "labels",
    "value_detection_rate": "frauds",
    "calibration_error": "labels",
    "recall_at_false_positive_rate": "labels",
    "false_positive_ratio": "labels",
    "brier_score": "labels",
}
SHOWN = ("recall_at_false_positive_rate", "false_positive_ratio", "brier_score")
"""Metrics that are shown and never judged: a judged one moves with each of them."""
MIN_FRAUDS = 30
MIN_ALERTS = 30
MIN_LEGITIMATE = 1_000
MIN_ROWS = 100
BILLION = 1e9
BINS = 10


@dataclass(frozen=True)
class Confusion:
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
    def judged_alerts(self) -> int:
        """Return the alerts that have a label."""
        return self.caught + self.false_alarms


def confusion(part: Ints) -> Confusion:
    """Return a part's counts at the threshold."""
    return confusion_of(at_threshold(part))


def confusion_of(counts: Ints) -> Confusion:
    """Return payments below and above the threshold by state (2, states) by their names."""
    quiet, raised = counts.tolist()
    return Confusion(
        caught=raised[FRAUD],
        missed=quiet[FRAUD],
        false_alarms=raised[LEGITIMATE],
        passed=quiet[LEGITIMATE],
        alerts=sum(raised),
        rows=sum(quiet) + sum(raised),
        blocked=quiet[BLOCKED] + raised[BLOCKED],
        blocked_alerts=raised[BLOCKED],
        open=quiet[OPEN] + raised[OPEN],
    )


def settled(spec: Spec, part: Ints) -> Ints:
    """Return a part of mature cohorts with its payments without a label as legitimate, where the model file says so.

    So too for counts at the threshold: what matters is that the second axis is the state.
    """
    if spec.labels is None or spec.labels.negative == "explicit":
        return part
    result = part.copy()
    result[:, LEGITIMATE] += part[:, OPEN]
    result[:, OPEN] = 0
    return result


def pool(cubes: Mapping[date, Cube], days: Iterable[date], group: Group) -> Ints | None:
    """Return the sum of a group's parts over days; None where the group has no payment on any of them."""
    result: Ints | None = None
    for day in days:
        part = cubes[day].cells.get(group)
        if part is not None:
            result = part.copy() if result is None else np.add(result, part, out=result)
    return result


def value_detection_rate(frauds: Ints) -> Estimate | None:
    """Return the money of caught frauds over that of all frauds; None where it is 0.

    ``frauds`` has the shape (unit, score cell, what), a unit being a day or a sum of days; see
    ``intervals.value_share`` for the interval. Blocked payments count on neither side.
    """
    half = frauds.shape[1] // 2
    counts, pence = frauds[:, :, COUNT], frauds[:, :, PENCE].astype(np.float64)
    if pence.sum() <= 0:
        return None
    return intervals.value_share(
        (counts[:, half:].ravel(), pence[:, half:].ravel()), (counts[:, :half].ravel(), pence[:, :half].ravel())
    )


def calibration_error(part: Ints) -> Estimate | None:
    """Return the expected calibration error: mean gap of score and fraud share over ten bins of equal mass.

    A cell goes into a bin whole, by the middle of its mass. Mean scores are exact (the cube sums them). What noise
    alone adds to a gap is taken off, so that figures of few and of many payments compare (``miscalibration``).
    n is the number of labelled payments; None where there are none.
    """
    frauds = part[:, FRAUD, COUNT]
    counts = frauds + part[:, LEGITIMATE, COUNT]
    n = int(counts.sum())
    if not n:
        return None
    bins = np.minimum(BINS * (np.cumsum(counts) - counts / 2) / n, BINS - 1).astype(np.int64)
    scores = (part[:, FRAUD, SCORE] + part[:, LEGITIMATE, SCORE]) / BILLION
    variance = scores * (1 - scores / np.maximum(counts, 1))
    summed = [np.bincount(bins, each, BINS).astype(np.float64) for each in (counts, frauds, scores, variance)]
    return miscalibration.gap_of_bins(miscalibration.Bins(*summed))


def mean_score_and_prevalence(part: Ints) -> tuple[float, float]:
    """Return the mean score (as a share of its range) and the fraud share of a part's labelled payments."""
    labelled = part[:, FRAUD].sum(axis=0) + part[:, LEGITIMATE].sum(axis=0)
    n = int(labelled[COUNT])
    return (float(labelled[SCORE]) / BILLION / n, int(part[:, FRAUD, COUNT].sum()) / n) if n else (math.nan, math.nan)


EVENTS: dict[str, Callable[[Confusion], tuple[int, int]]] = {
    "recall": lambda c: (c.caught, c.frauds),
    "precision": lambda c: (c.caught, c.judged_alerts),
    "false_positive_rate": lambda c: (c.false_alarms, c.legitimate),
    "alert_rate": lambda c: (c.alerts, c.rows),
}
"""The metrics that are shares of counts at the threshold: events, and the cases among which they are counted."""


OF_PART: dict[str, Callable[[Ints], Estimate | None]] = {
    "value_detection_rate": lambda part: value_detection_rate(part[None, :, FRAUD]),
    "calibration_error": calibration_error,
    "brier_score": thresholds.brier_score,
}
"""The metrics that need more of a part than its counts."""


def share_of(metric: str, counts: Confusion) -> Estimate | None:
    """Return a metric of EVENTS; None where there is nothing to divide by."""
    events, n = EVENTS[metric](counts)
    return intervals.share(events, n) if n else None


def figure(metric: str, part: Ints, counts: Confusion, false_positive_rate: float = 0.01) -> Estimate | None:
    """Return a metric of NEEDS from a part and its confusion; None where it is undefined (nothing to divide by).

    ``false_positive_rate`` is that of recall at a fixed one.
    """
    if metric in EVENTS:
        return share_of(metric, counts)
    if metric in OF_PART:
        return OF_PART[metric](part)
    if metric == "false_positive_ratio":
        return thresholds.false_positive_ratio(counts.caught, counts.false_alarms)
    if not (counts.frauds and counts.legitimate):
        return None
    frauds, legitimate = part[:, FRAUD, COUNT], part[:, LEGITIMATE, COUNT]
    if metric == "recall_at_false_positive_rate":
        return thresholds.recall_at(false_positive_rate, frauds, legitimate)
    return {"roc_auc": intervals.roc_auc, "pr_auc": intervals.average_precision}[metric](frauds, legitimate)


def allowing_for_unknown(metric: str, found: Estimate | None, known_share: float) -> Estimate | None:
    """Return recall or value detection rate with a lower bound that also holds if all unknown fraud was missed.

    Of n known frauds, n / ``known_share`` are expected in all; the lower bound is multiplied by that of the share
    known (Clopper-Pearson). Other metrics are returned as they are.
    """
    if found is None or NEEDS[metric] != "frauds" or known_share >= 1:
        return found
    known_low = intervals.clopper_pearson(found.n, found.n / known_share).low if known_share > 0 else 0.0
    return found._replace(low=found.low * known_low)


def lacking(metric: str, counts: Confusion) -> str:
    """Return which cases are too few for a metric, as '12 frauds known, 30 needed', or an empty string."""
    if metric == "alert_rate":
        return _too_few(counts.rows, MIN_ROWS, "payments")
    if metric in ("precision", "false_positive_ratio"):
        return _too_few(counts.judged_alerts, MIN_ALERTS, "alerts with a label")
    few_frauds = "" if metric == "false_positive_rate" else _too_few(counts.frauds, MIN_FRAUDS, "known frauds")
    if few_frauds or NEEDS[metric] == "frauds":
        return few_frauds
    return _too_few(counts.legitimate, MIN_LEGITIMATE, "legitimate payments")


def _too_few(have: int, needed: int, what: str) -> str:
    return "" if have >= needed else f"{have:,} {what}, {needed:,} needed"


def metrics_of(spec: Spec) -> list[str]:
    """Return the metrics that a model file allows: some need a threshold, labels, an amount or a score in [0, 1]."""
    without = set()
    if spec.score.threshold is None:
        without |= {"recall", "precision", "false_positive_rate", "alert_rate", "value_detection_rate"}
        without.add("false_positive_ratio")
    if spec.labels is None:
        without |= {metric for metric, needs in NEEDS.items() if needs != "nothing"}
    if spec.score.amount is None:
        without.add("value_detection_rate")
    if spec.score.range != (0.0, 1.0):
        without |= {"calibration_error", "brier_score"}
    return [metric for metric in NEEDS if metric not in without]


def notes(spec: Spec, metric: str, counts: Confusion) -> str:
    """Return what a reader must know of the payments a figure leaves out, as sentences led by a blank, or ''."""
    said = ""
    if counts.blocked and NEEDS[metric] != "nothing":
        share = counts.blocked_alerts / max(1, counts.alerts)
        share_words = f"{100 * share:.2g} % of the alerts"
        said += f" Left out, for they get no label: {counts.blocked:,} blocked ({share_words})."
    if spec.labels and spec.labels.negative == "explicit" and NEEDS[metric] == "labels" and counts.open:
        said += f" Over labelled payments only; {counts.open:,} have no label."
    if metric == "false_positive_ratio" and not counts.caught and counts.false_alarms:
        least = thresholds.false_positive_ratio(0, counts.false_alarms)
        said += f" No fraud was caught: there are at least {least.low:.0f} for each." if least else ""
    return said


def slice_name(group: Group) -> str:
    """Return how a measurement names a group: ``column=value``, or '' for everyone.

    Null reads ``(null)``; a bank's own word of that spelling is quoted, so that no two groups share a name.
    """
    column, value = group
    if not column:
        return ""
    told = "(null)" if value is None else value
    return f"{column}='{told}'" if value == "(null)" else f"{column}={told}"


def measurement(
    spec: Spec,
    day: date,
    as_of: date,
    monitor: str,
    metric: str,
    found: Estimate | None,
    verdict: Verdict,
    reason: str,
    *,
    group: Group = EVERYONE,
    limit: float | None = None,
) -> Measurement:
    """Return the record of a figure; without one, and where it is not finite, it has no value or bound."""
    value, low, high = (x if math.isfinite(x) else None for x in found[:3]) if found else (None, None, None)
    return Measurement(
        model=spec.model,
        day=day,
        as_of=as_of,
        monitor=monitor,
        metric=metric,
        slice=slice_name(group),
        value=value,
        low=low,
        high=high,
        n=found.n if found else 0,
        limit=limit,
        verdict=verdict,
        reason=reason,
    )
