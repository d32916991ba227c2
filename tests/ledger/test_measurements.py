from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

from ledger.measurements import NATURAL_KEY
from ledger.records.measurements import Measurement, Verdict
from ledger.store import Ledger
from tests.ledger.made import DAY, MODEL, days, measurement


def key(m: Measurement) -> tuple[object, ...]:
    return tuple(getattr(m, name) for name in NATURAL_KEY)


def some(seed: int, count: int = 400) -> list[Measurement]:
    """Return measurements with different keys, in no order."""
    draw = random.Random(seed)
    made = [
        measurement(
            model=draw.choice([MODEL, "app_scams", "app_scams_2"]),
            day=draw.choice(days(4)),
            as_of=draw.choice(days(5)),
            monitor=draw.choice(["drift", "performance"]),
            metric=draw.choice(["psi", "recall"]),
            feature=draw.choice(["", "Amount", "amount_gbp", "\u00e9mile"]),
            slice=draw.choice(["", "channel=app"]),
            value=draw.random(),
        )
        for _ in range(count)
    ]
    return list({key(m): m for m in made}.values())


def save(ledger: Ledger, measurements: list[Measurement]) -> None:
    for model, as_of in {(m.model, m.as_of) for m in measurements}:
        own = [m for m in measurements if (m.model, m.as_of) == (model, as_of)]
        ledger.save_measurements(model, as_of, ("drift", "performance"), own)


def test_what_is_saved_is_found_as_it_was(ledger: Ledger) -> None:
    saved = [
        measurement(),
        measurement(
            metric="ks", value=None, low=None, high=None, limit=None, n=0, verdict=Verdict.INSUFFICIENT, reason=""
        ),
        measurement(metric="wasserstein", value=math.inf, low=-math.inf),
        measurement(slice="payee=O'Brien; DROP TABLE runs; \u00a3 \U0001f534 " + "x" * 600, n=2**40),
    ]
    ledger.save_measurements(MODEL, DAY, ("drift",), saved)
    assert ledger.measurements() == sorted(saved, key=key)


def test_what_was_not_a_number_is_no_value_on_any_database(ledger: Ledger) -> None:
    ledger.save_measurements(MODEL, DAY, ("drift",), [measurement(value=math.nan, low=math.nan, slice="a=\0")])
    assert ledger.measurements() == [measurement(value=None, low=None, slice="a=\ufffd")]


def test_numbers_of_numpy_are_kept_as_numbers(ledger: Ledger) -> None:
    counted = measurement(value=np.float64(0.25), low=np.float32(0.5), n=np.int64(7))
    ledger.save_measurements(MODEL, DAY, ("drift",), [counted])
    (found,) = ledger.measurements()
    assert (found.value, found.low, found.n) == (0.25, 0.5, 7)
    assert [type(part) for part in (found.value, found.low, found.n)] == [float, float, int]


def test_saving_again_replaces_and_leaves_other_monitors_models_and_as_of_days(ledger: Ledger) -> None:
    others = [
        measurement(monitor="score", feature="score"),
        measurement(model="app_scams"),
        measurement(as_of=DAY + timedelta(days=1)),
    ]
    for other in others:
        ledger.save_measurements(other.model, other.as_of, (other.monitor,), [other])
    ledger.save_measurements(MODEL, DAY, ("drift", "check"), [measurement(), measurement(metric="ks")])
    ledger.save_measurements(MODEL, DAY, ("drift", "check"), [measurement(value=0.5)])
    assert ledger.measurements() == sorted([*others, measurement(value=0.5)], key=key)
    ledger.save_measurements(MODEL, DAY, ("drift", "check"), [])
    assert ledger.measurements() == sorted(others, key=key)


@pytest.mark.parametrize("stray", [{"model": "app_scams"}, {"as_of": DAY + timedelta(days=1)}, {"monitor": "score"}])
def test_a_measurement_that_a_later_save_could_not_replace_is_refused(sqlite: Ledger, stray: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="is not what drift measured of card_payments as of 2026-03-02"):
        sqlite.save_measurements(MODEL, DAY, ("drift",), [measurement(), measurement(**stray)])
    assert sqlite.measurements() == []


ASKED: list[tuple[dict[str, Any], Callable[[Measurement], bool]]] = [
    ({"model": MODEL}, lambda m: m.model == MODEL),
    ({"as_of": DAY}, lambda m: m.as_of == DAY),
    ({"day_from": days(4)[1], "day_to": days(4)[2]}, lambda m: days(4)[1] <= m.day <= days(4)[2]),
    ({"as_of_from": days(4)[1], "as_of_to": days(4)[2]}, lambda m: days(4)[1] <= m.as_of <= days(4)[2]),
    (
        {"model": MODEL, "monitors": ["drift"], "metric": "psi"},
        lambda m: (m.model, m.monitor, m.metric) == (MODEL, "drift", "psi"),
    ),
    ({"monitors": ("drift", "performance")}, lambda m: True),
    ({"verdicts": (Verdict.BREACH, Verdict.ERRORED)}, lambda m: m.verdict in (Verdict.BREACH, Verdict.ERRORED)),
]


@pytest.mark.parametrize("newest", [False, True])
def test_each_question_is_answered_in_natural_order(ledger: Ledger, newest: bool) -> None:
    saved = some(seed=1)
    save(ledger, saved)
    for question, belongs in ASKED:
        wanted = sorted(filter(belongs, saved), key=key)
        if newest:  # sorted by as_of, so that the last one of each figure is its newest
            wanted = sorted({key(replace(m, as_of=DAY)): m for m in wanted}.values(), key=key)
        assert ledger.measurements(newest=newest, **question) == wanted != []


def test_a_tally_counts_the_verdicts_of_each_day_and_monitor(ledger: Ledger) -> None:
    late = DAY + timedelta(days=1)
    kinds = {"a": Verdict.OK, "b": Verdict.BREACH, "c": Verdict.OK}
    found = [measurement(feature=name, verdict=verdict) for name, verdict in kinds.items()]
    found += [measurement(monitor="performance", verdict=Verdict.OK), measurement(model="other")]
    save(ledger, [*found, measurement(as_of=late, verdict=Verdict.ERRORED)])
    both = ("drift", "performance")
    first = {"drift": {"ok": 2, "breach": 1}, "performance": {"ok": 1}}
    assert ledger.tally(MODEL, DAY, DAY, both) == {DAY: first}
    assert ledger.tally(MODEL, DAY, late, both) == {DAY: first, late: {"drift": {"errored": 1}}}
    assert ledger.tally(MODEL, DAY, late, ("check",)) == {}


def plan(ledger: Ledger, ask: Callable[[], object]) -> str:
    """Return how SQLite goes about the one query of a question."""
    asked: list[tuple[str, Any]] = []

    def note(_c: object, _cursor: object, statement: str, parameters: Any, _context: object, _many: bool) -> None:
        asked.append((statement, parameters))

    sa.event.listen(ledger.engine, "before_cursor_execute", note)
    ask()
    sa.event.remove(ledger.engine, "before_cursor_execute", note)
    ((statement, parameters),) = asked
    with ledger.engine.connect() as connection:
        rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
    return "\n".join(row.detail for row in rows)


BY_AS_OF = "sqlite_autoindex_measurements_1 (model=? AND as_of=?"
BY_DAY = "measurements_by_day (model=? AND day>?"
ONE_DAY = {"day_from": DAY, "day_to": DAY, "newest": True}


@pytest.mark.parametrize(
    ("question", "index"),
    [
        ({"as_of": DAY}, BY_AS_OF),
        ({"as_of": DAY, "monitors": ("drift",)}, BY_AS_OF),
        ({**ONE_DAY, "monitors": ("performance",)}, BY_DAY),
        ({**ONE_DAY, "monitors": ("drift",), "metric": "psi"}, BY_DAY),
    ],
)
def test_a_model_and_its_days_are_found_by_an_index(sqlite: Ledger, question: dict[str, Any], index: str) -> None:
    found = plan(sqlite, lambda: sqlite.measurements(MODEL, **question))
    assert index in found
    assert "SCAN measurements" not in found


def test_a_thousand_measurements_are_saved_in_one_batch(ledger: Ledger) -> None:
    """What a day costs doesn't grow with one round trip a measurement."""
    executed: list[str] = []
    sa.event.listen(ledger.engine, "before_cursor_execute", lambda *given: executed.append(given[2]))
    ledger.save_measurements(MODEL, DAY, ("drift",), [measurement(feature=f"f{i}") for i in range(1000)])
    assert len([statement for statement in executed if "measurements" in statement]) == 2
    assert len(ledger.measurements()) == 1000
