"""Runs the service alone: HTTP by uvicorn, or Slack's buttons over Socket Mode where Slack can't reach us."""

from __future__ import annotations

import threading

import uvicorn
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.socket_mode import SocketModeClient
from slack_sdk.socket_mode.client import BaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse

from ledger import inbox
from models.errors import WatchkeeperError
from service import slack
from service.actions import Deliver, Perform
from service.app import create_app
from service.app_state import AppState
from service.perform import make_deliverer, make_performer
from watchkeeper.settings import Settings

MOST_AT_ONCE = 100


def serve_http(settings: Settings, host: str, port: int) -> None:
    """Serve until interrupted; raise WatchkeeperError where nobody could be let in."""
    if not (settings.api_tokens or settings.slack_signing_secret):
        raise WatchkeeperError(
            "nobody could use the service: set WATCHKEEPER_API_TOKENS to name:sha256:read or name:sha256:read+write "
            "(the SHA-256 of each token), WATCHKEEPER_SLACK_SIGNING_SECRET, or both"
        )
    app_state = AppState(settings)
    app = create_app(settings, make_performer(app_state), make_deliverer(app_state))
    uvicorn.run(app, host=host, port=port, server_header=False, proxy_headers=False, limit_concurrency=MOST_AT_ONCE)


def serve_socket_mode(settings: Settings, stop: threading.Event | None = None) -> None:
    """Answer Slack's buttons over a connection that we open to Slack, until interrupted or ``stop`` is set."""
    if not settings.slack_app_token:
        raise WatchkeeperError("Socket Mode needs WATCHKEEPER_SLACK_APP_TOKEN, an app-level token (xapp-...)")
    app_state = AppState(settings)
    client = connect_socket_mode(app_state, make_performer(app_state), make_deliverer(app_state), slack.reply_in_slack)
    try:
        (stop or threading.Event()).wait()
    finally:
        client.close()


def connect_socket_mode(
    app_state: AppState, perform: Perform, deliver: Deliver, reply: slack.Reply
) -> SocketModeClient:
    """Return a client that is connected to Slack and answers each press once; it connects again by itself."""
    web = WebClient(base_url=app_state.settings.slack_base_url)
    client = SocketModeClient(app_token=app_state.settings.slack_app_token, web_client=web)

    def listen(asked_by: BaseSocketModeClient, request: SocketModeRequest) -> None:
        asked_by.send_socket_mode_response(SocketModeResponse(request.envelope_id))
        found = slack.parse_press(request.payload, app_state.now().date()) if request.type == "interactive" else None
        if found is not None and inbox.record_request(
            app_state.ledger.database, f"socket:{request.envelope_id}", app_state.clock()
        ):
            slack.handle_press(perform, deliver, found, reply)

    client.socket_mode_request_listeners.append(listen)
    try:
        client.connect()
    except (SlackApiError, SlackClientError, OSError) as error:
        client.close()
        why = error.response.get("error") if isinstance(error, SlackApiError) else type(error).__name__
        raise WatchkeeperError(f"Socket Mode can't be opened ({why}); is WATCHKEEPER_SLACK_APP_TOKEN right?") from None
    return client
