"""A text model: the payment's reference becomes an embedding, and a logistic regression scores it.

`python -m examples.text --to tables` writes its tables. On the days of trouble fraudsters write in new words.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pyarrow as pa
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline

from examples.payments import Day, Floats, embedding, main, payments
from simulator.batch import BANK_OPENED

DIMENSIONS = 8
HONEST = ("rent", "gas bill", "dinner", "birthday present", "school trip", "car repair", "council tax", "holiday")
SCAMS = ("crypto wallet", "safe account", "parcel fee", "tax refund", "investment bond")
NEW_WORDS = ("rental deposit agent", "visa support desk", "ticket resale")


def references(of: Day, *, trouble: bool) -> list[str]:
    """Return what was written with each payment; on days of trouble many payments are lured by new words."""
    honest, scams = (of.chance.choice(words, len(of.ids)) for words in (HONEST, SCAMS))
    lured = of.chance.random(len(of.ids)) < (0.25 if trouble else 0.0)
    plain = np.where(of.fraud & (of.chance.random(len(of.ids)) < 0.8), scams, honest)
    written = np.where(lured, of.chance.choice(NEW_WORDS, len(of.ids)), plain)
    return [f"{text} {number}" for text, number in zip(written, of.chance.integers(1, 99, len(of.ids)), strict=True)]


@cache
def trained() -> tuple[Pipeline, LogisticRegression]:
    """Return the embedding and the model, both fitted on the bank's first day and then left alone."""
    of = payments(BANK_OPENED)
    texts = references(of, trouble=False)
    embed = make_pipeline(
        HashingVectorizer(n_features=512, alternate_sign=False), TruncatedSVD(DIMENSIONS, random_state=0)
    )
    vectors = embed.fit_transform(texts)
    return embed, LogisticRegression(C=10.0, max_iter=500).fit(vectors, of.fraud)


def scored(of: Day, trouble: bool) -> dict[str, pa.Array]:  # noqa: FBT001  see payments.Scored
    """Return the embedding of each payment's reference, and its score."""
    embed, model = trained()
    vectors: Floats = embed.transform(references(of, trouble=trouble))
    return {"reference": embedding(vectors), "score": pa.array(model.predict_proba(vectors)[:, 1])}


if __name__ == "__main__":
    main("text", scored)
