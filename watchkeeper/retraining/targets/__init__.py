"""Retraining somewhere else: the same request starts a Vertex AI pipeline, a Kubeflow pipeline, or a webhook.

Each is started under a name made of the request, so that an event that comes twice starts one job. What becomes of it
comes back with ``watchkeeper answer``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ledger.records.retraining import Decision
from models.errors import WatchkeeperError
from models.spec import Spec
from watchkeeper.settings import Settings


def runs_elsewhere(spec: Spec) -> bool:
    """Return whether the model file names a target besides Airflow."""
    target = spec.retraining.target
    return any(each is not None for each in (target.webhook, target.vertex, target.kubeflow))


def start_retraining(spec: Spec, request: Decision, settings: Settings, approved_by: str = "") -> str:
    """Start a request's retraining at the model's target, once, and return where it is in words.

    Raises WatchkeeperError where approval is required and nobody gave it, where the target can't be reached or
    refuses, and where its client isn't installed.
    """
    if request.approval == "required" and not approved_by:
        raise WatchkeeperError(f"{spec.model}: request {request.request} needs a person's approval, and has none")
    target, given = spec.retraining.target, request_parameters(request) | {"approved_by": approved_by}
    if target.webhook is not None:
        from watchkeeper.retraining.targets import webhook  # noqa: PLC0415

        return webhook.post_retraining_request(target.webhook, job_id(request), given, settings.webhook_secret)
    if target.vertex is not None:
        from watchkeeper.retraining.targets import vertex  # noqa: PLC0415

        return vertex.start_vertex_job(target.vertex, job_id(request), given)
    if target.kubeflow is not None:
        from watchkeeper.retraining.targets import kubeflow  # noqa: PLC0415

        return kubeflow.start_kubeflow_run(target.kubeflow, job_id(request), given, settings.kubeflow_token)
    raise WatchkeeperError(f"{spec.model}: retraining.target names nothing; Airflow's retraining DAG answers its asset")


def job_id(request: Decision) -> str:
    """Return the one name of a request's job: letters, digits and dashes, as every target accepts."""
    return f"watchkeeper-{request.model.replace('_', '-')}-{request.day}"


def request_parameters(request: Decision) -> dict[str, Any]:
    """Return a request as it travels: in an asset's event, a pipeline's parameters, a webhook's body."""
    return {
        "request": request.request,
        "model": request.model,
        "incident": request.incident,
        "reasons": list(request.reasons),
        "evidence": list(request.evidence),
        "fit_from": str(request.fit_from),
        "fit_to": str(request.fit_to),
        "evaluate_to": str(request.evaluate_to),
        "excluded": [str(day) for day in request.excluded],
        "gain_gbp_per_day": request.gain_gbp_per_day,
    }


def flatten_parameters(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return parameters as pipelines take them: lists as JSON text, nothing that has no value."""
    values = {key: json.dumps(value) if isinstance(value, list) else value for key, value in given.items()}
    return {key: value for key, value in values.items() if value is not None}
