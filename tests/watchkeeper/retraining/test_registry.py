from __future__ import annotations

import json
import os
import pickle
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
import skops.io
from sklearn.linear_model import LogisticRegression

from models.errors import WatchkeeperError
from watchkeeper.retraining.registry import LocalRegistry

MODEL = "app_scams"


def fitted(slope: float = 1.0) -> LogisticRegression:
    x = np.linspace(-1, 1, 40).reshape(-1, 1)
    return LogisticRegression().fit(x * slope, x[:, 0] > 0)


@pytest.fixture
def registry(tmp_path: Path) -> LocalRegistry:
    return LocalRegistry(tmp_path)


def test_a_model_comes_back_as_it_was_stored_with_its_card(registry: LocalRegistry) -> None:
    model = fitted()
    registry.add(MODEL, "v1", model, {"seed": 7})
    x = np.array([[0.3], [-0.2]])
    assert (registry.load(MODEL, "v1").predict_proba(x) == model.predict_proba(x)).all()
    assert registry.card(MODEL, "v1")["seed"] == 7
    assert registry.stages(MODEL) == {"v1": "challenger"}


def test_a_version_that_is_there_stays_as_it_is_but_what_a_killed_run_left_does_not(registry: LocalRegistry) -> None:
    registry.add(MODEL, "v1", fitted(), {"seed": 7})
    registry.add(MODEL, "v1", fitted(3.0), {"seed": 8})
    assert registry.card(MODEL, "v1")["seed"] == 7
    (registry.root / MODEL / "v2").mkdir()
    (registry.root / MODEL / "v2" / "model.skops").write_bytes(b"half a mod")
    registry.add(MODEL, "v2", fitted(), {"seed": 9})
    assert registry.load(MODEL, "v2").n_features_in_ == 1


def test_there_is_one_champion_and_the_one_before_is_archived(registry: LocalRegistry) -> None:
    for version in ("v1", "v2"):
        registry.add(MODEL, version, fitted(), {})
        registry.move(MODEL, version, "champion")
    assert registry.stages(MODEL) == {"v1": "archived", "v2": "champion"}


def test_a_file_that_was_changed_since_is_not_loaded(registry: LocalRegistry) -> None:
    registry.add(MODEL, "v1", fitted(), {})
    skops.io.dump(fitted(2.0), registry.root / MODEL / "v1" / "model.skops")
    with pytest.raises(WatchkeeperError, match="is not the file that was stored, by its SHA-256"):
        registry.load(MODEL, "v1")


class Harmful:
    """Makes a folder when a pickle of it is loaded."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return os.mkdir, (self.path,)


def test_loading_runs_no_code_of_the_file(registry: LocalRegistry, tmp_path: Path) -> None:
    harm = tmp_path / "harm"
    pickle.loads(pickle.dumps(Harmful(str(harm))))  # what the format must not do
    assert harm.exists()
    harm.rmdir()
    registry.add(MODEL, "v1", Harmful(str(harm)), {})
    harm.rmdir() if harm.exists() else None
    with pytest.raises(WatchkeeperError, match="holds types that are not trusted"):
        registry.load(MODEL, "v1")
    assert not harm.exists()
    with ZipFile(registry.root / MODEL / "v1" / "model.skops") as stored:
        assert json.loads(stored.read("schema.json")), "a model file is JSON and arrays, no pickle"


def test_a_version_that_is_not_there_is_said_with_those_that_are(registry: LocalRegistry) -> None:
    registry.add(MODEL, "v1", fitted(), {})
    with pytest.raises(WatchkeeperError, match="versions of app_scams are: v1"):
        registry.load(MODEL, "v9")
