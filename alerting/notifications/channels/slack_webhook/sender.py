"""Posts to a Slack incoming webhook."""

from __future__ import annotations

import logging

from slack_sdk.errors import SlackClientError
from slack_sdk.webhook import WebhookClient

from alerting.notifications.channels.errors import DeliveryError
from alerting.notifications.channels.http import delivery_error_of_status
from alerting.notifications.messages.incident_message import to_mrkdwn
from ledger.records.messages import Message


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
