"""Profiles from any engine that runs our statements: the one place where scans become profiles."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from typing import Any, Protocol

from models.spec import Spec
from warehouse import assemble, scans
from warehouse.grid import Frame, Ints
from warehouse.profile import EVERYONE, Counts, Cube, Group, Profile, ordered
from warehouse.scans import Statement
from warehouse.source import Source


class Engine(Protocol):
    """Runs a statement where the data is."""

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
    groups = [name for name in frame.groups if name in source.columns]
    scored = frame.score is not None and spec.score.column in source.columns
    features: dict[date, dict[Group, dict[str, Counts]]] = defaultdict(lambda: defaultdict(dict))
    for name in scans.feature_columns(frame, source):
        if not (scored and name == spec.score.column):
            found = engine.arrays(scans.column_counts(frame, source, name, slices))
            for day, group, counts in assemble.column_counts(frame, slices, found):
                features[day][group][name] = counts
    cubes: dict[date, Cube] = {}
    if scored:
        name, found = spec.score.column, engine.arrays(scans.score_counts(frame, spec, source, groups))
        cubes = assemble.cubes(frame, groups, found)
        for day, group, counts in assemble.score_counts(frame, groups, found):
            if group == EVERYONE or (name in frame.numbers and group[0] in slices):
                features[day][group][name] = counts
    days = {assemble.day_of(number): count for number, count in engine.rows(scans.row_counts(source))}
    return {
        day: Profile(frame.id, count, ordered(features[day]), cubes.get(day, Cube())) for day, count in days.items()
    }
