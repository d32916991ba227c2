"""A figure draws what was measured: gaps stay gaps, provisional days are shaded, both limits of a ratio are there."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta

from ledger.records import Measurement, Verdict
from reports import figures
from reports.write import as_json

FIRST = date(2026, 4, 1)
POINT = Measurement("m", FIRST, FIRST, "performance", "recall", value=0.8, low=0.7, high=0.9, n=100)


def days(*verdicts: Verdict) -> list[Measurement]:
    return [replace(POINT, day=FIRST + timedelta(days=i), verdict=verdict) for i, verdict in enumerate(verdicts)]


def test_only_the_immature_days_at_the_end_are_shaded() -> None:
    points = days(Verdict.IMMATURE, Verdict.OK, Verdict.IMMATURE, Verdict.IMMATURE)
    (shade,) = figures.over_time(points)["layout"]["shapes"]
    assert (shade["x0"], shade["x1"]) == ("2026-04-02T12:00", "2026-04-04T12:00")


def test_each_verdict_has_its_own_shape_and_every_day_is_drawn_once() -> None:
    traces = figures.over_time(days(*Verdict))["data"]
    assert len({trace["marker"]["symbol"] + trace["marker"]["color"] for trace in traces}) == len(Verdict)
    assert sum(len(trace["x"]) for trace in traces) == len(Verdict)


def test_a_whisker_reaches_from_low_to_high() -> None:
    (trace,) = figures.over_time(days(Verdict.OK))["data"]
    assert trace["error_y"]["array"] == [0.1]
    assert trace["error_y"]["arrayminus"] == [0.1]


def test_a_point_without_an_interval_or_value_is_no_error() -> None:
    points = [replace(POINT, low=None), replace(POINT, day=FIRST + timedelta(days=1), value=None)]
    (trace,) = figures.over_time(points)["data"]
    assert trace["x"] == ["2026-04-01"]


def test_a_ratio_shows_the_limit_on_both_sides_whichever_was_recorded() -> None:
    points = [
        replace(m, metric="recall_ratio", limit=limit)
        for m, limit in zip(days(Verdict.OK, Verdict.OK), (1.25, 0.8), strict=True)
    ]
    line = json.loads(as_json(figures.over_time(points)))["data"][-1]
    assert line["y"] == [1.25, 1.25, None, 0.8, 0.8]


def test_a_day_without_a_figure_is_a_gap_in_the_heat_map_and_a_breach_bears_a_mark() -> None:
    base = replace(POINT, monitor="drift", metric="psi", feature="a", value=0.02)
    points = [base, replace(base, day=FIRST + timedelta(days=1), feature="b", value=0.4, verdict=Verdict.BREACH)]
    heat, marks = figures.heat(points, ["b", "a"], ["b · 20 %", "a"], 0.3)["data"]
    assert heat["z"] == [[None, 0.4], [0.02, None]]
    assert (marks["x"], marks["y"]) == (["2026-04-02"], ["b · 20 %"])


def test_a_group_with_too_few_is_said_in_words_and_an_unfair_one_is_a_triangle() -> None:
    small = replace(POINT, slice="sex=X", value=None, low=None, high=None, verdict=Verdict.INSUFFICIENT)
    unfair = replace(POINT, slice="sex=F")
    names = {"sex=F": "sex=F", "sex=X": "sex=X"}
    verdicts = {"sex=F": Verdict.BREACH, "sex=X": Verdict.INSUFFICIENT}
    figure = figures.groups([unfair, small], verdicts, names)
    assert [trace["marker"]["symbol"] for trace in figure["data"]] == ["triangle-up"]
    assert [(note["y"], note["text"]) for note in figure["layout"]["annotations"]] == [("sex=X", "○ not enough data")]
