"""Sizes in bytes as people write them: ``500 GB``."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema

SIZE_UNITS = {"B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}
SIZE_PATTERN = rf"^\d+(\.\d+)? ?({'|'.join(SIZE_UNITS)})$"


def _parse_size(value: Any) -> Any:
    """Return the bytes of a text such as '500 GB'; other values as they are."""
    if not isinstance(value, str):
        return value
    if not re.fullmatch(SIZE_PATTERN, value.strip()):
        raise ValueError(f"must be a size such as '500 GB', in {', '.join(SIZE_UNITS)}, not '{value[:60]}'")
    number, unit = re.split(r" ?(?=[a-zA-Z])", value.strip(), maxsplit=1)
    return round(float(number) * SIZE_UNITS[unit])


Bytes = Annotated[
    int,
    BeforeValidator(_parse_size),
    Field(gt=0),
    WithJsonSchema(
        {"anyOf": [{"type": "string", "pattern": SIZE_PATTERN}, {"type": "integer", "exclusiveMinimum": 0}]}
    ),
]
