"""Starts a Kubeflow pipeline run, by Kubeflow's own client."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from typing import Any

from models.errors import WatchkeeperError
from models.retraining import Kubeflow
from watchkeeper.retraining.targets import flatten_parameters


def start_kubeflow_run(target: Kubeflow, job: str, given: Mapping[str, Any], token: str = "") -> str:
    """Start a run named ``job`` of the target's pipeline; one of this name that is there already is left alone.

    Kubeflow makes run ids itself, so the name is looked for first; the retraining DAG runs one at a time. Parameters
    are the request's, lists as JSON text. Raises WatchkeeperError.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # its own imports warn of its own deprecations
            import kfp  # noqa: PLC0415
            import kfp_server_api  # noqa: PLC0415
    except ImportError as error:
        raise WatchkeeperError("kubeflow: kfp is not installed; pip install watchkeeper[targets]") from error
    try:
        client = kfp.Client(host=target.host, existing_token=token or None, namespace=target.namespace or "kubeflow")
        experiment = client.create_experiment(target.experiment, namespace=target.namespace)
        named = json.dumps({"predicates": [{"operation": "EQUALS", "key": "name", "stringValue": job}]})
        there = client.list_runs(
            experiment_id=experiment.experiment_id, namespace=target.namespace, filter=named, page_size=1
        )
        if there.runs:
            return f"run {there.runs[0].run_id} is there already"
        run = client.run_pipeline(
            experiment_id=experiment.experiment_id,
            job_name=job,
            pipeline_id=target.pipeline,
            version_id=target.version,
            params=flatten_parameters(given),
        )
    except kfp_server_api.ApiException as error:
        raise WatchkeeperError(f"kubeflow: {target.host} answered {error.status} {error.reason}") from error
    except (OSError, ValueError) as error:
        raise WatchkeeperError(f"kubeflow: {target.host}: {type(error).__name__}: {str(error)[:300]}") from error
    return f"run {run.run_id} was started"
