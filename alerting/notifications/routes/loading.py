"""Reads the routes file, and says in a sentence what is wrong with it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from alerting.notifications.channels.registry import channel_kinds
from alerting.notifications.routes.schema import (
    DEFAULT_ROUTES,
    DigestPolicy,
    MaintenanceWindow,
    PagingPolicy,
    Routes,
    RoutingRule,
    RuleConditions,
)
from models.errors import WatchkeeperError, did_you_mean

SECTIONS: dict[str, type[BaseModel]] = {
    "page": PagingPolicy,
    "digest": DigestPolicy,
    "when": RuleConditions,
    "rules": RoutingRule,
    "maintenance": MaintenanceWindow,
}


def load_routes(path: Path | None) -> Routes:
    """Read the routes file; without one (None) return the default routes.

    Raises WatchkeeperError that names the file, the key, and what is accepted.
    """
    if path is None:
        return DEFAULT_ROUTES
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise WatchkeeperError(
            f"{path}: no such file; WATCHKEEPER_ROUTES names the routes file, and examples/routes.yaml is one to copy"
        ) from error
    except OSError as error:
        raise WatchkeeperError(f"{path}: can't be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise WatchkeeperError(f"{path}: can't be read as text; it must be YAML in UTF-8") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f"line {mark.line + 1}: " if mark else ""
        raise WatchkeeperError(f"{path}: {line}isn't YAML ({getattr(error, 'problem', None) or error})") from error
    try:
        return Routes.model_validate(content)
    except ValidationError as error:
        raise WatchkeeperError(
            "\n".join(f"{path}: {_describe_problem(content, problem)}" for problem in error.errors())
        ) from error


def _describe_problem(content: object, problem: Any) -> str:
    """Turn one of pydantic's problems into: key, what is wrong, what is accepted, nearest spelling."""
    parts = [str(part) for part in problem["loc"]]
    key = ".".join(parts)
    if problem["type"] == "extra_forbidden":
        accepted = _accepted_keys(content, parts[:-1])
        return f"{key}: unknown key; accepted are {', '.join(accepted)}{did_you_mean(parts[-1], accepted)}"
    if problem["type"] == "missing":
        return f"{key}: is missing{'; the channel for owners without one of their own' if key == 'default' else ''}"
    if problem["type"] == "string_pattern_mismatch":
        if parts[0] in ("default", "owners"):
            return f"{key}: must be a channel's #name or its id such as C0123456789, not {problem['input']!r}"
        return f"{key}: {problem['input']!r} doesn't have the form of a {parts[-1] if len(parts) > 1 else 'name'}"
    if problem["type"] == "value_error":
        said = str(problem["ctx"]["error"])
        return f"{key}: {said}" if key else said
    return f"{key or 'the file'}: {problem['msg'][:1].lower()}{problem['msg'][1:]}"


def _accepted_keys(content: object, parts: Sequence[str]) -> list[str]:
    """Return the keys accepted at a place of the file."""
    if parts[:1] == ["channels"] and isinstance(content, dict):
        part: type[BaseModel] = channel_kinds()[content["channels"][parts[1]]["kind"]]
    else:
        part = next((SECTIONS[part] for part in reversed(parts) if part in SECTIONS), Routes)
    return [field.alias or name for name, field in part.model_fields.items()]
