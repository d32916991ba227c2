"""Answers that didn't change are not sent again: ETag and If-None-Match."""

from __future__ import annotations

import hashlib

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class ETag:
    """Names each answer to a GET by a digest of its body, and answers 304 to those who have that body."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hold an answer of status 200 back until its body is whole; bodies are pages, so they are small."""
        if scope["type"] != "http" or scope["method"] != "GET":
            await self.app(scope, receive, send)
            return
        known = Headers(scope=scope).get("if-none-match", "")
        start: Message = {}
        body = bytearray()

        async def sending(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start" and message["status"] == 200:
                start = message
            elif not start:
                await send(message)
            else:
                body.extend(message.get("body", b""))
                if not message.get("more_body", False):
                    for each in _tagged(start, bytes(body), known):
                        await send(each)

        await self.app(scope, receive, sending)


def _tagged(start: Message, body: bytes, known: str) -> list[Message]:
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = MutableHeaders(scope=start)
    headers["ETag"] = tag
    headers["Cache-Control"] = "private, no-cache"
    same = known.strip() == "*" or tag in {each.strip().removeprefix("W/") for each in known.split(",")}
    if same:
        del headers["Content-Length"]
        del headers["Content-Type"]
        start["status"], body = 304, b""
    return [start, {"type": "http.response.body", "body": body}]
