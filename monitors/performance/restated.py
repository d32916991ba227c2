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
"""By this share of its minimum effect size a figure must move for people to be notified again."""


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
    minimum_effect: float
    reason: str

    def worth_notifying(self, last_reported: float | None) -> bool:
        """Return whether people should hear of it again.

        Args:
            last_reported: the value of which they were last notified; None: only ``was``.
        Returns:
            True where it moved by RENOTIFY_SHARE of the minimum effect size, or to the other side of the limit.
        """
        last = self.was if last_reported is None else last_reported
        return self._moved(last) or self.would_breach(self.value) != self.would_breach(last)

    def would_breach(self, value: float) -> bool:
        """Return whether a value lies on that side of the limit on which the figure was judged a breach.

        Args:
            value: on the metric's own scale.
        Returns:
            True for a value beyond the limit.
        """
        return value < self.limit if self.was < self.limit else value > self.limit

    def _moved(self, last: float) -> bool:
        if catalogue.metric(self.metric).effect is Effect.FACTOR:
            if min(self.value, last) <= 0:
                return self.value != last
            return abs(math.log(self.value / last)) >= RENOTIFY_SHARE * math.log(self.minimum_effect) - 1e-12
        return abs(self.value - last) >= RENOTIFY_SHARE * self.minimum_effect - 1e-12


def is_restatable(figure: str) -> bool:
    """Return whether later labels may change a figure.

    Args:
        figure: ``monitor/metric/feature/slice``.
    Returns:
        False for figures that rest on no label.
    Example:
        >>> is_restatable("decay/recall//"), is_restatable("decay/alert_rate//")
        (True, False)
    """
    monitor, metric = figure.split("/", 2)[:2]
    quality = catalogue.metric(metric).quality
    rests_on_labels = quality is None or quality.needs is not Needs.NOTHING
    return monitor in catalogue.MONITORS and catalogue.monitor(monitor).restatable and rests_on_labels


def restate_figure(
    spec: Spec, judged: Measurement, again: Measurement | None, now: Measurement | None
) -> RestatedFigure | None:
    """Return what a judged figure comes to by now.

    Args:
        spec: the model file.
        judged: the measurement as it was judged a breach.
        again: the same monitor's figure of the same day, from the labels known then; None where there is none.
        now: the same from the labels known now.
    Returns:
        Both figures side by side; None where it can't be said, as when the model file or a partition changed since.
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
        minimum_effect=limits.minimum_effect(spec, judged.metric),
        reason=now.reason,
    )
