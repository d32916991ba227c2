"""A health strip's days: the state of each, from what was measured and which incidents it lies in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from ledger.measurements import VerdictTally
from ledger.records.incidents import Incident, Status

STATES_WORST_FIRST = ("breach", "errored", "missing", "ok", "insufficient", "immature")
"""Which verdict a day shows: bad news, then what hid, then good news; the rest says nothing and never wins."""


@dataclass(frozen=True)
class StripDay:
    """One day of a health strip: its worst verdict ('incident' where a breach fired), and how many of each."""

    day: date
    state: str
    counts: dict[str, int]

    @property
    def watched(self) -> bool:
        """Return whether the day was watched and so has a page."""
        return self.state != "unwatched"


def strip_day_of(day: date, counts: dict[str, int], incidents: Iterable[Incident]) -> StripDay:
    """Return a day of the strip from its counts of verdicts and the model's incidents."""
    state = next((verdict for verdict in STATES_WORST_FIRST if counts.get(verdict)), "ok")
    if any(incident_covers(incident, day) for incident in incidents):
        state = "incident"
    return StripDay(day, state, counts)


def count_verdicts(tally: VerdictTally) -> dict[str, int]:
    """Return how many figures had which verdict, over all monitors."""
    total: Counter[str] = Counter()
    for of_monitor in tally.values():
        total.update(of_monitor)
    return dict(sorted(total.items()))


def incident_covers(incident: Incident, day: date) -> bool:
    """Return whether a day is one of an incident's, from its first to its last bad day, if it ever fired."""
    return incident.fired is not None and incident.opened <= day <= incident.last_bad


def firing_incidents(incidents: Iterable[Incident]) -> list[Incident]:
    """Return the incidents that are firing, the costliest first."""
    found = [incident for incident in incidents if incident.status is Status.FIRING]
    return sorted(found, key=lambda i: -(i.amount_gbp_per_day or 0))
