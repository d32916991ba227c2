"""The JSON Schema of the JSON beside every page, made of the records themselves."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from pydantic import TypeAdapter

from ledger.records.incidents import Incident
from ledger.records.measurements import Measurement
from ledger.records.retraining import Decision, RetrainingOutcome
from reports.charts.distributions import Bar, Level
from reports.pages.methods import Method

DIALECT = "https://json-schema.org/draft/2020-12/schema"
TEXT, TEXTS, DAY = (
    {"type": "string"},
    {"type": "array", "items": {"type": "string"}},
    {"type": "string", "format": "date"},
)
MAYBE_DAY = {"anyOf": [DAY, {"type": "null"}]}
MAYBE_NUMBER = {"type": ["number", "null"]}
WHOLE = {"type": "integer", "minimum": 0}
COUNTS = {"type": "object", "additionalProperties": WHOLE}
"""How many figures had which verdict."""
STRIP = {"type": "object", "required": ["day", "state", "counts"]}


def build_json_schema() -> dict[str, Any]:
    """Return the schema: a page's JSON is any one of ``oneOf``, told apart by the keys that it must have."""
    records = (Measurement, Incident, Decision, RetrainingOutcome, Bar, Level, Method)
    defs: dict[str, Any] = {}
    for record in records:
        found = TypeAdapter(record).json_schema(mode="serialization", ref_template="#/$defs/{model}")
        defs |= found.pop("$defs", {})
        defs[record.__name__] = found
    for name in (field.name for field in fields(Measurement)):
        defs["Measurement"]["properties"].setdefault(name, {})
    pages = {"fleet": _fleet(), "model": _model(), "feature": _feature(), "day": _day(), "incident": _incident(),
             "days": _days()}  # fmt: skip
    pages["explore"] = _object({"figure": {"type": "object"}})  # as plotly.js draws it
    pages |= {"coverage": _coverage(), "methods": _object({"methods": _many("Method")})}
    return {"$schema": DIALECT, "title": "JSON beside the pages of a Watchkeeper site", "$defs": defs | pages,
            "oneOf": [{"$ref": f"#/$defs/{name}"} for name in pages]}  # fmt: skip


def _object(properties: dict[str, Any], optional: tuple[str, ...] = ()) -> dict[str, Any]:
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _many(name: str) -> dict[str, Any]:
    return {"type": "array", "items": {"$ref": f"#/$defs/{name}"}}


def _card() -> dict[str, Any]:
    return {
        "model": TEXT, "title": TEXT, "owner": TEXT, "tier": {"enum": [1, 2, 3]}, "state": TEXT, "sentence": TEXT,
        "recall": TEXT, "watched_until": MAYBE_DAY, "rows": WHOLE, "amount_gbp_per_day": MAYBE_NUMBER,
        "at_most": {"type": "boolean"}, "trends": {"type": "array"}, "figures": {"type": "array"},
        "blind": {"type": "object", "additionalProperties": TEXT},
        "open": {"type": "array", "items": {"type": "object"}},
    }  # fmt: skip


def _fleet() -> dict[str, Any]:
    return _object({"models": {"type": "array", "items": _object(_card())}})


def _model() -> dict[str, Any]:
    card = _object(_card() | {"strip": {"type": "array", "items": STRIP}, "not_watched": TEXTS})
    lists = {name: _many("Measurement") for name in ("performance", "newest", "checks")}
    records = {"incidents": _many("Incident"), "decisions": _many("Decision"), "retrained": _many("RetrainingOutcome")}
    return _object({"card": card} | lists | records)


def _feature() -> dict[str, Any]:
    return _object(
        {
            "model": TEXT, "feature": TEXT, "kind": {"enum": ["number", "category", "embedding"]},
            "importance": MAYBE_NUMBER, "watched_until": MAYBE_DAY, "bars": _many("Bar"), "levels": _many("Level"),
            "measurements": _many("Measurement"), "series": _many("Measurement"), "incidents": TEXTS,
        }
    )  # fmt: skip


def _day() -> dict[str, Any]:
    return _object({"model": TEXT, "day": DAY, "rows": WHOLE, "source_version": TEXT, "incidents": TEXTS,
                    "counts": {"type": "object", "additionalProperties": COUNTS}, "complete": {"type": "boolean"},
                    "measurements": _many("Measurement")})  # fmt: skip


def _days() -> dict[str, Any]:
    line = {"day": DAY, "state": TEXT, "rows": WHOLE, "source_version": TEXT, "counts": COUNTS,
            "complete": {"type": "boolean"}}  # fmt: skip
    return _object({"model": TEXT, "days": {"type": "array", "items": _object(line)}})


def _incident() -> dict[str, Any]:
    return _object(
        {
            "incident": {"$ref": "#/$defs/Incident"}, "data_fault": {"type": "boolean"}, "history": _many("Incident"),
            "decisions": _many("Decision"), "messages": {"type": "array", "items": {"type": "object"}},
            "causes": {"type": ["object", "null"]}, "worst_slices": _many("Measurement"), "similar": TEXTS,
        }
    )  # fmt: skip


def _coverage() -> dict[str, Any]:
    blind = {"type": "object", "additionalProperties": TEXT}
    line = _object({"model": TEXT, "owner": TEXT, "tier": {"enum": [1, 2, 3]}, "blind": blind, "not_watched": TEXTS})
    return _object({"models": {"type": "array", "items": line}})
