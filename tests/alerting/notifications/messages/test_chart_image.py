from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerting.notifications.messages.chart_image import HEIGHT, PAPER, RED, WIDTH, render_chart_png
from ledger.records.messages import Chart, ChartPoint

FIRST = date(2026, 1, 3)
VALUES = [0.2] * 57 + [31.0] * 3
POINTS = tuple(ChartPoint(FIRST + timedelta(days=i), value, 0.8, bad=value > 0.8) for i, value in enumerate(VALUES))
NULLS = Chart("Nulls: device_age_days (%)", "31 % on Tue 3 Mar.", " %", POINTS, POINTS[57].day)


def colours(content: bytes) -> dict[tuple[int, int, int], int]:
    """Return how many pixels have each colour; fail where it isn't a picture of the size for a phone."""
    from PIL import Image

    with Image.open(BytesIO(content)) as image:
        assert (image.format, image.size) == ("PNG", (WIDTH, HEIGHT))
        return {colour: count for count, colour in image.getcolors(100_000)}


def rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:], 16)


def test_a_picture_is_light_small_and_the_same_each_time() -> None:
    content = render_chart_png(NULLS)
    assert content == render_chart_png(NULLS)
    assert len(content) < 60_000
    assert colours(content)[rgb(PAPER)] > 0.8 * WIDTH * HEIGHT


def test_days_over_the_limit_are_red() -> None:
    fine = replace(NULLS, points=tuple(replace(p, bad=False) for p in POINTS))
    assert colours(render_chart_png(NULLS))[rgb(RED)] > colours(render_chart_png(fine))[rgb(RED)] + 300


@pytest.mark.parametrize("text", ["", "x" * 500, "word " * 200, "<!channel> \x00 \u202e 火"])
def test_any_text_is_drawn_within_the_picture(text: str) -> None:
    assert colours(render_chart_png(replace(NULLS, title=text, says=text)))


@settings(max_examples=25, deadline=None)
@given(st.lists(st.floats(-1e12, 1e12), min_size=1, max_size=20), st.floats(-1e6, 1e6) | st.none())
def test_any_values_are_drawn(values: list[float], limit: float | None) -> None:
    points = tuple(ChartPoint(FIRST + timedelta(days=i), value, limit) for i, value in enumerate(values))
    assert colours(render_chart_png(replace(NULLS, points=points, since=FIRST)))
