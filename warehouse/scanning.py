"""Profiles and cohorts from any engine that runs our statements: the one place where scans become them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from typing import Any, Protocol

from models.spec import Spec
from warehouse import assemble, labels, ranking, scans, together
from warehouse import moments as second_moments
from warehouse.grid import Frame, Ints
from warehouse.profile import EVERYONE, FRAUD_TYPE, Cohort, Counts, Cube, Group, Moments, Profile, ordered
from warehouse.ranking import Ranked
from warehouse.scans import Statement
from warehouse.source import Source

ROLLED_UP = -(2**31)
"""Stands for null in arrays of codes."""
NO_LABELS = "0 events"


class Engine(Protocol):
    """Runs statements where the data is."""

    def counts(
        self, frame: Frame, source: Source, names: Sequence[str], slices: Sequence[str]
    ) -> Iterator[tuple[str, assemble.Rows]]:
        """Yield the rows of ``scans.column_counts`` for each column, in whatever way costs least here."""
        ...

    def score_counts(self, frame: Frame, spec: Spec, source: Source, groups: Sequence[str]) -> assemble.Rows:
        """Return the rows of ``scans.score_counts``, in whatever way costs least here."""
        ...

    def rows(self, statement: Statement) -> list[tuple[Any, ...]]:
        """Run a statement and return its rows."""
        ...

    def arrays(self, statement: Statement) -> dict[str, Ints]:
        """Run a statement whose columns are whole numbers and return them."""
        ...


def profiles(spec: Spec, frame: Frame, source: Source, engine: Engine) -> dict[date, Profile]:
    """Scan a source, each column once, and return the profile of each of its days.

    A column that the source doesn't have is left out: missing is not null.
    """
    slices = [name for name in frame.slices if name in source.columns]
    groups = scans.groups_in(frame, spec, source)
    scored = frame.score is not None and spec.score.column in source.columns
    features: dict[date, dict[Group, dict[str, Counts]]] = defaultdict(lambda: defaultdict(dict))
    asked = [name for name in scans.feature_columns(frame, source) if not (scored and name == spec.score.column)]
    for name, found in engine.counts(frame, source, asked, slices):
        for day, group, counts in assemble.column_counts(frame, slices, found):
            features[day][group][name] = counts
    cubes: dict[date, Cube] = {}
    if scored:
        name, found = spec.score.column, engine.score_counts(frame, spec, source, groups)
        cubes = assemble.cubes(frame, groups, found)
        for day, group, counts in assemble.score_counts(frame, groups, found):
            if group == EVERYONE or (name in frame.numbers and group[0] in slices):
                features[day][group][name] = counts
    moments: dict[date, dict[str, Moments]] = defaultdict(dict)
    for name in second_moments.wanted(frame, source):
        found = engine.arrays(second_moments.sums(frame, source, name))
        for day, own in second_moments.assembled(found, second_moments.dimensions(frame, name)):
            moments[day][name] = own
    days = {assemble.day_of(number): count for number, count in engine.rows(scans.row_counts(source))}
    return {
        day: Profile(frame.id, count, ordered(features[day]), cubes.get(day, Cube()), dict(moments[day]))
        for day, count in days.items()
    }


def statements(spec: Spec, frame: Frame, source: Source) -> Iterator[Statement]:
    """Yield what ``profiles`` sends to a warehouse that bills, so that its cost can be told beforehand."""
    slices = [name for name in frame.slices if name in source.columns]
    names = [name for name in scans.feature_columns(frame, source) if name != spec.score.column]
    yield from together.statements(frame, source, names, slices)
    if frame.score is not None and spec.score.column in source.columns:
        yield scans.score_counts(frame, spec, source, scans.groups_in(frame, spec, source))
    yield from (second_moments.sums(frame, source, name) for name in second_moments.wanted(frame, source))


def label_versions(spec: Spec, label_source: Source, as_of: Sequence[date], engine: Engine) -> list[str]:
    """Return how many label events were known by the end of each day, and a digest of them; of none, ``NO_LABELS``."""
    assert spec.labels is not None
    ((*found,),) = engine.rows(labels.versions(spec.labels, label_source, as_of))
    pairs = zip(found[::2], found[1::2], strict=True)
    return [f"{count} events, {int(digest):x}" if count else NO_LABELS for count, digest in pairs]


def label_changes(
    spec: Spec, frame: Frame, source: Source, label_source: Source, since: date | None, as_of: date, engine: Engine
) -> dict[date, Cohort]:
    """Return what labels changed, after ``since`` (None: ever) and by ``as_of``, of each day of which they did."""
    if frame.score is not None and spec.score.column not in source.columns:
        return {}
    assert spec.labels is not None
    groups = scans.groups_in(frame, spec, source)
    found = engine.arrays(labels.changes(frame, spec, source, groups, label_source, since, as_of))
    if spec.labels.type is not None:
        groups = [*groups, FRAUD_TYPE]
        frame = replace(frame, groups={**frame.groups, FRAUD_TYPE: (*spec.labels.types, None)})
    of_delay = found["delay"] != ROLLED_UP
    delays = assemble.delays(frame, groups, {name: values[of_delay] for name, values in found.items()})
    cubes: dict[date, Cube] = {}
    if frame.score is not None:
        cubes = assemble.cubes(frame, groups, {name: values[~of_delay] for name, values in found.items()})
    return {day: _cohort(cubes.get(day, Cube()), delays.get(day, {})) for day in cubes.keys() | delays.keys()}


def top_cards(spec: Spec, source: Source, label_source: Source, as_of: date, engine: Engine) -> list[Ranked]:
    """Return the cards with the highest scores of each day of a source; nothing without the columns it takes."""
    entity = spec.score.entity
    if entity is None or not {spec.features.id, spec.score.column} <= source.columns.keys():
        return []
    scans.need(spec, source, "score.entity", entity)
    return ranking.ranked(engine.rows(ranking.top(spec, source, label_source, as_of, entity)))


def _cohort(cube: Cube, delays: dict[Group, dict[int, int]]) -> Cohort:
    """Return a cohort without what came to zero, and without the legitimate payments, which have no fraud type."""
    typed = Cube({group: part for group, part in cube.cells.items() if group != (FRAUD_TYPE, None)})
    parts = {group: own for group, own in delays.items() if group != EVERYONE}
    return Cohort() + Cohort(typed, delays.get(EVERYONE, {}), parts)
