"""Profiles and cohorts from any engine that runs our statements: the one place where scans become them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from typing import Protocol

from models.spec import Spec
from profiles.profile import EVERYONE, FRAUD_TYPE, Cohort, Counts, Cube, Group, Moments, Profile, sort_groups
from profiles.schema import ProfileSchema
from warehouse.profiling import assembly
from warehouse.source import Source
from warehouse.sql import batched_queries, label_queries, scan_queries, top_entities
from warehouse.sql import moments as second_moments
from warehouse.sql.statement import ROLLED_UP, Statement, StatementRunner
from warehouse.sql.top_entities import RankedCard

NO_LABEL_EVENTS = "0 events"


class ProfileScanner(StatementRunner, Protocol):
    """Runs statements where the data is, and counts columns and scores in whatever way costs least there."""

    def counts(
        self, schema: ProfileSchema, source: Source, names: Sequence[str], slices: Sequence[str]
    ) -> Iterator[tuple[str, assembly.GroupedRows]]:
        """Yield the rows of ``scan_queries.column_counts_query`` for each column."""
        ...

    def score_counts(
        self, schema: ProfileSchema, spec: Spec, source: Source, groups: Sequence[str]
    ) -> assembly.GroupedRows:
        """Return the rows of ``scan_queries.score_counts_query``."""
        ...


def profile_source(spec: Spec, schema: ProfileSchema, source: Source, scanner: ProfileScanner) -> dict[date, Profile]:
    """Scan a source, each column once, and return the profile of each of its days.

    A column that the source doesn't have is left out: missing is not null.
    """
    slices = [name for name in schema.slices if name in source.columns]
    groups = scan_queries.group_columns_in(schema, spec, source)
    scored = schema.score is not None and spec.score.column in source.columns
    features: dict[date, dict[Group, dict[str, Counts]]] = defaultdict(lambda: defaultdict(dict))
    asked = [
        name for name in scan_queries.feature_columns(schema, source) if not (scored and name == spec.score.column)
    ]
    for name, found in scanner.counts(schema, source, asked, slices):
        for day, group, counts in assembly.assemble_column_counts(schema, slices, found):
            features[day][group][name] = counts
    cubes: dict[date, Cube] = {}
    if scored:
        name, found = spec.score.column, scanner.score_counts(schema, spec, source, groups)
        cubes = assembly.assemble_cubes(schema, groups, found)
        for day, group, counts in assembly.assemble_score_counts(schema, groups, found):
            if group == EVERYONE or (name in schema.numbers and group[0] in slices):
                features[day][group][name] = counts
    moments: dict[date, dict[str, Moments]] = defaultdict(dict)
    for name in second_moments.moment_columns(schema, source):
        found = scanner.arrays(second_moments.moment_sums_query(schema, source, name))
        for day, own in second_moments.assemble_moments(found, second_moments.moment_dimensions(schema, name)):
            moments[day][name] = own
    days = {
        assembly.date_of_day_number(number): count
        for number, count in scanner.rows(scan_queries.row_counts_query(source))
    }
    return {
        day: Profile(schema.id, count, sort_groups(features[day]), cubes.get(day, Cube()), dict(moments[day]))
        for day, count in days.items()
    }


def profile_statements(spec: Spec, schema: ProfileSchema, source: Source) -> Iterator[Statement]:
    """Yield what ``profile_source`` sends to a warehouse that bills, so that its cost can be known beforehand."""
    slices = [name for name in schema.slices if name in source.columns]
    names = [name for name in scan_queries.feature_columns(schema, source) if name != spec.score.column]
    yield from batched_queries.batched_statements(schema, source, names, slices)
    if schema.score is not None and spec.score.column in source.columns:
        yield scan_queries.score_counts_query(schema, spec, source, scan_queries.group_columns_in(schema, spec, source))
    yield from (
        second_moments.moment_sums_query(schema, source, name) for name in second_moments.moment_columns(schema, source)
    )


def read_label_versions(spec: Spec, label_source: Source, as_of: Sequence[date], runner: StatementRunner) -> list[str]:
    """Return the number of label events known by the end of each day, and a digest; of none, ``NO_LABEL_EVENTS``."""
    assert spec.labels is not None
    ((*found,),) = runner.rows(label_queries.label_versions_query(spec.labels, label_source, as_of))
    pairs = zip(found[::2], found[1::2], strict=True)
    return [f"{count} events, {int(digest):x}" if count else NO_LABEL_EVENTS for count, digest in pairs]


def read_label_changes(
    spec: Spec,
    schema: ProfileSchema,
    source: Source,
    label_source: Source,
    since: date | None,
    as_of: date,
    runner: StatementRunner,
) -> dict[date, Cohort]:
    """Return what labels changed, after ``since`` (None: ever) and by ``as_of``, of each day of which they did."""
    if schema.score is not None and spec.score.column not in source.columns:
        return {}
    assert spec.labels is not None
    groups = scan_queries.group_columns_in(schema, spec, source)
    found = runner.arrays(label_queries.label_changes_query(schema, spec, source, groups, label_source, since, as_of))
    if spec.labels.type is not None:
        groups = [*groups, FRAUD_TYPE]
        schema = replace(schema, groups={**schema.groups, FRAUD_TYPE: (*spec.labels.types, None)})
    of_delay = found["delay"] != ROLLED_UP
    delays = assembly.assemble_delays(schema, groups, {name: values[of_delay] for name, values in found.items()})
    cubes: dict[date, Cube] = {}
    if schema.score is not None:
        cubes = assembly.assemble_cubes(schema, groups, {name: values[~of_delay] for name, values in found.items()})
    return {day: _cohort_of(cubes.get(day, Cube()), delays.get(day, {})) for day in cubes.keys() | delays.keys()}


def read_top_cards(
    spec: Spec, source: Source, label_source: Source, as_of: date, runner: StatementRunner
) -> list[RankedCard]:
    """Return the cards with the highest scores of each day of a source; nothing without the columns it takes."""
    entity = spec.score.entity
    if entity is None or not {spec.features.id, spec.score.column} <= source.columns.keys():
        return []
    scan_queries.require_column(spec, source, "score.entity", entity)
    return top_entities.ranked_cards(
        runner.rows(top_entities.top_cards_query(spec, source, label_source, as_of, entity))
    )


def _cohort_of(cube: Cube, delays: dict[Group, dict[int, int]]) -> Cohort:
    """Return a cohort without what came to zero, and without the legitimate payments, which have no fraud type."""
    typed = Cube({group: part for group, part in cube.bins.items() if group != (FRAUD_TYPE, None)})
    parts = {group: own for group, own in delays.items() if group != EVERYONE}
    return Cohort() + Cohort(typed, delays.get(EVERYONE, {}), parts)
