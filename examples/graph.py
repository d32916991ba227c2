"""A graph-feature model: who pays whom, seen as three numbers of each payment, scored by a logistic regression.

`python -m examples.graph --to tables` writes its tables. On the days of trouble a ring of mules collects from many.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pyarrow as pa
from sklearn.linear_model import LogisticRegression

from examples.payments import Day, Floats, Ints, main, payments
from simulator.batch import BANK_OPENED

ACCOUNTS, PAYEES = 20_000, 3_000
FRAUD_IS_NEW = 0.7
"""Share of frauds that go to an account that nobody paid before."""
SHOP_LOG2 = 5
"""Payees that 32 or more accounts pay on one day are shops and utilities, whatever else they are."""
RING, RING_SHARE = 12, 0.08
"""Mule accounts, and the share of payments that they collect on a day of trouble."""
KNOWN = PAYEES
"""Payees below this number were paid before the bank's first day; each of the others is new on its day."""


def edges(of: Day, *, trouble: bool) -> tuple[Ints, Ints]:
    """Return payer and payee of each payment: a few payees are paid by many, as bills are."""
    n = len(of.ids)
    payers = of.chance.integers(0, ACCOUNTS, n)
    payees = np.minimum(of.chance.zipf(1.4, n) - 1, PAYEES - 1)
    fresh = KNOWN + of.number * n + np.arange(n)
    new = of.chance.random(n) < np.where(of.fraud, FRAUD_IS_NEW, 0.05)
    payees = np.where(new, fresh, payees)
    if trouble:
        ring = KNOWN + of.number * n + n + of.chance.integers(0, RING, n)
        payees = np.where(of.chance.random(n) < RING_SHARE, ring, payees)
    return np.asarray(payers, dtype=np.int64), np.asarray(payees, dtype=np.int64)


def derived(payers: Ints, payees: Ints) -> dict[str, Floats | Ints]:
    """Return for each payment the payee's degree and the payer's fan-out on the day, and whether the payee is new.

    Rings live between a friend and a shop: the whole logarithm, with an end, keeps the ups and downs of the few largest
    payees from hiding them.
    """
    return {
        "payee_degree_log2": np.minimum(np.floor(np.log2(_different(payees, payers))), SHOP_LOG2),
        "payer_fan_out": _different(payers, payees),
        "payee_is_new": (payees >= KNOWN).astype(np.int64),
    }


def _different(of: Ints, others: Ints) -> Ints:
    """Return how many different others each element's node has an edge with."""
    pairs = np.unique(np.stack([of, others], axis=1), axis=0)
    nodes, counts = np.unique(pairs[:, 0], return_counts=True)
    return np.asarray(counts[np.searchsorted(nodes, of)], dtype=np.int64)


def matrix(columns: dict[str, Floats | Ints], of: Day) -> Floats:
    """Return what the model sees: the derived columns and the amount's logarithm."""
    return np.stack([*columns.values(), np.log(np.maximum(of.amount_gbp, 1.0)) / math.log(10)], axis=1)


@cache
def trained() -> LogisticRegression:
    """Return the model, fitted on the bank's first day and then left alone."""
    of = payments(BANK_OPENED)
    columns = derived(*edges(of, trouble=False))
    return LogisticRegression(max_iter=500).fit(matrix(columns, of), of.fraud)


def scored(of: Day, trouble: bool) -> dict[str, pa.Array]:  # noqa: FBT001  see payments.Scored
    """Return the derived features of each payment, and its score."""
    columns = derived(*edges(of, trouble=trouble))
    score = trained().predict_proba(matrix(columns, of))[:, 1]
    return {**{name: pa.array(values) for name, values in columns.items()}, "score": pa.array(score)}


if __name__ == "__main__":
    main("graph", scored)
