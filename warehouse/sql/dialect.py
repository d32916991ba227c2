"""Our statements in an engine's own words: they are written as DuckDB reads them, and sqlglot knows nearly all else."""

from __future__ import annotations

from typing import cast

import sqlglot
from sqlglot import exp

from warehouse.engines import Engine

WRITTEN_FOR = "duckdb"
"""sqlglot's name for the SQL in which statements are written."""


def parse_statement(text: str) -> exp.Expression:
    """Return one of our statements as sqlglot's tree."""
    return cast("exp.Expression", sqlglot.parse_one(text, read=WRITTEN_FOR))


def format_statement(text: str, engine: Engine) -> str:
    """Return one of our statements laid out for reading, in an engine's words."""
    return engine.rewrite(parse_statement(text)).sql(dialect=engine.dialect, pretty=True) + "\n"
