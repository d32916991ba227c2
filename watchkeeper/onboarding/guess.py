"""Guesses what the columns of a table are for, each guess with its reason, for a person to correct."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from statistics import median

from models.errors import WatchkeeperError
from warehouse.duckdb.table_inspection import ColumnFacts, InspectedTable
from warehouse.sql import expressions as sql

ChooseAnswer = Callable[[str, str, str], str]
"""Given a question's key, the guess ('' for none) and its reason, returns what is to be."""
QUESTIONS = ("time", "day", "id", "label", "label_id", "known_at", "score", "threshold", "amount", "entity",
             "protected", "slices", "baseline")  # fmt: skip
"""In the order in which they are asked; label_id only where labels have a table of their own."""

TIME_WORDS = ({"event", "time"}, {"datetime"}, {"timestamp"}, {"time"}, {"created"}, {"date"}, {"day"})
LABEL_WORDS = ({"is", "fraud"}, {"fraud"}, {"label"}, {"target"}, {"chargeback"}, {"y", "true"}, {"default"})
SCORE_WORDS = ({"score"}, {"proba"}, {"probability"}, {"prediction"}, {"pred"})
AMOUNT_WORDS = ({"amount", "gbp"}, {"amount"}, {"value"}, {"price"})
ENTITY_WORDS = ({"card"}, {"customer"}, {"account"}, {"client"}, {"user"})
KNOWN_AT_WORDS = ({"known", "at"}, {"labelled", "at"}, {"confirmed"}, {"reported"}, {"chargeback", "date"}, {"known"})
DECISION_WORDS = ({"alert"}, {"y", "pred"}, {"pred"}, {"flagged"}, {"decision"})
PROTECTED_WORDS = {"sex", "gender", "race", "ethnicity", "ethnic", "religion", "nationality", "disability", "age"}
SLICE_WORDS = ({"channel"}, {"product"}, {"country"}, {"region"}, {"type"}, {"segment"})
FILLER_WORDS = {"is", "has", "tx", "flag", "label"}
MAX_TIME_CORRELATION = 0.95
"""A number whose correlation with the time is larger counts days rather than describing payments."""
MAX_GROUPS = 12


@dataclass(frozen=True)
class ModelFileDraft:
    """What a model file is to say, with the reason of each value by question."""

    model: str
    table: str
    label_table: str
    rows: int
    values: dict[str, str]
    reasons: dict[str, str]
    columns: dict[str, tuple[str, str]]
    """Kind and remark of each feature."""
    left_out: dict[str, str]
    """Columns that are not watched, and why."""
    score_range: tuple[float, float] = (0.0, 1.0)
    explicit: bool = False
    """Whether the label column also says which payments were legitimate."""
    references: dict[str, str] = field(default_factory=dict)
    exclude: tuple[date, ...] = ()
    days: tuple[date, ...] = ()


def words_in_name(name: str) -> set[str]:
    """Return the lower-case words of a column's name: ``TX_DATETIME``, ``txDatetime`` -> tx, datetime."""
    return {word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name)}


def to_model_name(text: str) -> str:
    """Return a text as a model's name: lower-case letters, digits and underscores, a letter first."""
    plain = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")
    return (plain if plain[:1].isalpha() else f"model_{plain}")[:64].rstrip("_")


def draft_model_file(
    table: InspectedTable,
    labels: InspectedTable | None,
    model: str,
    where: tuple[str, str],
    choose: ChooseAnswer,
    *,
    may_number: bool,
) -> ModelFileDraft:
    """Return what a model file may say of a table and its labels; every value went through ``choose``.

    ``labels`` is None where the labels are in the table itself; ``where`` names both tables as the model file will.
    ``may_number`` says that a table without an id may be given one (``row_id``). Raises WatchkeeperError where the
    table has no day, no id, or too few days, or for an answer that can't be.
    """
    values: dict[str, str] = {}
    reasons: dict[str, str] = {}
    facts = {name: table.facts(name) for name in table.columns}

    def ask(key: str, guess: str, reason: str, *, of: InspectedTable | None = table) -> str:
        answer = choose(key, guess, reason).strip()
        answer = "" if answer == "-" else answer
        values[key], reasons[key] = answer, reason if answer == guess else "as you said"
        if of is not None:
            for name in _split_names(answer):
                of.need(name)
        return answer

    time = ask("time", *_guess_time(table))
    day = ask("day", *_guess_day(table, time))
    if not day:
        raise WatchkeeperError(f"{table.path}: a day is needed; name the column with --set day=COLUMN")
    key = _guess_id(table, facts, {time, day})
    if not key[0] and may_number:
        values["id"], reasons["id"] = "row_id", "no column has a value of its own in every row: rows are numbered"
    elif not ask("id", *key):
        raise WatchkeeperError(
            f"{table.path}: no column has a value of its own in every row; add --lay-out to have the rows numbered, "
            "or name the column with --set id=COLUMN"
        )
    taken = {time, day, values["id"]}
    beside = facts if labels is None else {name: labels.facts(name) for name in labels.columns}
    label = ask("label", *_guess_label(beside, taken if labels is None else set()), of=labels or table)
    values["label_id"] = values["id"]
    if labels is not None:
        ask("label_id", *_guess_label_id(labels, values["id"]), of=labels)
    known = ask("known_at", *_guess_known_at(labels or table, label, time or day), of=labels or table) if label else ""
    frauds = _fraud_rate(labels or table, label, table.rows)
    if labels is None:
        taken |= {label, known}
    score = ask("score", *_guess_score(facts, taken))
    taken.add(score)
    limits = _guess_score_range(facts[score]) if score else (0.0, 1.0)
    ask("threshold", *_guess_threshold(table, facts, score, taken, frauds), of=None)
    ask("amount", *_guess_by_name(facts, AMOUNT_WORDS, taken, "its name", _is_number))
    ask(
        "entity",
        *_guess_by_name(facts, ENTITY_WORDS, taken, "its name: the precision of the top cards counts by it", _is_key),
    )
    taken.add(values["entity"])
    protected = _split_names(ask("protected", *_guess_protected(facts, taken)))
    slices = _split_names(ask("slices", *_guess_slices(facts, {*taken, *protected}, table.rows, values)))
    by_day = table.days(day)
    start, end = _parse_span(ask("baseline", *_guess_baseline(list(by_day)), of=None))
    thin = [each for each in by_day if start <= each <= end and by_day[each] < median(by_day.values()) / 2]
    columns, left_out = _choose_features(
        table, facts, {*taken, *protected, *slices} - {values["amount"]}, values, time or day
    )
    for name in slices:
        columns[name] = ("category", "")
    return ModelFileDraft(
        model, *where, table.rows, values, reasons, columns, left_out, limits,
        explicit=bool(label) and labels is None and facts[label].distinct > 1,
        references={name: facts[name].common[0][0] for name in protected if facts[name].common},
        exclude=tuple(thin), days=tuple(by_day),
    )  # fmt: skip


def _split_names(answer: str) -> list[str]:
    return [name.strip() for name in answer.split(",") if name.strip()]


def _parse_span(answer: str) -> tuple[date, date]:
    try:
        start, end = (date.fromisoformat(part.strip()) for part in answer.split(" to "))
    except ValueError as error:
        raise WatchkeeperError(f"baseline: '{answer}' must be two days such as 2026-01-01 to 2026-02-28") from error
    return start, end


def _is_number(facts: ColumnFacts) -> bool:
    return sql.is_number_type(facts.kind)


def _is_key(facts: ColumnFacts) -> bool:
    return facts.distinct > MAX_GROUPS


def _is_binary(facts: ColumnFacts) -> bool:
    values = {value.lower() for value, _ in facts.common}
    return bool(values) and values <= {"0", "1", "0.0", "1.0", "true", "false"}


def _is_time(kind: str) -> bool:
    return kind.startswith(("TIMESTAMP", "DATE"))


def _rank_by_name(names: Iterable[str], wanted: Sequence[set[str]]) -> list[str]:
    """Return the names that have all words of a wanted set, those of an earlier set first, the shorter ones first."""
    ranked = [
        (rank, len(words_in_name(name) - words), name)
        for name in names
        for rank, words in enumerate(wanted)
        if words <= words_in_name(name)
    ]
    return list(dict.fromkeys(name for *_, name in sorted(ranked, key=lambda each: each[:2])))


def _guess_by_name(
    facts: dict[str, ColumnFacts],
    wanted: Sequence[set[str]],
    taken: set[str],
    why: str,
    fits: Callable[[ColumnFacts], bool],
) -> tuple[str, str]:
    found = _rank_by_name((name for name, own in facts.items() if name not in taken and fits(own)), wanted)
    others = f"; there are also {', '.join(found[1:4])}" if found[1:] else ""
    return (found[0], f"{why}{others}") if found else ("", "no column has such a name")


def _guess_time(table: InspectedTable) -> tuple[str, str]:
    times = [name for name, kind in table.columns.items() if _is_time(kind) and name != table.key]
    found = _rank_by_name(times, TIME_WORDS) or times
    if found:
        return found[0], f"it holds {table.columns[found[0]].lower()}s" + (" and its name says so" if found[1:] else "")
    return "", "no column holds times"


def _guess_day(table: InspectedTable, time: str) -> tuple[str, str]:
    if table.key:
        return table.key, f"the folders are named {table.key}=YYYY-MM-DD"
    if "day" in table.columns:
        return "day", "its name"
    if time:
        return time, "the day is taken from the time, in UTC"
    texts = _rank_by_name((name for name, kind in table.columns.items() if sql.is_text_type(kind)), TIME_WORDS)
    dated = next((name for name in texts if table.days(name)), "")
    return dated, "its text reads as days" if dated else "no column holds days or times"


def _guess_id(table: InspectedTable, facts: dict[str, ColumnFacts], taken: set[str]) -> tuple[str, str]:
    likely = [
        name
        for name, own in facts.items()
        if name not in taken
        and own.nulls == 0
        and own.distinct > table.rows * 0.8
        and not own.kind.startswith("DOUBLE")
    ]
    for name in [*_rank_by_name(likely, ({"payment", "id"}, {"transaction", "id"}, {"id"})), *likely]:
        if table.is_unique(name):
            return name, "every row has a value of its own"
    return "", "no column has a value of its own in every row"


def _guess_label(facts: dict[str, ColumnFacts], taken: set[str]) -> tuple[str, str]:
    name, why = _guess_by_name(facts, LABEL_WORDS, taken, "its name, and it holds 0 and 1", _is_binary)
    return name, why if name else "no column of 0 and 1 has such a name; without labels, performance isn't watched"


def _guess_score(facts: dict[str, ColumnFacts], taken: set[str]) -> tuple[str, str]:
    return _guess_by_name(
        facts, SCORE_WORDS, taken, "its name, and it holds numbers", lambda o: _is_number(o) and not _is_binary(o)
    )


def _guess_score_range(facts: ColumnFacts) -> tuple[float, float]:
    low, high = facts.low or 0.0, facts.high or 0.0
    for end in (1.0, 10.0, 100.0, 1000.0):
        if low >= 0 and high <= end:
            return 0.0, end
    return float(int(low) - (low < 0)), float(int(high) + 1)


def _guess_label_id(labels: InspectedTable, own: str) -> tuple[str, str]:
    if own in labels.columns:
        return own, "the table of payments has a column of this name"
    found = _rank_by_name(labels.columns, ({"id"},))
    return (found[0], "its name") if found else ("", "no column has such a name")


def _fraud_rate(table: InspectedTable, label: str, payments: int) -> float | None:
    if not label:
        return None
    positive = sum(n for value, n in table.facts(label).common if value.lower() in ("1", "1.0", "true"))
    return min(0.5, positive / payments)


def _guess_threshold(
    table: InspectedTable, facts: dict[str, ColumnFacts], score: str, taken: set[str], frauds: float | None
) -> tuple[str, str]:
    if not score:
        return "", "there is no score"
    for decision in _rank_by_name(
        (n for n, own in facts.items() if n not in taken and _is_binary(own)), DECISION_WORDS
    ):
        decision_threshold = table.decision_threshold(score, decision)
        if decision_threshold is not None:
            return f"{decision_threshold:.6g}", f"the lowest score for which {decision} is 1"
    share = frauds if frauds else 0.01
    why = f"as many alerts as there are frauds, {share:.2%} of payments" if frauds else "1 % of payments are above it"
    return f"{table.quantile(score, 1 - share):.6g}", f"{why}; put the one that is in use here"


def _guess_known_at(table: InspectedTable, label: str, time: str) -> tuple[str, str]:
    found = _rank_by_name((name for name, kind in table.columns.items() if _is_time(kind)), KNOWN_AT_WORDS)
    if found:
        return found[0], "its name"
    if time not in table.columns:
        time = _guess_time(table)[0] or _guess_day(table, "")[0]
    return time, f"the table doesn't tell when {label} became known, so it is taken as known at once"


def _guess_protected(facts: dict[str, ColumnFacts], taken: set[str]) -> tuple[str, str]:
    found = [
        name
        for name, own in facts.items()
        if name not in taken
        and "," not in name
        and words_in_name(name) & PROTECTED_WORDS
        and 2 <= own.distinct <= MAX_GROUPS
    ]
    return ", ".join(found), "groups by name that the law may protect" if found else "no column has such a name"


def _guess_slices(facts: dict[str, ColumnFacts], taken: set[str], rows: int, roles: dict[str, str]) -> tuple[str, str]:
    fits = {
        name: own
        for name, own in facts.items()
        if name not in taken
        and "," not in name
        and sql.is_text_type(own.kind)
        and 2 <= own.distinct <= MAX_GROUPS
        and own.common[-1][1] >= rows / 100
        and not _reason_not_a_feature(name, own, roles, empty=False)
    }
    found = list(dict.fromkeys([*_rank_by_name(fits, SLICE_WORDS), *fits]))[:2]
    return ", ".join(found), "few values, each of at least 1 % of rows" if found else "no text has few, common values"


def _guess_baseline(days: Sequence[date]) -> tuple[str, str]:
    if len(days) < 2:
        raise WatchkeeperError(
            f"the table has {len(days)} days; a baseline and a day to compare with it need 2 at least, and 30 say more"
        )
    length = min(len(days) - 1, 60, max(14, len(days) // 3))
    end = days[length - 1]
    return f"{days[0]} to {end}", f"the first {length} of {len(days)} days; name days on which all was well"


def _choose_features(
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
        elif sql.is_number_type(own.kind) and not _is_binary(own):
            columns[name] = ("number", f"{own.low:,.6g} to {own.high:,.6g}" if own.low is not None else "")
        else:
            columns[name] = ("category", f"{own.distinct:,} values")
    return columns, left_out


def _reason_left_out(table: InspectedTable, name: str, own: ColumnFacts, roles: dict[str, str], time: str) -> str:
    """Return why a column is not to be watched as a feature; empty where it is."""
    return _reason_not_a_feature(name, own, roles, empty=own.nulls == table.rows) or _reason_never_alike(
        table, name, own, time
    )


def _reason_not_a_feature(name: str, own: ColumnFacts, roles: dict[str, str], *, empty: bool) -> str:
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
        and not words_in_name(name) - {"id", "tx"} - _owner_words()
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


def _owner_words() -> set[str]:
    return {word for words in ENTITY_WORDS for word in words} | {
        "terminal",
        "merchant",
        "device",
        "payment",
        "transaction",
    }


def first_days_to_watch(draft_: ModelFileDraft, most: int = 31) -> tuple[date, date]:
    """Return the first days after the baseline, at most a month of them, to be watched first."""
    _, end = _parse_span(draft_.values["baseline"])
    after = [day for day in draft_.days if day > end]
    start = after[0] if after else end + timedelta(days=1)
    return start, after[min(most, len(after)) - 1] if after else start
