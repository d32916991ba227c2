"""Each target with its real client, against a server that answers as its API does: one request, one job."""

from __future__ import annotations

import base64
import hashlib
import hmac
import importlib.util
import json
import sys
import warnings
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from ledger.records.retraining import Decision
from models.errors import WatchkeeperError
from models.load import SpecError, load_model_file
from models.retraining import Kubeflow, Target, Vertex, Webhook
from models.spec import Spec
from tests.watchkeeper.retraining.targets.server import Asked, serving
from watchkeeper.retraining import targets
from watchkeeper.retraining.targets import webhook
from watchkeeper.settings import Settings

REQUEST = Decision(
    "app_scams",
    date(2026, 4, 28),
    "requested",
    "app_scams-performance_decay-2026-04-20",
    ("recall fell to 52 %",),
    date(2026, 2, 10),
    date(2026, 4, 9),
    date(2026, 4, 16),
    (date(2026, 4, 9),),
    approval="none",
    evidence=("52 % of frauds caught",),
    gain_gbp_per_day=41_000.0,
)
JOB = "watchkeeper-app-scams-2026-04-28"
SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()


def installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


needs_vertex = pytest.mark.skipif(
    not installed("google.cloud.aiplatform_v1"), reason="google-cloud-aiplatform is not installed (extra 'targets')"
)
needs_kubeflow = pytest.mark.skipif(not installed("kfp"), reason="kfp is not installed (extra 'targets')")


def model(**target: Any) -> Spec:
    return Spec.model_validate(
        {
            "model": "app_scams",
            "features": {"table": "t"},
            "baseline": {"from": date(2026, 1, 1), "to": date(2026, 1, 14)},
            "retraining": {"target": target},
        }
    )


def test_a_webhook_is_signed_and_its_receiver_can_check_that() -> None:
    with serving(lambda _: (202, {})) as server:
        settings = Settings(webhook_secret=SECRET)
        told = targets.start_retraining(model(webhook={"url": f"{server.url}/retrain"}), REQUEST, settings, "A. Person")
    assert told == f"{server.url}/retrain took {JOB}"
    (asked,) = server.asked
    assert asked.headers["webhook-id"] == JOB
    signed = f"{JOB}.{asked.headers['webhook-timestamp']}.".encode() + asked.body
    expected = base64.b64encode(hmac.new(b"k" * 32, signed, hashlib.sha256).digest()).decode()
    assert asked.headers["webhook-signature"] == f"v1,{expected}"
    assert asked.json["type"] == "retraining.requested"
    data = asked.json["data"]
    assert (data["request"], data["approved_by"], data["excluded"]) == (REQUEST.request, "A. Person", ["2026-04-09"])


def test_the_signature_is_that_of_the_published_example() -> None:
    """The example of the Standard Webhooks specification, and of its reference libraries' tests."""
    secret, message = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek"
    signature = webhook.sign_body(secret, message, "1614265330", b'{"test": 2432232314}')
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_webhook_that_knows_the_request_already_is_content() -> None:
    seen: set[str] = set()

    def answer(asked: Asked) -> tuple[int, Any]:
        known = asked.headers["webhook-id"] in seen
        seen.add(asked.headers["webhook-id"])
        return (409 if known else 200), {}

    with serving(answer) as server:
        target = Webhook(url=server.url)
        assert webhook.post_retraining_request(target, JOB, {}, SECRET) == f"{server.url} took {JOB}"
        assert webhook.post_retraining_request(target, JOB, {}, SECRET) == f"{server.url} has {JOB} already"


@pytest.mark.parametrize("status", [302, 401, 500])
def test_a_webhook_that_takes_nothing_is_said_without_the_secret(status: int) -> None:
    with serving(lambda _: (status, {})) as server, pytest.raises(WatchkeeperError, match=f"answered {status}") as told:
        webhook.post_retraining_request(Webhook(url=server.url), JOB, {}, SECRET)
    assert SECRET not in str(told.value)
    with pytest.raises(WatchkeeperError, match="can't be reached"):
        webhook.post_retraining_request(Webhook(url=server.url), JOB, {}, SECRET)


def test_a_webhook_needs_a_key_that_is_one() -> None:
    target = Webhook(url="http://127.0.0.1:9")
    with pytest.raises(WatchkeeperError, match="set WATCHKEEPER_WEBHOOK_SECRET"):
        webhook.post_retraining_request(target, JOB, {}, "")
    with pytest.raises(WatchkeeperError, match="what follows whsec_ is not base64"):
        webhook.post_retraining_request(target, JOB, {}, "whsec_???")
    assert SECRET not in repr(Settings(webhook_secret=SECRET))


VERTEX = Vertex(
    project="bank",
    location="europe-west2",
    template="https://europe-west2-kfp.pkg.dev/bank/pipelines/retrain/v1",
    output="gs://bank-models/retrain",
)


@needs_vertex
def test_vertex_starts_one_job_for_an_event_that_comes_twice() -> None:
    from google.auth.credentials import AnonymousCredentials

    from watchkeeper.retraining.targets import vertex

    jobs: set[str] = set()

    def answer(asked: Asked) -> tuple[int, Any]:
        job = asked.query["pipelineJobId"]
        if job in jobs:
            return 409, {"error": {"code": 409, "status": "ALREADY_EXISTS", "message": "it is there"}}
        jobs.add(job)
        return 200, asked.json | {"name": f"projects/1/locations/europe-west2/pipelineJobs/{job}"}

    with serving(answer) as server:
        given = targets.request_parameters(REQUEST)
        told = [vertex.start_vertex_job(VERTEX, JOB, given, server.url, AnonymousCredentials()) for _ in range(2)]
    assert told[0] == f"projects/1/locations/europe-west2/pipelineJobs/{JOB} was started"
    assert told[1].endswith(f"{JOB} is there already")
    asked = server.asked[0]
    assert (asked.method, asked.path) == ("POST", "/v1/projects/bank/locations/europe-west2/pipelineJobs")
    body = asked.json
    assert body["templateUri"] == VERTEX.template
    assert body["runtimeConfig"]["gcsOutputDirectory"] == VERTEX.output
    values = body["runtimeConfig"]["parameterValues"]
    assert (values["fit_from"], json.loads(values["excluded"])) == ("2026-02-10", ["2026-04-09"])
    assert values["gain_gbp_per_day"] == 41_000.0


@needs_vertex
def test_a_job_that_vertex_refuses_is_said_in_a_sentence() -> None:
    from google.auth.credentials import AnonymousCredentials

    from watchkeeper.retraining.targets import vertex

    refusal = {"error": {"code": 403, "status": "PERMISSION_DENIED", "message": "not allowed"}}
    with (
        serving(lambda _: (403, refusal)) as server,
        pytest.raises(WatchkeeperError, match=r"vertex: projects/bank.*not allowed"),
    ):
        vertex.start_vertex_job(VERTEX, JOB, {}, server.url, AnonymousCredentials())


def kubeflow_api(asked: Asked) -> tuple[int, Any]:
    """Answer as Kubeflow's API v2beta1 does."""
    if asked.path.endswith("/healthz"):
        return 200, {"multi_user": False}
    if "/experiments" in asked.path:
        return 200, {"experiment_id": "e1", "display_name": "watchkeeper"}
    if asked.path.endswith("/runs") and asked.method == "GET":
        return 200, {"runs": [{"run_id": run} for run in RUNS], "total_size": len(RUNS)}
    RUNS.append("r1")
    return 200, {"run_id": "r1", "display_name": asked.json["display_name"], "experiment_id": "e1"}


RUNS: list[str] = []


@needs_kubeflow
def test_kubeflow_starts_one_run_for_an_event_that_comes_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from watchkeeper.retraining.targets import kubeflow

    monkeypatch.setenv("HOME", str(tmp_path))
    RUNS.clear()
    with serving(kubeflow_api) as server, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the client warns of its own deprecations
        target = Kubeflow(host=server.url, pipeline="p1", version="v1")
        told = [
            kubeflow.start_kubeflow_run(target, JOB, targets.request_parameters(REQUEST), "a-token") for _ in range(2)
        ]
    assert told == ["run r1 was started", "run r1 is there already"]
    (made,) = [asked for asked in server.asked if asked.method == "POST" and asked.path.endswith("/runs")]
    assert made.json["display_name"] == JOB
    assert made.json["pipeline_version_reference"] == {"pipeline_id": "p1", "pipeline_version_id": "v1"}
    assert made.json["runtime_config"]["parameters"]["fit_to"] == "2026-04-09"
    assert made.headers["authorization"] == "Bearer a-token"
    looked = [asked for asked in server.asked if asked.method == "GET" and asked.path.endswith("/runs")]
    assert json.loads(looked[0].query["filter"])["predicates"][0]["stringValue"] == JOB
    assert "a-token" not in capsys.readouterr().out


@needs_kubeflow
def test_a_run_that_kubeflow_refuses_is_said_in_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from watchkeeper.retraining.targets import kubeflow

    monkeypatch.setenv("HOME", str(tmp_path))

    def answer(asked: Asked) -> tuple[int, Any]:
        return (200, {}) if asked.path.endswith("/healthz") else (403, {"error": "no"})

    with serving(answer) as server, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(WatchkeeperError, match="answered 403"):
            kubeflow.start_kubeflow_run(Kubeflow(host=server.url, pipeline="p1", version="v1"), JOB, {})


def test_a_client_that_is_not_installed_is_said_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("kfp", "google.cloud.aiplatform_v1.services.pipeline_service.transports.rest"):
        monkeypatch.setitem(sys.modules, module, None)
    for target in (
        Target(kubeflow=Kubeflow(host="http://127.0.0.1:9", pipeline="p", version="v")),
        Target(vertex=VERTEX),
    ):
        spec = model(**target.model_dump(exclude_none=True))
        with pytest.raises(WatchkeeperError, match=r"pip install watchkeeper\[targets\]"):
            targets.start_retraining(spec, REQUEST, Settings())


def test_nothing_starts_elsewhere_without_the_approval_that_is_required() -> None:
    waiting = replace(REQUEST, approval="required")
    with pytest.raises(WatchkeeperError, match="needs a person's approval"):
        targets.start_retraining(model(webhook={"url": "http://127.0.0.1:9"}), waiting, Settings(webhook_secret=SECRET))


def test_a_model_has_one_target_at_most(tmp_path: Path) -> None:
    assert not targets.runs_elsewhere(model())
    assert targets.runs_elsewhere(model(webhook={"url": "https://bank.example/retrain"}))
    file = tmp_path / "app_scams.yaml"
    file.write_text(
        "model: app_scams\nfeatures: {table: t}\nbaseline: {from: 2026-01-01, to: 2026-01-14}\nretraining:\n"
        "  target:\n    webhook: {url: 'https://bank.example'}\n"
        "    kubeflow: {host: 'https://kfp.example', pipeline: p, version: v}\n"
    )
    with pytest.raises(SpecError, match=r"line 5: retraining\.target: names webhook and kubeflow; accepted is one"):
        load_model_file(file)
