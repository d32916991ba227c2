"""A model's page: what its owner reads from top to bottom."""

from __future__ import annotations

from typing import Any

from ledger.records.measurements import Measurement, Verdict
from reports import wording
from reports.charts import distributions, figures
from reports.model_view import URGENT, ModelView, column_counts_of, measurements_as_json, with_verdict
from reports.pages import model_performance, status
from reports.pages.incident_timeline import group_decisions
from reports.pages.model_performance import HEADLINE_METRICS
from reports.writing import file_name

FAIRNESS_METRICS = ("selection_rate", "true_positive_rate", "false_positive_rate", "precision", "calibration_gap")
MOST_INCIDENTS = 60
MOST_DECISIONS = 20
MOST_CHECKS = 120
"""Most rows that a table of the page shows; the JSON beside the page has the rest."""
VERDICTS_WORST_FIRST = (
    Verdict.BREACH,
    Verdict.ERRORED,
    Verdict.MISSING,
    Verdict.OK,
    Verdict.INSUFFICIENT,
    Verdict.IMMATURE,
)


def build_model_page(model_view: ModelView) -> dict[str, Any]:
    """Return what the template of a model's page is filled with."""
    card = status.model_card(model_view)
    return {
        "reading": model_view,
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
        "heats": drift_heat_maps(model_view),
        "scores": score_charts(model_view),
        "fairness": fairness_charts(model_view),
        "custom": custom_metric_charts(model_view),
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
        "told": status.describe_strip_day,
        "money": status.describe_money_at_stake,
        "states": status.STATE_TITLES,
    }


def model_page_as_json(model_view: ModelView, card: dict[str, Any]) -> dict[str, Any]:
    """Return the model's page for machines."""
    monitors = ("performance", "nowcast", "estimate")
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


def drift_heat_maps(model_view: ModelView) -> list[dict[str, Any]]:
    """Return the drift heat maps, features by days: PSI, and nulls where there are any."""
    features = _heat_map_rows(model_view)
    shown = dict(list(features.items())[: figures.HEAT_FEATURES])
    result = []
    for metric, title, top in (("psi", "Drift (PSI)", 0.3), ("null_share", "Nulls", 0.25)):
        points = [m for m in model_view.everyone("drift", metric) if m.value is not None]
        if not points:
            continue
        if metric != "psi" and not any((m.value or 0) * figures.COLOUR_STEPS >= top for m in points):
            continue  # all of one colour
        over = with_verdict(points, Verdict.BREACH)
        worst = max(points, key=lambda m: m.value or 0)
        said = (
            f"{wording.pluralise(len(features), 'feature')} by day; {_number_of_times(len(over))} over the limit; "
            f"the highest is {wording.format_figure(metric, worst.value)}, {wording.shorten(worst.feature)} "
            f"on {wording.format_short_day(worst.day)}."
        )
        chart = figures.draw_heat_map(points, shown, top, model_view.span)
        if len(features) > len(shown):
            said += f" The {len(features) - len(shown)} least important are on their own pages."
        result.append({"title": title, "figure": chart, "says": said})
    return result


def _heat_map_rows(model_view: ModelView) -> dict[str, tuple[str, str]]:
    """Return how each measured feature reads, and its page, the most important first."""
    measured = {m.feature for m in model_view.everyone("drift", "psi")}
    columns = model_view.spec.features.columns
    found = {}
    for name in model_view.features:
        weight = columns[name].importance if name in columns else None
        label = f"{name} · {100 * weight:.3g}{wording.SPACE}%" if weight else name
        if name in measured:
            found[name] = (label, f"features/{file_name(name)}.html")
    return found


def score_charts(model_view: ModelView) -> list[dict[str, Any]]:
    """Return how the score is spread now and in the baseline, day by day, and its drift."""
    result = []
    profile_schema, span = model_view.profile_schema, model_view.span
    column = model_view.spec.score.column
    now, baseline = column_counts_of(model_view.now, column), column_counts_of(model_view.baseline, column)
    if (
        profile_schema is not None
        and profile_schema.score is not None
        and span is not None
        and now.finite
        and baseline.finite
    ):
        chart = distributions.draw_histogram(now, baseline, profile_schema.score)
        says = "Bars: the newest seven days; behind them the baseline. The scale is stretched near 0 and 1."
        result.append({"title": "Score, now and in the baseline", "says": says, "figure": chart})
        threshold = model_view.spec.score.threshold
        chart = distributions.draw_quantile_bands(
            model_view.counts(column), baseline, profile_schema.score, span, threshold=threshold
        )
        says = "Light: nine in ten payments of a day; dark: the middle half; dashed: the same in the baseline."
        result.append({"title": "Score, day by day", "says": says, "figure": chart})
    points = model_view.everyone("score", "psi")
    if any(m.value is not None for m in points):
        over = with_verdict(points, Verdict.BREACH)
        says = f"Against the baseline; {wording.pluralise(len(over), 'day')} of {len(points)} over the limit."
        chart = figures.draw_over_time(points, link="days/", height=150, span=span)
        result.append({"title": "Score drift (PSI)", "says": says, "figure": chart})
    return result


def custom_metric_charts(model_view: ModelView) -> list[dict[str, Any]]:
    """Return a figure over time of each metric of the bank's own, with what its newest day says."""
    result = []
    for own in model_view.spec.metrics:
        points = model_view.everyone("custom", own.name)
        if points:
            chart = figures.draw_over_time(points, link="days/", span=model_view.span)
            result.append({"title": wording.metric_title(own.name), "figure": chart, "says": points[-1].reason})
    return result


def describe_settings(model_view: ModelView) -> dict[str, str]:
    """Return the baseline and what it takes to be an incident, each in a sentence."""
    spec, chosen = model_view.spec, model_view.ledger.baseline(model_view.spec, model_view.last)
    alerts, asked = spec.alerts, spec.retraining
    left_out = f", without {wording.pluralise(len(spec.baseline.exclude), 'day')}" if spec.baseline.exclude else ""
    why = "" if chosen.reason == "model file" else f"; in force since {wording.format_day(chosen.day)}: {chosen.reason}"
    minimum_effects = "; ".join(
        f"{wording.metric_title(name)} below {wording.format_number(value)}" for name, value in alerts.limits.items()
    )
    hold, clean = wording.pluralise(alerts.pending_days, "day"), wording.pluralise(alerts.resolve_days, "clean day")
    found = {
        "Baseline": f"{wording.format_day(chosen.start)} to {wording.format_day(chosen.end)}{left_out}{why}.",
        "False alarms": f"At most {alerts.false_pages_per_quarter:g} a quarter is allowed for; "
        "limits are learnt from the baseline's own days to hold that, whatever the number of features.",
        "Too small to matter": f"{minimum_effects}; else the product's own floors."
        if minimum_effects
        else "The product's own floors.",
        "To become an incident": f"Drift, decay and unfairness must hold {hold}; it is resolved after {clean}.",
    }
    limits = [m for m in model_performance.headline_figures(model_view) if m.limit is not None]
    if limits:
        said = "; ".join(f"{wording.metric_title(m.metric)} {wording.format_figure(m.metric, m.limit)}" for m in limits)
        found["Limits of performance today"] = f"{said}. A figure must also be worse than chance explains."
    who = "A person approves it" if asked.approval == "required" else "Without approval"
    cooldown, least = (
        wording.pluralise(asked.cooldown_days, "day"),
        wording.pluralise(asked.min_mature_frauds, "mature fraud"),
    )
    found["Retraining"] = f"{who}; at the earliest {cooldown} after the last, from {least} on."
    return found


def _number_of_times(number: int) -> str:
    return {0: "never", 1: "once"}.get(number, f"{number:,} times")


def fairness_charts(model_view: ModelView) -> list[dict[str, Any]]:
    """Return a figure of each fairness metric: one dot with its interval per group, on the newest day."""
    found = [m for m in model_view.newest if m.monitor == "fairness" and m.slice]
    reference = {f"{column}={protected.reference}" for column, protected in model_view.spec.compared.items()}
    names = {m.slice: f"{m.slice} · reference" if m.slice in reference else m.slice for m in found}
    result = []
    for metric in FAIRNESS_METRICS:
        points = [m for m in found if m.metric == metric][:40]
        if not points:
            continue
        verdicts = {m.slice: _worst_verdict(found, metric, m) for m in points}
        gaps = [m for m in found if m.metric.startswith(f"{metric}_") and m.verdict is Verdict.BREACH]
        says = "; ".join(
            f"{m.slice} {wording.format_figure(m.metric, m.value)} the reference"
            for m in gaps
            if m.metric.endswith("_ratio")
        )
        title = wording.metric_title(metric)
        chart = figures.draw_group_figures(points, verdicts, names)
        result.append({"title": title, "figure": chart, "says": f"{says or 'No gap over its limit'}."})
    return result


def _worst_verdict(found: list[Measurement], metric: str, point: Measurement) -> Verdict:
    """Return a group's verdict on a metric: the worst of its difference and ratio to the reference."""
    own = [
        m.verdict for m in found if m.slice == point.slice and m.metric in (f"{metric}_difference", f"{metric}_ratio")
    ]
    return min([*own, point.verdict], key=VERDICTS_WORST_FIRST.index)


def newest_checks(model_view: ModelView, *, quiet: bool) -> list[Measurement]:
    """Return the newest day's arrival, columns and expectations: those that ask for something, or the quiet ones."""
    found = [m for m in model_view.newest if m.monitor in ("arrival", "schema", "check")]
    kept = [m for m in found if (m.verdict not in URGENT) is quiet]
    return sorted(kept, key=lambda m: (VERDICTS_WORST_FIRST.index(m.verdict), m.monitor, m.metric, m.feature))
