"""How a detection function is registered under the cause that it finds, and in which order the functions are asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, TypeVar

import catalogue
from alerting.incidents.inhibition import Finding
from catalogue import CatalogueError
from ledger.records.measurements import Measurement
from models.spec import Spec

Detect = Callable[[Spec, Sequence[Measurement]], Iterator[Finding]]
"""From the model file and the day's breaches that no earlier cause took, to findings of the function's own causes."""
Narrow = Callable[[Finding, Sequence[Measurement]], bool]
"""From a finding of the broader cause and all of the day's figures, to whether the narrower cause is the right one."""

_DetectT = TypeVar("_DetectT", bound=Detect)
_NarrowT = TypeVar("_NarrowT", bound=Narrow)


class Detector(NamedTuple):
    """A detection function and the keys of the causes that it finds."""

    causes: tuple[str, ...]
    detect: Detect

    @property
    def precedence(self) -> int:
        """Return its place in the search: that of its first cause."""
        return min(catalogue.cause(key).precedence for key in self.causes)


DETECTORS: dict[str, Detector] = {}
"""By cause."""
NARROWERS: dict[str, Narrow] = {}
"""By the narrower cause."""


def detects(*causes: str) -> Callable[[_DetectT], _DetectT]:
    """Register a detection function under the causes that it finds.

    The function gets the model file and the day's breaches that no earlier cause took, and yields findings whose
    ``own`` are the breaches that show the cause. In which order functions are asked is ``Cause.precedence``.
    Raises CatalogueError for a cause without an entry, or one that has a function already.
    """

    def register(function: _DetectT) -> _DetectT:
        for key in causes:
            _check_unregistered(key)
            DETECTORS[key] = Detector(causes, function)
        return function

    return register


def narrows(cause: str) -> Callable[[_NarrowT], _NarrowT]:
    """Register the function that says whether a finding of ``Cause.narrows`` is this narrower cause; raises alike."""

    def register(function: _NarrowT) -> _NarrowT:
        _check_unregistered(cause)
        if not catalogue.cause(cause).narrows:
            raise CatalogueError(f"cause {cause}: its entry names no broader cause that it narrows; use detects()")
        NARROWERS[cause] = function
        return function

    return register


def _check_unregistered(key: str) -> None:
    catalogue.cause(key)
    if key in DETECTORS or key in NARROWERS:
        raise CatalogueError(f"cause {key}: it has a detection function already")


def detectors_in_order() -> list[Detector]:
    """Return the detection functions in the order in which they are asked.

    Raises CatalogueError where a cause has an entry and no function: it would never be found.
    """
    for entry in catalogue.CAUSES.values():
        if entry.explained and entry.key not in (NARROWERS if entry.narrows else DETECTORS):
            decorator = "narrows" if entry.narrows else "detects"
            raise CatalogueError(
                f"cause {entry.key}: no function finds it; write one and mark it @{decorator}({entry.key!r})"
            )
    return sorted(dict.fromkeys(DETECTORS.values()), key=lambda detector: detector.precedence)


def narrow_cause(finding: Finding, measurements: Sequence[Measurement]) -> Finding:
    """Return a finding under the narrower cause that the day's other figures allow, or as it is."""
    for cause, fits in NARROWERS.items():
        if catalogue.cause(cause).narrows == finding.cause and fits(finding, measurements):
            return finding.under(cause)
    return finding
