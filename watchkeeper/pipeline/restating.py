"""Incidents that rest on labels, and what labels that came later make of them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import catalogue
from alerting.incidents.evidence import first_sentence
from alerting.incidents.lifecycle import EventKind
from alerting.wording import format_percent, quote_name
from ledger.records.events import Event
from ledger.records.incidents import Incident
from ledger.records.measurements import Measurement, Verdict
from models.spec import Spec
from monitors.fairness.group_rates import measure_group_rates
from monitors.performance.decay import MONITOR, SENTENCE_ENDS, measure_decay
from monitors.performance.maturity import learn_delay_curve
from monitors.performance.restated import RestatedFigure, is_restatable, restate_figure
from watchkeeper import incident_actions
from watchkeeper.context import Context, labelled_cohorts_and_cubes
from watchkeeper.pipeline.run_monitors import cohort_horizon_days


def log_restatements(ctx: Context, spec: Spec, day: date) -> None:
    """Log which incidents rest on a figure that later labels changed; call it of the newest watched day."""
    if spec.labels is None:
        return
    handlings = incident_actions.handlings_by_incident(ctx.ledger, spec.model)
    for incident in ctx.ledger.incidents(spec.model):
        fired = incident.fired if incident.cause_entry.needs_labels else None
        if fired is None or not 0 < (day - fired).days <= spec.labels.horizon_days:
            continue
        found = _restate_incident(ctx, spec, incident, fired, day)
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
    return format_percent(value) if found.metric in SENTENCE_ENDS else f"{value:.2f}"


def _last_reported_value(event: Event | None, found: RestatedFigure) -> float | None:
    """Return the value that was told last of the same figure; an older log names the metric only, recall's."""
    if event is None or (event.payload["metric"], event.payload.get("slice", "")) != (found.metric, found.slice):
        return None
    return float(event.payload["value"])


def _restate_incident(ctx: Context, spec: Spec, incident: Incident, fired: date, day: date) -> RestatedFigure | None:
    """Return the incident's strongest labelled figure, as it was judged when it fired, with the labels of a day."""
    judged = {m.figure: m for m in ctx.ledger.measurements(spec.model, as_of=fired, monitors=("decay", "fairness"))}
    rests_on = [judged[key] for key in incident.figures if is_restatable(key) and key in judged]
    figure = next((m for m in rests_on if m.verdict is Verdict.BREACH), None)
    if figure is None:
        return None
    again, now = (
        _remeasure(ctx, spec, figure.monitor, fired, known_by).get(figure.figure) for known_by in (fired, day)
    )
    return restate_figure(spec, figure, again, now)


def _remeasure(ctx: Context, spec: Spec, monitor: str, as_of: date, known_by: date) -> Mapping[str, Measurement]:
    """Return a monitor's figures of a day, judging the same cohorts, with the labels known by a later one.

    All of it comes from the ledger: what isn't there (any more) can't be had again.
    """
    schema = ctx.ledger.profile_schema(spec.model)
    baseline = ctx.ledger.baseline(spec, as_of)
    if schema is None:
        return {}
    rows = ctx.ledger.row_counts(spec.model, schema.id, baseline.start, baseline.end)
    normal = {day for day, count in rows.items() if count and not spec.baseline.excludes_day(day)}
    if not normal:
        return {}
    start = min(*normal, date.fromordinal(as_of.toordinal() - cohort_horizon_days(spec)))
    cohorts, _ = labelled_cohorts_and_cubes(ctx, spec, schema, start, as_of)
    curve = learn_delay_curve(cohorts, as_of, cohort_horizon_days(spec))
    _, known = labelled_cohorts_and_cubes(ctx, spec, schema, start, known_by)
    cubes = {day: cube for day, cube in known.items() if day <= as_of}
    if monitor == MONITOR:
        found = measure_decay(spec, schema, as_of, cubes, curve, normal & cubes.keys())
    else:
        found = measure_group_rates(spec, schema, as_of, cubes, curve)
    return {m.figure: m for m in found}
