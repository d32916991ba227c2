from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import linalg
from sklearn.decomposition import PCA

from ledger.records.measurements import Verdict
from models.spec import Baseline, Features, Spec
from monitors.drift import multivariate
from profiles.bins import Embedding, Grid, embedding_grid
from profiles.profile import ALL_NUMBERS, Moments, Profile
from profiles.schema import ProfileSchema

DAY = date(2026, 3, 1)
GRID = Grid("linear", 0.0, 1.0, width=1 / 32)
NAMES = ("age_days", "amount_gbp", "balance_gbp", "logins")
SPEC = Spec(
    model="cards",
    features=Features(table="t", second_moments=True),
    baseline=Baseline(start=date(2026, 1, 1), end=date(2026, 1, 31)),
)
FRAME = ProfileSchema(
    "f", dict.fromkeys(NAMES, GRID), {}, None, (), {}, {"text": Embedding(3, embedding_grid(4.0))}, NAMES
)
MIX = np.array([[1.0, 0.8, 0.0, 0.0], [0.0, 0.6, 0.0, 0.3], [0.0, 0.0, 1.0, 0.2], [0.0, 0.0, 0.0, 0.9]])


def moments(rows: np.ndarray, scale: float = 2048.0) -> Moments:
    """Moments of raw rows, in 2048ths (PER_BIN x 32 cells) of their unit."""
    z = np.floor(rows * scale + 0.5).astype(np.int64)
    return Moments(len(z), z.sum(axis=0), z.T @ z)


def day_rows(seed: int, n: int = 800, mix: np.ndarray = MIX) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, len(mix))) @ mix / 2


def profile(rows: np.ndarray, text: np.ndarray) -> Profile:
    return Profile("f", len(rows), moments={ALL_NUMBERS: moments(rows), "text": moments(text)})


def baseline(days: int = 20) -> list[Profile]:
    return [profile(day_rows(seed), day_rows(1000 + seed, mix=MIX[:3, :3])) for seed in range(days)]


def measured(rows: np.ndarray, text: np.ndarray | None = None, days: int = 20):
    today = profile(rows, day_rows(77, mix=MIX[:3, :3]) if text is None else text)
    return {m.metric: m for m in multivariate.measure_multivariate_drift(SPEC, FRAME, DAY, today, baseline(days))}


def test_correlations_are_numpy_s():
    rows = day_rows(1)
    assert multivariate.correlation_matrix(moments(rows)) == pytest.approx(np.corrcoef(rows, rowvar=False), abs=1e-3)


def test_the_reconstruction_error_is_that_of_scikit_learn_s_components_on_raw_rows():
    before, today = day_rows(1, 5000), day_rows(2, 3000) * [1.0, 1.4, 1.0, 0.7] + [0.0, 0.3, 0.0, 0.0]
    centre, spread = before.mean(axis=0), before.std(axis=0)
    pca = PCA(n_components=0.65, svd_solver="full").fit((before - centre) / spread)

    def error(rows: np.ndarray) -> float:
        scaled = (rows - centre) / spread
        rebuilt = pca.inverse_transform(pca.transform(scaled))
        return float(((scaled - rebuilt) ** 2).sum(axis=1).mean())

    found = multivariate.reconstruction_error(moments(today), moments(before))
    assert found == pytest.approx(error(today) / error(before), rel=2e-3)


def test_the_frechet_distance_is_the_formula_with_scipy_s_matrix_root():
    before, today = day_rows(1, 4000), day_rows(2, 4000) @ np.diag([1.2, 0.7, 1.0, 1.5]) + 0.2
    a, b = np.cov(today, rowvar=False, bias=True), np.cov(before, rowvar=False, bias=True)
    shift = today.mean(axis=0) - before.mean(axis=0)
    distance = shift @ shift + np.trace(a + b - 2 * linalg.sqrtm(a @ b).real)
    found = multivariate.frechet_distance(moments(today), moments(before))
    assert found == pytest.approx(distance / np.trace(b), rel=5e-3)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 5))
def test_a_distribution_is_at_no_distance_from_itself(seed, k):
    own = moments(np.random.default_rng(seed).normal(size=(200, k)))
    assert multivariate.correlation_shift(own, own) == 0
    assert multivariate.reconstruction_error(own, own) == pytest.approx(1.0)
    assert multivariate.frechet_distance(own, own) == pytest.approx(0.0, abs=1e-9)


def test_a_correlation_that_breaks_with_steady_marginals_is_found_and_its_pair_named():
    rows = day_rows(50)
    rows[:, 1] = np.random.default_rng(9).permutation(rows[:, 1])  # each column as it was, not together
    found = measured(rows)
    assert found["correlation_shift"].verdict is Verdict.BREACH
    assert "'age_days' and 'amount_gbp'" in found["correlation_shift"].reason
    assert found["reconstruction_error"].verdict is Verdict.BREACH
    assert found["frechet_distance"].verdict is Verdict.OK


def test_an_embedding_that_moves_is_found():
    found = measured(day_rows(50), day_rows(51, mix=MIX[:3, :3]) + 0.25)
    assert found["frechet_distance"].verdict is Verdict.BREACH
    assert found["frechet_distance"].feature == "text"
    assert found["correlation_shift"].verdict is Verdict.OK


def test_two_hundred_quiet_days_are_quiet():
    breaches = sum(
        m.verdict is Verdict.BREACH
        for seed in range(200)
        for m in measured(day_rows(5000 + seed, 400), day_rows(9000 + seed, 400, MIX[:3, :3])).values()
    )
    assert breaches <= 2


def test_few_rows_or_few_baseline_days_are_not_judged():
    assert {m.verdict for m in measured(day_rows(50, 99), day_rows(51, 99, MIX[:3, :3])).values()} == {
        Verdict.INSUFFICIENT
    }
    assert measured(day_rows(50), days=6)["correlation_shift"].verdict is Verdict.INSUFFICIENT


def test_a_day_without_its_columns_is_missing_not_ok():
    found = multivariate.measure_multivariate_drift(SPEC, FRAME, DAY, Profile("f", 500), baseline())
    assert {m.verdict for m in found} == {Verdict.MISSING}


def test_a_feature_that_never_varies_is_no_reason_to_fail():
    flat = moments(np.column_stack([day_rows(1)[:, 0], np.ones(800)]))
    assert multivariate.correlation_matrix(flat).tolist() == [[1.0, 0.0], [0.0, 1.0]]
    assert multivariate.reconstruction_error(flat, flat) == pytest.approx(1.0)
