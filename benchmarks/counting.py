"""A warehouse that counts what is asked of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from warehouse.protocol import Warehouse

LISTINGS = ("days", "connection_string")
"""Questions that are answered without reading a row."""


class CountingWarehouse:
    """Passes every call on to another warehouse, and counts it by its name in ``asked``."""

    def __init__(self, behind: Warehouse) -> None:
        self._behind = behind
        self.asked: Counter[str] = Counter()

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            self.asked[name] += 1
            return getattr(self._behind, name)(*arguments, **named)

        return call

    @property
    def scans(self) -> int:
        """Return how often the bank's rows were read."""
        return sum(times for name, times in self.asked.items() if name not in LISTINGS)
