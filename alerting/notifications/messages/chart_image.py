"""A figure over days as a PNG, to be read on a phone: light, few words, what is over the limit in red."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date
from io import BytesIO
from typing import TYPE_CHECKING

from alerting.wording import format_day
from ledger.records.messages import Chart

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont

WIDTH, HEIGHT = 1080, 640
LEFT, RIGHT, BOTTOM = 150, 40, 70
"""Pixels around the plot. A phone shows a third of them, so that no letter is lower than 30."""
TITLE_PIXELS, TEXT_PIXELS = 42, 32
"""Heights of letters in pixels."""
PAPER, INK, FAINT, LINE, RED = "#ffffff", "#1c2430", "#c9ced6", "#2b5c8a", "#c02626"
MOST_TICKS = 5
MARGIN_SHARE = 0.08
"""Share of the spread of values that stays free above and below."""


def render_chart_png(chart: Chart) -> bytes:
    """Return the picture as a PNG; the same picture gives the same bytes."""
    from PIL import Image, ImageDraw, ImageFont  # noqa: PLC0415

    image = Image.new("RGB", (WIDTH, HEIGHT), PAPER)
    draw = ImageDraw.Draw(image)
    large, small = ImageFont.load_default(TITLE_PIXELS), ImageFont.load_default(TEXT_PIXELS)
    assert isinstance(large, ImageFont.FreeTypeFont)
    assert isinstance(small, ImageFont.FreeTypeFont)
    top = _draw_heading(draw, chart, large, small)
    _Plot(draw, chart, small, top).draw()
    held = BytesIO()
    image.save(held, "PNG", optimize=True)
    return held.getvalue()


def _draw_heading(draw: ImageDraw, chart: Chart, large: FreeTypeFont, small: FreeTypeFont) -> int:
    """Write what the figure is and what it says; return the pixel from which on the plot may begin."""
    at = 24
    for text, font, colour, most in ((chart.title, large, INK, 2), (chart.says, small, "#4a5462", 2)):
        for line in _wrap_text(draw, text, font)[:most]:
            draw.text((36, at), line, fill=colour, font=font)
            at += int(font.size * 1.25)
        at += 6
    return at + 30


def _wrap_text(draw: ImageDraw, text: str, font: FreeTypeFont) -> list[str]:
    """Return a text in lines that fit, broken between words, a word that is too long within itself."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if draw.textlength(longer, font) <= WIDTH - 72:
            lines[-1] = longer
            continue
        lines.append("")
        for letter in word:
            if draw.textlength(lines[-1] + letter, font) > WIDTH - 72:
                lines.append("")
            lines[-1] += letter
    return [line for line in lines if line]


class _Plot:
    def __init__(self, draw: ImageDraw, chart: Chart, font: FreeTypeFont, top: int) -> None:
        self.canvas, self.chart, self.font, self.top = draw, chart, font, top
        self.first, self.last = chart.points[0].day, chart.points[-1].day
        self.low, self.high = _value_range(chart)

    def draw(self) -> None:
        """Draw the grid, where the incident begins, the limit, then the figure over them."""
        for tick in _round_ticks(self.low, self.high):
            self.canvas.line([(LEFT, self.y(tick)), (WIDTH - RIGHT, self.y(tick))], FAINT, 2)
            self._text((LEFT - 14, self.y(tick)), f"{tick:,.10g}{self.chart.unit}", "rm", INK)
        self._days()
        self._limit()
        points = self.chart.points
        self.canvas.line([(self.x(p.day), self.y(p.value)) for p in points], LINE, 5, joint="curve")
        for p in points:
            size = 11 if p.bad else 5
            at = (self.x(p.day), self.y(p.value))
            self.canvas.ellipse([at[0] - size, at[1] - size, at[0] + size, at[1] + size], RED if p.bad else LINE)

    def x(self, day: date) -> float:
        """Return the pixel from the left of a day."""
        span = max(1, (self.last - self.first).days)
        return LEFT + 20 + (day - self.first).days / span * (WIDTH - RIGHT - LEFT - 40)

    def y(self, value: float) -> float:
        """Return the pixel from the top of a value."""
        return self.top + (self.high - value) / (self.high - self.low) * (HEIGHT - BOTTOM - self.top)

    def _days(self) -> None:
        """Mark the day on which the incident began, and name it, the first and the last where there is room."""
        since = self.chart.since
        at = self.x(since)
        self.canvas.line([(at, self.top - 8), (at, HEIGHT - BOTTOM)], RED, 3)
        below = HEIGHT - BOTTOM + 14
        near_end = at > WIDTH - 330
        self._text((at, below), f"since {format_day(since)}", "ra" if near_end else "ma", RED)
        if at > LEFT + 360:
            self._text((LEFT, below), format_day(self.first), "la", INK)
        if at < WIDTH - 480:
            self._text((WIDTH - RIGHT, below), format_day(self.last), "ra", INK)

    def _limit(self) -> None:
        limits = [(self.x(p.day), self.y(p.limit)) for p in self.chart.points if p.limit is not None]
        if limits:
            self.canvas.line(limits, RED, 3)
            self._text((LEFT + 8, limits[0][1] - 8), "limit", "ls", RED)

    def _text(self, at: tuple[float, float], text: str, anchor: str, colour: str) -> None:
        self.canvas.text(at, text, fill=colour, font=self.font, anchor=anchor)


def _value_range(chart: Chart) -> tuple[float, float]:
    """Return the least and the greatest value shown, limits and, for shares and counts, nothing below 0."""
    values = [value for p in chart.points for value in (p.value, p.limit) if value is not None]
    low, high = min(values), max(values)
    spread = (high - low) or abs(high) or 1.0
    return (
        max(0.0, low - MARGIN_SHARE * spread) if low >= 0 else low - MARGIN_SHARE * spread
    ), high + MARGIN_SHARE * spread


def _round_ticks(low: float, high: float) -> Sequence[float]:
    """Return round values from low to high, at most ``MOST_TICKS`` + 1, 1, 2 or 5 times a power of ten apart."""
    size = 10 ** math.floor(math.log10((high - low) / MOST_TICKS))
    step = next(size * times for times in (1, 2, 5, 10) if (high - low) / (size * times) <= MOST_TICKS)
    return [round(i * step, 12) for i in range(math.ceil(low / step), math.floor(high / step) + 1)]
