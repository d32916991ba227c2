"""The door: who asks, how often and how much; nothing behind it is reached without a token or Slack's signature.

It stands inside the app, not in what serves it, so that the app is as closed when Airflow mounts it as alone.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Sequence

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from models.errors import WatchkeeperError
from service import problems
from service.limiter import Limiter
from service.problems import Refusal
from service.tokens import READ, WRITE, Caller, Token, find_caller

LARGEST_BODY_BYTES = 64 * 1024
SLACK_PATH = "/slack/actions"
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Strict-Transport-Security": "max-age=31536000",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
log = logging.getLogger("watchkeeper.service")


class Guard:
    """Lets requests through that are signed, within their rate and not too large, and gives each answer its headers.

    ``signed`` takes the headers and the body of a request of Slack's and raises Refusal where they aren't Slack's.
    """

    def __init__(
        self,
        app: ASGIApp,
        tokens: Sequence[Token],
        limiter: Limiter,
        signed: Callable[[Headers, bytes], None],
    ) -> None:
        self.app, self.tokens, self.limiter, self.signed = app, tokens, limiter, signed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or pass the request on with its caller in ``request.state.caller``."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, _with_headers(send))
        else:
            await send({"type": "websocket.close", "code": 1008})

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def sending(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            body = await self._admit(scope, receive)
            await self.app(scope, _replay_body(body, receive), sending)
        except Refusal as refusal:
            await problems.problem_response(refusal)(scope, receive, send)
        except WatchkeeperError as error:  # of the ledger, which remembers Slack's requests
            await problems.problem_response(Refusal(503, str(error)))(scope, receive, send)
        except Exception:
            log.exception("%s %s failed", scope["method"], scope["path"])
            if started:
                raise
            await problems.problem_response(Refusal(500, "this failed here; the log of the service says why"))(
                scope, receive, send
            )

    async def _admit(self, scope: Scope, receive: Receive) -> bytes:
        headers = Headers(scope=scope)
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        signed = await _read_body(headers, receive) if path == SLACK_PATH else None
        if signed is None:
            caller = self._caller(scope["method"], headers)
        else:
            await run_in_threadpool(self.signed, headers, signed)
            caller = Caller("slack", frozenset())
        wait = self.limiter.wait_seconds(caller.name)
        if wait:
            seconds = math.ceil(wait)
            raise Refusal(429, f"{caller.name} asks too often; ask again in {seconds} s", {"Retry-After": str(seconds)})
        scope.setdefault("state", {})["caller"] = caller
        return await _read_body(headers, receive) if signed is None else signed

    def _caller(self, method: str, headers: Headers) -> Caller:
        caller = find_caller(self.tokens, headers.get("authorization", ""))
        if caller is None:
            said = "send the header 'Authorization: Bearer <token>' with a token of WATCHKEEPER_API_TOKENS"
            raise Refusal(401, said, {"WWW-Authenticate": 'Bearer realm="watchkeeper"'})
        needed = READ if method in {"GET", "HEAD", "OPTIONS"} else WRITE
        if needed not in caller.scopes:
            raise Refusal(403, f"the token of {caller.name} may not {needed}")
        return caller


async def _read_body(headers: Headers, receive: Receive) -> bytes:
    """Return a request's whole body; raise Refusal as soon as it is known to be too large."""
    declared_length = headers.get("content-length", "")
    read = bytearray()
    more = True
    while more:
        if (
            declared_length.isascii() and declared_length.isdigit() and int(declared_length[:12]) > LARGEST_BODY_BYTES
        ) or len(read) > LARGEST_BODY_BYTES:
            raise Refusal(413, f"a request may have {LARGEST_BODY_BYTES:,} bytes at most")
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Refusal(400, "the request ended before its body did")
        read += message.get("body", b"")
        more = message.get("more_body", False)
    if len(read) > LARGEST_BODY_BYTES:
        raise Refusal(413, f"a request may have {LARGEST_BODY_BYTES:,} bytes at most")
    return bytes(read)


def _replay_body(body: bytes, receive: Receive) -> Receive:
    """Return a ``receive`` that gives a body that was read already, and then what comes after it."""
    left = [body]

    async def again() -> Message:
        if left:
            return {"type": "http.request", "body": left.pop(), "more_body": False}
        return await receive()

    return again


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return sending
