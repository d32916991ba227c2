"""Drafts a model file from guesses of what the columns of a table are for, for a person to correct."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from statistics import median

from models.errors import WatchkeeperError
from warehouse.duckdb.table_inspection import InspectedTable
from watchkeeper.onboarding.column_names import AMOUNT_WORDS, ENTITY_WORDS
from watchkeeper.onboarding.guess_features import choose_features, guess_slices
from watchkeeper.onboarding.guess_roles import (
    fraud_rate,
    guess_baseline,
    guess_by_name,
    guess_day,
    guess_id,
    guess_known_at,
    guess_label,
    guess_label_id,
    guess_protected,
    guess_score,
    guess_score_range,
    guess_threshold,
    guess_time,
    is_key,
    is_number,
)

ChooseAnswer = Callable[[str, str, str], str]
"""Given a question's key, the guess ('' for none) and its reason, returns what is to be."""
QUESTIONS = ("time", "day", "id", "label", "label_id", "known_at", "score", "threshold", "amount", "entity",
             "protected", "slices", "baseline")  # fmt: skip
"""In the order in which they are asked; label_id only where labels have a table of their own."""


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

    time = ask("time", *guess_time(table))
    day = ask("day", *guess_day(table, time))
    if not day:
        raise WatchkeeperError(f"{table.path}: a day is needed; name the column with --set day=COLUMN")
    key = guess_id(table, facts, {time, day})
    if not key[0] and may_number:
        values["id"], reasons["id"] = "row_id", "no column has a value of its own in every row: rows are numbered"
    elif not ask("id", *key):
        raise WatchkeeperError(
            f"{table.path}: no column has a value of its own in every row; add --lay-out to have the rows numbered, "
            "or name the column with --set id=COLUMN"
        )
    taken = {time, day, values["id"]}
    beside = facts if labels is None else {name: labels.facts(name) for name in labels.columns}
    label = ask("label", *guess_label(beside, taken if labels is None else set()), of=labels or table)
    values["label_id"] = values["id"]
    if labels is not None:
        ask("label_id", *guess_label_id(labels, values["id"]), of=labels)
    known = ask("known_at", *guess_known_at(labels or table, label, time or day), of=labels or table) if label else ""
    frauds = fraud_rate(labels or table, label, table.rows)
    if labels is None:
        taken |= {label, known}
    score = ask("score", *guess_score(facts, taken))
    taken.add(score)
    limits = guess_score_range(facts[score]) if score else (0.0, 1.0)
    ask("threshold", *guess_threshold(table, facts, score, taken, frauds), of=None)
    ask("amount", *guess_by_name(facts, AMOUNT_WORDS, taken, "its name", is_number))
    ask(
        "entity",
        *guess_by_name(facts, ENTITY_WORDS, taken, "its name: the precision of the top cards counts by it", is_key),
    )
    taken.add(values["entity"])
    protected = _split_names(ask("protected", *guess_protected(facts, taken)))
    slices = _split_names(ask("slices", *guess_slices(facts, {*taken, *protected}, table.rows, values)))
    by_day = table.days(day)
    start, end = _parse_span(ask("baseline", *guess_baseline(list(by_day)), of=None))
    thin = [each for each in by_day if start <= each <= end and by_day[each] < median(by_day.values()) / 2]
    columns, left_out = choose_features(
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


def first_days_to_watch(draft_: ModelFileDraft, most: int = 31) -> tuple[date, date]:
    """Return the first days after the baseline, at most a month of them, to be watched first."""
    _, end = _parse_span(draft_.values["baseline"])
    after = [day for day in draft_.days if day > end]
    start = after[0] if after else end + timedelta(days=1)
    return start, after[min(most, len(after)) - 1] if after else start
