from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace

import pytest

from tests.warehouse import made
from warehouse.duckdb.warehouse import ParquetWarehouse


@pytest.fixture(scope="session")
def bank(tmp_path_factory):
    """A week of payments: root, rows by day, model, warehouse, and the frame of the week. Read only."""
    root = tmp_path_factory.mktemp("bank")
    days, model, warehouse = made.week(root), made.spec(), ParquetWarehouse(root)
    frame = warehouse.fit_profile_schema(model)
    return SimpleNamespace(
        root=root, days=days, model=model, warehouse=warehouse, frame=frame,
        start=made.DAY, end=made.DAY + timedelta(days=6),
    )  # fmt: skip
