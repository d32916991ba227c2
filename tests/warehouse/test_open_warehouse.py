from __future__ import annotations

import pytest

import warehouse
from models.errors import WatchkeeperError
from warehouse.bigquery.warehouse import BigQueryWarehouse
from warehouse.duckdb.warehouse import ParquetWarehouse


def test_an_address_opens_a_folder_or_bigquery_and_refuses_what_is_neither(tmp_path, monkeypatch):
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", "http://127.0.0.1:9")  # nothing is asked of it yet
    assert isinstance(warehouse.open_warehouse(tmp_path), ParquetWarehouse)
    assert isinstance(warehouse.open_warehouse(f"file://{tmp_path}"), ParquetWarehouse)
    assert isinstance(warehouse.open_warehouse("bigquery://project/EU"), BigQueryWarehouse)
    with pytest.raises(WatchkeeperError, match="accepted is bigquery://project or bigquery://project/location"):
        warehouse.open_warehouse("bigquery:///EU")
    with pytest.raises(WatchkeeperError, match="unknown kind 's3'"):
        warehouse.open_warehouse("s3://bucket")
