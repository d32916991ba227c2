"""A new kind of channel is its settings, its sender and one line in ``CHANNEL_KINDS``: all else follows from them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import ClassVar, Literal

import pytest

from alerting.notifications.channels import registry
from alerting.notifications.channels.protocol import Channel, ChannelSettings
from alerting.notifications.routes.loading import load_routes
from ledger.records.messages import Message
from models.errors import WatchkeeperError
from tests.watchkeeper.conftest import MODEL, Say
from watchkeeper import reference

DAY = date(2026, 1, 20)
ROUTES = "default: '#a'\nchannels: {bird: {kind: pigeon, loft: tower}}\nrules: [{to: [bird]}]\n"
RECEIVED: list[tuple[str, str, str]] = []


class PigeonChannel:
    def __init__(self, name: str, loft: str, ring: str) -> None:
        self.name, self._loft, self._ring = name, loft, ring

    def send(self, message: Message, ts: str | None) -> str:
        RECEIVED.append((self._loft, self._ring, message.text))
        return ts or message.incident


class PigeonSettings(ChannelSettings):
    """A pigeon that flies to a loft."""

    credential: ClassVar[str] = "the number on its ring"

    kind: Literal["pigeon"]
    loft: str
    """Where it lands."""

    def build(self, name: str, secret: str) -> Channel:
        return PigeonChannel(name, self.loft, secret)


@pytest.fixture
def routes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Register the invented kind, and send every incident to it."""
    monkeypatch.setattr(registry, "CHANNEL_KINDS", [*registry.CHANNEL_KINDS, PigeonSettings])
    RECEIVED.clear()
    file = tmp_path / "routes.yaml"
    file.write_text(ROUTES)
    monkeypatch.setenv("WATCHKEEPER_ROUTES", str(file))
    return file


def test_a_message_of_an_incident_reaches_an_invented_channel(
    say: Say, broken_bank: Callable[..., Path], routes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATCHKEEPER_SECRET_BIRD", "42")
    answer = say("run", "--model", MODEL, "--day", str(DAY), warehouse=str(broken_bank(without=DAY)))
    assert (answer.status, "2 sent, 0 waiting" in answer.err) == (0, True), (
        answer.err
    )  # the owner's channel, and the bird
    ((loft, ring, text),) = RECEIVED
    assert (loft, ring) == ("tower", "42")
    assert "no partition arrived" in text


def test_an_invented_channel_is_tried_examined_and_documented(
    say: Say, routes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = say("alerts", "test", "--channel", "bird")
    assert tried.status == 3
    assert "bird has no secret; set WATCHKEEPER_SECRET_BIRD, or the password of Airflow's" in tried.out
    assert "watchkeeper_bird (the number on its ring)" in tried.out
    assert "broken channel bird: bird has no secret" in say("doctor").out
    monkeypatch.setenv("WATCHKEEPER_SECRET_BIRD", "42")
    assert say("alerts", "test", "--channel", "bird").out == "bird: ok\n"
    assert len(RECEIVED) == 4
    assert "ok     channel bird: its secret is set" in say("doctor").out
    page = reference.reference_pages()["routes-file.md"]
    assert "## pigeon\n\nA pigeon that flies to a loft." in page
    assert "its secret is the number on its ring" in page.lower()


def test_a_mistake_in_the_settings_of_an_invented_channel_is_named(routes: Path) -> None:
    routes.write_text(ROUTES.replace("loft: tower", "loft: tower, height: 9"))
    with pytest.raises(WatchkeeperError, match=r"channels\.bird\.height: unknown key; accepted are kind, loft"):
        load_routes(routes)
