"""Has a feature or the score moved since the baseline? One pass over a day's profile, without any row."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

import catalogue
from catalogue import Evidence
from catalogue.metrics.diagnostics import DIAGNOSTICS_MONITOR
from catalogue.metrics.drift_monitors import DRIFT_MONITOR, SCORE_MONITOR
from ledger.records.measurements import Measurement, Verdict
from models.spec import Spec
from monitors import limits
from monitors.drift import verdicts
from monitors.drift.calibration import (
    Calibration,
    ColumnCalibration,
    tested_columns,
)
from monitors.drift.hypothesis_tests import (
    HypothesisTest,
    run_hypothesis_tests,
)
from monitors.drift.new_champion import calibrate_score_on_own_days
from monitors.drift.season import diagnose_season
from monitors.inputs import DayInputs
from monitors.measurements import slice_name
from monitors.registry import monitor
from profiles.profile import EVERYONE, Counts, Group, Profile
from profiles.schema import ProfileSchema


class _Subject(NamedTuple):
    """One column of one group of payments, today (None: the column is missing) and what was learned of it."""

    monitor: str
    feature: str
    slice: str
    metrics: tuple[str, ...]
    today: Counts | None
    learned: ColumnCalibration | None


def measure_drift(
    spec: Spec, schema: ProfileSchema, day: date, profile: Profile, calibration: Calibration
) -> list[Measurement]:
    """Compare a day's profile with what its baseline leads to expect of such a day.

    Monitor 'drift' for each feature and 'score' for the score: for everyone, and for each slice group that both have
    (PSI, Wasserstein, null and unseen share only). A figure breaches when it lies beyond its minimum effect size and
    when an in-control day would reach it so seldom that all the day's figures together keep to the model's budget of
    false alarms (Benjamini-Hochberg). On the day of a known event, distances must reach three times their limit.

    Args:
        spec: the model file.
        schema: how partitions are profiled.
        day: the day.
        profile: its profile.
        calibration: what was learned from the baseline's days.
    Returns:
        Every figure; n is rows. Fewer than 100 values, or too few for a verdict: insufficient; a column that the
        profile
        lacks: missing.
    """
    subjects = list(_subjects(spec, schema, profile, calibration))
    strictest = limits.alpha_per_test(spec, sum(len(subject.metrics) for subject in subjects))
    found = [(subject, one) for subject in subjects for one in _test_subject(spec, day, subject, strictest)]
    alpha = limits.benjamini_hochberg_alpha(
        [one.p_value / one.persistence_factor for _, one in found if one.null is not None], strictest
    )
    event = spec.baseline.event_on(day)
    rows = {id(subject): subject.today.rows if subject.today else 0 for subject in subjects}
    result = []
    for subject, one in found:
        limit, verdict, reason = verdicts.judge_hypothesis_test(spec, one, subject.learned, strictest, alpha, event)
        value, low, high = one.figure[:3] if one.figure else (None, None, None)
        result.append(
            Measurement(
                spec.model, day, day, subject.monitor, one.metric, subject.feature, subject.slice,
                value, low, high, rows[id(subject)], limit, verdict, reason,
            )
        )  # fmt: skip
    return result


def _test_subject(spec: Spec, day: date, subject: _Subject, alpha: float) -> Iterator[HypothesisTest]:
    if subject.today is None:
        for metric in subject.metrics:
            yield HypothesisTest(metric, Verdict.MISSING, "the column is not in the partition")
    else:
        persistence_factor = limits.persistence_factor(spec)
        for one in run_hypothesis_tests(spec, day, subject.metrics, subject.today, subject.learned, alpha):
            soft = catalogue.metric(one.metric).evidence is Evidence.SOFT
            yield one._replace(persistence_factor=persistence_factor) if soft else one


def _subjects(spec: Spec, schema: ProfileSchema, profile: Profile, calibration: Calibration) -> Iterator[_Subject]:
    columns = list(tested_columns(spec, schema))
    for group in _calibrated_groups(schema, profile, calibration):
        today = profile.features.get(group, {})
        for column in columns:
            counts = today.get(column.name, None if profile.rows else Counts())
            learned = calibration.learned.get((group, column.name))
            subject = _Subject(column.monitor, column.name, "", column.metrics, counts, learned)
            if group == EVERYONE:
                yield subject
            elif counts is not None and column.name != group[0]:
                yield subject._replace(slice=slice_name(group), metrics=column.slice_metrics)


def _calibrated_groups(schema: ProfileSchema, profile: Profile, calibration: Calibration) -> Iterator[Group]:
    yield EVERYONE
    known = {group for group, _ in calibration.learned}
    for group in profile.features:
        if group[0] in schema.slices and group in known:
            yield group


@monitor(DRIFT_MONITOR, SCORE_MONITOR, DIAGNOSTICS_MONITOR)
def measure_drift_of_day(inputs: DayInputs) -> list[Measurement]:
    """Return a day's drift and, where something breached, what its season says; nothing of a day without rows."""
    own = inputs.own
    if own is None:
        return []
    learned = calibrate_score_on_own_days(inputs.spec, inputs.schema, own.calibration, inputs.champion_days)
    found = measure_drift(inputs.spec, inputs.schema, inputs.day, own.profile, learned)
    if any(m.verdict is Verdict.BREACH for m in found):
        found += diagnose_season(inputs.spec, inputs.schema, inputs.day, own.profile, inputs.baseline, found)
    return found
