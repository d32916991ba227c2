"""Puts pages into the site's folder: whole or not at all, and escaped."""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
import tempfile
from dataclasses import asdict, is_dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from models.errors import WatchkeeperError

REPORTS_FOLDER = Path(__file__).parent


def write_file(path: Path, content: bytes) -> None:
    """Write a file so that readers see the old or the new one, never a part; leave it alone where nothing changed.

    Raises WatchkeeperError where the disk is full or the folder can't be written; the old file then stays.
    """
    try:
        if path.exists() and path.stat().st_size == len(content) and path.read_bytes() == content:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".part-")
        try:
            with os.fdopen(handle, "wb") as part:
                part.write(content)
            Path(name).chmod(0o644)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise WatchkeeperError(
            f"{path}: the page can't be written ({error.strerror or error}); the site shows what it showed before; "
            "free some space, or set WATCHKEEPER_SITE to a folder that can be written"
        ) from error


def write_assets(site: Path) -> None:
    """Put what all pages share beside them; what is there already is not written again."""
    for source in sorted((REPORTS_FOLDER / "assets").iterdir()):
        write_file(site / "assets" / source.name, source.read_bytes())


def file_name(text: str) -> str:
    """Return a name of a file for a text from data: itself where that is plain, else one that only it can have."""
    name = re.sub(r"[^a-z0-9_-]+", "-", text.lower()).strip("-")[:60]
    return name if name == text else f"{name or 'other'}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def as_json(value: Any) -> str:
    """Return compact JSON; records become objects, days ISO text, and what isn't finite null."""
    how: dict[str, Any] = {"separators": (",", ":"), "ensure_ascii": False, "allow_nan": False}
    try:
        return json.dumps(value, default=_plain_value, **how)
    except (TypeError, ValueError):  # a key that is no text, or a number that isn't finite: rare, and slow to look for
        return json.dumps(_plain_value(value), **how)


def _plain_value(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(key): _plain_value(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain_value(part) for part in value]
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    if is_dataclass(value) and not isinstance(value, type):
        return _plain_value(asdict(value))
    return value
