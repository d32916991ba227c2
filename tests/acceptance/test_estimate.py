"""Estimated ROC-AUC against NannyML's published ones, on its car loans; skipped where they aren't there."""

from __future__ import annotations

import numpy as np
import pyarrow.parquet as pq
import pytest
from sklearn.metrics import roc_auc_score

from monitors.performance import expected
from monitors.stats import ranking
from profiles.profile import COUNT, FRAUD, LEGITIMATE, OPEN
from tests.acceptance.reference import DATA, NEEDS_DATA
from tests.monitors.scored import part

pytestmark = NEEDS_DATA
ROWS = 5000
REALISED = [0.970962, 0.970248, 0.976282, 0.967721, 0.969886, 0.960050, 0.958530, 0.959041, 0.963094, 0.957556]
CBPE = [0.970744, 0.971011, 0.971407, 0.971091, 0.971123, 0.961090, 0.961825, 0.961073, 0.962533, 0.961316]


@pytest.fixture(scope="module")
def chunks():
    """Return score and label of ten chunks of reference and ten of analysis, 5,000 loans each."""
    table = pq.read_table(DATA / "nannyml_car_loan.parquet", columns=["part", "y_pred_proba", "repaid"])
    score, label = table["y_pred_proba"].to_numpy(), table["repaid"].to_numpy() == 1
    found = {}
    for name in ("reference", "analysis"):
        at = np.flatnonzero(table["part"].to_numpy() == name)
        found[name] = [(score[own], label[own]) for own in at.reshape(-1, ROWS)]
    return found


def test_realised_roc_auc_is_nannyml_s_to_six_digits_on_rows_and_to_a_cell_from_the_cube(chunks):
    for (score, label), published in zip(chunks["analysis"], REALISED, strict=True):
        assert round(roc_auc_score(label, score), 6) == published
        made = part(score, np.where(label, FRAUD, LEGITIMATE))
        cube = ranking.roc_auc(made[:, FRAUD, COUNT], made[:, LEGITIMATE, COUNT])
        assert cube.value == pytest.approx(published, abs=2e-4)


def test_estimated_roc_auc_is_nannyml_s_less_a_constant_10_000th(chunks):
    """Both use isotonic regression; ours ties scores within a cell, and takes off what the steps flatter."""
    days = expected.labelled_payments(
        np.stack([part(s, np.where(y, FRAUD, LEGITIMATE)) for s, y in chunks["reference"]])
    )
    ours = [
        expected.estimate_metrics(days, expected.unblocked_payments(part(score, np.full(ROWS, OPEN))))["roc_auc"]
        for score, _ in chunks["analysis"]
    ]
    assert np.array([found.value for found in ours]) - CBPE == pytest.approx(np.full(10, -0.000124), abs=5e-6)
    off = np.abs([found.value - true for found, true in zip(ours, REALISED, strict=True)]).mean()
    assert off <= np.abs(np.subtract(CBPE, REALISED)).mean()
    assert sum(found.low <= true <= found.high for found, true in zip(ours, REALISED, strict=True)) >= 9
