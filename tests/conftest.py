from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.warehouse.bigquery import emulator

if TYPE_CHECKING:
    from google.cloud import bigquery


@pytest.fixture(scope="session")
def bigquery_client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[bigquery.Client]:
    """Give a client of a local BigQuery that lasts for this session; skip where it isn't installed."""
    with emulator.running(tmp_path_factory.mktemp("bigquery")) as client:
        yield client
