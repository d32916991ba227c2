"""Prints messages and keeps them in a file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TextIO

from alerting.notifications.channels.errors import DeliveryError
from ledger.records.messages import RETRAINING_NOTE_KINDS, Message


class ConsoleChannel:
    """Prints messages and appends them to a file, for those who have no Slack.

    It prints on standard error: standard output belongs to the answer, which may be JSON.
    """

    def __init__(self, file: Path, stream: TextIO | None = None, *, name: str = "console") -> None:
        self.name = name
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
