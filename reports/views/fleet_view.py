"""What the pages of the whole fleet need: a line for each model, and what nobody could be notified of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ledger.records.messages import Message
from reports.views.model_view import Runbook, no_runbook

Card = dict[str, Any]
"""A model's line, as it stands in its page's JSON."""


@dataclass(frozen=True)
class FleetView:
    """The models' lines in the order of their files, and the messages that could not be delivered."""

    cards: Sequence[Card]
    dead_letters: Sequence[Message] = ()
    runbook: Runbook = no_runbook
