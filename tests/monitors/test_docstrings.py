"""Every public function of monitors and profiles says what goes in and comes out, and its examples run."""

from __future__ import annotations

import ast
import doctest
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = sorted(path for room in ("monitors", "profiles") for path in (ROOT / room).rglob("*.py"))
SECTIONS = ("Args", "Returns", "Raises", "Source", "Example")
FIGURES = {"Estimate", "Interval", "Comparison", "ChiSquare", "MeanChange", "MetricBounds", "NullDistribution"}
"""What a formula returns; in monitors/stats, so do plain numbers."""
NUMBERS = {"float", "Floats"}
ENTRY = re.compile(r"^    (\w+): ", re.MULTILINE)
AWAITED = (
    "monitors.custom",
    "monitors.drift",
    "monitors.faults",
    "monitors.inputs",
    "monitors.limits",
    "monitors.registry",
    "monitors.stats.closed_forms",
    "monitors.stats.comparisons",
    "monitors.stats.daily_distances",
    "monitors.stats.distances",
    "monitors.stats.registry",
    "monitors.stats.simulation",
)
"""Rooms whose functions get their sections once the code that is changing there has landed."""

Function = tuple[str, ast.FunctionDef]


def _module(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


def _functions(path: Path) -> Iterator[Function]:
    """Yield a file's public functions, and the public methods of its public classes."""
    for node in ast.parse(path.read_text()).body:
        owner = f"{node.name}." if isinstance(node, ast.ClassDef) else ""
        for one in node.body if isinstance(node, ast.ClassDef) else [node]:
            if isinstance(one, ast.FunctionDef) and not f".{owner}{one.name}".count("._"):
                yield f"{_module(path)}.{owner}{one.name}", one


def _parameters(function: ast.FunctionDef) -> list[str]:
    given = [*function.args.posonlyargs, *function.args.args, *filter(None, [function.args.vararg])]
    given += function.args.kwonlyargs
    return [own.arg for own in given if own.arg not in ("self", "cls") and not own.arg.startswith("_")]


def _sections(function: ast.FunctionDef) -> dict[str, str]:
    """Return the sections of a docstring by heading, in order, each with its indented lines."""
    return dict(re.findall(r"^(\w+):\n((?:    .*\n?|\n)+)", ast.get_docstring(function) or "", re.MULTILINE))


def _names(node: ast.expr | None) -> set[str]:
    return {each.id for each in ast.walk(node) if isinstance(each, ast.Name)} if node else set()


def _errors(function: ast.FunctionDef) -> set[str]:
    raised = [node.exc for node in ast.walk(function) if isinstance(node, ast.Raise)]
    return {each.func.id for each in raised if isinstance(each, ast.Call) and isinstance(each.func, ast.Name)}


def _raises(function: ast.FunctionDef) -> str:
    return _sections(function).get("Raises", "")


def _is_formula(name: str, function: ast.FunctionDef) -> bool:
    wanted = FIGURES | NUMBERS if name.startswith("monitors.stats.") else FIGURES
    return bool(_parameters(function)) and bool(_names(function.returns) & wanted)


def _takes_the_days_inputs(function: ast.FunctionDef) -> bool:
    """Return whether a registered monitor: what it takes and returns is said once, by its registry."""
    return any(isinstance(each, ast.Call) and _names(each.func) == {"monitor"} for each in function.decorator_list)


FUNCTIONS = [
    (name, function)
    for path in FILES
    for name, function in _functions(path)
    if not name.startswith(AWAITED) and not _takes_the_days_inputs(function)
]


@pytest.mark.parametrize("path", FILES, ids=_module)
def test_examples_give_what_they_say(path):
    failed, _ = doctest.testmod(importlib.import_module(_module(path)))
    assert not failed


def test_each_parameter_and_what_comes_back_is_documented():
    documented = {
        name: (re.findall(ENTRY, _sections(own).get("Args", "")), "Returns" in _sections(own))
        for name, own in FUNCTIONS
        if _parameters(own)  # a property says in its first line what it returns
    }
    assert documented == {name: (_parameters(own), True) for name, own in FUNCTIONS if _parameters(own)}


def test_errors_that_a_function_raises_are_documented():
    silent = [name for name, own in FUNCTIONS if not _errors(own) <= set(re.findall(ENTRY, _raises(own)))]
    assert silent == []


def test_formulas_name_their_source():
    unsourced = [name for name, own in FUNCTIONS if _is_formula(name, own) and "Source" not in _sections(own)]
    assert unsourced == []


def test_sections_come_in_one_order():
    found = {name: list(_sections(own)) for name, own in FUNCTIONS}
    assert found == {name: [heading for heading in SECTIONS if heading in own] for name, own in found.items()}
