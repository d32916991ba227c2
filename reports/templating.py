"""The templates of pages: every value escaped, a missing one an error, and filters for prose and embedded JSON."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from reports.pages.page import TEMPLATE_FOLDER
from reports.wording import formatting, naming
from reports.writing import as_json, file_name

DIRECTION_CHARACTERS = re.compile("[\u202a-\u202e\u2066-\u2069]")


@cache
def template_environment(folder: Path = TEMPLATE_FOLDER) -> Environment:
    """Return the templates of a folder and the site's own, with every value escaped and a missing one an error."""
    found = Environment(
        loader=FileSystemLoader([folder, TEMPLATE_FOLDER]),
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
    found.filters["sentence"] = formatting.capitalise
    found.globals["formatting"] = formatting
    found.globals["naming"] = naming
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
    whole = text.replace(" %", f"{formatting.SPACE}%").replace("GBP ", f"GBP{formatting.SPACE}")
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(whole))))  # noqa: S704  escaped before


def without_backticks(text: str) -> str:
    """Return a sentence without its backticks, for titles and texts read aloud."""
    return text.replace("`", "")


def first_sentence(text: str) -> str:
    """Return a reason's first sentence: what a figure leaves out stands on the day's page."""
    head, stop, _ = text.partition(". ")
    return f"{head}." if stop else text
