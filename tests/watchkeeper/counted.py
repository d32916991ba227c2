"""The real warehouse, with a note of everything that is asked of it."""

from __future__ import annotations

from typing import Any

from warehouse.protocol import Warehouse


class Counted:
    """Passes every call on to a warehouse and keeps each one's name and arguments."""

    def __init__(self, warehouse: Warehouse) -> None:
        self.warehouse = warehouse
        self.calls: list[tuple[str, tuple[Any, ...]]] = []

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.warehouse, name)
        if not callable(method):  # its account
            return method

        def called(*arguments: Any) -> Any:
            self.calls.append((name, arguments))
            return method(*arguments)

        return called

    def scanned(self) -> list[tuple[Any, Any]]:
        """Return the first and last day of each span that was scanned into profiles."""
        return [(arguments[2], arguments[3]) for name, arguments in self.calls if name == "profile"]
