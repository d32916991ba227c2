"""Joint groups of two columns, on files, as micro-batches, and in what labels change."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pandas as pd
import pyarrow as pa

from models.spec import Protected
from profiles.profile import COUNT, FRAUD
from tests.warehouse import made
from warehouse.duckdb.warehouse import ParquetWarehouse
from warehouse.profiling import arrow

PAIRED = made.spec(
    protected={"age_band": Protected(reference="30-59"), "channel": Protected(reference="chip", min_rows=300)},
    protected_pairs=True,
)
PAIR = "age_band & channel"


def joint(rows):
    pairs = zip(rows["age_band"], rows["channel"], strict=True)
    return Counter(None if pd.isna(channel) else f"{band} & {channel}" for band, channel in pairs)


def counted(cube):
    return {group[1]: int(part[:, :, COUNT].sum()) for group, part in cube.bins.items() if group[0] == PAIR}


def test_a_pair_has_a_reference_and_the_larger_least_size():
    assert PAIRED.pairs == {PAIR: ("age_band", "channel")}
    assert PAIRED.compared[PAIR] == Protected(reference="30-59 & chip", min_rows=300)
    assert made.spec().compared.keys() == {"age_band"}


def test_a_pair_of_slices_is_counted_like_one_of_protected_columns_but_not_compared(tmp_path):
    days = made.week(tmp_path)
    sliced = made.spec(slices=["age_band", "channel"], slice_pairs=True)
    warehouse = ParquetWarehouse(tmp_path)
    profile = warehouse.profile(sliced, warehouse.fit_profile_schema(sliced), made.DAY, made.DAY)[made.DAY]
    assert counted(profile.cube) == joint(days[made.DAY])
    assert PAIR not in sliced.compared
    assert {group[0] for group in profile.features} <= {"", "age_band", "channel"}, "only the score is kept by pairs"


def test_joint_groups_are_counted_as_the_rows_say_and_alike_when_streamed(tmp_path):
    days = made.week(tmp_path)
    warehouse = ParquetWarehouse(tmp_path)
    frame = warehouse.fit_profile_schema(PAIRED)
    assert frame.groups[PAIR] == (*sorted({f"{a} & {c}" for a in ("18-29", "30-59", "60+")
                                           for c in ("chip", "online", "phone")}), None)  # fmt: skip
    profile = warehouse.profile(PAIRED, frame, made.DAY, made.DAY)[made.DAY]
    rows = days[made.DAY]
    assert counted(profile.cube) == joint(rows)
    batch = pa.Table.from_pandas(rows.assign(day=made.DAY), preserve_index=False)
    assert arrow.profile_table(PAIRED, frame, batch, "batch")[made.DAY] == profile


def test_labels_reach_joint_groups(tmp_path):
    days = made.week(tmp_path)
    rows = days[made.DAY]
    known_at = datetime(2026, 1, 6, tzinfo=UTC)
    labels = pd.DataFrame({"payment_id": rows["payment_id"], "is_fraud": rows.index % 3 == 0, "known_at": known_at})
    made.write(tmp_path, labels, made.DAY, "cards/labels")
    warehouse = ParquetWarehouse(tmp_path)
    frame = warehouse.fit_profile_schema(PAIRED)
    found = warehouse.label_changes(PAIRED, frame, made.DAY, made.DAY, None, made.DAY + timedelta(days=3))[made.DAY]
    fraud = rows[(rows.index % 3 == 0) & (rows["action"] != "block")]
    own = {group[1]: int(part[:, FRAUD, COUNT].sum()) for group, part in found.labels.bins.items() if group[0] == PAIR}
    assert {group: count for group, count in own.items() if count} == joint(fraud)
