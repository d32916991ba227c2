"""One HTTP request that delivers a message, and what its answer means; no address or secret gets into an error."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from email.message import Message as Headers
from http.client import HTTPException
from typing import Any
from urllib.parse import urlsplit

from alerting.notifications.channels.errors import DeliveryError

TRANSIENT_STATUSES = {408, 425, 429}
"""Refusals that pass by themselves; so does everything from 500 on."""
DEFAULT_WAIT_SECONDS = 60.0


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Follows nothing: a message, its signature and its key are for the address that was configured."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def encode_json(content: Mapping[str, Any]) -> bytes:
    """Return JSON as it is sent and signed."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"), default=str).encode()


def post_json(url: str, body: bytes, headers: Mapping[str, str], whose: str, timeout_seconds: float) -> None:
    """Post JSON; raise DeliveryError, which names ``whose`` the address is and never more than that."""
    if urlsplit(url).scheme not in ("http", "https"):
        raise DeliveryError(f"{whose} has no http or https address", permanent=True)
    request = urllib.request.Request(  # noqa: S310  the scheme was looked at above
        url, body, {"Content-Type": "application/json", **headers}, method="POST"
    )
    opener = urllib.request.build_opener(_NoRedirects)
    try:
        with opener.open(request, timeout=timeout_seconds) as answer:
            answer.read(65_536)
    except urllib.error.HTTPError as error:
        with error:
            raise delivery_error_of_status(whose, error.code, error.headers) from None
    except (OSError, HTTPException, ValueError) as error:
        raise DeliveryError(f"{whose} can't be reached ({type(error).__name__})") from None


def delivery_error_of_status(whose: str, status: int, headers: Mapping[str, str] | Headers) -> DeliveryError:
    """Return what a status other than 2xx means: try again (when), or a person has to fix it."""
    if status == 429:
        asked = {key.lower(): value for key, value in headers.items()}.get("retry-after", "")
        try:
            wait = max(1.0, float(asked))
        except ValueError:
            wait = DEFAULT_WAIT_SECONDS
        return DeliveryError(f"{whose} limits the rate", retry_after_seconds=wait)
    passing = status in TRANSIENT_STATUSES or status >= 500
    return DeliveryError(f"{whose} answers with status {status}", permanent=not passing)
