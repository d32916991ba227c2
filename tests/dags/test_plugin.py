"""Airflow's own loader mounts the app, in a process of its own."""

from __future__ import annotations

import json
from pathlib import Path

from tests.dags.conftest import REPOSITORY, Ask
from tests.ledger.made import MODEL
from tests.service.conftest import READER, hashed

PLUGINS = str(REPOSITORY / "dags" / "plugins")
ASK = """
import asyncio, httpx
from fastapi import FastAPI
from airflow.api_fastapi.app import init_plugins
from airflow import plugins_manager
served = FastAPI()
init_plugins(served)
routes = [(r.path, r.app) for r in served.routes if r.path == '/watchkeeper']

async def asked():
    async with httpx.AsyncClient(transport=httpx.ASGITransport(served), base_url='http://airflow') as client:
        return [
            (await client.request(method, path, headers={'Authorization': 'Bearer ' + token})).status_code
            for method, path, token in requests
        ]

answer = {'mounted': len(routes), 'answers': asyncio.run(asked()), 'errors': plugins_manager.get_import_errors()}
"""


def asked(ask: Ask, tmp_path: Path, tokens: str, requests: list[tuple[str, str, str]]) -> dict[str, object]:
    code = f"requests = {json.dumps(requests)}\n{ASK}"
    found: dict[str, object] = ask(
        code,
        AIRFLOW__CORE__PLUGINS_FOLDER=PLUGINS,
        WATCHKEEPER_LEDGER=f"sqlite:///{tmp_path}/ledger.db",
        WATCHKEEPER_API_TOKENS=tokens,
    )
    return found


def test_airflow_serves_the_api_to_those_with_a_token_only(ask: Ask, tmp_path: Path) -> None:
    requests = [
        ("GET", "/watchkeeper/v1/models", READER),
        ("GET", "/watchkeeper/v1/models", "wrong"),
        ("GET", "/watchkeeper/v1/openapi.json", ""),
        ("GET", "/watchkeeper/", ""),
        ("GET", f"/watchkeeper/v1/models/{MODEL}", READER),
        ("POST", f"/watchkeeper/v1/models/{MODEL}/partitions/2026-03-02", READER),
        ("POST", "/watchkeeper/slack/actions", READER),
        ("GET", "/watchkeeper/v1/heartbeat", READER),
    ]
    found = asked(ask, tmp_path, f"dashboard:{hashed(READER)}:read", requests)
    assert found == {"mounted": 1, "answers": [200, 401, 401, 401, 200, 403, 401, 503], "errors": {}}


def test_settings_that_cannot_be_used_leave_airflow_without_the_api_and_running(ask: Ask, tmp_path: Path) -> None:
    found = asked(ask, tmp_path, "a plain token", [("GET", "/watchkeeper/v1/models", READER)])
    assert found == {"mounted": 0, "answers": [404], "errors": {}}
