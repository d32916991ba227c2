"""Where trained models are kept: each version whole, with what it was made from, and which one is in charge.

``LocalRegistry`` is a folder: ``<model>/<version>/model.skops`` and ``card.json`` never change once they are there,
``<model>/stages.json`` says the stage of each version and is replaced at once. Models are stored with skops, which
names every type it holds and runs none of a file's code while it loads; what isn't in TRUSTED_TYPES is refused.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any, Literal, Protocol

from models.errors import WatchkeeperError
from watchkeeper.files import write_atomically

Stage = Literal["challenger", "shadow", "champion", "archived"]
TRUSTED_TYPES = (
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.model_selection._split.StratifiedKFold",
)
"""Types of the reference challenger beyond those that skops trusts itself."""


class Registry(Protocol):
    """Keeps models by name and version. Each method may be repeated and then changes nothing."""

    def add(self, model: str, version: str, fitted: Any, card: dict[str, Any]) -> None:
        """Store a fitted model as a challenger, with its card; a version that is there already stays as it is."""
        ...

    def load(self, model: str, version: str) -> Any:
        """Return a fitted model; raise WatchkeeperError where it is not there, or not what was stored."""
        ...

    def card(self, model: str, version: str) -> dict[str, Any]:
        """Return from what a version was made, and its ``sha256``; raise WatchkeeperError where it is not there."""
        ...

    def stages(self, model: str) -> dict[str, Stage]:
        """Return the stage of each version of a model."""
        ...

    def move(self, model: str, version: str, stage: Stage) -> None:
        """Put a version into a stage; one that becomes champion archives the one before, at the same instant."""
        ...


class LocalRegistry:
    """A registry in a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def add(self, model: str, version: str, fitted: Any, card: dict[str, Any]) -> None:
        """Store a fitted model as a challenger, with its card; a version that is there already stays as it is."""
        folder = self.root / model / version
        if not (folder / "card.json").exists():
            import skops.io  # noqa: PLC0415  comes with scikit-learn's import

            part = folder.with_name(f".{version}.part")
            shutil.rmtree(part, ignore_errors=True)
            shutil.rmtree(folder, ignore_errors=True)  # without a card it is what a killed run left
            part.mkdir(parents=True)
            skops.io.dump(fitted, part / "model.skops")
            content = card | {"sha256": _file_sha256(part / "model.skops")}
            write_atomically(part / "card.json", json.dumps(content, indent=1, default=str))
            part.rename(folder)
        if version not in self.stages(model):
            self.move(model, version, "challenger")

    def load(self, model: str, version: str) -> Any:
        """Return a fitted model; raise WatchkeeperError where it is not there, or not what was stored."""
        import skops.io  # noqa: PLC0415
        from skops.io.exceptions import UntrustedTypesFoundException  # noqa: PLC0415

        file = self.root / model / version / "model.skops"
        if self.card(model, version)["sha256"] != _file_sha256(file):
            raise WatchkeeperError(f"{file}: is not the file that was stored, by its SHA-256; restore it from a backup")
        try:
            return skops.io.load(file, trusted=list(TRUSTED_TYPES))
        except UntrustedTypesFoundException as error:
            raise WatchkeeperError(f"{file}: holds types that are not trusted, so it isn't loaded ({error})") from error

    def card(self, model: str, version: str) -> dict[str, Any]:
        """Return from what a version was made, and its ``sha256``; raise WatchkeeperError where it is not there."""
        file = self.root / model / version / "card.json"
        try:
            found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        except OSError as error:
            have = ", ".join(sorted(self.stages(model))) or "none"
            raise WatchkeeperError(f"{file}: can't be read; versions of {model} are: {have}") from error
        return found

    def stages(self, model: str) -> dict[str, Stage]:
        """Return the stage of each version of a model."""
        file = self.root / model / "stages.json"
        found: dict[str, Stage] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
        return found

    def move(self, model: str, version: str, stage: Stage) -> None:
        """Put a version into a stage; one that becomes champion archives the one before, at the same instant."""
        stages = self.stages(model)
        if stage == "champion":
            stages = {name: "archived" if was == "champion" else was for name, was in stages.items()}
        folder = self.root / model
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(
            folder / "stages.json", json.dumps(dict(sorted((stages | {version: stage}).items())), indent=1)
        )


def _file_sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.exists() else ""
