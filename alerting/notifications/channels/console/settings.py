"""What routes.yaml says of a console channel."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from alerting.notifications.channels.console.sender import ConsoleChannel
from alerting.notifications.channels.protocol import Channel, ChannelSettings


class ConsoleSettings(ChannelSettings):
    """Prints messages on standard error and appends them to a file."""

    kind: Literal["console"]
    file: Annotated[str, Field(min_length=1)] = "messages.txt"
    """File to which messages are appended."""

    def build(self, name: str, secret: str) -> Channel:
        """Return the channel."""
        return ConsoleChannel(Path(self.file), name=name)
