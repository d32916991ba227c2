from __future__ import annotations

import json
from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as settings_of
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score

from ledger.records import Decision
from ledger.snapshot import snapshot
from models.errors import WatchkeeperError
from models.spec import Spec
from tests.watchkeeper.conftest import LAST, MODEL
from watchkeeper import challenger, retrain
from watchkeeper.stored import Context


def request(**changed: object) -> Decision:
    """Return a request that leaves a challenger two days to learn from, and a week to be judged on."""
    given = {"fit_from": date(2026, 1, 1), "fit_to": date(2026, 1, 2), "evaluate_to": date(2026, 1, 9)}
    return Decision(MODEL, LAST, "requested", incident="an-incident", **{**given, **changed})  # type: ignore[arg-type]


def test_a_worse_challenger_is_recorded_and_changes_nothing(ctx: Context, spec: Spec) -> None:
    ctx.ledger.save_decision(request())
    baseline = ctx.ledger.baseline(spec)
    outcome = retrain.retrain(ctx, spec, request())
    assert outcome.outcome == "kept champion"
    assert "precision-recall AUC is not surely higher" in outcome.reasons[0]
    assert ctx.ledger.baseline(spec) == baseline
    assert retrain.champion_of(ctx, spec) == "the model in production"


def test_a_request_is_answered_once(ctx: Context, spec: Spec) -> None:
    ctx.ledger.save_decision(request())
    assert retrain.open_request(ctx, spec) == request()
    retrain.retrain(ctx, spec, request())
    assert retrain.open_request(ctx, spec) is None


def test_answering_a_request_again_gives_the_same_ledger(ctx: Context, spec: Spec) -> None:
    retrain.retrain(ctx, spec, request())
    before = snapshot(ctx.ledger)
    retrain.retrain(ctx, spec, request())
    assert snapshot(ctx.ledger) == before


def test_a_stored_challenger_says_from_what_it_was_made(ctx: Context, spec: Spec) -> None:
    outcome = retrain.retrain(ctx, spec, request(excluded=(date(2026, 1, 2),)))
    card = json.loads((ctx.settings.registry / MODEL / outcome.challenger / "card.json").read_text())
    assert (card["fit_from"], card["fit_to"], card["excluded"]) == ("2026-01-01", "2026-01-02", ["2026-01-02"])
    assert card["seed"] == retrain.SEED
    assert len(card["lock_sha256"]) == 64
    one_day = ctx.warehouse.labelled_rows(spec, date(2026, 1, 1), date(2026, 1, 1), LAST, 10**6, 0)
    assert card["fit_rows"] == len(one_day), "a day of a data fault must not be learned from"


def test_a_window_with_nothing_to_learn_from_is_refused_in_a_sentence(ctx: Context, spec: Spec) -> None:
    with pytest.raises(WatchkeeperError, match="lacks frauds or legitimate payments"):
        retrain.retrain(ctx, spec, request(excluded=(date(2026, 1, 1), date(2026, 1, 2))))


def judged(spec: Spec, shift: float, unfair: bool = False) -> challenger.Judgement:
    """Judge a challenger that separates fraud by ``shift`` standard deviations more than the champion does."""
    draw = np.random.default_rng(1)
    n = 20_000
    label = draw.random(n) < 0.02
    noise = draw.normal(size=n)
    age = draw.choice(["18-29", "30-59", "60+"], n)
    rows = pd.DataFrame(
        {
            "label": label,
            "amount_gbp": draw.lognormal(4, 1, n),
            "score": 1 / (1 + np.exp(-(noise + 2 * label - 4))),
            "age_band": age,
            "sex": draw.choice(["F", "M"], n),
        }
    )
    better = noise + (2 + shift) * label + (1.5 if unfair else 0) * ((age == "60+") & ~label)
    return challenger.judge(spec, rows, better, seed=1)


def test_only_a_surely_better_challenger_is_better(spec: Spec) -> None:
    assert judged(spec, shift=1.0).better
    assert not judged(spec, shift=0.0).better
    assert not judged(spec, shift=-1.0).better


def test_a_better_but_less_fair_challenger_is_not_better(spec: Spec) -> None:
    judgement = judged(spec, shift=1.5, unfair=True)
    assert not judgement.better
    assert any("less fair than the champion" in reason for reason in judgement.reasons)


def test_champion_and_challenger_are_compared_at_the_same_number_of_alerts(spec: Spec) -> None:
    same = judged(spec, shift=0.0).figures
    assert same["recall"]["difference"] == 0
    assert same["pr_auc"]["low"] <= 0 <= same["pr_auc"]["high"]


@settings_of(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.booleans(), st.integers(0, 3)), min_size=1, max_size=40))
def test_average_precision_is_scikit_learns_with_weights_and_ties(rows: list[tuple[int, bool, int]]) -> None:
    score, label, weight = (np.array(column) for column in zip(*rows, strict=True))
    if not (weight[label] > 0).any():
        assert np.isnan(challenger.average_precision(score.astype(float), label)(weight.astype(float)))
        return
    ours = challenger.average_precision(score.astype(float), label)(weight.astype(float))
    assert ours == pytest.approx(average_precision_score(label, score, sample_weight=weight))
