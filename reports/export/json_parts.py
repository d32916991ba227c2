"""Parts of the JSON Schema of pages: texts, days, counts, lists of records."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

TEXT = {"type": "string"}
TEXTS = {"type": "array", "items": TEXT}
DAY = {"type": "string", "format": "date"}
YES_OR_NO = {"type": "boolean"}
MAYBE_DAY = {"anyOf": [DAY, {"type": "null"}]}
MAYBE_NUMBER = {"type": ["number", "null"]}
COUNT = {"type": "integer", "minimum": 0}
COUNTS = {"type": "object", "additionalProperties": COUNT}
"""How many figures had which verdict."""
TIER = {"enum": [1, 2, 3]}
REASONS = {"type": "object", "additionalProperties": TEXT}
OBJECTS = {"type": "array", "items": {"type": "object"}}


def strict_object(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schema of an object that has these properties, all of them, and no others."""
    return {
        "type": "object", "properties": dict(properties), "required": list(properties), "additionalProperties": False,
    }  # fmt: skip


def record(name: str) -> dict[str, Any]:
    """Return a reference to the schema of a record, by the name of its class."""
    return {"$ref": f"#/$defs/{name}"}


def records(name: str) -> dict[str, Any]:
    """Return the schema of a list of records."""
    return {"type": "array", "items": record(name)}
