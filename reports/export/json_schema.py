"""The JSON Schema of the JSON beside every page, made of the records themselves and of the list of pages."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from typing import Any

from pydantic import TypeAdapter

from ledger.records.incidents import Incident
from ledger.records.measurements import Measurement
from ledger.records.retraining import Decision, RetrainingOutcome
from reports.charts.distributions import Bar, Level
from reports.export.json_parts import strict_object
from reports.pages.methods import CauseEntry, Method, MonitorEntry
from reports.pages.page import Page

DIALECT = "https://json-schema.org/draft/2020-12/schema"
RECORDS = (Measurement, Incident, Decision, RetrainingOutcome, Bar, Level, Method, MonitorEntry, CauseEntry)


def build_json_schema(pages: Iterable[Page]) -> dict[str, Any]:
    """Return the schema: a page's JSON is any one of ``oneOf``, distinguished by the keys that it must have."""
    defs: dict[str, Any] = {}
    for record in RECORDS:
        found = TypeAdapter(record).json_schema(mode="serialization", ref_template="#/$defs/{model}")
        defs |= found.pop("$defs", {})
        defs[record.__name__] = found
    for name in (field.name for field in fields(Measurement)):
        defs["Measurement"]["properties"].setdefault(name, {})
    described = {page.name: strict_object(page.json) for page in pages if page.json is not None}
    return {"$schema": DIALECT, "title": "JSON beside the pages of a Watchkeeper site", "$defs": defs | described,
            "oneOf": [{"$ref": f"#/$defs/{name}"} for name in described]}  # fmt: skip
