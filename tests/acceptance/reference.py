"""Where the data that others made is; it is never part of this repository."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

BESIDE = Path(__file__).parents[2].parent / "shared" / "data"
DATA = Path(os.environ.get("WATCHKEEPER_REFERENCE_DATA", BESIDE))
NEEDS_DATA = pytest.mark.skipif(
    not DATA.is_dir(), reason=f"no reference data; set WATCHKEEPER_REFERENCE_DATA to its folder (looked in {DATA.name})"
)
