"""Groups beside each other: a row for each, with a dot and its interval."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from markupsafe import Markup, escape

from ledger.records.measurements import Measurement, Verdict
from reports.charts.svg import WIDTH, Scale, per_cent
from reports.wording import formatting, naming

GROUP_ROW_PIXELS = 24


def draw_group_figures(
    points: Sequence[Measurement], verdicts: Mapping[str, Verdict], names: Mapping[str, str]
) -> Markup:
    """Draw one fairness metric as a dot and 95 % interval per group; grey and open where there are too few cases.

    ``verdicts`` says for each slice the worst verdict of its difference and ratio; ``names`` how it reads.
    """
    metric = points[0].metric if points else ""
    ends = [end for m in points for end in (m.low, m.value, m.high) if end is not None]
    low, high = min([0.0, *ends]), max([0.0, *ends])
    scale = Scale(low, high + 0.05 * (high - low) if high > low else low + 1.0)
    return draw_dots(points, scale, lambda value: formatting.format_figure(metric, value), verdicts, names)


def draw_dots(
    points: Sequence[Measurement],
    scale: Scale,
    said: Callable[[float], str],
    verdicts: Mapping[str, Verdict],
    names: Mapping[str, str],
) -> Markup:
    """Draw a row for each measurement: its name, a mark, and its interval along x."""
    height = GROUP_ROW_PIXELS * len(points)
    labels = "".join(f'<li title="{escape(names[m.slice])}">{escape(names[m.slice])}</li>' for m in points)
    lines, marks = [], []
    for value in scale.ticks(4):
        x = scale.at(value)
        lines.append(f'<path class="grid" d="M{WIDTH * x:.0f} 0V{height}"/>')
        anchor = "start" if x < 0.05 else "end" if x > 0.95 else "middle"
        marks.append(
            f'<text class="t" x="{per_cent(x)}" y="{height + 15}" text-anchor="{anchor}">{escape(said(value))}</text>'
        )
    for line, m in enumerate(points):
        y = GROUP_ROW_PIXELS * line + GROUP_ROW_PIXELS // 2
        marks.append(_dot_row(m, verdicts.get(m.slice, m.verdict), scale, y, names[m.slice]))
    return Markup(  # noqa: S704  numbers, and texts that are escaped
        f'<ol class="rows tall">{labels}</ol><svg class="plot" height="{height + 22}">'
        f'<svg class="st" viewBox="0 0 {WIDTH} {height}" preserveAspectRatio="none" width="100%" height="{height}">'
        f"{''.join(lines)}</svg>{''.join(marks)}</svg>"
    )


def _dot_row(m: Measurement, verdict: Verdict, scale: Scale, y: int, name: str) -> str:
    if m.value is None:
        return f'<text class="none" x="0" dx="4" y="{y + 4}">○ not enough data</text>'
    whisker = ""
    if m.low is not None and m.high is not None:
        low, high = per_cent(scale.at(m.low)), per_cent(scale.at(m.high))
        whisker = f'<line class="w {verdict}" x1="{low}" x2="{high}" y1="{y}" y2="{y}"/>'
    says = escape(f"{name}: {naming.figure_with_interval(m)}; {naming.VERDICTS[verdict].word}")
    hit = f'<rect class="hit" width="100%" y="{y - GROUP_ROW_PIXELS // 2}" height="{GROUP_ROW_PIXELS}"/>'
    mark = f'<use href="#m-{verdict}" class="{verdict}" x="{per_cent(scale.at(m.value))}" y="{y}"/>'
    return f"<g><title>{says}</title>{hit}{whisker}{mark}</g>"
