"""Charts as inline SVG that a browser stretches by itself: no script, no colours of their own, sharp text at any width.

Along x everything is in per cent of the plot, up and down in pixels; lines and areas stand in a nested drawing that is
stretched without its strokes. Colours and light or dark are the style sheet's, by class.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from markupsafe import Markup, escape

TOP, BOTTOM = 16, 22
"""Pixels above and below the plot's own area: for notes, and for the ticks of x."""
WIDTH = 1000
"""What the stretched part takes the plot's width to be."""
Point = tuple[float, float]


@dataclass(frozen=True)
class Scale:
    """Maps values to the plot: ``low .. high`` to 0 .. 1."""

    low: float
    high: float

    def at(self, value: float) -> float:
        """Return where a value lies, from 0 to 1; what is beyond lies on the edge."""
        spread = self.high - self.low
        return min(1.0, max(0.0, (value - self.low) / spread)) if spread else 0.5

    def ticks(self, most: int = 5) -> list[float]:
        """Return round values on the scale, at most ``most`` + 1, 1, 2 or 5 times a power of ten apart."""
        spread = self.high - self.low
        if not spread > 0:
            return [self.low]
        size = 10 ** math.floor(math.log10(spread / most))
        step = next(size * times for times in (1, 2, 5, 10) if spread / (size * times) <= most)
        first = math.ceil(self.low / step - 1e-9)
        return [round(i * step, 12) for i in range(first, math.floor(self.high / step + 1e-9) + 1)]


@dataclass
class Plot:
    """One chart under construction: ``height`` pixels high in all, with y from ``y.low`` below to ``y.high`` above."""

    y: Scale
    height: int = 190
    below: list[str] = field(default_factory=list)
    """Grid, areas and lines, in the stretched drawing."""
    above: list[str] = field(default_factory=list)
    """Marks and texts, whose shape stays."""
    labels: list[str] = field(default_factory=list)
    """Texts left of the plot."""

    def up(self, value: float) -> float:
        """Return the pixels from the top at which a value of y lies."""
        return TOP + (1 - self.y.at(value)) * (self.height - TOP - BOTTOM)

    def grid(self, said: Callable[[float], str], ticks: Sequence[float] | None = None) -> None:
        """Draw a line at each round value, with its text at the left."""
        for value in self.y.ticks() if ticks is None else ticks:
            at = self.up(value)
            self.below.append(f'<path class="grid" d="M0 {px(at)}H{WIDTH}"/>')
            self.labels.append(f'<text x="100%" dx="-6" y="{px(at + 4)}">{escape(said(value))}</text>')

    def line(self, points: Iterable[Point], kind: str) -> None:
        """Draw a line through (x from 0 to 1, value of y) points."""
        path = " ".join(f"{px(x * WIDTH)},{px(self.up(y))}" for x, y in points)
        if path:
            self.below.append(f'<polyline class="{kind}" points="{path}"/>')

    def area(self, points: Sequence[tuple[float, float, float]], kind: str) -> None:
        """Fill what lies between two values of y: points are (x, low, high)."""
        upper = [f"{px(x * WIDTH)},{px(self.up(high))}" for x, _, high in points]
        lower = [f"{px(x * WIDTH)},{px(self.up(low))}" for x, low, _ in reversed(points)]
        if points:
            self.below.append(f'<polygon class="{kind}" points="{" ".join([*upper, *lower])}"/>')

    def box(self, x: float, width: float, low: float, high: float, kind: str) -> None:
        """Fill a box from x on, between two values of y."""
        top, bottom = self.up(high), self.up(low)
        self.below.append(
            f'<rect class="{kind}" x="{px(x * WIDTH)}" width="{px(width * WIDTH)}" y="{px(top)}" '
            f'height="{px(max(bottom - top, 0.5))}"/>'
        )

    def shade(self, start: float, end: float) -> None:
        """Shade the plot from x to x, from top to bottom."""
        self.below.insert(
            0,
            f'<rect class="shade" x="{px(start * WIDTH)}" width="{px((end - start) * WIDTH)}" y="{TOP}" '
            f'height="{self.height - TOP - BOTTOM}"/>',
        )

    def upright(self, x: float, kind: str) -> None:
        """Draw an upright line."""
        self.below.append(f'<path class="{kind}" d="M{px(x * WIDTH)} {TOP}V{self.height - BOTTOM}"/>')

    def mark(self, x: float, y: float, kind: str) -> None:
        """Put the mark of a verdict at a point; its shape is defined once in the page."""
        self.above.append(f'<use href="#m-{kind}" class="{kind}" x="{per_cent(x)}" y="{px(self.up(y))}"/>')

    def whisker(self, x: float, low: float, high: float) -> None:
        """Draw an interval of y."""
        self.above.append(f'<line class="w" {_upright_x(x)} y1="{px(self.up(low))}" y2="{px(self.up(high))}"/>')

    def text(self, x: float, pixels: float, said: str, kind: str = "", anchor: str = "middle") -> None:
        """Write a text at a height in pixels."""
        of = f' class="{kind}"' if kind else ""
        self.above.append(f'<text{of} x="{per_cent(x)}" y="{px(pixels)}" text-anchor="{anchor}">{escape(said)}</text>')

    def column(self, x: float, width: float, says: str, inner: str, link: str = "") -> None:
        """Add what stands at one place of x, with what it says when it is pointed at, and where it leads."""
        place = f'x="{per_cent(x - width / 2)}" width="{per_cent(width)}" y="0" height="{self.height - BOTTOM}"'
        hit = f'<rect class="hit" {place}/>'
        body = f"<title>{escape(says)}</title>{hit}{inner}"
        self.above.append(f'<a href="{escape(link)}" tabindex="-1">{body}</a>' if link else f"<g>{body}</g>")

    def take_back(self, start: int) -> str:
        """Take back what was put above since a length of ``above``, to stand inside a column."""
        inner = "".join(self.above[start:])
        del self.above[start:]
        return inner

    def markup(self) -> Markup:
        """Return the chart: a narrow drawing of labels, and the plot that takes the rest of the width."""
        h = self.height
        labels = f'<svg class="ys" height="{h}" aria-hidden="true">{"".join(self.labels)}</svg>' if self.labels else ""
        below = (
            f'<svg class="st" viewBox="0 0 {WIDTH} {h}" preserveAspectRatio="none" width="100%" height="{h}">'
            f"{''.join(self.below)}</svg>"
        )
        return Markup(f'{labels}<svg class="plot" height="{h}">{below}{"".join(self.above)}</svg>')  # noqa: S704  escaped


@dataclass(frozen=True)
class DayScale:
    """A scale of days: each has its own place between 0 and 1."""

    first: date
    last: date

    @property
    def number(self) -> int:
        """Return how many days it has."""
        return (self.last - self.first).days + 1

    @property
    def width(self) -> float:
        """Return a day's part of the plot."""
        return 1 / self.number

    def at(self, day: date) -> float:
        """Return the middle of a day's place."""
        return ((day - self.first).days + 0.5) / self.number

    def ticks(self, most: int = 7) -> list[date]:
        """Return days at equal distance, whole weeks where there are many, the last day among them."""
        step = max(1, math.ceil(self.number / most))
        step = step if step < 5 else 7 * math.ceil(step / 7)
        return [self.last - timedelta(days=back) for back in range(0, self.number, step)][::-1]

    def axis(self, plot: Plot) -> None:
        """Write the ticks below a plot; narrow screens leave out every other one."""
        ticks = self.ticks()
        for index, day in enumerate(reversed(ticks)):
            x = self.at(day)
            anchor = "end" if x > 0.94 else "start" if x < 0.06 else "middle"
            where = 1.0 if anchor == "end" else 0.0 if anchor == "start" else x
            plot.text(where, plot.height - 6, f"{day.day} {day:%b}", "t odd" if index % 2 else "t", anchor)


def per_cent(x: float) -> str:
    """Return a part of the width in per cent."""
    return f"{100 * x:.2f}".rstrip("0").rstrip(".") + "%"


def px(value: float) -> str:
    """Return a number of pixels with one decimal at most."""
    return f"{value:.1f}".removesuffix(".0")


def _upright_x(x: float) -> str:
    return f'x1="{per_cent(x)}" x2="{per_cent(x)}"'
