from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.alerting.notifications.channels import http_server
from tests.alerting.notifications.channels.http_server import Web


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with http_server.running() as running:
        yield running
