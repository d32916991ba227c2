"""Which Slack channel a model's owner reads."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from models.errors import WatchkeeperError, did_you_mean
from models.spec import Spec

ROUTES_FILE = Path(__file__).with_name("routes.yaml")

SlackName = Annotated[str, Field(pattern=r"^(#[^\s#@]{1,80}|[CGD][A-Z0-9]{6,})$")]
"""A channel's #name or its id."""


class Routes(BaseModel):
    """The Slack channel of each owner, and of all others."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    default: SlackName
    owners: dict[str, SlackName] = Field(default_factory=dict)


def load(path: Path = ROUTES_FILE) -> Routes:
    """Read the routes; raise WatchkeeperError that names the file, the key, and what is accepted."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise WatchkeeperError(f"{path}: can't be read as YAML ({error.__class__.__name__})") from error
    try:
        return Routes.model_validate(content)
    except ValidationError as error:
        raise WatchkeeperError("\n".join(f"{path}: {_sentence(problem)}" for problem in error.errors())) from error


def channel_of(spec: Spec, default: str = "", routes: Routes | None = None) -> str:
    """Return the channel of a model's owner; for an owner without one ``default``, or else the routes' own."""
    known = routes or load()
    return known.owners.get(spec.owner) or default or known.default


def _sentence(problem: object) -> str:
    assert isinstance(problem, dict)
    key = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        hint = did_you_mean(key, Routes.model_fields)
        return f"{key}: unknown key; accepted are {', '.join(Routes.model_fields)}{hint}"
    if problem["type"] == "missing":
        return f"{key}: is missing; the channel for owners without one of their own"
    if problem["type"] == "string_pattern_mismatch":
        return f"{key}: must be a channel's #name or its id such as C0123456789, not {problem['input']!r}"
    return f"{key or 'the file'}: {problem['msg'][:1].lower()}{problem['msg'][1:]}"
