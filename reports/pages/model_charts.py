"""Charts of a model's page beside those of performance: drift, the score, fairness, the bank's own metrics."""

from __future__ import annotations

from typing import Any

from catalogue.metrics.drift import NULL_SHARE, PSI
from catalogue.metrics.drift_monitors import DRIFT_MONITOR, SCORE_MONITOR
from catalogue.metrics.fairness import CALIBRATION_GAP, FAIRNESS_MONITOR, SELECTION_RATE, TRUE_POSITIVE_RATE
from catalogue.metrics.performance import FALSE_POSITIVE_RATE, PRECISION
from catalogue.metrics.performance_monitors import CUSTOM_MONITOR
from ledger.records.measurements import Measurement, Verdict
from reports.charts import distributions, group_dots, heat_map, over_time
from reports.views.measurements import VERDICTS_WORST_FIRST, with_verdict
from reports.views.model_view import ModelView
from reports.views.profile_view import column_counts_of
from reports.wording import formatting, naming
from reports.writing import file_name

HEAT_MAP_TOPS = {PSI: 0.3, NULL_SHARE: 0.25}
"""The metrics that heat maps show, and the value at which their colours reach their end."""
FAIRNESS_METRICS = (SELECTION_RATE, TRUE_POSITIVE_RATE, FALSE_POSITIVE_RATE, PRECISION, CALIBRATION_GAP)
MOST_GROUPS = 40


def drift_heat_maps(model_view: ModelView) -> list[dict[str, Any]]:
    """Return the drift heat maps, features by days: PSI, and the share of nulls where there are any."""
    features = _heat_map_rows(model_view)
    shown = dict(list(features.items())[: heat_map.HEAT_FEATURES])
    result = []
    for metric, top in HEAT_MAP_TOPS.items():
        points = [m for m in model_view.everyone(DRIFT_MONITOR, metric) if m.value is not None]
        if not points:
            continue
        if metric != PSI and not any((m.value or 0) * heat_map.COLOUR_STEPS >= top for m in points):
            continue  # all of one colour
        over = with_verdict(points, Verdict.BREACH)
        worst = max(points, key=lambda m: m.value or 0)
        said = (
            f"{_number_of_times(len(over)).capitalize()} over the limit; the highest is "
            f"{formatting.format_figure(metric, worst.value)}, {formatting.shorten(worst.feature)} on "
            f"{formatting.format_short_day(worst.day)}. {formatting.pluralise(len(features), 'feature')} by day."
        )
        chart = heat_map.draw_heat_map(points, shown, top, model_view.span)
        if len(features) > len(shown):
            said += f" The {len(features) - len(shown)} least important are on their own pages."
        result.append({"title": naming.metric_title(metric), "figure": chart, "says": said})
    return result


def _heat_map_rows(model_view: ModelView) -> dict[str, tuple[str, str]]:
    """Return how each measured feature reads, and its page, the most important first."""
    measured = {m.feature for m in model_view.everyone(DRIFT_MONITOR, PSI)}
    columns = model_view.spec.features.columns
    found = {}
    for name in model_view.features:
        weight = columns[name].importance if name in columns else None
        label = f"{name} · {100 * weight:.3g}{formatting.SPACE}%" if weight else name
        if name in measured:
            found[name] = (label, f"features/{file_name(name)}.html")
    return found


def score_charts(model_view: ModelView) -> list[dict[str, Any]]:
    """Return how the score is spread now and in the baseline, day by day, and its drift."""
    result = []
    profile_schema, span = model_view.profiles.schema, model_view.span
    column = model_view.spec.score.column
    now, baseline = (
        column_counts_of(model_view.profiles.now, column),
        column_counts_of(model_view.profiles.baseline, column),
    )
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
            model_view.profiles.counts(column), baseline, profile_schema.score, span, threshold=threshold
        )
        says = "Light: nine in ten payments of a day; dark: the middle half; dashed lines: the same in the baseline."
        result.append({"title": "Score, day by day", "says": says, "figure": chart})
    points = model_view.everyone(SCORE_MONITOR, PSI)
    if any(m.value is not None for m in points):
        over = with_verdict(points, Verdict.BREACH)
        says = f"Against the baseline; {formatting.pluralise(len(over), 'day')} of {len(points)} over the limit."
        chart = over_time.draw_over_time(points, link="days/", height=150, span=span)
        result.append({"title": f"{naming.metric_title(PSI)} of the score", "says": says, "figure": chart})
    return result


def custom_metric_charts(model_view: ModelView) -> list[dict[str, Any]]:
    """Return a figure over time of each metric of the bank's own, with what its newest day says."""
    result = []
    for own in model_view.spec.metrics:
        points = model_view.everyone(CUSTOM_MONITOR, own.name)
        if points:
            chart = over_time.draw_over_time(points, link="days/", span=model_view.span)
            result.append({"title": naming.metric_title(own.name), "figure": chart, "says": points[-1].reason})
    return result


def _number_of_times(number: int) -> str:
    return {0: "never", 1: "once"}.get(number, f"{number:,} times")


def fairness_charts(model_view: ModelView) -> list[dict[str, Any]]:
    """Return a figure of each fairness metric: one dot with its interval per group, on the newest day."""
    found = [m for m in model_view.newest if m.monitor == FAIRNESS_MONITOR and m.slice]
    reference = {f"{column}={protected.reference}" for column, protected in model_view.spec.compared.items()}
    names = {m.slice: f"{m.slice} · reference" if m.slice in reference else m.slice for m in found}
    result = []
    for metric in FAIRNESS_METRICS:
        points = [m for m in found if m.metric == metric][:MOST_GROUPS]
        if not points:
            continue
        verdicts = {m.slice: _worst_verdict(found, metric, m) for m in points}
        gaps = [m for m in found if m.metric.startswith(f"{metric}_") and m.verdict is Verdict.BREACH]
        says = "; ".join(
            f"{m.slice} {formatting.format_figure(m.metric, m.value)} the reference"
            for m in gaps
            if m.metric.endswith("_ratio")
        )
        title = naming.metric_title(metric)
        chart = group_dots.draw_group_figures(points, verdicts, names)
        result.append({"title": title, "figure": chart, "says": f"{says or 'No gap over its limit'}."})
    return result


def _worst_verdict(found: list[Measurement], metric: str, point: Measurement) -> Verdict:
    """Return a group's verdict on a metric: the worst of its difference and ratio to the reference."""
    own = [
        m.verdict for m in found if m.slice == point.slice and m.metric in (f"{metric}_difference", f"{metric}_ratio")
    ]
    return min([*own, point.verdict], key=VERDICTS_WORST_FIRST.index)
