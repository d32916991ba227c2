"""What the name of a column says of its role: the words to look for, and the columns that have them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

TIME_WORDS = ({"event", "time"}, {"datetime"}, {"timestamp"}, {"time"}, {"created"}, {"date"}, {"day"})
LABEL_WORDS = ({"is", "fraud"}, {"fraud"}, {"label"}, {"target"}, {"chargeback"}, {"y", "true"}, {"default"})
SCORE_WORDS = ({"score"}, {"proba"}, {"probability"}, {"prediction"}, {"pred"})
AMOUNT_WORDS = ({"amount", "gbp"}, {"amount"}, {"value"}, {"price"})
ENTITY_WORDS = ({"card"}, {"customer"}, {"account"}, {"client"}, {"user"})
KNOWN_AT_WORDS = ({"known", "at"}, {"labelled", "at"}, {"confirmed"}, {"reported"}, {"chargeback", "date"}, {"known"})
DECISION_WORDS = ({"alert"}, {"y", "pred"}, {"pred"}, {"flagged"}, {"decision"})
PROTECTED_WORDS = {"sex", "gender", "race", "ethnicity", "ethnic", "religion", "nationality", "disability", "age"}
SLICE_WORDS = ({"channel"}, {"product"}, {"country"}, {"region"}, {"type"}, {"segment"})
FILLER_WORDS = {"is", "has", "tx", "flag", "label"}


def words_in_name(name: str) -> set[str]:
    """Return the lower-case words of a column's name: ``TX_DATETIME``, ``txDatetime`` -> tx, datetime."""
    return {word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name)}


def to_model_name(text: str) -> str:
    """Return a text as a model's name: lower-case letters, digits and underscores, a letter first."""
    plain = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")
    return (plain if plain[:1].isalpha() else f"model_{plain}")[:64].rstrip("_")


def rank_by_name(names: Iterable[str], wanted: Sequence[set[str]]) -> list[str]:
    """Return the names that have all words of a wanted set, those of an earlier set first, the shorter ones first."""
    ranked = [
        (rank, len(words_in_name(name) - words), name)
        for name in names
        for rank, words in enumerate(wanted)
        if words <= words_in_name(name)
    ]
    return list(dict.fromkeys(name for *_, name in sorted(ranked, key=lambda each: each[:2])))


def owner_words() -> set[str]:
    """Return the words that say whose id a column holds."""
    return {word for words in ENTITY_WORDS for word in words} | {
        "terminal",
        "merchant",
        "device",
        "payment",
        "transaction",
    }
