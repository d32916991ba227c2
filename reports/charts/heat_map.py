"""A metric as features by days: a colour for each figure, a mark for each breach."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from markupsafe import Markup, escape

from ledger.records.measurements import Measurement
from reports.charts.svg import DayScale, Plot, Scale, per_cent
from reports.views.measurements import URGENT
from reports.wording import formatting

HEAT_FEATURES = 40
"""Rows of a heat map; the least important features beyond are left to their own pages."""
ROW_PIXELS = 18
COLOUR_STEPS = 5
"""Colours of a heat map, from nothing to too much."""


def draw_heat_map(
    points: Sequence[Measurement], rows: Mapping[str, tuple[str, str]], top: float, span: DayScale | None = None
) -> Markup:
    """Draw a metric as features by days, in the order of ``rows``: feature to its label and the page it leads to.

    Colours reach their end at ``top``, so that one wild day doesn't whiten the rest. A breach also bears a mark, and a
    day without a figure is a gap.
    """
    found: dict[str, list[Measurement]] = {feature: [] for feature in rows}
    for m in points:
        if m.feature in found and m.value is not None:
            found[m.feature].append(m)
    every = [m.day for m in points]
    days = span or DayScale(min(every), max(every))
    names = "".join(_heat_label(label, page) for label, page in rows.values())
    squares = "".join(_heat_row(line, found[feature], days, top) for line, feature in enumerate(rows))
    lines = "".join(
        f'<a href="{escape(page)}" tabindex="-1" aria-label="{escape(label)}" '
        f'data-first="{days.first}" data-days="{days.number}" data-says="{escape(_heat_texts(found[feature], days))}">'
        f'<rect class="hit" width="100%" y="{line * ROW_PIXELS}" height="{ROW_PIXELS}"/>'
        f"{_heat_marks(line, found[feature], days)}</a>"
        for line, (feature, (label, page)) in enumerate(rows.items())
    )
    height = ROW_PIXELS * len(rows)
    plot = Plot(Scale(0, 1), height + 22)
    days.axis(plot)
    return Markup(  # noqa: S704  numbers, and texts that are escaped
        f'<ol class="rows">{names}</ol><svg class="plot heat" height="{height + 22}">'
        f'<svg viewBox="0 0 {days.number} {len(rows)}" preserveAspectRatio="none" width="100%" height="{height}">'
        f"{squares}</svg>{lines}{''.join(plot.above)}</svg>"
    )


def _heat_label(label: str, page: str) -> str:
    name, _, weight = label.partition(" · ")
    share = f' <span class="soft">{escape(weight)}</span>' if weight else ""
    return f'<li><a href="{escape(page)}" title="{escape(label)}">{escape(name)}</a>{share}</li>'


def _heat_row(line: int, found: Sequence[Measurement], days: DayScale, top: float) -> str:
    """Return a row's squares, one path for each of its colours."""
    steps: dict[int, list[str]] = {}
    for m in found:
        step = min(COLOUR_STEPS - 1, max(0, int(COLOUR_STEPS * (m.value or 0) / top)))
        steps.setdefault(step, []).append(f"M{(m.day - days.first).days} {line}h1v1h-1z")
    return "".join(f'<path class="h{step}" d="{"".join(squares)}"/>' for step, squares in sorted(steps.items()))


def _heat_marks(line: int, found: Sequence[Measurement], days: DayScale) -> str:
    return "".join(
        f'<use href="#m-square" class="square-mark" x="{per_cent(days.at(m.day))}" '
        f'y="{line * ROW_PIXELS + ROW_PIXELS // 2}"/>'
        for m in found
        if m.verdict in URGENT
    )


def _heat_texts(found: Sequence[Measurement], days: DayScale) -> str:
    """Return each day's figure, for the script that shows it where a square is pointed at."""
    by_day = {m.day: formatting.format_figure(m.metric, m.value) for m in found}
    return "|".join(by_day.get(date.fromordinal(days.first.toordinal() + i), "") for i in range(days.number))
