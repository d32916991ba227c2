"""What a new champion's score is held against: not the baseline's scores, which are those of the one before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta

import catalogue
from catalogue import Evidence
from catalogue.drift_monitors import SCORE_MONITOR, SLOW_MONITOR
from catalogue.performance import ALERT_RATE
from catalogue.performance_monitors import DECAY_MONITOR
from ledger.records.measurements import Measurement, Verdict
from ledger.records.retraining import BaselineChange
from models.spec import Spec
from monitors.drift.calibration import Calibration, learn_calibration
from monitors.stats.null_distributions import LEAST_DAYS
from profiles.profile import Profile
from profiles.schema import ProfileSchema


def baseline_being_gathered(baselines: Sequence[BaselineChange], day: date) -> BaselineChange | None:
    """Return the baseline that a new champion's own days are being gathered for.

    Args:
        baselines: the model's changes of baseline.
        day: the day.
    Returns:
        The newest that the day belongs to; None where none is being gathered.
    """
    gathered = [b for b in baselines if b.start <= day <= b.end and b.day == b.end + timedelta(days=1)]
    return max(gathered, key=lambda b: b.day, default=None)


def calibrate_score_on_own_days(
    spec: Spec, schema: ProfileSchema, learned: Calibration, own: Mapping[date, Profile]
) -> Calibration:
    """Return a calibration in which the score's part is learned from a new champion's own days.

    Few days say little about what is usual, so that at first only a gross change lies beyond the limits.

    Args:
        spec: the model file.
        schema: how partitions are profiled.
        learned: the calibration on the baseline.
        own: profiles of the days that the new champion scored.
    Returns:
        The calibration; as it was below seven days.
    """
    if len(own) < LEAST_DAYS:
        return learned
    score = learn_calibration(spec, replace(schema, numbers={}, categories={}), own).learned
    features = {key: each for key, each in learned.learned.items() if key[1] != spec.score.column}
    return replace(learned, learned={**features, **score})


def withhold_score_verdicts(
    found: Sequence[Measurement], score: str, gathering: BaselineChange | None, own_days: int = 0
) -> list[Measurement]:
    """Return a day's measurements, those of how the score lies without a verdict while its baseline is gathered.

    Args:
        found: the day's measurements.
        score: name of the score column.
        gathering: the baseline being gathered; None changes nothing.
        own_days: days that the new champion has scored; with enough of them distances keep their verdict, and say so.
    Returns:
        Measurements in the same order.
    """
    return [
        _withhold_verdict(m, gathering, own_days) if gathering and _depends_on_score_level(m, score) else m
        for m in found
    ]


def _depends_on_score_level(m: Measurement, score: str) -> bool:
    moves = m.monitor == SCORE_MONITOR or (m.monitor == SLOW_MONITOR and m.feature == score)
    rate = m.monitor == DECAY_MONITOR and m.metric == ALERT_RATE
    broken = catalogue.metric(m.metric).evidence is Evidence.HARD  # no model may have more of that than another
    return rate or (moves and not broken)


def _withhold_verdict(m: Measurement, gathering: BaselineChange, own_days: int) -> Measurement:
    if m.verdict not in (Verdict.OK, Verdict.BREACH):
        return m
    since, on = (f"{day.day} {day:%b}" for day in (gathering.start, gathering.day))
    if m.monitor == SCORE_MONITOR and own_days >= LEAST_DAYS:
        reason = f"Held against the {own_days} days that a new champion scores, since {since}: still few to judge by."
        return replace(m, reason=f"{m.reason} {reason}".strip())
    reason = f"Not judged: a new champion scores since {since}, and has days of its own to be held against from {on}."
    return replace(m, verdict=Verdict.INSUFFICIENT, reason=f"{reason} {m.reason}".strip())
