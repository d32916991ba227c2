"""Sizes in bytes as people write them: ``500 GB``."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema

UNITS = {"B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}
SIZE = rf"^\d+(\.\d+)? ?({'|'.join(UNITS)})$"


def _bytes(value: Any) -> Any:
    """Return the bytes of a text such as '500 GB'; other values as they are."""
    if not isinstance(value, str):
        return value
    if not re.fullmatch(SIZE, value.strip()):
        raise ValueError(f"must be a size such as '500 GB', in {', '.join(UNITS)}, not '{value[:60]}'")
    number, unit = re.split(r" ?(?=[a-zA-Z])", value.strip(), maxsplit=1)
    return round(float(number) * UNITS[unit])


Bytes = Annotated[
    int,
    BeforeValidator(_bytes),
    Field(gt=0),
    WithJsonSchema({"anyOf": [{"type": "string", "pattern": SIZE}, {"type": "integer", "exclusiveMinimum": 0}]}),
]
