from __future__ import annotations

from dataclasses import replace

from alerting.notifications.channels.webhook.sender import WebhookChannel, is_signature_valid, sign_body
from tests.alerting.notifications.channels.http_server import Web
from tests.alerting.notifications.channels.made import AT, INCIDENT, OPENED, RESOLVED, SECRET


def hook(web: Web) -> WebhookChannel:
    return WebhookChannel("hook", f"{web.url}/{SECRET}", SECRET, timeout_seconds=0.3, clock=lambda: AT)


def test_a_webhook_is_signed_over_its_time_and_body_and_the_same_at_every_attempt(web: Web) -> None:
    hook(web).send(OPENED, None)
    hook(web).send(replace(OPENED, attempts=3), None)
    hook(web).send(RESOLVED, INCIDENT.id)
    (_, headers, body), (_, again, _), (_, ended, _) = web.posted
    assert is_signature_valid(
        SECRET, headers["X-Watchkeeper-Timestamp"], headers["X-Watchkeeper-Signature"], body, AT + 10
    )
    assert headers["Idempotency-Key"] == again["Idempotency-Key"] != ended["Idempotency-Key"]
    (about,) = web.contents[0]["incidents"]
    assert (about["id"], about["table"], about["opened"]) == (INCIDENT.id, "card_payments/features", "2026-03-03")
    assert about["runbook"] == "https://docs.example/watchkeeper/runbook/column_fault/"


def test_a_forged_replayed_or_late_request_is_not_genuine() -> None:
    body = b"{}"
    good = sign_body(SECRET, AT, body)
    assert is_signature_valid(SECRET, str(AT), good, body, AT)
    assert not is_signature_valid("other", str(AT), good, body, AT)
    assert not is_signature_valid(SECRET, str(AT), good, b"{ }", AT)
    assert not is_signature_valid(SECRET, str(AT + 1), good, body, AT)
    assert not is_signature_valid(SECRET, str(AT), good, body, AT + 301)
    assert not is_signature_valid(SECRET, "soon", good, body, AT)
    assert not is_signature_valid(SECRET, str(AT), "ü", body, AT)
