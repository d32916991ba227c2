"""How well a model did, as its page shows it: by cohort day, realised, to come and estimated; and when labels come."""

from __future__ import annotations

from datetime import date
from typing import Any

from catalogue.metrics import money, performance
from catalogue.metrics.labels import FRAUDS_MATURE_UNTIL, LABEL_DELAY, MATURE_FRAUDS, MATURE_UNTIL
from catalogue.metrics.performance_monitors import (
    COHORT_MONITOR,
    DECAY_MONITOR,
    ESTIMATE_MONITOR,
    NOWCAST_MONITOR,
    SELECTIVE_MONITOR,
)
from ledger.records.measurements import Measurement, Verdict
from reports.charts import over_time
from reports.charts.svg import Plot, Scale
from reports.views.measurements import with_verdict
from reports.views.model_view import ModelView
from reports.wording import formatting, naming

HEADLINE_METRICS = (
    performance.RECALL,
    performance.PRECISION,
    performance.VALUE_DETECTION_RATE,
    performance.FALSE_POSITIVE_RATE,
)
COST_METRICS = (
    money.COST,
    money.LEAST_COST,
    money.LEAST_COST_THRESHOLD,
    performance.CARD_PRECISION,
    money.LOST,
)
LABEL_DELAY_CURVES = {"": "all", "alert=none": "missed", "alert=raised": "caught"}
"""The label-delay curves, by the slice that names each, and the class of its line."""


def headline_figures(model_view: ModelView) -> list[Measurement]:
    """Return the newest mature week's figure of each headline metric."""
    found = {m.metric: m for m in model_view.newest if m.monitor == DECAY_MONITOR and not m.slice}
    return [found[metric] for metric in HEADLINE_METRICS if metric in found]


def estimated_figures(model_view: ModelView) -> list[Measurement]:
    """Return what the headline metrics of the newest week are estimated to be, where they could be estimated."""
    found = {m.metric: m for m in model_view.newest if m.monitor == ESTIMATE_MONITOR and m.value is not None}
    return [found[metric] for metric in HEADLINE_METRICS if metric in found]


def secondary_figures(model_view: ModelView) -> list[Measurement]:
    """Return what stands beside the headlines: money, the top cards, and figures adjusted for declined payments."""
    costs = [m for m in model_view.newest if m.monitor == DECAY_MONITOR and m.metric in COST_METRICS and not m.slice]
    return [
        *costs,
        *(m for m in model_view.newest if m.monitor == SELECTIVE_MONITOR and m.value is not None and not m.slice),
    ]


def performance_charts(model_view: ModelView) -> list[dict[str, Any]]:
    """Return a chart of each headline metric by cohort day, with the sentence that says it."""
    result = []
    for metric in HEADLINE_METRICS:
        points = model_view.everyone(COHORT_MONITOR, metric)
        if any(m.value is not None for m in points):
            young = {m.day for m in with_verdict(points, Verdict.IMMATURE)}
            nowcast = [
                m for m in model_view.everyone(NOWCAST_MONITOR, metric) if m.value is not None and m.day in young
            ]
            estimate = [m for m in model_view.everyone(ESTIMATE_MONITOR, metric) if m.value is not None]
            chart = over_time.draw_over_time(points, nowcast=nowcast, estimate=estimate, span=model_view.span)
            result.append(
                {
                    "title": naming.metric_title(metric),
                    "figure": chart,
                    "says": _describe_performance(points, estimate),
                }
            )
    return result


def _describe_performance(points: list[Measurement], estimate: list[Measurement]) -> str:
    settled, young = with_verdict(points, Verdict.OK), with_verdict(points, Verdict.IMMATURE)
    said = formatting.pluralise(len(settled), "mature day")
    if settled:
        m = settled[-1]
        said += f", the last {formatting.format_short_day(m.day)} with {formatting.format_figure(m.metric, m.value)}"
    said += f"; {len(young)} provisional" if young else ""
    if estimate:
        said += (
            f"; by its scores the newest week is at {formatting.format_figure(estimate[-1].metric, estimate[-1].value)}"
        )
    return f"{said}."


def drawn_kinds(model_view: ModelView) -> set[str]:
    """Return which kinds of figures the charts show, for their key."""
    kinds = {m.verdict.value for metric in HEADLINE_METRICS for m in model_view.everyone(COHORT_MONITOR, metric)}
    for monitor in (NOWCAST_MONITOR, ESTIMATE_MONITOR):
        if any(m.value is not None for metric in HEADLINE_METRICS for m in model_view.everyone(monitor, metric)):
            kinds.add(monitor)
    return kinds


def cohort_table(model_view: ModelView) -> list[tuple[date, list[Measurement | None]]]:
    """Return the headline metrics of each cohort day as a table, the newest day first."""
    found: dict[date, dict[str, Measurement]] = {}
    for metric in HEADLINE_METRICS:
        for m in model_view.everyone(COHORT_MONITOR, metric):
            found.setdefault(m.day, {})[metric] = m
    return [(day, [found[day].get(metric) for metric in HEADLINE_METRICS]) for day in sorted(found, reverse=True)]


def describe_maturity(model_view: ModelView) -> str:
    """Return in words how long a day's labels take."""
    newest = {m.metric: m for m in model_view.newest if m.monitor == DECAY_MONITOR}
    age, later, frauds = (newest.get(name) for name in (FRAUDS_MATURE_UNTIL, MATURE_UNTIL, MATURE_FRAUDS))
    labels = model_view.spec.labels
    if labels is None:
        return ""
    said = f"A day counts as mature once {labels.maturity:.0%} of its missed fraud is expected to be known"
    if age is not None and age.value is not None:
        said += f", which takes {formatting.format_figure(MATURE_UNTIL, age.value)} here"
    if age is not None and later is not None and later.value is not None and later.value != age.value:
        said += f" ({formatting.format_figure(MATURE_UNTIL, later.value)} for precision and the false-positive rate)"
    said += "; until then its figures are provisional and open no incident."
    if frauds is not None and frauds.value is not None:
        said += f" {frauds.value:,.0f} frauds are mature."
    return said


def label_delay_chart(model_view: ModelView) -> dict[str, Any] | None:
    """Return the label-delay curve: the share of a cohort's fraud that is known, by the cohort's age."""
    if model_view.last is None or model_view.spec.labels is None:
        return None
    last, labels = model_view.last, model_view.spec.labels
    found = model_view.ledger.measurements(
        model_view.spec.model, as_of=last, monitors=(COHORT_MONITOR,), metric=LABEL_DELAY
    )
    curves = {
        name: sorted(((last - m.day).days, m) for m in found if m.slice == name and m.value is not None)
        for name in LABEL_DELAY_CURVES
    }
    every = curves[""]
    if len(every) < 2:
        return None
    horizon = max(age for age, _ in every)
    plot = Plot(Scale(0, 1.0), 200)
    plot.grid(formatting.format_share, (0, 0.25, 0.5, 0.75, 1))
    plot.area([(age / horizon, m.low or 0, m.high or 0) for age, m in every], "est-area")
    for name, kind in LABEL_DELAY_CURVES.items():
        plot.line([(age / horizon, m.value or 0) for age, m in curves[name]], f"curve {kind}")
    plot.line([(0, labels.maturity), (1, labels.maturity)], "limit")
    for age in Scale(0, horizon).ticks(7):
        x = age / horizon
        plot.text(x, plot.height - 6, f"{age:.0f}", "t", "start" if x == 0 else "end" if x > 0.97 else "middle")
    for age, m in every:
        plot.mark(age / horizon, m.value or 0, "ok")
        inner = plot.take_back(len(plot.above) - 1)
        between = formatting.format_interval(LABEL_DELAY, m.low, m.high)
        plot.column(
            age / horizon,
            0.02,
            f"After {age} days {formatting.format_share(m.value or 0)} ({between}), n {m.n:,}",
            inner,
        )
    half = next((age for age, m in every if (m.value or 0) >= 0.5), None)
    says = (
        f"Half of a day's fraud is known after {formatting.pluralise(half, 'day')}"
        if half is not None
        else "Fraud comes late"
    )
    says += f"; after {formatting.pluralise(horizon, 'day')}, {formatting.format_share(every[-1][1].value or 0)}."
    others = [kind for name, kind in LABEL_DELAY_CURVES.items() if name and len(curves[name]) > 1]
    return {"title": "How late labels come", "says": says, "figure": plot.markup(), "curves": others}
