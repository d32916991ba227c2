"""A local server that speaks Slack's JSON: it keeps messages, and fails in the ways that Slack fails."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

TOKEN = "xoxb-secret-of-the-test"
CHANNEL_ID, CHANNEL_NAME = "C0123456789", "#fraud"


class Slack:
    """What the server was told, and how it is to answer next."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.calls: list[str] = []
        self.next: list[Any] = []
        """Answers given instead of the usual ones: an error's code, (status, headers, body), 'hang up' (before the
        message is taken), 'drop' (take it, then hang up), 'twice' (answer the same twice) or 'hang' (take it, and be
        silent for a second)."""
        self.url = ""
        self.delay_seconds = 0.0
        self.stop_after: int | None = None
        """From this call on every one is hung up on before it is taken, as of a client that died."""
        self.lacking: set[str] = set()
        """Methods for which the app has no scope."""
        self.uploads: dict[str, dict[str, Any]] = {}
        """Files by their id: name, length, alt and, once they are there, content."""
        self.page_size = 1
        """So small that paging is used."""

    @property
    def posted(self) -> list[dict[str, Any]]:
        return [message for message in self.messages if "thread_ts" not in message]

    @property
    def shown(self) -> list[str]:
        """What people see in the channel, without the threads."""
        return [message["text"] for message in self.posted]

    @property
    def notes(self) -> list[str]:
        return [message["text"] for message in self.messages if "thread_ts" in message and "files" not in message]

    @property
    def pictures(self) -> list[dict[str, Any]]:
        """Return the files in threads, with where they stand."""
        return [f | {"thread_ts": m["thread_ts"]} for m in self.messages for f in m.get("files", [])]

    def answer(self, method: str, arguments: dict[str, Any]) -> dict[str, Any]:
        if method in self.lacking:
            return {"ok": False, "error": "missing_scope"}
        return {
            "files.getUploadURLExternal": self._place_for_upload,
            "files.completeUploadExternal": self._complete_upload,
            "chat.postMessage": self._post,
            "chat.update": self._update,
            "conversations.list": self._list,
            "conversations.history": self._history,
            "conversations.replies": self._replies,
        }[method](arguments)

    def _post(self, arguments: dict[str, Any]) -> dict[str, Any]:
        if arguments["channel"] not in (CHANNEL_ID, CHANNEL_NAME):
            return {"ok": False, "error": "channel_not_found"}
        ts = f"1700000000.{len(self.messages):06}"
        self.messages.append({"ts": ts, **arguments})
        return {"ok": True, "channel": CHANNEL_ID, "ts": ts}

    def _update(self, arguments: dict[str, Any]) -> dict[str, Any]:
        found = [m for m in self.messages if m["ts"] == arguments["ts"] and arguments["channel"] == CHANNEL_ID]
        if not found:
            return {"ok": False, "error": "message_not_found"}
        found[0].update({key: value for key, value in arguments.items() if key != "channel"})
        return {"ok": True, "channel": CHANNEL_ID, "ts": arguments["ts"]}

    def _place_for_upload(self, arguments: dict[str, Any]) -> dict[str, Any]:
        id_ = f"F{len(self.uploads)}"
        self.uploads[id_] = {key: arguments[key] for key in ("filename", "length", "alt_txt")}
        return {"ok": True, "file_id": id_, "upload_url": f"{self.url}upload/{id_}"}

    def take(self, file: str, content: bytes) -> str:
        """Take a file at the address that was given for it."""
        self.uploads[file]["content"] = content
        return "OK"

    def _complete_upload(self, arguments: dict[str, Any]) -> dict[str, Any]:
        (file,) = json.loads(arguments["files"])
        kept = self.uploads[file["id"]]
        if arguments["channel_id"] != CHANNEL_ID or len(kept["content"]) != int(kept["length"]):
            return {"ok": False, "error": "invalid_arguments"}
        shown = {"id": file["id"], "title": file["title"], "name": kept["filename"], "alt_txt": kept["alt_txt"]}
        ts = f"1700000000.{len(self.messages):06}"
        self.messages.append({"ts": ts, "thread_ts": arguments["thread_ts"], "text": "", "files": [shown]})
        return {"ok": True, "files": [shown]}

    def _list(self, arguments: dict[str, Any]) -> dict[str, Any]:
        channels = [{"id": "C0000000000", "name": "other"}, {"id": CHANNEL_ID, "name": "fraud"}]
        return self._page("channels", channels, arguments)

    def _history(self, arguments: dict[str, Any]) -> dict[str, Any]:
        assert arguments["channel"] == CHANNEL_ID
        return self._page("messages", self.posted[::-1], arguments)

    def _replies(self, arguments: dict[str, Any]) -> dict[str, Any]:
        kept = [m for m in self.messages if arguments["ts"] in (m["ts"], m.get("thread_ts"))]
        return self._page("messages", kept, arguments)

    def _page(self, key: str, items: list[dict[str, Any]], arguments: dict[str, Any]) -> dict[str, Any]:
        start = int(arguments.get("cursor") or 0)
        end = start + self.page_size
        further = str(end) if end < len(items) else ""
        return {"ok": True, key: items[start:end], "response_metadata": {"next_cursor": further}}


def _arguments(body: str, *, form: bool) -> dict[str, Any]:
    return {k: v[0] for k, v in parse_qs(body).items()} if form else json.loads(body or "{}")


@contextmanager
def running() -> Iterator[Slack]:
    slack = Slack()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            body = self.rfile.read(length)
            if len(body) < length:
                return  # who asked was killed in the midst of it
            method = self.path.removeprefix("/api/")
            slack.calls.append(method.partition("/")[0])
            if slack.stop_after is not None and len(slack.calls) > slack.stop_after:
                return
            _, _, file = method.partition("/")
            form = "json" not in (self.headers.get("Content-Type") or "")
            arguments = {} if file else _arguments(body.decode(), form=form)
            time.sleep(slack.delay_seconds)
            special = slack.next.pop(0) if slack.next else None
            if special == "hang up":
                return
            if isinstance(special, tuple):
                self._send(*special)
            elif not file and self.headers.get("Authorization") != f"Bearer {TOKEN}":
                self._send(200, {}, {"ok": False, "error": "invalid_auth"})
            elif special in (None, "drop", "twice", "hang"):
                answer: Any = slack.take(file, body) if file else slack.answer(method, arguments)
                if special == "hang":
                    time.sleep(1.5)
                with suppress(ConnectionError):  # who has the first of two answers may be gone
                    for _ in range({"drop": 0, "twice": 2, "hang": 0}.get(special, 1)):
                        self._send(200, {}, answer)
            else:
                self._send(200, {}, {"ok": False, "error": special})

        def _send(self, status: int, headers: dict[str, str], body: Any) -> None:
            content = body.encode() if isinstance(body, str) else json.dumps(body).encode()
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Stay silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    slack.url = f"http://127.0.0.1:{server.server_port}/api/"
    try:
        yield slack
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
