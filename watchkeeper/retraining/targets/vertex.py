"""Starts a Vertex AI pipeline job, by Google's own client over REST."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from models.errors import WatchkeeperError
from models.retraining import Vertex
from watchkeeper.retraining.targets import flatten_parameters

TIMEOUT_SECONDS = 30


def start_vertex_job(
    target: Vertex, job: str, given: Mapping[str, Any], endpoint: str = "", credentials: Any = None
) -> str:
    """Start the target's pipeline as the job ``job``; one of this name that is there already is left alone.

    Parameters are the request's, lists as JSON text. ``endpoint`` and ``credentials`` are for tests: otherwise the
    location's endpoint and the application default credentials. Raises WatchkeeperError.
    """
    try:
        from google.api_core.exceptions import AlreadyExists, Conflict, GoogleAPIError  # noqa: PLC0415
        from google.auth.exceptions import GoogleAuthError  # noqa: PLC0415
        from google.cloud import aiplatform_v1  # noqa: PLC0415
        from google.cloud.aiplatform_v1.services.pipeline_service.transports.rest import (  # noqa: PLC0415
            PipelineServiceRestTransport,
        )
    except ImportError as error:
        raise WatchkeeperError(
            "vertex: google-cloud-aiplatform is not installed; pip install watchkeeper[targets]"
        ) from error
    parent = f"projects/{target.project}/locations/{target.location}"
    pipeline = aiplatform_v1.PipelineJob(
        display_name=job,
        template_uri=target.template,
        runtime_config={"gcs_output_directory": target.output, "parameter_values": flatten_parameters(given)},
        service_account=target.service_account or "",
        labels={"started-by": "watchkeeper"},
    )
    host = endpoint or f"{target.location}-aiplatform.googleapis.com"
    try:
        transport = PipelineServiceRestTransport(host=host, credentials=credentials)
        client = aiplatform_v1.PipelineServiceClient(transport=transport)
        made = client.create_pipeline_job(
            parent=parent, pipeline_job=pipeline, pipeline_job_id=job, timeout=TIMEOUT_SECONDS
        )
    except (AlreadyExists, Conflict):
        return f"{parent}/pipelineJobs/{job} is there already"
    except (GoogleAPIError, GoogleAuthError, OSError) as error:
        raise WatchkeeperError(f"vertex: {parent}: {type(error).__name__}: {str(error)[:300]}") from error
    return f"{made.name} was started"
