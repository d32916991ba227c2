"""What routes.yaml says of a signed webhook."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from alerting.notifications.channels.protocol import Channel, ChannelSettings
from alerting.notifications.channels.webhook.sender import WebhookChannel


class WebhookSettings(ChannelSettings):
    """An address of the bank's own that takes incidents as signed JSON."""

    credential: ClassVar[str] = "the key of the signature (HMAC-SHA256)"

    kind: Literal["webhook"]
    url: Annotated[str, Field(pattern=r"^https?://")]
    """Where each message is posted."""

    def build(self, name: str, secret: str) -> Channel:
        """Return the channel."""
        return WebhookChannel(name, self.url, secret)
