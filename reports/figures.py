"""Figures as plotly's JSON: small, rounded, and without colours of their own.

A colour is named as the style sheet names it (``--ink``); the script in the page puts the reader's light or dark one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from ledger.records import Measurement, Verdict
from reports import words

Figure = dict[str, Any]
MARKERS = {
    Verdict.OK: ("circle", "--ok"),
    Verdict.BREACH: ("triangle-up", "--breach"),
    Verdict.IMMATURE: ("circle-open", "--immature"),
    Verdict.INSUFFICIENT: ("circle-open", "--unknown"),
    Verdict.ERRORED: ("x", "--errored"),
    Verdict.MISSING: ("square-open", "--errored"),
}
FEW_DAYS = 8
"""Below this number of days each has its own tick, or ticks would fall on hours."""
ONE_DAY_MS = 86_400_000
HEAT_FEATURES = 40
"""Rows of a heat map; the least important features beyond are left to the day pages."""


def over_time(
    points: Sequence[Measurement],
    *,
    since: date | None = None,
    linked: bool = False,
    height: int = 190,
) -> Figure:
    """Draw one metric over days: dot and 95 % interval each, shaped and coloured by verdict, with its limit.

    Days that are immature at the end are shaded as provisional; ``since`` draws a line where an incident began.
    """
    shown = [m for m in points if m.value is not None]
    metric = points[0].metric if points else ""
    traces = [
        _dots([m for m in shown if m.verdict is verdict], verdict)
        for verdict in MARKERS
        if any(m.verdict is verdict for m in shown)
    ]
    limits = [(m.day, m.limit) for m in points if m.limit is not None and m.monitor != "arrival"]
    limits = _either_way(limits) if metric.endswith("_ratio") else limits
    if limits:
        traces.append(_limit(limits))
    layout: dict[str, Any] = {
        "height": height,
        "yaxis": _axis(metric) | _reaching(shown, limits),
        "xaxis": _days([m.day for m in points]),
        "showlegend": False,
    }
    shapes, notes = _marks(points, since)
    if shapes:
        layout |= {"shapes": shapes, "annotations": notes}
    return {"data": traces, "layout": layout, "link": "days/" if linked else ""}


def _dots(points: Sequence[Measurement], verdict: Verdict) -> Figure:
    symbol, colour = MARKERS[verdict]
    trace: Figure = {
        "type": "scatter",
        "mode": "markers",
        "name": words.VERDICTS[verdict].word,
        "x": [m.day.isoformat() for m in points],
        "y": [short(m.value) for m in points],
        "marker": {"symbol": symbol, "color": colour, "size": 8 if verdict is Verdict.BREACH else 5.5},
        "text": [_hover(m) for m in points],
        "hovertemplate": "%{x|%a %-d %b}<br>%{text}<extra></extra>",
    }
    if any(m.low is not None and m.high is not None for m in points):
        trace["error_y"] = {
            "type": "data",
            "symmetric": False,
            "array": [_reach(m.high, m.value) for m in points],
            "arrayminus": [_reach(m.value, m.low) for m in points],
            "thickness": 1.2,
            "width": 0,
            "color": "--whisker",
        }
    return trace


def _reach(high: float | None, low: float | None) -> float:
    return max(0.0, short(high - low) or 0.0) if high is not None and low is not None else 0.0


def _hover(m: Measurement) -> str:
    interval = words.interval(m.metric, m.low, m.high)
    text = words.figure(m.metric, m.value) + (f" ({interval})" if interval else "")
    return f"{text}<br>n {m.n:,} · {words.VERDICTS[m.verdict].word}"


def _either_way(limits: list[tuple[date, float]]) -> list[tuple[date, float]]:
    """Return both sides of limits of a ratio, as one line with a gap."""
    far = [(day, max(limit, 1 / limit)) for day, limit in limits if limit > 0]
    return [*far, (far[-1][0], math.nan), *((day, 1 / limit) for day, limit in far)] if far else []


def _limit(limits: Sequence[tuple[date, float]]) -> Figure:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": "limit",
        "x": [day.isoformat() for day, _ in limits],
        "y": [short(limit) for _, limit in limits],
        "line": {"color": "--breach", "width": 1, "dash": "dot"},
        "hoverinfo": "skip",
    }


def _marks(points: Sequence[Measurement], since: date | None) -> tuple[list[Figure], list[Figure]]:
    shapes: list[Figure] = []
    notes: list[Figure] = []
    if since is not None:
        shapes.append(
            {"type": "line", "x0": since.isoformat(), "x1": since.isoformat(), "yref": "paper", "y0": 0, "y1": 1,
             "line": {"color": "--breach", "width": 1}}
        )  # fmt: skip
        days = [m.day for m in points]
        late = since - min(days) > 0.7 * (max(days) - min(days))
        notes.append(_note(since, "since", "right" if late else "left"))
    settled = max((m.day for m in points if m.verdict is Verdict.OK), default=date.min)
    young = [m.day for m in points if m.verdict is Verdict.IMMATURE and m.day > settled]
    if young:
        shapes.append(
            {"type": "rect", "x0": f"{min(young) - timedelta(days=1)}T12:00", "x1": f"{max(young)}T12:00",
             "yref": "paper", "y0": 0, "y1": 1, "fillcolor": "--shade", "line": {"width": 0}, "layer": "below"}
        )  # fmt: skip
        notes.append(_note(max(young), "provisional", "right"))
    return shapes, notes


def _note(day: date, text: str, anchor: str) -> Figure:
    return {
        "x": day.isoformat(), "yref": "paper", "y": 1, "yanchor": "bottom", "xanchor": anchor, "showarrow": False,
        "text": text, "font": {"size": 10, "color": "--muted"},
    }  # fmt: skip


def _days(days: Sequence[date]) -> Figure:
    """Return an axis that ends half a day before the first and after the last day."""
    if not days:
        return {"type": "date"}
    axis: Figure = {"type": "date", "range": [f"{min(days) - timedelta(days=1)}T12:00", f"{max(days)}T12:00"]}
    few = (max(days) - min(days)).days < FEW_DAYS
    return axis | {"tick0": min(days).isoformat(), "dtick": ONE_DAY_MS} if few else axis


def _reaching(points: Sequence[Measurement], limits: Sequence[tuple[date, float]]) -> Figure:
    """Return a range that holds every figure, the interval of each mature one, and at least a quarter of the height.

    So a steady figure doesn't look wild, and a figure far above zero doesn't lie flat.
    """
    settled = [m for m in points if m.verdict not in (Verdict.IMMATURE, Verdict.INSUFFICIENT)]
    ends = [end for m in settled or points for end in (m.low, m.high) if end is not None]
    ends += [m.value for m in points if m.value is not None] + [limit for _, limit in limits if not math.isnan(limit)]
    if not ends or min(ends) < 0:
        return {}
    low, high = min(ends), max(ends)
    low = max(0.0, min(low - 0.1 * (high - low), 0.75 * high))
    return {"range": [short(low if low > 0.3 * high else 0.0), short(high + 0.06 * (high - low) or 1.0)]}


def _axis(metric: str) -> Figure:
    axis: Figure = {"rangemode": "tozero"}
    if words.is_share(metric):
        axis |= {"tickformat": ".2~%"}
    elif metric.endswith("_ratio"):
        axis |= {"rangemode": "normal"}
    return axis


def heat(points: Sequence[Measurement], features: Sequence[str], labels: Sequence[str], top: float) -> Figure:
    """Draw a metric as features by days, the first feature on top; a breach also bears a mark, a gap is no figure.

    Colours reach their end at ``top``, so that one wild day doesn't whiten the rest.
    """
    days = sorted({m.day for m in points})
    column = {day: i for i, day in enumerate(days)}
    line = {feature: i for i, feature in enumerate(features)}
    cells: list[list[float | None]] = [[None] * len(days) for _ in features]
    marked: list[tuple[str, str]] = []
    for m in points:
        if m.feature in line:
            cells[line[m.feature]][column[m.day]] = short(m.value)
            if m.verdict in (Verdict.BREACH, Verdict.ERRORED, Verdict.MISSING):
                marked.append((m.day.isoformat(), labels[line[m.feature]]))
    metric = points[0].metric if points else ""
    unit = ":.1%" if words.is_share(metric) else ":.3f"
    data: list[Figure] = [
        {
            "type": "heatmap",
            "x": [day.isoformat() for day in days],
            "y": list(labels),
            "z": cells,
            "zmin": 0,
            "zmax": top,
            "colorscale": "--heat",
            "xgap": 1,
            "ygap": 1,
            "hoverongaps": False,
            "hovertemplate": f"%{{y}}<br>%{{x|%a %-d %b}}: {words.metric(metric)} %{{z{unit}}}<extra></extra>",
            "colorbar": {"thickness": 8, "outlinewidth": 0, "len": 1, "tickformat": ".0%" if unit == ":.1%" else ""},
        }
    ]
    if marked:
        data.append(
            {
                "type": "scatter",
                "mode": "markers",
                "x": [day for day, _ in marked],
                "y": [label for _, label in marked],
                "marker": {"symbol": "triangle-up", "size": 6, "color": "--mark", "line": {"width": 0}},
                "hoverinfo": "skip",
                "showlegend": False,
            }
        )
    layout = {
        "height": 60 + 22 * len(features),
        "yaxis": {"autorange": "reversed", "type": "category", "showgrid": False, "labels": True},
        "xaxis": _days(days) | {"showgrid": False},
    }
    return {"data": data, "layout": layout, "link": "days/"}


def groups(points: Sequence[Measurement], verdicts: dict[str, Verdict], names: dict[str, str]) -> Figure:
    """Draw one fairness metric as a dot and 95 % interval per group; grey and open where too few tell anything.

    ``verdicts`` says for each slice the worst verdict of its difference and ratio; ``names`` how it reads.
    """
    data = []
    for verdict, (symbol, colour) in MARKERS.items():
        part = [m for m in points if m.value is not None and verdicts.get(m.slice, m.verdict) is verdict]
        if part:
            data.append(_group_dots(part, names, symbol, colour))
    order = [names[m.slice] for m in points]
    metric = points[0].metric if points else ""
    empty = [names[m.slice] for m in points if m.value is None]
    layout: Figure = {
        "height": 62 + 24 * len(order),
        "xaxis": _axis(metric) | {"type": "linear", "zeroline": True},
        "yaxis": {
            "type": "category", "categoryorder": "array", "categoryarray": order[::-1],
            "range": [-0.6, len(order) - 0.4], "labels": True,
        },
        "showlegend": False,
        "annotations": [
            {"x": 0, "xref": "paper", "xanchor": "left", "y": name, "showarrow": False, "text": "○ not enough data",
             "font": {"size": 11, "color": "--muted"}}
            for name in empty
        ],
    }  # fmt: skip
    if not data:
        data = [{"type": "scatter", "x": [None], "y": order[:1], "mode": "markers"}]
    return {"data": data, "layout": layout, "link": ""}


def _group_dots(points: Sequence[Measurement], names: dict[str, str], symbol: str, colour: str) -> Figure:
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [short(m.value) for m in points],
        "y": [names[m.slice] for m in points],
        "marker": {"symbol": symbol, "color": colour, "size": 9},
        "error_x": {
            "type": "data",
            "symmetric": False,
            "array": [_reach(m.high, m.value) for m in points],
            "arrayminus": [_reach(m.value, m.low) for m in points],
            "thickness": 1.6,
            "width": 0,
            "color": colour,
        },
        "text": [_hover(m) for m in points],
        "hovertemplate": "%{y}<br>%{text}<extra></extra>",
    }


def short(value: float | None) -> float | None:
    """Return a value with four significant digits, which no screen can tell from more."""
    return None if value is None else float(f"{value:.4g}")
