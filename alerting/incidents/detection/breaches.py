"""What detection functions pick from a day's breaches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from alerting.incidents import evidence_kinds
from alerting.incidents.inhibition import Finding
from catalogue.metrics.arrival import CHECK_MONITOR
from catalogue.metrics.performance_monitors import CUSTOM_MONITOR
from ledger.records.measurements import Measurement, Verdict
from models.spec import Spec


def finding_of(cause: str, own: Iterable[Measurement]) -> Iterator[Finding]:
    """Yield one finding that rests on all the given breaches; nothing where there are none."""
    if shown := tuple(own):
        yield Finding(cause, shown)


def breaches_of(unclaimed: Sequence[Measurement], monitor: str, wanted: Iterable[str] = ()) -> list[Measurement]:
    """Return the breaches of a monitor; with ``wanted`` only those of these metrics."""
    names = set(wanted)
    return [
        m
        for m in unclaimed
        if m.monitor == monitor and m.verdict is Verdict.BREACH and (not names or m.metric in names)
    ]


def failed_critical_checks(spec: Spec, unclaimed: Sequence[Measurement]) -> list[Measurement]:
    """Return the failed expectations that are critical in the model file."""
    return [m for m in breaches_of(unclaimed, CHECK_MONITOR) if evidence_kinds.is_critical_check(spec, m)]


def custom_breaches(spec: Spec, unclaimed: Sequence[Measurement], about: str) -> list[Measurement]:
    """Return the breaches of the bank's own metrics that the model file says are about the data, or performance."""
    names = {metric.name for metric in spec.metrics if metric.about == about}
    return [m for m in breaches_of(unclaimed, CUSTOM_MONITOR) if m.metric in names]


def without_redundant_slices(found: Sequence[Measurement]) -> list[Measurement]:
    """Leave out a slice's figure where everyone's says it too: that it shows in slices is explained, not evidence."""
    overall = {(m.monitor, m.metric, m.feature) for m in found if not m.slice}
    return [
        m for m in found if not m.slice or m.monitor == CHECK_MONITOR or (m.monitor, m.metric, m.feature) not in overall
    ]


def softness_order(m: Measurement) -> tuple[int, float]:
    """Order what says that a column moved: the most convincing metric first, then what is furthest over its limit."""
    return evidence_kinds.soft_rank(m), -evidence_kinds.excess_over_limit(m)
