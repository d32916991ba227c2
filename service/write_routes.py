"""The routes that announce something to Watchkeeper, or act on incidents."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, BackgroundTasks, Body, Request, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from ledger import inbox
from service.actions import Action, Deliver, Perform, Verb
from service.app_state import AppState
from service.problems import Refusal, problem_responses
from service.read_routes import Day, IncidentId, ModelName


class PartitionAnswer(BaseModel):
    """Who said first that a partition is ready, and when (UTC)."""

    model: str
    day: date
    at: datetime
    by: str


def _one_line(name: str) -> str:
    if not name.isprintable():
        raise ValueError("must be a name on one line")
    return name


class ActBody(BaseModel):
    """Who does it and why, both kept in the log; and until when."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    by: Annotated[str, Field(min_length=1, max_length=60), AfterValidator(_one_line)]
    reason: str = Field(min_length=1, max_length=2000)
    until: date | None = Field(
        None, description="The morning on which it speaks again after a snooze, or the last day of data of a silence."
    )


class Done(BaseModel):
    """What was done, in a sentence."""

    done: str


def write_router(app_state: AppState, perform: Perform, deliver: Deliver) -> APIRouter:
    """Return the routes of an app's state; ``perform`` acts on incidents, ``deliver`` notifies of it."""
    routes = APIRouter(prefix="/v1")

    @routes.post(
        "/models/{model}/partitions/{day}", responses=problem_responses(404) | {201: {"model": PartitionAnswer}}
    )
    def partition_ready(model: ModelName, day: Day, request: Request, response: Response) -> PartitionAnswer:
        """Take in that a model's partition is ready; said again, it is answered as the first time.

        It wakes the day's watch, which looks at the warehouse itself: an announcement is no partition.
        """
        spec, now = app_state.spec(model), app_state.now()
        if day > now.date() + timedelta(days=1):
            raise Refusal(422, f"path.day: {day} hasn't begun yet")
        kept, news = inbox.record_announcement(app_state.ledger.database, spec.model, day, now, _caller(request))
        response.status_code = 201 if news else 200
        return PartitionAnswer(model=kept.model, day=kept.day, at=kept.at, by=kept.by)

    @routes.post("/incidents/{incident}/{verb}", responses=problem_responses(404, 409))
    def act(
        incident: IncidentId, verb: Verb, body: Annotated[ActBody, Body()], request: Request, after: BackgroundTasks
    ) -> Done:
        """Acknowledge, snooze or silence an incident, or say that it is not a problem; the log keeps who and why."""
        known = app_state.incident(incident)
        by = f"{body.by} ({_caller(request)})"
        done = perform(Action(verb, known.id, by, body.reason, body.until))
        after.add_task(deliver)
        return Done(done=done)

    return routes


def _caller(request: Request) -> str:
    name: str = request.state.caller.name
    return name
