"""What routes.yaml says of a PagerDuty channel."""

from __future__ import annotations

from typing import ClassVar, Literal

from alerting.notifications.channels.pagerduty.sender import PAGERDUTY_URL, PagerDutyChannel
from alerting.notifications.channels.protocol import Channel, ChannelSettings


class PagerDutySettings(ChannelSettings):
    """PagerDuty's Events API v2; one incident is one alert there, from trigger to resolve."""

    credential: ClassVar[str] = "the integration's routing key"

    kind: Literal["pagerduty"]
    url: str = PAGERDUTY_URL
    """Address of the Events API; https://events.eu.pagerduty.com for accounts in the EU."""

    def build(self, name: str, secret: str) -> Channel:
        """Return the channel."""
        return PagerDutyChannel(name, secret, self.url)
