"""The engines that hold a bank's tables: what Watchkeeper must know of each, and how an address finds its own.

A new engine is one folder and one line in FOLDERS. The folder's ``engine.py`` gives the record ``ENGINE``; everything
that only this engine needs (its client, its SQL, its errors, its source for Great Expectations) stays in the folder,
and is imported inside the record's functions: parsing a DAG imports every record, and no engine.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models.errors import WatchkeeperError, did_you_mean

if TYPE_CHECKING:
    from sqlglot import exp

    from warehouse.protocol import Relation, Warehouse

FOLDERS = (
    "warehouse.duckdb",
    "warehouse.bigquery",
)
"""The package of each engine, in the order in which messages name them."""


def as_written(tree: exp.Expression) -> exp.Expression:
    """Return a statement as it is: nothing in it is this engine's own way."""
    return tree


@dataclass(frozen=True)
class Engine:
    """What Watchkeeper must know of an engine. ``location`` is an address without its scheme.

    - ``name``: what people call it.
    - ``schemes``: what stands before ``://`` in its addresses; '' is an address without any.
    - ``addresses``: its accepted addresses in words, for an error's sentence.
    - ``dialect``: sqlglot's name for its SQL; ``rewrite`` changes a parsed statement, written as DuckDB reads it,
      where sqlglot alone would say it wrongly.
    - ``open_warehouse(location, read_at)``: opens it as it was at a moment (None: as it is); raises WatchkeeperError
      where the location isn't one of its own. A package that is missing there is reported with ``extra``.
    - ``open_batch(relation)``: gives Great Expectations' execution engine and the batch of a day's rows.
    - ``explain_check_error(message)``: a sentence about an expectation that raised, without a value of the rows.
    - ``unexpected_rows``: of expectations that can't run in a warehouse, the condition in this engine's SQL that finds
      the same rows.
    - ``lineage_namespace``, ``lineage_name(location, table)``: how OpenLineage names its tables.
    - ``how_to``: the page of the documentation that shows a model file for it.
    - ``extra``: the extra of the package ``watchkeeper`` that installs its client; None where nothing more is needed.
    - ``bills``: whether reading costs money, so that its warehouse keeps a cost account and a model's budget holds.
    """

    name: str
    schemes: tuple[str, ...]
    addresses: str
    dialect: str
    open_warehouse: Callable[[str, datetime | None], Warehouse]
    open_batch: Callable[[Relation], AbstractContextManager[tuple[Any, Any]]]
    explain_check_error: Callable[[str], str]
    lineage_namespace: str
    lineage_name: Callable[[str, str], str]
    unexpected_rows: Mapping[str, str] = field(default_factory=dict)
    rewrite: Callable[[exp.Expression], exp.Expression] = as_written
    how_to: str = "docs/how-to/own-table.md"
    extra: str | None = None
    bills: bool = False


def list_engines() -> list[Engine]:
    """Return the engine of each folder, in order."""
    return [importlib.import_module(f"{folder}.engine").ENGINE for folder in FOLDERS]


def engine_at(address: str | Path) -> tuple[Engine, str]:
    """Return the engine of a warehouse's address, and its location there; raise WatchkeeperError for an unknown one."""
    before, separator, after = str(address).partition("://")
    scheme, location = (before, after) if separator else ("", before)
    known = list_engines()
    for engine in known:
        if scheme in engine.schemes:
            return engine, location
    schemes = [each for engine in known for each in engine.schemes if each]
    raise WatchkeeperError(
        f"warehouse {address}: unknown kind '{scheme}'; accepted in WATCHKEEPER_WAREHOUSE are "
        f"{', and '.join(engine.addresses for engine in known)}{did_you_mean(scheme, schemes)}"
    )
