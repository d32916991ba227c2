"""A Slack that runs on this machine."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.alerting.notifications.channels.slack import server as slack_server


@pytest.fixture
def slack(monkeypatch: pytest.MonkeyPatch) -> Iterator[slack_server.Slack]:
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with slack_server.running() as running:
        yield running
