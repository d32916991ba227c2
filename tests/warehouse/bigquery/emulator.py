"""A local BigQuery: PyPI's ``bqemulator`` as a process of its own, spoken to by Google's own client."""

from __future__ import annotations

import importlib.util
import io
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

if TYPE_CHECKING:
    from google.cloud import bigquery

PROJECT = "bank"
SECONDS_TO_START = 60
INSTALL = "import duckdb, sys; duckdb.connect().execute(f\"INSTALL '{sys.argv[1]}'\")"


@contextmanager
def running(folder: Path) -> Iterator[bigquery.Client]:
    """Start an empty BigQuery of project PROJECT, with everything it writes under ``folder``; give a client of it."""
    rest, grpc = _free_ports()
    # DuckDB keeps its extensions in the home folder; this one belongs to the test, and nothing is downloaded
    environment = {**os.environ, "HOME": str(folder), "BQEMU_LOG_LEVEL": "error"}
    subprocess.run([sys.executable, "-c", INSTALL, str(_spatial_extension())], env=environment, check=True)
    command = [
        sys.executable,
        "-m",
        "tests.warehouse.bigquery.quick_emulator",
        "start",
        "--rest-port",
        str(rest),
        "--grpc-port",
        str(grpc),
    ]
    command += ["--project", PROJECT, "--log-level", "error"]
    log = folder / "bqemulator.log"
    with log.open("wb") as output, subprocess.Popen(command, env=environment, stdout=output, stderr=output) as process:
        try:
            address = f"http://127.0.0.1:{rest}"
            _wait(address, process, log)
            client = client_of(address)
            yield client
            client.close()
        finally:
            process.terminate()


def client_of(address: str) -> bigquery.Client:
    """Return Google's client of a BigQuery at an address, without credentials."""
    from google.api_core.client_options import ClientOptions
    from google.auth.credentials import AnonymousCredentials
    from google.cloud import bigquery

    return bigquery.Client(
        project=PROJECT,
        credentials=AnonymousCredentials(),
        client_options=ClientOptions(api_endpoint=address),
        location="EU",
    )


def load(client: bigquery.Client, table: str, rows: pa.Table, day: str = "day") -> None:
    """Write rows as ``dataset.table``, partitioned by a day column; a table that is there is replaced."""
    from google.cloud import bigquery

    dataset, _, _ = table.partition(".")
    client.create_dataset(dataset, exists_ok=True)
    client.delete_table(table, not_found_ok=True)
    fields = [bigquery.SchemaField(field.name, _kind(field.type)) for field in rows.schema]
    described = bigquery.Table(f"{PROJECT}.{table}", schema=fields)
    described.time_partitioning = bigquery.TimePartitioning(field=day)
    client.create_table(described)
    content = io.BytesIO()
    pq.write_table(rows, content)
    content.seek(0)
    config = bigquery.LoadJobConfig(source_format="PARQUET")
    client.load_table_from_file(content, table, job_config=config).result()  # resumable: it refuses multipart


def _kind(kind: pa.DataType) -> str:
    types = pa.types
    known = {types.is_integer: "INT64", types.is_floating: "FLOAT64", types.is_decimal: "NUMERIC",
             types.is_boolean: "BOOL", types.is_date: "DATE", types.is_timestamp: "TIMESTAMP"}  # fmt: skip
    return next((name for is_kind, name in known.items() if is_kind(kind)), "STRING")


def _spatial_extension() -> Path:
    for package in ("bqemulator", "duckdb_extension_spatial"):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"the package {package} isn't installed")
    found = importlib.util.find_spec("duckdb_extension_spatial")
    assert found is not None
    assert found.origin is not None
    (file,) = Path(found.origin).parent.rglob("spatial.duckdb_extension")
    return file


def _free_ports() -> tuple[int, int]:
    with socket.socket() as first, socket.socket() as second:
        for one in (first, second):
            one.bind(("127.0.0.1", 0))
        return first.getsockname()[1], second.getsockname()[1]


def _wait(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < until and process.poll() is None:
        try:
            urllib.request.urlopen(f"{address}/bigquery/v2/projects/{PROJECT}/datasets", timeout=5).close()
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
        else:
            return
    pytest.fail(f"bqemulator did not start:\n{log.read_text(errors='replace')[-2000:]}")
