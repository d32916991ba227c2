"""Great Expectations, imported late and quietly: no telemetry, no progress bars, no tracebacks in the log."""

from __future__ import annotations

import importlib
import logging
import os
import warnings
from functools import cache
from types import ModuleType
from typing import Any


@cache
def import_great_expectations() -> ModuleType:
    """Import and return great_expectations, which takes seconds."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    with warnings.catch_warnings():
        # it imports modules that Python deprecated, whose warning names neither of the two as its source
        warnings.filterwarnings("ignore", message="module 'sre_", category=DeprecationWarning)
        library = importlib.import_module("great_expectations")
        importlib.import_module("great_expectations.expectations.core")
    logging.captureWarnings(capture=False)  # it turns everybody's warnings into log lines
    logging.getLogger("great_expectations").setLevel(logging.CRITICAL)  # what it logs, it also returns
    return library


@cache
def great_expectations_context() -> Any:
    """Return the one context of this process: nothing of a run is kept in it."""
    found = import_great_expectations().get_context(mode="ephemeral")
    found.variables.progress_bars = {"globally": False}
    return found


def list_expectation_types() -> list[str]:
    """Return the names of every expectation type."""
    import_great_expectations()
    found: list[str] = _registry().list_registered_expectation_implementations()
    return found


def find_expectation_class(kind: str) -> Any:
    """Return the class of an expectation type."""
    import_great_expectations()
    return _registry().get_expectation_impl(kind)


def _registry() -> ModuleType:
    return importlib.import_module("great_expectations.expectations.registry")
