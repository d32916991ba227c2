"""Small pictures of a line of the fleet page: a trend without axes, and a strip of days."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from markupsafe import Markup, escape

from reports.charts.svg import Scale, px


def draw_sparkline(values: Sequence[float | None], says: str) -> Markup:
    """Return a small line without axes; gaps stay gaps, and a dot is the newest value."""
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return Markup("")
    scale = Scale(min(known), max(known))
    flat = 0.5 if scale.low == scale.high else None
    y = [None if value is None else round(44 - 40 * (scale.at(value) if flat is None else flat)) for value in values]
    x = [round(192 * index / max(1, len(values) - 1)) for index in range(len(values))]
    path, at = [], (0, 0)
    for index, level in enumerate(y):
        if level is None:
            continue
        if index == 0 or y[index - 1] is None:
            path.append(f"M{x[index]} {level}")
        else:
            path.append(f"l{x[index] - at[0]} {level - at[1]}")
        at = (x[index], level)
    return Markup(  # noqa: S704  numbers, and a text that is escaped
        f'<svg class="spark" viewBox="0 0 200 48" width="100" height="24" role="img" aria-label="{escape(says)}">'
        f'<path d="{"".join(path)}"/><circle cx="{at[0]}" cy="{at[1]}" r="4.4"/></svg>'
    )


BAR_HEIGHTS = {"ok": 5, "breach": 7, "incident": 10, "errored": 10, "missing": 10, "insufficient": 3, "immature": 3,
           "unwatched": 1}  # fmt: skip
"""Of a small strip's bars, in tenths; ``.bars`` of the style sheet says the same as their width as a line."""


def draw_strip_bars(states: Sequence[str], says: str) -> Markup:
    """Return a small strip of days: a bar for each, as high as its state is bad; days of one state are one line."""
    lines: dict[str, list[str]] = {}
    for state, run in groupby(enumerate(states), key=lambda pair: pair[1]):
        indexes = [index for index, _ in run]
        lines.setdefault(state, []).append(f"M{indexes[0]} {px(10 - BAR_HEIGHTS[state] / 2)}h{len(indexes)}")
    paths = "".join(f'<path class="{state}" d="{"".join(found)}"/>' for state, found in lines.items())
    return Markup(  # noqa: S704  numbers and names of states, and a text that is escaped
        f'<svg class="bars" viewBox="0 0 {len(states)} 10" preserveAspectRatio="none" role="img" '
        f'aria-label="{escape(says)}">{paths}</svg>'
    )
