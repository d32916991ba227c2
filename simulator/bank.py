"""Writes the miniature bank's feature tables and labels, day by day, as Parquet partitions under a folder."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from models.errors import WatchkeeperError
from simulator import labels
from simulator.batch import BANK_OPENED, Batch, Incident, draw_batch
from simulator.columns import NULL_CODE, Number
from simulator.recipes import Recipe, recipe_for

LABELS_ARRIVE_AT = time(5, 10)


def build_bank(
    root: Path,
    models: Sequence[str],
    start: date,
    end: date,
    seed: int,
    incidents: Sequence[Incident],
    progress: Callable[[int], None] | None = None,
) -> None:
    """Write the feature and label partitions of each model for `start` to `end`, both included.

    `<root>/<model>/features/day=D/part-0.parquet` holds what was scored on D, `<root>/<model>/labels/day=D/` the label
    events that became known on D, also about earlier days. What a partition holds depends only on the seed, its day
    and the incidents, so a bank can be extended a day at a time. `progress` gets the number of model days done.
    Raises WatchkeeperError for an unknown model, a negative seed, days before the bank opened, or a folder that can't
    be written.
    """
    if start < BANK_OPENED or end < start:
        raise WatchkeeperError(
            f"The miniature bank can't be built from {start} to {end}: it opened on {BANK_OPENED}, and the last day "
            "must not be before the first"
        )
    if seed < 0:
        raise WatchkeeperError(f"The miniature bank's seed is {seed}; accepted: a whole number from 0 on")
    recipes = [recipe_for(model) for model in models]
    try:
        for each in recipes:
            _build_model(Path(root), each, start, end, seed, incidents, progress)
    except OSError as error:
        raise WatchkeeperError(f"The miniature bank can't be written to {root}: {error.strerror or error}") from error


def _build_model(
    root: Path,
    model: Recipe,
    start: date,
    end: date,
    seed: int,
    incidents: Sequence[Incident],
    progress: Callable[[int], None] | None,
) -> None:
    waiting = labels.join_events([])
    day = max(BANK_OPENED, start - timedelta(days=labels.LONGEST_DAYS))
    while day <= end:
        batch = draw_batch(model, day, seed, incidents)
        tomorrow = np.datetime64(day + timedelta(days=1), "us")
        waiting = labels.join_events([waiting, labels.events_of_batch(batch, seed)])
        known = waiting.known_at < tomorrow
        if day >= start:
            _write_features(root / model.model / "features", batch)
            _write_labels(root / model.model / "labels", model, day, waiting.on(known))
            if progress:
                progress(1)
        waiting = waiting.on(~known)
        day += timedelta(days=1)


def feature_table(batch: Batch) -> pa.Table:
    """Return the feature table of a day, as delivered: the truth is not in it."""
    action = np.where(batch.blocked, 2, np.where(batch.alerted, 1, 0)).astype(np.int32)
    columns = {
        batch.recipe.id: pa.array(batch.ids),
        "event_time": pa.array(batch.event_times()),
        **{name: _arrow_column(batch, name) for name in batch.recipe.columns},
        "score": pa.array(batch.score),
        "model_version": _dictionary_array(np.zeros(len(batch.ids), dtype=np.int32), [batch.recipe.version]),
        "action": _dictionary_array(action, ["allow", "review", "block"]),
    }
    delivered = pa.table(columns)
    return delivered if not len(batch.copies) else pa.concat_tables([delivered, delivered.take(batch.copies)])


def _arrow_column(batch: Batch, name: str) -> pa.Array:
    values, kind = batch.columns[name], batch.recipe.columns[name]
    if isinstance(kind, Number):
        null = np.isnan(values)
        return pa.array(np.where(null, 0, values).astype(np.int64) if kind.whole else values, mask=null)
    levels = batch.levels[name]
    if isinstance(levels[0], str):
        return _dictionary_array(values.astype(np.int32), list(levels))
    return pa.array(np.asarray(levels)[values], mask=values == NULL_CODE)


def _dictionary_array(codes: np.ndarray[tuple[int], np.dtype[np.int32]], levels: list[object]) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(codes, mask=codes == NULL_CODE), pa.array(levels))


def _write_features(folder: Path, batch: Batch) -> None:
    file = folder / f"day={batch.day}" / "part-0.parquet"
    if batch.missing:
        file.unlink(missing_ok=True)
        return
    _write_partition(file, feature_table(batch), batch.arrives)


def _write_labels(folder: Path, model: Recipe, day: date, known: labels.LabelEvents) -> None:
    sources = [model.claim if source == "claim" else source for source in labels.LABEL_SOURCES]
    content = pa.table(
        {
            model.id: pa.array(known.ids),
            "is_fraud": pa.array(known.is_fraud),
            "known_at": pa.array(known.known_at),
            "label_source": _dictionary_array(known.source.astype(np.int32), list(sources)),
        }
    )
    _write_partition(
        folder / f"day={day}" / "part-0.parquet", content, datetime.combine(day + timedelta(days=1), LABELS_ARRIVE_AT)
    )


def _write_partition(file: Path, content: pa.Table, arrives: datetime) -> None:
    """Write a partition so that a reader sees all of it or none, dated when it arrived (UTC)."""
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_name(f".{file.name}.part")
    pq.write_table(content, unfinished, compression="zstd", compression_level=1)
    stamp = arrives.replace(tzinfo=UTC).timestamp()
    os.utime(unfinished, (stamp, stamp))
    unfinished.replace(file)
