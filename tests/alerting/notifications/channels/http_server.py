"""A local HTTP server that keeps what it is posted, and answers as it is told."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Web:
    """What was posted, as (path, headers, body); ``next`` are (status, headers), 'drop' or 'hang', else ``usual``."""

    def __init__(self) -> None:
        self.posted: list[tuple[str, dict[str, str], bytes]] = []
        self.next: list[Any] = []
        self.usual = 200
        self.url = ""

    @property
    def contents(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, _, body in self.posted]


@contextmanager
def running() -> Iterator[Web]:
    web = Web()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            web.posted.append((self.path, dict(self.headers.items()), body))
            answer = web.next.pop(0) if web.next else (web.usual, {})
            if answer == "hang":
                time.sleep(1.0)
            if answer in ("hang", "drop"):
                return
            status, headers = answer
            self.send_response(status)
            for name, value in {"Content-Length": "2", **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_: object) -> None:
            """Stay silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    web.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield web
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
