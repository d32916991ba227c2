"""What a cause accounts for besides its own evidence, on its day and later."""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass, replace
from datetime import date, timedelta

import catalogue
from alerting.incidents import evidence_kinds
from catalogue import Inhibition, causes
from catalogue.metrics.arrival import ARRIVAL_MONITOR, CHECK_MONITOR, ROW_COUNT
from catalogue.metrics.drift_monitors import SCORE_MONITOR
from catalogue.metrics.fairness import FAIRNESS_MONITOR
from catalogue.metrics.performance import ALERT_RATE
from catalogue.metrics.performance_monitors import DECAY_MONITOR
from ledger.records.incidents import Incident
from ledger.records.measurements import Measurement, Verdict

INHIBITING_WINDOW_SHARE = 2 / 7
"""Share of a window of cohorts from which on a data fault (or shift) inside it accounts for a breach of the whole.

A broken day can miss all of its frauds: two of seven pooled days lower a recall of 0.8 by up to 0.23.
"""
IncidentKey = tuple[str, str, str]
"""An incident's identity while it lives: cause, feature, slice."""


@dataclass(frozen=True)
class Finding:
    """One cause seen on one day: the breaches that show it (``own``, strongest first), and those it explains."""

    cause: str
    own: tuple[Measurement, ...]
    feature: str = ""
    slice: str = ""
    explained: tuple[Measurement, ...] = ()

    @property
    def key(self) -> IncidentKey:
        """Return the identity of the incident that this finding belongs to."""
        return self.cause, self.feature, self.slice

    def under(self, cause: str) -> Finding:
        """Return it under another cause."""
        return replace(self, cause=cause)


def inhibits(finding: Finding, m: Measurement) -> bool:
    """Return whether a cause accounts for a breach of the same day that isn't its own evidence."""
    rule = catalogue.cause(finding.cause).inhibits
    columns = {own.feature for own in finding.own if own.feature or rule.table_too}
    too_few_rows = any(own.monitor == ARRIVAL_MONITOR and evidence_kinds.is_below_limit(own) for own in finding.own)
    return _accounts_for(rule, m, columns, too_few_rows=too_few_rows)


def _accounts_for(rule: Inhibition, m: Measurement, columns: Set[str], *, too_few_rows: bool = False) -> bool:
    """Return whether a rule of the catalogue covers a breach, given the columns that the cause's evidence names."""
    soft = evidence_kinds.is_soft_drift(m)
    listed = m.monitor in rule.monitors or _is_of_same_column(rule, m, columns)
    return (
        (listed and (soft or not rule.only_soft))
        or (rule.score and evidence_kinds.is_soft_score_drift(m))
        or (rule.alert_rates and evidence_kinds.is_alert_rate(m))
        or (rule.false_alarms and m.monitor == DECAY_MONITOR and evidence_kinds.is_false_alarm_metric(m.metric))
        or (rule.drift_if_few_rows and too_few_rows and soft)
        or _is_about_rows(rule, m)
    )


def _is_of_same_column(rule: Inhibition, m: Measurement, columns: Set[str]) -> bool:
    if rule.any_monitor:
        return m.feature in columns or not columns.isdisjoint(m.feature.split(", "))
    return m.monitor in rule.same_column and m.feature in columns


def _is_about_rows(rule: Inhibition, m: Measurement) -> bool:
    """Return whether a rule covers a breach that is about the number of rows, or rows being there only once."""
    if m.monitor == ARRIVAL_MONITOR:
        return rule.too_many_rows and m.metric == ROW_COUNT and not evidence_kinds.is_below_limit(m)
    return m.monitor == CHECK_MONITOR and (
        (rule.row_count_checks and evidence_kinds.is_row_count_check(m))
        or (rule.unique_checks and evidence_kinds.is_uniqueness_check(m))
    )


@dataclass(frozen=True)
class PastIncidents:
    """What incidents before the day account for: cohorts scored during a fault are still judged weeks later."""

    measurements: Sequence[Measurement]
    faulty: frozenset[date]
    shifted: frozenset[date]
    live: frozenset[IncidentKey]
    """Each incident that is pending or firing."""

    @classmethod
    def of(cls, measurements: Sequence[Measurement], known: Sequence[Incident]) -> PastIncidents:
        """Take what matters from the day's measurements and the incidents before it."""
        return cls(
            measurements=measurements,
            faulty=_bad_days(incident for incident in known if incident.cause_entry.breaks_scores),
            shifted=_bad_days(incident for incident in known if incident.cause_entry.shift),
            live=frozenset((incident.cause, incident.feature, incident.slice) for incident in known if incident.live),
        )

    def inhibits(self, m: Measurement) -> bool:
        """Return whether an earlier incident accounts for a breach of today."""
        if m.verdict is not Verdict.BREACH or self.belongs_to_live_incident(m):
            return False
        if m.monitor == DECAY_MONITOR and m.metric == ALERT_RATE:
            # A single day of scores gone wild lifts the rate of a week beyond any limit.
            return bool(self._share_of(m, self.faulty | self.shifted))
        if evidence_kinds.is_selection_rate(m):
            covered = self._share_of(m, self.faulty | self.shifted) >= INHIBITING_WINDOW_SHARE
        else:
            covered = m.monitor == DECAY_MONITOR and self._share_of(m, self.faulty) >= INHIBITING_WINDOW_SHARE
        return covered or any(_inhibits_later(incident, m) for incident in self.live)

    def belongs_to_live_incident(self, m: Measurement) -> bool:
        """Return whether a figure belongs to a real change that is live already: it stays that change's evidence."""
        if m.monitor == FAIRNESS_MONITOR:
            return (causes.FAIRNESS_GAP, "", m.slice) in self.live
        owners = (
            (causes.SCORE_SHIFT, causes.MODEL_RELEASE)
            if evidence_kinds.is_score_shift(m)
            else (causes.PERFORMANCE_DECAY,)
        )
        return m.monitor in (DECAY_MONITOR, SCORE_MONITOR) and any((owner, "", "") in self.live for owner in owners)

    def _share_of(self, m: Measurement, days: frozenset[date]) -> float:
        window = evidence_kinds.pooled_cohort_days(m, self.measurements)
        return len(days.intersection(window)) / len(window) if window else 0.0


def _inhibits_later(incident: IncidentKey, m: Measurement) -> bool:
    """Return whether an incident of an earlier day that is still live accounts for a breach of today.

    A score that shifted showed in its alert rate weeks before labels show the false alarms.
    """
    cause, feature, _ = incident
    rule = catalogue.recorded_cause(cause).inhibits_later
    return _accounts_for(rule, m, {feature} if feature or rule.table_too else set())


def _bad_days(incidents: Iterable[Incident]) -> frozenset[date]:
    return frozenset(
        incident.opened + timedelta(days=step)
        for incident in incidents
        for step in range((incident.last_bad - incident.opened).days + 1)
    )
