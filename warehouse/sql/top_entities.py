"""The cards, or whatever the alerts are about, with the highest scores of each day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from models.spec import Spec
from warehouse.profiling import assembly
from warehouse.source import Source
from warehouse.sql import label_queries
from warehouse.sql.expressions import Bound, quoted_column
from warehouse.sql.scan_queries import is_blocked, score_as_double, where_clause
from warehouse.sql.statement import Statement

DAYS_RANKED_TOGETHER = 7
"""Days that are ranked together: a card that was caught on one leaves the pool of the later ones."""


@dataclass(frozen=True)
class RankedCard:
    """A card's highest score on a day. ``card`` is a hash of its id; 0 stands for ``cards`` without any fraud."""

    day: date
    score: float
    card: int
    fraud: bool
    cards: int


def top_cards_query(spec: Spec, source: Source, label_source: Source, as_of: date, entity: str) -> Statement:
    """Rank each day's cards by their highest score, and return the first ones: ``d, score, card, fraud, cards``.

    Blocked payments and those without a finite score are left out. Of each day come so many cards as can be looked at,
    times DAYS_RANKED_TOGETHER, for so many may have left the pool, and all that share the last rank. Those with
    a fraud on any of the days stand alone, the others are counted by score.
    """
    assert spec.labels is not None
    bound = Bound()
    own, theirs = label_queries.join_keys(spec, spec.labels, source, label_source)
    known = label_queries.known_labels_query(spec.labels, label_source, as_of, theirs, bound)
    score = score_as_double(spec, source)
    conditions = [
        *source.wanted(bound),
        f"NOT {is_blocked(spec, source, bound)}",
        f"isfinite({score})",
        f"{quoted_column(entity)} IS NOT NULL",
    ]
    cards = (
        f"SELECT {source.day_number()} AS d, {quoted_column(entity)} AS e, max({score}) AS score, "
        f"max(CASE WHEN k.fraud THEN 1 ELSE 0 END) AS fraud "
        f"FROM {source.scan(bound)} LEFT JOIN ({known}) AS k ON k.id = {own}{where_clause(conditions)} GROUP BY d, e"
    )
    ranked = (
        "SELECT d, e, score, fraud, max(fraud) OVER (PARTITION BY e) AS ever, "
        f"rank() OVER (PARTITION BY d ORDER BY score DESC) AS place FROM ({cards}) AS c"
    )
    first = (
        "SELECT d, score, fraud, CASE WHEN ever = 1 THEN hash(CAST(e AS VARCHAR)) END AS card "
        f"FROM ({ranked}) AS r WHERE place <= {bound(DAYS_RANKED_TOGETHER * spec.alerts.capacity_per_day)}"
    )
    text = f"SELECT d, score, card, fraud, count(*) AS cards FROM ({first}) AS f GROUP BY d, score, card, fraud"
    return Statement(text, bound.values)


def ranked_cards(rows: list[tuple[Any, ...]]) -> list[RankedCard]:
    """Return the rows of ``top_cards_query`` as cards, in one order."""
    made = [
        RankedCard(assembly.date_of_day_number(d), float(score), int(card or 0), bool(fraud), int(n))
        for d, score, card, fraud, n in rows
    ]
    return sorted(made, key=lambda one: (one.day, -one.score, one.card))
