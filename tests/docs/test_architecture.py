"""ARCHITECTURE.md, one page, names rooms, files and words of the code as they are."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
TEXT = (REPOSITORY / "ARCHITECTURE.md").read_text(encoding="utf-8")
ROOMS = re.findall(r"^\| `([\w/]+)/` \| (.*) \| (.*) \|$", TEXT, re.MULTILINE)
"""Folder, job, and what to look at first."""


def test_it_is_one_page() -> None:
    assert len(TEXT.splitlines()) < 100


def test_each_rooms_folders_and_files_are_there() -> None:
    for room, job, first in ROOMS:
        for path in re.findall(r"`([\w/]+/|[\w/]+\.py)`", f"{job} {first}"):
            assert (REPOSITORY / room / path).exists(), f"{room}/{path}"


def test_where_to_put_what_names_places_that_there_are() -> None:
    places = re.findall(r"`((?:\w+/)+[\w.]*)`", TEXT.partition("## Where to put what")[2])
    assert len(places) > 10
    assert [place for place in places if not (REPOSITORY / place).exists()] == []


def test_the_rooms_are_the_import_contracts_from_top_to_bottom() -> None:
    contracts = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = next(each["layers"] for each in contracts if each["type"] == "layers")
    modules = [re.split(r" [|:] ", layer) for layer in layers]
    assert [room for room, _, _ in ROOMS][:2] == ["dags", "watchkeeper/cli"]
    packages = dict.fromkeys(name.partition(".")[0] for layer in modules for name in layer)
    assert {room.partition("/")[0] for room, _, _ in ROOMS} == set(packages)
    depth = {name.partition(".")[0]: number for number, layer in enumerate(modules) for name in layer}
    depths = [depth[room] for room, _, _ in ROOMS if "/" not in room]
    assert depths == sorted(depths)
