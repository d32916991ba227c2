"""A model's figures as charts: what was measured over days, features by days, groups beside each other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date

from markupsafe import Markup, escape

import catalogue
from catalogue import Effect, Unit
from catalogue.arrival import ARRIVAL_MONITOR
from ledger.records.measurements import Measurement, Verdict
from reports.charts.svg import WIDTH, DayScale, Plot, Scale, per_cent
from reports.views.measurements import URGENT
from reports.wording import formatting, naming

HEAT_FEATURES = 40
"""Rows of a heat map; the least important features beyond are left to their own pages."""
ROW_PIXELS = 18
"""Pixels of a row of a heat map; of a group it is ``GROUP_ROW_PIXELS``."""
GROUP_ROW_PIXELS = 24
COLOUR_STEPS = 5
"""Colours of a heat map, from nothing to too much."""


def draw_over_time(
    points: Sequence[Measurement],
    *,
    since: date | None = None,
    link: str = "",
    height: int = 190,
    nowcast: Sequence[Measurement] = (),
    estimate: Sequence[Measurement] = (),
    span: DayScale | None = None,
) -> Markup:
    """Draw one metric over days: a mark and 95 % interval each, shaped and coloured by verdict, with its limit.

    Days that are immature at the end are shaded as provisional; ``nowcast`` is what they will come to, ``estimate``
    what the scores alone say, dashed. ``since`` draws a line where an incident began; ``link`` ends in the folder of
    day pages.
    """
    shown = [m for m in points if m.value is not None]
    metric = points[0].metric if points else ""
    days = span or DayScale(min(m.day for m in points), max(m.day for m in points))
    limits = _limit_lines(points, metric)
    plot = Plot(_value_scale([*shown, *nowcast, *estimate], [value for line in limits for _, value in line]), height)
    plot.grid(lambda value: formatting.format_figure(metric, value))
    days.axis(plot)
    _shade_provisional_days(plot, days, points)
    _draw_dashed(plot, days, estimate, "est")
    for line in limits:
        plot.line([(days.at(day), value) for day, value in line], "limit")
    for m in nowcast:
        if m.value is not None:
            _draw_day(plot, days, m, "nowcast", f"estimated to come to {_describe_figure(m)}", "")
    for m in shown:
        _draw_day(plot, days, m, m.verdict.value, f"{_describe_figure(m)}; {naming.VERDICTS[m.verdict].word}", link)
    if since is not None and days.first <= since <= days.last:
        x = days.at(since)
        plot.upright(x, "since")
        plot.text(x, 11, "since", "note", "end" if x > 0.7 else "start")
    return plot.markup()


def _draw_day(plot: Plot, days: DayScale, m: Measurement, kind: str, says: str, link: str) -> None:
    x, start = days.at(m.day), len(plot.above)
    if m.low is not None and m.high is not None:
        plot.whisker(x, m.low, m.high)
    plot.mark(x, m.value or 0.0, kind)
    inner = plot.take_back(start)
    plot.column(
        x, days.width, f"{formatting.format_short_day(m.day)}: {says}", inner, f"{link}{m.day}.html" if link else ""
    )


def _describe_figure(m: Measurement) -> str:
    between = formatting.format_interval(m.metric, m.low, m.high)
    return formatting.format_figure(m.metric, m.value) + (f" ({between})" if between else "") + f", n {m.n:,}"


def _limit_lines(points: Sequence[Measurement], metric: str) -> list[list[tuple[date, float]]]:
    """Return the line of limits; both sides of a ratio's, whichever was recorded."""
    line = [(m.day, m.limit) for m in points if m.limit is not None and m.monitor != ARRIVAL_MONITOR]
    if not line:
        return []
    if not _is_limited_both_ways(metric):
        return [line]
    far = [(day, max(limit, 1 / limit)) for day, limit in line if limit > 0]
    return [far, [(day, 1 / limit) for day, limit in far]]


def _is_limited_both_ways(metric: str) -> bool:
    """Return whether a metric is a factor, whose limit of 5 is also one of one fifth."""
    entry = catalogue.metric(metric)
    return entry.unit is Unit.TIMES and entry.effect in (Effect.FACTOR, Effect.NONE)


def _shade_provisional_days(plot: Plot, days: DayScale, points: Sequence[Measurement]) -> None:
    settled = max((m.day for m in points if m.verdict is Verdict.OK), default=date.min)
    young = [m.day for m in points if m.verdict is Verdict.IMMATURE and m.day > settled]
    if young:
        plot.shade(days.at(min(young)) - days.width / 2, days.at(max(young)) + days.width / 2)
        plot.text(1, 11, "provisional", "note", "end")


def _draw_dashed(plot: Plot, days: DayScale, found: Sequence[Measurement], kind: str) -> None:
    """Draw figures as a dashed line with its interval as an area; a day without one is a gap."""
    runs: list[list[Measurement]] = []
    for m in sorted((m for m in found if m.value is not None), key=lambda m: m.day):
        if runs and (m.day - runs[-1][-1].day).days == 1:
            runs[-1].append(m)
        else:
            runs.append([m])
    for run in runs:
        ends = [(days.at(m.day), m.low, m.high) for m in run if m.low is not None and m.high is not None]
        plot.area([(x, low, high) for x, low, high in ends], f"{kind}-area")
        plot.line([(days.at(m.day), m.value) for m in run if m.value is not None], kind)


def _value_scale(points: Sequence[Measurement], limits: Sequence[float]) -> Scale:
    """Return a range that holds every figure, the interval of each mature one, and at least a quarter of the height.

    So a steady figure doesn't look wild, and a figure far above zero doesn't lie flat. What reaches beyond is cut.
    """
    settled = [m for m in points if m.verdict not in (Verdict.IMMATURE, Verdict.INSUFFICIENT)]
    ends = [end for m in settled or points for end in (m.low, m.high) if end is not None]
    ends += [m.value for m in points if m.value is not None] + list(limits)
    if not ends:
        return Scale(0, 1)
    low, high = min(ends), max(ends)
    if low < 0:
        return Scale(low - 0.06 * (high - low), high + 0.06 * (high - low) or 1.0)
    low = max(0.0, min(low - 0.1 * (high - low), 0.75 * high))
    return Scale(low if low > 0.3 * high else 0.0, high + 0.06 * (high - low) or 1.0)


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


def draw_group_figures(
    points: Sequence[Measurement], verdicts: Mapping[str, Verdict], names: Mapping[str, str]
) -> Markup:
    """Draw one fairness metric as a dot and 95 % interval per group; grey and open where too few tell anything.

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
    says = escape(f"{name}: {_describe_figure(m)}; {naming.VERDICTS[verdict].word}")
    hit = f'<rect class="hit" width="100%" y="{y - GROUP_ROW_PIXELS // 2}" height="{GROUP_ROW_PIXELS}"/>'
    mark = f'<use href="#m-{verdict}" class="{verdict}" x="{per_cent(scale.at(m.value))}" y="{y}"/>'
    return f"<g><title>{says}</title>{hit}{whisker}{mark}</g>"
