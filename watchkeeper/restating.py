"""Incidents that rest on labels, and what labels that came later make of them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import monitors.decay
import monitors.fairness
import monitors.maturity
from alerting.evidence import first_sentence
from alerting.lifecycle import Kind
from alerting.words import metric_words, percent, quoted
from ledger.records import Cause, Event, Incident, Measurement, Verdict
from models.spec import Spec
from monitors.restated import Restated, is_restatable, restated
from watchkeeper import acts
from watchkeeper.measuring import horizon_days
from watchkeeper.stored import Context, labelled

CAUSES = (Cause.PERFORMANCE_DECAY, Cause.FAIRNESS_GAP)


def log_restated(ctx: Context, spec: Spec, day: date) -> None:
    """Log which incidents rest on a figure that later labels changed; call it of the newest watched day."""
    if spec.labels is None:
        return
    handlings = acts.handlings(ctx.ledger, spec.model)
    for incident in ctx.ledger.incidents(spec.model):
        fired = incident.fired if incident.cause in CAUSES else None
        if fired is None or not 0 < (day - fired).days <= spec.labels.horizon_days:
            continue
        found = _restated(ctx, spec, incident, fired, day)
        if found is not None and found.worth_telling(_last_told(handlings[incident.id].restated, found)):
            ctx.ledger.append_event(
                ctx.now,
                Kind.RESTATED,
                words(found, day),
                model=spec.model,
                incident=incident.id,
                payload={"status": str(handlings[incident.id].state), **vars(found)},
            )


def words(found: Restated, known_by: date) -> str:
    """Return what a restated figure says: what it is and was, whether that is still a breach, and over which days."""
    within = f" in {quoted(found.slice)}" if found.slice else ""
    shown = (_said(found, value) for value in (found.value, found.low, found.high, found.was))
    value, low, high, was = shown
    means = "" if found.breaks(found.value) else " It would not have been a breach."
    return (
        f"with labels known by {known_by.day} {known_by:%b}, {metric_words(found.metric)}{within} was {value} "
        f"({low} to {high}, n {found.n:,}), not {was} (n {found.n_was:,}).{means} {first_sentence(found.reason)}"
    )


def _said(found: Restated, value: float) -> str:
    return percent(value) if found.metric in monitors.decay.SAYS else f"{value:.2f}"


def _last_told(event: Event | None, found: Restated) -> float | None:
    """Return the value that was told last of the same figure; an older log names the metric only, recall's."""
    if event is None or (event.payload["metric"], event.payload.get("slice", "")) != (found.metric, found.slice):
        return None
    return float(event.payload["value"])


def _restated(ctx: Context, spec: Spec, incident: Incident, fired: date, day: date) -> Restated | None:
    """Return the incident's strongest labelled figure, as it was judged when it fired, with the labels of a day."""
    judged = {m.figure: m for m in ctx.ledger.measurements(spec.model, as_of=fired, monitors=("decay", "fairness"))}
    rests_on = [judged[key] for key in incident.figures if is_restatable(key) and key in judged]
    figure = next((m for m in rests_on if m.verdict is Verdict.BREACH), None)
    if figure is None:
        return None
    again, now = (_measured(ctx, spec, figure.monitor, fired, known_by).get(figure.figure) for known_by in (fired, day))
    return restated(spec, figure, again, now)


def _measured(ctx: Context, spec: Spec, monitor: str, as_of: date, known_by: date) -> Mapping[str, Measurement]:
    """Return a monitor's figures of a day, judging the same cohorts, with the labels known by a later one.

    All of it comes from the ledger: what isn't there (any more) can't be had again.
    """
    frame = ctx.ledger.frame(spec.model)
    baseline = ctx.ledger.baseline(spec, as_of)
    if frame is None:
        return {}
    rows = ctx.ledger.row_counts(spec.model, frame.id, baseline.start, baseline.end)
    normal = {day for day, count in rows.items() if count and not spec.baseline.leaves_out(day)}
    if not normal:
        return {}
    start = min(*normal, date.fromordinal(as_of.toordinal() - horizon_days(spec)))
    cohorts, _ = labelled(ctx, spec, frame, start, as_of)
    curve = monitors.maturity.learn(cohorts, as_of, horizon_days(spec))
    _, known = labelled(ctx, spec, frame, start, known_by)
    cubes = {day: cube for day, cube in known.items() if day <= as_of}
    if monitor == monitors.decay.MONITOR:
        found = monitors.decay.measure(spec, frame, as_of, cubes, curve, normal & cubes.keys())
    else:
        found = monitors.fairness.measure(spec, frame, as_of, cubes, curve)
    return {m.figure: m for m in found}
