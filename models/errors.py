"""The one base of every error that is the user's to fix, and the hint that goes with it."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class WatchkeeperError(Exception):
    """A mistake the user can fix: one sentence that says what is wrong, where, and what is accepted."""


def did_you_mean(given: str, accepted: Iterable[str]) -> str:
    """Return ``"; did you mean 'x'?"`` for the nearest accepted spelling, or an empty string."""
    nearest = get_close_matches(given, list(accepted), n=1, cutoff=0.6)
    return f"; did you mean '{nearest[0]}'?" if nearest else ""
