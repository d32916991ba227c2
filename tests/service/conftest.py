"""A ledger with a few records of one model, and the app over it, asked in this process or over a socket."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp

from catalogue import causes
from ledger.records.incidents import Status
from ledger.records.measurements import Measurement, Verdict
from ledger.records.retraining import Decision, RetrainingOutcome
from ledger.store import Ledger
from models.errors import WatchkeeperError
from service.actions import Action
from service.app import create_app
from service.limiter import Limiter
from tests.ledger.made import DAY, MODEL, incident, measurement, message, run
from watchkeeper.settings import Settings

REPOSITORY = Path(__file__).parents[2]
READER, WRITER = "reading-token", "writing-token"
NOW = datetime(2026, 3, 4, 9, tzinfo=UTC)
HOSTILE = "<script>alert(1)</script> *bold* <!channel> '; DROP TABLE incidents; -- \u202e"
OLD = f"{MODEL}-20260101-season"


def header(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def hashed(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    models = tmp_path / "models"
    models.mkdir()
    for name in (MODEL, "app_scams"):
        shutil.copy(REPOSITORY / "demo" / "models" / f"{name}.yaml", models)
    return Settings(
        models=models,
        warehouse=str(tmp_path),
        ledger=f"sqlite:///{tmp_path}/ledger.db",
        site=tmp_path / "site",
        site_url="https://watch.bank.example",
        messages=tmp_path / "messages.txt",
        heartbeat=tmp_path / "heartbeat.json",
        api_tokens=f"dashboard:{hashed(READER)}:read, airflow:{hashed(WRITER)}:read+write",
        slack_signing_secret="shh",
    )


def measurements() -> list[Measurement]:
    """Return twelve figures of one day, one of them hostile and one without a finite value."""
    usual = [measurement(feature=f"feature_{number:02}", value=number / 10) for number in range(10)]
    hostile = measurement(monitor="check", feature=HOSTILE, slice=HOSTILE, reason=HOSTILE, verdict=Verdict.OK)
    return [*usual, hostile, measurement(metric="ratio", feature="", value=float("inf"), verdict=Verdict.ERRORED)]


@pytest.fixture(scope="session")
def ledger_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file of a ledger, made once, that each test gets a copy of."""
    file = tmp_path_factory.mktemp("ledger") / "ledger.db"
    opened = Ledger.open(f"sqlite:///{file}")
    opened.save_measurements(MODEL, DAY, ("drift", "check"), measurements())
    long_ago = date(2026, 1, 1)
    old = incident(id=OLD, cause=causes.SEASON, opened=long_ago, status=Status.RESOLVED, resolved=DAY, summary=HOSTILE)
    opened.save_incidents(MODEL, DAY, [incident(), old])
    opened.save_run(run())
    opened.save_decision(Decision(MODEL, DAY, "requested", incident().id, ("it decays",), long_ago, long_ago, DAY))
    earlier = DAY - timedelta(days=30)
    opened.save_decision(Decision(MODEL, earlier, "requested", OLD, (HOSTILE,), long_ago, long_ago, earlier))
    opened.save_decision(Decision(MODEL, earlier + timedelta(days=1), "refused"))
    outcome = RetrainingOutcome(
        f"{MODEL}/{earlier}", MODEL, earlier, "promoted", ("better",), long_ago, long_ago, earlier, earlier,
        "champion-1", "challenger-1", {},
    )  # fmt: skip
    opened.save_retraining_outcome(outcome)
    opened.enqueue(message())
    opened.enqueue(replace(message(kind="updated"), sent_at=NOW))
    opened.close()
    return file


@pytest.fixture
def ledger(settings: Settings, ledger_file: Path) -> Iterator[Ledger]:
    shutil.copy(ledger_file, settings.ledger.removeprefix("sqlite:///"))
    opened = Ledger.open(settings.ledger)
    yield opened
    opened.close()


def nothing(action: Action) -> str:
    raise AssertionError(f"nobody is to {action.verb} anything here")


def quiet() -> None:
    """Deliver nothing."""


@pytest.fixture
def done() -> list[Action]:
    """Return what the app was told to do, where it is only asked for."""
    return []


@pytest.fixture
def delivered() -> list[int]:
    """Return, for each delivery, how much had been done by then."""
    return []


@pytest.fixture
def replies() -> list[tuple[str, str]]:
    """Return the answers to those who pressed a button, each with its address."""
    return []


@pytest.fixture
def app(
    settings: Settings, ledger: Ledger, done: list[Action], delivered: list[int], replies: list[tuple[str, str]]
) -> FastAPI:
    def perform(action: Action) -> str:
        if action.incident == OLD:
            raise WatchkeeperError(f"{OLD}: it is resolved and can't be {action.verb}d")
        done.append(action)
        return f"{action.verb} of {action.incident} by {action.by}"

    def reply(url: str, text: str) -> None:
        replies.append((url, text))

    limiter = Limiter(burst=10_000)
    return create_app(
        settings, perform, lambda: delivered.append(len(done)), clock=lambda: NOW, limiter=limiter, reply=reply
    )


class InProcess(httpx.BaseTransport):
    """Asks an app without a socket."""

    def __init__(self, app: FastAPI) -> None:
        self.transport = httpx.ASGITransport(app, raise_app_exceptions=False)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        async def answered() -> httpx.Response:
            answer = await self.transport.handle_async_request(request)
            return httpx.Response(answer.status_code, headers=answer.headers, content=await answer.aread())

        return asyncio.run(answered())


def client(app: FastAPI, token: str = "") -> httpx.Client:
    return httpx.Client(transport=InProcess(app), base_url="http://service", headers=header(token) if token else {})


@pytest.fixture
def ask(app: FastAPI) -> httpx.Client:
    """Return a client with a token that may read and write."""
    return client(app, WRITER)


@pytest.fixture
def address(app: FastAPI) -> Iterator[str]:
    """Return the address of a real server of the app."""
    with serving(app) as url:
        yield url


@contextmanager
def serving(app: ASGIApp) -> Iterator[str]:
    """Serve an app on a port of this machine while the block runs."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_level="error", lifespan="off", ws="none", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()
