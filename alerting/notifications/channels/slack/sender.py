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

from alerting.notifications.channels.errors import DeliveryError
from alerting.notifications.messages.chart_image import render_chart_png
from alerting.notifications.messages.incident_message import to_mrkdwn, truncate_line
from ledger.records.messages import Message

SLACK_URL = "https://slack.com/api/"
PATIENCE_SECONDS = 30.0
"""A rate limit shorter than this is waited for; a longer one is left to the next delivery."""
MAX_RESULT_PAGES = 5
"""Pages of 200 messages looked through for one that an earlier attempt may have left."""
MAX_SEARCH_SECONDS = 45.0
"""After looking for longer, nothing is posted: the outbox leaves a message to one process for so long only."""
METADATA_EVENT_TYPE = "watchkeeper_incident"
ALT_TEXT_CHARACTERS = 1000
"""What Slack takes as the text in place of a picture."""

log = logging.getLogger("watchkeeper.slack")

_CHANNEL_ID = re.compile(r"^[CGD][A-Z0-9]{6,}$")
_GONE_ERRORS = {"message_not_found", "cant_update_message", "edit_window_closed", "thread_not_found"}
_BAD_BLOCK_ERRORS = {"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long"}
_TRANSIENT_ERRORS = {
    "internal_error",
    "fatal_error",
    "service_unavailable",
    "request_timeout",
    "rollup_error",
    "ratelimited",
}


class SlackChannel:
    """Sends to one channel, by its id or #name, with the token of a Slack app; ``name`` is the outbox's, if another.

    The app needs the scopes ``chat:write`` and, to find a message again after a crash, ``channels:history`` and
    ``channels:read`` (``groups:`` for a private channel). With ``files:write`` a picture goes into the thread.
    """

    def __init__(
        self,
        token: str,
        channel: str,
        base_url: str = SLACK_URL,
        *,
        name: str = "",
        timeout_seconds: int = 15,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name or channel
        self._channel = channel
        self._sleep = sleep
        self._clock = clock
        self._may_attach_charts = True
        # The client's own retries could post twice, and its log could name the token: both are left out.
        self._client = WebClient(
            token=token, base_url=base_url, timeout=timeout_seconds, retry_handlers=[], logger=_disabled_logger()
        )

    def send(self, message: Message, ts: str | None) -> str:
        """Post a message, or edit the one at ``ts`` (``<channel id>/<Slack's ts>``) and note it in its thread.

        Returns where the message is; raises DeliveryError.
        """
        again = message.attempts > 0
        begun = self._clock()
        location = ts or (self._find_message(message) if again else None)
        if self._clock() - begun > MAX_SEARCH_SECONDS:
            raise DeliveryError("Slack took too long to say whether the message is there already")
        if location is None:
            location = self._post(message)
            self._attach_chart(message, location, begun)
            return location
        if ts is None:
            self._attach_chart(message, location, begun, again=True)
        channel, slack_ts = location.split("/", 1)
        try:
            self._post_or_edit("chat.update", message, channel=channel, ts=slack_ts)
            if message.thread_note and not (again and self._has_note(message, channel, slack_ts)):
                self._call(
                    "chat.postMessage",
                    channel=channel,
                    thread_ts=slack_ts,
                    text=to_mrkdwn(message.thread_note),
                    metadata=_message_metadata(message),
                    # an old message that changes is seen by nobody
                    reply_broadcast=message.kind in ("reopened", "repeated"),
                    unfurl_links=False,
                )
        except _SlackRefusalError as error:
            if error.code not in _GONE_ERRORS:
                raise
            return self._post(message)  # somebody deleted it: say it anew rather than not at all
        return location

    def _post(self, message: Message) -> str:
        answer = self._post_or_edit(
            "chat.postMessage", message, channel=self._channel, unfurl_links=False, unfurl_media=False
        )
        return f"{answer['channel']}/{answer['ts']}"

    def _attach_chart(self, message: Message, location: str, begun: float, *, again: bool = False) -> None:
        """Put the figure into the thread, unless an earlier attempt did; a picture is never worth a second message.

        Whatever Slack answers, the message is there: a picture that fails is left out, and the log says why.
        """
        channel, slack_ts = location.split("/", 1)
        late = self._clock() - begun > MAX_SEARCH_SECONDS
        if message.picture is None or late or not self._may_attach_charts:
            return
        name = chart_file_name(message.incident)
        try:
            if again and self._has_file(name, channel, slack_ts):
                return
            self._client.files_upload_v2(
                channel=channel,
                thread_ts=slack_ts,
                filename=name,
                content=render_chart_png(message.picture),
                title=message.picture.title,
                alt_txt=truncate_line(f"{message.picture.title}: {message.picture.says}", ALT_TEXT_CHARACTERS),
            )
        except (DeliveryError, OSError, HTTPException, SlackClientError, ValueError, TypeError) as error:
            reason = _chart_failure_reason(error)
            self._may_attach_charts = reason != "missing_scope"
            hint = (
                "" if self._may_attach_charts else "; the app lacks the scope files:write, and goes on without pictures"
            )
            log.warning("%s: no picture of %s (%s%s)", self.name, message.incident, reason, hint)

    def _has_file(self, name: str, channel: str, slack_ts: str) -> bool:
        replies = self._paginate("conversations.replies", "messages", channel=channel, ts=slack_ts)
        return any(file.get("name") == name for reply in replies for file in reply.get("files") or [])

    def _post_or_edit(self, method: str, message: Message, **where: Any) -> Any:
        """Post or edit with blocks; in plain text where Slack doesn't take the blocks."""
        said = {"text": to_mrkdwn(message.text), "metadata": _message_metadata(message), **where}
        try:
            return self._call(method, blocks=message.blocks, **said)
        except _SlackRefusalError as error:
            if error.code not in _BAD_BLOCK_ERRORS:
                raise
            return self._call(method, blocks=[], **said)

    def _find_message(self, message: Message) -> str | None:
        """Return where an earlier attempt left the incident's message; None where there is none, or nobody knows."""
        try:
            channel = self._channel if _CHANNEL_ID.match(self._channel) else self._id_of_name()
            if channel is None:
                return None
            for found in self._paginate("conversations.history", "messages", channel=channel):
                if _metadata_payload(found).get("incident") == message.incident and "thread_ts" not in found:
                    return f"{channel}/{found['ts']}"
        except _SlackRefusalError:
            return None  # without the scope to look, a message twice is better than none
        return None

    def _has_note(self, message: Message, channel: str, slack_ts: str) -> bool:
        wanted = _message_metadata(message)["event_payload"]
        try:
            replies = self._paginate("conversations.replies", "messages", channel=channel, ts=slack_ts)
            return any(_metadata_payload(found) == wanted and found["ts"] != slack_ts for found in replies)
        except _SlackRefusalError:
            return False

    def _id_of_name(self) -> str | None:
        name = self._channel.removeprefix("#")
        kinds = "public_channel,private_channel"
        channels = self._paginate("conversations.list", "channels", types=kinds, exclude_archived=True)
        return next((str(channel["id"]) for channel in channels if channel.get("name") == name), None)

    def _paginate(self, method: str, key: str, **arguments: Any) -> Iterator[dict[str, Any]]:
        cursor = ""
        for _ in range(MAX_RESULT_PAGES):
            answer = self._call(method, limit=200, include_all_metadata=True, cursor=cursor, form=True, **arguments)
            yield from answer.get(key) or []
            cursor = (answer.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                return

    def _call(self, method: str, *, form: bool = False, **arguments: Any) -> Any:
        """Call one of Slack's methods; wait out a short rate limit; raise DeliveryError without any secret."""
        patience = PATIENCE_SECONDS
        while True:
            try:
                if form:
                    return self._client.api_call(method, params=arguments)
                return self._client.api_call(method, json=arguments)
            except SlackApiError as error:
                wait = _wait_seconds(error)
                if wait is None or wait > patience:
                    raise _delivery_error(method, error, wait) from None
                patience -= wait
                self._sleep(wait)
            except (OSError, HTTPException, SlackClientError, ValueError) as error:
                raise DeliveryError(f"Slack can't be reached ({type(error).__name__} in {method})") from None


class _SlackRefusalError(DeliveryError):
    """Slack answered that it won't; ``code`` is its word for why."""

    def __init__(self, method: str, code: str) -> None:
        super().__init__(f"Slack refuses {method}: {code}", permanent=True)
        self.code = code


def _chart_failure_reason(error: Exception) -> str:
    """Return why a picture failed, without anything that Slack's client would say of the request."""
    if isinstance(error, SlackApiError):
        return _slack_error_code(error) or type(error).__name__
    return str(error) if isinstance(error, DeliveryError) else type(error).__name__


def _delivery_error(method: str, error: SlackApiError, wait: float | None) -> DeliveryError:
    status = int(getattr(error.response, "status_code", 0) or 0)
    code = _slack_error_code(error)
    if wait is not None:
        return DeliveryError(f"Slack limits the rate of {method}", retry_after_seconds=wait)
    if status >= 500 or not code or code in _TRANSIENT_ERRORS:  # without a word of Slack's it is something in between
        return DeliveryError(f"Slack failed in {method}: {code or f'status {status}'}")
    return _SlackRefusalError(method, code)


def _slack_error_code(error: SlackApiError) -> str:
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


def chart_file_name(incident: str) -> str:
    """Return the name of the file that holds an incident's picture, by which it is found again."""
    return f"watchkeeper-{hashlib.sha256(incident.encode()).hexdigest()[:16]}.png"


def _message_metadata(message: Message) -> dict[str, Any]:
    digest = hashlib.sha256(message.thread_note.encode()).hexdigest()[:16]  # a day may note more than one change
    payload = {"incident": message.incident, "day": str(message.day), "kind": message.kind, "note": digest}
    return {"event_type": METADATA_EVENT_TYPE, "event_payload": payload}


def _metadata_payload(found: dict[str, Any]) -> dict[str, Any]:
    metadata = found.get("metadata") or {}
    payload = metadata.get("event_payload") if metadata.get("event_type") == METADATA_EVENT_TYPE else None
    return payload if isinstance(payload, dict) else {}


def _disabled_logger() -> logging.Logger:
    logger = logging.Logger("watchkeeper.slack")
    logger.disabled = True
    return logger
