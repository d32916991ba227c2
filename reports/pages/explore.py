"""A model's figures to explore: plotly charts in which one zooms, hovers and hides; all share one time axis.

Every other page is drawn when it is written and needs no script. This one is for the question that no page foresaw,
and loads plotly.js from beside the pages.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from catalogue.drift import PSI
from catalogue.drift_monitors import DRIFT_MONITOR
from catalogue.performance_monitors import COHORT_MONITOR, ESTIMATE_MONITOR, NOWCAST_MONITOR
from ledger.records.measurements import Measurement
from reports import writing
from reports.pages.model_performance import HEADLINE_METRICS
from reports.pages.page import PageContent
from reports.views.model_view import ModelView
from reports.wording import formatting, naming

JSON = {"figure": {"type": "object"}}
"""As plotly.js draws it."""

HEAT_FEATURES = 40
"""Rows of the heat map, the most important features first."""
ROW_PIXELS, HEAT_PIXELS = 190, 18
MONITOR_MARKS = {
    COHORT_MONITOR: ("realised", "#3b8fd4"),
    NOWCAST_MONITOR: ("nowcast", "#e69f00"),
    ESTIMATE_MONITOR: ("estimated", "#009e73"),
}
"""How each monitor's marks are called, and their colour: distinct for colour-blind people, on light and dark."""


def write_plotly(site: Path) -> None:
    """Put plotly.js beside the pages; what is there already is not written again."""
    package = importlib.util.find_spec("plotly")  # found, not imported: that takes half a second
    assert package is not None
    assert package.submodule_search_locations is not None
    source = Path(package.submodule_search_locations[0]) / "package_data" / "plotly.min.js"
    there = site / "assets" / source.name
    if not there.exists() or there.stat().st_size != source.stat().st_size:
        writing.write_file(there, source.read_bytes())


def build_explore_page(model_view: ModelView) -> PageContent:
    """Return the content of the page to explore: one figure, as plotly.js draws it."""
    made = build_plotly_figure(model_view)
    return {"spec": model_view.spec, "figure": made}, {"figure": made}


def build_plotly_figure(model_view: ModelView) -> dict[str, Any]:
    """Return one plotly figure: a row for each headline metric, and drift by feature and day; {} without any."""
    metrics = [metric for metric in HEADLINE_METRICS if _measured_points(model_view, COHORT_MONITOR, metric)]
    features, days, psi, hover_texts = _drift_heat_map(model_view)
    titles = [
        *(naming.metric_title(metric) for metric in metrics),
        *([f"{naming.monitor_title(DRIFT_MONITOR)} ({naming.metric_title(PSI)})"] if features else []),
    ]
    if not titles:
        return {}
    heights = [ROW_PIXELS] * len(metrics) + ([60 + HEAT_PIXELS * len(features)] if features else [])
    data = []
    for row, metric in enumerate(metrics, 1):
        for monitor, (name, colour) in MONITOR_MARKS.items():
            points = _measured_points(model_view, monitor, metric)
            if points:
                data.append(_scatter_trace(points, name, colour, first=row == 1) | _axes(row))
    layout = _layout(titles, heights)
    if features:
        heat = {"type": "heatmap", "x": days, "y": features, "z": psi, "customdata": hover_texts,
                "colorscale": "Cividis", "zmin": 0, "zmax": 0.3, "showscale": False,
                "hovertemplate": "%{y}<br>%{x|%a %-d %b %Y}<br>%{customdata}<extra></extra>"}  # fmt: skip
        data.append(heat | _axes(len(titles)))
        layout[f"yaxis{_axis_number(len(titles))}"]["autorange"] = "reversed"
    return {"data": data, "layout": layout}


def _layout(titles: Sequence[str], heights: Sequence[int]) -> dict[str, Any]:
    """Return rows below each other, as high as asked for, each with its title, whose time axes move together."""
    gap = 0.1 / len(titles)
    pixel = (1 - gap * (len(titles) - 1)) / sum(heights)
    layout: dict[str, Any] = {"annotations": [], "height": sum(heights) + 120, "hovermode": "closest",
                              "margin": {"l": 160, "r": 20, "t": 50, "b": 40}}  # fmt: skip
    top = 1.0
    for row, (title, height) in enumerate(zip(titles, heights, strict=True), 1):
        bottom, number = max(0.0, top - height * pixel), _axis_number(row)
        last = {} if row == len(titles) else {"matches": f"x{_axis_number(len(titles))}", "showticklabels": False}
        layout[f"xaxis{number}"] = {"anchor": f"y{number}", "domain": [0, 1], **last}
        layout[f"yaxis{number}"] = {"anchor": f"x{number}", "domain": [bottom, top]}
        layout["annotations"].append({
            "text": title, "x": 0.5, "y": top, "xref": "paper", "yref": "paper", "xanchor": "center",
            "yanchor": "bottom", "showarrow": False, "font": {"size": 16},
        })  # fmt: skip
        top = bottom - gap
    return layout


def _axes(row: int) -> dict[str, str]:
    return {"xaxis": f"x{_axis_number(row)}", "yaxis": f"y{_axis_number(row)}"}


def _axis_number(row: int) -> str:
    return "" if row == 1 else str(row)


def _measured_points(model_view: ModelView, monitor: str, metric: str) -> list[Measurement]:
    return [m for m in model_view.everyone(monitor, metric) if m.value is not None]


def _scatter_trace(points: list[Measurement], name: str, colour: str, *, first: bool) -> dict[str, Any]:
    up = [max(0.0, (m.high if m.high is not None else m.value or 0.0) - (m.value or 0.0)) for m in points]
    down = [max(0.0, (m.value or 0.0) - (m.low if m.low is not None else m.value or 0.0)) for m in points]
    return {
        "type": "scatter",
        "x": [m.day.isoformat() for m in points],
        "y": [m.value for m in points],
        "error_y": {"type": "data", "symmetric": False, "array": up, "arrayminus": down, "thickness": 1, "width": 0},
        "mode": "markers",
        "marker": {"color": colour},
        "name": name,
        "legendgroup": name,
        "showlegend": first,
        "text": [
            f"{formatting.format_figure(m.metric, m.value)}, n {m.n:,}; {naming.VERDICTS[m.verdict].word}"
            for m in points
        ],
        "hovertemplate": "%{x|%a %-d %b %Y}<br>%{text}<extra></extra>",
    }


def _drift_heat_map(model_view: ModelView) -> tuple[list[str], list[str], list[list[float | None]], list[list[str]]]:
    """Return the features, the days, each PSI (features by days), and what hovering says."""
    by_feature_day = {(m.feature, m.day): m for m in _measured_points(model_view, DRIFT_MONITOR, PSI)}
    features = [name for name in model_view.features if any(feature == name for feature, _ in by_feature_day)][
        :HEAT_FEATURES
    ]
    days = sorted({day for _, day in by_feature_day})
    found = [[by_feature_day.get((name, day)) for day in days] for name in features]
    psi = [[m.value if m else None for m in row] for row in found]
    hover_texts = [
        [f"{formatting.format_figure(PSI, m.value)}; {naming.VERDICTS[m.verdict].word}" if m else "" for m in row]
        for row in found
    ]
    return [formatting.shorten(name) for name in features], [day.isoformat() for day in days], psi, hover_texts
