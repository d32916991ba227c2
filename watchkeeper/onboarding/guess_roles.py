"""Guesses which column is the time, the day, the id, the label, the score ..., each with its reason."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date

from models.errors import WatchkeeperError
from warehouse.duckdb.table_inspection import ColumnFacts, InspectedTable
from warehouse.sql import expressions as sql
from watchkeeper.onboarding.column_names import (
    DECISION_WORDS,
    KNOWN_AT_WORDS,
    LABEL_WORDS,
    PROTECTED_WORDS,
    SCORE_WORDS,
    TIME_WORDS,
    rank_by_name,
    words_in_name,
)

MAX_GROUPS = 12


def is_number(facts: ColumnFacts) -> bool:
    """Return whether a column holds numbers."""
    return sql.is_number_type(facts.kind)


def is_key(facts: ColumnFacts) -> bool:
    """Return whether a column has too many values to be groups: it may name cards or customers."""
    return facts.distinct > MAX_GROUPS


def is_binary(facts: ColumnFacts) -> bool:
    """Return whether a column's common values are all 0 and 1, or true and false."""
    values = {value.lower() for value, _ in facts.common}
    return bool(values) and values <= {"0", "1", "0.0", "1.0", "true", "false"}


def is_time(kind: str) -> bool:
    """Return whether a type holds days or times."""
    return kind.startswith(("TIMESTAMP", "DATE"))


def guess_by_name(
    facts: dict[str, ColumnFacts],
    wanted: Sequence[set[str]],
    taken: set[str],
    why: str,
    fits: Callable[[ColumnFacts], bool],
) -> tuple[str, str]:
    """Return the likeliest column by its name, of those that are free and fit, and why (or why none is)."""
    found = rank_by_name((name for name, own in facts.items() if name not in taken and fits(own)), wanted)
    others = f"; there are also {', '.join(found[1:4])}" if found[1:] else ""
    return (found[0], f"{why}{others}") if found else ("", "no column has such a name")


def guess_time(table: InspectedTable) -> tuple[str, str]:
    """Return the column of a payment's time, and why."""
    times = [name for name, kind in table.columns.items() if is_time(kind) and name != table.key]
    found = rank_by_name(times, TIME_WORDS) or times
    if found:
        return found[0], f"it holds {table.columns[found[0]].lower()}s" + (" and its name says so" if found[1:] else "")
    return "", "no column holds times"


def guess_day(table: InspectedTable, time: str) -> tuple[str, str]:
    """Return the column of a row's day, and why."""
    if table.key:
        return table.key, f"the folders are named {table.key}=YYYY-MM-DD"
    if "day" in table.columns:
        return "day", "its name"
    if time:
        return time, "the day is taken from the time, in UTC"
    texts = rank_by_name((name for name, kind in table.columns.items() if sql.is_text_type(kind)), TIME_WORDS)
    dated = next((name for name in texts if table.days(name)), "")
    return dated, "its text reads as days" if dated else "no column holds days or times"


def guess_id(table: InspectedTable, facts: dict[str, ColumnFacts], taken: set[str]) -> tuple[str, str]:
    """Return the column that names each row, and why; it has a value of its own in every row."""
    likely = [
        name
        for name, own in facts.items()
        if name not in taken
        and own.nulls == 0
        and own.distinct > table.rows * 0.8
        and not own.kind.startswith("DOUBLE")
    ]
    for name in [*rank_by_name(likely, ({"payment", "id"}, {"transaction", "id"}, {"id"})), *likely]:
        if table.is_unique(name):
            return name, "every row has a value of its own"
    return "", "no column has a value of its own in every row"


def guess_label(facts: dict[str, ColumnFacts], taken: set[str]) -> tuple[str, str]:
    """Return the column that says what was fraud, and why."""
    name, why = guess_by_name(facts, LABEL_WORDS, taken, "its name, and it holds 0 and 1", is_binary)
    return name, why if name else "no column of 0 and 1 has such a name; without labels, performance isn't watched"


def guess_score(facts: dict[str, ColumnFacts], taken: set[str]) -> tuple[str, str]:
    """Return the column of the model's score, and why."""
    return guess_by_name(
        facts, SCORE_WORDS, taken, "its name, and it holds numbers", lambda o: is_number(o) and not is_binary(o)
    )


def guess_score_range(facts: ColumnFacts) -> tuple[float, float]:
    """Return the lowest and highest score there can be: 0 to 1, 10, 100 or 1,000 where that fits."""
    low, high = facts.low or 0.0, facts.high or 0.0
    for end in (1.0, 10.0, 100.0, 1000.0):
        if low >= 0 and high <= end:
            return 0.0, end
    return float(int(low) - (low < 0)), float(int(high) + 1)


def guess_label_id(labels: InspectedTable, own: str) -> tuple[str, str]:
    """Return the column by which labels name their payment, and why."""
    if own in labels.columns:
        return own, "the table of payments has a column of this name"
    found = rank_by_name(labels.columns, ({"id"},))
    return (found[0], "its name") if found else ("", "no column has such a name")


def fraud_rate(table: InspectedTable, label: str, payments: int) -> float | None:
    """Return the share of payments labelled fraud, at most a half; None without a label column."""
    if not label:
        return None
    positive = sum(n for value, n in table.facts(label).common if value.lower() in ("1", "1.0", "true"))
    return min(0.5, positive / payments)


def guess_threshold(
    table: InspectedTable, facts: dict[str, ColumnFacts], score: str, taken: set[str], frauds: float | None
) -> tuple[str, str]:
    """Return the score from which on payments raise an alert, and why."""
    if not score:
        return "", "there is no score"
    for decision in rank_by_name((n for n, own in facts.items() if n not in taken and is_binary(own)), DECISION_WORDS):
        decision_threshold = table.decision_threshold(score, decision)
        if decision_threshold is not None:
            return f"{decision_threshold:.6g}", f"the lowest score for which {decision} is 1"
    share = frauds if frauds else 0.01
    why = f"as many alerts as there are frauds, {share:.2%} of payments" if frauds else "1 % of payments are above it"
    return f"{table.quantile(score, 1 - share):.6g}", f"{why}; put the one that is in use here"


def guess_known_at(table: InspectedTable, label: str, time: str) -> tuple[str, str]:
    """Return the column that says when a label became known, and why."""
    found = rank_by_name((name for name, kind in table.columns.items() if is_time(kind)), KNOWN_AT_WORDS)
    if found:
        return found[0], "its name"
    if time not in table.columns:
        time = guess_time(table)[0] or guess_day(table, "")[0]
    return time, f"the table doesn't say when {label} became known, so it is taken as known at once"


def guess_protected(facts: dict[str, ColumnFacts], taken: set[str]) -> tuple[str, str]:
    """Return the columns of groups that the law may protect, and why."""
    found = [
        name
        for name, own in facts.items()
        if name not in taken
        and "," not in name
        and words_in_name(name) & PROTECTED_WORDS
        and 2 <= own.distinct <= MAX_GROUPS
    ]
    return ", ".join(found), "groups by name that the law may protect" if found else "no column has such a name"


def guess_baseline(days: Sequence[date]) -> tuple[str, str]:
    """Return the days that stand for normal, and why; WatchkeeperError for a table of fewer than two days."""
    if len(days) < 2:
        raise WatchkeeperError(
            f"the table has {len(days)} days; a baseline and a day to compare with it need 2 at least, and 30 say more"
        )
    length = min(len(days) - 1, 60, max(14, len(days) // 3))
    end = days[length - 1]
    return f"{days[0]} to {end}", f"the first {length} of {len(days)} days; name days on which all was well"
