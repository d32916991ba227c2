"""Packages that only some installations need: which extra of Watchkeeper brings each, and whether it is here."""

from __future__ import annotations

import importlib.util

from models.errors import WatchkeeperError

EXTRA_OF_PACKAGE = {
    "airflow": "airflow",
    "evidently": "evidently",
    "great_expectations": "checks",
    "google.cloud.bigquery": "bigquery",
    "psycopg": "postgres",
}
"""The extra that brings a package, by the name under which it is imported."""


def is_installed(package: str) -> bool:
    """Return whether a package can be imported, without importing it."""
    try:
        return importlib.util.find_spec(package) is not None
    except ImportError:
        return False


def install_hint(package: str) -> str:
    """Return what to do where a package isn't installed."""
    return f"pip install 'watchkeeper[{EXTRA_OF_PACKAGE[package]}]'"


def missing_package(package: str, needed_for: str) -> WatchkeeperError:
    """Return the error of something that needs a package that isn't installed; ``needed_for`` begins the sentence."""
    return WatchkeeperError(f"{needed_for} needs {package}, which is not installed: {install_hint(package)}")
