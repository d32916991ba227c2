"""Models of other kinds are watched like the rest: quiet on a quiet day, noticed for the right reason on a bad one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from examples import graph, payments, text
from examples.graph import derived
from ledger.records.measurements import Measurement, Verdict
from models.load import load_model_files
from tests.docs.test_site import DOCS, REPOSITORY
from watchkeeper.pipeline import watch
from watchkeeper.settings import Settings

QUIET, TROUBLE = date(2026, 1, 16), date(2026, 1, 17)
FOLDER = REPOSITORY / "examples" / "models"


def watched(model: str, scored: payments.Scored, tmp_path: Path) -> Iterator[list[Measurement]]:
    """Yield what was over its limit on a quiet day and on a day of trouble."""
    payments.write(tmp_path / "tables", model, scored)
    settings = Settings(
        models=FOLDER, warehouse=str(tmp_path / "tables"), ledger=f"sqlite:///{tmp_path}/ledger.db", now="2026-02-01"
    )
    ctx = watch.open_context(settings, live=False)
    (spec,) = watch.load_specs(settings, [model])
    for day in (QUIET, TROUBLE):
        watch.watch_day(ctx, spec, day)
        found = ctx.ledger.measurements(model, as_of=day)
        assert not [m for m in found if m.verdict is Verdict.ERRORED]
        yield [m for m in found if m.verdict is Verdict.BREACH]


def test_new_words_move_the_embedding_of_a_text_model(tmp_path: Path) -> None:
    quiet, bad = watched("text", text.scored, tmp_path)
    assert quiet == []
    assert ("frechet_distance", "reference") in {(m.metric, m.feature) for m in bad}


def test_a_ring_of_mules_moves_the_degree_tail_and_the_share_of_new_payees(tmp_path: Path) -> None:
    quiet, bad = watched("graph", graph.scored, tmp_path)
    assert quiet == []
    moved = {m.feature for m in bad if m.monitor == "drift"}
    assert {"payee_degree_log2", "payee_is_new"} <= moved
    assert "amount_gbp" not in moved


def test_the_network_s_state_tells_that_amounts_came_in_pence(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="PyTorch is not among the locked packages")
    import examples.sequence

    quiet, bad = watched("sequence", examples.sequence.scored, tmp_path)
    assert quiet == []
    assert ("frechet_distance", "state") in {(m.metric, m.feature) for m in bad}


def test_degrees_count_different_neighbours_once() -> None:
    payers, payees = np.array([1, 1, 2, 3, 3]), np.array([9, 9, 9, 9, 8])
    found = derived(payers, payees)
    assert found["payee_degree_log2"].tolist() == [1, 1, 1, 1, 0]
    assert found["payer_fan_out"].tolist() == [1, 1, 1, 2, 2]


def test_each_example_has_a_model_file_and_a_page() -> None:
    names = {spec.model for spec in load_model_files(FOLDER)}
    assert names == {"text", "graph", "sequence"}
    for name in names:
        assert f"python -m examples.{name} --to tables" in (DOCS / "examples" / f"{name}.md").read_text()
