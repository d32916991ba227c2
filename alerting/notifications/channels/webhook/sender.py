"""Posts incidents as signed JSON to an address of the bank's own."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable

from alerting.notifications.channels.http import encode_json, post_json
from ledger.records.messages import Message

SIGNATURE_TOLERANCE_SECONDS = 300
"""A signature older than this, or from so far ahead, is refused: whoever recorded a request can't use it later."""


class WebhookChannel:
    """Posts an incident as JSON to an address of the bank's own, signed so that the receiver can check who sent it."""

    def __init__(
        self,
        name: str,
        url: str,
        secret: str,
        *,
        timeout_seconds: float = 15,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.name = name
        self._url = url
        self._secret = secret
        self._timeout_seconds = timeout_seconds
        self._clock = clock

    def send(self, message: Message, ts: str | None) -> str:
        """Post a message; its ``Idempotency-Key`` is the same at every attempt. Raises DeliveryError."""
        body = encode_json(
            {
                "id": message.incident,
                "kind": message.kind,
                "day": str(message.day),
                "text": message.text,
                "incidents": list(message.about),
            }
        )
        at = int(self._clock())
        said = f"{message.incident}|{message.day}|{message.kind}|{hashlib.sha256(message.text.encode()).hexdigest()}"
        headers = {
            "X-Watchkeeper-Timestamp": str(at),
            "X-Watchkeeper-Signature": sign_body(self._secret, at, body),
            "Idempotency-Key": hashlib.sha256(said.encode()).hexdigest(),
        }
        post_json(self._url, body, headers, self.name, self._timeout_seconds)
        return ts or message.incident


def sign_body(secret: str, at: int, body: bytes) -> str:
    """Return ``v1=`` and the HMAC-SHA256, in hex, of ``v1:<seconds since 1970>:<body>``."""
    return "v1=" + hmac.new(secret.encode(), b"v1:%d:" % at + body, hashlib.sha256).hexdigest()


def is_signature_valid(secret: str, timestamp: str, signature: str, body: bytes, now: float) -> bool:
    """Return whether a request is signed with the secret and not older than five minutes, in constant time."""
    if not (timestamp.isascii() and timestamp.isdigit()) or abs(now - int(timestamp)) > SIGNATURE_TOLERANCE_SECONDS:
        return False
    return hmac.compare_digest(sign_body(secret, int(timestamp), body).encode(), signature.encode())
