"""Whether the right data arrived: there, in time, whole, without duplicates, with the columns the model reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from statistics import median
from zoneinfo import ZoneInfo

from scipy import special

from checks import intervals, schema
from ledger.records.measurements import Measurement, Verdict
from ledger.records.runs import StreamedDay
from models.spec import Spec
from warehouse.protocol import Partition

DEFAULT_LIMITS = {"row_count": 0.65, "duplicate_share": 0.001}
"""Default limits, which ``alerts.limits`` overrides: share of the usual rows (either way), share of repeated ids."""
FEWEST_DAYS = 3
SIGNIFICANCE = 0.001
"""Share of unchanged days whose row count may be taken for significantly different, apart from the limit."""
MEDIAN_CHI_SQUARE = 0.4549364
"""Median of the chi-square distribution with one degree of freedom."""


def measure_arrival(
    spec: Spec,
    day: date,
    partition: Partition | StreamedDay | None,
    history: Mapping[date, int],
    known_columns: Mapping[str, str] | None,
    now: datetime,
) -> list[Measurement]:
    """Return the measurements of monitors arrival and schema for a day's partition.

    ``history`` are rows by earlier day, ``known_columns`` the types that columns had in an earlier partition (None:
    there was none), ``now`` (UTC) ends the wait for a partition that isn't there. A missing partition has only the
    row count (missing) and, with ``arrives_by``, the delay so far; a streamed day has its row count, that delay, and
    its duplicates as insufficient, for nobody looked at its ids.
    """
    blank = Measurement(spec.model, day, day, "arrival", "")
    whole = partition if isinstance(partition, Partition) else None
    found = [_row_count(spec, blank, partition, history, now), *_delay_measurements(spec, blank, whole, now)]
    if whole is not None:
        found.append(_duplicate_share(spec, blank, whole))
        found += schema.measure_schema(spec, day, whole.columns, known_columns)
    elif partition is not None:
        reason = "the day was streamed: its ids are checked when its partition comes"
        unknown = replace(blank, metric="duplicate_share", feature=spec.features.id, n=partition.rows, reason=reason)
        found.append(replace(unknown, verdict=Verdict.INSUFFICIENT))
    return found


def arrival_deadline(spec: Spec, day: date) -> datetime | None:
    """Return when a day's partition is due (UTC): ``arrives_by`` on the day after, in the schedule's timezone."""
    if spec.features.arrives_by is None:
        return None
    clock = time.fromisoformat(spec.features.arrives_by)
    return datetime.combine(day + timedelta(days=1), clock, ZoneInfo(spec.schedule.timezone)).astimezone(UTC)


def _row_count(
    spec: Spec,
    blank: Measurement,
    partition: Partition | StreamedDay | None,
    history: Mapping[date, int],
    now: datetime,
) -> Measurement:
    blank = replace(blank, metric="row_count")
    if partition is None:
        return replace(
            blank,
            verdict=Verdict.MISSING,
            reason=f"no partition; {_describe_due(arrival_deadline(spec, blank.day), now)}",
        )
    rows = partition.rows
    blank = replace(blank, value=float(rows), n=rows)
    usual, kind = _usual_days(history, blank.day)
    if rows == 0:
        return replace(blank, low=0.0, high=0.0, verdict=Verdict.BREACH, reason="the partition is there, but empty")
    if len(usual) < FEWEST_DAYS:
        low, high = intervals.count_interval(rows)
        reason = f"{len(usual)} earlier days; {FEWEST_DAYS} are needed to know what is usual"
        return replace(blank, low=low, high=high, verdict=Verdict.INSUFFICIENT, reason=reason)
    limit = spec.alerts.limits.get("row_count", DEFAULT_LIMITS["row_count"])
    judged = _judge_row_count(blank, rows, usual, kind, limit, history)
    over = now >= datetime.combine(blank.day + timedelta(days=1), time(), UTC)
    if isinstance(partition, StreamedDay) and not over and rows < median(usual):
        return replace(judged, verdict=Verdict.INSUFFICIENT, reason=f"{judged.reason}, but the day isn't over")
    return judged


def _describe_due(due: datetime | None, now: datetime) -> str:
    if due is None:
        return "the model file sets no deadline (features.arrives_by)"
    return f"{'was' if now > due else 'not'} due {'' if now > due else 'yet: '}{due:%Y-%m-%d %H:%M} UTC"


def _usual_days(history: Mapping[date, int], day: date) -> tuple[list[int], str]:
    """Return the row counts of earlier days of the same weekday, or of all where these are too few, and which."""
    earlier = {known: rows for known, rows in history.items() if known < day and rows > 0}
    same = [rows for known, rows in earlier.items() if known.weekday() == day.weekday()]
    return (same, f"{day:%A}s") if len(same) >= FEWEST_DAYS else (list(earlier.values()), "days")


def _judge_row_count(
    blank: Measurement, rows: int, usual: Sequence[int], kind: str, limit: float, history: Mapping[date, int]
) -> Measurement:
    """Judge a row count against usual ones: beyond the limit, and more than chance and usual variation explain.

    Two Poisson counts are compared by the binomial that each is of their sum (Przyborowski & Wilenski, Biometrika
    1940): today's against the usual days' together, both divided by the variance over mean between days.
    """
    middle = float(median(usual))
    share = min(limit, 1 / limit)
    few = rows < middle
    bound = middle * share if few else middle / share
    dispersion = _dispersion(history, blank.day)
    low, high = intervals.count_interval(rows, dispersion)
    today, others, chance = rows / dispersion, middle * len(usual) / dispersion, 1 / (1 + len(usual))
    p = special.betainc(others, today + 1, 1 - chance) if few else special.betainc(today, others + 1, chance)
    beyond = rows < bound if few else rows > bound
    verdict = (Verdict.BREACH if p < SIGNIFICANCE / 2 else Verdict.INSUFFICIENT) if beyond else Verdict.OK
    reason = f"{rows:,} rows; the median of {len(usual)} {kind} is {middle:,.0f}"
    if verdict is Verdict.INSUFFICIENT:
        reason += ", but days vary too much, or are too small, to be sure"
    return replace(blank, low=low, high=high, limit=bound, verdict=verdict, reason=reason)


def _dispersion(history: Mapping[date, int], day: date) -> float:
    """Return the variance over mean of row counts by day, each against its weekday's median; at least 1 (Poisson).

    Pearson's statistic by its median instead of its mean, so that a few broken days don't hide the next one.
    """
    squares = []
    for known, rows in history.items():
        if known < day and rows > 0:
            others, _ = _usual_days({other: r for other, r in history.items() if other != known}, day=known)
            others = others or [rows]
            expected = float(median(others))
            squares.append((rows - expected) ** 2 / expected)
    return max(1.0, median(squares) / MEDIAN_CHI_SQUARE) if squares else 1.0


def _delay_measurements(
    spec: Spec, blank: Measurement, partition: Partition | None, now: datetime
) -> list[Measurement]:
    due = arrival_deadline(spec, blank.day)
    if due is None:
        return []
    minutes = ((now if partition is None else partition.arrived_at) - due).total_seconds() / 60
    blank = replace(
        blank, metric="arrival_delay_minutes", value=round(minutes, 1), limit=0.0, n=int(partition is not None)
    )
    late = Verdict.BREACH if minutes > 0 else Verdict.OK
    words = f"{_format_minutes(minutes)} {'after' if minutes > 0 else 'before'} the deadline {due:%Y-%m-%d %H:%M} UTC"
    if partition is None:
        verdict = late if minutes > 0 else Verdict.MISSING
        return [replace(blank, verdict=verdict, reason=f"not there yet, {words}")]
    return [replace(blank, verdict=late, reason=f"arrived {words}")]


def _format_minutes(minutes: float) -> str:
    hours, rest = divmod(round(abs(minutes)), 60)
    return f"{hours} h {rest} min" if hours else f"{rest} min"


def _duplicate_share(spec: Spec, blank: Measurement, partition: Partition) -> Measurement:
    """Judge the share of rows whose id is null or another row's: above the limit with all of its interval."""
    blank = replace(blank, metric="duplicate_share", feature=spec.features.id, n=partition.rows)
    if spec.features.id not in partition.columns:
        return replace(blank, verdict=Verdict.ERRORED, reason=f"column '{spec.features.id}' isn't in the partition")
    if partition.rows == 0:
        return replace(blank, verdict=Verdict.INSUFFICIENT, reason="the partition is empty")
    limit = spec.alerts.limits.get("duplicate_share", DEFAULT_LIMITS["duplicate_share"])
    repeated = partition.rows - partition.distinct_ids
    share = repeated / partition.rows
    low, high = intervals.share_interval(repeated, partition.rows)
    verdict = (Verdict.BREACH if low > limit else Verdict.INSUFFICIENT) if share > limit else Verdict.OK
    reason = f"{repeated:,} of {partition.rows:,} rows repeat an id or have none"
    if verdict is Verdict.INSUFFICIENT:
        reason += f"; too few rows to distinguish it from the accepted {100 * limit:g} %"
    return replace(blank, value=share, low=low, high=high, limit=limit, verdict=verdict, reason=reason)
