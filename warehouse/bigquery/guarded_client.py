"""A client of BigQuery for a library that sends statements of its own, which are held to the model's budget too."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from google.cloud import bigquery

if TYPE_CHECKING:
    from warehouse.bigquery.jobs import Jobs, Purpose


class GuardedClient:
    """A client for a library that sends statements of its own: each is run as Jobs runs ours, for one purpose.

    It is what SQLAlchemy's BigQuery dialect takes for a ``google.cloud.bigquery.Client``. The statement ``whole`` is
    only planned, and gives its columns without a row: Great Expectations sends the query of a partition as it is to
    learn its columns, and BigQuery would bill all of them.
    """

    def __init__(self, jobs: Jobs, client: bigquery.Client, purpose: Purpose, whole: str) -> None:
        self._jobs, self._client, self._purpose, self._whole = jobs, client, purpose, whole

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def query_and_wait(
        self, query: str, *, job_config: bigquery.QueryJobConfig, page_size: int | None = None
    ) -> bigquery.table.RowIterator:
        """Run a statement and return its rows."""
        run = self._jobs.planned if query.strip() == self._whole else self._jobs.run_to_end
        for one in job_config.query_parameters:
            if re.fullmatch(r"[a-z_]\w*", one.name, re.ASCII | re.IGNORECASE):
                query = query.replace(f"@`{one.name}`", f"@{one.name}")  # means the same; the emulator knows no other
        return run(query, job_config.query_parameters, self._purpose).result(page_size=page_size)
