"""Does with incidents what the API and Slack's buttons ask for, in the ledger."""

from __future__ import annotations

from service.acts import Act, Deliver, Perform
from service.desk import Desk
from service.problems import Refusal


def performer(_desk: Desk) -> Perform:
    """Return what does it over a desk's ledger."""

    def perform(act: Act) -> str:
        raise Refusal(501, f"'{act.verb}' can't be done yet")

    return perform


def deliverer(_desk: Desk) -> Deliver:
    """Return what tells of what was done."""
    return lambda: None
