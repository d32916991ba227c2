"""Bytes stored by each version of the codec since the first must be read for ever, as the value they were.

Golden files are written once, when a version is new, and never again: ``python -m tests.profiles.test_golden``
writes those of today's version where there are none.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from profiles import codec
from profiles.bins import Embedding, Grid, Levels
from profiles.profile import ALL_NUMBERS, EVERYONE, Cohort, Counts, Cube, Moments, Profile
from profiles.schema import ProfileSchema

GOLDEN = Path(__file__).with_name("golden")
VERSIONS = sorted(int(file.name.removeprefix("v")) for file in GOLDEN.glob("v[0-9]*"))


def _cells(*places: tuple[int, int, tuple[int, ...]], sums: int = 3) -> np.ndarray:
    part = np.zeros((10, 4, sums), dtype=np.int64)
    for score, state, found in places:
        part[score, state] = found
    return part


EVERYTHING = _cells((0, 0, (90, 123_456_789_012, 4_500_000_000)), (9, 1, (1, 250, 999_999_999)), (9, 2, (2, -3, 7)))
CUBE = Cube({EVERYONE: EVERYTHING, ("channel", "o'näh"): _cells((0, 0, (5, 6, 7))), ("channel", None): EVERYTHING})
PLAIN = Profile(
    "0123456789abcdef",
    93,
    {
        EVERYONE: {
            "amount": Counts(3, 1, -(10**30), {-128: 4, -1: 70_000, 0: 5_000_000_000, 127: 1}),
            "country": Counts(0, 0, 0, {-2: 1, -1: 2, 0: 90}),
            "empty": Counts(93),
        },
        ("channel", "o'näh"): {"amount": Counts(total=12, bins={3: 5})},
        ("channel", None): {"amount": Counts(total=-7, bins={-400: 1, 399: 2})},
    },
    CUBE,
)
MOMENTS = {
    ALL_NUMBERS: Moments(93, np.array([1, -2]), np.array([[5, 2**40], [2**40, 9]])),
    "face": Moments(0, np.array([0, 3, -4]), np.array([[1, -2, 3], [-2, 4, 5], [3, 5, 6]])),
}
WEIGHTED = Cube({EVERYONE: _cells((0, 0, (3, 250, 7, 2_000_000, 500, 1)), (9, 1, (1, 2, 3, 0, 0, 0)), sums=6)})
PROFILES = {
    "profile.bin": PLAIN,
    "profile-with-moments.bin": Profile(PLAIN.schema_id, PLAIN.rows, PLAIN.features, CUBE, MOMENTS),
    "profile-with-weights.bin": Profile(PLAIN.schema_id, PLAIN.rows, PLAIN.features, WEIGHTED),
    "profile-of-nothing.bin": Profile("0123456789abcdef"),
}
COHORTS = {
    "cohort.bin": Cohort(Cube({EVERYONE: _cells((3, 2, (1, 2, 3)), (9, 3, (4, 5, 6)))}), {0: 3, 17: 1, 800: 10**9}),
    "cohort-with-weights.bin": Cohort(WEIGHTED, {2: 1}),
    "cohort-of-nothing.bin": Cohort(),
    "cohort-with-parts.bin": Cohort(
        Cube({EVERYONE: _cells((3, 2, (1, 2, 3))), ("fraud_type", "o'näh"): _cells((3, 2, (1, 2, 3)))}),
        {0: 3, 17: 1},
        {("alert", "none"): {17: 1}, ("fraud_type", "o'näh"): {0: 2, 17: 1}},
    ),
}
FRAME = ProfileSchema(
    id="0123456789abcdef",
    numbers={"amount": Grid("log", 20.0, 1.5, 0.0625, unit=1e-9), "age": Grid("linear", 0.1, 3.0, 1 / 48)},
    categories={"country": Levels(("GB", "FR"), frozenset(["GB", "FR", "US", "o'näh"]))},
    score=Grid("logit", 0.0, 1.0, 0.04, half=400, shift=1.25, unit=1e-9),
    slices=("channel",),
    groups={"channel": ("o'näh", None)},
)
FRAMES = {
    "frame.json": FRAME,
    "frame-with-moments.json": ProfileSchema(
        **vars(FRAME) | {"embeddings": {"face": Embedding(3, Grid("linear", 0.0, 2.0, 1 / 64))}, "moments": ("amount",)}
    ),
    "frame-with-weights.json": ProfileSchema(**vars(FRAME) | {"weighted": True}),
}


@pytest.mark.parametrize("version", VERSIONS)
def test_what_every_version_stored_is_read_as_the_value_it_was(version: int) -> None:
    stored = GOLDEN / f"v{version}"
    for name, profile in PROFILES.items():
        assert codec.profile_from_bytes((stored / name).read_bytes()) == profile, name
    for name, cohort in COHORTS.items():
        assert codec.cohort_from_bytes((stored / name).read_bytes()) == cohort, name
    for name, frame in FRAMES.items():
        assert codec.profile_schema_from_json((stored / name).read_text(encoding="utf-8")) == frame, name


def test_every_version_up_to_today_s_has_golden_files_and_these_are_of_it() -> None:
    assert list(range(1, codec.VERSION + 1)) == VERSIONS
    for version in VERSIONS:
        files = [GOLDEN / f"v{version}" / name for name in (*PROFILES, *COHORTS)]
        assert {file.read_bytes()[0] for file in files} == {version}


def write() -> None:
    """Write the golden files of today's version where there are none."""
    folder = GOLDEN / f"v{codec.VERSION}"
    folder.mkdir(exist_ok=True)
    found = {name: codec.profile_to_bytes(profile) for name, profile in PROFILES.items()}
    found |= {name: codec.cohort_to_bytes(cohort) for name, cohort in COHORTS.items()}
    found |= {name: codec.profile_schema_to_json(frame).encode() for name, frame in FRAMES.items()}
    for name, stored in found.items():
        if not (folder / name).exists():
            (folder / name).write_bytes(stored)


if __name__ == "__main__":
    write()
