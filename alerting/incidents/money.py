"""How many pounds a day an incident puts at stake, or why that can't be said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import catalogue
from alerting.incidents.inhibition import Finding
from alerting.wording import format_pounds
from catalogue import Rows, causes
from catalogue.metrics.arrival import ROW_COUNT
from catalogue.metrics.money import CAUGHT, LOST
from catalogue.metrics.performance_monitors import DECAY_MONITOR
from ledger.records.measurements import Measurement

UNKNOWN_STAKE = "Money at stake is not known: "


@dataclass(frozen=True)
class MoneyAtStake:
    """Pounds a day with their 95 % interval; without an amount, ``reason`` says why."""

    amount_gbp: float | None = None
    low_gbp: float | None = None
    high_gbp: float | None = None
    reason: str = ""


def money_at_stake(finding: Finding, measurements: Sequence[Measurement]) -> MoneyAtStake:
    """Return the money at stake a day.

    Decay: the fraud value lost a day since the baseline, as the decay monitor measured it. A data fault: at most the
    fraud value that the model caught a day in its baseline, times the share of rows that the fault touches; so its
    interval starts at 0. The others have no honest figure.
    """
    if finding.cause == causes.PERFORMANCE_DECAY:
        return _money_lost_to_decay(measurements)
    if catalogue.cause(finding.cause).money_unknown and not _is_empty_partition(finding):
        return MoneyAtStake(reason=_unmeasured_reason(finding, measurements))
    share = _affected_row_share(finding)
    if share is None:
        return MoneyAtStake(reason="how many rows are affected is not known.")
    caught = _decay_figure(measurements, CAUGHT)
    if caught is None or caught.value is None:
        return MoneyAtStake(reason=_reason_or(caught, "what the model catches a day isn't measured yet."))
    high = caught.high if caught.high is not None else caught.value
    return MoneyAtStake(caught.value * share, 0.0, high * share)


def _unmeasured_reason(finding: Finding, measurements: Sequence[Measurement]) -> str:
    """Return why no loss is known and, where the model may catch less, the most it can be: all that it catches."""
    caught = _decay_figure(measurements, CAUGHT)
    cause = catalogue.cause(finding.cause)
    if not cause.may_catch_less or caught is None or caught.value is None:
        return cause.money_unknown
    most = caught.value if caught.high is None else caught.high
    return f"no measured loss yet, at most the {format_pounds(most)} a day that the model catches; labels will show."


def _money_lost_to_decay(measurements: Sequence[Measurement]) -> MoneyAtStake:
    lost = _decay_figure(measurements, LOST)
    if lost is None or lost.value is None:
        return MoneyAtStake(reason=_reason_or(lost, "the model file names no amount column."))
    if lost.value <= 0:
        return MoneyAtStake(reason="as much fraud value is caught as before.")
    return MoneyAtStake(lost.value, lost.low, lost.high)


def _affected_row_share(finding: Finding) -> float | None:
    if catalogue.cause(finding.cause).affects_all_rows or _is_empty_partition(finding):
        return 1.0
    first = finding.own[0]
    rows = catalogue.metric(first.metric).rows_affected
    if rows is Rows.UNKNOWN or first.slice:
        return None
    if rows is Rows.ALL:
        return 1.0
    return min(1.0, first.value) if first.value is not None else None


def _is_empty_partition(finding: Finding) -> bool:
    return finding.own[0].metric == ROW_COUNT and finding.own[0].value == 0


def _decay_figure(measurements: Sequence[Measurement], metric: str) -> Measurement | None:
    return next((m for m in measurements if m.monitor == DECAY_MONITOR and m.metric == metric and not m.slice), None)


def caught_gbp_per_day(measurements: Sequence[Measurement]) -> float | None:
    """Return the fraud value that the model caught a day in its baseline, in GBP; None where it isn't measured."""
    caught = _decay_figure(measurements, CAUGHT)
    return caught.value if caught is not None else None


def _reason_or(m: Measurement | None, otherwise: str) -> str:
    """Return a measurement's own reason as the end of a sentence, or another."""
    return f"{m.reason[:1].lower()}{m.reason[1:]}" if m is not None and m.reason else otherwise
