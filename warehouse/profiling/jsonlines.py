"""JSON lines as an Arrow table whose types are those of a model's profile schema."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import duckdb

from models.errors import WatchkeeperError
from models.spec import Spec
from profiles.schema import ProfileSchema
from warehouse.duckdb.connection import connect_duckdb
from warehouse.profiling import arrow
from warehouse.sql import expressions as sql
from warehouse.sql.expressions import Bound
from warehouse.sql.statement import Statement

if TYPE_CHECKING:
    import pyarrow as pa

NO_OBJECT, NO_DAY = -2, -1
"""What may be wrong with a line, besides the place of a column whose value can't be read."""


def json_lines_to_table(spec: Spec, schema: ProfileSchema, lines: Sequence[tuple[int, str]], name: str) -> pa.Table:
    """Return lines, given with their numbers, as a table: one object each, a missing key is a null.

    Numbers are doubles, embeddings lists of doubles, the model's other columns text; keys that the model doesn't
    read are left out. The day (UTC) is that of the day column or, where a line has none, of the event time. Raises
    WatchkeeperError, with the name and the line, for what isn't such an object or can't be read as its type.
    """
    import pyarrow as pa  # noqa: PLC0415  parsing the DAGs imports this package too

    kinds = arrow.profiled_column_types(spec, schema)
    numbers, texts = zip(*lines, strict=True) if lines else ((), ())
    rows = {"line": pa.array(numbers, pa.int64()), "text": pa.array(texts, pa.string())}
    connection = connect_duckdb()
    connection.register("lines", pa.table(rows))
    statement = _typed_query(spec, kinds)
    try:
        found = connection.execute(statement.text, statement.values).to_arrow_table()
    except duckdb.InvalidInputException as error:
        ((line,),) = connection.execute("SELECT min(line) FROM lines WHERE NOT json_valid(text)").fetchall()
        raise WatchkeeperError(f"{name}: line {line}: isn't JSON; accepted is one object a line") from error
    finally:
        connection.close()
    _check_lines(spec, kinds, found, name)
    return found.drop_columns(["line", "problem"])


def _typed_query(spec: Spec, kinds: Mapping[str, str]) -> Statement:
    """Return the query of the typed columns, with each ``line`` and its ``problem``, null where it has none.

    A line is parsed once for all of its values, and once more for their types: a whole number with a point is, as a
    level, the same as without.
    """
    bound, features = Bound(), spec.features
    days = [features.day, *([features.time] if features.time else [])]
    paths = bound(["", *(_json_pointer(name) for name in (*days, *kinds))])
    dates = [arrow.cast_to_date(f"v[{i}]", "VARCHAR") for i in range(2, 2 + len(days))]
    day = f"CASE WHEN v[2] IS NOT NULL THEN {dates[0]} ELSE {dates[-1]} END"
    columns, problems = [f"{day} AS {sql.quote_identifier(features.day)}"], []
    for i, (name, kind) in enumerate(kinds.items()):
        given = f"v[{i + 2 + len(days)}]"
        value = _typed_value(given, f"k[{i + 2 + len(days)}]", kind)
        columns.append(f"{value} AS {sql.quote_identifier(name)}")
        if kind != "VARCHAR":
            problems.append(f"WHEN {given} IS NOT NULL AND {value} IS NULL THEN {i}")
    problem = f"CASE WHEN k[1] <> 'OBJECT' THEN {NO_OBJECT} WHEN {day} IS NULL THEN {NO_DAY} {' '.join(problems)} END"
    parsed = f"SELECT line, json_extract_string(text, {paths}) AS v, json_type(text, {paths}) AS k FROM lines"
    text = f"SELECT {', '.join(columns)}, line, {problem} AS problem FROM ({parsed})"
    return Statement(text, bound.values)


def _typed_value(given: str, json_kind: str, kind: str) -> str:
    if kind == "VARCHAR":
        level = sql.as_level(f"TRY_CAST({given} AS DOUBLE)", "DOUBLE")
        return f"CASE {json_kind} WHEN 'DOUBLE' THEN {level} ELSE {given} END"
    if kind == "DOUBLE":
        return f"CASE {given} WHEN 'true' THEN 1.0 WHEN 'false' THEN 0.0 ELSE TRY_CAST({given} AS DOUBLE) END"
    return f"TRY_CAST({given} AS {kind})"


def _json_pointer(name: str) -> str:
    """Return the JSON pointer of an object's key (RFC 6901)."""
    return "/" + name.replace("~", "~0").replace("/", "~1")


def _check_lines(spec: Spec, kinds: Mapping[str, str], found: pa.Table, name: str) -> None:
    """Raise WatchkeeperError about the first line with a problem; what it holds is not shown."""
    import pyarrow.compute  # noqa: PLC0415  see above

    bad = found.filter(pyarrow.compute.is_valid(found["problem"])).sort_by("line")
    if not len(bad):
        return
    line, problem = bad["line"][0].as_py(), bad["problem"][0].as_py()
    if problem == NO_OBJECT:
        what = "isn't an object; accepted is one object a line"
    elif problem == NO_DAY:
        days = [spec.features.day, *([spec.features.time] if spec.features.time else [])]
        what = f"{' or '.join(repr(each) for each in days)} holds no day; accepted are dates and ISO times"
    else:
        column, kind = list(kinds.items())[problem]
        what = f"'{column}' can't be read; accepted are {'numbers' if kind == 'DOUBLE' else 'arrays of numbers'}"
    raise WatchkeeperError(f"{name}: line {line}: {what}")
