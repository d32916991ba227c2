"""A metric over days: marks with their intervals, its limit, what is provisional and what is estimated."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from markupsafe import Markup

import catalogue
from catalogue import Effect, Unit
from catalogue.metrics.arrival import ARRIVAL_MONITOR
from ledger.records.measurements import Measurement, Verdict
from reports.charts.svg import DayScale, Plot, Scale
from reports.wording import formatting, naming


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
            _draw_day(plot, days, m, "nowcast", f"estimated to come to {naming.figure_with_interval(m)}", "")
    for m in shown:
        _draw_day(
            plot, days, m, m.verdict.value, f"{naming.figure_with_interval(m)}; {naming.VERDICTS[m.verdict].word}", link
        )
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
