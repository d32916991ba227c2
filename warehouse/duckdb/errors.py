"""What DuckDB raises, as sentences that hold nothing from the rows."""

from __future__ import annotations

import re

MOST_SHOWN = 200
"""Characters shown of DuckDB's own words."""
ERROR_KIND = re.compile(r"\b([A-Z][A-Za-z]+(?: [A-Z][a-z]+)* Error): ([^\n]*)")
ABOUT_NAMES = ("Binder Error", "Catalog Error", "Parser Error")
"""Kinds of errors that come before a row is read: they quote names and types only."""


def explain_check_error(message: str) -> str:
    """Return a sentence about an expectation that raised: DuckDB quotes the value that it couldn't convert."""
    kind = ERROR_KIND.search(message)
    if kind and kind[1] in ABOUT_NAMES:
        return f"DuckDB refuses it: {kind[2][:MOST_SHOWN]}"
    return f"DuckDB gave up on it: {kind[1]}" if kind else " ".join(message.split())[:MOST_SHOWN]
