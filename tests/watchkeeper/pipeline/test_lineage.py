"""A watch tells, as OpenLineage says it, what it read, how good that was, and how it ended."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

import warehouse
from ledger.records.measurements import Measurement, Verdict
from ledger.records.runs import Run
from ledger.store import Ledger
from models.spec import Spec
from tests.reports import made
from watchkeeper.context import Context
from watchkeeper.pipeline import lineage
from watchkeeper.settings import Settings

DAY = date(2026, 4, 30)


class Server(HTTPServer):
    """A server that writes down what is posted to it, and answers with ``status``."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.posted: list[tuple[str, str | None, dict[str, Any]]] = []
        self.status = 201

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.posted.append((self.path, self.headers.get("Authorization"), body))
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as found:
        thread = threading.Thread(target=found.serve_forever, args=(0.05,))
        thread.start()
        yield found
        found.shutdown()
        thread.join()


@pytest.fixture
def spec() -> Spec:
    return made.spec()


def context(tmp_path: Path, **settings: Any) -> Context:
    (tmp_path / "tables").mkdir(exist_ok=True)
    given = replace(Settings(), warehouse=str(tmp_path / "tables"), **settings)
    ledger = Ledger.open(f"sqlite:///{tmp_path / 'ledger.db'}")
    return Context(
        given, warehouse.open_warehouse(given.warehouse), ledger, datetime(2026, 5, 1, tzinfo=UTC), live=True
    )


def conclude(ctx: Context, spec: Spec) -> None:
    """Record a day as its watch does: rows, a check that failed, one that nobody could ask, nulls."""
    base = Measurement(spec.model, DAY, DAY, "check", "expect_column_values_to_be_unique", "payment_id", n=200)
    failed = replace(base, verdict=Verdict.BREACH, value=0.1)
    unknown = replace(base, metric="expect_column_to_exist", verdict=Verdict.ERRORED)
    whole = replace(base, monitor="arrival", metric="row_count", feature="", value=200)
    nulls = replace(base, monitor="drift", metric="null_share", feature="amount_gbp", value=0.25)
    ctx.ledger.save_measurements(spec.model, DAY, ("check", "arrival", "drift"), [failed, unknown, whole, nulls])
    ctx.ledger.save_run(Run(spec.model, DAY, "v1", 200, live=True, steps={}))


def test_a_server_is_told_of_the_start_and_of_what_was_found(tmp_path: Path, spec: Spec, server: Server) -> None:
    ctx = context(tmp_path, lineage=f"{server.address}/", lineage_key="k")
    with lineage.emit_lineage(ctx, spec, DAY):
        conclude(ctx, spec)
    (path, key, start), (_, _, complete) = server.posted
    assert (path, key) == ("/api/v1/lineage", "Bearer k")
    assert [start["eventType"], complete["eventType"]] == ["START", "COMPLETE"]
    assert start["run"]["runId"] == complete["run"]["runId"]
    assert complete["run"]["facets"]["nominalTime"]["nominalStartTime"] == "2026-04-30T00:00:00+00:00"
    assert complete["job"]["name"] == "watch.card_payments"
    table, labels = complete["inputs"]
    assert (table["namespace"], table["name"]) == ("file", str(tmp_path / "tables/card_payments/features"))
    assert labels["name"].endswith("card_payments/labels")
    assert table["facets"]["version"]["datasetVersion"] == "v1"
    metrics = table["inputFacets"]["dataQualityMetrics"]
    assert (metrics["rowCount"], metrics["columnMetrics"]) == (200, {"amount_gbp": {"nullCount": 50, "count": 200}})
    assert table["inputFacets"]["dataQualityAssertions"]["assertions"] == [
        {"assertion": "row_count", "success": True},
        {"assertion": "expect_column_values_to_be_unique", "success": False, "column": "payment_id"},
    ]
    (output,) = complete["outputs"]
    assert output["outputFacets"]["outputStatistics"]["rowCount"] == 4


def test_a_watch_that_fails_is_told_and_still_fails(tmp_path: Path, spec: Spec) -> None:
    ctx = context(tmp_path, lineage=str(tmp_path / "lineage.jsonl"))
    with pytest.raises(ValueError, match="no such table"), lineage.emit_lineage(ctx, spec, DAY):
        raise ValueError("no such table")
    start, failed = map(json.loads, (tmp_path / "lineage.jsonl").read_text(encoding="utf-8").splitlines())
    assert [start["eventType"], failed["eventType"]] == ["START", "FAIL"]
    assert failed["run"]["facets"]["errorMessage"]["message"] == "ValueError: no such table"
    assert failed["outputs"] == []


def test_every_event_and_facet_has_what_the_specification_requires(tmp_path: Path, spec: Spec) -> None:
    ctx = context(tmp_path, lineage=str(tmp_path / "lineage.jsonl"))
    with lineage.emit_lineage(ctx, spec, DAY):
        conclude(ctx, spec)
    for line in (tmp_path / "lineage.jsonl").read_text(encoding="utf-8").splitlines():
        event = json.loads(line)
        assert event["schemaURL"] == "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent"
        assert datetime.fromisoformat(event["eventTime"]).tzinfo is not None
        assert UUID(event["run"]["runId"])
        holders = [event["run"], event["job"], *event["inputs"], *event["outputs"]]
        facets = [f for each in holders for name in ("facets", "inputFacets", "outputFacets")
                  for f in each.get(name, {}).values()]  # fmt: skip
        assert facets
        assert all(f["_producer"] and f["_schemaURL"].startswith("https://openlineage.io/spec/facets/") for f in facets)


def test_a_table_of_bigquery_has_the_name_that_other_tools_give_it(spec: Spec) -> None:
    event = lineage.lineage_event(spec, DAY, "bigquery://bank/europe-west2", "START", "r")
    assert [(each["namespace"], each["name"]) for each in event["inputs"]] == [
        ("bigquery", "bank.card_payments/features"),
        ("bigquery", "bank.card_payments/labels"),
    ]


@pytest.mark.parametrize("where", ["server", "nobody", "no folder"])
def test_a_place_that_takes_no_events_stops_no_watch(
    tmp_path: Path, spec: Spec, server: Server, where: str, caplog: pytest.LogCaptureFixture
) -> None:
    server.status = 500
    places = {"server": server.address, "nobody": "http://127.0.0.1:1", "no folder": str(tmp_path / "no/lineage.jsonl")}
    with lineage.emit_lineage(context(tmp_path, lineage=places[where]), spec, DAY):
        pass
    assert "the lineage event COMPLETE of watch.card_payments was not sent" in caplog.text


def test_without_a_place_nothing_is_told(tmp_path: Path, spec: Spec, server: Server) -> None:
    with lineage.emit_lineage(context(tmp_path), spec, DAY):
        pass
    assert server.posted == []
