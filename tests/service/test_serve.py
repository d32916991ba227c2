"""The service as it runs alone: a real server in a process of its own, and Socket Mode beside a local Slack."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection, serve

from demo.airflow import free_port
from ledger.store import Ledger
from models.errors import WatchkeeperError
from service import serve as service
from service.actions import Action
from service.app_state import AppState
from tests.ledger.made import incident
from tests.service.conftest import NOW, READER, REPOSITORY, header, nothing, quiet
from tests.service.test_slack import HOOK, payload
from watchkeeper.settings import Settings


def environment(settings: Settings) -> dict[str, str]:
    given = {name: str(value) for name, value in vars(settings).items() if value and name != "home"}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("WATCHKEEPER")}
    return kept | {f"WATCHKEEPER_{name.upper()}": value for name, value in given.items()}


def test_watchkeeper_serve_answers_over_a_socket(settings: Settings, ledger: Ledger, tmp_path: Path) -> None:
    port = free_port()
    command = [sys.executable, "-m", "watchkeeper", "serve", "--port", str(port)]
    with (tmp_path / "log").open("wb") as log:
        server = subprocess.Popen(command, env=environment(settings), cwd=REPOSITORY, stdout=log, stderr=log)
    try:
        answer = asked(f"http://127.0.0.1:{port}/v1/models", until=time.monotonic() + 60)
    finally:
        server.terminate()
        assert server.wait(20) in {0, -15}
    assert answer.status_code == 200, (tmp_path / "log").read_text()
    assert "server" not in answer.headers
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert READER not in (tmp_path / "log").read_text()


def asked(url: str, until: float) -> httpx.Response:
    while True:
        try:
            return httpx.get(url, headers=header(READER))
        except httpx.ConnectError:
            assert time.monotonic() < until, "the server didn't come up"
            time.sleep(0.2)


def test_a_service_that_nobody_could_use_does_not_start(settings: Settings) -> None:
    nobody = replace(settings, api_tokens="", slack_signing_secret="")
    with pytest.raises(WatchkeeperError, match="nobody could use the service: set WATCHKEEPER_API_TOKENS"):
        service.serve_http(nobody, "127.0.0.1", 1)
    with pytest.raises(WatchkeeperError, match="needs WATCHKEEPER_SLACK_APP_TOKEN"):
        service.serve_socket_mode(settings)


class Slack:
    """Answers apps.connections.open with its own websocket, and sends envelopes over it until each is acknowledged."""

    def __init__(self, envelopes: list[dict[str, Any]], *, ok: bool = True) -> None:
        self.envelopes, self.ok = envelopes, ok
        self.acknowledged: list[str] = []
        self.told = threading.Event()

    def open(self, socket_url: str) -> bytes:
        return json.dumps(
            {"ok": True, "url": socket_url} if self.ok else {"ok": False, "error": "invalid_auth"}
        ).encode()

    def talk(self, connection: ServerConnection) -> None:
        for envelope in self.envelopes:
            connection.send(json.dumps(envelope))
            self.acknowledged.append(json.loads(connection.recv(timeout=20))["envelope_id"])
        self.told.set()
        with suppress(ConnectionClosed):
            connection.recv()

    @contextmanager
    def running(self) -> Iterator[str]:
        sockets = serve(self.talk, "127.0.0.1", 0)
        slack, socket_url = self, f"ws://127.0.0.1:{sockets.socket.getsockname()[1]}/link"

        class Api(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(slack.open(socket_url))

            def log_message(self, *_: object) -> None:
                pass

        api = ThreadingHTTPServer(("127.0.0.1", 0), Api)
        threads = [threading.Thread(target=each.serve_forever) for each in (api, sockets)]
        for thread in threads:
            thread.start()
        try:
            yield f"http://127.0.0.1:{api.server_port}/api/"
        finally:
            api.shutdown()
            sockets.shutdown()
            api.server_close()
            for thread in threads:
                thread.join(10)


def envelope(id_: str, **changes: Any) -> dict[str, Any]:
    return {"type": "interactive", "envelope_id": id_, "payload": payload(**changes)}


def test_socket_mode_acknowledges_every_envelope_and_does_each_press_once(settings: Settings, ledger: Ledger) -> None:
    done: list[Action] = []
    replies: list[tuple[str, str]] = []
    both = threading.Event()

    def perform(action: Action) -> str:
        done.append(action)
        return f"{action.verb} of {action.incident}"

    def reply(url: str, text: str) -> None:
        replies.append((url, text))
        if len(replies) == 2:
            both.set()

    other = {"type": "events_api", "envelope_id": "e3", "payload": {"type": "event_callback"}}
    slack = Slack([envelope("e1"), envelope("e1"), other, envelope("e2", verb="snooze")])
    with slack.running() as url:
        app_state = AppState(replace(settings, slack_app_token="xapp-1", slack_base_url=url), lambda: NOW)
        client = service.connect_socket_mode(app_state, perform, quiet, reply)
        try:
            assert slack.told.wait(20)
            assert both.wait(20)
        finally:
            client.close()
    assert slack.acknowledged == ["e1", "e1", "e3", "e2"]
    assert sorted(action.verb for action in done) == ["acknowledge", "snooze"]  # envelopes are handled side by side
    assert {action.incident for action in done} == {incident().id}
    assert [url for url, _ in replies] == [HOOK, HOOK]


def test_a_wrong_app_token_is_said_without_showing_it(settings: Settings) -> None:
    with Slack([], ok=False).running() as url:
        app_state = AppState(replace(settings, slack_app_token="xapp-secret", slack_base_url=url))
        with pytest.raises(WatchkeeperError, match="invalid_auth") as refused:
            service.connect_socket_mode(app_state, nothing, quiet, lambda url, text: None)
    assert "xapp-secret" not in str(refused.value)
