"""The log: one thing that happened, and who did it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class Event:
    """One thing that happened to an incident, a model or the fleet, and who did it. Natural key: number, from 1.

    ``at`` is in UTC. ``model`` and ``incident`` are '' where it is about all. ``actor`` is 'system' or a person's
    name, ``reason`` says why in words. ``hash`` is over all the rest with ``previous``, the hash of the event before.
    """

    number: int
    at: datetime
    model: str
    incident: str
    actor: str
    kind: str
    reason: str
    payload: dict[str, Any]
    previous: str
    hash: str
