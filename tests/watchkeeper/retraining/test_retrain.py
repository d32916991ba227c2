from __future__ import annotations

import json
from datetime import date

import pytest

from ledger.records.retraining import Decision
from ledger.snapshot import snapshot_ledger
from models.errors import WatchkeeperError
from models.spec import Spec
from tests.watchkeeper.conftest import LAST, MODEL
from watchkeeper.context import Context
from watchkeeper.retraining import promotion, retrain


def request(**changed: object) -> Decision:
    """Return a request that leaves a challenger two days to learn from, and a week to be judged on."""
    given = {"fit_from": date(2026, 1, 1), "fit_to": date(2026, 1, 2), "evaluate_to": date(2026, 1, 9)}
    return Decision(MODEL, LAST, "requested", incident="an-incident", **{**given, **changed})  # type: ignore[arg-type]


def test_a_worse_challenger_is_recorded_and_changes_nothing(ctx: Context, spec: Spec) -> None:
    ctx.ledger.save_decision(request())
    baseline = ctx.ledger.baseline(spec)
    outcome = retrain.train_and_judge_challenger(ctx, spec, request(), "A. Person")
    assert outcome.outcome == "kept champion"
    assert "precision-recall AUC is not surely higher" in outcome.reasons[0]
    assert ctx.ledger.baseline(spec) == baseline
    assert promotion.current_champion(ctx.ledger.retraining_outcomes()) == promotion.IN_PRODUCTION


def test_a_request_is_answered_once(ctx: Context, spec: Spec) -> None:
    ctx.ledger.save_decision(request())
    assert retrain.find_open_request(ctx, spec) == request()
    retrain.train_and_judge_challenger(ctx, spec, request(), "A. Person")
    assert retrain.find_open_request(ctx, spec) is None


def test_answering_a_request_again_gives_the_same_ledger(ctx: Context, spec: Spec) -> None:
    retrain.train_and_judge_challenger(ctx, spec, request(), "A. Person")
    before = snapshot_ledger(ctx.ledger)
    retrain.train_and_judge_challenger(ctx, spec, request(), "A. Person")
    assert snapshot_ledger(ctx.ledger) == before


def test_a_stored_challenger_says_from_what_it_was_made(ctx: Context, spec: Spec) -> None:
    outcome = retrain.train_and_judge_challenger(ctx, spec, request(excluded=(date(2026, 1, 2),)), "A. Person")
    card = json.loads((ctx.settings.registry / MODEL / outcome.challenger / "card.json").read_text())
    assert (card["fit_from"], card["fit_to"], card["excluded"]) == ("2026-01-01", "2026-01-02", ["2026-01-02"])
    assert card["seed"] == retrain.SEED
    assert len(card["lock_sha256"]) == 64
    one_day = ctx.warehouse.labelled_rows(spec, date(2026, 1, 1), date(2026, 1, 1), LAST, 10**6, 0)
    assert card["fit_rows"] == len(one_day), "a day of a data fault must not be learned from"


def test_a_window_with_nothing_to_learn_from_is_refused_in_a_sentence(ctx: Context, spec: Spec) -> None:
    with pytest.raises(WatchkeeperError, match="lacks frauds or legitimate payments"):
        retrain.train_and_judge_challenger(
            ctx, spec, request(excluded=(date(2026, 1, 1), date(2026, 1, 2))), "A. Person"
        )
