"""A figure draws what was measured: gaps stay gaps, provisional days are shaded, both limits of a ratio are there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from xml.etree import ElementTree as ET

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from markupsafe import Markup

from ledger.records.measurements import Measurement, Verdict
from reports.charts import group_dots, heat_map, over_time
from reports.charts.small import BAR_HEIGHTS, draw_sparkline, draw_strip_bars
from reports.charts.svg import BOTTOM, TOP, DayScale, Plot, Scale
from reports.wording import states

FIRST = date(2026, 4, 1)
POINT = Measurement("m", FIRST, FIRST, "performance", "recall", value=0.8, low=0.7, high=0.9, n=100)


def days(*verdicts: Verdict) -> list[Measurement]:
    return [replace(POINT, day=FIRST + timedelta(days=i), verdict=verdict) for i, verdict in enumerate(verdicts)]


def parts(figure: Markup, tag: str) -> Iterator[dict[str, str]]:
    root = ET.fromstring(f"<div>{figure}</div>")
    return (dict(part.attrib) for part in root.iter(tag))


def of_kind(figure: Markup, tag: str, kind: str) -> list[dict[str, str]]:
    return [part for part in parts(figure, tag) if part.get("class") == kind]


def test_only_the_immature_days_at_the_end_are_shaded() -> None:
    figure = over_time.draw_over_time(days(Verdict.IMMATURE, Verdict.OK, Verdict.IMMATURE, Verdict.IMMATURE))
    (shade,) = of_kind(figure, "rect", "shade")
    assert (shade["x"], shade["width"]) == ("500", "500")


def test_each_verdict_has_its_own_mark_and_every_day_is_drawn_once() -> None:
    marks = list(parts(over_time.draw_over_time(days(*Verdict)), "use"))
    assert [mark["href"] for mark in marks] == [f"#m-{verdict}" for verdict in Verdict]
    assert len({mark["x"] for mark in marks}) == len(Verdict)


def test_a_whisker_reaches_from_low_to_high() -> None:
    figure = over_time.draw_over_time(days(Verdict.OK))
    (whisker,), (mark,) = of_kind(figure, "line", "w"), parts(figure, "use")
    assert float(whisker["y2"]) < float(mark["y"]) < float(whisker["y1"])
    assert float(mark["y"]) - float(whisker["y2"]) == pytest.approx(float(whisker["y1"]) - float(mark["y"]), abs=0.2)


def test_a_point_without_an_interval_or_value_is_no_error() -> None:
    points = [replace(POINT, low=None), replace(POINT, day=FIRST + timedelta(days=1), value=None)]
    figure = over_time.draw_over_time(points)
    assert len(list(parts(figure, "use"))) == 1
    assert of_kind(figure, "line", "w") == []


def test_a_ratio_shows_the_limit_on_both_sides_whichever_was_recorded() -> None:
    points = [
        replace(m, metric="recall_ratio", limit=limit)
        for m, limit in zip(days(Verdict.OK, Verdict.OK), (1.25, 0.8), strict=True)
    ]
    lines = of_kind(over_time.draw_over_time(points), "polyline", "limit")
    heights = [[pair.split(",")[1] for pair in line["points"].split()] for line in lines]
    assert len(heights) == 2
    assert all(len(set(line)) == 1 for line in heights)
    assert heights[0][0] != heights[1][0]


def test_an_estimate_is_a_dashed_line_with_gaps_where_there_is_none() -> None:
    seen = days(*[Verdict.OK] * 6)
    estimate = [replace(m, monitor="estimate", value=0.5) for m in seen if m.day.day != 3]
    figure = over_time.draw_over_time(seen, estimate=estimate)
    assert [len(line["points"].split()) for line in of_kind(figure, "polyline", "est")] == [2, 3]


def test_every_point_says_in_words_what_it_is_and_leads_to_its_day() -> None:
    figure = over_time.draw_over_time(days(Verdict.BREACH), link="days/")
    assert "<title>Wed 1 Apr: 80\u00a0% (70 to 90\u00a0%), n 100; over its limit</title>" in figure
    assert [link["href"] for link in parts(figure, "a")] == ["days/2026-04-01.html"]


def test_a_day_without_a_figure_is_a_gap_in_the_heat_map_and_a_breach_bears_a_mark() -> None:
    base = replace(POINT, monitor="drift", metric="psi", feature="a", value=0.02)
    points = [base, replace(base, day=FIRST + timedelta(days=1), feature="b", value=0.4, verdict=Verdict.BREACH)]
    figure = heat_map.draw_heat_map(points, {"b": ("b · 20 %", "b.html"), "a": ("a", "a.html")}, 0.3)
    assert [(p["class"], p["d"]) for p in parts(figure, "path") if p["class"].startswith("h")] == [
        ("h4", "M1 0h1v1h-1z"),
        ("h0", "M0 1h1v1h-1z"),
    ]
    (mark,) = of_kind(figure, "use", "square-mark")
    assert (mark["x"], mark["y"]) == ("75%", str(heat_map.ROW_PIXELS // 2))
    assert [link["data-says"] for link in parts(figure, "a") if "data-says" in link] == ["|0.400", "0.020|"]


def test_a_group_with_too_few_is_said_in_words_and_an_unfair_one_is_a_triangle() -> None:
    small = replace(POINT, slice="sex=X", value=None, low=None, high=None, verdict=Verdict.INSUFFICIENT)
    unfair = replace(POINT, slice="sex=F")
    names = {"sex=F": "sex=F", "sex=X": "sex=X"}
    figure = group_dots.draw_group_figures(
        [unfair, small], {"sex=F": Verdict.BREACH, "sex=X": Verdict.INSUFFICIENT}, names
    )
    assert [mark["href"] for mark in parts(figure, "use")] == ["#m-breach"]
    assert figure.count("not enough data") == 1


@settings(deadline=None)
@given(st.floats(-1e9, 1e9), st.floats(1e-6, 1e9), st.floats(-2e9, 2e9))
def test_whatever_the_scale_a_value_is_drawn_inside_the_plot_and_ticks_are_round(
    low: float, spread: float, value: float
) -> None:
    assume(spread > 1e-6 * abs(low))  # else doubles are coarser than the ticks
    plot = Plot(Scale(low, low + spread), height=190)
    assert TOP - 1e-6 <= plot.up(value) <= 190 - BOTTOM + 1e-6
    ticks = plot.y.ticks()
    assert len(ticks) <= 7
    assert all(low - 0.01 * spread <= tick <= low + 1.01 * spread for tick in ticks)


@settings(deadline=None)
@given(st.integers(1, 400))
def test_an_axis_of_days_ends_on_its_last_day_and_is_never_crowded(number: int) -> None:
    span = DayScale(FIRST, FIRST + timedelta(days=number - 1))
    ticks = span.ticks()
    assert ticks[-1] == span.last
    assert 1 <= len(ticks) <= 7
    assert span.first <= ticks[0]


def test_a_small_line_keeps_its_gaps_and_ends_in_a_dot() -> None:
    drawn = str(draw_sparkline([1.0, 2.0, None, 3.0], "Recall"))
    assert len(re.findall("M", drawn)) == 2
    assert 'd="M0 44l64 -20M192 4"' in drawn
    assert 'cx="192" cy="4"' in drawn
    assert draw_sparkline([None, 1.0], "Recall") == ""


def test_days_of_one_state_in_a_row_are_one_line_of_bars() -> None:
    drawn = str(draw_strip_bars(["ok", "ok", "incident", "ok", "unwatched"], 'Last "5" days'))
    assert re.findall(r'class="(\w+)" d="([^"]+)"', drawn) == [
        ("ok", "M0 7.5h2M3 7.5h1"), ("incident", "M2 5h1"), ("unwatched", "M4 9.5h1"),
    ]  # fmt: skip
    assert "Last &#34;5&#34; days" in drawn
    assert set(BAR_HEIGHTS) == set(states.STATE_TITLES)
