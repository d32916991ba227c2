"""Reads model files, and says in a sentence what is wrong with one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import BaseModel, ValidationError

from models.errors import WatchkeeperError, did_you_mean
from models.spec import Spec

SCHEMA_FILE = Path(__file__).with_name("schema.json")
FAST_SAFE_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""Ten times as fast where PyYAML has its C part: Airflow reads every model file every half minute."""


class SpecError(WatchkeeperError):
    """A model file that can't be used; ``problems`` holds one sentence for each thing that is wrong with it."""

    def __init__(self, path: Path, problems: list[str]) -> None:
        self.path = path
        self.problems = [f"{path}: {problem}" for problem in problems]
        super().__init__("\n".join(self.problems))


def list_model_files(folder: Path) -> list[Path]:
    """Return the model files of a folder, sorted by name; raise WatchkeeperError where there is none."""
    if not folder.is_dir():
        raise WatchkeeperError(
            f"{folder}: no such folder of model files; set WATCHKEEPER_MODELS to the folder of your YAML files"
        )
    found = sorted([*folder.glob("*.yaml"), *folder.glob("*.yml")])
    if not found:
        raise WatchkeeperError(f"{folder}: holds no model file; 'watchkeeper init TABLE' writes a first one")
    return found


def load_model_file(path: Path) -> Spec:
    """Read one model file; raise SpecError that names the file, the line, the key, and what is accepted."""
    text, content = _read_mapping(path, "must be a mapping that starts with 'model:'")
    spec = _validate_spec(path, text, content)
    if spec.model != path.stem:
        raise SpecError(path, [f"model: '{spec.model}' must be the name of its file, '{path.stem}'"])
    return spec


def load_changed_spec(path: Path, spec: Spec) -> Spec:
    """Return a model's spec with the top-level keys of a file in place of its own; the file may also be a whole one.

    A key stands as it would in a model file: what it leaves out has its default. Raises SpecError as
    ``load_model_file`` does.
    """
    text, content = _read_mapping(path, "must be a mapping of the model file's top-level keys, such as 'alerts:'")
    if content.get("model", spec.model) != spec.model:
        raise SpecError(path, [f"model: '{content['model']}' must be the model that is replayed, '{spec.model}'"])
    return _validate_spec(path, text, spec.model_dump(by_alias=True, exclude_unset=True) | content)


def _read_mapping(path: Path, shape: str) -> tuple[str, dict[str, Any]]:
    """Return a file's text and its mapping; raise SpecError where it is none."""
    try:
        text = path.read_text(encoding="utf-8")
        content = yaml.load(text, Loader=FAST_SAFE_LOADER)  # noqa: S506  the C form of yaml.SafeLoader
    except FileNotFoundError as error:
        raise SpecError(path, ["no such file"]) from error
    except (OSError, UnicodeDecodeError) as error:
        raise SpecError(path, [f"can't be read as text ({error.__class__.__name__})"]) from error
    except yaml.YAMLError as error:
        raise SpecError(path, [_yaml_problem(error)]) from error
    if not isinstance(content, dict):
        raise SpecError(path, [shape])
    return text, content


def _validate_spec(path: Path, text: str, content: dict[str, Any]) -> Spec:
    try:
        return Spec.model_validate(content)
    except ValidationError as error:
        tree = yaml.compose(text, Loader=yaml.SafeLoader)
        raise SpecError(path, [_describe_problem(tree, problem) for problem in error.errors()]) from error


def load_model_files(folder: Path) -> list[Spec]:
    """Read every model file of a folder; raise one SpecError with the problems of the first broken file."""
    return [load_model_file(path) for path in list_model_files(folder)]


def spec_json_schema() -> str:
    """Return the JSON Schema of a model file, as an editor reads it."""
    return json.dumps(Spec.model_json_schema(by_alias=True), indent=2, sort_keys=True) + "\n"


def _yaml_problem(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    what = getattr(error, "problem", None) or "not YAML"
    return f"line {mark.line + 1}: {what}" if mark else str(what)


def _describe_problem(tree: yaml.Node | None, problem: Any) -> str:
    """Turn one of pydantic's problems into: line, key, what is wrong, what is accepted, nearest spelling."""
    location = [part for part in problem["loc"] if part not in ("AfterDays", "literal['explicit']")]
    key = ".".join(str(part) for part in location)
    line = _line(tree, location)
    kind, given = problem["type"], problem["input"]
    if kind == "extra_forbidden":
        accepted = _accepted_keys(location[:-1])
        what = f"unknown key; accepted are {', '.join(accepted)}{did_you_mean(str(location[-1]), accepted)}"
    elif kind == "missing":
        what = "is missing and has no default"
    elif kind == "value_error":
        what = str(problem["ctx"]["error"])
    else:
        message = problem["msg"]
        what = f"{message[0].lower()}{message[1:]}, not {_format_value(given)}"
        if kind == "literal_error":
            what += did_you_mean(str(given), re.findall(r"'([^']*)'", problem["ctx"]["expected"]))
    return f"line {line}: {key}: {what}" if key else f"line {line}: {what}"


def _format_value(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _line(tree: yaml.Node | None, location: list[Any]) -> int:
    """Return the line of a key, or of its nearest parent that is in the file."""
    if tree is None:
        return 1
    node, line = tree, tree.start_mark.line + 1
    for part in location:
        child = _child(node, part)
        if child is None:
            break
        line, node = child
    return line


def _child(node: yaml.Node, part: Any) -> tuple[int, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == str(part):
                return key.start_mark.line + 1, value
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        return node.value[part].start_mark.line + 1, node.value[part]
    return None


def _accepted_keys(location: list[Any]) -> list[str]:
    """Return the keys accepted at a place of the model file."""
    part: Any = Spec
    for step in location:
        field = _field(part, step) if _is_part(part) else None
        part = next(iter(_parts(field.annotation)), None) if field is not None else part
    return sorted(field.alias or name for name, field in part.model_fields.items()) if _is_part(part) else []


def _field(part: type[BaseModel], step: Any) -> Any:
    return next((field for name, field in part.model_fields.items() if step in (name, field.alias)), None)


def _is_part(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _parts(annotation: Any) -> Iterator[type[BaseModel]]:
    """Yield the parts of a model file inside an annotation such as ``dict[str, Column]``."""
    if _is_part(annotation):
        yield annotation
    for inner in get_args(annotation):
        yield from _parts(inner)


if __name__ == "__main__":
    SCHEMA_FILE.write_text(spec_json_schema(), encoding="utf-8")
