"""Sends incidents to PagerDuty as events."""

from __future__ import annotations

import hashlib
from typing import Any

from alerting.notifications.channels.http import encode_json, post_json
from ledger.records.messages import Message

PAGERDUTY_URL = "https://events.pagerduty.com"
SUMMARY_CHARACTERS = 1024
MAX_DEDUP_KEY_CHARACTERS = 255
MOST_DETAILS = 20


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
