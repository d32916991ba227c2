"""What a channel is to the outbox, and what each kind of channel says about itself."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import ClassVar, Protocol

from pydantic import BaseModel, ConfigDict

from ledger.records.messages import Message

CheckResult = tuple[str, str, str]
"""State (ok, look or broken), what was found, what to do: what ``watchkeeper doctor`` shows."""


class Channel(Protocol):
    """Notifies people; an incident is one message there, changed in place where the channel can."""

    @property
    def name(self) -> str:
        """Return the name under which the outbox keeps the channel's messages."""
        ...

    def send(self, message: Message, ts: str | None) -> str:
        """Send a message, or change the one that is at ``ts``, and return where the message is.

        A message with earlier attempts may have come through before a crash, so it is looked for first.
        Raises DeliveryError.
        """
        ...


class ChannelSettings(BaseModel):
    """What routes.yaml says of one channel; each kind of channel is a subclass.

    A kind adds ``kind: Literal["<its name>"]``, its own fields, what its secret is, and ``build``.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, use_attribute_docstrings=True)

    credential: ClassVar[str] = ""
    """What the channel's secret is, such as 'the integration's routing key'; empty: it has none."""

    kind: str

    @property
    def needs_secret(self) -> bool:
        """Return whether the channel can't send without its secret."""
        return bool(self.credential)

    def build(self, name: str, secret: str) -> Channel:
        """Return the channel, ready to send, under the name that the routes give it."""
        raise NotImplementedError

    def examine(self, secret: str, now: datetime) -> Iterator[CheckResult]:
        """Yield what ``watchkeeper doctor`` finds about the channel; nothing is sent."""
        yield "ok", "its secret is set" if secret else "needs no secret", ""
