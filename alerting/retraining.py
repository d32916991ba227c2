"""Whether retraining would help: asked for only on a measured loss, with good data and enough mature labels."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from alerting.metrics import newest_mature_day
from alerting.words import day_words, quoted
from ledger.records import Cause, Decision, Incident, Measurement, Status, Verdict
from models.spec import Spec

FIT_DAYS = 60
EVALUATE_DAYS = 7
"""The newest mature days are kept from the fit, to judge the challenger on days that it never saw."""
IN_FLIGHT_DAYS = 2
"""Without a cooldown, a request still leaves its retraining this long before another is made."""
SPOILS_DATA = (
    Cause.MISSING_PARTITION,
    Cause.STALE_PARTITION,
    Cause.INCOMPLETE_PARTITION,
    Cause.SCHEMA_CHANGE,
    Cause.DUPLICATE_ROWS,
    Cause.FEED_FAULT,
    Cause.COLUMN_FAULT,
)
"""Faults whose days nothing should be learnt from; a late partition is whole, and an errored watch spoils nothing."""


def decide(
    spec: Spec,
    day: date,
    incidents: Sequence[Incident],
    measurements: Sequence[Measurement],
    decisions: Sequence[Decision],
) -> Decision:
    """Return the day's decision on retraining with every reason.

    ``incidents`` are all of the model's in their newest state as of ``day``, ``measurements`` those of the day, and
    ``decisions`` the earlier ones. Requested: performance decay is firing and nothing speaks against it. Refused: it
    is firing and something does, or a data fault is firing (retraining on broken data would do harm). Everything else
    is not needed. Whether a request is in flight is told from its day alone, so that a day decided again says the
    same.
    """
    firing = [incident for incident in incidents if incident.status is Status.FIRING]
    faults = [incident for incident in firing if incident.data_fault]
    decay = next((incident for incident in firing if incident.cause is Cause.PERFORMANCE_DECAY), None)
    if decay is None and not faults:
        return Decision(spec.model, day, "not needed", reasons=_no_need(firing), approval=spec.retraining.approval)
    against = [_blocked_by(fault) for fault in faults]
    newest = newest_mature_day(day, measurements)
    if decay is not None:
        against += _against(spec, day, measurements, decisions, newest)
    if against or decay is None or newest is None:
        incident = decay.id if decay else faults[0].id
        return Decision(
            spec.model, day, "refused", incident=incident, reasons=tuple(against), approval=spec.retraining.approval
        )
    fit_from, fit_to = _fit_window(spec, newest)
    return Decision(
        spec.model,
        day,
        "requested",
        incident=decay.id,
        reasons=(f"{decay.summary} since {day_words(decay.opened)}", *_for(measurements)),
        fit_from=fit_from,
        fit_to=fit_to,
        evaluate_to=newest,
        excluded=_excluded(incidents, day, fit_from, newest),
        approval=spec.retraining.approval,
    )


def _no_need(firing: Sequence[Incident]) -> tuple[str, ...]:
    return tuple(f"{incident.summary}, but no measured loss yet" for incident in firing) or ("nothing is wrong",)


def _blocked_by(fault: Incident) -> str:
    if fault.cause is Cause.ERRORED:
        return f"the watch is incomplete: {fault.summary}; what isn't measured may be broken"
    where = f" in {quoted(fault.feature)}" if fault.feature else ""
    return f"data fault{where}: {fault.summary}; retraining on broken data would do harm"


def _against(
    spec: Spec,
    day: date,
    measurements: Sequence[Measurement],
    decisions: Sequence[Decision],
    newest: date | None,
) -> list[str]:
    """Return a reason for each thing besides a data fault that speaks against a request."""
    against = []
    frauds, wanted = _mature_frauds(measurements), spec.retraining.min_mature_frauds
    immature = next((m for m in measurements if _is_mature_frauds(m) and m.verdict is Verdict.IMMATURE), None)
    if immature is not None:
        against.append(f"labels are immature, for it isn't known yet how late they come: {immature.reason}")
    if frauds < wanted:
        against.append(f"only {frauds:,} frauds are mature; at least {wanted:,} are wanted to learn from")
    if newest is None:
        against.append("how old a cohort must be to be mature isn't known yet")
    else:
        fit_from, fit_to = _fit_window(spec, newest)
        if fit_to < fit_from:
            against.append(f"no mature day is left to learn from: cohorts are mature up to {day_words(newest)} only")
    requested = [decision.day for decision in decisions if decision.verdict == "requested" and decision.day < day]
    if requested:
        against += _too_soon(spec, day, max(requested))
    return against


def _too_soon(spec: Spec, day: date, last: date) -> list[str]:
    over = last + timedelta(days=spec.retraining.cooldown_days)
    asked = f"retraining was requested on {day_words(last)}"
    if day < over:
        return [f"{asked}; the cooldown of {spec.retraining.cooldown_days} days lasts until {day_words(over)}"]
    return [f"{asked} and is still in flight"] if (day - last).days < IN_FLIGHT_DAYS else []


def _mature_frauds(measurements: Sequence[Measurement]) -> int:
    return next((m.n for m in measurements if _is_mature_frauds(m)), 0)


def _is_mature_frauds(m: Measurement) -> bool:
    return (m.monitor, m.metric) == ("decay", "mature_frauds")


def _for(measurements: Sequence[Measurement]) -> tuple[str, ...]:
    return (f"{_mature_frauds(measurements):,} mature frauds to learn from", "no data fault, no request in flight")


def _fit_window(spec: Spec, newest: date) -> tuple[date, date]:
    fit_to = newest - timedelta(days=EVALUATE_DAYS)
    return max(spec.baseline.start, fit_to - timedelta(days=FIT_DAYS - 1)), fit_to


def _excluded(incidents: Sequence[Incident], day: date, start: date, end: date) -> tuple[date, ...]:
    """Return the days of the window on which a fault spoilt the data."""
    bad: set[date] = set()
    for incident in incidents:
        if incident.cause in SPOILS_DATA and incident.status is not Status.WITHDRAWN:
            last = incident.last_bad if incident.resolved else day
            bad |= {incident.opened + timedelta(days=i) for i in range((last - incident.opened).days + 1)}
    return tuple(sorted(d for d in bad if start <= d <= end))
