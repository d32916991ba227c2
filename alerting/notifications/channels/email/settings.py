"""What routes.yaml says of an e-mail channel."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from alerting.notifications.channels.email.sender import EmailChannel, TlsMode
from alerting.notifications.channels.protocol import Channel, ChannelSettings


class EmailSettings(ChannelSettings):
    """E-mail over SMTP: one mail when an incident opens, and one in the same thread when it ends."""

    credential: ClassVar[str] = "the password of 'user'"

    kind: Literal["email"]
    server: Annotated[str, Field(pattern=r"^[^\s:/]+(:\d+)?$")]
    """Host and port of the mail server; without a port 587, or 465 for 'tls: implicit'."""
    sender: Annotated[str, Field(pattern=r"^[^\s@]+@[^\s@]+$")]
    to: Annotated[list[Annotated[str, Field(pattern=r"^[^\s@,]+@[^\s@,]+$")]], Field(min_length=1)]
    user: str = ""
    """Who logs in to the server; empty: nobody, and no secret is needed."""
    tls: TlsMode = "starttls"

    @property
    def needs_secret(self) -> bool:
        """Return whether somebody logs in."""
        return bool(self.user)

    def build(self, name: str, secret: str) -> Channel:
        """Return the channel."""
        return EmailChannel(name, self.server, self.sender, self.to, user=self.user, password=secret, tls=self.tls)
