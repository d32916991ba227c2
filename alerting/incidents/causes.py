"""Which causes explain a day's breaches: the first cause that fits takes what it explains from all later ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import catalogue
from alerting.incidents.detection import data_faults, real_changes
from alerting.incidents.detection.registry import detectors_in_order, narrow_cause
from alerting.incidents.detection.unclassified import find_unclassified_breaches
from alerting.incidents.inhibition import Finding, PastIncidents, inhibits
from catalogue.metrics.arrival import ARRIVAL_DELAY, ARRIVAL_MONITOR, ROW_COUNT
from ledger.records.incidents import Incident
from ledger.records.measurements import Measurement, Verdict
from models.spec import Spec

DETECTION_MODULES = (data_faults, real_changes)
"""Whose functions are registered by being imported; a cause of the catalogue without a function fails right here."""
detectors_in_order()


def find_causes(spec: Spec, measurements: Sequence[Measurement], known: Sequence[Incident] = ()) -> list[Finding]:
    """Return the causes of a day's breaches in the catalogue's order; ``known`` are incidents before the day.

    What no cause takes, and isn't silent on purpose, comes last, as unclassified breaches.
    """
    unclaimed = [m for m in measurements if _can_open_incident(m)]
    if any(m.metric == ARRIVAL_DELAY and m.verdict is Verdict.MISSING for m in measurements):
        unclaimed = [m for m in unclaimed if m.verdict is not Verdict.MISSING]  # the partition isn't due yet
    past = PastIncidents.of(measurements, known)
    inhibited = [m for m in unclaimed if past.inhibits(m)]
    unclaimed = [m for m in unclaimed if not past.inhibits(m)]
    found = []
    for detector in detectors_in_order():
        for seen in detector.detect(spec, unclaimed):
            finding = narrow_cause(seen, measurements)
            own = set(finding.own)
            explained = [
                m for m in unclaimed if m not in own and not past.belongs_to_live_incident(m) and inhibits(finding, m)
            ]
            unclaimed = [m for m in unclaimed if m not in own and m not in set(explained)]
            explained += [m for m in inhibited if inhibits(finding, m)]
            inhibited = [m for m in inhibited if not inhibits(finding, m)]
            found.append(replace(finding, explained=tuple(explained)))
    found += find_unclassified_breaches(spec, unclaimed, measurements, past)
    return sorted(found, key=lambda finding: (catalogue.cause(finding.cause).order, finding.feature, finding.slice))


def _can_open_incident(m: Measurement) -> bool:
    if m.verdict is Verdict.MISSING:
        return (m.monitor, m.metric) == (ARRIVAL_MONITOR, ROW_COUNT)
    return m.verdict in (Verdict.BREACH, Verdict.ERRORED)
