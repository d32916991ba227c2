"""What a past figure comes to with the labels that are known by now."""

from __future__ import annotations

import math
from dataclasses import dataclass

import catalogue
from catalogue import Effect, Needs
from ledger.records.measurements import Measurement
from models.spec import Spec
from monitors import limits

RENOTIFY_SHARE = 0.5
"""Of its floor (the smallest change worth waking somebody for), by so much a figure must move to be told again."""


@dataclass(frozen=True)
class RestatedFigure:
    """A figure that was judged a breach: what it ``was``, of ``n_was`` cases, and what it is with later labels.

    ``value`` has the 95 % interval ``low`` to ``high`` of the monitor that judged it, over ``n`` cases.
    """

    metric: str
    slice: str
    was: float
    n_was: int
    value: float
    low: float
    high: float
    n: int
    limit: float
    floor: float
    reason: str

    def worth_notifying(self, last_reported: float | None) -> bool:
        """Return whether it differs from what was last told (None: only ``was``) by much, or is on another side."""
        last = self.was if last_reported is None else last_reported
        return self._moved(last) or self.would_breach(self.value) != self.would_breach(last)

    def would_breach(self, value: float) -> bool:
        """Return whether a value lies on that side of the limit on which the figure was judged a breach."""
        return value < self.limit if self.was < self.limit else value > self.limit

    def _moved(self, last: float) -> bool:
        if catalogue.metric(self.metric).effect is Effect.FACTOR:
            if min(self.value, last) <= 0:
                return self.value != last
            return abs(math.log(self.value / last)) >= RENOTIFY_SHARE * math.log(self.floor) - 1e-12
        return abs(self.value - last) >= RENOTIFY_SHARE * self.floor - 1e-12


def is_restatable(figure: str) -> bool:
    """Return whether later labels may change a figure (``monitor/metric/feature/slice``)."""
    monitor, metric = figure.split("/", 2)[:2]
    quality = catalogue.metric(metric).quality
    rests_on_labels = quality is None or quality.needs is not Needs.NOTHING
    return monitor in catalogue.MONITORS and catalogue.monitor(monitor).restatable and rests_on_labels


def restate_figure(
    spec: Spec, judged: Measurement, again: Measurement | None, now: Measurement | None
) -> RestatedFigure | None:
    """Return what a judged figure comes to by now; None where it can't be told.

    ``again`` is the same monitor's figure of the same day from the labels known then, ``now`` from those known now. A
    figure that can't be had again, as when the model file or a partition changed, isn't restated.
    """
    if judged.value is None or judged.limit is None or again is None or again.value is None:
        return None
    if again.n != judged.n or not math.isclose(again.value, judged.value, rel_tol=1e-9, abs_tol=1e-12):
        return None
    if now is None or now.value is None or now.low is None or now.high is None:
        return None
    return RestatedFigure(
        metric=judged.metric,
        slice=judged.slice,
        was=judged.value,
        n_was=judged.n,
        value=now.value,
        low=now.low,
        high=now.high,
        n=now.n,
        limit=judged.limit,
        floor=limits.minimum_effect(spec, judged.metric),
        reason=now.reason,
    )
