"""What is installed here, against the lock; and whether Airflow finds the DAGs."""

from __future__ import annotations

import configparser
import os
import platform
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from models.extras import EXTRA_OF_PACKAGE, install_hint, is_installed
from watchkeeper.settings import REPOSITORY

CheckResult = tuple[str, str, str]
"""State, what was found, what to do."""


def check_versions(repository: Path = REPOSITORY) -> Iterator[CheckResult]:
    """Yield whether Python and the packages are those that were tested together (requirements.lock)."""
    project = repository / "pyproject.toml"
    if project.is_file():
        wanted = SpecifierSet(tomllib.loads(project.read_text(encoding="utf-8"))["project"]["requires-python"])
        if platform.python_version() not in wanted:
            yield "broken", f"Python {platform.python_version()}", f"use Python {wanted}"
            return
    lock = repository / "requirements.lock"
    if not lock.is_file():
        yield "look", "no requirements.lock beside the code", "run from a checkout of the repository"
        return
    other = [message for line in lock.read_text(encoding="utf-8").splitlines() if (message := _lock_difference(line))]
    if other:
        few = ", ".join(other[:5]) + (f" and {len(other) - 5} more" if other[5:] else "")
        yield "look", f"Python {platform.python_version()}; not as locked: {few}", "make install"
    else:
        yield "ok", f"Python {platform.python_version()}, packages as locked", ""


def _lock_difference(line: str) -> str:
    """Return how a package that is installed differs from its line of the lock; empty where it doesn't, or isn't."""
    if line[:1] in (" ", "#", "") or "==" not in line:
        return ""
    wanted = Requirement(line.rstrip(" \\"))
    if wanted.marker is not None and not wanted.marker.evaluate():
        return ""
    try:
        version = metadata.version(wanted.name)
    except metadata.PackageNotFoundError:
        return ""  # an extra that this installation does without
    return "" if version in wanted.specifier else f"{wanted.name} {version} instead of {str(wanted.specifier)[2:]}"


def check_extras() -> Iterator[CheckResult]:
    """Yield which of the packages that only some installations need are here."""
    for package, extra in EXTRA_OF_PACKAGE.items():
        there = is_installed(package)
        yield "ok", f"{package} is {'' if there else 'not '}installed (extra {extra})", ""


def check_airflow(home: Path) -> Iterator[CheckResult]:
    """Yield whether Airflow's settings lead to this repository's DAGs; nothing where Airflow isn't set up here."""
    folder = home / "dags"
    if not (folder / "models_watched.py").is_file():
        yield "broken", f"{folder} holds no models_watched.py", "set WATCHKEEPER_HOME to the checkout"
        return
    airflow_home = os.environ.get("AIRFLOW_HOME")
    if not airflow_home:
        yield "ok", "AIRFLOW_HOME is not set: Airflow is not looked at", ""
        return
    if not is_installed("airflow"):
        yield "broken", "AIRFLOW_HOME is set, and Airflow is not installed here", install_hint("airflow")
        return
    bundles = os.environ.get("AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST", "")
    found = os.environ.get("AIRFLOW__CORE__DAGS_FOLDER", "") or _configured_dags_folder(
        Path(airflow_home) / "airflow.cfg"
    )
    if bundles:
        mine = "watchkeeper" in bundles.lower() or str(home) in bundles
        yield ("ok" if mine else "look"), "DAG bundles are configured", "" if mine else "add this repository as one"
    elif found and Path(found).resolve() in (folder.resolve(), home.resolve()):
        yield "ok", f"dags_folder is {found}", ""
    else:
        message = f"dags_folder is {found or 'not set'}, and the DAGs are in {folder}"
        yield "broken", message, "set AIRFLOW__CORE__DAGS_FOLDER, see airflow.cfg"


def _configured_dags_folder(file: Path) -> str:
    parser = configparser.RawConfigParser(strict=False)
    parser.read(file)
    return os.path.expandvars(parser.get("core", "dags_folder", fallback=""))
