"""Whether the columns that the model reads are there, and of the type they had."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date

from ledger.records.measurements import Measurement, Verdict
from models.spec import Spec

NUMBER_TYPES = re.compile(
    r"U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|INT\d*|BYTEINT"
    r"|FLOAT\d*|REAL|DOUBLE( PRECISION)?|(BIG)?(DECIMAL|NUMERIC)(\(.*\))?"
)
TEXT_TYPES = re.compile(r"VARCHAR|CHAR|BPCHAR|STRING|TEXT|ENUM\(.*\)|UUID")
TIME_TYPES = re.compile(r"DATETIME|TIMESTAMP(_S|_MS|_NS)?|TIMESTAMP WITH TIME ZONE|TIMESTAMPTZ")
TYPE_FAMILIES = {"number": NUMBER_TYPES, "text": TEXT_TYPES, "time": TIME_TYPES}


def measure_schema(
    spec: Spec, day: date, columns: Mapping[str, str], known_columns: Mapping[str, str] | None
) -> list[Measurement]:
    """Return missing, extra and retyped columns, one measurement each, or one with value 0 where there is none.

    ``columns`` and ``known_columns`` map names to types, today and in an earlier partition (None: there was none).
    A missing or retyped column that the model reads is a breach. A new column, and an unread one that is gone, are
    noted. Numbers of another width or precision aren't retyped: an integer column with a null is often written
    with decimals. Nor are texts of another kind or times of another resolution.
    """
    known = {name: kind for name, kind in (known_columns or {}).items() if name != spec.features.day}
    today = {name: kind for name, kind in columns.items() if name != spec.features.day}
    read = _columns_read(spec, known_columns)
    if not spec.features.columns:
        read |= dict.fromkeys(known.keys() - read.keys(), "")
    missing = {name: _missing(name in read) for name in (read.keys() | known.keys()) - today.keys()}
    extra = {
        name: (Verdict.OK, f"new column of type {today[name]}, which the model doesn't read yet")
        for name in (today.keys() - read.keys() - known.keys() if known_columns is not None else ())
    }
    retyped = {}
    for name, kind in today.items():
        was = known.get(name)
        if was is not None and type_family(was) != type_family(kind):
            retyped[name] = _retyped(f"its type was {was} and is {kind}", read=name in read)
        elif was is None and read.get(name) == "number" and type_family(kind) not in ("number", "BOOLEAN", "BOOL"):
            retyped[name] = _retyped(f"the model file says it is a number, its type is {kind}", read=True)
    blank = Measurement(spec.model, day, day, "schema", "", n=len(today), limit=0.0)
    return [
        *_column_measurements(replace(blank, metric="missing_columns"), missing),
        *_column_measurements(replace(blank, metric="extra_columns"), extra),
        *_column_measurements(replace(blank, metric="retyped_columns"), retyped),
    ]


def type_family(kind: str) -> str:
    """Return what a warehouse's column type holds: number, text, time, or the type itself."""
    upper = kind.upper().strip()
    return next((name for name, pattern in TYPE_FAMILIES.items() if pattern.fullmatch(upper)), upper)


def _columns_read(spec: Spec, known_columns: Mapping[str, str] | None) -> dict[str, str]:
    """Return the columns that the model file names, with 'number' where one must be a number, else ''.

    A name that is only a default counts unless an earlier partition did without that column.
    """
    features, score = spec.features, spec.score
    named = {name: column.kind if column.kind == "number" else "" for name, column in features.columns.items()}
    for part, key, kind in (
        (features, "id", ""),
        (features, "time", ""),
        (score, "column", "number"),
        (score, "amount", "number"),
        (score, "version", ""),
        (score, "action", ""),
        (score, "propensity", "number"),
    ):
        name = getattr(part, key)
        given = key in part.model_fields_set or known_columns is None or name in known_columns
        if name and given:
            named.setdefault(name, kind)
    for name in spec.groups:
        named.setdefault(name, "")
    return named


def _missing(read: bool) -> tuple[Verdict, str]:  # noqa: FBT001  one argument
    if read:
        return Verdict.BREACH, "the model reads this column, and it isn't there"
    return Verdict.OK, "was there earlier and is gone; the model doesn't read it"


def _retyped(reason: str, *, read: bool) -> tuple[Verdict, str]:
    return (Verdict.BREACH, reason) if read else (Verdict.OK, f"{reason}; the model doesn't read it")


def _column_measurements(blank: Measurement, columns: Mapping[str, tuple[Verdict, str]]) -> list[Measurement]:
    if not columns:
        return [replace(blank, value=0.0, reason=f"none of {blank.n} columns")]
    return [
        replace(blank, feature=name, value=1.0, verdict=verdict, reason=reason)
        for name, (verdict, reason) in sorted(columns.items())
    ]
