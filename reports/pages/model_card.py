"""A model's line on the fleet page, which also begins its own page's JSON."""

from __future__ import annotations

from typing import Any

from catalogue.metrics import money as money_metrics
from catalogue.metrics import performance
from catalogue.metrics.performance_monitors import DECAY_MONITOR
from ledger.records.incidents import Incident
from reports.views.model_view import ModelView
from reports.views.strip import firing_incidents
from reports.wording import formatting, money, naming, states, unwatched

TREND_METRICS = (performance.RECALL, performance.PRECISION, performance.ALERT_RATE)
TREND_DAYS = 60
CARD_METRICS = (
    performance.RECALL, performance.PRECISION, performance.VALUE_DETECTION_RATE, performance.FALSE_POSITIVE_RATE,
    performance.ALERT_RATE, money_metrics.LOST,
)  # fmt: skip
"""What the fleet's JSON and Prometheus hold of a model's newest mature cohorts."""


def model_card(model_view: ModelView) -> dict[str, Any]:
    """Return a model's line on the fleet page, as plain values that also stand in the model page's JSON."""
    spec, open_now = model_view.spec, firing_incidents(model_view.incidents)
    return {
        "model": spec.model,
        "title": spec.name,
        "owner": spec.owner,
        "tier": spec.tier,
        "state": states.model_state(model_view),
        "sentence": states.describe_model_state(model_view),
        "recall": states.describe_recall(model_view),
        "watched_until": model_view.last,
        "rows": model_view.runs[model_view.last].rows if model_view.last else 0,
        "amount_gbp_per_day": money.money_at_stake(open_now),
        "at_most": money.is_upper_bound(open_now),
        "trends": model_trends(model_view),
        "figures": [
            {"metric": m.metric, "value": m.value, "low": m.low, "high": m.high, "verdict": m.verdict}
            for m in model_view.newest
            if m.monitor == DECAY_MONITOR and not m.slice and m.metric in CARD_METRICS
        ],
        "blind": unwatched.unwatched_areas(model_view),
        "not_watched": unwatched.describe_unwatched(model_view),
        "open": [open_incident_line(incident) for incident in open_now],
        "strip": [
            {"day": strip_day.day, "state": strip_day.state, "counts": strip_day.counts}
            for strip_day in model_view.strip
        ],
    }


def model_trends(model_view: ModelView) -> list[dict[str, Any]]:
    """Return how the model has been of late, as short series: what it catches, and how often it stops somebody."""
    found = []
    for metric in TREND_METRICS:
        by_day = {m.day: m.value for m in model_view.everyone(DECAY_MONITOR, metric)}
        days = [strip_day.day for strip_day in model_view.strip][-TREND_DAYS:]
        values = [by_day.get(day) for day in days]
        known = [value for value in values if value is not None]
        if len(known) > 1:
            title, now = naming.metric_title(metric), formatting.format_figure(metric, known[-1])
            short = [None if value is None else float(f"{value:.4g}") for value in values]
            found.append({"metric": metric, "title": title, "now": now, "values": short})
    return found


def open_incident_line(incident: Incident) -> dict[str, Any]:
    """Return what the fleet page shows of an open incident."""
    return {
        "page": incident.page,
        "summary": naming.incident_headline(incident),
        "cause": incident.cause_entry.title,
        "data_fault": incident.data_fault,
        "kind": incident.cause_entry.kind,
        "opened": incident.opened,
        "amount_gbp_per_day": incident.amount_gbp_per_day,
        "money": money.describe_money_at_stake(incident),
    }
