"""Every error as RFC 9457's ``application/problem+json``, with the one sentence that says what to do."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from models.errors import WatchkeeperError

MEDIA_TYPE = "application/problem+json"


class Problem(BaseModel):
    """What went wrong: ``detail`` is one sentence, ``title`` the meaning of ``status``."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str


class Refusal(Exception):  # noqa: N818  an answer, not a failure
    """An answer other than the one asked for, with its status and sentence."""

    def __init__(self, status: int, detail: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.detail, self.headers = status, detail, headers


def problem_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return how OpenAPI lists the problems that a route may answer with, besides those of every route."""
    content = {MEDIA_TYPE: {"schema": Problem.model_json_schema()}}
    every = (400, 401, 403, 413, 422, 429, 503)
    return {status: {"description": _title(status), "content": content} for status in sorted({*every, *statuses})}


def problem_response(refusal: Refusal) -> JSONResponse:
    """Return a refusal as it is sent."""
    said = Problem(title=_title(refusal.status), status=refusal.status, detail=refusal.detail)
    return JSONResponse(said.model_dump(), refusal.status, refusal.headers, MEDIA_TYPE)


def install_problem_handlers(app: FastAPI) -> None:
    """Have an app answer with problems."""

    @app.exception_handler(Refusal)
    def refused(_: Request, error: Refusal) -> JSONResponse:
        return problem_response(error)

    @app.exception_handler(HTTPException)
    def http(request: Request, error: HTTPException) -> JSONResponse:
        said = {404: f"there is nothing at {request.url.path}", 405: f"{request.method} can't be done here"}
        return problem_response(
            Refusal(error.status_code, said.get(error.status_code, str(error.detail)), dict(error.headers or {}))
        )

    @app.exception_handler(RequestValidationError)
    def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        return problem_response(Refusal(422, _describe_validation_error(error)))

    @app.exception_handler(WatchkeeperError)
    def mistaken(_: Request, error: WatchkeeperError) -> JSONResponse:
        # What the ledger's database can't do is no mistake of the caller's.
        return problem_response(Refusal(503 if isinstance(error.__cause__, SQLAlchemyError) else 409, str(error)))


def _describe_validation_error(error: RequestValidationError) -> str:
    """Return the first thing that is wrong with a request, and how many others there are."""
    first, *others = error.errors()
    where = ".".join(str(part) for part in first["loc"])
    what = first["msg"][:1].lower() + first["msg"][1:]
    given = first.get("input")
    shown = f", not {given!r:.80}" if isinstance(given, str | int | float) else ""
    more = f" ({len(others)} more like this)" if others else ""
    return f"{where}: {what}{shown}{more}"


def _title(status: int) -> str:
    return HTTPStatus(status).phrase
