"""The routes that answer questions; nothing is changed by them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from ledger import measurements as figures
from ledger.records.incidents import Incident, Status
from ledger.records.measurements import Verdict
from models.errors import WatchkeeperError
from models.spec import Spec
from service import responses
from service.app_state import AppState
from service.problems import Refusal, problem_responses
from service.responses import IncidentAnswer, ModelAnswer, RetrainingAnswer
from watchkeeper.pipeline.heartbeat import ModelHeartbeat, read_heartbeat

ModelName = Annotated[str, Path(min_length=1, max_length=200, description="The name of a model file.")]
IncidentId = Annotated[str, Path(min_length=1, max_length=400)]
Day = Annotated[date, Path(description="YYYY-MM-DD")]


class _Page(BaseModel):
    model_config = ConfigDict(extra="forbid")

    limit: int = Field(100, ge=1, le=1000)
    after: str | None = Field(None, max_length=2000, description="The 'next' of an earlier page.")


class MeasurementQuery(_Page):
    """Which measurements are asked for; ``newest`` keeps the latest of those that differ in ``as_of`` only."""

    day_from: date | None = None
    day_to: date | None = None
    as_of: date | None = None
    monitor: str | None = Field(None, max_length=200)
    metric: str | None = Field(None, max_length=200)
    feature: str | None = Field(None, max_length=1000)
    slice: str | None = Field(None, max_length=1000)
    verdict: Verdict | None = None
    newest: bool = False


class IncidentQuery(_Page):
    """Which incidents are asked for."""

    model: str | None = Field(None, max_length=200)
    status: Status | None = None


class RetrainingQuery(_Page):
    """Which retraining requests are asked for; ``open`` ones have no outcome yet."""

    model: str | None = Field(None, max_length=200)
    open: bool | None = None


class Heartbeat(BaseModel):
    """Whether every model was watched as late as it must have been."""

    alive: bool
    models: list[ModelAnswer]


class HealthAnswer(BaseModel):
    """Whether the service can work: model files that can't be used are named, and the others are watched."""

    ledger: str
    models: int
    broken_model_files: list[str]


def read_router(app_state: AppState) -> APIRouter:
    """Return the routes of a desk."""
    routes = APIRouter(prefix="/v1")

    @routes.get("/health", responses=problem_responses())
    def health() -> HealthAnswer:
        """Say whether the ledger can be read and the model files can be used."""
        try:
            app_state.ledger.newest_day("")
        except WatchkeeperError as error:
            raise Refusal(503, str(error)) from error
        specs, problems = app_state.specs()
        return HealthAnswer(ledger="ok", models=len(specs), broken_model_files=problems)

    @routes.get("/heartbeat", responses=problem_responses())
    def heartbeat() -> Heartbeat:
        """Answer 200 while every model is watched in time, to its end, and 503 else: for a dead man's switch.

        That a day was concluded stands in the ledger; that people were notified too, in the heartbeat file, where this
        service sees one.
        """
        found, beats = model_statuses(app_state), _read_heartbeats(app_state)
        late = [s for s in found if s.health in {"overdue", "unwatched"}]
        not_completed = [
            s for s in found if s not in late and beats is not None and _last_completed_day(beats, s) < s.due_day
        ]
        said = [f"not watched in time: {s.model} (last {s.newest_day or 'never'}, due {s.due_day})" for s in late]
        said += [f"watched, but not everybody notified: {s.model} (due {s.due_day})" for s in not_completed]
        if said:
            raise Refusal(503, "; ".join(said))
        return Heartbeat(alive=True, models=found)

    @routes.get("/models", responses=problem_responses())
    def models() -> list[ModelAnswer]:
        """Say how the watch of every model stands."""
        return model_statuses(app_state)

    @routes.get("/models/{model}", responses=problem_responses(404))
    def one_model(model: ModelName) -> ModelAnswer:
        """Say how the watch of one model stands."""
        spec = app_state.spec(model)
        return _model_status(app_state, spec, app_state.ledger.incidents(spec.model))

    @routes.get("/models/{model}/measurements", responses=problem_responses(404))
    def measurements(model: ModelName, query: Annotated[MeasurementQuery, Query()]) -> responses.Measurements:
        """Return what was measured of a model, in the order of the natural key."""
        spec = app_state.spec(model)
        where = query.model_dump(include={"as_of", "monitor", "metric", "feature", "slice", "verdict"})
        found = figures.find_measurements_after(
            app_state.ledger.database,
            where | {"model": spec.model},
            day=(query.day_from, query.day_to),
            newest=query.newest,
            after=_measurement_key(query.after),
            limit=query.limit + 1,
        )
        items = found[: query.limit]
        key = [getattr(items[-1], name) for name in figures.NATURAL_KEY] if len(found) > query.limit else None
        return responses.Measurements(
            items=[responses.measurement_response(m) for m in items], next=responses.encode_cursor(key) if key else None
        )

    @routes.get("/incidents", responses=problem_responses())
    def incidents(query: Annotated[IncidentQuery, Query()]) -> responses.Incidents:
        """Return incidents in their newest state, the newest first."""
        found = [i for i in app_state.ledger.incidents(query.model) if query.status in (None, i.status)]
        items, next_ = responses.paginate(found, [i.id for i in found], query.limit, query.after)
        return responses.Incidents(items=[responses.incident_response(i) for i in items], next=next_)

    @routes.get("/incidents/{incident}", responses=problem_responses(404))
    def one_incident(incident: IncidentId) -> IncidentAnswer:
        """Return one incident in its newest state."""
        return responses.incident_response(app_state.incident(incident))

    @routes.get("/retraining", responses=problem_responses())
    def retrainings(query: Annotated[RetrainingQuery, Query()]) -> responses.Retrainings:
        """Return retraining requests, the newest first."""
        found = [r for r in _retraining_responses(app_state, query.model) if query.open in (None, not r.outcome)]
        items, next_ = responses.paginate(found, [r.request for r in found], query.limit, query.after)
        return responses.Retrainings(items=items, next=next_)

    @routes.get("/retraining/{model}/{day}", responses=problem_responses(404))
    def one_retraining(model: ModelName, day: Day) -> RetrainingAnswer:
        """Return the retraining request of a model's day."""
        found = [r for r in _retraining_responses(app_state, model) if r.day == day]
        if not found:
            raise Refusal(404, f"no retraining of '{model}' was requested on {day}")
        return found[0]

    return routes


def model_statuses(app_state: AppState) -> list[ModelAnswer]:
    """Return how the watch of each model stands."""
    incidents = app_state.ledger.incidents()
    return [
        _model_status(app_state, spec, [i for i in incidents if i.model == spec.model]) for spec in app_state.specs()[0]
    ]


def _read_heartbeats(app_state: AppState) -> Mapping[str, ModelHeartbeat] | None:
    """Return each model's newest heartbeat; None where this machine has no file of them."""
    file = app_state.settings.heartbeat
    try:
        return read_heartbeat(file) if file.exists() else None
    except WatchkeeperError as error:
        raise Refusal(503, str(error)) from error


def _last_completed_day(beats: Mapping[str, ModelHeartbeat], status: ModelAnswer) -> date:
    """Return the newest day of a model whose watch was completed."""
    return (beats[status.model].day if status.model in beats else None) or date.min


def _model_status(app_state: AppState, spec: Spec, incidents: list[Incident]) -> ModelAnswer:
    newest, due = app_state.ledger.newest_day(spec.model), app_state.due(spec)
    open_ids = [i.id for i in incidents if i.status is Status.FIRING]
    health: responses.Health = "firing" if open_ids else "ok"
    if newest is None or newest < due:
        health = "overdue" if newest else "unwatched"
    return ModelAnswer(
        model=spec.model,
        title=spec.name,
        owner=spec.owner,
        tier=spec.tier,
        health=health,
        newest_day=newest,
        due_day=due,
        open_incidents=open_ids,
    )


def _retraining_responses(app_state: AppState, model: str | None) -> list[RetrainingAnswer]:
    outcomes = {outcome.request: outcome for outcome in app_state.ledger.retraining_outcomes(model)}
    asked = [decision for decision in app_state.ledger.decisions(model) if decision.verdict == "requested"]
    asked.sort(key=lambda decision: (-decision.day.toordinal(), decision.model))
    return [responses.retraining_response(decision, outcomes.get(decision.request)) for decision in asked]


def _measurement_key(text: str | None) -> list[object]:
    parts = responses.decode_cursor(text, len(figures.NATURAL_KEY))
    try:
        return [
            date.fromisoformat(part) if name in {"as_of", "day"} else part
            for name, part in zip(figures.NATURAL_KEY, parts, strict=bool(parts))
        ]
    except ValueError:
        raise Refusal(422, "query.after: must be the 'next' of an earlier page") from None
