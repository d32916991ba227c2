"""Where messages go: a terminal and a file, or, in rooms of their own, Slack, mail, PagerDuty and webhooks.

A channel sends once and says what went wrong.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Protocol, TextIO

from alerting.notifications.channels.email import EmailChannel
from alerting.notifications.channels.errors import DeliveryError
from alerting.notifications.channels.slack import SlackChannel
from alerting.notifications.channels.webhook import PagerDutyChannel, SlackWebhookChannel, WebhookChannel
from alerting.notifications.routes import EmailSettings, FurtherChannel, PagerDutySettings, SlackWebhookSettings
from ledger.records.messages import RETRAINING_NOTE_KINDS, Message

__all__ = ["Channel", "ConsoleChannel", "DeliveryError", "SlackChannel", "build_channel"]


class Channel(Protocol):
    """Tells people; an incident is one message there, changed in place."""

    @property
    def name(self) -> str:
        """Return the name under which the outbox keeps the channel's messages."""
        ...

    def send(self, message: Message, ts: str | None) -> str:
        """Tell a message, or change the one that is at ``ts``, and return where the message is.

        A message with earlier attempts may have come through before a crash, so it is looked for first.
        Raises DeliveryError.
        """
        ...


class ConsoleChannel:
    """Prints messages and appends them to a file, for those who have no Slack.

    Printed is on standard error: standard output belongs to the answer, which may be JSON.
    """

    name = "console"

    def __init__(self, file: Path, stream: TextIO | None = None) -> None:
        self.file = file
        self.stream = stream

    def send(self, message: Message, ts: str | None) -> str:
        """Append a message to the file and print it, unless an earlier attempt did; raise DeliveryError."""
        head = f"--- {message.day} {message.kind} {message.incident}"
        entry = f"{head}\n{message.thread_note if message.kind in RETRAINING_NOTE_KINDS else message.text}\n\n"
        try:
            if message.attempts and self.file.exists() and entry in self.file.read_text(encoding="utf-8"):
                return ts or message.incident
            self.file.parent.mkdir(parents=True, exist_ok=True)
            with self.file.open("a", encoding="utf-8") as file:
                file.write(entry)
        except OSError as error:
            raise DeliveryError(f"{self.file} can't be written ({type(error).__name__})") from error
        stream = self.stream or sys.stderr
        encoding = stream.encoding or "utf-8"
        stream.write(entry.encode(encoding, "replace").decode(encoding))
        return ts or message.incident


class UnusableChannel:
    """Stands for a channel whose settings a person has to mend first."""

    def __init__(self, name: str, reason: str) -> None:
        self.name = name
        self._reason = reason

    def send(self, message: Message, ts: str | None) -> str:
        """Raise DeliveryError."""
        raise DeliveryError(self._reason, permanent=True)


def build_channel(name: str, further: FurtherChannel, secret: str, variable: str) -> Channel:
    """Return a channel that the routes name, with its secret, which stands in an environment ``variable``.

    Without it a channel keeps its messages and says, at every delivery, which variable to set.
    """
    if not secret and not (isinstance(further, EmailSettings) and not further.user):
        connection = f"watchkeeper_{name.replace('-', '_')}"
        return UnusableChannel(
            name, f"{name} has no secret; set {variable}, or the password of Airflow's connection {connection}"
        )
    if isinstance(further, PagerDutySettings):
        return PagerDutyChannel(name, secret, further.url)
    if isinstance(further, SlackWebhookSettings):
        return SlackWebhookChannel(name, secret)
    if isinstance(further, EmailSettings):
        to = {"user": further.user, "password": secret, "tls": further.tls}
        return EmailChannel(name, further.server, further.sender, further.to, **to)  # type: ignore[arg-type]
    return WebhookChannel(name, further.url, secret)
