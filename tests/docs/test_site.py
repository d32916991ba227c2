"""The documentation holds together: its links lead somewhere, it agrees with the code, and its examples are sound."""

from __future__ import annotations

import importlib.util
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

import catalogue
from benchmarks import fleet
from models.spec import Spec
from service import reference as http_api
from watchkeeper import reference
from watchkeeper.cli.app import app

REPOSITORY = Path(__file__).parents[2]
DOCS = REPOSITORY / "docs"
BLOCK = re.compile(r"^( *)```(\w+)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
PAGES = sorted(page for page in DOCS.rglob("*.md") if page.parent.name != "decisions")


def blocks(kinds: tuple[str, ...]) -> list[tuple[str, str]]:
    """Return page and text of every block of code of some kinds."""
    found = []
    for page in PAGES:
        for indent, kind, text in BLOCK.findall(page.read_text(encoding="utf-8")):
            if kind in kinds:
                found.append((str(page.relative_to(DOCS)), re.sub(f"^{indent}", "", text, flags=re.MULTILINE)))
    return found


@pytest.mark.skipif(importlib.util.find_spec("mkdocs") is None, reason="mkdocs-material is not installed")
def test_the_site_builds_and_every_link_leads_somewhere(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path / "site")]
    told = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=120, check=False)
    assert told.returncode == 0, told.stdout + told.stderr
    page = (tmp_path / "site" / "runbook" / "column_fault" / "index.html").read_text(encoding="utf-8")
    assert "A column is broken" in page
    fetched = [line for line in re.findall(r'(?:src|href)="(https?://[^"]+)"', page) if line.endswith((".js", ".css"))]
    assert fetched == [], "a page needs the network"


def test_the_reference_says_what_the_code_says() -> None:
    for name, text in (
        reference.reference_pages() | {http_api.PAGE_FILE: http_api.render_http_api_reference()}
    ).items():
        assert (DOCS / "reference" / name).read_text(encoding="utf-8") == text, f"{name}: run make generate"


def test_every_setting_and_command_is_in_the_reference() -> None:
    pages = reference.reference_pages()
    assert "`WATCHKEEPER_SLACK_TOKEN`" in pages["settings.md"]
    assert all(f"## watchkeeper {name}\n" in pages["command-line.md"] for name in commands())


def test_every_route_is_in_the_reference_with_what_it_takes_and_answers() -> None:
    text = http_api.render_http_api_reference()
    assert "\n## POST /v1/incidents/{incident}/{verb}\n" in text
    assert "Body: [ActBody](#actbody)." in text
    assert "Answers: 200 [Done](#done), 404, 409." in text
    assert "| `limit` | query | integer from 1 to 1000 | `100` |" in text


@pytest.mark.parametrize("cause", list(catalogue.CAUSES))
def test_each_cause_has_a_page_that_says_what_to_do(cause: str) -> None:
    text = (DOCS / "runbook" / f"{cause}.md").read_text(encoding="utf-8")
    assert text.startswith(f"# {catalogue.cause(cause).title}\n")
    assert [line for line in text.splitlines() if line.startswith("## ")] == ["## Look first", "## Fix", "## Then"]
    fault = "yes" if catalogue.cause(cause).data_fault else "no"
    assert f"| [{catalogue.cause(cause).title}]({cause}.md) | {fault} |" in (DOCS / "runbook" / "index.md").read_text()
    assert f"runbook/{cause}.md" in (REPOSITORY / "mkdocs.yml").read_text()


def test_every_model_file_that_is_shown_is_accepted() -> None:
    shown = [(page, yaml.safe_load(text)) for page, text in blocks(("yaml",))]
    assert len(shown) > 4
    whole = [(page, content) for page, content in shown if isinstance(content, dict) and "model" in content]
    parts = [(page, content) for page, content in shown if isinstance(content, dict) and content.keys() <= PARTS]
    least = {"model": "m", "features": {"table": "t"}, "baseline": {"from": DAY, "to": DAY}}
    for page, content in [*whole, *((page, least | part) for page, part in parts)]:
        assert Spec.model_validate(content), page
    assert whole
    assert parts


PARTS = set(Spec.model_fields)
DAY = yaml.safe_load("2026-01-01")


def test_python_that_is_shown_compiles() -> None:
    for page, text in blocks(("python",)):
        compile(text, page, "exec")


def commands() -> dict[str, Any]:
    found: dict[str, Any] = getattr(typer.main.get_command(app), "commands")  # noqa: B009
    return found


def test_every_command_that_is_shown_has_those_options() -> None:
    known = commands()
    seen = 0
    for page, text in blocks(("sh", "bash")):
        for line in text.splitlines():
            for part in re.split(r"&&|\|\|", line.partition(" #")[0]):
                said = shlex.split(part) if part.strip().startswith("watchkeeper ") else []
                if not said:
                    continue
                command = known[said[1]]
                options = {option for each in command.params for option in (*each.opts, *each.secondary_opts)}
                assert {word for word in said[2:] if word.startswith("-") and word != "-"} <= options, f"{page}: {line}"
                seen += 1
    assert seen > 10


def test_the_sizes_of_the_plan_are_those_of_its_simulation() -> None:
    text = (DOCS / "sizing.md").read_text(encoding="utf-8")
    assert fleet.page(text) == text, "run python -m benchmarks.fleet"


def test_a_fleet_twice_as_large_takes_twice_as_much() -> None:
    costs = fleet.measured()
    one, two = (fleet.simulate(costs, n, n * 1e8) for n in (5_000, 10_000))
    for key in ("rows_a_day", "cpu_hours_a_day", "measurements_a_day", "ledger_gb_a_day"):
        assert two[key] / one[key] == pytest.approx(2, rel=0.1), key
