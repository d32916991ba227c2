"""The SQL that reaches each engine, kept as files so that a change of it is seen in review.

``golden/<statement>.<engine>.sql`` is a statement in the words of an engine, named after its folder. A new engine says
in SOURCES how it names a feature table and a label table; ``python -m tests.warehouse.sql.test_golden_sql`` then writes
its files, and all others anew. Read them once: what sqlglot says wrongly for the engine belongs into its ``rewrite``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import sqlglot
from sqlglot import exp

from models.spec import Labels, Protected
from profiles.bins import Embedding, Levels, embedding_grid, number_grid, score_grid
from profiles.profile import ALL_NUMBERS
from profiles.schema import ProfileSchema
from tests.warehouse import made
from warehouse.bigquery.dialect import to_bigquery
from warehouse.bigquery.tables import TIE_BREAKER
from warehouse.duckdb.source import FileSource
from warehouse.engines import FOLDERS, list_engines
from warehouse.source import Source, TableSource
from warehouse.sql import batched_queries, label_queries, moments, row_queries, scan_queries, top_entities
from warehouse.sql.dialect import format_statement
from warehouse.sql.statement import Statement

GOLDEN = Path(__file__).with_name("golden")
KINDS = {
    "payment_id": "BIGINT",
    "amount_gbp": "DOUBLE",
    "age_days": "BIGINT",
    'odd "name`': "VARCHAR",
    "channel": "VARCHAR",
    "age_band": "VARCHAR",
    "text": "DOUBLE[]",
    "score": "DOUBLE",
    "action": "VARCHAR",
    "let_through": "DOUBLE",
    "day": "DATE",
}
FRAME = ProfileSchema(
    id="golden",
    numbers={"amount_gbp": number_grid((1.0, 20.0, 400.0)), "age_days": number_grid((0.0, 50.0, 99.0))},
    categories={'odd "name`': Levels(("'; DROP TABLE t; --", "GB"), frozenset({"'; DROP TABLE t; --", "GB", "FR"}))},
    score=score_grid(0.0, 1.0, 0.8),
    slices=("channel",),
    groups={"channel": ("chip", None), "age_band": ("18-29", "30-59")},
    embeddings={"text": Embedding(2, embedding_grid(1.0))},
    moments=("age_days", "amount_gbp"),
)
SPEC = made.spec()
TYPED = made.spec(labels=Labels(table="cards/labels", type="fraud type", types=["takeover", "'; DROP TABLE t; --"]))
WEIGHTED, PROPENSITY = (
    replace(FRAME, weighted=True),
    SPEC.model_copy(update={"score": SPEC.score.model_copy(update={"propensity": "let_through"})}),
)
PAIRED = made.spec(
    protected={"channel": Protected(reference="chip"), "age_band": Protected(reference="30-59")}, protected_pairs=True
)
JOINT = replace(FRAME, groups=FRAME.groups | {"channel & age_band": ("chip & 18-29", "chip & 30-59", None)})
START, END = date(2026, 1, 5), date(2026, 1, 7)
LABEL_KINDS = {"payment_id": "BIGINT", "is_fraud": "BOOLEAN", "fraud type": "VARCHAR", "known_at": "TIMESTAMP",
               "day": "DATE"}  # fmt: skip


def statements(source: Source, label_source: Source) -> Iterator[tuple[str, Statement]]:
    """Yield every statement that a watched day sends, by name."""
    yield "row_counts", scan_queries.row_counts_query(source)
    for name in ("amount_gbp", "age_days", 'odd "name`'):
        yield f"column_counts_{name.split()[0]}", scan_queries.column_counts_query(FRAME, source, name, ["channel"])
    yield (
        "columns_counts",
        batched_queries.batched_counts_query(FRAME, source, ["amount_gbp", 'odd "name`'], ["channel"]),
    )
    yield "score_counts", scan_queries.score_counts_query(FRAME, SPEC, source, ["channel", "age_band"])
    yield "score_counts_weighted", scan_queries.score_counts_query(WEIGHTED, PROPENSITY, source, ["channel"])
    yield "score_counts_of_pairs", scan_queries.score_counts_query(JOINT, PAIRED, source, list(JOINT.groups))
    yield "moments_of_numbers", moments.moment_sums_query(FRAME, source, ALL_NUMBERS)
    yield "moments_of_an_embedding", moments.moment_sums_query(FRAME, source, "text")
    yield "sample", row_queries.sample_query(SPEC, source, 100, 7)
    yield "label_changes", label_queries.label_changes_query(FRAME, SPEC, source, ["channel"], label_source, START, END)
    yield "top_cards", top_entities.top_cards_query(SPEC, source, label_source, END, 'odd "name`')
    yield (
        "label_changes_by_type",
        label_queries.label_changes_query(FRAME, TYPED, source, ["channel"], label_source, START, END),
    )
    changes = label_queries.label_changes_query(WEIGHTED, PROPENSITY, source, ["channel"], label_source, START, END)
    yield "label_changes_weighted", changes
    yield (
        "label_changes_of_pairs",
        label_queries.label_changes_query(JOINT, PAIRED, source, list(JOINT.groups), label_source, START, END),
    )


def files() -> tuple[Source, Source]:
    own = FileSource(("a.parquet",), KINDS, "day", partitioned=True, start=START, end=END)
    return own, replace(own, files=("b.parquet",), columns=LABEL_KINDS)


def tables() -> tuple[Source, Source]:
    own = TableSource("cards.features", KINDS, "day", START, END, TIE_BREAKER)
    return own, replace(own, table="cards.labels", columns=LABEL_KINDS)


SOURCES = {"duckdb": files, "bigquery": tables}
"""The feature table and the label table of each engine, by its folder."""
ENGINES = {folder.rpartition(".")[2]: engine for folder, engine in zip(FOLDERS, list_engines(), strict=True)}


def texts() -> dict[str, str]:
    return {
        f"{name}.{folder}.sql": format_statement(own.text, engine)
        for folder, engine in ENGINES.items()
        for name, own in statements(*SOURCES[folder]())
    }


@pytest.mark.parametrize("name", sorted(texts()))
def test_the_sql_is_the_one_that_was_reviewed(name):
    assert texts()[name] == (GOLDEN / name).read_text(), "if it is meant: python -m tests.warehouse.sql.test_golden_sql"


def test_no_reviewed_file_is_left_over():
    assert sorted(path.name for path in GOLDEN.glob("*.sql")) == sorted(texts())


@pytest.mark.parametrize("folder", ENGINES)
def test_no_value_of_the_data_stands_in_a_statement_and_every_column_is_quoted(folder):
    for name, own in statements(*SOURCES[folder]()):
        text = format_statement(own.text, ENGINES[folder])
        assert "DROP TABLE" not in text, name
        tree = sqlglot.parse_one(text, read=ENGINES[folder].dialect)
        named = {column.name: column.this.quoted for column in tree.find_all(exp.Column)}
        assert all(quoted for column, quoted in named.items() if column in KINDS and column not in "day"), name
        literals = {node.name for node in tree.find_all(exp.Literal) if node.is_string}
        assert literals <= {"day", "1970-01-01", "", " & ", ":", "w", "0", "1", "nan", "inf", "-inf"}, (name, literals)


def test_every_table_of_bigquery_is_read_with_a_filter_on_its_partitions_and_as_of_one_moment():
    for name, own in statements(*tables()):
        text = to_bigquery(own.text, datetime(2026, 1, 7, 12, tzinfo=UTC))
        tree = sqlglot.parse_one(text, read="bigquery")
        for table in tree.find_all(exp.Table):
            if table.db:
                assert table.args["version"] is not None, name
                where = table.find_ancestor(exp.Select).args.get("where")
                assert any(column.name == "day" for column in where.find_all(exp.Column)), (name, table.name)


if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    for old in GOLDEN.glob("*.sql"):
        old.unlink()
    for name, text in texts().items():
        (GOLDEN / name).write_text(text)
