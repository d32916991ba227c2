"""The register of monitors: each is a function from a day's inputs to measurements, added where it is defined."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import catalogue
from ledger.records.measurements import Measurement
from monitors.inputs import DayInputs

MeasureDay = Callable[[DayInputs], list[Measurement]]


@dataclass(frozen=True)
class MonitorFunction:
    """A registered function, the keys of the monitors whose figures it returns, and whether incidents need these."""

    keys: tuple[str, ...]
    measure: MeasureDay
    for_incidents: bool

    def __call__(self, inputs: DayInputs) -> list[Measurement]:
        """Measure a day; raise CatalogueError for a figure of a monitor that the function isn't registered for."""
        found = self.measure(inputs)
        for m in found:
            if m.monitor not in self.keys:
                raise catalogue.CatalogueError(
                    f"{self.measure.__module__}.{self.measure.__name__} returned a figure of monitor '{m.monitor}' "
                    f"({m.metric}), and is registered for {', '.join(self.keys)}; add the key to its @monitor(...)"
                )
        return found


_functions: dict[str, tuple[MonitorFunction, ...]] = {}

MONITOR_FUNCTIONS: Mapping[str, tuple[MonitorFunction, ...]] = MappingProxyType(_functions)
"""The functions of each monitor by its key in the catalogue."""


def monitor(*keys: str, for_incidents: bool = True) -> Callable[[MeasureDay], MeasureDay]:
    """Register a function as one that measures the figures of these monitors; a monitor may have several functions.

    Args:
        keys: the monitors' keys in the catalogue.
        for_incidents: False where its figures neither open an incident nor explain one, so that a replay leaves them
            out.
    Returns:
        A decorator that registers the function and returns it.
    Raises:
        CatalogueError: for a key without an entry in the catalogue.
    """
    for key in keys:
        catalogue.monitor(key)

    def register(measure: MeasureDay) -> MeasureDay:
        added = MonitorFunction(keys, measure, for_incidents)
        for key in keys:
            _functions[key] = (*_functions.get(key, ()), added)
        return measure

    return register


def monitor_functions(*, only_for_incidents: bool = False) -> list[MonitorFunction]:
    """Return every registered function once, in the order of a day's page.

    Args:
        only_for_incidents: leave out those whose figures no incident needs.
    Returns:
        Registered functions.
    """
    ordered = (function for entry in catalogue.monitors_in_order() for function in _functions.get(entry.key, ()))
    return [function for function in dict.fromkeys(ordered) if function.for_incidents or not only_for_incidents]
