"""One Slack channel: an incident is one message, edited in place, with its history in the thread."""

from __future__ import annotations

import hashlib
import logging
import re
import time
from collections.abc import Callable, Iterator
from http.client import HTTPException
from typing import Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError

from alerting.drawing import png
from alerting.message import cut, mrkdwn
from alerting.undeliverable import Undeliverable
from ledger.records import Message

PATIENCE_SECONDS = 30.0
"""A rate limit shorter than this is waited for; a longer one is left to the next delivery."""
PAGES = 5
"""Pages of 200 messages looked through for one that an earlier attempt may have left."""
LONGEST_LOOK_SECONDS = 45.0
"""After looking for longer, nothing is posted: the outbox leaves a message to one process for so long only."""
EVENT = "watchkeeper_incident"
ALT_CHARACTERS = 1000
"""What Slack takes as the text in place of a picture."""

log = logging.getLogger("watchkeeper.slack")

_ID = re.compile(r"^[CGD][A-Z0-9]{6,}$")
_GONE = {"message_not_found", "cant_update_message", "edit_window_closed", "thread_not_found"}
_BAD_BLOCKS = {"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long"}
_PASSING = {"internal_error", "fatal_error", "service_unavailable", "request_timeout", "rollup_error", "ratelimited"}


class SlackChannel:
    """Sends to one channel, by its id or #name, with the token of a Slack app.

    The app needs the scopes ``chat:write`` and, to find a message again after a crash, ``channels:history`` and
    ``channels:read`` (``groups:`` for a private channel). With ``files:write`` a picture goes into the thread.
    """

    def __init__(
        self,
        token: str,
        channel: str,
        base_url: str = "https://slack.com/api/",
        *,
        timeout_seconds: int = 15,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = channel
        self._sleep = sleep
        self._clock = clock
        self._may_draw = True
        # The client's own retries could post twice, and its log could name the token: both are left out.
        self._client = WebClient(
            token=token, base_url=base_url, timeout=timeout_seconds, retry_handlers=[], logger=_silent()
        )

    def send(self, message: Message, ts: str | None) -> str:
        """Post a message, or edit the one at ``ts`` (``<channel id>/<Slack's ts>``) and note it in its thread.

        Returns where the message is; raises Undeliverable.
        """
        again = message.attempts > 0
        begun = self._clock()
        place = ts or (self._find(message) if again else None)
        if self._clock() - begun > LONGEST_LOOK_SECONDS:
            raise Undeliverable("Slack took too long to say whether the message is there already")
        if place is None:
            place = self._post(message)
            self._draw(message, place, begun)
            return place
        if ts is None:
            self._draw(message, place, begun, again=True)
        channel, slack_ts = place.split("/", 1)
        try:
            self._say("chat.update", message, channel=channel, ts=slack_ts)
            if message.thread_note and not (again and self._noted(message, channel, slack_ts)):
                self._call(
                    "chat.postMessage",
                    channel=channel,
                    thread_ts=slack_ts,
                    text=mrkdwn(message.thread_note),
                    metadata=_metadata(message),
                    # an old message that changes is seen by nobody
                    reply_broadcast=message.kind in ("reopened", "repeated"),
                    unfurl_links=False,
                )
        except _Refused as error:
            if error.code not in _GONE:
                raise
            return self._post(message)  # somebody deleted it: say it anew rather than not at all
        return place

    def _post(self, message: Message) -> str:
        answer = self._say("chat.postMessage", message, channel=self.name, unfurl_links=False, unfurl_media=False)
        return f"{answer['channel']}/{answer['ts']}"

    def _draw(self, message: Message, place: str, begun: float, *, again: bool = False) -> None:
        """Put the figure into the thread, unless an earlier attempt did; a picture is never worth a second message.

        Whatever Slack answers, the message is there: a picture that fails is left out, and the log says why.
        """
        channel, slack_ts = place.split("/", 1)
        late = self._clock() - begun > LONGEST_LOOK_SECONDS
        if message.picture is None or late or not self._may_draw:
            return
        name = picture_name(message.incident)
        try:
            if again and self._has_file(name, channel, slack_ts):
                return
            self._client.files_upload_v2(
                channel=channel,
                thread_ts=slack_ts,
                filename=name,
                content=png(message.picture),
                title=message.picture.title,
                alt_txt=cut(f"{message.picture.title}: {message.picture.says}", ALT_CHARACTERS),
            )
        except (Undeliverable, OSError, HTTPException, SlackClientError, ValueError, TypeError) as error:
            reason = _why(error)
            self._may_draw = reason != "missing_scope"
            hint = "" if self._may_draw else "; the app lacks the scope files:write, and goes on without pictures"
            log.warning("%s: no picture of %s (%s%s)", self.name, message.incident, reason, hint)

    def _has_file(self, name: str, channel: str, slack_ts: str) -> bool:
        replies = self._pages("conversations.replies", "messages", channel=channel, ts=slack_ts)
        return any(file.get("name") == name for reply in replies for file in reply.get("files") or [])

    def _say(self, method: str, message: Message, **where: Any) -> Any:
        """Post or edit with blocks; in plain text where Slack doesn't take the blocks."""
        said = {"text": mrkdwn(message.text), "metadata": _metadata(message), **where}
        try:
            return self._call(method, blocks=message.blocks, **said)
        except _Refused as error:
            if error.code not in _BAD_BLOCKS:
                raise
            return self._call(method, blocks=[], **said)

    def _find(self, message: Message) -> str | None:
        """Return where an earlier attempt left the incident's message; None where there is none or it can't be told."""
        try:
            channel = self.name if _ID.match(self.name) else self._id_of_name()
            if channel is None:
                return None
            for found in self._pages("conversations.history", "messages", channel=channel):
                if _payload(found).get("incident") == message.incident and "thread_ts" not in found:
                    return f"{channel}/{found['ts']}"
        except _Refused:
            return None  # without the scope to look, a message twice is better than none
        return None

    def _noted(self, message: Message, channel: str, slack_ts: str) -> bool:
        wanted = _metadata(message)["event_payload"]
        try:
            replies = self._pages("conversations.replies", "messages", channel=channel, ts=slack_ts)
            return any(_payload(found) == wanted and found["ts"] != slack_ts for found in replies)
        except _Refused:
            return False

    def _id_of_name(self) -> str | None:
        name = self.name.removeprefix("#")
        kinds = "public_channel,private_channel"
        channels = self._pages("conversations.list", "channels", types=kinds, exclude_archived=True)
        return next((str(channel["id"]) for channel in channels if channel.get("name") == name), None)

    def _pages(self, method: str, key: str, **arguments: Any) -> Iterator[dict[str, Any]]:
        cursor = ""
        for _ in range(PAGES):
            answer = self._call(method, limit=200, include_all_metadata=True, cursor=cursor, form=True, **arguments)
            yield from answer.get(key) or []
            cursor = (answer.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                return

    def _call(self, method: str, *, form: bool = False, **arguments: Any) -> Any:
        """Call one of Slack's methods; wait out a short rate limit; raise Undeliverable without any secret."""
        patience = PATIENCE_SECONDS
        while True:
            try:
                if form:
                    return self._client.api_call(method, params=arguments)
                return self._client.api_call(method, json=arguments)
            except SlackApiError as error:
                wait = _wait_seconds(error)
                if wait is None or wait > patience:
                    raise _undeliverable(method, error, wait) from None
                patience -= wait
                self._sleep(wait)
            except (OSError, HTTPException, SlackClientError, ValueError) as error:
                raise Undeliverable(f"Slack can't be reached ({type(error).__name__} in {method})") from None


class _Refused(Undeliverable):
    """Slack answered that it won't; ``code`` is its word for why."""

    def __init__(self, method: str, code: str) -> None:
        super().__init__(f"Slack refuses {method}: {code}", permanent=True)
        self.code = code


def _why(error: Exception) -> str:
    """Return why a picture failed, without anything that Slack's client would say of the request."""
    if isinstance(error, SlackApiError):
        return _code(error) or type(error).__name__
    return str(error) if isinstance(error, Undeliverable) else type(error).__name__


def _undeliverable(method: str, error: SlackApiError, wait: float | None) -> Undeliverable:
    status = int(getattr(error.response, "status_code", 0) or 0)
    code = _code(error)
    if wait is not None:
        return Undeliverable(f"Slack limits the rate of {method}", retry_after_seconds=wait)
    if status >= 500 or not code or code in _PASSING:  # without a word of Slack's it is something in between
        return Undeliverable(f"Slack failed in {method}: {code or f'status {status}'}")
    return _Refused(method, code)


def _code(error: SlackApiError) -> str:
    data = getattr(error.response, "data", None)
    code = str(data.get("error", "")) if isinstance(data, dict) else ""
    return code if re.fullmatch(r"[a-z0-9_]{1,60}", code) else ""


def _wait_seconds(error: SlackApiError) -> float | None:
    """Return the wait that a rate limit asks for, at least a second; None for any other error."""
    if getattr(error.response, "status_code", 0) != 429:
        return None
    asked = {key.lower(): value for key, value in dict(error.response.headers).items()}.get("retry-after", "")
    value = asked[0] if isinstance(asked, list) and asked else asked
    try:
        return max(1.0, float(str(value)))
    except ValueError:
        return 60.0


def picture_name(incident: str) -> str:
    """Return the name of the file that holds an incident's picture, by which it is found again."""
    return f"watchkeeper-{hashlib.sha256(incident.encode()).hexdigest()[:16]}.png"


def _metadata(message: Message) -> dict[str, Any]:
    digest = hashlib.sha256(message.thread_note.encode()).hexdigest()[:16]  # a day may note more than one change
    payload = {"incident": message.incident, "day": str(message.day), "kind": message.kind, "note": digest}
    return {"event_type": EVENT, "event_payload": payload}


def _payload(found: dict[str, Any]) -> dict[str, Any]:
    metadata = found.get("metadata") or {}
    payload = metadata.get("event_payload") if metadata.get("event_type") == EVENT else None
    return payload if isinstance(payload, dict) else {}


def _silent() -> logging.Logger:
    logger = logging.Logger("watchkeeper.slack")
    logger.disabled = True
    return logger
