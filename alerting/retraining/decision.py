"""Whether retraining would help: asked for only on a measured loss, with good data and enough mature labels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from alerting.incidents.evidence_kinds import newest_mature_day
from alerting.retraining.label_poisoning import find_suspect_days
from alerting.wording import format_day, quote_name
from catalogue import causes
from catalogue.metrics.labels import MATURE_FRAUDS
from catalogue.metrics.performance_monitors import DECAY_MONITOR
from ledger.records.incidents import Incident, Status
from ledger.records.measurements import Measurement, Verdict
from ledger.records.retraining import Decision, RetrainingOutcome
from models.spec import Spec

FIT_DAYS = 60
EVALUATE_DAYS = 7
"""The newest mature days are kept from the fit, to judge the challenger on days that it never saw."""
IN_FLIGHT_DAYS = 30
"""A request without an outcome blocks others for so long; then it is taken for lost."""
MAX_SUSPECT_REASONS = 3
"""Suspect days that are named; the rest show once these were looked at."""


def decide_retraining(
    spec: Spec,
    day: date,
    incidents: Sequence[Incident],
    measurements: Sequence[Measurement],
    decisions: Sequence[Decision],
    outcomes: Sequence[RetrainingOutcome] = (),
    window: Sequence[Measurement] = (),
) -> Decision:
    """Return the day's decision on retraining with every reason.

    ``incidents`` are all of the model's in their newest state as of ``day``, ``measurements`` those of the day,
    ``decisions`` the earlier ones with what became of them in ``outcomes``, and ``window`` the newest measurements of
    each day in ``retraining_window``. Requested: performance decay is firing and nothing speaks against it. Refused: it
    is firing and something does, or a data fault is firing (retraining on broken data would do harm). Everything else
    is not needed.
    """
    firing = [incident for incident in incidents if incident.status is Status.FIRING]
    faults = [incident for incident in firing if incident.data_fault]
    decay = _firing_decay(incidents, day)
    if decay is None and not faults:
        return Decision(
            spec.model, day, "not needed", reasons=_reasons_not_needed(firing, day), approval=spec.retraining.approval
        )
    against = [_data_fault_reason(fault) for fault in faults]
    newest = newest_mature_day(day, measurements)
    if decay is not None:
        against += _maturity_reasons(spec, measurements, newest)
        against += _cooldown_reasons(spec, day, decisions, outcomes)
        against += _in_flight_reasons(day, decisions, outcomes)
        against += _label_poisoning_reasons(spec, day, incidents, newest, window)
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
        reasons=(f"{decay.summary} since {format_day(decay.opened)}", *_supporting_reasons(measurements, firing)),
        fit_from=fit_from,
        fit_to=fit_to,
        evaluate_to=newest,
        excluded=excluded_days(spec, incidents, day, fit_from, newest),
        approval=spec.retraining.approval,
        evidence=decay.evidence,
        gain_gbp_per_day=decay.amount_gbp_per_day,
        gain_low_gbp_per_day=decay.amount_low_gbp_per_day,
        gain_high_gbp_per_day=decay.amount_high_gbp_per_day,
    )


def retraining_window(
    spec: Spec, day: date, incidents: Sequence[Incident], measurements: Sequence[Measurement]
) -> tuple[date, date] | None:
    """Return the first day to fit on and the last to judge on; None where no decay is firing or nothing is mature."""
    newest = newest_mature_day(day, measurements)
    if newest is None or _firing_decay(incidents, day) is None:
        return None
    return _fit_window(spec, newest)[0], newest


def _firing_decay(incidents: Sequence[Incident], day: date) -> Incident | None:
    """Return the decay that is firing and was there on the day; one that may be over asks for nothing."""
    firing = (incident for incident in incidents if incident.status is Status.FIRING and incident.last_bad == day)
    return next((incident for incident in firing if incident.cause == causes.PERFORMANCE_DECAY), None)


def _reasons_not_needed(firing: Sequence[Incident], day: date) -> tuple[str, ...]:
    return tuple(f"{incident.summary}, but {_why_not(incident, day)}" for incident in firing) or ("nothing is wrong",)


def _why_not(incident: Incident, day: date) -> str:
    if not incident.cause_entry.explained:
        return "an unexplained figure is no measured loss"
    return "no loss was measured today" if incident.last_bad < day else "no measured loss yet"


def _data_fault_reason(fault: Incident) -> str:
    if fault.cause_entry.about_the_watch:
        return f"the watch is incomplete: {fault.summary}; what isn't measured may be broken"
    where = f" in {quote_name(fault.feature)}" if fault.feature else ""
    return f"data fault{where}: {fault.summary}; retraining on broken data would do harm"


def _maturity_reasons(spec: Spec, measurements: Sequence[Measurement], newest: date | None) -> list[str]:
    """Return a reason for each thing about labels that speaks against a request."""
    against = []
    frauds, wanted = _count_mature_frauds(measurements), spec.retraining.min_mature_frauds
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
            against.append(f"no mature day is left to learn from: cohorts are mature up to {format_day(newest)} only")
    return against


def _cooldown_reasons(
    spec: Spec, day: date, decisions: Sequence[Decision], outcomes: Sequence[RetrainingOutcome]
) -> Iterator[str]:
    """Yield which request or rollback is within its cooldown."""
    requested = [decision.day for decision in decisions if decision.verdict == "requested" and decision.day < day]
    rolled_back = [outcome.day for outcome in outcomes if outcome.outcome == "rolled back" and outcome.day <= day]
    for what, days in (("retraining was requested", requested), ("a challenger was rolled back", rolled_back)):
        over = max(days, default=date.min) + timedelta(days=spec.retraining.cooldown_days)
        if days and day < over:
            cooldown = f"the cooldown of {spec.retraining.cooldown_days} days lasts until {format_day(over)}"
            yield f"{what} on {format_day(max(days))}; {cooldown}"


def _in_flight_reasons(day: date, decisions: Sequence[Decision], outcomes: Sequence[RetrainingOutcome]) -> list[str]:
    """Return which earlier request has no final outcome yet; one without any for too long must be lost."""
    outcome_of = {outcome.request: outcome.outcome for outcome in outcomes}
    oldest = day - timedelta(days=IN_FLIGHT_DAYS)
    found = []
    for asked in decisions:
        outcome = outcome_of.get(asked.request, "")
        if asked.verdict != "requested" or asked.day >= day:
            continue
        if outcome == "in shadow":
            found.append(f"the challenger of {format_day(asked.day)} is still in shadow")
        elif not outcome and asked.day > oldest:
            found.append(f"the request of {format_day(asked.day)} is still in flight")
    return found[-1:]


def _label_poisoning_reasons(
    spec: Spec, day: date, incidents: Sequence[Incident], newest: date | None, window: Sequence[Measurement]
) -> list[str]:
    """Return why days of the window look poisoned, but for days left out, and those that a person found sound."""
    if newest is None:
        return []
    fit_from, _ = _fit_window(spec, newest)
    known = {*excluded_days(spec, incidents, day, fit_from, newest), *spec.retraining.accept}
    found = [suspect for suspect in find_suspect_days(window) if suspect.day not in known]
    return [
        f"the window looks poisoned: {suspect.reason}; look at it, then name the day under retraining.exclude or "
        "retraining.accept"
        for suspect in found[:MAX_SUSPECT_REASONS]
    ]


def _count_mature_frauds(measurements: Sequence[Measurement]) -> int:
    return next((m.n for m in measurements if _is_mature_frauds(m)), 0)


def _is_mature_frauds(m: Measurement) -> bool:
    return (m.monitor, m.metric) == (DECAY_MONITOR, MATURE_FRAUDS)


def _supporting_reasons(measurements: Sequence[Measurement], firing: Sequence[Incident]) -> tuple[str, ...]:
    """Return what speaks for a request, and what is unexplained: it blocks nothing, and somebody should know."""
    unexplained = (
        f"not explained yet, so look at it before learning from these days: {incident.summary}"
        for incident in firing
        if not incident.cause_entry.explained
    )
    return (
        f"{_count_mature_frauds(measurements):,} mature frauds to learn from",
        "no data fault, no request in flight",
        *unexplained,
    )


def _fit_window(spec: Spec, newest: date) -> tuple[date, date]:
    fit_to = newest - timedelta(days=EVALUATE_DAYS)
    return max(spec.baseline.start, fit_to - timedelta(days=FIT_DAYS - 1)), fit_to


def excluded_days(spec: Spec, incidents: Sequence[Incident], day: date, start: date, end: date) -> tuple[date, ...]:
    """Return the days of the window on which a fault spoilt the data, and those that the model file leaves out."""
    bad: set[date] = set(spec.retraining.exclude)
    for incident in incidents:
        if incident.cause_entry.spoils_training and incident.status is not Status.WITHDRAWN:
            last = incident.last_bad if incident.resolved else day
            bad |= {incident.opened + timedelta(days=i) for i in range((last - incident.opened).days + 1)}
    return tuple(sorted(d for d in bad if start <= d <= end))
