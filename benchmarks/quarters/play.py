"""Plays a quarter day by day through every monitor of profiles and the conclusions, as the watch does."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache

from alerting.incidents.conclude import conclude_incidents
from benchmarks.quarters.model import BASELINE_DAYS, FIRST, FRAME, QUARTER_DAYS, SPEC, Bank, Change
from ledger.records.incidents import Incident, Status
from ledger.records.measurements import Verdict
from monitors.drift import daily_drift, slow_drift
from monitors.drift.calibration import Calibration, learn_calibration
from monitors.faults import column_faults
from monitors.faults.baseline_behaviour import BaselineBehaviour, DayVectors, day_vectors
from monitors.faults.baseline_behaviour import learn_baseline_behaviour as learn_habits

CHANGES: dict[str, tuple[str, Change]] = {
    "nulls +3 points": ("age", Change(nulls={"age": 0.03})),
    "a new level at 4 %": ("kind", Change(fresh={"kind": 0.04})),
    "0.5 sd in a 10 % slice": ("age", Change(shift={"age": 0.5}, channel="branch")),
    "0.3 sd over 14 days": ("balance", Change(shift={"balance": 0.3}, over_days=14)),
    "score +0.3 logit": ("score", Change(shift={"score": 0.3})),
}
"""What must be caught, with the column that must be named."""


@dataclass
class Played:
    """What was concluded: a line for each page, the breaching figures by day, and when it fired (by column)."""

    pages: list[str] = field(default_factory=list)
    breaches: int = 0
    days: int = 0
    fired: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class _Start:
    """The bank at the end of its baseline, what was learned of it, and the last days' rows by cell."""

    bank: Bank
    calibration: Calibration
    habits: BaselineBehaviour
    levels: slow_drift.SlowDriftBaseline
    recent: dict[date, DayVectors]


@lru_cache(maxsize=2)
def _baseline(seed: int, rows: int) -> _Start:
    """Draw the days of the baseline and learn from them."""
    bank = Bank(seed, rows)
    days = {FIRST + timedelta(days=i): bank.day(i) for i in range(BASELINE_DAYS)}
    own = {day: day_vectors(SPEC, FRAME, profile) for day, profile in days.items()}
    habits = learn_habits(SPEC, FRAME, own)
    return _Start(bank, learn_calibration(SPEC, FRAME, days), habits, slow_drift.learn_slow_drift_baseline(habits), own)


def quiet(seed: int, rows: int) -> Played:
    """Play a quarter in which nothing happens."""
    return _play(seed, rows, None, QUARTER_DAYS)


def caught(name: str, seed: int, rows: int, days: int = 20) -> int | None:
    """Return the day (from 1) on which a change of today pages, naming its column; None where it doesn't."""
    feature, change = CHANGES[name]
    return _play(seed, rows, change, days).fired.get(feature)


def _play(seed: int, rows: int, change: Change | None, days: int) -> Played:
    start = _baseline(seed, rows)
    bank, recent, played, states = deepcopy(start.bank), dict(start.recent), Played(), dict[str, Incident]()
    for number in range(days):
        day = FIRST + timedelta(days=BASELINE_DAYS + number)
        profile = bank.day(BASELINE_DAYS + number, change, number)
        today = day_vectors(SPEC, FRAME, profile)
        found = daily_drift.measure_drift(SPEC, FRAME, day, profile, start.calibration)
        found += column_faults.measure_column_faults(SPEC, FRAME, day, today, recent, start.habits)
        found += slow_drift.measure_slow_drift(SPEC, day, today, recent, start.levels)
        recent[day] = today
        bad = [m for m in found if m.verdict is Verdict.BREACH]
        played.days += 1
        played.breaches += len(bad)
        live = [one for one in states.values() if one.live]
        for one in conclude_incidents(SPEC, day, found, live, list(states.values())):
            states[one.id] = one
            if one.status is Status.FIRING and one.fired == day:
                said = "; ".join(f"{m.feature} {m.slice} {m.metric}: {m.reason}" for m in bad[:3])
                played.pages.append(f"{one.cause} {one.figures[:4]} {said}")
            if one.status is Status.FIRING:
                for figure in one.figures:
                    played.fired.setdefault(figure.split("/")[2], number + 1)
    return played
