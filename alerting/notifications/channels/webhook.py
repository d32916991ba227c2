"""Channels that are one HTTP request: Slack's incoming webhook, PagerDuty, and a signed webhook of the bank's own."""

from __future__ import annotations

import hashlib
import hmac
import logging
import time
from collections.abc import Callable
from typing import Any

from slack_sdk.errors import SlackClientError
from slack_sdk.webhook import WebhookClient

from alerting.notifications.channels.errors import DeliveryError
from alerting.notifications.channels.http import delivery_error_of_status, encode_json, post_json
from alerting.notifications.messages.incident_message import to_mrkdwn
from ledger.records.messages import Message

PAGERDUTY_URL = "https://events.pagerduty.com"
SUMMARY_CHARACTERS = 1024
MAX_DEDUP_KEY_CHARACTERS = 255
MOST_DETAILS = 20
SIGNATURE_TOLERANCE_SECONDS = 300
"""A signature older than this, or from so far ahead, is refused: whoever recorded a request can't use it later."""


class SlackWebhookChannel:
    """Posts to a Slack incoming webhook. It can't edit: an update is left out, an end is a message of its own."""

    def __init__(self, name: str, url: str, *, timeout_seconds: int = 15) -> None:
        self.name = name
        silent = logging.Logger("watchkeeper.slack_webhook")
        silent.disabled = True  # its log would name the address, which is the secret
        self._client = WebhookClient(url, timeout=timeout_seconds, retry_handlers=[], logger=silent)

    def send(self, message: Message, ts: str | None) -> str:
        """Post a message unless it only updates one; raise DeliveryError."""
        if ts is not None and message.kind == "updated":
            return ts
        try:
            blocks = [block for block in message.blocks if block.get("type") != "actions"]  # nobody answers its buttons
            answer = self._client.send(text=to_mrkdwn(message.text), blocks=blocks)
        except (OSError, SlackClientError, ValueError) as error:
            raise DeliveryError(f"{self.name} can't be reached ({type(error).__name__})") from None
        if answer.status_code != 200:
            raise delivery_error_of_status(
                self.name, answer.status_code, {k: str(v) for k, v in answer.headers.items()}
            )
        return ts or message.incident


class PagerDutyChannel:
    """Triggers, acknowledges and resolves alerts by PagerDuty's Events API v2; one incident is one alert there.

    ``key`` is the integration's routing key.
    """

    def __init__(self, name: str, key: str, base_url: str = PAGERDUTY_URL, *, timeout_seconds: float = 15) -> None:
        self.name = name
        self._key = key
        self._url = f"{base_url.rstrip('/')}/v2/enqueue"
        self._timeout_seconds = timeout_seconds

    def send(self, message: Message, ts: str | None) -> str:
        """Send one event; the same event twice is one alert, so nothing has to be looked for. Raises DeliveryError."""
        event: dict[str, Any] = {
            "routing_key": self._key,
            "event_action": _pagerduty_action(message.kind),
            "dedup_key": dedup_key(message.incident),
        }
        if event["event_action"] == "trigger":
            head = message.text.partition("\n")[0]
            event["payload"] = {
                "summary": head[:SUMMARY_CHARACTERS],
                "source": message.model,
                "severity": "critical" if any(about.get("data_fault") for about in message.about) else "error",
                "component": message.group.partition("|")[0],
                "custom_details": {"text": message.text, "incidents": list(message.about[:MOST_DETAILS])},
            }
            event["client"] = "Watchkeeper"
            event["links"] = _pagerduty_links(message)
        post_json(self._url, encode_json(event), {}, self.name, self._timeout_seconds)
        return ts or event["dedup_key"]


class WebhookChannel:
    """Posts an incident as JSON to an address of the bank's own, signed so that the receiver can tell who sent it."""

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


def dedup_key(incident: str) -> str:
    """Return the name of an incident's alert: its id, or, where that is longer than allowed, its start and a digest."""
    if len(incident) <= MAX_DEDUP_KEY_CHARACTERS:
        return incident
    digest = hashlib.sha256(incident.encode()).hexdigest()[:16]
    return f"{incident[: MAX_DEDUP_KEY_CHARACTERS - 17]}-{digest}"


def _pagerduty_links(message: Message) -> list[dict[str, str]]:
    """Return the addresses of the heaviest incident that a phone can open."""
    lead = message.about[0] if message.about else {}
    named = ((lead.get("url", ""), "Open the incident"), (lead.get("runbook", ""), "Runbook"))
    return [{"href": href, "text": text} for href, text in named if href.startswith(("http://", "https://"))]


def _pagerduty_action(kind: str) -> str:
    if kind == "resolved":
        return "resolve"
    return "acknowledge" if kind.startswith(("acknowledged", "handled")) else "trigger"
