"""The routes that tell Watchkeeper something."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from ledger import told
from service.asking import Day, ModelName
from service.desk import Desk
from service.problems import Refusal, documented


class PartitionAnswer(BaseModel):
    """Who said first that a partition is ready, and when (UTC)."""

    model: str
    day: date
    at: datetime
    by: str


def router(desk: Desk) -> APIRouter:
    """Return the routes of a desk."""
    routes = APIRouter(prefix="/v1")

    @routes.post("/models/{model}/partitions/{day}", responses=documented(404) | {201: {"model": PartitionAnswer}})
    def partition_ready(model: ModelName, day: Day, request: Request, response: Response) -> PartitionAnswer:
        """Take in that a model's partition is ready; said again, it is answered as the first time.

        It wakes the day's watch, which looks at the warehouse itself: an announcement is no partition.
        """
        spec, now = desk.spec(model), desk.now()
        if day > now.date() + timedelta(days=1):
            raise Refusal(422, f"path.day: {day} hasn't begun yet")
        caller: str = request.state.caller.name
        kept, news = told.announce(desk.ledger.database, spec.model, day, now, caller)
        response.status_code = 201 if news else 200
        return PartitionAnswer(model=kept.model, day=kept.day, at=kept.at, by=kept.by)

    return routes
