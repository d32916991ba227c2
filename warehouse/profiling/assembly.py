"""Turns the grouped rows that a scan brings back into counts, cubes and profiles."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta

import numpy as np

from profiles.bins import Ints
from profiles.profile import EVERYONE, MISSED, Counts, Cube, Group, sort_groups
from profiles.schema import OTHER_VALUES, ProfileSchema
from warehouse.sql.expressions import NONFINITE, NULL_GROUP, NULLS, OTHER_GROUP, TWO_32
from warehouse.sql.scan_queries import cube_sum_columns

GroupedRows = Mapping[str, Ints]
"""Grouped rows as arrays of one length, by the names that ``scan_queries`` gives them."""


def date_of_day_number(number: int) -> date:
    """Return the date of a day number, in days since 1970."""
    return date(1970, 1, 1) + timedelta(days=number)


def assemble_column_counts(
    schema: ProfileSchema, slices: Sequence[str], found: GroupedRows
) -> Iterator[tuple[date, Group, Counts]]:
    """Yield one column's counts of each day and group from ``scan_queries.column_counts_query``, everyone's added."""
    found = _with_everyone(found, slices)
    keys, sums = _sum_equal_keys(
        [found[name] for name in "dsgc"], np.stack([found[name] for name in ("n", "high", "low")])
    )
    for (number, which, code), first, last in _runs_of_equal_keys(keys[:3]):
        group = _group_of_code(schema, slices[which], code) if which >= 0 else EVERYONE
        yield date_of_day_number(number), group, _counts_from_sums(keys[3][first:last], sums[:, first:last])


def assemble_score_counts(
    schema: ProfileSchema, groups: Sequence[str], found: GroupedRows
) -> Iterator[tuple[date, Group, Counts]]:
    """Yield the counts of the score from ``score_counts_query``; their total is the sum of billionths of its range."""
    return assemble_column_counts(schema, groups, {**found, "high": np.zeros_like(found["n"]), "low": found["share"]})


def _counts_from_sums(bins: Ints, sums: Ints) -> Counts:
    """Return counts from bins and the sums of ``n, high, low`` in each."""
    rows = dict(zip(bins.tolist(), sums[0].tolist(), strict=True))
    nulls, nonfinite = rows.pop(NULLS, 0), rows.pop(NONFINITE, 0)
    return Counts(nulls, nonfinite, sum(sums[1].tolist()) * TWO_32 + sum(sums[2].tolist()), rows)


def assemble_cubes(schema: ProfileSchema, groups: Sequence[str], found: GroupedRows) -> dict[date, Cube]:
    """Return each day's cube from rows of ``d, s, g, c, state`` and ``cube_sum_columns``, everyone's added."""
    assert schema.score is not None
    half, parts = schema.score.half, defaultdict[date, dict[Group, Ints]](dict)
    scored = found["c"] > max(NULLS, NONFINITE)
    found = _with_everyone({name: values[scored] for name, values in found.items()}, groups)
    keys, values = _sum_equal_keys(
        [found[name] for name in ("d", "s", "g", "c", "state")],
        np.stack([found[name] for name in cube_sum_columns(schema)]),
    )
    bins, states = keys[3] + half, keys[4]
    for (number, which, code), first, last in _runs_of_equal_keys(keys[:3]):
        part = np.zeros((2 * half, 4, schema.sums), dtype=np.int64)
        part[bins[first:last], states[first:last]] = values[:, first:last].T
        parts[date_of_day_number(number)][_group_of_code(schema, groups[which], code) if which >= 0 else EVERYONE] = (
            part
        )
    return {day: Cube(sort_groups(mine)) for day, mine in parts.items()}


def assemble_delays(
    schema: ProfileSchema, groups: Sequence[str], found: GroupedRows
) -> dict[date, dict[Group, dict[int, int]]]:
    """Return the frauds of each cohort day by delay in days: of EVERYONE, the MISSED, and each fraud type.

    Rows have ``d, s, g, delay, missed, n``; those of a fraud type are rolled up over ``missed``.
    """
    result: dict[date, dict[Group, dict[int, int]]] = defaultdict(lambda: defaultdict(lambda: defaultdict(int)))
    names = ("d", "delay", "missed", "s", "g", "n")
    for number, delay, missed, which, code, count in sorted(
        zip(*(found[name].tolist() for name in names), strict=True)
    ):
        if delay < 0:
            continue
        own = result[date_of_day_number(number)]
        if missed in (0, 1):
            own[EVERYONE][delay] += count
        if missed:
            own[MISSED if missed == 1 else _group_of_code(schema, groups[which], code)][delay] += count
    return {day: {group: dict(counts) for group, counts in own.items()} for day, own in result.items()}


def _group_of_code(schema: ProfileSchema, column: str, code: int) -> Group:
    """Return the group that a code of ``expressions.group_code`` stands for."""
    if code == NULL_GROUP:
        return (column, None)
    return (column, OTHER_VALUES if code == OTHER_GROUP else [v for v in schema.groups[column] if v is not None][code])


def _with_everyone(found: GroupedRows, groups: Sequence[str]) -> GroupedRows:
    """Add the rows of the first group column once more, as everyone's (s -1, g 0)."""
    if not groups:
        return found
    first = found["s"] == 0
    everyone = {name: values[first] for name, values in found.items()}
    everyone["s"], everyone["g"] = np.full_like(everyone["s"], -1), np.zeros_like(everyone["g"])
    return {name: np.concatenate([values, everyone[name]]) for name, values in found.items()}


def _sum_equal_keys(keys: Sequence[Ints], values: Ints) -> tuple[list[Ints], Ints]:
    """Sort rows by their keys, the first one slowest, and add up the values (rows last) of equal keys."""
    if not len(keys[0]):
        return list(keys), values
    packed = np.zeros(len(keys[0]), dtype=np.int64)
    for key in keys:
        low = int(key.min())
        packed = packed * (int(key.max()) - low + 1) + (key - low)
    order = np.argsort(packed, kind="stable")
    starts = np.flatnonzero(np.diff(packed[order], prepend=-1))
    return [key[order][starts] for key in keys], np.add.reduceat(values[:, order], starts, axis=1)


def _runs_of_equal_keys(keys: Sequence[Ints]) -> Iterator[tuple[tuple[int, ...], int, int]]:
    """Yield each run of equal keys in sorted rows: the keys, its first row, and the row after its last."""
    changes = np.zeros(len(keys[0]), dtype=bool)
    changes[:1] = True
    for key in keys:
        changes[1:] |= key[1:] != key[:-1]
    starts = np.flatnonzero(changes)
    heads = zip(*(key[starts].tolist() for key in keys), strict=True)
    bounds = [*starts.tolist(), len(changes)]
    yield from ((head, bounds[i], bounds[i + 1]) for i, head in enumerate(heads))
