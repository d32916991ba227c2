"""``watchkeeper alerts``: one of each kind of message through the real channels, and what becomes of dead letters."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from alerting.notifications.outbox import deliver_messages
from ledger.records.messages import Message
from ledger.store import Ledger
from models.errors import WatchkeeperError
from tests.alerting.made import FIRST
from tests.alerting.notifications.channels import http_server
from tests.alerting.notifications.channels.http_server import Web
from tests.alerting.notifications.channels.slack import server as slack_server
from tests.alerting.notifications.channels.slack.server import CHANNEL_NAME, TOKEN, Slack
from tests.alerting.notifications.test_outbox import DEAD, slack_channel
from watchkeeper.cli.app import app
from watchkeeper.settings import read_settings

MODELS = Path(__file__).parents[3] / "demo" / "models"


@pytest.fixture
def slack(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Slack]:
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with slack_server.running() as running:
        monkeypatch.setenv("WATCHKEEPER_SLACK_TOKEN", TOKEN)
        monkeypatch.setenv("WATCHKEEPER_SLACK_BASE_URL", running.url)
        monkeypatch.setenv("WATCHKEEPER_MODELS", str(MODELS))
        monkeypatch.setenv("WATCHKEEPER_LEDGER", f"sqlite:///{tmp_path}/ledger.db")
        yield running


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Web]:
    with http_server.running() as running:
        file = tmp_path / "routes.yaml"
        file.write_text(
            f"default: '{CHANNEL_NAME}'\nchannels:\n"
            f"  pager: {{kind: pagerduty, url: '{running.url}'}}\n  hook: {{kind: webhook, url: '{running.url}/x'}}\n"
        )
        monkeypatch.setenv("WATCHKEEPER_ROUTES", str(file))
        yield running


def test_one_of_each_kind_goes_to_every_channel(slack: Slack, web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHKEEPER_SECRET_PAGER", "key")
    monkeypatch.setenv("WATCHKEEPER_SECRET_HOOK", "key")
    result = CliRunner().invoke(app, ["alerts", "test"])
    assert (result.exit_code, result.output) == (0, f"{CHANNEL_NAME}: ok\npager: ok\nhook: ok\n")
    (message,) = slack.posted
    assert "this is a test of Watchkeeper's messages; nothing is wrong" in message["text"]
    assert len(slack.notes) == 3
    events = [each["event_action"] for each in web.contents if "event_action" in each]
    assert events == ["trigger", "trigger", "trigger", "resolve"]
    kinds = [each["kind"] for each in web.contents if "kind" in each]
    assert kinds == ["opened", "updated", "repeated", "resolved"]


def test_a_channel_without_its_secret_is_told_and_an_unknown_one_too(slack: Slack, web: Web) -> None:
    result = CliRunner().invoke(app, ["alerts", "test", "--channel", "pager"])
    assert result.exit_code == 3
    assert "pager has no secret; set WATCHKEEPER_SECRET_PAGER, or the password" in result.output.replace("\n", " ")
    unknown = CliRunner().invoke(app, ["alerts", "test", "--channel", "pagr"])
    assert unknown.exit_code == 2
    assert slack.posted == []


def test_a_dead_letter_is_listed_and_sent_once_it_is_asked_for(slack: Slack, tmp_path: Path) -> None:
    now = datetime(2026, 3, 4, tzinfo=UTC)
    ledger = Ledger.open(f"sqlite:///{tmp_path}/ledger.db")
    ledger.enqueue(Message("card_payments-1", FIRST, "opened", CHANNEL_NAME, "A", []))
    for days in (0, 3):
        deliver_messages(ledger, DEAD, now + timedelta(days=days))
    listed = CliRunner().invoke(app, ["alerts", "undelivered"]).output
    assert f"{CHANNEL_NAME}  card_payments-1  opened: Slack can't be reached" in listed.replace("\n", " ")
    assert CliRunner().invoke(app, ["alerts", "resend"]).output == "1 to be tried again at the next delivery.\n"
    assert deliver_messages(ledger, slack_channel(slack), now + timedelta(days=4)).sent == 1
    assert "Nothing" in CliRunner().invoke(app, ["alerts", "undelivered"]).output
    ledger.close()


def test_a_channels_secret_is_a_setting_that_is_never_shown() -> None:
    given = read_settings({"WATCHKEEPER_SECRET_PAGER": "hush-hush", "WATCHKEEPER_SECRET_EMPTY": ""})
    assert given.secrets == {"WATCHKEEPER_SECRET_PAGER": "hush-hush"}
    assert "hush-hush" not in repr(given)
    with pytest.raises(WatchkeeperError) as error:
        read_settings({"WATCHKEEPER_SECRETS": "hush-hush"})
    assert "hush-hush" not in str(error.value)
