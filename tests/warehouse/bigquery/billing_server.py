"""A local server that speaks BigQuery's REST as far as a query needs it: what it would bill, failures, endless jobs."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

DONE = {"state": "DONE"}
SCHEMA = {"fields": [{"name": "n", "type": "INTEGER", "mode": "NULLABLE"}]}


class Billing:
    """What the server was asked, and what it is to answer."""

    def __init__(self) -> None:
        self.url = ""
        self.estimate, self.billed = 0, 0
        self.fail_next: list[tuple[int, str, str]] = []
        """Answers instead of the next ones: status, reason, message; status 0 hangs up."""
        self.job_error: tuple[str, str] | None = None
        """Reason and message with which every job ends."""
        self.never_ends = False
        self.tables = ["features", "labels"]
        self.inserted: list[dict[str, Any]] = []
        self.cancelled: list[str] = []
        self.requests = 0
        self.waited_for = threading.Event()

    @property
    def jobs(self) -> list[dict[str, Any]]:
        """Return the configurations of the jobs that were no dry runs."""
        return [job["configuration"] for job in self.inserted if not job["configuration"].get("dryRun")]

    def answer(self, method: str, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        job = re.search(r"/(?:jobs|queries)/([\w-]+)", path)
        if method == "POST" and path.endswith("/cancel"):
            assert job is not None
            self.cancelled.append(job[1])
            return 200, {"job": self._job({"jobReference": {"projectId": "bank", "jobId": job[1], "location": "EU"}})}
        if method == "POST":
            self.inserted.append(body)
            return 200, self._job(body)
        if "/queries/" in path and job:
            return 200, self._results(job[1])
        if job:
            found = next(known for known in self.inserted if known["jobReference"]["jobId"] == job[1])
            return 200, self._job(found)
        if path.endswith("/tables"):
            references = [{"projectId": "bank", "datasetId": "d", "tableId": name} for name in self.tables]
            return 200, {"tables": [{"tableReference": reference} for reference in references]}
        return error(404, "notFound", f"Not found: Table bank:d.{path.rpartition('/')[2]}")

    def _job(self, given: dict[str, Any]) -> dict[str, Any]:
        dry = given.get("configuration", {}).get("dryRun")
        status: dict[str, Any] = {"state": "RUNNING"} if self.never_ends and not dry else dict(DONE)
        if self.job_error and not dry:
            status["errorResult"] = dict(zip(("reason", "message"), self.job_error, strict=True))
        query = {"totalBytesProcessed": str(self.estimate)}
        if not dry:
            query["totalBytesBilled"] = str(self.billed)
        return {**given, "status": status, "statistics": {**query, "query": query}}

    def _results(self, job: str) -> dict[str, Any]:
        reference = {"projectId": "bank", "jobId": job, "location": "EU"}
        if self.never_ends:
            self.waited_for.set()
            return {"jobReference": reference, "jobComplete": False}
        return {"jobReference": reference, "jobComplete": True, "schema": SCHEMA, "totalRows": "1",
                "rows": [{"f": [{"v": "7"}]}]}  # fmt: skip


def error(status: int, reason: str, message: str) -> tuple[int, dict[str, Any]]:
    return status, {"error": {"code": status, "message": message, "errors": [{"reason": reason, "message": message}]}}


@contextmanager
def running() -> Iterator[Billing]:
    billing = Billing()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer({})

        def do_POST(self) -> None:
            size = int(self.headers.get("Content-Length") or 0)
            self._answer(json.loads(self.rfile.read(size)) if size else {})

        def _answer(self, body: dict[str, Any]) -> None:
            billing.requests += 1
            path = self.path.partition("?")[0]
            if billing.fail_next:
                status, reason, message = billing.fail_next.pop(0)
                if not status:
                    return
                status, answer = error(status, reason, message)
            else:
                status, answer = billing.answer(self.command, path, body)
            content = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Stay silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    billing.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield billing
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
