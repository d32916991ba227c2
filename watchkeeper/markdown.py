"""Markdown made from the code: tables, and what a JSON Schema accepts in words."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from watchkeeper.settings import REPOSITORY

REFERENCE_FOLDER = REPOSITORY / "docs" / "reference"
ESCAPED_BAR = r"\|"
GENERATED_NOTE = "<!-- Made by `make generate` from the code; edits here are lost. -->\n\n"


def markdown_table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Return the lines of a table in Markdown."""
    cells = [head, tuple("---" for _ in head), *rows]
    return [f"| {' | '.join(' '.join(cell.replace('|', ESCAPED_BAR).split()) for cell in row)} |" for row in cells]


def schema_properties_table(part: dict[str, Any], parts: dict[str, Any]) -> list[str]:
    """Return the properties of a JSON Schema's object as a table; ``parts`` are those that it refers to."""
    required = set(part.get("required", ()))
    rows = []
    for key, value in part.get("properties", {}).items():
        default = "required" if key in required else _describe_default(value)
        own = next((parts[name].get("description", "") for name in referenced_parts(value)), "")
        rows.append((f"`{key}`", describe_accepted(value), default, value.get("description", own)))
    return markdown_table(("key", "accepted", "default", "what it says"), rows)


def _describe_default(value: dict[str, Any]) -> str:
    default = value.get("default")
    return "" if default in (None, {}, []) or isinstance(default, dict) else f"`{json.dumps(default)}`"


def describe_accepted(value: dict[str, Any]) -> str:
    """Return what a property takes, in words."""
    if "$ref" in value:
        name = value["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "const" in value or "enum" in value:
        return ", ".join(f"`{each}`" for each in value.get("enum", [value.get("const")]))
    if "anyOf" in value:
        return " or ".join(
            dict.fromkeys(describe_accepted(each) for each in value["anyOf"] if each.get("type") != "null")
        )
    kind = value.get("type", "anything")
    inner = value.get({"array": "items", "object": "additionalProperties"}.get(kind, ""))
    if isinstance(inner, dict) and inner:
        return f"{'list of' if kind == 'array' else 'name:'} {describe_accepted(inner)}"
    said = {"string": "text", "object": "mapping", "array": f"list of {value.get('minItems', '')}".rstrip()}
    return _describe_bounds("date" if value.get("format") == "date" else said.get(kind, kind), value)


def _describe_bounds(kind: str, value: dict[str, Any]) -> str:
    ends = (("minimum", "from"), ("exclusiveMinimum", "above"), ("maximum", "to"), ("exclusiveMaximum", "below"))
    bounds = " ".join(f"{said} {value[key]}" for key, said in ends if key in value)
    shape = f" like `{value['pattern']}`" if "pattern" in value else ""
    return f"{kind} {bounds}".rstrip() + shape


def referenced_parts(value: Any) -> Iterator[str]:
    """Yield the names of the parts that a property refers to."""
    if isinstance(value, dict):
        if "$ref" in value:
            yield value["$ref"].rpartition("/")[2]
        for inner in value.values():
            yield from referenced_parts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from referenced_parts(inner)
