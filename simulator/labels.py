"""Labels: events that say, late, what a payment turned out to be."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator.batch import Batch, random_stream
from simulator.columns import Flags

LABEL_SOURCES = ("analyst", "claim", "reversal")
CONFIRMED_AT_ONCE_SHARE = 0.3
REVERSED_SHARE = 0.02
LONGEST_CLAIM_DAYS = 60.0
LONGEST_REVERSAL_DAYS = 20.0
LONGEST_DAYS = int(LONGEST_CLAIM_DAYS + LONGEST_REVERSAL_DAYS) + 1


@dataclass(frozen=True)
class LabelEvents:
    """Label events, one an entry; `source` is an index into LABEL_SOURCES."""

    ids: NDArray[np.int64]
    is_fraud: Flags
    known_at: NDArray[np.datetime64]
    source: NDArray[np.int64]

    def on(self, rows: Flags | NDArray[np.int64]) -> LabelEvents:
        """Return the events of the given rows."""
        return LabelEvents(self.ids[rows], self.is_fraud[rows], self.known_at[rows], self.source[rows])


NO_EVENTS = LabelEvents(
    np.empty(0, np.int64), np.empty(0, np.bool_), np.empty(0, "datetime64[us]"), np.empty(0, np.int64)
)


def join_events(parts: list[LabelEvents]) -> LabelEvents:
    """Return all events in the order they became known."""
    whole = LabelEvents(
        np.concatenate([NO_EVENTS.ids, *(part.ids for part in parts)]),
        np.concatenate([NO_EVENTS.is_fraud, *(part.is_fraud for part in parts)]),
        np.concatenate([NO_EVENTS.known_at, *(part.known_at for part in parts)]),
        np.concatenate([NO_EVENTS.source, *(part.source for part in parts)]),
    )
    return whole.on(np.lexsort((whole.ids, whole.known_at)))


def events_of_batch(batch: Batch, seed: int) -> LabelEvents:
    """Return every label event that a day's rows will ever have, whenever it becomes known.

    Reviewed and legitimate: an analyst says so within two days. Fraud: an analyst confirms some of the reviewed ones
    at once; the others, and all that were missed, wait for the customer's claim (log-normal delay). Two claims in a
    hundred are withdrawn later. Blocked payments never get a label.
    """
    rng = random_stream(seed, batch.recipe.model, batch.day, "labels")
    times = batch.event_times()
    reviewed = batch.alerted & ~batch.blocked
    cleared = np.flatnonzero(reviewed & ~batch.fraud)
    frauds = np.flatnonzero(batch.fraud & ~batch.blocked)
    at_once = reviewed[frauds] & (rng.random(len(frauds)) < CONFIRMED_AT_ONCE_SHARE)
    claim_days = batch.recipe.claim_median_days * np.exp(batch.recipe.claim_spread * rng.standard_normal(len(frauds)))
    fraud_days = np.where(at_once, rng.uniform(0.05, 2, len(frauds)), np.clip(claim_days, 0.2, LONGEST_CLAIM_DAYS))
    taken_back = rng.random(len(frauds)) < REVERSED_SHARE
    back_days = (fraud_days + rng.uniform(3, LONGEST_REVERSAL_DAYS, len(frauds)))[taken_back]
    clear_days = rng.uniform(0.05, 2, len(cleared))
    return join_events(
        [
            _events_known_after(batch, times, cleared, clear_days, np.zeros(len(cleared), dtype=np.int64), fraud=False),
            _events_known_after(batch, times, frauds, fraud_days, np.where(at_once, 0, 1), fraud=True),
            _events_known_after(batch, times, frauds[taken_back], back_days, np.full(len(back_days), 2), fraud=False),
        ]
    )


def _events_known_after(
    batch: Batch,
    times: NDArray[np.datetime64],
    rows: NDArray[np.int64],
    delay_days: NDArray[np.float64],
    source: NDArray[np.int64],
    *,
    fraud: bool,
) -> LabelEvents:
    known_at = times[rows] + np.round(delay_days * 86_400).astype("timedelta64[s]")
    return LabelEvents(batch.ids[rows], np.full(len(rows), fraud), known_at, source)
