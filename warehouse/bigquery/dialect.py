"""BigQuery's words for our statements, where sqlglot alone would say them wrongly."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache

from sqlglot import exp

from warehouse.bigquery.engine import DIALECT
from warehouse.sql.dialect import parse_statement


@lru_cache(maxsize=512)
def to_bigquery(text: str, read_at: datetime | None = None) -> str:
    """Return a statement for BigQuery, which reads every table as it was at ``read_at``; ``$v0`` becomes ``@v0``."""
    tree = rewrite_statement(parse_statement(text))
    if read_at is not None:
        moment = exp.cast(exp.Literal.string(read_at.astimezone(UTC).isoformat()), "TIMESTAMPTZ")
        for table in tree.find_all(exp.Table):
            if table.db:  # a table of the warehouse, not the name of a subquery
                table.set("version", exp.Version(this="TIMESTAMP", kind="AS OF", expression=moment.copy()))
    return tree.sql(dialect=DIALECT)


def rewrite_statement(tree: exp.Expression) -> exp.Expression:
    """Return a statement with what only BigQuery says otherwise; statements keep to what can be said so."""
    return tree.transform(_rewrite_node)


def _rewrite_node(node: exp.Expression) -> exp.Expression:
    name = node.name.lower() if isinstance(node, exp.Anonymous) else ""
    if name == "isfinite":
        (value,) = node.expressions
        infinite = exp.Or(this=exp.IsNan(this=value), expression=exp.IsInf(this=value.copy()))
        return exp.Paren(this=exp.Not(this=exp.Paren(this=infinite)))
    if name == "hash":
        return exp.Anonymous(this="FARM_FINGERPRINT", expressions=[_as_one_text(node.expressions)])
    if name == "epoch_us":
        return exp.Anonymous(this="UNIX_MICROS", expressions=[exp.cast(node.expressions[0], "TIMESTAMPTZ")])
    if isinstance(node, exp.PercentileDisc):
        return _approx_quantiles(node.this.transform(_rewrite_node), node.expression.expressions)
    return node


def _as_one_text(values: list[exp.Expression]) -> exp.Expression:
    """Return several values that aren't null as one text."""
    if len(values) == 1:
        return values[0]
    texts = [part for value in values for part in (exp.Literal.string(" "), exp.cast(value, "TEXT"))]
    return exp.Concat(expressions=texts[1:], safe=False, coalesce=False)


def _approx_quantiles(value: exp.Expression, shares: list[exp.Expression]) -> exp.Expression:
    """Return approximate quantiles, to hundredths: BigQuery has the exact ones for windows only."""
    hundredths = exp.Anonymous(this="APPROX_QUANTILES", expressions=[value, exp.Literal.number(100)])
    return exp.Array(expressions=[_array_item(hundredths.copy(), round(100 * float(share.name))) for share in shares])


def _array_item(array: exp.Expression, index: int) -> exp.Expression:
    return exp.Bracket(this=array, expressions=[exp.Literal.number(index)], offset=0, safe=False)
