"""What a first watch leaves behind, kept beside the table's days: the frame and the baseline's profile."""

from __future__ import annotations

from pathlib import Path

from models.spec import Spec
from profiles import codec
from profiles.profile import Profile, sum_profiles
from profiles.schema import ProfileSchema
from warehouse.duckdb.warehouse import ParquetWarehouse


def keep(root: Path, model: Spec) -> None:
    """Fix the frame on the model's baseline and profile that."""
    bank = ParquetWarehouse(root)
    frame = bank.fit_profile_schema(model)
    found = bank.profile(model, frame, model.baseline.start, model.baseline.end)
    frame_file, profile_file = _files(root, model)
    frame_file.write_text(codec.profile_schema_to_json(frame), encoding="utf-8")
    profile_file.write_bytes(codec.profile_to_bytes(sum_profiles(found.values(), frame.id)))


def frame(root: Path, model: Spec) -> ProfileSchema:
    """Return the frame that was kept."""
    return codec.profile_schema_from_json(_files(root, model)[0].read_text(encoding="utf-8"))


def baseline(root: Path, model: Spec) -> Profile:
    """Return the baseline's profile that was kept."""
    return codec.profile_from_bytes(_files(root, model)[1].read_bytes())


def _files(root: Path, model: Spec) -> tuple[Path, Path]:
    moments = "-moments" if model.features.second_moments else ""
    kind = f"{len(model.baseline.days())}-{len(model.slices)}{moments}"
    folder = root / model.features.table
    return folder / f"_frame-{kind}.json", folder / f"_baseline-{kind}"
