"""Incidents that rest on labels, and what labels that came later make of them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

import catalogue
from alerting.incidents.evidence import first_sentence
from alerting.incidents.lifecycle import EventKind
from alerting.wording import format_percent, quote_name
from catalogue.performance_monitors import DECAY_MONITOR
from ledger.records.events import Event
from ledger.records.incidents import Incident
from ledger.records.measurements import Measurement, Verdict
from ledger.store import Ledger
from models.spec import Spec
from monitors.fairness.group_rates import measure_group_rates
from monitors.inputs import cohort_horizon_days
from monitors.performance.decay import measure_decay
from monitors.performance.figures import sentence_end
from monitors.performance.maturity import learn_delay_curve
from monitors.performance.restated import RestatedFigure, is_restatable, restate_figure
from profiles.profile import Cube
from watchkeeper import incident_actions
from watchkeeper.context import Context
from watchkeeper.pipeline.day_cache import DayCache
from watchkeeper.pipeline.load_day import StoredDays, load_labelled_cubes


def log_restatements(ctx: Context, spec: Spec, stored: StoredDays, day: date, cache: DayCache) -> None:
    """Log which incidents rest on a figure that later labels changed; call it of the newest watched day.

    All of it comes from the ledger: what isn't there (any more) can't be had again.
    """
    if spec.labels is None:
        return
    handlings = incident_actions.handlings_by_incident(ctx.ledger, spec.model)
    fired_lately = [
        (incident, incident.fired)
        for incident in ctx.ledger.incidents(spec.model)
        if incident.cause_entry.needs_labels
        and incident.fired is not None
        and 0 < (day - incident.fired).days <= spec.labels.horizon_days
    ]
    aside = cache.without([])
    for incident, fired in fired_lately:
        found = _restate_incident(ctx, spec, stored, aside, incident, fired, day)
        if found is not None and found.worth_notifying(_last_reported_value(handlings[incident.id].restated, found)):
            ctx.ledger.append_event(
                ctx.now,
                EventKind.RESTATED,
                describe_restatement(found, day),
                model=spec.model,
                incident=incident.id,
                payload={"status": str(handlings[incident.id].state), **vars(found)},
            )


def describe_restatement(found: RestatedFigure, known_by: date) -> str:
    """Return what a restated figure says: what it is and was, whether that is still a breach, and over which days."""
    within = f" in {quote_name(found.slice)}" if found.slice else ""
    shown = (_format_value(found, value) for value in (found.value, found.low, found.high, found.was))
    value, low, high, was = shown
    phrase = catalogue.metric(found.metric).phrase
    means = "" if found.would_breach(found.value) else " It would not have been a breach."
    return (
        f"with labels known by {known_by.day} {known_by:%b}, {phrase}{within} was {value} "
        f"({low} to {high}, n {found.n:,}), not {was} (n {found.n_was:,}).{means} {first_sentence(found.reason)}"
    )


def _format_value(found: RestatedFigure, value: float) -> str:
    return format_percent(value) if sentence_end(found.metric) else f"{value:.2f}"


def _last_reported_value(event: Event | None, found: RestatedFigure) -> float | None:
    """Return the value that was notified last of the same figure; an older log names the metric only, recall's."""
    if event is None or (event.payload["metric"], event.payload.get("slice", "")) != (found.metric, found.slice):
        return None
    return float(event.payload["value"])


def _restate_incident(
    ctx: Context, spec: Spec, stored: StoredDays, cache: DayCache, incident: Incident, fired: date, day: date
) -> RestatedFigure | None:
    """Return the incident's strongest labelled figure, as it was judged when it fired, with the labels of a day."""
    judged = {m.figure: m for m in ctx.ledger.measurements(spec.model, as_of=fired, monitors=("decay", "fairness"))}
    rests_on = [judged[key] for key in incident.figures if is_restatable(key) and key in judged]
    figure = next((m for m in rests_on if m.verdict is Verdict.BREACH), None)
    if figure is None:
        return None
    again, now = _remeasure(ctx.ledger, cache, spec, stored, figure, fired, day)
    return restate_figure(spec, figure, again, now)


def _remeasure(
    ledger: Ledger, cache: DayCache, spec: Spec, stored: StoredDays, figure: Measurement, as_of: date, known_by: date
) -> tuple[Measurement | None, Measurement | None]:
    """Return a figure of a day, with the labels known then and with those known by a later one, of the same cohorts."""
    normal = stored.of_baseline(spec, as_of)
    if not normal:
        return None, None
    start = min(*normal, as_of - timedelta(days=cohort_horizon_days(spec)))
    cohorts, then = load_labelled_cubes(ledger, cache, spec, stored, start, as_of)
    curve = learn_delay_curve(cohorts, as_of, cohort_horizon_days(spec))
    _, later = load_labelled_cubes(ledger, cache, spec, stored, start, known_by)
    sides = (then, {day: cube for day, cube in later.items() if day <= as_of})

    def remeasured(cubes: Mapping[date, Cube]) -> Measurement | None:
        if figure.monitor == DECAY_MONITOR:
            found = measure_decay(spec, stored.schema, as_of, cubes, curve, set(normal) & cubes.keys())
        else:
            found = measure_group_rates(spec, stored.schema, as_of, cubes, curve)
        return next((m for m in found if m.figure == figure.figure), None)

    return remeasured(sides[0]), remeasured(sides[1])
