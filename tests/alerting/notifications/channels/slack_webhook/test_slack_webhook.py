from __future__ import annotations

from alerting.notifications.channels.slack_webhook.sender import SlackWebhookChannel
from tests.alerting.notifications.channels.http_server import Web
from tests.alerting.notifications.channels.made import OPENED, RESOLVED, SECRET, UPDATED


def slack_hook(web: Web) -> SlackWebhookChannel:
    return SlackWebhookChannel("slack-hook", f"{web.url}/{SECRET}", timeout_seconds=1)


def test_an_incoming_webhook_of_slack_tells_the_start_and_the_end_without_buttons(web: Web) -> None:
    place = slack_hook(web).send(OPENED, None)
    slack_hook(web).send(UPDATED, place)
    slack_hook(web).send(RESOLVED, place)
    assert [content["text"].partition(" ")[0] for content in web.contents] == ["🔴", "✅"]
    assert "header" in {block["type"] for block in web.contents[0]["blocks"]}
    assert "actions" not in {block["type"] for block in web.contents[0]["blocks"]}
