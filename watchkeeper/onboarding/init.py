"""Writes a first, commented model file for a table, from guesses that a person may correct."""

from __future__ import annotations

from pathlib import Path

from models.errors import WatchkeeperError
from models.load import load_model_file
from warehouse.duckdb.table_inspection import InspectedTable
from warehouse.engines import engine_at
from watchkeeper.onboarding import column_names, guess
from watchkeeper.onboarding.guess import ChooseAnswer, ModelFileDraft
from watchkeeper.onboarding.suggest import quote_yaml


def write_first_model_file(
    given: Path, labels: Path | None, warehouse: str, models: Path, name: str, choose: ChooseAnswer, *, lay_out: bool
) -> ModelFileDraft:
    """Look at a table, ask for each guess, lay the table out by day if asked to, and write its model file.

    ``labels`` is the table of labels where it is another one; it is laid out by the day on which each became known.

    Raises WatchkeeperError where the model file is there already, the table lies outside the warehouse folder and
    isn't to be laid out in it, or an answer can't be.
    """
    if "://" in warehouse:
        engine, _ = engine_at(warehouse)
        raise WatchkeeperError(
            f"init looks at files, and WATCHKEEPER_WAREHOUSE is {warehouse}; write the model file as {engine.how_to} "
            "shows, and 'watchkeeper suggest' proposes its columns and checks"
        )
    root = Path(warehouse).absolute()
    table = InspectedTable(_resolve_table_path(given, root))
    label_table = InspectedTable(_resolve_table_path(labels, root)) if labels else None
    model = column_names.to_model_name(name or table.name)
    file = models / f"{model}.yaml"
    if file.exists():
        raise WatchkeeperError(f"{file}: is there already; remove it, or give another name with --name")
    where = model if lay_out else _name_in_warehouse(table, root)
    of_labels = where
    if label_table:
        of_labels = f"{model}_labels" if lay_out else _name_in_warehouse(label_table, root)
    found = guess.draft_model_file(table, label_table, model, (where, of_labels), choose, may_number=lay_out)
    if lay_out:
        number = "row_id" if found.values["id"] == "row_id" and "row_id" not in table.columns else None
        table.lay_out(root / where, found.values["day"], number)
        if label_table:
            label_table.lay_out(root / of_labels, found.values["known_at"], None)
        found.values["day"] = "day"
        found.reasons["day"] = "the folders are named day=YYYY-MM-DD"
    try:
        models.mkdir(parents=True, exist_ok=True)
        with file.open("x", encoding="utf-8") as written:
            written.write(render_model_file(found))
    except OSError as error:
        raise WatchkeeperError(f"{file}: can't be written ({error.strerror}); set WATCHKEEPER_MODELS") from error
    load_model_file(file)
    return found


def _resolve_table_path(given: Path, root: Path) -> Path:
    return given if given.exists() else root / given


def _name_in_warehouse(table: InspectedTable, root: Path) -> str:
    """Return a table's name in the warehouse folder; raise WatchkeeperError where it can't be read there."""
    path = table.path.absolute()
    if path.is_relative_to(root) and not table.is_csv:
        return path.relative_to(root).as_posix()
    why = "a CSV is not read day by day" if table.is_csv else f"it is not in the warehouse folder {root}"
    other = "" if table.is_csv else f", or set WATCHKEEPER_WAREHOUSE={path.parent}"
    raise WatchkeeperError(f"{path}: {why}; add --lay-out to copy it there as day=YYYY-MM-DD/*.parquet{other}")


def render_model_file(draft: ModelFileDraft) -> str:
    """Return the model file, every guess with its reason beside it."""
    say, why = draft.values, draft.reasons
    lines = [
        f"# Written by 'watchkeeper init' from {draft.rows:,} rows. Every value is a guess with its reason: read",
        "# it, correct it, check it with 'watchkeeper validate'. What else may be said: docs/reference/model-file.md.",
        f"model: {draft.model}",
        "# title: the name that people read",
        "owner: model-monitoring # who is notified; the routes file (WATCHKEEPER_ROUTES) maps owners to channels",
        "tier: 2 # 1 is the most important",
        "",
        "features:",
        f"  table: {quote_yaml(draft.table)} # in the warehouse folder",
        *[_yaml_line(2, key, say[key], why[key]) for key in ("day", "id", "time") if say[key]],
        '  # arrives_by: "06:00" # deadline on the next day; without it no partition is late',
        "  columns: # what the model sees",
        *[
            f"    {quote_yaml(name)}: {{kind: {kind}}}{_yaml_comment(said)}"
            for name, (kind, said) in draft.columns.items()
        ],
        *[
            f"    # {quote_yaml(name)} is left out: {' '.join(reason.split())}"
            for name, reason in draft.left_out.items()
        ],
        "",
        *_score_lines(draft),
        *_label_lines(draft),
        *_group_lines(draft),
        f"baseline: # {why['baseline']}",
        *[f"  {key}: {day}" for key, day in zip(("from", "to"), say["baseline"].split(" to "), strict=True)],
    ]
    if draft.exclude:
        lines.append(f"  exclude: [{', '.join(map(str, draft.exclude))}] # fewer than half the usual rows")
    return "\n".join(lines) + "\n"


def _yaml_line(indent: int, key: str, value: str, why: str) -> str:
    return f"{' ' * indent}{key}: {quote_yaml(value)}{_yaml_comment(why)}"


def _yaml_comment(text: str) -> str:
    return f" # {' '.join(text.split())}" if text else ""


def _score_lines(draft: ModelFileDraft) -> list[str]:
    say, why = draft.values, draft.reasons
    if not say["score"]:
        return ["# score: {column: ..., threshold: ...} # no score was found: only the features are watched", ""]
    low, high = draft.score_range
    return [
        "score:",
        _yaml_line(2, "column", say["score"], why["score"]),
        *([f"  threshold: {say['threshold']}{_yaml_comment(why['threshold'])}"] if say["threshold"] else []),
        f"  range: [{low:g}, {high:g}] # the lowest and the highest possible score",
        *([_yaml_line(2, "amount", say["amount"], f"taken as GBP; {why['amount']}")] if say["amount"] else []),
        *([_yaml_line(2, "entity", say["entity"], why["entity"])] if say["entity"] else []),
        "",
    ]


def _label_lines(draft: ModelFileDraft) -> list[str]:
    say, why = draft.values, draft.reasons
    if not say["label"]:
        return [
            "# labels: {table: ..., id: ..., label: ..., known_at: ...} # none found: no performance, no fairness",
            "",
        ]
    same = "the same table; a table of label events may take its place" if draft.table == draft.label_table else ""
    negative = "explicit # a 0 in the label column means legitimate"
    return [
        "labels:",
        f"  table: {quote_yaml(draft.label_table)}{_yaml_comment(same)}",
        _yaml_line(2, "id", say["label_id"], why.get("label_id", "")),
        _yaml_line(2, "label", say["label"], why["label"]),
        _yaml_line(2, "known_at", say["known_at"], why["known_at"]),
        f"  negative: {negative if draft.explicit else '{after_days: 45} # silence for so long means legitimate'}",
        "",
    ]


def _group_lines(draft: ModelFileDraft) -> list[str]:
    say, why = draft.values, draft.reasons
    names = [name.strip() for name in say["slices"].split(",") if name.strip()]
    lines = [f"slices: [{', '.join(map(quote_yaml, names))}] # {why['slices']}"]
    if draft.references:
        lines.append(f"protected: # {why['protected']}; the reference is the commonest group")
        lines += [f"  {quote_yaml(name)}: {{reference: {quote_yaml(of)}}}" for name, of in draft.references.items()]
    return [*lines, ""]
