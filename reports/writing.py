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
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from models.errors import WatchkeeperError
from reports import wording

REPORTS_FOLDER = Path(__file__).parent
DIRECTION_CHARACTERS = re.compile("[\u202a-\u202e\u2066-\u2069]")


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


def write_page(site: Path, name: str, template: str, context: dict[str, Any], machine: Any) -> None:
    """Write ``<name>.html`` from a template and ``<name>.json`` beside it for machines."""
    root = "../" * name.count("/")
    html = (
        template_environment()
        .get_template(template)
        .render(context, root=root, json_name=f"{name.rpartition('/')[2]}.json")
    )
    write_file(site / f"{name}.json", (as_json(machine) + "\n").encode())
    write_file(site / f"{name}.html", html.encode())


@cache
def template_environment() -> Environment:
    """Return the templates, with every value escaped and a missing one an error."""
    found = Environment(
        loader=FileSystemLoader(REPORTS_FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=show_direction_characters,
    )
    found.filters["embedded"] = embed_json
    found.filters["prose"] = render_prose
    found.filters["plain"] = without_backticks
    found.filters["opening"] = first_sentence
    found.filters["sentence"] = capitalise
    found.globals["words"] = wording
    found.globals["feed_name"] = file_name
    return found


def show_direction_characters(value: Any) -> Any:
    """Return a text with the characters that turn the direction of what follows shown as their number instead.

    A value that holds one could make the rest of its line read backwards.
    """
    if not isinstance(value, str):
        return value
    turned = DIRECTION_CHARACTERS.sub(lambda found: f"[U+{ord(found.group()):04X}]", value)
    return Markup(turned) if isinstance(value, Markup) else turned  # noqa: S704  it was one before


def embed_json(value: Any) -> Markup:
    """Return JSON that can stand inside a script element: no ``</script>`` or ``<!--`` can be in it."""
    text = as_json(value).replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    return Markup(text)  # noqa: S704  no '<' is left in it


def render_prose(text: str) -> Markup:
    """Return a sentence with what stands in `backticks` as code, and everything escaped."""
    whole = text.replace(" %", f"{wording.SPACE}%").replace("GBP ", f"GBP{wording.SPACE}")
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(whole))))  # noqa: S704  escaped before


def without_backticks(text: str) -> str:
    """Return a sentence without its backticks, for titles and texts read aloud."""
    return text.replace("`", "")


def first_sentence(text: str) -> str:
    """Return a reason's first sentence: what a figure leaves out stands on the day's page."""
    head, stop, _ = text.partition(". ")
    return f"{head}." if stop else text


def capitalise(text: str) -> str:
    """Return a text with a capital at its start."""
    return text[:1].upper() + text[1:]


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
