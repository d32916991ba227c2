"""Puts the app together: routes behind the guard, every error a problem, the document of OpenAPI."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from fastapi import FastAPI, Response, Security
from fastapi.security import HTTPBearer

from service import metrics, problems, read_routes, slack, write_routes
from service.actions import Deliver, Perform
from service.app_state import AppState, now_utc
from service.etag import ETag
from service.guard import Guard
from service.limiter import Limiter
from service.tokens import parse_tokens
from watchkeeper.settings import Settings

TITLE = "Watchkeeper"


def create_app(
    settings: Settings,
    perform: Perform,
    deliver: Deliver,
    *,
    clock: Callable[[], datetime] = now_utc,
    limiter: Limiter | None = None,
    reply: slack.Reply = slack.reply_in_slack,
) -> FastAPI:
    """Return the app of some settings; nothing is opened before the first request.

    Without tokens in the settings every request is refused. Raises WatchkeeperError for tokens that can't be read.
    """
    app_state = AppState(settings, clock)
    app = FastAPI(
        title=TITLE,
        version="1",
        description="How a bank's fraud models are, what is wrong with them, and what is done about it.",
        openapi_url="/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        dependencies=[Security(HTTPBearer(auto_error=False))],  # says so in the document; the guard does it
    )
    problems.install_problem_handlers(app)
    app.include_router(read_routes.read_router(app_state))
    app.include_router(write_routes.write_router(app_state, perform, deliver))
    app.include_router(slack.slack_router(app_state, perform, deliver, reply))

    @app.get("/v1/metrics", responses=problems.problem_responses(), response_class=Response)
    def prometheus() -> Response:
        """Return the figures that Prometheus scrapes."""
        waiting = sum(message.sent_at is None for message in app_state.ledger.messages())
        said = metrics.render_metrics(read_routes.model_statuses(app_state), app_state.ledger.incidents(), waiting)
        return Response(said, media_type=metrics.MEDIA_TYPE)

    app.add_middleware(ETag)
    app.add_middleware(
        Guard,
        tokens=parse_tokens(settings.api_tokens),
        limiter=limiter or Limiter(),
        signed=slack.make_signature_check(app_state),
    )
    return app
