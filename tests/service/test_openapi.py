"""The document of OpenAPI, walked by schemathesis over a real server, with requests that fit it and that don't."""

from __future__ import annotations

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance

from ledger.store import Ledger
from tests.ledger.made import run
from tests.service.conftest import WRITER, header

BEYOND = [positive_data_acceptance]
"""A schema can't say which cursors an earlier page gave, nor which days have begun."""
MODES = [GenerationMode.POSITIVE, GenerationMode.NEGATIVE]


@pytest.mark.parametrize("mode", MODES, ids=["that fit", "that don't"])
def test_every_answer_is_one_that_the_document_tells_of(address: str, ledger: Ledger, mode: GenerationMode) -> None:
    ledger.save_run(run(model="app_scams"))  # so that the heartbeat is one
    api = schemathesis.openapi.from_url(f"{address}/v1/openapi.json", headers=header(WRITER))
    walked = []
    for found in api.get_all_operations():
        operation = found.ok()
        if mode is GenerationMode.NEGATIVE and not (operation.path_parameters or operation.query or operation.body):
            continue

        @given(operation.as_strategy(generation_mode=mode))
        @settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
        def answers(case: Case) -> None:
            case.call_and_validate(headers=header(WRITER), excluded_checks=BEYOND)

        answers()
        walked.append(operation.label)
    assert "GET /v1/incidents" in walked
    assert len(walked) >= 7
