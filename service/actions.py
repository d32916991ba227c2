"""What somebody may do with an incident from outside: by a button of Slack's or over the API."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class Verb(StrEnum):
    """What can be done; the action of the button in Slack is ``watchkeeper:<verb>``."""

    ACKNOWLEDGE = "acknowledge"
    SNOOZE = "snooze"
    SILENCE = "silence"
    NOT_A_PROBLEM = "not_a_problem"


@dataclass(frozen=True)
class Action:
    """Somebody does something with an incident.

    ``until`` is the morning on which a snoozed incident speaks again (None: once it is resolved), or the last day of
    data that a silence covers.
    """

    verb: Verb
    incident: str
    by: str
    reason: str
    until: date | None = None


Perform = Callable[[Action], str]
"""Does it and returns a sentence that says so; raises WatchkeeperError or Refusal where it can't be done."""
Deliver = Callable[[], None]
"""Sends what waits in the outbox, so that a message shows at once what was done."""
