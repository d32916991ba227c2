"""A model's figures to explore: plotly charts in which one zooms, hovers and hides; all share one time axis.

Every other page is drawn when it is written and needs no script. This one is for the question that no page foresaw,
and loads plotly.js from beside the pages.
"""

from __future__ import annotations

import importlib.resources
import json
from pathlib import Path
from typing import Any

from ledger.records import Measurement
from reports import words, write
from reports.performance import HEADLINES
from reports.reading import Reading

HEAT_FEATURES = 40
"""Rows of the heat map, the most important features first."""
ROW_PIXELS, HEAT_PIXELS = 190, 18
NAMES = {
    "performance": ("realised", "#3b8fd4"),
    "nowcast": ("to come", "#e69f00"),
    "estimate": ("estimated", "#009e73"),
}
"""How each monitor's marks are called, and their colour: told apart by colour-blind people, on light and dark."""


def assets(site: Path) -> None:
    """Put plotly.js beside the pages; what is there already is not written again."""
    plotly = importlib.resources.files("plotly") / "package_data" / "plotly.min.js"
    with importlib.resources.as_file(plotly) as source:
        there = site / "assets" / "plotly.min.js"
        if not there.exists() or there.stat().st_size != source.stat().st_size:
            write.file(there, source.read_bytes())


def page(reading: Reading) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what the template is filled with, and the figure for machines."""
    made = figure(reading)
    return {"reading": reading, "spec": reading.spec, "figure": made}, {"figure": made}


def figure(reading: Reading) -> dict[str, Any]:
    """Return one plotly figure: a row for each headline metric, and drift by feature and day; {} without any."""
    import plotly.graph_objects as go  # noqa: PLC0415  half a second to import
    from plotly.subplots import make_subplots  # noqa: PLC0415

    metrics = [metric for metric in HEADLINES if _shown(reading, "performance", metric)]
    features, days, psi, told = _heat(reading)
    titles = [*(words.metric(metric) for metric in metrics), *(["Drift of features (PSI)"] if features else [])]
    if not titles:
        return {}
    heights = [ROW_PIXELS] * len(metrics) + ([60 + HEAT_PIXELS * len(features)] if features else [])
    whole = make_subplots(
        rows=len(titles),
        shared_xaxes=True,
        subplot_titles=titles,
        row_heights=heights,
        vertical_spacing=0.4 / len(titles) / 4,
    )
    for row, metric in enumerate(metrics, 1):
        for monitor, (name, colour) in NAMES.items():
            points = _shown(reading, monitor, metric)
            if points:
                whole.add_trace(_dots(go, points, name, colour, first=row == 1), row=row, col=1)
    if features:
        heat = go.Heatmap(
            x=days, y=features, z=psi, customdata=told, colorscale="Cividis", zmin=0, zmax=0.3, showscale=False,
            hovertemplate="%{y}<br>%{x|%a %-d %b %Y}<br>%{customdata}<extra></extra>",
        )  # fmt: skip
        whole.add_trace(heat, row=len(titles), col=1)
        whole.update_yaxes(autorange="reversed", row=len(titles), col=1)
    whole.update_layout(height=sum(heights) + 120, hovermode="closest", margin={"l": 160, "r": 20, "t": 50, "b": 40})
    result: dict[str, Any] = json.loads(whole.to_json())
    result["layout"].pop("template", None)  # colours are the reader's, light or dark: assets/explore.js
    return result


def _shown(reading: Reading, monitor: str, metric: str) -> list[Measurement]:
    return [m for m in reading.everyone(monitor, metric) if m.value is not None]


def _dots(go: Any, points: list[Measurement], name: str, colour: str, *, first: bool) -> Any:
    up = [max(0.0, (m.high if m.high is not None else m.value or 0.0) - (m.value or 0.0)) for m in points]
    down = [max(0.0, (m.value or 0.0) - (m.low if m.low is not None else m.value or 0.0)) for m in points]
    return go.Scatter(
        x=[m.day.isoformat() for m in points],
        y=[m.value for m in points],
        error_y={"type": "data", "symmetric": False, "array": up, "arrayminus": down, "thickness": 1, "width": 0},
        mode="markers",
        marker={"color": colour},
        name=name,
        legendgroup=name,
        showlegend=first,
        text=[f"{words.figure(m.metric, m.value)}, n {m.n:,}; {words.VERDICTS[m.verdict].word}" for m in points],
        hovertemplate="%{x|%a %-d %b %Y}<br>%{text}<extra></extra>",
    )


def _heat(reading: Reading) -> tuple[list[str], list[str], list[list[float | None]], list[list[str]]]:
    """Return the features, the days, each PSI (features by days), and what hovering says."""
    by_place = {(m.feature, m.day): m for m in _shown(reading, "drift", "psi")}
    features = [name for name in reading.features if any(feature == name for feature, _ in by_place)][:HEAT_FEATURES]
    days = sorted({day for _, day in by_place})
    found = [[by_place.get((name, day)) for day in days] for name in features]
    psi = [[m.value if m else None for m in row] for row in found]
    told = [
        [f"{words.figure('psi', m.value)}; {words.VERDICTS[m.verdict].word}" if m else "" for m in row] for row in found
    ]
    return [words.short(name) for name in features], [day.isoformat() for day in days], psi, told
