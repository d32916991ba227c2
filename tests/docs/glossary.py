"""Reads docs/glossary.md, and finds in names and texts of the product the words that it gives up."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
GLOSSARY = REPOSITORY / "docs" / "glossary.md"
PACKAGES = (
    "catalogue", "models", "profiles", "warehouse", "ledger", "checks", "monitors", "alerting", "reports",
    "watchkeeper", "service", "dags", "simulator", "demo", "examples",
)  # fmt: skip
TEXTS = ("*.md", "docs/**/*.md", "reports/templates/*.html", "reports/assets/*.css", "reports/assets/*.js")
"""Texts beside the packages' modules."""
HISTORY = ("CHANGELOG.md", "docs/glossary.md", "docs/detection.md", "docs/performance.md")
"""What says how things were called once, and what the benchmarks write."""
TERMS = "| term | what it is | also called | not |"
STORED = "| name | where | why it stays |"


@dataclass(frozen=True, slots=True)
class Term:
    """One row of the glossary; ``names`` and ``phrases`` are no more in names, and in texts."""

    name: str
    meaning: str
    names: tuple[str, ...]
    phrases: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Stored:
    """A word given up that stays in some files or folders, since it is stored or published."""

    name: str
    places: tuple[str, ...]
    why: str

    def holds_in(self, file: str) -> bool:
        """Return whether it may stand in a file."""
        return file.startswith(self.places)


@dataclass(frozen=True, slots=True)
class Finding:
    """A word that the glossary gives up, and where it still stands."""

    file: str
    line: int
    word: str
    found: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.word!r} in {self.found}"


def terms() -> list[Term]:
    """Return every term of the glossary."""
    return [
        Term(name, meaning, tuple(re.findall(r"`([^`]+)`", gone)), tuple(re.findall(r'"([^"]+)"', gone)))
        for name, meaning, _, gone in _rows(TERMS)
    ]


def stored_names() -> list[Stored]:
    """Return the names that stay since they are stored or published."""
    return [
        Stored(name.split("`")[1], tuple(re.findall(r"`([^`]+)`", where)), why) for name, where, why in _rows(STORED)
    ]


def given_up_names(gone: set[str], stored: list[Stored]) -> list[Finding]:
    """Return names of files, classes, functions, parameters, variables and attributes that hold a word given up."""
    files = {word.removesuffix(".py") for word in gone if word.endswith(".py")}
    words = {word: _joined(word) for word in gone if not word.endswith(".py")}
    found = [Finding(file, 1, f"{Path(file).stem}.py", file) for file in modules() if Path(file).stem in files]
    for file in modules():
        allowed = {each.name for each in stored if each.holds_in(file)}
        for line, name in _names(REPOSITORY / file):
            if name not in allowed:
                found += [Finding(file, line, word, name) for word, part in words.items() if part in _joined(name)]
    return found


def given_up_phrases(gone: set[str], stored: list[Stored]) -> list[Finding]:
    """Return texts that hold a phrase given up, but for stored names, where they are stored."""
    phrase = re.compile("|".join(rf"\b{re.escape(each)}\b" for each in sorted(gone, key=len, reverse=True)), re.I)
    found = []
    for file in [*modules(), *texts()]:
        allowed = {each.name for each in stored if each.holds_in(file)}
        read = _python_texts if file.endswith(".py") else _plain_texts
        for line, text in read(REPOSITORY / file):
            found += [
                Finding(file, line + text.count("\n", 0, hit.start()), hit.group(), _around(text, hit))
                for hit in phrase.finditer(text)
                if hit.group() not in allowed
            ]
    return found


@cache
def modules() -> list[str]:
    """Return the product's modules, by path."""
    found = [path for package in PACKAGES for path in (REPOSITORY / package).rglob("*.py")]
    return sorted(str(path.relative_to(REPOSITORY)) for path in found)


@cache
def texts() -> list[str]:
    """Return the product's other texts, by path."""
    found = {str(path.relative_to(REPOSITORY)) for pattern in TEXTS for path in REPOSITORY.glob(pattern)}
    return sorted(found - set(HISTORY))


def _rows(header: str) -> Iterator[list[str]]:
    """Yield the cells of each row of the tables that have some header."""
    columns = header.count("|") - 1
    inside = False
    for line in GLOSSARY.read_text(encoding="utf-8").splitlines():
        inside = line == header or (inside and line.startswith("|"))
        if inside and line != header and not line.startswith("|---"):
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            assert len(cells) == columns, f"docs/glossary.md has a row of {len(cells)} cells, not {columns}: {line}"
            yield cells


def _names(path: Path) -> Iterator[tuple[int, str]]:
    yield 1, path.stem
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.lineno, node.name
        elif isinstance(node, ast.arg):
            yield node.lineno, node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.attr
        elif isinstance(node, ast.alias) and node.asname:
            yield node.lineno, node.asname


def _python_texts(path: Path) -> Iterator[tuple[int, str]]:
    source = path.read_text(encoding="utf-8")
    parts: set[int] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.JoinedStr):
            parts |= {id(part) for part in node.values}
            said = [str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values]
            yield node.lineno, "".join(said)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in parts:
            yield node.lineno, node.value
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def _plain_texts(path: Path) -> Iterator[tuple[int, str]]:
    text = path.read_text(encoding="utf-8")
    if path.suffix not in {".css", ".js"}:
        yield 1, text
        return
    for comment in re.finditer(r"/\*.*?\*/|(?<!:)//[^\n]*", text, re.DOTALL):
        yield text.count("\n", 0, comment.start()) + 1, comment.group()


def _joined(name: str) -> str:
    """Return the words of an identifier or a file's name in lower case, each between two bars."""
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)
    return f"|{'|'.join(words).lower()}|"


def _around(text: str, hit: re.Match[str]) -> str:
    return " ".join(text[max(0, hit.start() - 60) : hit.end() + 60].split())
