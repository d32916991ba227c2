"""The reference page of the HTTP API, made from its OpenAPI document: ``python -m service.reference`` writes it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from service.app import create_app
from watchkeeper.markdown import (
    GENERATED_NOTE,
    REFERENCE_FOLDER,
    describe_accepted,
    markdown_table,
    schema_properties_table,
)
from watchkeeper.settings import Settings

PAGE_FILE = "http-api.md"
COMMON_STATUSES = ("400", "401", "403", "413", "422", "429", "503")
"""Problems that any route may answer with."""


def render_http_api_reference() -> str:
    """Return the page as Markdown."""
    document = create_app(Settings(), lambda _: "", lambda: None).openapi()
    parts: dict[str, Any] = document["components"]["schemas"]
    lines = [
        "# HTTP API",
        "",
        document["info"]["description"],
        "",
        "`watchkeeper serve` runs it alone, and in Airflow's API server it is a plugin under `/watchkeeper`. Each",
        "request carries `Authorization: Bearer` with a token whose SHA-256 is in `WATCHKEEPER_API_TOKENS`; a `POST`",
        "needs its `write` scope. `GET /v1/openapi.json` is the same in OpenAPI. Errors are",
        "`application/problem+json` (RFC 9457), whose `detail` is one sentence:",
        f"{', '.join(COMMON_STATUSES)} from any route, others as named.",
    ]
    for path, methods in document["paths"].items():
        for method, route in methods.items():
            lines += ["", f"## {method.upper()} {path}", "", *_route_lines(route)]
    for name in sorted(parts):
        lines += ["", f"## {name}", "", *_schema_lines(parts[name], parts)]
    return GENERATED_NOTE + "\n".join(lines).rstrip() + "\n"


def _route_lines(route: dict[str, Any]) -> Iterator[str]:
    yield " ".join(route.get("description", "").split())
    yield ""
    rows = [
        (
            f"`{each['name']}`",
            each["in"],
            describe_accepted(each["schema"]),
            "required" if each.get("required") else _describe_default(each["schema"]),
            each.get("description", ""),
        )
        for each in route.get("parameters", ())
    ]
    if rows:
        yield from markdown_table(("parameter", "in", "accepted", "default", "what it says"), rows)
        yield ""
    if "requestBody" in route:
        yield f"Body: {_describe_content(route['requestBody'])}."
        yield ""
    said = [f"{status} {_describe_content(answer)}".strip() for status, answer in sorted(route["responses"].items())
            if status not in COMMON_STATUSES]  # fmt: skip
    yield f"Answers: {', '.join(said)}."


def _describe_default(schema: dict[str, Any]) -> str:
    default = schema.get("default")
    return "" if default is None else f"`{json.dumps(default)}`"


def _describe_content(body: dict[str, Any]) -> str:
    """Return what a body holds, in words; a problem is shown by its status alone."""
    schema = body.get("content", {}).get("application/json", {}).get("schema", {})
    return describe_accepted(schema) if schema else ""


def _schema_lines(part: dict[str, Any], parts: dict[str, Any]) -> list[str]:
    said = [" ".join(part.get("description", "").replace("``", "`").split()), ""]
    return [
        *said,
        *(schema_properties_table(part, parts) if "properties" in part else [f"One of {describe_accepted(part)}."]),
    ]


def write_http_api_reference() -> None:
    """Write the page anew."""
    (REFERENCE_FOLDER / PAGE_FILE).write_text(render_http_api_reference(), encoding="utf-8")


if __name__ == "__main__":
    write_http_api_reference()
