"""What a first watch leaves behind, kept beside the table's days: the frame and the baseline's profile."""

from __future__ import annotations

from pathlib import Path

from benchmarks.data import Table, day_of
from benchmarks.model import spec
from warehouse import codec
from warehouse.grid import Frame
from warehouse.parquet import ParquetWarehouse
from warehouse.profile import Profile, total


def keep(root: Path, table: Table, slices: int, span: int) -> None:
    """Fix the frame on the first ``span`` days and profile them."""
    frame_file, profile_file = _files(root, table, slices, span)
    model, bank = spec(table, slices=slices, baseline_days=span), ParquetWarehouse(root)
    frame = bank.frame(model)
    baseline = total(bank.profile(model, frame, day_of(0), day_of(span - 1)).values(), frame.id)
    frame_file.write_text(codec.frame_to_json(frame), encoding="utf-8")
    profile_file.write_bytes(codec.profile_to_bytes(baseline))


def frame(root: Path, table: Table, slices: int, span: int) -> Frame:
    """Return the frame that was kept."""
    return codec.frame_from_json(_files(root, table, slices, span)[0].read_text(encoding="utf-8"))


def baseline(root: Path, table: Table, slices: int, span: int) -> Profile:
    """Return the baseline's profile that was kept."""
    return codec.profile_from_bytes(_files(root, table, slices, span)[1].read_bytes())


def _files(root: Path, table: Table, slices: int, span: int) -> tuple[Path, Path]:
    names = (f"_frame-{span}-{slices}.json", f"_baseline-{span}-{slices}")
    return root / table.name / names[0], root / table.name / names[1]
