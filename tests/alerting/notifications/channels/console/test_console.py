from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest

from alerting.notifications.channels.console.sender import ConsoleChannel
from alerting.notifications.channels.console.settings import ConsoleSettings
from alerting.notifications.channels.errors import DeliveryError
from tests.alerting.notifications.channels.made import OPENED, RESOLVED


def test_messages_are_printed_and_kept_in_a_file_and_an_attempt_again_adds_nothing(tmp_path: Path) -> None:
    shown = io.StringIO()
    channel = ConsoleChannel(tmp_path / "kept" / "messages.txt", shown)
    place = channel.send(OPENED, None)
    channel.send(replace(OPENED, attempts=1), None)
    channel.send(RESOLVED, place)
    kept = (tmp_path / "kept" / "messages.txt").read_text()
    assert kept == shown.getvalue()
    assert [line for line in kept.splitlines() if line.startswith("---")] == [
        f"--- {OPENED.day} opened {OPENED.incident}",
        f"--- {OPENED.day} resolved {OPENED.incident}",
    ]


def test_a_file_that_can_not_be_written_is_a_failed_delivery() -> None:
    with pytest.raises(DeliveryError, match="can't be written"):
        ConsoleChannel(Path("/dev/full/messages.txt"), io.StringIO()).send(OPENED, None)


def test_the_routes_may_name_a_file_of_its_own_and_it_needs_no_secret(tmp_path: Path) -> None:
    settings = ConsoleSettings(kind="console", file=str(tmp_path / "log.txt"))
    assert not settings.needs_secret
    channel = settings.build("log", "")
    channel.send(OPENED, None)
    assert (channel.name, (tmp_path / "log.txt").exists()) == ("log", True)
