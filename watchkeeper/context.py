"""What every step of a watch is given: settings, warehouse, ledger and clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ledger.store import Ledger
from warehouse.protocol import Warehouse
from watchkeeper.settings import Settings


@dataclass(frozen=True)
class Context:
    """What every step is given. ``live`` is False in a backfill, which concludes but notifies and asks nobody."""

    settings: Settings
    warehouse: Warehouse
    ledger: Ledger
    now: datetime
    live: bool = True
