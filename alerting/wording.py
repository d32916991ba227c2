"""How figures, days and names from data are put into sentences."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import date

import catalogue
from catalogue import Unit
from catalogue.metrics.arrival import CHECK_MONITOR
from ledger.records.measurements import Measurement

MAX_NAME_CHARACTERS = 80
"""Longer names and values are cut, so that one value can't drown a message."""


def quote_name(name: str) -> str:
    """Return a name or value from data between backticks, on one line, cut, with no backtick of its own."""
    flat = "".join(c if c.isprintable() else " " for c in name).replace("`", "'").strip()
    return f"`{flat if len(flat) <= MAX_NAME_CHARACTERS else flat[: MAX_NAME_CHARACTERS - 1] + '…'}`"


def format_percent(share: float) -> str:
    """Return a share in whole per cent, with three digits where it is small or nearly all: ``31 %``, ``0.312 %``."""
    return f"{100 * share:.0f} %" if 0.0995 <= share < 0.99 else f"{100 * share:.3g} %"


def format_pounds(amount_gbp: float) -> str:
    """Return pounds to two or three digits, as in ``GBP 812``, ``GBP 4.1k``, ``GBP 41k``, ``GBP 1.2m``."""
    sign, size = ("-" if amount_gbp < 0 else ""), abs(amount_gbp)
    for unit, letter in ((1e6, "m"), (1e3, "k")):
        if round(size, -1) >= unit:
            return f"GBP {sign}{size / unit:.{1 if size < 9.95 * unit else 0}f}{letter}"
    return f"GBP {sign}{size:.0f}"


def format_day(day: date) -> str:
    """Return a day as people say it, as in ``Tue 3 Mar``."""
    return f"{day:%a} {day.day} {day:%b}"


def pluralise(count: int, thing: str) -> str:
    """Return a count and its thing, as in ``1 day`` or ``3 days``."""
    return f"{count:,} {thing}{'' if count == 1 else 's'}"


def join_items(items: Sequence[str], most: int = 4) -> str:
    """Return items as a list in a sentence, as in ``a, b and 3 more``."""
    if len(items) > most:
        return f"{', '.join(items[:most])} and {len(items) - most} more"
    return " and ".join([", ".join(items[:-1]), items[-1]]) if len(items) > 1 else "".join(items)


def format_factor(ratio: float) -> str:
    """Return a scale error as a power of ten (``100 times too large``), or as it is where it isn't near one."""
    size = ratio if ratio >= 1 else 1 / ratio
    power = round(math.log10(size))
    near = power >= 1 and abs(math.log10(size) - power) <= 0.15
    return f"{10**power if near else round(size, 1):,} times too {'large' if ratio >= 1 else 'small'}"


def format_minutes(minutes: float) -> str:
    """Return minutes, as hours from an hour and a half on: ``45 minutes``, ``5.0 hours``."""
    return f"{minutes / 60:.1f} hours" if abs(minutes) >= 90 else pluralise(round(minutes), "minute")


def format_value(metric: str, value: float) -> str:
    """Return a figure in the unit that the catalogue gives its metric: ``31 %``, ``2.7 times``, ``GBP 41k a day``."""
    return VALUE_FORMATS.get(catalogue.metric(metric).unit, "{:.3g}".format)(value)


VALUE_FORMATS: dict[Unit, Callable[[float], str]] = {
    Unit.COUNT: "{:,.0f}".format,
    Unit.BYTES: "{:,.0f}".format,
    Unit.SHARE: format_percent,
    Unit.POINTS: lambda value: f"{100 * value:+.2g} points",
    Unit.TIMES: "{:.2g} times".format,
    Unit.MONEY_PER_DAY: lambda value: f"{format_pounds(value)} a day",
    Unit.MINUTES: format_minutes,
    Unit.DAYS: lambda value: pluralise(round(value), "day"),
}
"""How a value of each unit is put into a sentence; numbers without a unit have three digits."""


def describe_figure(m: Measurement) -> str:
    """Return which figure a measurement is, as in ``PSI of `amount_gbp` in `channel=app```."""
    monitor = catalogue.MONITORS.get(m.monitor)
    prefix = f"{monitor.prefix} " if monitor is not None and monitor.prefix else ""
    of = f" of {quote_name(m.feature)}" if m.feature else ""
    within = f" in {quote_name(m.slice)}" if m.slice else ""
    name = prefix + catalogue.metric(m.metric).phrase
    return f"{name if m.monitor == CHECK_MONITOR else name[:1].upper() + name[1:]}{of}{within}"
