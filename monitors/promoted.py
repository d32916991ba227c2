"""What a new champion's score can't be held against yet: the baseline's scores are those of the one before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

from ledger.records import Baselined, Measurement, Verdict

JUDGED_ALL_THE_SAME = ("null_share", "nonfinite_share")
"""Figures of the score that no model may have more of than another."""


def settling(baselines: Sequence[Baselined], day: date) -> Baselined | None:
    """Return the baseline that a new champion's own days are being gathered for on a day; None where none is."""
    gathered = [b for b in baselines if b.start <= day <= b.end and b.day == b.end + timedelta(days=1)]
    return max(gathered, key=lambda b: b.day, default=None)


def unjudged(found: Sequence[Measurement], score: str, coming: Baselined | None) -> list[Measurement]:
    """Return measurements of a day, those of how the score lies without a verdict while its baseline is gathered."""
    return [_waiting(m, coming) if coming and _is_of_score(m, score) else m for m in found]


def _is_of_score(m: Measurement, score: str) -> bool:
    moves = m.monitor == "score" or (m.monitor == "slow" and m.feature == score)
    rate = m.monitor == "decay" and m.metric == "alert_rate"
    return rate or (moves and m.metric not in JUDGED_ALL_THE_SAME)


def _waiting(m: Measurement, coming: Baselined) -> Measurement:
    if m.verdict not in (Verdict.OK, Verdict.BREACH):
        return m
    since, on = (f"{day.day} {day:%b}" for day in (coming.start, coming.day))
    reason = f"Not judged: a new champion scores since {since}, and has days of its own to be held against from {on}."
    return replace(m, verdict=Verdict.INSUFFICIENT, reason=f"{reason} {m.reason}".strip())
