"""What a cause accounts for besides its own evidence, on its day and later."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from alerting.incidents import evidence_kinds
from ledger.records.incidents import Cause, Incident
from ledger.records.measurements import Measurement, Verdict

INHIBITING_WINDOW_SHARE = 2 / 7
"""Share of a window of cohorts from which on a data fault (or shift) inside it accounts for a breach of the whole.

A broken day can miss all of its frauds: two of seven pooled days lower a recall of 0.8 by up to 0.23.
"""
SCORE_BREAKING_CAUSES = (
    Cause.STALE_PARTITION,
    Cause.INCOMPLETE_PARTITION,
    Cause.SCHEMA_CHANGE,
    Cause.FEED_FAULT,
    Cause.COLUMN_FAULT,
)
"""Data faults under which payments were scored wrongly, so that their cohorts look decayed later."""

POPULATION_SHIFT_CAUSES = (Cause.SEASON, Cause.POPULATION_SHIFT)

IncidentKey = tuple[Cause, str, str]
"""An incident's identity while it lives: cause, feature, slice."""


@dataclass(frozen=True)
class Finding:
    """One cause seen on one day: the breaches that show it (``own``, strongest first), and those it explains."""

    cause: Cause
    own: tuple[Measurement, ...]
    feature: str = ""
    slice: str = ""
    explained: tuple[Measurement, ...] = ()

    @property
    def key(self) -> IncidentKey:
        """Return the identity of the incident that this finding belongs to."""
        return self.cause, self.feature, self.slice


def inhibits(finding: Finding, m: Measurement) -> bool:
    """Return whether a cause accounts for a breach of the same day that isn't its own evidence."""
    rule = INHIBITION_RULES.get(finding.cause)
    return rule is not None and rule(finding, m)


def _missing_partition_inhibits(_: Finding, m: Measurement) -> bool:
    return m.monitor in ("arrival", "schema", "check", *evidence_kinds.DISTRIBUTION_MONITORS)


def _stale_partition_inhibits(_: Finding, m: Measurement) -> bool:
    """Rows of another day may break any check or distribution, and the scores go with them."""
    return m.monitor in ("arrival", "check", *evidence_kinds.DISTRIBUTION_MONITORS) or evidence_kinds.is_score_shift(m)


def _schema_change_inhibits(finding: Finding, m: Measurement) -> bool:
    columns = {own.feature for own in finding.own}
    touched = m.feature in columns or not columns.isdisjoint(m.feature.split(", "))
    return touched or m.monitor == "schema" or evidence_kinds.is_score_shift(m)


def _duplicate_rows_inhibit(_: Finding, m: Measurement) -> bool:
    more = m.metric == "row_count" and not evidence_kinds.is_below_limit(m)
    about_rows = evidence_kinds.is_row_count_check(m) or evidence_kinds.is_uniqueness_check(m)
    return (m.monitor == "arrival" and more) or (m.monitor == "check" and about_rows)


def _incomplete_partition_inhibits(finding: Finding, m: Measurement) -> bool:
    fewer = any(own.monitor == "arrival" and evidence_kinds.is_below_limit(own) for own in finding.own)
    return (fewer and evidence_kinds.is_soft_drift(m)) or (
        m.monitor == "check" and evidence_kinds.is_row_count_check(m)
    )


def _column_fault_inhibits(finding: Finding, m: Measurement) -> bool:
    same = m.feature == finding.feature and m.monitor in ("check", *evidence_kinds.DISTRIBUTION_MONITORS)
    return same or evidence_kinds.is_score_shift(m)


def _feed_fault_inhibits(finding: Finding, m: Measurement) -> bool:
    columns = {own.feature for own in finding.own}
    return (
        m.feature in columns and m.monitor in ("drift", "slow", "fault", "check", "score")
    ) or evidence_kinds.is_score_shift(m)


def _population_shift_inhibits(finding: Finding, m: Measurement) -> bool:
    columns = {own.feature for own in finding.own if own.feature}
    same = m.monitor in ("check", "drift", "slow", "fault") and m.feature in columns
    return same or evidence_kinds.is_score_shift(m)


def _score_shift_inhibits(_: Finding, m: Measurement) -> bool:
    return (m.monitor == "score" and evidence_kinds.is_score_shift(m)) or (
        m.monitor == "decay" and m.metric in evidence_kinds.FALSE_ALARM_METRICS
    )


def _fairness_gap_inhibits(_: Finding, m: Measurement) -> bool:
    return m.monitor == "decay" and m.metric in evidence_kinds.FALSE_ALARM_METRICS


def _performance_decay_inhibits(_: Finding, m: Measurement) -> bool:
    return m.monitor == "decay"


INHIBITION_RULES: dict[Cause, Callable[[Finding, Measurement], bool]] = {
    Cause.MISSING_PARTITION: _missing_partition_inhibits,
    Cause.SCHEMA_CHANGE: _schema_change_inhibits,
    Cause.DUPLICATE_ROWS: _duplicate_rows_inhibit,
    Cause.STALE_PARTITION: _stale_partition_inhibits,
    Cause.INCOMPLETE_PARTITION: _incomplete_partition_inhibits,
    Cause.FEED_FAULT: _feed_fault_inhibits,
    Cause.COLUMN_FAULT: _column_fault_inhibits,
    Cause.SEASON: _population_shift_inhibits,
    Cause.POPULATION_SHIFT: _population_shift_inhibits,
    Cause.MODEL_RELEASE: _score_shift_inhibits,
    Cause.SCORE_SHIFT: _score_shift_inhibits,
    Cause.PERFORMANCE_DECAY: _performance_decay_inhibits,
    Cause.FAIRNESS_GAP: _fairness_gap_inhibits,
}


@dataclass(frozen=True)
class PastIncidents:
    """What incidents before the day account for: cohorts scored during a fault are still judged weeks later."""

    measurements: Sequence[Measurement]
    faulty: frozenset[date]
    shifted: frozenset[date]
    live: frozenset[tuple[Cause, str]]
    """Cause, and feature or slice, of each incident that is pending or firing."""

    @classmethod
    def of(cls, measurements: Sequence[Measurement], known: Sequence[Incident]) -> PastIncidents:
        """Take what matters from the day's measurements and the incidents before it."""
        return cls(
            measurements=measurements,
            faulty=_bad_days(incident for incident in known if incident.cause in SCORE_BREAKING_CAUSES),
            shifted=_bad_days(incident for incident in known if incident.cause in POPULATION_SHIFT_CAUSES),
            live=frozenset((incident.cause, incident.feature or incident.slice) for incident in known if incident.live),
        )

    def inhibits(self, m: Measurement) -> bool:
        """Return whether an earlier incident accounts for a breach of today."""
        if m.verdict is not Verdict.BREACH or self.belongs_to_live_incident(m):
            return False
        causes = {cause for cause, _ in self.live}
        if m.monitor == "decay" and m.metric == "alert_rate":
            # A single day of scores gone wild lifts the rate of a week beyond any limit.
            return bool(self._share_of(m, self.faulty | self.shifted))
        if (
            evidence_kinds.is_selection_rate(m)
            and self._share_of(m, self.faulty | self.shifted) >= INHIBITING_WINDOW_SHARE
        ):
            return True
        if m.monitor == "decay":
            # A score that shifted was told by its alert rate weeks before labels show the false alarms.
            shifted = m.metric in evidence_kinds.FALSE_ALARM_METRICS and bool(
                {Cause.SCORE_SHIFT, Cause.MODEL_RELEASE} & causes
            )
            return shifted or self._share_of(m, self.faulty) >= INHIBITING_WINDOW_SHARE
        if m.monitor in ("drift", "slow", "fault") and evidence_kinds.is_soft_drift(m):
            return (Cause.COLUMN_FAULT, m.feature) in self.live or Cause.FEED_FAULT in causes
        return evidence_kinds.is_score_shift(m) and bool(
            {Cause.FEED_FAULT, Cause.COLUMN_FAULT, *POPULATION_SHIFT_CAUSES} & causes
        )

    def belongs_to_live_incident(self, m: Measurement) -> bool:
        """Return whether a figure belongs to a real change that is live already: it stays that change's evidence."""
        if m.monitor == "fairness":
            return (Cause.FAIRNESS_GAP, m.slice) in self.live
        owners = (
            (Cause.SCORE_SHIFT, Cause.MODEL_RELEASE) if evidence_kinds.is_score_shift(m) else (Cause.PERFORMANCE_DECAY,)
        )
        return m.monitor in ("decay", "score") and any((owner, "") in self.live for owner in owners)

    def _share_of(self, m: Measurement, days: frozenset[date]) -> float:
        window = evidence_kinds.pooled_cohort_days(m, self.measurements)
        return len(days.intersection(window)) / len(window) if window else 0.0


def _bad_days(incidents: Iterable[Incident]) -> frozenset[date]:
    return frozenset(
        incident.opened + timedelta(days=step)
        for incident in incidents
        for step in range((incident.last_bad - incident.opened).days + 1)
    )
