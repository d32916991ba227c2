"""The registers of metrics, monitors and causes: how an entry is added, and how one is found by its key."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from string import Formatter
from types import MappingProxyType
from typing import Any, TypeVar

from catalogue.cause_entry import STEP_FIELDS, SUMMARY_FIELDS, Cause
from catalogue.entries import CatalogueError, Derived, Evidence, Limit, Metric, Monitor, Quality, Unit

EXPECTATION = "expect_"
"""How the keys of Great Expectations' expectations begin."""
ROW_BY_ROW = (
    "expect_column_values_", "expect_column_pair_values_", "expect_compound_columns_", "expect_multicolumn_",
    "expect_select_column_values_",
)  # fmt: skip
"""Expectations of single rows, whose figure is the share of rows that break them."""
UNIT_BY_ENDING = {
    "_difference": Unit.POINTS,
    "_ratio": Unit.TIMES,
    "_gbp_per_day": Unit.MONEY_PER_DAY,
    "_minutes": Unit.MINUTES,
}
"""The unit of a metric that the catalogue doesn't know, such as a bank's own, by the end of its name."""

UNKNOWN = 10_000
"""The place, after all others, of a cause that the catalogue doesn't know."""

_metrics: dict[str, Metric] = {}
_derived: dict[str, Derived] = {}
_monitors: dict[str, Monitor] = {}
_causes: dict[str, Cause] = {}

METRICS: Mapping[str, Metric] = MappingProxyType(_metrics)
"""Metrics by key, in the order in which tables and pages list them."""
DERIVED: Mapping[str, Derived] = MappingProxyType(_derived)
"""Families of derived metrics by the beginning or end of their keys."""
MONITORS: Mapping[str, Monitor] = MappingProxyType(_monitors)
CAUSES: Mapping[str, Cause] = MappingProxyType(_causes)

_Entry = TypeVar("_Entry", Metric, Derived, Monitor, Cause)


def add_metric(entry: Metric) -> str:
    """Add a metric to the register and to the monitors that measure it, and return its key.

    Raises CatalogueError where the key has another entry already, the entry contradicts itself, or no monitor that
    there is measures it.
    """
    if (entry.evidence is Evidence.HARD) != (entry.fault is not None):
        raise CatalogueError(f"metric {entry.key}: hard evidence, and only that, has a fault to word")
    unlearned, learned = entry.minimum_effect_unlearned, entry.minimum_effect
    if unlearned is not None and (learned is None or unlearned < learned):
        raise CatalogueError(f"metric {entry.key}: its minimum effect size can't be smaller before anything is learned")
    of_columns = {m.key for m in _monitors.values() if set(m.column_kinds) & set(entry.columns)}
    computing = _known_monitors(f"metric {entry.key}", (*of_columns, *entry.monitors))
    key = _added(_metrics, "metric", entry)
    for each in computing:
        if key not in each.metrics:
            _monitors[each.key] = replace(each, metrics=(*each.metrics, key))
    return key


def add_derived(entry: Derived) -> str:
    """Add a family of derived metrics and return what their keys have in common; raises as ``add_metric``."""
    if not entry.key:
        raise CatalogueError(f"derived metric {entry.name}: its key needs a beginning or an ending")
    deriving = _known_monitors(f"derived metric {entry.key}", entry.monitors)
    key = _added(_derived, "derived metric", entry)
    for each in deriving:
        if key not in each.derived:
            _monitors[each.key] = replace(each, derived=(*each.derived, key))
    return key


def add_monitor(entry: Monitor) -> str:
    """Add a monitor and return its key; the entries of its metrics, which name it, come after it.

    Raises CatalogueError where the key has another entry already, or the entry lists metrics of its own.
    """
    if entry.metrics or entry.derived:
        raise CatalogueError(f"monitor {entry.key}: leave its metrics out, for each metric's entry names its monitors")
    there = _monitors.get(entry.key)
    if there is not None and replace(there, metrics=(), derived=()) == entry:
        return entry.key
    return _added(_monitors, "monitor", entry)


def add_cause(entry: Cause) -> str:
    """Add a cause and return its key; raises as ``add_metric``, and for a text with a field that nothing fills."""
    for part, text, known in (
        ("summary", entry.summary, SUMMARY_FIELDS),
        ("first_step", entry.first_step, STEP_FIELDS),
    ):
        unknown = sorted({field for _, field, _, _ in Formatter().parse(text) if field is not None} - known)
        if unknown:
            accepted = ", ".join(sorted(known))
            raise CatalogueError(f"cause {entry.key}: {part} names {{{unknown[0]}}}; accepted are {accepted}")
    return _added(_causes, "cause", entry)


@contextmanager
def added_for_now() -> Iterator[None]:
    """Let entries be added inside a ``with`` block; after it the registers are as before it (for tests)."""
    registers: list[dict[str, Any]] = [_metrics, _derived, _monitors, _causes]
    before = [dict(register) for register in registers]
    try:
        yield
    finally:
        for register, entries in zip(registers, before, strict=True):
            register.clear()
            register.update(entries)
        find_metric.cache_clear()


def _known_monitors(what: str, keys: Iterable[str]) -> list[Monitor]:
    """Return the monitors of some keys; CatalogueError where there is none, or none of one of these keys."""
    unique = list(dict.fromkeys(keys))
    if not unique:
        raise CatalogueError(f"{what}: no monitor measures it; name its monitors, or the columns of daily drift tests")
    unknown = next((key for key in unique if key not in _monitors), None)
    if unknown is not None:
        raise CatalogueError(f"{what}: there is no monitor {unknown}; add it first{_hint(unknown, _monitors)}")
    return [_monitors[key] for key in unique]


def _added(register: dict[str, _Entry], what: str, entry: _Entry) -> str:
    if register.setdefault(entry.key, entry) != entry:
        raise CatalogueError(f"{what} {entry.key}: the catalogue has another one of this key already")
    find_metric.cache_clear()
    return entry.key


@cache
def find_metric(key: str) -> Metric | None:
    """Return a metric by its own key or as derived from another one (``recall_ratio``, ``worst_recall``).

    None for what the catalogue doesn't know: an expectation, or a metric of the bank's own.
    """
    if key in _metrics:
        return _metrics[key]
    bases = ((family, family.base_of(key)) for family in _derived.values())
    return next((family.of(_metrics[base]) for family, base in bases if base in _metrics), None)


def metric(key: str) -> Metric:
    """Return a metric as ``find_metric`` does, and a bare entry where that finds none.

    An expectation keeps its Great Expectations name as title and phrase, and is a share where it looks at single rows.
    A metric of the bank's own keeps its name as title, has blanks in its phrase, and the unit that its name ends in.
    A bare entry has no formula, meaning or caveat.
    """
    found = find_metric(key)
    if found is not None:
        return found
    if key.startswith(EXPECTATION):
        unit = Unit.SHARE if key.startswith(ROW_BY_ROW) else Unit.NUMBER
        return Metric(key, key, key, "", "", "", unit=unit, limit=Limit.EXPECTATION)
    unit = next((unit for ending, unit in UNIT_BY_ENDING.items() if key.endswith(ending)), Unit.NUMBER)
    return Metric(key, key, key.replace("_", " "), "", "", "", unit=unit, limit=Limit.TEST)


def quality(key: str) -> Quality:
    """Return what is said of a metric of the model's quality; CatalogueError for any other metric."""
    found = metric(key).quality
    if found is None:
        raise CatalogueError(f"metric {key}: its entry has no quality, so nothing says which labels it waits for")
    return found


def monitor(key: str) -> Monitor:
    """Return a monitor; CatalogueError where there is none of this key."""
    return _found(MONITORS, "monitor", key)


def cause(key: str) -> Cause:
    """Return a cause; CatalogueError where there is none of this key."""
    return _found(CAUSES, "cause", key)


def recorded_cause(key: str) -> Cause:
    """Return the cause that a ledger names; a bare entry, its key as title, for one that the catalogue doesn't know.

    So the incidents of an older ledger, or of a plug-in that is gone, can still be read and shown.
    """
    return _causes.get(key) or Cause(
        key=key, title=key, order=UNKNOWN, precedence=UNKNOWN, data_fault=False, explained=False, summary=key,
        probable_cause="not known.", first_step="Look at its figures on the day's page.",
    )  # fmt: skip


def _found(register: Mapping[str, _Entry], what: str, key: str) -> _Entry:
    if key not in register:
        raise CatalogueError(f"{what} {key}: the catalogue has none of this key{_hint(key, register)}")
    return register[key]


def _hint(key: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(key, list(known), n=1)
    return f"; did you mean {near[0]}?" if near else ""
