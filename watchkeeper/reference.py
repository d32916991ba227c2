"""The reference pages of the documentation, made from the code: ``python -m watchkeeper.reference`` writes them."""

from __future__ import annotations

import ast
import json
from enum import Enum
from pathlib import Path
from typing import Any

import typer

import catalogue
from alerting.notifications.channels.registry import channel_kinds
from alerting.notifications.routes.schema import Routes
from ledger.records.measurements import Verdict
from models.load import spec_json_schema
from reports.pages import methods
from reports.wording import naming
from watchkeeper import settings
from watchkeeper.markdown import (
    GENERATED_NOTE,
    REFERENCE_FOLDER,
    describe_accepted,
    markdown_table,
    referenced_parts,
    schema_properties_table,
)


def reference_pages() -> dict[str, str]:
    """Return each reference page by its file's name."""
    made = {
        "model-file.md": _model_file_page(),
        "command-line.md": _command_line_page(),
        "routes-file.md": _routes_file_page(),
        "settings.md": _settings_page(),
        "metrics.md": _metrics_page(),
    }
    return {name: GENERATED_NOTE + text.rstrip() + "\n" for name, text in made.items()}


def _model_file_page() -> str:
    content = json.loads(spec_json_schema())
    parts: dict[str, Any] = content["$defs"]
    lines = [
        "# Model file",
        "",
        "One YAML file for each model, named after it. `watchkeeper validate` checks it, and an editor completes it by",
        "`models/schema.json`. Unknown keys are refused. `watchkeeper init TABLE` writes a first one.",
        "",
        *schema_properties_table(content, parts),
    ]
    for name in _parts_in_order(content, parts):
        lines += [
            "",
            f"## {name}",
            "",
            parts[name].get("description", ""),
            "",
            *schema_properties_table(parts[name], parts),
        ]
    return "\n".join(lines)


def _parts_in_order(content: dict[str, Any], parts: dict[str, Any]) -> list[str]:
    """Return the parts in the order in which a reader of the file comes upon them."""
    found: list[str] = []

    def visit(part: dict[str, Any]) -> None:
        for value in part.get("properties", {}).values():
            for name in referenced_parts(value):
                if name not in found:
                    found.append(name)
                    visit(parts[name])

    visit(content)
    return found


def _command_line_page() -> str:
    from watchkeeper.cli.app import app  # noqa: PLC0415  this module is of no use to the command line itself

    group = typer.main.get_command(app)
    lines = [
        "# Command line",
        "",
        "Exit status: 0 done, 1 findings at or above `--fail-on`, 2 your mistake, 3 errored or, from `doctor`, broken.",
        "`--json` writes one JSON document to standard output; everything else goes to standard error.",
        "Where standard error is no terminal there is no progress bar, and `NO_COLOR` turns colours off.",
        "`watchkeeper --install-completion` teaches bash, zsh, fish or PowerShell the commands and model names.",
    ]
    commands: dict[str, Any] = getattr(group, "commands", {})
    for name, command in sorted(commands.items()):
        rows = [
            (
                _spell_parameter(each),
                "required" if each.required else _describe_parameter_default(each),
                each.help or "",
            )
            for each in command.params
        ]
        lines += ["", f"## watchkeeper {name}", "", command.help or "", ""]
        lines += markdown_table(("argument", "default", "what it does"), rows)
    return "\n".join(lines)


def _spell_parameter(parameter: Any) -> str:
    if parameter.param_type_name != "option":
        return f"`{str(parameter.name).upper()}`"
    kind = parameter.type_descriptor.annotation
    values = [each.value for each in kind] if isinstance(kind, type) and issubclass(kind, Enum) else []
    spelt = f"`{', '.join([*parameter.opts, *parameter.secondary_opts])}`"
    return f"{spelt}: {', '.join(values)}" if values else spelt


def _describe_parameter_default(parameter: Any) -> str:
    default = parameter.default
    default = default.value if isinstance(default, Enum) else default
    return "" if default in (None, "", False) or callable(default) else f"`{default}`"


def _routes_file_page() -> str:
    content: dict[str, Any] = Routes.model_json_schema(by_alias=True)
    parts: dict[str, Any] = content["$defs"]
    lines = [
        "# Routes file",
        "",
        "`WATCHKEEPER_ROUTES` names it: who is notified where. `examples/routes.yaml` is one to copy; it says what",
        "holds without one. Unknown keys are refused, and `watchkeeper doctor` checks it.",
        "",
        *schema_properties_table(content, parts),
    ]
    for name in _parts_in_order(content, parts):
        lines += ["", f"## {name}", "", parts[name].get("description", ""), ""]
        lines += (
            schema_properties_table(parts[name], parts)
            if "properties" in parts[name]
            else [f"Accepted: {describe_accepted(parts[name])}."]
        )
    for name, kind in channel_kinds().items():
        own: dict[str, Any] = kind.model_json_schema()
        secret = f"Its secret is {kind.credential}." if kind.credential else "It has no secret."
        lines += ["", f"## {name}", "", " ".join((kind.__doc__ or "").split()), secret, ""]
        lines += [*schema_properties_table(own, own.get("$defs", {}))]
    return "\n".join(lines)


def _settings_page() -> str:
    tree = ast.parse(Path(settings.__file__).read_text(encoding="utf-8"))
    fields = next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "Settings").body
    rows = []
    for node, after in zip(fields, [*fields[1:], None], strict=True):
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            description = (
                after.value.value if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant) else ""
            )
            default = getattr(settings.Settings, node.target.id, None)
            shown = str("" if default is None else default).replace(str(settings.REPOSITORY), "the checkout")
            rows.append(
                (f"`{settings.PREFIX}{node.target.id.upper()}`", f"`{shown}`" if shown else "", str(description))
            )
    lines = [
        "# Settings",
        "",
        "Environment variables. `WATCHKEEPER_MODELS` must be set for all that watches or shows a model; the others are",
        "optional. An unknown one is refused.",
        "",
    ]
    return "\n".join([*lines, *markdown_table(("variable", "default", "what it says"), rows)])


def _metrics_page() -> str:
    lines = [
        "# Metrics, monitors, verdicts and causes",
        "",
        "The keys are those of the JSON beside each page and of `alerts.limits`; the names are those of messages,",
        "pages and the command line. The minimum effect size is the smallest change that matters: no learned limit is",
        "lower, and `alerts.limits` changes it. Formulas and caveats are on the site's methods page.",
    ]
    for section, entries in catalogue.sections().items():
        lines += ["", f"## {section or methods.OTHER_SECTION}", ""]
        lines += markdown_table(
            ("metric", "name", "unit", "what it means", "minimum effect size"),
            [_metric_row(entry) for entry in entries],
        )
    monitors = [
        (f"`{each.key}`", each.title, str(each.stage), "yes" if each.opens_incidents else "no")
        for each in catalogue.monitors_in_order()
    ]
    causes = [
        (f"[`{each.key}`](../runbook/{each.runbook}.md)", each.title, each.kind) for each in catalogue.causes_in_order()
    ]
    verdicts = [(f"`{each.value}`", naming.VERDICTS[each].word) for each in Verdict]
    lines += ["", "## Monitors", "", *markdown_table(("monitor", "name", "stage", "opens incidents"), monitors)]
    lines += ["", "## Verdicts", "", *markdown_table(("verdict", "on the pages"), verdicts)]
    lines += ["", "## Causes", "", *markdown_table(("cause", "name", "kind of incident"), causes)]
    return "\n".join(lines)


def _metric_row(entry: catalogue.Metric | catalogue.Derived) -> tuple[str, ...]:
    if isinstance(entry, catalogue.Derived):
        name, unit = entry.name, str(entry.unit or "the other metric's")
        key = f"`{entry.beginning}…`" if entry.beginning else f"`…{entry.ending}`"
    else:
        name, unit, key = entry.title, str(entry.unit), f"`{entry.key}`"
    minimum = "" if entry.minimum_effect is None else f"{entry.minimum_effect:g}"
    return key, name, unit, entry.meaning, minimum


def write_reference_pages() -> None:
    """Write every page anew."""
    REFERENCE_FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in reference_pages().items():
        (REFERENCE_FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write_reference_pages()
