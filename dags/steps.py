"""What the tasks do: open the settings' warehouse and ledger, and call the same steps as the command line."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from airflow.sdk import Connection
from airflow.sdk.exceptions import AirflowNotFoundException

from alerting.notifications.channels.secrets import connection_id, secret_variable
from alerting.notifications.messages import retraining_note
from alerting.notifications.routes.loading import load_routes
from ledger.records.retraining import Decision
from models.spec import Spec
from watchkeeper import settings
from watchkeeper.context import Context
from watchkeeper.pipeline import watch as steps
from watchkeeper.retraining import promotion, retrain, targets


def watch_day(model: str, day: date, *, live: bool) -> Decision | None:
    """Watch a day, after those recent days that came or were rewritten since; return the decision on retraining."""
    ctx, spec = _open_model(model, live=live)
    steps.run_day(ctx, spec, day)
    decisions = [decision for decision in ctx.ledger.decisions(model) if decision.day == day]
    return decisions[0] if decisions and live else None


def publish_day(model: str, day: date) -> str:
    """Rebuild the pages that the day touches."""
    ctx, _ = _open_model(model)
    return steps.publish_site(ctx, steps.load_specs(ctx.settings), {(model, day)})


def publish_model(model: str) -> str:
    """Rebuild the model's page after a retraining."""
    ctx, _ = _open_model(model)
    newest = max(run.day for run in ctx.ledger.runs(model))
    return steps.publish_site(ctx, steps.load_specs(ctx.settings), {(model, newest)})


def deliver_messages(model: str) -> str:
    """Deliver what waits in the outbox."""
    ctx, spec = _open_model(model)
    return steps.deliver_and_write_heartbeat(ctx, [spec])


def notify_late_day(model: str, day: date) -> str:
    """Notify that a day wasn't watched in time."""
    ctx, spec = _open_model(model)
    return steps.notify_late_day(ctx, spec, day)


def end_shadow(model: str, day: date) -> str:
    """Judge a challenger in shadow once its days are mature; return what became of it."""
    ctx, spec = _open_model(model)
    outcome = retrain.end_shadow(ctx, spec, day)
    promotion.settle_registry_stages(ctx, spec)
    return outcome.outcome if outcome else "nothing to do"


def waiting_request(model: str) -> dict[str, Any] | None:
    """Return the retraining request that has no outcome yet, or None: the ledger is the truth, an event only wakes."""
    ctx, spec = _open_model(model)
    request = retrain.find_open_request(ctx, spec)
    return request_as_extra(request) if request else None


def ask_approval(model: str, link: str) -> str:
    """Say in the incident's thread that its retraining waits for a person, with the address to answer at."""
    ctx, spec = _open_model(model)
    request = retrain.find_open_request(ctx, spec)
    if request is None:
        return "nothing to ask"
    with ctx.ledger.transaction():
        said = retrain.approval_question(spec, request)
        retraining_note.enqueue_retraining_note(ctx.ledger, request.incident, request.day, "asked", said, link=link)
    return steps.deliver_and_write_heartbeat(ctx, [spec])


def run_retraining(model: str, name: str, approved_by: str) -> str:
    """Answer a request: fit, judge and perhaps promote a challenger, or start that elsewhere; nothing is done twice.

    ``name`` is the request that was read, and perhaps approved, when the run began: one made anew since isn't it.
    """
    ctx, spec = _open_model(model)
    request = retrain.find_open_request(ctx, spec)
    if request is None or request.request != name:
        return "nothing to do"
    if targets.runs_elsewhere(spec):
        return targets.start_retraining(spec, request, ctx.settings, approved_by)
    outcome = retrain.train_and_judge_challenger(ctx, spec, request, approved_by).outcome
    promotion.settle_registry_stages(ctx, spec)
    return outcome


def refuse_request(model: str, name: str, by: str) -> str:
    """Record that a person (empty: nobody in time) didn't approve of a request; the champion stays."""
    ctx, spec = _open_model(model)
    request = retrain.find_open_request(ctx, spec)
    if request is None or request.request != name:
        return "nothing to do"
    waited = f"nobody answered within {spec.retraining.approval_hours} hours"
    return retrain.refuse_request(ctx, spec, request, by, f"{by} rejected it" if by else waited).outcome


def request_as_extra(decision: Decision) -> dict[str, Any]:
    """Return a request as an asset event carries it."""
    return targets.request_parameters(decision)


def _open_model(model: str, *, live: bool = True) -> tuple[Context, Spec]:
    ctx = steps.open_context(_settings(), live=live)
    (spec,) = steps.load_specs(ctx.settings, [model])
    return ctx, spec


def _settings() -> settings.Settings:
    """Return the settings, with passwords of Airflow's connections ``watchkeeper_<channel>`` where none are set."""
    given = settings.read_settings()
    token = given.slack_token or _connection_password("slack")
    known = {secret_variable(name): name for name in load_routes(given.routes).channels}
    missing = {
        variable: _connection_password(name) for variable, name in known.items() if variable not in given.secrets
    }
    return replace(given, slack_token=token, secrets={**given.secrets, **missing})


def _connection_password(channel: str) -> str:
    try:
        return Connection.get(connection_id(channel)).password or ""
    except AirflowNotFoundException:
        return ""
