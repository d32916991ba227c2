"""Great Expectations on BigQuery: its own SQL source, with a client that holds each of its statements to the budget.

Importing this module imports great_expectations, which takes seconds: import it inside functions only.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from warehouse import great_expectations
from warehouse.protocol import Relation


@contextmanager
def open_batch(relation: Relation) -> Generator[tuple[Any, Any], None, None]:
    """Give the engine that runs the query and the batch of its rows; no table is written, temporary or other."""
    source = great_expectations.great_expectations_context().data_sources.add_or_update_bigquery(
        name="bigquery",
        connection_string=relation.address,
        create_temp_table=False,
        kwargs={"connect_args": dict(relation.arguments)},
    )
    asset = source.add_query_asset("partition", query=relation.query)
    try:
        yield source.get_execution_engine(), asset.add_batch_definition_whole_table("whole").get_batch()
    finally:
        source.get_engine().dispose()
