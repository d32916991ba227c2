"""Chooses which columns are watched as features or slices, and says why the others aren't."""

from __future__ import annotations

from warehouse.duckdb.table_inspection import ColumnFacts, InspectedTable
from warehouse.sql import expressions as sql
from watchkeeper.onboarding.column_names import (
    DECISION_WORDS,
    FILLER_WORDS,
    SCORE_WORDS,
    SLICE_WORDS,
    owner_words,
    rank_by_name,
    words_in_name,
)
from watchkeeper.onboarding.guess_roles import MAX_GROUPS, is_binary

MAX_TIME_CORRELATION = 0.95
"""A number whose correlation with the time is larger counts days rather than describing payments."""


def guess_slices(facts: dict[str, ColumnFacts], taken: set[str], rows: int, roles: dict[str, str]) -> tuple[str, str]:
    """Return at most two columns of few, common values by which to slice, and why."""
    fits = {
        name: own
        for name, own in facts.items()
        if name not in taken
        and "," not in name
        and sql.is_text_type(own.kind)
        and 2 <= own.distinct <= MAX_GROUPS
        and own.common[-1][1] >= rows / 100
        and not reason_not_a_feature(name, own, roles, empty=False)
    }
    found = list(dict.fromkeys([*rank_by_name(fits, SLICE_WORDS), *fits]))[:2]
    return ", ".join(found), "few values, each of at least 1 % of rows" if found else "no text has few, common values"


def choose_features(
    table: InspectedTable, facts: dict[str, ColumnFacts], taken: set[str], roles: dict[str, str], time: str
) -> tuple[dict[str, tuple[str, str]], dict[str, str]]:
    """Return kind and remark of each column that is to be watched, and why the others aren't."""
    columns: dict[str, tuple[str, str]] = {}
    left_out: dict[str, str] = {}
    for name, own in facts.items():
        if name in taken:
            continue
        why = _reason_left_out(table, name, own, roles, time)
        if why:
            left_out[name] = why
        elif sql.is_embedding_type(own.kind):
            columns[name] = ("embedding", "an array of numbers")
        elif sql.is_number_type(own.kind) and not is_binary(own):
            columns[name] = ("number", f"{own.low:,.6g} to {own.high:,.6g}" if own.low is not None else "")
        else:
            columns[name] = ("category", f"{own.distinct:,} values")
    return columns, left_out


def _reason_left_out(table: InspectedTable, name: str, own: ColumnFacts, roles: dict[str, str], time: str) -> str:
    """Return why a column is not to be watched as a feature; empty where it is."""
    return reason_not_a_feature(name, own, roles, empty=own.nulls == table.rows) or _reason_never_alike(
        table, name, own, time
    )


def reason_not_a_feature(name: str, own: ColumnFacts, roles: dict[str, str], *, empty: bool) -> str:
    """Return why a column's name or content says that it is no feature; empty where it may be one."""
    label, score = roles["label"], roles["score"]
    if empty:
        return "empty"
    if label and (words_in_name(label) - FILLER_WORDS or {""}) <= words_in_name(name):
        return f"its name says that it comes from the label {label}"
    if (
        score
        and sql.is_number_type(own.kind)
        and any(words <= words_in_name(name) for words in (*SCORE_WORDS, *DECISION_WORDS))
    ):
        return f"another score, or what was decided by {score}"
    if (
        "id" in words_in_name(name)
        and own.distinct > MAX_GROUPS
        and not words_in_name(name) - {"id", "tx"} - owner_words()
    ):
        return "an id, not a feature"
    return ""


def _reason_never_alike(table: InspectedTable, name: str, own: ColumnFacts, time: str) -> str:
    if sql.is_number_type(own.kind) and abs(table.correlation_with_time(name, time)) > MAX_TIME_CORRELATION:
        return "it grows with time, so no day could look like the baseline"
    if sql.is_text_type(own.kind) and own.distinct > table.rows / 2:
        return "nearly every row has a value of its own"
    usable = (
        sql.is_number_type(own.kind)
        or sql.is_text_type(own.kind)
        or sql.is_embedding_type(own.kind)
        or own.kind == "BOOLEAN"
    )
    return "" if usable else f"{own.kind.lower()} is not watched"
