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

from alerting.wording import format_day, format_percent, quote_name
from catalogue.metrics.arrival import ARRIVAL_MONITOR, DUPLICATE_SHARE
from catalogue.metrics.performance import ALERT_RATE, RECALL
from catalogue.metrics.performance_monitors import COHORT_MONITOR
from ledger.records.measurements import Measurement, Verdict

MIN_WINDOW_DAYS = 7
"""With fewer days nothing can be called usual."""
FRAUD_FLOOD_FACTOR = 3.0
SLICE_BURST_FACTOR = 5.0
ALERT_FLOOD_FACTOR = 3.0
MIN_BURST_FRAUDS = 30
"""A smaller burst teaches a model little, and chance makes it."""
CHANCE_STANDARD_DEVIATIONS = 5.0
"""A count must also lie so many of its usual standard deviations (Poisson: root of the usual count) above the usual."""


class SuspectDay(NamedTuple):
    """A day that nobody should learn from unseen, and why in words."""

    day: date
    reason: str


def find_suspect_days(measurements: Sequence[Measurement]) -> list[SuspectDay]:
    """Return the suspect days of a window, in order, each with its first reason.

    ``measurements`` are the newest of each cohort day of the window: ``performance`` (known frauds are the ``n`` of
    recall; alert rate) for everyone and by slice, and ``arrival`` (duplicate share).
    """
    found: dict[date, SuspectDay] = {}
    for suspect in (
        *_duplicate_row_days(measurements),
        *_fraud_flood_days(measurements),
        *_alert_flood_days(measurements),
        *_slice_burst_days(measurements),
    ):
        found.setdefault(suspect.day, suspect)
    return [found[day] for day in sorted(found)]


def _duplicate_row_days(measurements: Sequence[Measurement]) -> Iterator[SuspectDay]:
    for m in measurements:
        if (m.monitor, m.metric, m.verdict) == (
            ARRIVAL_MONITOR,
            DUPLICATE_SHARE,
            Verdict.BREACH,
        ) and m.value is not None:
            yield SuspectDay(m.day, f"{format_percent(m.value)} of the rows of {format_day(m.day)} repeat an id")


def _fraud_flood_days(measurements: Sequence[Measurement]) -> Iterator[SuspectDay]:
    counts = _frauds_by_day(measurements, "")
    for day, frauds, usual in _far_above(counts, FRAUD_FLOOD_FACTOR):
        yield SuspectDay(
            day, f"{frauds:,} frauds are labelled on {format_day(day)}, where {usual:,.0f} a day are usual"
        )


def _slice_burst_days(measurements: Sequence[Measurement]) -> Iterator[SuspectDay]:
    for part in sorted({m.slice for m in measurements if m.monitor == COHORT_MONITOR and m.slice}):
        for day, frauds, usual in _far_above(_frauds_by_day(measurements, part), SLICE_BURST_FACTOR):
            reason_text = (
                f"{frauds:,} frauds on {format_day(day)} are of {quote_name(part)}, where {usual:,.0f} a day are usual"
            )
            yield SuspectDay(day, reason_text)


def _alert_flood_days(measurements: Sequence[Measurement]) -> Iterator[SuspectDay]:
    rates = {
        m.day: m.value
        for m in measurements
        if (m.monitor, m.metric, m.slice) == (COHORT_MONITOR, ALERT_RATE, "") and m.value is not None and m.n
    }
    usual = median(rates.values()) if len(rates) >= MIN_WINDOW_DAYS else math.inf
    for day, rate in sorted(rates.items()):
        if usual and rate > ALERT_FLOOD_FACTOR * usual:
            yield SuspectDay(
                day,
                f"{format_percent(rate)} of the payments of {format_day(day)} raised an alert; "
                f"{format_percent(usual)} is usual",
            )


def _frauds_by_day(measurements: Sequence[Measurement], part: str) -> dict[date, int]:
    return {
        m.day: m.n for m in measurements if (m.monitor, m.metric, m.slice) == (COHORT_MONITOR, RECALL, part) and m.n
    }


def _far_above(counts: dict[date, int], factor: float) -> Iterator[tuple[date, int, float]]:
    """Yield days with far more than the usual count: (day, count, usual)."""
    if len(counts) < MIN_WINDOW_DAYS:
        return
    usual = float(median(counts.values()))
    for day, count in sorted(counts.items()):
        by_chance = usual + CHANCE_STANDARD_DEVIATIONS * math.sqrt(usual)
        if count - usual >= MIN_BURST_FRAUDS and count > max(factor * usual, by_chance):
            yield day, count, usual
