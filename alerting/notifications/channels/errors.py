"""The one error of a channel."""

from __future__ import annotations


class DeliveryError(Exception):
    """A message couldn't be sent now; its text never holds a secret.

    ``retry_after_seconds`` is the wait that the other side asked for. ``permanent`` means that nothing changes until
    a person corrects the settings; the message is kept all the same.
    """

    def __init__(self, reason: str, *, retry_after_seconds: float | None = None, permanent: bool = False) -> None:
        super().__init__(reason)
        self.retry_after_seconds = retry_after_seconds
        self.permanent = permanent
