"""What is not watched: a list that only ever gets shorter by somebody's doing."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from catalogue.metrics.performance_monitors import COHORT_MONITOR
from ledger.records.measurements import Measurement, Verdict
from models.spec import Spec

RECENT_DAYS = 28
"""Days up to the newest watched one that are looked at."""
UNJUDGED_VERDICTS = (Verdict.INSUFFICIENT, Verdict.IMMATURE, Verdict.ERRORED, Verdict.MISSING)


@dataclass(frozen=True)
class Gap:
    """One thing that isn't watched: ``kind`` is one of GAP_KINDS, ``what`` names it, ``why`` is a sentence."""

    model: str
    kind: str
    what: str
    why: str


GAP_KINDS = ("never watched", "labels", "score", "fairness", "feature", "day", "figure", "group")


def find_gaps(
    spec: Spec, columns: Collection[str], watched: Collection[date], figures: Sequence[Measurement]
) -> list[Gap]:
    """Return what isn't watched of a model.

    Args:
        spec: the model file.
        columns: the table's columns; empty where they aren't known.
        watched: the days that were watched.
        figures: what was measured as of the newest of them.
    Returns:
        Gaps: what the model file leaves out first, then days, then figures without a verdict.
    """
    found = [*_unconfigured_gaps(spec), *_column_gaps(spec, columns)]
    if not watched:
        return [Gap(spec.model, "never watched", spec.name, "no day was watched yet"), *found]
    return [*found, *_day_gaps(spec, watched), *_measurement_gaps(spec, figures)]


def _unconfigured_gaps(spec: Spec) -> Iterator[Gap]:
    if spec.labels is None:
        why = "the model file names no labels: recall, precision, decay and fairness of errors are not watched"
        yield Gap(spec.model, "labels", spec.name, why)
    if spec.score.threshold is None:
        why = "the model file names no score.threshold: alerts, recall and precision are not watched"
        yield Gap(spec.model, "score", spec.score.column, why)
    if not spec.protected:
        yield Gap(spec.model, "fairness", spec.name, "the model file names no protected column")


def _column_gaps(spec: Spec, columns: Collection[str]) -> Iterator[Gap]:
    """Find columns that the model file leaves out; where it lists none, every column is watched."""
    if not spec.features.columns:
        return
    labels = (spec.score.column, spec.score.amount, spec.score.version, spec.score.action, spec.score.entity)
    named = {spec.features.day, spec.features.id, spec.features.time, *labels, spec.score.propensity, *spec.groups}
    for column in sorted(set(columns) - named - set(spec.features.columns)):
        yield Gap(spec.model, "feature", column, "the table has it, and the model file doesn't list it")
    for name, listed in spec.features.columns.items():
        if listed.importance is None:
            why = "the model file doesn't say how much the model leans on it, so its drift is ranked last"
            yield Gap(spec.model, "feature", name, why)


def _day_gaps(spec: Spec, watched: Collection[date]) -> Iterator[Gap]:
    newest = max(watched)
    start = max(min(watched), newest - timedelta(days=RECENT_DAYS - 1))
    for step in range((newest - start).days + 1):
        day = start + timedelta(days=step)
        if day not in watched:
            yield Gap(spec.model, "day", str(day), "it was skipped: no watch of it is recorded")


def _measurement_gaps(spec: Spec, figures: Sequence[Measurement]) -> Iterator[Gap]:
    """Find figures that gave no verdict, and groups that are too small to be shown; one gap for each reason."""
    seen: set[tuple[str, str, str]] = set()
    for m in figures:
        if m.verdict not in UNJUDGED_VERDICTS or m.monitor == COHORT_MONITOR:  # a young cohort is immature by nature
            continue
        group = m.slice and m.verdict is Verdict.INSUFFICIENT
        what = m.slice if group else ", ".join(part for part in (f"{m.monitor} {m.metric}", m.feature, m.slice) if part)
        key = ("group" if group else "figure", what, str(m.verdict))
        if key not in seen:
            seen.add(key)
            said = " ".join(m.reason.split())
            why = f"{m.verdict}: {said}" if said else str(m.verdict)
            yield Gap(spec.model, key[0], what, why)
