"""Posts a retraining request, signed as Standard Webhooks has it (github.com/standard-webhooks/standard-webhooks).

The signature is HMAC-SHA256 over ``id.timestamp.body``: a receiver that checks it, refuses old timestamps and
remembers ids can't be fooled by a forged, late or repeated message.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Mapping
from typing import Any

import requests

from models.errors import WatchkeeperError
from models.retraining import Webhook

PREFIX = "whsec_"
TIMEOUT_SECONDS = 30


def post_retraining_request(
    target: Webhook, job: str, given: Mapping[str, Any], secret: str, clock: Callable[[], float] = time.time
) -> str:
    """Post a request under the id ``job``; raise WatchkeeperError where nobody takes it.

    409 counts as taken: the receiver knows the id.
    """
    if not secret:
        raise WatchkeeperError("a webhook needs a key to sign with; set WATCHKEEPER_WEBHOOK_SECRET")
    body = json.dumps({"type": "retraining.requested", "data": dict(given)}, sort_keys=True).encode()
    at = str(int(clock()))
    headers = {
        "content-type": "application/json",
        "webhook-id": job,
        "webhook-timestamp": at,
        "webhook-signature": sign_body(secret, job, at, body),
    }
    try:
        answer = requests.post(target.url, data=body, headers=headers, timeout=TIMEOUT_SECONDS, allow_redirects=False)
    except requests.RequestException as error:
        raise WatchkeeperError(f"webhook {target.url}: can't be reached ({type(error).__name__})") from None
    if answer.status_code == 409:
        return f"{target.url} has {job} already"
    if not 200 <= answer.status_code < 300:
        raise WatchkeeperError(f"webhook {target.url}: answered {answer.status_code}; accepted are 2xx, and 409")
    return f"{target.url} took {job}"


def sign_body(secret: str, job: str, at: str, body: bytes) -> str:
    """Return the signature header of a body, ``v1,<base64>``; a ``whsec_`` secret is base64, any other is its text."""
    try:
        key = (
            base64.b64decode(secret.removeprefix(PREFIX), validate=True)
            if secret.startswith(PREFIX)
            else secret.encode()
        )
    except binascii.Error as error:
        raise WatchkeeperError("WATCHKEEPER_WEBHOOK_SECRET: what follows whsec_ is not base64") from error
    digest = hmac.new(key, f"{job}.{at}.".encode() + body, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"
