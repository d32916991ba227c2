from __future__ import annotations

import json

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from models.errors import WatchkeeperError
from tests.warehouse import made
from tests.warehouse.made import DAY, payments, profile_of, write
from warehouse.duckdb.warehouse import ParquetWarehouse
from warehouse.profiling import arrow, jsonlines

NEXT = pd.Timestamp(DAY) + pd.Timedelta(days=1)


def table_of(bank, day=DAY):
    path = bank.root / "cards/features" / f"day={day}" / "part-0.parquet"
    return pq.read_table(path, partitioning=None).append_column("day", pa.repeat(pa.scalar(day), len(bank.days[day])))


def lines_of(table):
    return [(number, json.dumps(row, default=str)) for number, row in enumerate(table.to_pylist(), 1)]


def json_profiles(bank, lines, model=None):
    model = model or bank.model
    table = jsonlines.json_lines_to_table(model, bank.frame, lines, "in.jsonl")
    return arrow.profile_table(model, bank.frame, table, "in.jsonl")


def test_a_table_in_memory_has_the_profile_of_its_parquet_files(bank):
    both = pa.concat_tables([table_of(bank, DAY), table_of(bank, NEXT.date())])
    found = arrow.profile_table(bank.model, bank.frame, both, "in.arrow")
    assert found == bank.warehouse.profile(bank.model, bank.frame, DAY, NEXT.date())
    assert found[DAY] == profile_of(bank.frame, bank.model, bank.days[DAY])


def test_json_lines_have_the_profile_of_the_parquet_files(bank):
    found = json_profiles(bank, lines_of(table_of(bank)))
    assert found == bank.warehouse.profile(bank.model, bank.frame, DAY, DAY)


def test_second_moments_and_embeddings_are_counted_too(tmp_path):
    rows = payments(60, seed=1).assign(face=[[i / 60, 1.0, -0.5] for i in range(60)])
    columns = made.spec().features.columns | {"face": made.Column(kind="embedding")}
    model = made.spec(features=made.Features(table="cards/features", columns=columns, second_moments=True))
    write(tmp_path, rows)
    found = ParquetWarehouse(tmp_path)
    frame, table = found.fit_profile_schema(model), pa.Table.from_pandas(rows.assign(day=DAY))
    lines = lines_of(table)
    whole = found.profile(model, frame, DAY, DAY)
    assert set(whole[DAY].moments) == {"", "face"}
    assert arrow.profile_table(model, frame, table, "in.arrow") == whole
    assert (
        arrow.profile_table(model, frame, jsonlines.json_lines_to_table(model, frame, lines, "in.jsonl"), "in.jsonl")
        == whole
    )


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-01-05", DAY),
        ("2026-01-05T23:59:59Z", DAY),
        ("2026-01-05 23:30:00", DAY),
        ("2026-01-05T23:30:00-01:00", NEXT.date()),
    ],
)
def test_a_row_without_a_day_is_of_the_day_of_its_event_time_in_utc(bank, text, day):
    timed = made.spec(features=bank.model.features.model_copy(update={"time": "at"}))
    rows = table_of(bank).drop_columns("day").append_column("at", pa.repeat(text, 400))
    assert list(arrow.profile_table(timed, bank.frame, rows, "in.arrow")) == [day]
    assert list(json_profiles(bank, lines_of(rows), timed)) == [day]
    stamps = pa.repeat(pd.Timestamp(text).timestamp(), 400).cast(pa.int64()).cast(pa.timestamp("s", "UTC"))
    stamped = rows.drop_columns("at").append_column("at", stamps)
    assert list(arrow.profile_table(timed, bank.frame, stamped, "in.arrow")) == [day]


def test_a_key_that_a_line_lacks_is_a_null_and_one_that_the_model_does_not_read_is_left_out(bank):
    found = json_profiles(bank, [(1, '{"day": "2026-01-05", "colour": {"of": "hair"}, "amount_gbp": 1}')])[DAY]
    counts = found.features["", None]
    assert (found.rows, counts["amount_gbp"].nulls, counts["age_days"].nulls, counts["country"].nulls) == (1, 0, 1, 1)
    assert "colour" not in counts


def test_a_category_is_the_same_level_as_number_truth_or_text(bank):
    lines = [(1, '{"day": "2026-01-05", "country": 3.0, "trusted": true}')]
    texts = [(1, '{"day": "2026-01-05", "country": "3", "trusted": "true"}')]
    assert json_profiles(bank, lines) == json_profiles(bank, texts)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('{"day": "2026-01-05"', "isn't JSON; accepted is one object a line"),
        ("[1, 2]", "isn't an object; accepted is one object a line"),
        ('{"amount_gbp": 3}', "'day' holds no day; accepted are dates and ISO times"),
        ('{"day": "Monday"}', "'day' holds no day; accepted are dates and ISO times"),
        ('{"day": "2026-01-05", "amount_gbp": "dear"}', "'amount_gbp' can't be read; accepted are numbers"),
    ],
)
def test_a_bad_line_is_named_without_its_content(bank, line, said):
    good = lines_of(table_of(bank))
    with pytest.raises(WatchkeeperError) as caught:
        jsonlines.json_lines_to_table(bank.model, bank.frame, [*good, (431, line), (432, line)], "in.jsonl")
    assert str(caught.value) == f"in.jsonl: line 431: {said}"


def test_a_table_without_a_day_is_refused_with_what_it_has(bank):
    with pytest.raises(
        WatchkeeperError, match=r"^in.arrow: has no column 'day' that holds the day of a row; it has a$"
    ):
        arrow.profile_table(bank.model, bank.frame, pa.table({"a": [1]}), "in.arrow")
    rows = pa.table({"day": ["2026-01-05", "soon", None]})
    with pytest.raises(WatchkeeperError, match=r"^in.arrow: column 'day': 2 rows have no day"):
        arrow.profile_table(bank.model, bank.frame, rows, "in.arrow")
