"""The statements over the label table: what its events say of each id, and what that changes in the cohorts.

Of the feature table they name the day, the id, score, amount, action and group columns, and no feature.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

from models.spec import Labels, Spec
from profiles.profile import FRAUD, LEGITIMATE
from profiles.schema import ProfileSchema
from warehouse.source import Source
from warehouse.sql import expressions as sql
from warehouse.sql.expressions import Bound, quoted_column
from warehouse.sql.scan_queries import (
    amount_in_pence,
    cube_sum_columns,
    group_as_text,
    group_key_columns,
    grouping_sets,
    is_blocked,
    score_as_double,
    score_in_billionths,
    sum_as_bigint,
    weight_columns,
    where_clause,
)
from warehouse.sql.statement import Statement


def label_changes_query(
    schema: ProfileSchema,
    spec: Spec,
    source: Source,
    groups: Sequence[str],
    labels: Source,
    since: date | None,
    as_of: date,
) -> Statement:
    """Sum the labelled payments as known by the end of ``as_of``, less as known by the end of ``since`` (None: none).

    Returns ``d, s, g, c, state``, what ``cube_sum_columns`` names, ``delay`` and ``missed``, of ids with an event in
    between. Rows with a delay of days count frauds by the days between scoring and their first fraud label, and by
    whether they raised no alert.

    Where the model file names fraud types, they are the last group: NULL_GROUP is what is legitimate. Rows of a type
    with a delay leave ``missed`` null.
    """
    assert spec.labels is not None
    bound = Bound()
    own, theirs = join_keys(spec, spec.labels, source, labels)
    typed, names = spec.labels.type is not None, cube_sum_columns(schema)[1:]
    group_count = len(groups) + typed
    selected = _labelled_columns(schema, spec, source, groups, bound)
    conditions = [*source.wanted(bound), f"NOT {is_blocked(spec, source, bound)}"]
    if schema.score is not None:
        conditions.append(f"isfinite({score_as_double(spec, source)})")
    kept = ", ".join([*(f"s{j}" for j in range(group_count)), "d", "c", "state", "delay", "sign", *names])
    sums = [f"{sum_as_bigint('sign')} AS n", *(f"{sum_as_bigint(f'sign * {name}')} AS {name}" for name in names)]
    text = (
        f"WITH events AS ({_events_query(spec.labels, labels, as_of, theirs, bound)}), "
        f"{_signed_states_items(spec.labels, source, since, own, bound)}, "
        f"cells AS (SELECT {', '.join(selected)} FROM {source.scan(bound)} JOIN known AS k ON k.id = {own}"
        f"{where_clause(conditions)}) "
        f"SELECT d, {group_key_columns(group_count)}, c, state, {', '.join(sums)}, delay, missed "
        f"FROM (SELECT {kept}, CASE WHEN c < 0 THEN 1 ELSE 0 END AS missed FROM cells) AS r "
        f"GROUP BY GROUPING SETS ({grouping_sets(group_count, ['d, c, state'])}, (d, delay, missed)"
        f"{f', (s{len(groups)}, d, delay)' if typed else ''})"
    )
    return Statement(text, bound.values)


def _labelled_columns(
    schema: ProfileSchema, spec: Spec, source: Source, groups: Sequence[str], bound: Bound
) -> list[str]:
    """Return the columns of a labelled payment: those of its score, its fraud type, state, delay and sign."""
    assert spec.labels is not None
    first_day = sql.as_day_number("CAST(k.first_fraud AS DATE)")
    typed = f"CASE WHEN k.fraud THEN k.kind ELSE ({sql.NULL_GROUP}) END AS s{len(groups)}"
    return [
        *_scored_columns(schema, spec, source, groups, bound),
        *([typed] if spec.labels.type is not None else []),
        f"CASE WHEN k.fraud THEN {FRAUD} ELSE {LEGITIMATE} END AS state",
        f"CASE WHEN k.fraud THEN greatest({first_day} - {source.day_number()}, 0) ELSE (-1) END AS delay",
        "k.sign AS sign",
    ]


def known_labels_query(labels: Labels, source: Source, as_of: date, key: str, bound: Bound) -> str:
    """Return the query of what was known of each labelled id by the end of ``as_of``: ``id, fraud, first_fraud``."""
    return _states_query(labels, f"({_events_query(labels, source, as_of, key, bound)})")


def label_versions_query(labels: Labels, source: Source, as_of: Sequence[date]) -> Statement:
    """Count the events known by the end of each day, and sum a hash of each: whatever their order, the same.

    Returns one row of ``n0, h0, n1, h1...``.
    """
    bound = Bound()
    events = _events_query(labels, source, max(as_of), quoted_column(labels.id), bound)
    # 32 bits of each hash: the sum of billions of them is still a 64-bit integer.
    kind = "" if labels.type is None else ", kind"
    hashed = f"SELECT known_at, hash(id, label, known_at{kind}) % 4294967296 AS h FROM ({events})"
    counts = []
    for i, day in enumerate(as_of):
        known = f"CASE WHEN known_at < {_end_of_day(day, bound)}"
        counts += [f"count({known} THEN 1 END) AS n{i}", f"sum({known} THEN h END) AS h{i}"]
    return Statement(f"SELECT {', '.join(counts)} FROM ({hashed})", bound.values)


def unreadable_labels_query(labels: Labels, source: Source) -> Statement:
    """Count label events whose label is neither true nor false, and those whose known_at is no time."""
    bound, kinds = Bound(), source.columns
    label, known_at = labels.label, labels.known_at
    as_boolean = sql.column_as_boolean(label, kinds[label])
    as_timestamp = sql.column_as_timestamp(known_at, kinds[known_at])
    text = (
        f"SELECT count(CASE WHEN {as_boolean} IS NULL THEN {quoted_column(label)} END), "
        f"count(CASE WHEN {as_timestamp} IS NULL THEN {quoted_column(known_at)} END) "
        f"FROM {source.scan(bound)}{where_clause(source.wanted(bound))}"
    )
    return Statement(text, bound.values)


def join_keys(spec: Spec, labels: Labels, source: Source, label_source: Source) -> tuple[str, str]:
    """Return the ids of both tables in a form that compares: as they are, or both as text where one is text."""
    own, theirs = source.columns[spec.features.id], label_source.columns[labels.id]
    if own == theirs or (sql.is_number_type(own) and sql.is_number_type(theirs)):
        return quoted_column(spec.features.id), quoted_column(labels.id)
    return sql.column_as_text(spec.features.id), sql.column_as_text(labels.id)


_TYPES_LIMIT = 256
"""More than there can be fraud types."""


def _signed_states_items(labels: Labels, source: Source, since: date | None, own: str, bound: Bound) -> str:
    """Return the WITH items from ``events`` to ``known``: ``id, fraud, first_fraud, sign``, kind as ``_states_query``.

    Each id with an event after ``since`` stands there as known from all events (sign 1) and, where anything was, as
    known by ``since`` (sign -1). Only the events of such ids are grouped; of all others that would cost the most.
    """
    kind = "" if labels.type is None else "kind, "
    if since is None:
        ids = f"SELECT {own} FROM {source.scan(bound)}{where_clause(source.wanted(bound))}"
        before = ""
    else:
        start = _end_of_day(since, bound)
        ids = f"SELECT id FROM events WHERE known_at >= {start}"
        states = _states_query(labels, f"moved WHERE known_at < {start}")
        before = f" UNION ALL SELECT id, fraud, first_fraud, {kind}(-1) AS sign FROM ({states})"
    return (
        f"moved AS (SELECT id, label, {kind}known_at FROM events WHERE id IN ({ids})), "
        f"known AS (SELECT id, fraud, first_fraud, {kind}1 AS sign FROM ({_states_query(labels, 'moved')}){before})"
    )


def _states_query(labels: Labels, events: str) -> str:
    """Return the query of what events say of each id: ``id, fraud, first_fraud``, and ``kind`` where there are types.

    The newest event counts; of two at the same moment, the one that says fraud. That is so when the newest fraud
    event isn't older than the newest legitimate one. The kind is that of the newest fraud event; of two at the same
    moment, the one that the model file names later.
    """
    kind = newest = ""
    if labels.type is not None:
        # moment and kind in one number, so that their maximum is the kind of the newest
        newest = (
            f"max(CASE WHEN label THEN epoch_us(known_at) * {_TYPES_LIMIT} + kind - ({sql.OTHER_GROUP}) END) "
            "AS newest, "
        )
        kind = f", newest % {_TYPES_LIMIT} + ({sql.OTHER_GROUP}) AS kind"
    return (
        f"SELECT id, coalesce(fraud_at >= coalesce(clear_at, fraud_at), false) AS fraud, first_fraud{kind} FROM ("
        f"SELECT id, {newest}max(CASE WHEN label THEN known_at END) AS fraud_at, "
        "max(CASE WHEN NOT label THEN known_at END) AS clear_at, "
        f"min(CASE WHEN label THEN known_at END) AS first_fraud FROM {events} GROUP BY id)"
    )


def _events_query(labels: Labels, source: Source, as_of: date, key: str, bound: Bound) -> str:
    """Return the query of the events known by the end of ``as_of`` that count: ``id, label, known_at``.

    Where the model file names fraud types, also ``kind``: a type's index among them, or OTHER_GROUP.
    """
    kinds, until = source.columns, _end_of_day(as_of, bound)
    kind = coded = ""
    if labels.type is not None:
        level = sql.as_level(quoted_column(labels.type), kinds[labels.type])
        kind, coded = "kind, ", f"{sql.group_code(level, labels.types, bound)} AS kind, "
    return (
        f"SELECT id, label, {kind}known_at FROM (SELECT {key} AS id, {coded}"
        f"{sql.column_as_boolean(labels.label, kinds[labels.label])} AS label, "
        f"{sql.column_as_timestamp(labels.known_at, kinds[labels.known_at])} AS known_at "
        f"FROM {source.scan(bound)}{where_clause(source.wanted(bound))}) AS e "
        f"WHERE known_at < {until} AND label IS NOT NULL AND id IS NOT NULL"
    )


def _end_of_day(day: date, bound: Bound) -> str:
    """Return the first moment after a day."""
    return f"CAST({bound(datetime.combine(day + timedelta(days=1), time()))} AS TIMESTAMP)"


def _scored_columns(
    schema: ProfileSchema, spec: Spec, source: Source, groups: Sequence[str], bound: Bound
) -> list[str]:
    """Return the columns ``d, s0..., c`` and sums of a scored payment; without a score grid c and share are 0."""
    selected = [f"{source.day_number()} AS d"]
    selected += [
        f"{sql.group_code(group_as_text(spec, source, name, quoted_column), schema.groups[name], bound)} AS s{j}"
        for j, name in enumerate(groups)
    ]
    selected.append(f"{amount_in_pence(spec, source, bound)} AS pence")
    selected += weight_columns(spec, source, bound) if schema.weighted else []
    if schema.score is None:
        return [*selected, "0 AS c", "0 AS share"]
    selected.append(f"{sql.bin_of_finite(score_as_double(spec, source), schema.score, bound)} AS c")
    return [*selected, f"{score_in_billionths(spec, source, bound)} AS share"]
