"""Straight lines through measured points, and their plot as SVG."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import NamedTuple

WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 420, 300, 62, 40, 56
COLOURS = ("#1f77b4", "#e07b39")
INK = "#808080"
"""Grey reads on a light page and on a dark one."""
LABEL_WIDTH = 32
Points = Mapping[float, float]


class Line(NamedTuple):
    """``slope`` times x plus ``start``; ``r2`` is the share of the variance that it explains."""

    slope: float
    start: float
    r2: float


def fit(points: Points) -> Line:
    """Return the least-squares line through at least two points."""
    slope, start = statistics.linear_regression(list(points), list(points.values()))
    return Line(slope, start, statistics.correlation(list(points), list(points.values())) ** 2)


def plot(panels: Sequence[tuple[str, str, Mapping[str, Points]]]) -> str:
    """Return an SVG of panels side by side: title, label of x, and named series of CPU seconds, each with its line."""
    width = WIDTH * len(panels)
    parts = [_panel(title, label, series, WIDTH * i) for i, (title, label, series) in enumerate(panels)]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {HEIGHT}" width="{width}" height="{HEIGHT}" '
        f'font-family="sans-serif" font-size="12" fill="{INK}" role="img" aria-label="CPU seconds by size">\n'
        + "\n".join(parts)
        + "\n</svg>\n"
    )


def _panel(title: str, label: str, series: Mapping[str, Points], shift: int) -> str:
    most_x = max(x for points in series.values() for x in points)
    step = _step(max(y for points in series.values() for y in points.values()))
    most_y = step * math.ceil(max(y for points in series.values() for y in points.values()) / step)
    right, floor = WIDTH - 20, HEIGHT - BOTTOM

    def place(x: float, y: float) -> tuple[float, float]:
        return LEFT + (right - LEFT) * x / most_x, floor - (floor - TOP) * y / most_y

    drawn = [_text(LEFT, 18, title, weight="bold")]
    for i in range(round(most_y / step) + 1):
        x, y = place(0, i * step)
        drawn.append(_stroke((x, y), (right, y), INK, 0.3))
        drawn.append(_text(x - 6, y + 4, f"{i * step:g}", anchor="end"))
    taken = 0.0
    for tick in sorted({x for points in series.values() for x in points}):
        across = place(tick, 0)[0]
        if across > taken:
            drawn.append(_text(across, floor + 18, f"{tick:g}", anchor="middle"))
            taken = across + LABEL_WIDTH
    drawn.append(_text((LEFT + right) / 2, HEIGHT - 16, label, anchor="middle"))
    drawn.append(f'<g transform="rotate(-90 16 {HEIGHT / 2})">{_text(16, HEIGHT / 2, "CPU seconds", "middle")}</g>')
    for i, (name, points) in enumerate(series.items()):
        line, colour = fit(points), COLOURS[i]
        low, high = max(0.0, line.start), line.start + line.slope * most_x
        drawn.append(_stroke(place(0, low), place(most_x, high), colour, 1.5))
        for x, y in points.items():
            across, down = place(x, y)
            drawn.append(f'<circle cx="{across:.1f}" cy="{down:.1f}" r="4" fill="{colour}"/>')
        drawn.append(_text(LEFT + 10, TOP + 14 + 18 * i, f"● {name}", colour=colour))
    return f'<g transform="translate({shift} 0)">{"".join(drawn)}</g>'


def _step(most: float) -> float:
    """Return a round distance of grid lines, four to ten of them up to ``most``."""
    power = 10.0 ** math.floor(math.log10(most / 4))
    return next(power * factor for factor in (1, 2, 5, 10) if most / (power * factor) <= 8)


def _stroke(start: tuple[float, float], end: tuple[float, float], colour: str, width: float) -> str:
    ends = f'x1="{start[0]:.1f}" y1="{start[1]:.1f}" x2="{end[0]:.1f}" y2="{end[1]:.1f}"'
    return f'<line {ends} stroke="{colour}" stroke-width="{width}"/>'


def _text(x: float, y: float, text: str, anchor: str = "start", weight: str = "normal", colour: str = INK) -> str:
    style = f'text-anchor="{anchor}" font-weight="{weight}" fill="{colour}"'
    return f'<text x="{x:.1f}" y="{y:.1f}" {style}>{text}</text>'
