"""Which Great Expectations types there are and what they take, known without importing Great Expectations.

``python -m checks.expectation_types`` writes ``expectations.json`` again from the installed Great Expectations.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import date
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any, get_args

from checks.unsupported import UNSUPPORTED_TYPES
from models.errors import did_you_mean
from models.spec import Severity, Spec

TYPES_FILE = Path(__file__).with_name("expectations.json")
ROW_CONDITION = re.compile(
    r"""\s*col\("[^"]+"\)\s*(\.notnull\(\)|(==|!=|<=|>=|<|>)\s*([+-]?\d+(\.\d*)?([eE][+-]?\d+)?|"[^"']+"|'[^"']+'))\s*"""
)
"""The row conditions that Great Expectations understands on a SQL engine; it ignores what follows them in silence."""
ACCEPTED_CONDITIONS = """col("column").notnull(), or col("column") with ==, !=, <, <=, > or >= and a number or a text"""
COLUMN_ARGUMENTS = ("column", "column_A", "column_B", "column_list")

Check = Mapping[str, Mapping[str, Any]]
"""One entry of ``checks`` in a model file: an expectation type with its arguments."""


def describe_spec_problems(spec: Spec) -> list[str]:
    """Return a sentence for each thing that is wrong with the model file's ``checks``: where, what, what is accepted.

    A column that the model file doesn't list may well be in the table, so only one that looks misspelt is named.
    """
    found = []
    for number, check in enumerate(spec.checks, 1):
        kind = next(iter(check))
        where = f"checks, entry {number}, {kind}"
        found += [
            f"{where}: {fault}" for fault in [*describe_check_faults(check), *_misspelt_columns(spec, check[kind])]
        ]
        if check in spec.checks[: number - 1]:
            found.append(f"{where}: is the same as entry {spec.checks.index(check) + 1}; leave one of them out")
    return found


def describe_check_faults(check: Check) -> list[str]:
    """Return a sentence for each reason why one expectation can't be run as it is written."""
    ((kind, arguments),) = check.items()
    known = runnable_types()
    if kind in UNSUPPORTED_TYPES:
        return [f"can't be run in the warehouse; {UNSUPPORTED_TYPES[kind]}"]
    if kind not in known:
        return [f"no such expectation in Great Expectations{did_you_mean(kind, known)}"]
    accepted: dict[str, list[str]] = known[kind]["arguments"]
    found = [
        f"{name}: unknown argument; accepted are {', '.join(accepted)}{did_you_mean(name, accepted)}"
        for name in arguments
        if name not in accepted
    ]
    found += [f"{name}: is missing" for name in known[kind]["required"] if arguments.get(name) is None]
    for name, value in arguments.items():
        if name in accepted and value is not None:
            found += _wrong_value(name, value, accepted[name])
    if {"min_value", "max_value"} <= accepted.keys() and not _has_bound(arguments):
        found.append("checks nothing without min_value or max_value")
    return found


@cache
def runnable_types() -> dict[str, dict[str, Any]]:
    """Return every expectation type that can be run: its ``arguments`` with what each accepts, and the ``required``."""
    content: dict[str, dict[str, Any]] = json.loads(TYPES_FILE.read_text(encoding="utf-8"))
    return content


def checked_columns(arguments: Mapping[str, Any]) -> list[str]:
    """Return the columns that an expectation is about; none for one about the table."""
    found: list[str] = []
    for name in COLUMN_ARGUMENTS:
        value = arguments.get(name)
        found += [value] if isinstance(value, str) else [str(column) for column in value or ()]
    return found


def _has_bound(arguments: Mapping[str, Any]) -> bool:
    return any(arguments.get(bound) is not None for bound in ("min_value", "max_value", "threshold"))


def _wrong_value(name: str, value: Any, kinds: list[str]) -> Iterator[str]:
    shown = repr(value) if len(repr(value)) <= 60 else f"{repr(value)[:57]}..."
    if not any(_is_of_kind(value, kind) for kind in kinds):
        hint = did_you_mean(str(value), [kind.strip("'") for kind in kinds if kind.startswith("'")])
        yield f"{name}: must be {' or '.join(kinds)}, not {shown}{hint}"
    elif name == "mostly" and not 0 <= value <= 1:
        yield f"mostly: must be a share from 0 to 1, not {shown}"
    elif name == "row_condition" and not ROW_CONDITION.fullmatch(value):
        yield f"row_condition: must be {ACCEPTED_CONDITIONS}, not {shown}"


def _is_of_kind(value: Any, kind: str) -> bool:
    """Return whether a value of YAML is of a kind, as KIND_WORDS says it; anything else is one accepted text."""
    if kind in ACCEPTED_TYPES and isinstance(value, ACCEPTED_TYPES[kind]):
        return kind == "true or false" or not isinstance(value, bool)
    return kind == f"'{value}'" or (kind == "a date" and isinstance(value, str) and _reads_as_date(value))


def _reads_as_date(text: str) -> bool:
    try:
        date.fromisoformat(text[:10])
    except ValueError:
        return False
    return True


def _misspelt_columns(spec: Spec, arguments: Mapping[str, Any]) -> Iterator[str]:
    if not spec.features.columns:
        return
    features, score = spec.features, spec.score
    named = [features.id, features.day, features.time, score.column, score.amount, score.version, score.action]
    named.append(score.propensity)
    known = {*features.columns, *spec.groups, *(name for name in named if name)}
    for column in checked_columns(arguments):
        nearest = get_close_matches(column, known, n=1, cutoff=0.85)
        # feature_10 and feature_11 are near, but neither is a misspelling of the other
        if nearest and column not in known and re.sub(r"\d", "", column) != re.sub(r"\d", "", nearest[0]):
            yield f"column '{column}' isn't one of the model's columns; did you mean '{nearest[0]}'?"


def read_from_library() -> dict[str, dict[str, Any]]:
    """Return what ``expectations.json`` should hold, as the installed Great Expectations defines it (slow import)."""
    from warehouse.great_expectations import find_expectation_class, list_expectation_types  # noqa: PLC0415  takes seconds

    result = {}
    for kind in sorted(set(list_expectation_types()) - UNSUPPORTED_TYPES.keys()):
        fields = find_expectation_class(kind).__fields__
        ours = {name: field for name, field in fields.items() if name not in IGNORED_FIELDS}
        result[kind] = {
            "arguments": {
                name: FIXED_ARGUMENT_KINDS.get(name) or _kinds(field.outer_type_)
                for name, field in sorted(ours.items())
            },
            "required": sorted(name for name, field in ours.items() if field.required),
        }
    return result


IGNORED_FIELDS = (
    "batch_id",
    "catch_exceptions",
    "id",
    "library_metadata",
    "rendered_content",
    "result_format",
    "windows",
)
"""Fields that Great Expectations fills itself, or that need results of earlier days, which the ledger keeps."""
FIXED_ARGUMENT_KINDS = {
    "condition_parser": ["'great_expectations'"],
    "notes": ["a text", "a list"],
    "row_condition": ["a text"],
    "severity": [f"'{severity}'" for severity in get_args(Severity)],
}
KIND_WORDS = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a text",
    list: "a list",
    tuple: "a list",
    date: "a date",
    dict: "a mapping",
}


ACCEPTED_TYPES: dict[str, tuple[type, ...]] = {
    **{words: (kind,) for kind, words in KIND_WORDS.items()},
    "a number": (int, float),
    "a list": (list, tuple),
}


def _kinds(annotation: Any) -> list[str]:
    """Return in words what a field accepts.

    A mapping is accepted only where nothing else is: elsewhere it would be a suite parameter, which we don't have.
    """
    found = list(dict.fromkeys(_walk_annotation(annotation)))
    return [kind for kind in found if kind != "a mapping"] or found


def _walk_annotation(annotation: Any) -> Iterator[str]:
    name = str(annotation)
    if name.startswith("typing.Literal"):
        yield from (f"'{value}'" for value in get_args(annotation))
    elif re.match(r"(typing\.)?(list|set|sequence|tuple)\b", name, re.IGNORECASE):
        yield "a list"
    elif isinstance(annotation, type):
        nearest = [kind for kind in KIND_WORDS if issubclass(annotation, kind)]
        yield KIND_WORDS[nearest[0]] if nearest else "a mapping"
    elif hasattr(annotation, "__metadata__"):
        yield from _walk_annotation(annotation.__origin__)
    else:
        for part in get_args(annotation):
            yield from () if part is type(None) else _walk_annotation(part)


if __name__ == "__main__":
    TYPES_FILE.write_text(json.dumps(read_from_library(), indent=1) + "\n", encoding="utf-8")
