"""The registers of metrics, monitors and causes: how an entry is added, and how one is found by its key."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from functools import cache
from string import Formatter
from types import MappingProxyType
from typing import TypeVar

from catalogue.cause_entry import STEP_FIELDS, SUMMARY_FIELDS, Cause
from catalogue.entries import CatalogueError, Derived, Evidence, Limit, Metric, Monitor, Unit

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
    """Add a metric and return its key.

    Raises CatalogueError where the key has another entry already, or the entry contradicts itself.
    """
    if (entry.evidence is Evidence.HARD) != (entry.fault is not None):
        raise CatalogueError(f"metric {entry.key}: hard evidence, and only that, has a fault to word")
    unlearned, learned = entry.minimum_effect_unlearned, entry.minimum_effect
    if unlearned is not None and (learned is None or unlearned < learned):
        raise CatalogueError(f"metric {entry.key}: its minimum effect size can't be smaller before anything is learned")
    find_metric.cache_clear()
    return _added(_metrics, "metric", entry)


def add_derived(entry: Derived) -> str:
    """Add a family of derived metrics and return what their keys have in common; raises as ``add_metric``."""
    if not entry.key:
        raise CatalogueError(f"derived metric {entry.name}: its key needs a beginning or an ending")
    find_metric.cache_clear()
    return _added(_derived, "derived metric", entry)


def add_monitor(entry: Monitor) -> str:
    """Add a monitor and return its key; raises as ``add_metric``, and where it measures what has no entry."""
    unknown = [key for key in entry.metrics if find_metric(key) is None]
    unknown += [key for key in entry.derived if key not in _derived]
    if unknown:
        raise CatalogueError(f"monitor {entry.key}: the catalogue has no metric {', '.join(unknown)}; add it first")
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


def _added(register: dict[str, _Entry], what: str, entry: _Entry) -> str:
    if register.setdefault(entry.key, entry) != entry:
        raise CatalogueError(f"{what} {entry.key}: the catalogue has another one of this key already")
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
