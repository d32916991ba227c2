from __future__ import annotations

from pathlib import Path

import pytest

from alerting.routes import Routes, channel_of, load
from models.errors import WatchkeeperError
from tests.alerting.made import spec


def test_the_routes_that_come_with_the_project_are_sound() -> None:
    assert channel_of(spec()) == load().default


def test_an_owner_goes_first_then_the_settings_then_the_default() -> None:
    routes = Routes(default="#all", owners={"payments-fraud": "C0123456789"})
    assert channel_of(spec(), "#settings", routes) == "C0123456789"
    assert channel_of(spec(owner="others"), "#settings", routes) == "#settings"
    assert channel_of(spec(owner="others"), "", routes) == "#all"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("owners: {}", "default: is missing"),
        ("default: '#a'\nowner: {x: '#b'}", "owner: unknown key; accepted are default, owners; did you mean 'owners'?"),
        ("default: general", "default: must be a channel's #name or its id such as C0123456789, not 'general'"),
        ("default: '#a'\nowners: {x: '@somebody'}", "owners.x: must be a channel's #name"),
        ("default: 5", "default: input should be a valid string"),
        ("- a", "the file: input should be a valid dictionary"),
        ("a: [", "can't be read as YAML"),
    ],
)
def test_a_broken_file_of_routes_says_what_is_wrong(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "routes.yaml"
    path.write_text(text)
    with pytest.raises(WatchkeeperError) as error:
        load(path)
    assert str(path) in str(error.value)
    assert said in str(error.value)


def test_a_file_of_routes_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(WatchkeeperError, match=r"no\.yaml: can't be read"):
        load(tmp_path / "no.yaml")
