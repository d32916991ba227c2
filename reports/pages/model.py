"""A model's page: what its owner reads from top to bottom."""

from __future__ import annotations

from typing import Any

import catalogue
from catalogue.metrics.drift_monitors import DRIFT_MONITOR, SCORE_MONITOR
from catalogue.metrics.fairness import FAIRNESS_MONITOR
from catalogue.metrics.performance_monitors import (
    COHORT_MONITOR,
    CUSTOM_MONITOR,
    DECAY_MONITOR,
    ESTIMATE_MONITOR,
    NOWCAST_MONITOR,
    SELECTIVE_MONITOR,
)
from ledger.records.measurements import Measurement, Verdict
from reports.export.json_parts import TEXTS, records, strict_object
from reports.pages import model_charts, model_performance
from reports.pages.fleet import CARD_JSON
from reports.pages.model_card import model_card
from reports.pages.model_performance import HEADLINE_METRICS
from reports.pages.page import PageContent
from reports.views.measurements import URGENT, VERDICTS_WORST_FIRST, measurements_as_json, with_verdict
from reports.views.model_view import ModelView
from reports.wording import formatting, naming, states
from reports.wording.money import describe_money_at_stake
from reports.wording.timeline import group_decisions
from reports.writing import file_name

MOST_INCIDENTS = 60
MOST_DECISIONS = 20
MOST_QUIET = 12
MOST_CHECKS = 120
"""Most rows that a table of the page shows; the JSON beside the page has the rest."""
SHOWN_MONITORS = (
    DRIFT_MONITOR, SCORE_MONITOR, DECAY_MONITOR, ESTIMATE_MONITOR, SELECTIVE_MONITOR,
    FAIRNESS_MONITOR, CUSTOM_MONITOR,
)  # fmt: skip
"""Monitors that have charts or a table of their own on the page; all others share its last table."""
STRIP_JSON = {"type": "array", "items": {"type": "object", "required": ["day", "state", "counts"]}}
JSON = {
    "card": strict_object(CARD_JSON | {"strip": STRIP_JSON, "not_watched": TEXTS}),
    "performance": records("Measurement"), "newest": records("Measurement"), "checks": records("Measurement"),
    "incidents": records("Incident"), "decisions": records("Decision"), "retrained": records("RetrainingOutcome"),
}  # fmt: skip


def build_model_page(model_view: ModelView) -> PageContent:
    """Return the content of a model's page; its JSON begins with the model's line on the fleet page."""
    card = model_card(model_view)
    return _context(model_view, card), _machine(model_view, card)


def _context(model_view: ModelView, card: dict[str, Any]) -> dict[str, Any]:
    return {
        "last": model_view.last,
        "spec": model_view.spec,
        "headline_metrics": HEADLINE_METRICS,
        "card": card,
        "strip": model_view.strip,
        "headlines": model_performance.headline_figures(model_view),
        "estimated": model_performance.estimated_figures(model_view),
        "beside": model_performance.secondary_figures(model_view),
        "performance": model_performance.performance_charts(model_view),
        "drawn": model_performance.drawn_kinds(model_view),
        "cohorts": model_performance.cohort_table(model_view),
        "delays": model_performance.label_delay_chart(model_view),
        "heats": model_charts.drift_heat_maps(model_view),
        "scores": model_charts.score_charts(model_view),
        "fairness": model_charts.fairness_charts(model_view),
        "custom": model_charts.custom_metric_charts(model_view),
        "maturity": model_performance.describe_maturity(model_view),
        "features": [(name, file_name(name)) for name in model_view.features],
        "settings": describe_settings(model_view),
        "urgent_checks": newest_checks(model_view, quiet=False),
        "quiet_checks": newest_checks(model_view, quiet=True),
        "most": MOST_CHECKS,
        "incidents": model_view.incidents[:MOST_INCIDENTS],
        "decisions": group_decisions([d for d in model_view.decisions if d.verdict != "not needed"])[:MOST_DECISIONS],
        "not_needed": sum(d.verdict == "not needed" for d in model_view.decisions),
        "outcomes": model_view.outcomes,
        "unwatched": card["not_watched"],
        "recent": list(reversed([strip_day for strip_day in model_view.strip if strip_day.watched]))[:14],
        "others": other_monitors(model_view),
        "describe_day": states.describe_strip_day,
        "money": describe_money_at_stake,
        "states": states.STATE_TITLES,
    }


def _machine(model_view: ModelView, card: dict[str, Any]) -> dict[str, Any]:
    monitors = (COHORT_MONITOR, NOWCAST_MONITOR, ESTIMATE_MONITOR)
    return {
        "card": card,
        "performance": measurements_as_json(
            [m for name in monitors for metric in HEADLINE_METRICS for m in model_view.everyone(name, metric)]
        ),
        "newest": measurements_as_json(
            with_verdict(model_view.newest, Verdict.BREACH, Verdict.ERRORED, Verdict.MISSING)
        ),
        "checks": measurements_as_json(
            [*newest_checks(model_view, quiet=False), *newest_checks(model_view, quiet=True)]
        ),
        "incidents": model_view.incidents,
        "decisions": model_view.decisions,
        "retrained": list(model_view.outcomes.values()),
    }


def describe_settings(model_view: ModelView) -> dict[str, str]:
    """Return the baseline and what it takes to be an incident, each in a sentence."""
    spec, chosen = model_view.spec, model_view.ledger.baseline(model_view.spec, model_view.last)
    alerts, asked = spec.alerts, spec.retraining
    left_out = f", without {formatting.pluralise(len(spec.baseline.exclude), 'day')}" if spec.baseline.exclude else ""
    why = (
        ""
        if chosen.reason == "model file"
        else f"; in force since {formatting.format_day(chosen.day)}: {chosen.reason}"
    )
    minimum_effects = "; ".join(
        f"{naming.metric_title(name)} {formatting.format_number(value)}" for name, value in alerts.limits.items()
    )
    hold, clean = (
        formatting.pluralise(alerts.pending_days, "day"),
        formatting.pluralise(alerts.resolve_days, "clean day"),
    )
    found = {
        "Baseline": f"{formatting.format_day(chosen.start)} to {formatting.format_day(chosen.end)}{left_out}{why}.",
        "False alarms": f"At most {alerts.false_pages_per_quarter:g} a quarter is allowed for; "
        "limits are learned from the baseline's own days to keep to that, whatever the number of features.",
        "Minimum effect sizes": f"{minimum_effects}; for all others the default ones."
        if minimum_effects
        else "The default ones of every metric.",
        "Pending and resolved": f"Drift, decay and unfairness open an incident after {hold} over the limit; "
        f"{clean} resolve it. A data fault opens one at once.",
    }
    limits = [m for m in model_performance.headline_figures(model_view) if m.limit is not None]
    if limits:
        said = "; ".join(
            f"{naming.metric_title(m.metric)} {formatting.format_figure(m.metric, m.limit)}" for m in limits
        )
        found["Limits of performance today"] = f"{said}. A figure must also be worse than chance alone makes it."
    who = "A person approves it" if asked.approval == "required" else "Without approval"
    cooldown, least = (
        formatting.pluralise(asked.cooldown_days, "day"),
        formatting.pluralise(asked.min_mature_frauds, "mature fraud"),
    )
    found["Retraining"] = f"{who}; at the earliest {cooldown} after the last, from {least} on."
    return found


def newest_checks(model_view: ModelView, *, quiet: bool) -> list[Measurement]:
    """Return the newest day's arrival, columns and expectations: those that ask for something, or the quiet ones."""
    found = [m for m in model_view.newest if m.monitor in catalogue.table_monitors()]
    kept = [m for m in found if (m.verdict not in URGENT) is quiet]
    return sorted(kept, key=lambda m: (VERDICTS_WORST_FIRST.index(m.verdict), m.monitor, m.metric, m.feature))


def other_monitors(model_view: ModelView) -> list[dict[str, Any]]:
    """Return the newest figures of monitors that the page shows nowhere else, a bank's plug-ins among them.

    Those that ask for something are shown, and a few quiet ones about all payments; the rest is only counted.
    """
    found = []
    shown = {*SHOWN_MONITORS, *catalogue.table_monitors()}
    for monitor in catalogue.day_monitors():
        own = [m for m in model_view.newest if m.monitor == monitor and monitor not in shown]
        if own:
            urgent = with_verdict(own, *URGENT)
            quiet = [m for m in own if m.verdict not in URGENT and not m.slice]
            few = quiet if len(quiet) <= MOST_QUIET else []
            found.append(
                {
                    "monitor": monitor,
                    "title": naming.monitor_title(monitor),
                    "urgent": urgent[:MOST_CHECKS],
                    "quiet": few,
                    "hidden": len(own) - len(urgent[:MOST_CHECKS]) - len(few),
                }
            )
    return found
