"""Whether the model treats the groups of a protected column alike: rates by group, against the reference group's."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from scipy import special

from ledger.records import Measurement, Verdict
from models.spec import Protected, Spec
from monitors import intervals, limits, scoring
from monitors.intervals import Estimate
from monitors.maturity import Ages, Curve, ages, window
from monitors.scoring import Confusion
from warehouse.grid import OTHER, Frame
from warehouse.profile import Cube, Group

MONITOR = "fairness"
WINDOW_DAYS = {"selection_rate": 14, "false_positive_rate": 14, "true_positive_rate": 28, "precision": 28}
"""Cohort days that are pooled, by rate. A window that straddles a change dilutes it, so the first two, which rest on
many payments, are short; the other two rest on frauds and alerts, which are few."""
PLAIN = {"selection_rate": "alert_rate", "true_positive_rate": "recall"}
"""What a rate is called in ``scoring`` where it has another name there."""
JUDGED = ("selection_rate", "false_positive_rate", "true_positive_rate")
"""Rates whose ratio may breach. Precision differs wherever base rates do, so it is shown only."""
LEAST_CASES = 30
LEAST_EVENTS = 10
CASES = {
    "selection_rate": "payments",
    "false_positive_rate": "legitimate payments",
    "true_positive_rate": "frauds",
    "precision": "alerts with a label",
}
SAYS = {
    "selection_rate": "raised an alert",
    "false_positive_rate": "raised an alert",
    "true_positive_rate": "were caught",
    "precision": "were fraud",
}


@dataclass(frozen=True)
class Tally:
    """A group's counts over the window: events among n cases, of all its payments."""

    events: int
    n: int
    counts: Confusion


def measure(spec: Spec, frame: Frame, as_of: date, cubes: Mapping[date, Cube], curve: Curve) -> list[Measurement]:
    """Return each rate by group of each protected column, and its difference and ratio to the reference group.

    Rates have Clopper-Pearson, differences Newcombe and ratios score intervals. Only the ratios of JUDGED rates may
    breach: the ratio or its inverse reaches the floor, the 95 % interval lies beyond the floor's square root, and
    the interval at the model's false-alarm budget, shared over groups and rates, excludes 1. Groups below
    ``min_rows`` payments are not shown; groups with too few cases are insufficient, with the number that would do.
    Payments without a value, or with a rare one, have rates but are not compared.
    """
    if frame.score is None or spec.score.threshold is None:
        return []
    mature = ages(spec.labels, curve)
    rates = [rate for rate in WINDOW_DAYS if spec.labels or scoring.NEEDS[_plain(rate)] == "nothing"]
    columns = [column for column in spec.protected if column in frame.groups]
    tests = sum(max(0, len(frame.groups[column]) - 1) for column in columns) * len(JUDGED)
    alpha = limits.alpha(spec, tests)
    return [
        found
        for column in columns
        for rate in rates
        for found in _column(spec, frame, as_of, cubes, mature, column, rate, alpha)
    ]


def _column(
    spec: Spec,
    frame: Frame,
    as_of: date,
    cubes: Mapping[date, Cube],
    mature: Ages,
    column: str,
    rate: str,
    alpha: float,
) -> Iterator[Measurement]:
    """Yield one rate of one column: by group, and against the reference."""
    needs, protected = scoring.NEEDS[_plain(rate)], spec.protected[column]
    days = window(cubes, as_of, mature.of(needs), WINDOW_DAYS[rate])
    values = dict.fromkeys([protected.reference, *frame.groups[column], OTHER])
    tallies = {value: _tally(spec, cubes, days, (column, value), rate) for value in values}
    reference = tallies[protected.reference]
    for value, tally in tallies.items():
        if tally is None and value in (None, OTHER):
            continue
        group = (column, value)
        compared = value not in (protected.reference, None, OTHER)
        names = [rate, f"{rate}_difference", f"{rate}_ratio"] if compared else [rate]
        if not days and cubes:
            reason = f"The first cohort is {mature.when(min(cubes), needs)}."
            yield from (_found(spec, as_of, name, group, None, Verdict.IMMATURE, reason) for name in names)
        elif tally is None or tally.counts.rows < protected.min_rows or not tally.n:
            reason = f"Fewer than {protected.min_rows} payments, or no {CASES[rate]}: not shown."
            yield from (_found(spec, as_of, name, group, None, Verdict.INSUFFICIENT, reason) for name in names)
        else:
            yield _rate(spec, as_of, rate, group, tally, reference or tally)
            if compared:
                yield from _against(spec, as_of, rate, group, tally, reference, protected, alpha)


def _tally(spec: Spec, cubes: Mapping[date, Cube], days: list[date], group: Group, rate: str) -> Tally | None:
    part = scoring.pool(cubes, days, group)
    if part is None:
        return None
    metric = _plain(rate)
    counts = scoring.confusion(scoring.settled(spec, part) if scoring.NEEDS[metric] == "labels" else part)
    return Tally(*scoring.EVENTS[metric](counts), counts)


def _rate(spec: Spec, as_of: date, rate: str, group: Group, tally: Tally, reference: Tally) -> Measurement:
    verdict = Verdict.OK if _enough(tally, reference) else Verdict.INSUFFICIENT
    reason = scoring.notes(spec, _plain(rate), tally.counts).strip()
    if verdict is Verdict.INSUFFICIENT:
        reason = f"{_needed(rate, tally, reference, limits.floor(spec, f'{rate}_ratio'))} {reason}".strip()
    return _found(spec, as_of, rate, group, intervals.share(tally.events, tally.n, exact=True), verdict, reason)


def _against(
    spec: Spec,
    as_of: date,
    rate: str,
    group: Group,
    tally: Tally,
    reference: Tally | None,
    protected: Protected,
    alpha: float,
) -> Iterator[Measurement]:
    """Yield a group's difference and ratio to the reference group."""
    names = (f"{rate}_difference", f"{rate}_ratio")
    enough = reference is not None and reference.counts.rows >= protected.min_rows and reference.events >= LEAST_EVENTS
    if reference is None or not enough:
        reason = f"The reference group {protected.reference} has too few {CASES[rate]} to compare with."
        yield from (_found(spec, as_of, name, group, None, Verdict.INSUFFICIENT, reason) for name in names)
        return
    floor = limits.floor(spec, f"{rate}_ratio")
    x, n, y, m = tally.events, tally.n, reference.events, reference.n
    gap = Estimate(x / n - y / m, *intervals.newcombe(x, n, y, m), n)
    ratio = Estimate(x / n / (y / m), *intervals.ratio(x, n, y, m), n)
    verdict = _verdict(ratio, intervals.ratio(x, n, y, m, alpha), math.log(floor)) if rate in JUDGED else Verdict.OK
    if not _enough(tally, reference):
        verdict = Verdict.INSUFFICIENT
    lacks = f" {_needed(rate, tally, reference, floor)}" if verdict is Verdict.INSUFFICIENT else ""
    sides = (
        f"{_percent(x / n)} of {n:,} {CASES[rate]} {SAYS[rate]}; {_percent(y / m)} of {m:,} with {protected.reference}"
    )
    low, high = (100 * end for end in gap[1:3])
    apart = f"{sides}: {100 * gap.value:+.2f} points ({low:+.2f} to {high:+.2f}).{lacks}"
    gap_verdict = verdict if verdict is Verdict.INSUFFICIENT else Verdict.OK
    yield _found(spec, as_of, names[0], group, gap, gap_verdict, apart)
    limit = (floor if ratio.value >= 1 else 1 / floor) if rate in JUDGED else None
    times = f"{sides}: {ratio.value:.2f} times as many ({ratio.low:.2f} to {ratio.high:.2f}).{lacks}"
    yield _found(spec, as_of, names[1], group, ratio, verdict, times, limit)


def _verdict(ratio: Estimate, safe: intervals.Interval, floor: float) -> Verdict:
    """Judge a ratio either way, on the log scale; ``floor`` is the logarithm of the smallest ratio that matters."""
    value, low, high, safe_low, safe_high = (intervals.log_ratio(x) for x in (*ratio[:3], *safe))
    if value < 0:
        value, low, high, safe_low = -value, -high, -low, -safe_high
    return limits.judge(
        beyond=value >= floor and low >= floor / 2,
        significant=safe_low > 0,
        telling=(high - low) / 2 <= floor,
    )


def _enough(tally: Tally, reference: Tally) -> bool:
    """Return whether a group's share can be told: ten events at the reference's share, and thirty cases.

    Expected events, not observed ones: none where a thousand were due says a lot.
    """
    return tally.n >= LEAST_CASES and tally.n * reference.events >= LEAST_EVENTS * reference.n


def _needed(rate: str, tally: Tally, reference: Tally, floor: float) -> str:
    """Return how many cases of the group would show the smallest ratio that matters."""
    if not 0 < reference.events < reference.n:
        return f"Only {tally.n:,} {CASES[rate]}."
    needed = cases_needed(reference.events / reference.n, floor)
    return f"Only {tally.n:,} {CASES[rate]}; about {needed:,} would show a ratio of {floor:g}."


def cases_needed(share: float, ratio: float, power: float = 0.8) -> int:
    """Return the cases in each of two groups to tell ``share * ratio`` from ``share`` (5 % two-sided, normal).

    Fleiss, Levin & Paik, Statistical Methods for Rates and Proportions, 2003, section 4.2. Where the share times
    the ratio passes 1, the share divided by it is told instead.
    """
    other = share * ratio if share * ratio < 1 else share / ratio
    mean = (share + other) / 2
    spread = math.sqrt(share * (1 - share) + other * (1 - other))
    z = special.ndtri(1 - intervals.ALPHA / 2) * math.sqrt(2 * mean * (1 - mean)) + special.ndtri(power) * spread
    return math.ceil(float(z) ** 2 / (share - other) ** 2)


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"


def _plain(rate: str) -> str:
    return PLAIN.get(rate, rate)


def _found(
    spec: Spec,
    as_of: date,
    metric: str,
    group: Group,
    found: Estimate | None,
    verdict: Verdict,
    reason: str,
    limit: float | None = None,
) -> Measurement:
    return scoring.measurement(spec, as_of, as_of, MONITOR, metric, found, verdict, reason, group=group, limit=limit)
