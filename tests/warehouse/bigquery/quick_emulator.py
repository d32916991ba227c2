"""`python -m tests.warehouse.bigquery.quick_emulator start ...`: bqemulator, which parses a statement only once.

By itself it parses one a score of times: each of its rewrites parses the statement anew, first for the dry run and then
for the run, and that is nearly all that it does with a statement of many columns. What it makes of a statement is the
same.
"""

from __future__ import annotations

import gc
from functools import lru_cache
from typing import Any

from sqlglot import exp
from sqlglot.dialects.dialect import Dialect

_parse = Dialect.parse


@lru_cache(maxsize=64)
def _parsed(dialect: type[Dialect], text: str) -> list[exp.Expression | None]:
    return _parse(dialect(), text)


def parse(self: Dialect, sql: str, **options: Any) -> list[exp.Expression | None]:
    """Return the statements of a text, as trees that the caller may change."""
    if options or self.settings:
        return _parse(self, sql, **options)
    return [tree and tree.copy() for tree in _parsed(type(self), sql)]


if __name__ == "__main__":
    gc.set_threshold(500_000, 5, 100)  # else looking for garbage among so many nodes takes a third of the time
    Dialect.parse = parse  # type: ignore[method-assign]
    from bqemulator.cli import main

    main()
