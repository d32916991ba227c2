"""Asks Slack who a token is and what it may do, without sending anything."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from alerting.notifications.channels.protocol import CheckResult

SLACK_SCOPES = ("chat:write", "channels:history", "channels:read", "files:write")
MAX_SKEW_SECONDS = 60.0


def examine_token(token: str, url: str, now: datetime) -> Iterator[CheckResult]:
    """Yield whether Slack takes a token, which scopes it lacks, and whether the clocks differ."""
    try:
        answer = WebClient(token=token, base_url=url, timeout=10).auth_test()
    except (SlackApiError, OSError) as error:
        reason = error.response["error"] if isinstance(error, SlackApiError) else error.__class__.__name__
        todo = "install the app again, and give its bot token (docs/how-to/slack.md)"
        yield "broken", f"it refuses the token or can't be reached ({reason})", todo
        return
    headers = {key.lower(): str(value) for key, value in dict(answer.headers).items()}
    yield _scopes(headers, str(answer["team"]))
    if "date" in headers:
        skew = abs((now - parsedate_to_datetime(headers["date"])).total_seconds())
        if skew > MAX_SKEW_SECONDS:
            yield "broken", f"this machine's clock differs from Slack's by {skew:,.0f} s", "set the clock by NTP"


def _scopes(headers: Mapping[str, str], team: str) -> CheckResult:
    granted = {scope.strip() for scope in headers.get("x-oauth-scopes", "").split(",")} - {""}
    lacking = [scope for scope in SLACK_SCOPES if scope not in granted]
    if not granted or not lacking:
        return "ok", f"signed in to {team}" + (" with all scopes" if granted else ""), ""
    state = "broken" if "chat:write" in lacking else "look"
    without = "; messages come without a picture" if "files:write" in lacking else ""
    todo = "add them to the app (docs/how-to/slack.md) and install it again"
    return state, f"the token lacks {', '.join(lacking)}{without}", todo
