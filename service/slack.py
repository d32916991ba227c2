"""Slack's buttons: that a press comes from Slack, what it asks for, and what the person who pressed is answered.

Slack wants an answer within three seconds, so the press is answered at once and done after that.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from urllib.parse import parse_qs

from fastapi import APIRouter, BackgroundTasks, Request, Response
from slack_sdk.signature import Clock, SignatureVerifier
from slack_sdk.webhook import WebhookClient
from starlette.datastructures import Headers

from alerting.notifications.messages.incident_message import to_mrkdwn
from ledger import inbox
from models.errors import WatchkeeperError
from service.actions import Action, Deliver, Perform, Verb
from service.app_state import AppState
from service.guard import SLACK_PATH
from service.problems import Refusal

OLDEST_SECONDS = 300
SNOOZE_DAYS, SILENCE_DAYS = 3, 7
"""What one press means: quiet until the morning three days on; no word of the data of the coming week."""
MOST_INCIDENTS = 60
"""More than Slack's own limit on a button's value holds."""
RESPONSE_URL_PREFIXES = ("https://hooks.slack.com/", "https://hooks.slack-gov.com/")
BUTTON_LABELS = {
    Verb.ACKNOWLEDGE: "Acknowledge",
    Verb.SNOOZE: "Snooze",
    Verb.SILENCE: "Silence",
    Verb.NOT_A_PROBLEM: "Not a problem",
}
_SIGNATURE = re.compile(r"v0=[0-9a-f]{64}")
_SECONDS = re.compile(r"[0-9]{1,12}")
log = logging.getLogger("watchkeeper.slack")
Reply = Callable[[str, str], None]
"""Answers the person who pressed, at the address that came with the press, and nobody else."""


@dataclass(frozen=True)
class ButtonPress:
    """One press of a button: what it asks for, and where its presser is answered ('' : nowhere)."""

    actions: tuple[Action, ...]
    response_url: str


def make_signature_check(app_state: AppState) -> Callable[[Headers, bytes], None]:
    """Return what refuses a request that Slack didn't sign, that is older than five minutes, or that came before."""
    secret = app_state.settings.slack_signing_secret

    def check(headers: Headers, body: bytes) -> None:
        if not secret:
            raise Refusal(401, "no button is answered here: WATCHKEEPER_SLACK_SIGNING_SECRET isn't set")
        now = app_state.clock()
        timestamp, signature = (headers.get(f"x-slack-{name}", "") for name in ("request-timestamp", "signature"))
        if not (_SECONDS.fullmatch(timestamp) and _SIGNATURE.fullmatch(signature)):
            raise Refusal(401, "this isn't signed by Slack")
        if abs(now.timestamp() - int(timestamp)) > OLDEST_SECONDS:
            raise Refusal(401, "this was signed more than five minutes ago, or by a clock that is wrong")
        if not _signature_is_valid(secret, now.timestamp(), body, timestamp, signature):
            raise Refusal(401, "this isn't signed by Slack")
        if not inbox.record_request(app_state.ledger.database, signature, now):
            raise Refusal(401, "this came before")

    return check


def _signature_is_valid(secret: str, now_seconds: float, body: bytes, timestamp: str, signature: str) -> bool:
    clock = Clock()
    clock.now = lambda: now_seconds  # type: ignore[method-assign]
    try:
        return SignatureVerifier(secret, clock).is_valid(body, timestamp, signature)
    except UnicodeDecodeError:  # Slack sends forms, which are ASCII
        return False


def form_payload(body: bytes) -> Mapping[str, Any]:
    """Return the payload of Slack's form; refuse with 400 what holds none."""
    try:
        payload = json.loads(parse_qs(body.decode())["payload"][0])
    except (ValueError, KeyError, RecursionError):
        payload = None
    if not isinstance(payload, dict):
        raise Refusal(400, "the form has no field 'payload' with a JSON object")
    return payload


def parse_press(payload: Mapping[str, Any], today: date) -> ButtonPress | None:
    """Return what a payload of Slack's asks for; None for anything but a press of one of our buttons.

    A button's value holds the ids of incidents with spaces between.
    """
    pressed_buttons = payload.get("actions")
    if payload.get("type") != "block_actions" or not isinstance(pressed_buttons, list):
        return None
    by = _describe_person(payload.get("user"))
    actions: list[Action] = []
    for action in pressed_buttons:
        prefix, _, name = str(_field_of(action, "action_id")).partition(":")
        if prefix != "watchkeeper" or name not in set(Verb):
            continue  # a button that is a link reports its press too
        verb = Verb(name)
        days = {Verb.SNOOZE: SNOOZE_DAYS, Verb.SILENCE: SILENCE_DAYS}.get(verb)
        until = today + timedelta(days=days) if days else None
        ids = str(_field_of(action, "value")).split()[:MOST_INCIDENTS]
        actions += [Action(verb, incident, by, f"pressed “{BUTTON_LABELS[verb]}” in Slack", until) for incident in ids]
    url = str(payload.get("response_url") or "")
    return ButtonPress(tuple(actions), url if url.startswith(RESPONSE_URL_PREFIXES) else "") if actions else None


def handle_press(perform: Perform, deliver: Deliver, pressed: ButtonPress, reply: Reply) -> None:
    """Do what a press asks for, answer the person who pressed, and show it in the message."""
    said = []
    done = False
    for action in pressed.actions:
        try:
            said.append(perform(action))
            done = True
        except (WatchkeeperError, Refusal) as error:
            said.append(f"That could not be done: {error}")
        except Exception:
            log.exception("%s of %s failed", action.verb, action.incident)
            said.append(f"That failed here, and the log of the service says why: {action.verb} of {action.incident}")
    if pressed.response_url:
        reply(pressed.response_url, "\n".join(to_mrkdwn(sentence) for sentence in said))
    if done:
        deliver()


def reply_in_slack(url: str, text: str) -> None:
    """Answer the person who pressed; one that can't be answered sees it in the message, so it isn't tried again."""
    try:
        answer = WebhookClient(url, timeout=5).send(text=text, response_type="ephemeral", replace_original=False)
    except OSError as error:
        log.warning("a press could not be answered (%s)", type(error).__name__)
        return
    if answer.status_code != 200:
        log.warning("a press could not be answered (status %s)", answer.status_code)


def slack_router(app_state: AppState, perform: Perform, deliver: Deliver, reply: Reply) -> APIRouter:
    """Return the one route of Slack's; the guard has checked the signature before."""
    routes = APIRouter()

    @routes.post(SLACK_PATH, include_in_schema=False)
    async def pressed(request: Request, after: BackgroundTasks) -> Response:
        found = parse_press(form_payload(await request.body()), app_state.now().date())
        if found is not None:
            after.add_task(handle_press, perform, deliver, found, reply)
        return Response(status_code=200, background=after)

    return routes


def _field_of(action: object, key: str) -> object:
    return action.get(key, "") if isinstance(action, dict) else ""


def _describe_person(user: object) -> str:
    """Return who pressed, as the log keeps it: the name that people know, and the id that doesn't change."""
    name = str(_field_of(user, "username") or _field_of(user, "name") or "somebody")
    readable = "".join(sign for sign in name if sign.isprintable())[:60].strip() or "somebody"
    known = re.sub(r"[^A-Za-z0-9]", "", str(_field_of(user, "id")))[:20]
    return f"{readable} (Slack {known})" if known else f"{readable} (Slack)"
