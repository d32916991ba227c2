"""What routes.yaml says of a Slack incoming webhook."""

from __future__ import annotations

from typing import ClassVar, Literal

from alerting.notifications.channels.protocol import Channel, ChannelSettings
from alerting.notifications.channels.slack_webhook.sender import SlackWebhookChannel


class SlackWebhookSettings(ChannelSettings):
    """Slack's incoming webhook. It can't edit: updates are left out, the end is a message of its own."""

    credential: ClassVar[str] = "the webhook's whole address"

    kind: Literal["slack_webhook"]

    def build(self, name: str, secret: str) -> Channel:
        """Return the channel."""
        return SlackWebhookChannel(name, secret)
