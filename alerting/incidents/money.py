"""How many pounds a day an incident puts at stake, or why that can't be said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from alerting.incidents.inhibition import Finding
from alerting.wording import format_pounds
from ledger.records.incidents import Cause
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
    if finding.cause is Cause.PERFORMANCE_DECAY:
        return _money_lost_to_decay(measurements)
    if finding.cause in UNMEASURED_REASONS and not _is_empty_partition(finding):
        return MoneyAtStake(reason=_unmeasured_reason(finding, measurements))
    share = _affected_row_share(finding)
    if share is None:
        return MoneyAtStake(reason="how many rows are touched can't be told.")
    caught = _decay_figure(measurements, "caught_gbp_per_day")
    if caught is None or caught.value is None:
        return MoneyAtStake(reason=_reason_or(caught, "what the model catches a day isn't measured yet."))
    high = caught.high if caught.high is not None else caught.value
    return MoneyAtStake(caught.value * share, 0.0, high * share)


UNMEASURED_REASONS: dict[Cause, str] = {
    Cause.ERRORED: "what couldn't be computed has no figure.",
    Cause.INCOMPLETE_PARTITION: "what the rows that lack, or are too many, are worth can't be told.",
    Cause.LATE_PARTITION: "the data came, but late; payments scored in between aren't told apart.",
    Cause.SEASON: "no measured loss yet; labels will tell.",
    Cause.POPULATION_SHIFT: "no measured loss yet; labels will tell.",
    Cause.MODEL_RELEASE: "no measured loss yet; labels will tell.",
    Cause.SCORE_SHIFT: "no measured loss yet; labels will tell.",
    Cause.FAIRNESS_GAP: "the harm to customers isn't counted in pounds.",
}


def _unmeasured_reason(finding: Finding, measurements: Sequence[Measurement]) -> str:
    """Return why no loss is known and, where the model may catch less, the most it can be: all that it catches."""
    caught = _decay_figure(measurements, "caught_gbp_per_day")
    if finding.cause not in MAY_CATCH_LESS_CAUSES or caught is None or caught.value is None:
        return UNMEASURED_REASONS[finding.cause]
    most = caught.value if caught.high is None else caught.high
    return f"no measured loss yet, at most the {format_pounds(most)} a day that the model catches; labels will tell."


MAY_CATCH_LESS_CAUSES = (Cause.SEASON, Cause.POPULATION_SHIFT, Cause.MODEL_RELEASE, Cause.SCORE_SHIFT)


def _money_lost_to_decay(measurements: Sequence[Measurement]) -> MoneyAtStake:
    lost = _decay_figure(measurements, "lost_gbp_per_day")
    if lost is None or lost.value is None:
        return MoneyAtStake(reason=_reason_or(lost, "the model file names no amount column."))
    if lost.value <= 0:
        return MoneyAtStake(reason="as much fraud value is caught as before.")
    return MoneyAtStake(lost.value, lost.low, lost.high)


def _affected_row_share(finding: Finding) -> float | None:
    if finding.cause in (Cause.MISSING_PARTITION, Cause.STALE_PARTITION, Cause.SCHEMA_CHANGE):
        return 1.0
    first = finding.own[0]
    if _is_empty_partition(finding):
        return 1.0
    if first.metric in ("scale_ratio", "repeated_column", "swapped_column") and not first.slice:
        return 1.0
    if first.metric.endswith("_share") and first.value is not None and not first.slice:
        return min(1.0, first.value)
    return None


def _is_empty_partition(finding: Finding) -> bool:
    return finding.own[0].metric == "row_count" and finding.own[0].value == 0


def _decay_figure(measurements: Sequence[Measurement], metric: str) -> Measurement | None:
    return next((m for m in measurements if m.monitor == "decay" and m.metric == metric and not m.slice), None)


def caught_gbp_per_day(measurements: Sequence[Measurement]) -> float | None:
    """Return the fraud value that the model caught a day in its baseline, in GBP; None where it isn't measured."""
    caught = _decay_figure(measurements, "caught_gbp_per_day")
    return caught.value if caught is not None else None


def _reason_or(m: Measurement | None, otherwise: str) -> str:
    """Return a measurement's own reason as the end of a sentence, or another."""
    return f"{m.reason[:1].lower()}{m.reason[1:]}" if m is not None and m.reason else otherwise
