"""What a cause accounts for besides its own evidence, on its day and later."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from alerting import metrics
from ledger.records import Cause, Incident, Measurement, Verdict

SHARE_COVERED = 2 / 7
"""Share of a window of cohorts from which on a data fault (or shift) inside it accounts for a breach of the whole.

A broken day can miss all of its frauds: two of seven pooled days lower a recall of 0.8 by up to 0.23.
"""
BREAKS_SCORES = (
    Cause.STALE_PARTITION,
    Cause.INCOMPLETE_PARTITION,
    Cause.SCHEMA_CHANGE,
    Cause.FEED_FAULT,
    Cause.COLUMN_FAULT,
)
"""Data faults under which payments were scored wrongly, so that their cohorts look decayed later."""

SHIFTS = (Cause.SEASON, Cause.POPULATION_SHIFT)

Key = tuple[Cause, str, str]
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
    def key(self) -> Key:
        """Return the identity of the incident that this finding belongs to."""
        return self.cause, self.feature, self.slice


def explains(finding: Finding, m: Measurement) -> bool:
    """Return whether a cause accounts for a breach of the same day that isn't its own evidence."""
    rule = RULES.get(finding.cause)
    return rule is not None and rule(finding, m)


def _missing(_: Finding, m: Measurement) -> bool:
    return m.monitor in ("arrival", "schema", "check", *metrics.MOVES)


def _stale(_: Finding, m: Measurement) -> bool:
    """Rows of another day may break any check or distribution, and the scores go with them."""
    return m.monitor in ("arrival", "check", *metrics.MOVES) or metrics.is_score(m)


def _schema(finding: Finding, m: Measurement) -> bool:
    columns = {own.feature for own in finding.own}
    touched = m.feature in columns or not columns.isdisjoint(m.feature.split(", "))
    return touched or m.monitor == "schema" or metrics.is_score(m)


def _duplicates(_: Finding, m: Measurement) -> bool:
    more = m.metric == "row_count" and not metrics.is_low(m)
    about_rows = metrics.is_row_count(m) or metrics.is_unique(m)
    return (m.monitor == "arrival" and more) or (m.monitor == "check" and about_rows)


def _incomplete(finding: Finding, m: Measurement) -> bool:
    fewer = any(own.monitor == "arrival" and metrics.is_low(own) for own in finding.own)
    return (fewer and metrics.is_soft_drift(m)) or (m.monitor == "check" and metrics.is_row_count(m))


def _column_fault(finding: Finding, m: Measurement) -> bool:
    same = m.feature == finding.feature and m.monitor in ("check", *metrics.MOVES)
    return same or metrics.is_score(m)


def _feed_fault(finding: Finding, m: Measurement) -> bool:
    columns = {own.feature for own in finding.own}
    return (m.feature in columns and m.monitor in ("drift", "slow", "fault", "check", "score")) or metrics.is_score(m)


def _population_shift(finding: Finding, m: Measurement) -> bool:
    columns = {own.feature for own in finding.own if own.feature}
    same = m.monitor in ("check", "drift", "slow", "fault") and m.feature in columns
    return same or metrics.is_score(m)


def _score_shift(_: Finding, m: Measurement) -> bool:
    return (m.monitor == "score" and metrics.is_score(m)) or (m.monitor == "decay" and m.metric in metrics.FALSE_ALARMS)


def _fairness(_: Finding, m: Measurement) -> bool:
    return m.monitor == "decay" and m.metric in metrics.FALSE_ALARMS


def _decay(_: Finding, m: Measurement) -> bool:
    return m.monitor == "decay"


RULES: dict[Cause, Callable[[Finding, Measurement], bool]] = {
    Cause.MISSING_PARTITION: _missing,
    Cause.SCHEMA_CHANGE: _schema,
    Cause.DUPLICATE_ROWS: _duplicates,
    Cause.STALE_PARTITION: _stale,
    Cause.INCOMPLETE_PARTITION: _incomplete,
    Cause.FEED_FAULT: _feed_fault,
    Cause.COLUMN_FAULT: _column_fault,
    Cause.SEASON: _population_shift,
    Cause.POPULATION_SHIFT: _population_shift,
    Cause.MODEL_RELEASE: _score_shift,
    Cause.SCORE_SHIFT: _score_shift,
    Cause.PERFORMANCE_DECAY: _decay,
    Cause.FAIRNESS_GAP: _fairness,
}


@dataclass(frozen=True)
class Past:
    """What incidents before the day account for: cohorts scored during a fault are still judged weeks later."""

    measurements: Sequence[Measurement]
    faulty: frozenset[date]
    shifted: frozenset[date]
    live: frozenset[tuple[Cause, str]]
    """Cause, and feature or slice, of each incident that is pending or firing."""

    @classmethod
    def of(cls, measurements: Sequence[Measurement], known: Sequence[Incident]) -> Past:
        """Take what matters from the day's measurements and the incidents before it."""
        return cls(
            measurements=measurements,
            faulty=_bad_days(incident for incident in known if incident.cause in BREAKS_SCORES),
            shifted=_bad_days(incident for incident in known if incident.cause in SHIFTS),
            live=frozenset((incident.cause, incident.feature or incident.slice) for incident in known if incident.live),
        )

    def explains(self, m: Measurement) -> bool:
        """Return whether an earlier incident accounts for a breach of today."""
        if m.verdict is not Verdict.BREACH or self.holds(m):
            return False
        causes = {cause for cause, _ in self.live}
        if m.monitor == "decay" and m.metric == "alert_rate":
            # A single day of scores gone wild lifts the rate of a week beyond any limit.
            return bool(self._share_of(m, self.faulty | self.shifted))
        if metrics.is_selection(m) and self._share_of(m, self.faulty | self.shifted) >= SHARE_COVERED:
            return True
        if m.monitor == "decay":
            # A score that shifted was told by its alert rate weeks before labels show the false alarms.
            shifted = m.metric in metrics.FALSE_ALARMS and bool({Cause.SCORE_SHIFT, Cause.MODEL_RELEASE} & causes)
            return shifted or self._share_of(m, self.faulty) >= SHARE_COVERED
        if m.monitor in ("drift", "slow", "fault") and metrics.is_soft_drift(m):
            return (Cause.COLUMN_FAULT, m.feature) in self.live or Cause.FEED_FAULT in causes
        return metrics.is_score(m) and bool({Cause.FEED_FAULT, Cause.COLUMN_FAULT, *SHIFTS} & causes)

    def holds(self, m: Measurement) -> bool:
        """Return whether a figure belongs to a real change that is live already: it stays that change's evidence."""
        if m.monitor == "fairness":
            return (Cause.FAIRNESS_GAP, m.slice) in self.live
        owners = (Cause.SCORE_SHIFT, Cause.MODEL_RELEASE) if metrics.is_score(m) else (Cause.PERFORMANCE_DECAY,)
        return m.monitor in ("decay", "score") and any((owner, "") in self.live for owner in owners)

    def _share_of(self, m: Measurement, days: frozenset[date]) -> float:
        window = metrics.cohort_days(m, self.measurements)
        return len(days.intersection(window)) / len(window) if window else 0.0


def _bad_days(incidents: Iterable[Incident]) -> frozenset[date]:
    return frozenset(
        incident.opened + timedelta(days=step)
        for incident in incidents
        for step in range((incident.last_bad - incident.opened).days + 1)
    )
