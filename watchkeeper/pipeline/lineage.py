"""OpenLineage events of a watch: which tables it read, how good they were, and where its figures stand.

One START and one COMPLETE or FAIL for each watched day, as the OpenLineage specification 2-0-2 says. They are posted
to a server, or appended to a file as JSON lines. A server that doesn't answer never stops a watch.
"""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from ledger.records.measurements import Measurement, Verdict
from ledger.records.runs import Run
from models.spec import Spec
from warehouse.engines import engine_at
from watchkeeper.context import Context
from watchkeeper.settings import Settings

LineageEvent = dict[str, Any]
NAMESPACE = "watchkeeper"
PRODUCER = "urn:watchkeeper"
SPECIFICATION = "https://openlineage.io/spec"
EVENT_SCHEMA_URL = f"{SPECIFICATION}/2-0-2/OpenLineage.json#/$defs/RunEvent"
FACET_SCHEMAS = {
    "nominalTime": "1-0-1/NominalTimeRunFacet",
    "errorMessage": "1-0-1/ErrorMessageRunFacet",
    "jobType": "2-0-4/JobTypeJobFacet",
    "ownership": "1-0-1/OwnershipJobFacet",
    "version": "1-0-1/DatasetVersionDatasetFacet",
    "dataQualityMetrics": "1-0-3/DataQualityMetricsInputDatasetFacet",
    "dataQualityAssertions": "1-1-0/DataQualityAssertionsDatasetFacet",
    "outputStatistics": "1-0-2/OutputStatisticsOutputDatasetFacet",
}
"""The version of each facet's schema, and its name."""
ASSERTED_VERDICTS = (Verdict.OK, Verdict.BREACH, Verdict.MISSING)
"""Verdicts by which an assertion held or not; of the others nobody knows."""
TIMEOUT_SECONDS = 5
log = logging.getLogger(__name__)


@contextmanager
def emit_lineage(ctx: Context, spec: Spec, day: date) -> Iterator[None]:
    """Send lineage events of a watch's start and end; nothing where the settings name no place for it."""
    if not ctx.settings.lineage:
        yield
        return
    run = str(uuid.uuid4())
    _send_event(ctx.settings, lineage_event(spec, day, ctx.settings.warehouse, "START", run))
    try:
        yield
    except Exception as error:
        failed = {"errorMessage": {"message": f"{type(error).__name__}: {error}", "programmingLanguage": "Python"}}
        _send_event(ctx.settings, lineage_event(spec, day, ctx.settings.warehouse, "FAIL", run, run_facets=failed))
        raise
    watched = ctx.ledger.run(spec.model, day)
    found = ctx.ledger.measurements(spec.model, as_of=day)
    _send_event(
        ctx.settings, lineage_event(spec, day, ctx.settings.warehouse, "COMPLETE", run, watched=watched, found=found)
    )


def lineage_event(
    spec: Spec,
    day: date,
    warehouse: str,
    state: str,
    run: str,
    *,
    watched: Run | None = None,
    found: Sequence[Measurement] = (),
    run_facets: Mapping[str, LineageEvent] | None = None,
) -> LineageEvent:
    """Return one event of a watch, with what it measured of the table once it has."""
    start = datetime.combine(day, time(), ZoneInfo(spec.schedule.timezone))
    nominal = {"nominalStartTime": start.isoformat(), "nominalEndTime": (start + timedelta(days=1)).isoformat()}
    kind = {"processingType": "BATCH", "integration": "WATCHKEEPER", "jobType": "DAG"}
    job: dict[str, LineageEvent] = {"jobType": kind, "ownership": {"owners": [{"name": spec.owner}]}}
    engine, location = engine_at(warehouse)
    table = {"namespace": engine.lineage_namespace, "name": engine.lineage_name(location, spec.features.table)}
    inputs = [table | _quality_facets(watched, found)]
    if spec.labels is not None and spec.labels.table != spec.features.table:
        inputs.append({"namespace": table["namespace"], "name": engine.lineage_name(location, spec.labels.table)})
    outputs = []
    if watched is not None:
        figures = _with_schema_urls({"outputStatistics": {"rowCount": len(found)}})
        outputs = [{"namespace": NAMESPACE, "name": f"ledger.measurements.{spec.model}", "outputFacets": figures}]
    return {
        "eventType": state,
        "eventTime": datetime.now(UTC).isoformat(),
        "producer": PRODUCER,
        "schemaURL": EVENT_SCHEMA_URL,
        "run": {"runId": run, "facets": _with_schema_urls({"nominalTime": nominal, **(run_facets or {})})},
        "job": {"namespace": NAMESPACE, "name": f"watch.{spec.model}", "facets": _with_schema_urls(job)},
        "inputs": inputs,
        "outputs": outputs,
    }


def _quality_facets(watched: Run | None, found: Sequence[Measurement]) -> LineageEvent:
    """Return the version of what was read, its rows and nulls, and what was asked of it."""
    if watched is None:
        return {}
    nulls = [m for m in found if (m.monitor, m.metric) == ("drift", "null_share") and m.value is not None]
    columns = {m.feature: {"nullCount": round((m.value or 0) * m.n), "count": m.n} for m in nulls if not m.slice}
    asked = [m for m in found if m.monitor in ("arrival", "schema", "check") and m.verdict in ASSERTED_VERDICTS]
    said: dict[str, LineageEvent] = {"dataQualityMetrics": {"rowCount": watched.rows, "columnMetrics": columns},
            "dataQualityAssertions": {"assertions": [_assertion(m) for m in asked]}}  # fmt: skip
    facets = {"facets": _with_schema_urls({"version": {"datasetVersion": watched.source_version}})}
    return (facets if watched.source_version else {}) | {"inputFacets": _with_schema_urls(said)}


def _assertion(m: Measurement) -> LineageEvent:
    column = {"column": m.feature} if m.feature else {}
    return {"assertion": m.metric, "success": m.verdict is Verdict.OK} | column


def _with_schema_urls(found: Mapping[str, LineageEvent]) -> LineageEvent:
    addresses = {name: f"{SPECIFICATION}/facets/{FACET_SCHEMAS[name]}" for name in found}
    return {
        name: {"_producer": PRODUCER, "_schemaURL": f"{at}.json#/$defs/{at.rpartition('/')[2]}"} | found[name]
        for name, at in addresses.items()
    }


def _send_event(settings: Settings, found: LineageEvent) -> None:
    import requests  # noqa: PLC0415  only where events are sent

    text = json.dumps(found, ensure_ascii=False)
    try:
        if not settings.lineage.startswith(("http://", "https://")):
            with Path(settings.lineage).open("a", encoding="utf-8") as lines:
                lines.write(text + "\n")
            return
        key = {"Authorization": f"Bearer {settings.lineage_key}"} if settings.lineage_key else {}
        address = f"{settings.lineage.rstrip('/')}/api/v1/lineage"
        kind = {"Content-Type": "application/json"}
        requests.post(address, data=text.encode(), headers=kind | key, timeout=TIMEOUT_SECONDS).raise_for_status()
    except (OSError, requests.RequestException) as error:
        log.warning("the lineage event %s of %s was not sent: %s", found["eventType"], found["job"]["name"], error)
