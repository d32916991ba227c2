"""How figures and days read: with units, and with no more digits than they deserve."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import date

import catalogue
from catalogue import Unit

SPACE = "\u00a0"
"""Keeps a figure and its unit on one line."""
MINUS = "\u2212"
POUNDS = f"GBP{SPACE}"
LONGEST_REST = 40
"""Characters of a reason's limit that are shown without a fold."""


def format_figure(metric: str, value: float | None) -> str:
    """Return a metric's value with its unit: ``1.2 %``, ``GBP 41k``, ``19,204``, ``0.213``; a dash for none."""
    if value is None or not math.isfinite(value):
        return "–"
    entry = catalogue.metric(metric)
    if entry.digits is not None:
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.{entry.digits}f}"
    return FORMATS.get(entry.unit, _format_by_size)(value)


def is_share_metric(metric: str) -> bool:
    """Return whether a metric is a share of something, shown in per cent."""
    return catalogue.metric(metric).unit is Unit.SHARE


def format_interval(metric: str, low: float | None, high: float | None) -> str:
    """Return a 95 % interval with one unit where both ends share it: ``77 to 85 %``; empty for none, or for a point."""
    if low is None or high is None or not (math.isfinite(low) and math.isfinite(high)):
        return ""
    if low == high:
        return ""  # a count or an age: nothing about it is uncertain
    first, last = format_figure(metric, low), format_figure(metric, high)
    number, _, unit = first.partition(SPACE)
    if first.startswith(POUNDS):
        return f"{first} to {last.removeprefix(POUNDS)}"
    if unit and last.endswith(unit):
        return f"{number} to {last}"
    return f"{first} to {last}"


def format_share(value: float) -> str:
    """Return a share in per cent with two or three digits that mean something."""
    return f"{_format_percent(value * 100)}{SPACE}%"


def _format_percent(percent: float) -> str:
    if percent == 0:
        return "0"
    size = abs(percent)
    if size < 0.01:
        return "<0.01"
    if size < 1:
        return f"{percent:.2f}"
    if 99.95 <= size < 100:
        return ">99.9"
    digits = 1 if size < 10 or 99 <= size < 100 else 0
    return f"{percent:.{digits}f}"


def format_gbp(value: float) -> str:
    """Return an amount in pounds with two or three digits: ``GBP 850``, ``GBP 41k``, ``GBP 1.2m``."""
    size = abs(value)
    sign = MINUS if value < 0 else ""
    for unit, name in ((1e9, "bn"), (1e6, "m"), (1e3, "k")):
        if size >= unit * 0.9995:
            scaled = size / unit
            return f"{sign}GBP{SPACE}{scaled:.1f}{name}" if scaled < 9.95 else f"{sign}GBP{SPACE}{scaled:,.0f}{name}"
    return f"{sign}GBP{SPACE}{size:.0f}"


def _format_minutes(value: float) -> str:
    whole = round(abs(value))
    hours, minutes = divmod(whole, 60)
    text = f"{hours}{SPACE}h {minutes}{SPACE}min" if hours else f"{minutes}{SPACE}min"
    return f"{MINUS}{text}" if value < 0 and whole else text


def _format_points(value: float) -> str:
    return f"{MINUS if value < 0 else '+'}{_format_percent(abs(value) * 100)}{SPACE}points"


def _format_ratio(value: float) -> str:
    return f"{value:.2f}{SPACE}×" if abs(value) < 100 else f"{value:,.0f}{SPACE}×"


def _format_whole(value: float) -> str:
    return f"{value:,.0f}"


def _format_days(value: float) -> str:
    return f"{value:.0f}{SPACE}days"


def _format_by_size(value: float) -> str:
    if abs(value) >= 1000 or value == int(value):
        return _format_whole(value)
    return f"{value:.{3 if abs(value) < 10 else 2}f}"


FORMATS: Mapping[Unit, Callable[[float], str]] = {
    Unit.COUNT: _format_whole,
    Unit.BYTES: _format_whole,
    Unit.SHARE: format_share,
    Unit.POINTS: _format_points,
    Unit.TIMES: _format_ratio,
    Unit.MONEY_PER_DAY: format_gbp,
    Unit.MINUTES: _format_minutes,
    Unit.DAYS: _format_days,
}
"""How a figure reads by its metric's unit; a plain number is shown with as many digits as its size deserves."""


def format_number(value: float) -> str:
    """Return a feature's value, whose unit is in its name, with three digits or all of an integer's."""
    if not math.isfinite(value):
        return "–"
    size = abs(value)
    if size >= 1e15 or 0 < size < 1e-6:
        return f"{value:.3g}".replace("-", MINUS)
    decimals = max(0, 2 - math.floor(math.log10(size))) if size else 0
    text = f"{value:,.{decimals}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return text.replace("-", MINUS)


def shorten(text: str, most: int = 60) -> str:
    """Return a name from the data, cut where it is longer than anybody reads."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def format_count(value: int) -> str:
    """Return a count with thousands separators."""
    return f"{value:,}"


def format_day(value: date) -> str:
    """Return a day as ``Tue 3 Mar 2026``."""
    return f"{value:%a} {value.day} {value:%b %Y}"


def format_short_day(value: date) -> str:
    """Return a day as ``Tue 3 Mar``."""
    return f"{value:%a} {value.day} {value:%b}"


def pluralise(number: int, one: str, many: str = "") -> str:
    """Return ``1 figure`` or ``2 figures``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def format_signed(value: float | None) -> str:
    """Return a difference with its sign, ``+0.031``; empty for none."""
    return "" if value is None or not math.isfinite(value) else f"{value:+.3f}".replace("-", MINUS)


def fold_reason(reason: str) -> tuple[str, str]:
    """Return a reason's figure with what is normal, and the rest, which stands behind a fold; '' where it is short.

    ``31 % null; baseline 0.3 %; limit 1.3 % (at least 1 % more ...)`` is cut before its limit, others after their
    first sentence.
    """
    ends = [end for end in (reason.find("; limit "), reason.find(". ") + 1) if end > 0]
    cut = min(ends, default=len(reason))
    rest = reason[cut:].lstrip("; ")
    return (reason[:cut], capitalise(rest)) if len(rest) > LONGEST_REST else (reason, "")


def capitalise(text: str) -> str:
    """Return a text with a capital at its start."""
    return text[:1].upper() + text[1:]
