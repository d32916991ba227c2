"""Days that look like an attack on what a model learns, or like a flood of wrong labels; nothing is fit on them unseen.

Whoever can make labels, or payments that will be labelled, can teach a model: a flood of disputes, a burst of
frauds in one corner, rows repeated many times. Each rule holds a day against the median of the window's days, which
the few days of an attack can't move; what lasts longer than half the window is for the drift monitors to find. A real
new pattern grows over days and stays far below these bounds.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import date
from statistics import median
from typing import NamedTuple

from alerting.words import day_words, percent, quoted
from ledger.records import Measurement, Verdict

LEAST_DAYS = 7
"""With fewer days nothing can be called usual."""
FRAUD_FACTOR = 3.0
SLICE_FACTOR = 5.0
ALERT_FACTOR = 3.0
LEAST_FRAUDS = 30
"""A smaller burst teaches a model little, and chance makes it."""
CHANCE_ERRORS = 5.0
"""A count must also lie so many of its usual standard deviations (Poisson: root of the usual count) above the usual."""


class Suspect(NamedTuple):
    """A day that nobody should learn from unseen, and why in words."""

    day: date
    reason: str


def suspects(measurements: Sequence[Measurement]) -> list[Suspect]:
    """Return the suspect days of a window, in order, each with its first reason.

    ``measurements`` are the newest of each cohort day of the window: ``performance`` (known frauds are the ``n`` of
    recall; alert rate) for everyone and by slice, and ``arrival`` (duplicate share).
    """
    found: dict[date, Suspect] = {}
    for suspect in (*_repeated(measurements), *_floods(measurements), *_alerts(measurements), *_bursts(measurements)):
        found.setdefault(suspect.day, suspect)
    return [found[day] for day in sorted(found)]


def _repeated(measurements: Sequence[Measurement]) -> Iterator[Suspect]:
    for m in measurements:
        if (m.monitor, m.metric, m.verdict) == ("arrival", "duplicate_share", Verdict.BREACH) and m.value is not None:
            yield Suspect(m.day, f"{percent(m.value)} of the rows of {day_words(m.day)} repeat an id")


def _floods(measurements: Sequence[Measurement]) -> Iterator[Suspect]:
    counts = _frauds(measurements, "")
    for day, frauds, usual in _far_above(counts, FRAUD_FACTOR):
        yield Suspect(day, f"{frauds:,} frauds are labelled on {day_words(day)}, where {usual:,.0f} a day are usual")


def _bursts(measurements: Sequence[Measurement]) -> Iterator[Suspect]:
    for part in sorted({m.slice for m in measurements if m.monitor == "performance" and m.slice}):
        for day, frauds, usual in _far_above(_frauds(measurements, part), SLICE_FACTOR):
            told = f"{frauds:,} frauds on {day_words(day)} are of {quoted(part)}, where {usual:,.0f} a day are usual"
            yield Suspect(day, told)


def _alerts(measurements: Sequence[Measurement]) -> Iterator[Suspect]:
    rates = {
        m.day: m.value
        for m in measurements
        if (m.monitor, m.metric, m.slice) == ("performance", "alert_rate", "") and m.value is not None and m.n
    }
    usual = median(rates.values()) if len(rates) >= LEAST_DAYS else math.inf
    for day, rate in sorted(rates.items()):
        if usual and rate > ALERT_FACTOR * usual:
            yield Suspect(
                day, f"{percent(rate)} of the payments of {day_words(day)} raised an alert; {percent(usual)} is usual"
            )


def _frauds(measurements: Sequence[Measurement], part: str) -> dict[date, int]:
    return {
        m.day: m.n for m in measurements if (m.monitor, m.metric, m.slice) == ("performance", "recall", part) and m.n
    }


def _far_above(counts: dict[date, int], factor: float) -> Iterator[tuple[date, int, float]]:
    """Yield days with far more than the usual count: (day, count, usual)."""
    if len(counts) < LEAST_DAYS:
        return
    usual = float(median(counts.values()))
    for day, count in sorted(counts.items()):
        by_chance = usual + CHANCE_ERRORS * math.sqrt(usual)
        if count - usual >= LEAST_FRAUDS and count > max(factor * usual, by_chance):
            yield day, count, usual
