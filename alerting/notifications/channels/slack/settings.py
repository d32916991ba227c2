"""What routes.yaml says of a Slack channel."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from alerting.notifications.channels.protocol import Channel, ChannelSettings, CheckResult
from alerting.notifications.channels.slack.examination import examine_token
from alerting.notifications.channels.slack.sender import SLACK_URL, SlackChannel

SlackName = Annotated[str, Field(pattern=r"^(#[^\s#@]{1,80}|[CGD][A-Z0-9]{6,})$")]
"""A channel's #name or its id."""


class SlackSettings(ChannelSettings):
    """A Slack channel; one incident is one message, edited in place, with its history in the thread."""

    credential: ClassVar[str] = "the Slack app's bot token (xoxb-...)"

    kind: Literal["slack"]
    channel: SlackName
    """Its #name or its id; an id survives renaming."""
    url: str = SLACK_URL
    """Address of Slack's API."""

    def build(self, name: str, secret: str) -> Channel:
        """Return the channel."""
        return SlackChannel(secret, self.channel, self.url, name=name)

    def examine(self, secret: str, now: datetime) -> Iterator[CheckResult]:
        """Yield who the token is, which scopes it lacks, and whether the clocks agree."""
        yield from examine_token(secret, self.url, now)
