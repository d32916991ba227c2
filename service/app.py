"""Puts the app together: routes behind the guard, every error a problem, the document of OpenAPI."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from fastapi import FastAPI, Response, Security
from fastapi.security import HTTPBearer

from service import asking, metrics, problems, slack, telling
from service.acts import Deliver, Perform
from service.desk import Desk, now_utc
from service.etag import ETag
from service.guard import Guard
from service.limiter import Limiter
from service.tokens import parse
from watchkeeper.settings import Settings

TITLE = "Watchkeeper"


def create(
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
    desk = Desk(settings, clock)
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
    problems.install(app)
    app.include_router(asking.router(desk))
    app.include_router(telling.router(desk, perform, deliver))
    app.include_router(slack.router(desk, perform, deliver, reply))

    @app.get("/v1/metrics", responses=problems.documented(), response_class=Response)
    def prometheus() -> Response:
        """Return the figures that Prometheus scrapes."""
        waiting = sum(message.sent_at is None for message in desk.ledger.messages())
        said = metrics.text(asking.statuses(desk), desk.ledger.incidents(), waiting)
        return Response(said, media_type=metrics.MEDIA_TYPE)

    app.add_middleware(ETag)
    app.add_middleware(
        Guard, tokens=parse(settings.api_tokens), limiter=limiter or Limiter(), signed=slack.signed(desk)
    )
    return app
