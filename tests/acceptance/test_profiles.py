"""What the product says of a table, through its own scan, is what scipy, scikit-learn and fairlearn say of its rows.

A profile holds cells, not rows, so figures over all values are equal within a cell error; each test states it, and
where it can be bounded it is computed from the rows. What is counted at the threshold, or by level, is exact.
"""

from __future__ import annotations

import tempfile
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
from fairlearn import metrics as fair
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon
from scipy.stats import ks_2samp, wasserstein_distance
from sklearn.metrics import average_precision_score, roc_auc_score

from ledger.records.measurements import Measurement
from models.load import load_model_file
from models.spec import AfterDays, Baseline, Features, Labels, Score, Spec
from monitors.drift import calibration, daily_drift
from monitors.fairness import group_rates
from monitors.performance import by_cohort
from monitors.performance.maturity import LabelDelayCurve, learn_delay_curve
from monitors.stats.vectors import bin_midpoints
from profiles.bins import Grid
from profiles.profile import Cube, Profile, sum_profiles
from profiles.schema import ProfileSchema
from simulator.bank import build_bank
from simulator.incidents import population_shift
from warehouse.duckdb.warehouse import ParquetWarehouse

MODEL = "app_scams"
FIRST, BASELINE_END, SHIFTED = date(2026, 1, 1), date(2026, 1, 4), date(2026, 1, 5)
AFTER_DAYS = 7
AS_OF = SHIFTED + timedelta(days=AFTER_DAYS)
DAYS = [FIRST + timedelta(days=i) for i in range((SHIFTED - FIRST).days + 1)]
NUMBERS = ("amount_gbp", "balance_share", "session_minutes", "account_age_days", "hour", "payments_24h")
CATEGORIES = ("payment_reason", "beneficiary_bank", "screen_shared")


class Bank(NamedTuple):
    """A bank of five days, the last one shifted: its raw rows with what was known of them, and the product's view."""

    spec: Spec
    frame: ProfileSchema
    rows: pd.DataFrame
    profiles: dict[date, Profile]
    span: Profile
    cubes: dict[date, Cube]
    curve: LabelDelayCurve

    def on(self, *days: date) -> pd.DataFrame:
        return self.rows[self.rows.day.isin(days)]

    @property
    def today(self) -> pd.DataFrame:
        return self.on(SHIFTED)

    @property
    def baseline(self) -> pd.DataFrame:
        return self.on(*DAYS[:-1])


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Bank:
    root = tmp_path_factory.mktemp("bank")
    scale = {"amount_gbp": 1.8, "session_minutes": 0.6, "balance_share": 0.7}
    newcomers = population_shift(
        MODEL, 0.35, SHIFTED, scale=scale, levels={"channel": "phone", "payment_reason": "investment"}
    )
    build_bank(root, [MODEL], FIRST, AS_OF, 7, [newcomers])
    model = load_model_file(Path(__file__).parents[2] / "demo" / "models" / f"{MODEL}.yaml")
    labels = Labels(table=f"{MODEL}/labels", negative=AfterDays(after_days=AFTER_DAYS), horizon_days=AFTER_DAYS)
    spec = model.model_copy(update={"labels": labels, "baseline": Baseline(start=FIRST, end=BASELINE_END)})
    warehouse = ParquetWarehouse(root)
    frame = warehouse.fit_profile_schema(spec)
    profiles = warehouse.profile(spec, frame, FIRST, SHIFTED)
    cohorts = warehouse.label_changes(spec, frame, FIRST, SHIFTED, None, AS_OF)
    cubes = {day: profile.cube.labelled(cohorts[day].labels) for day, profile in profiles.items()}
    span = sum_profiles(profiles.values(), frame.id)
    return Bank(spec, frame, raw(root), profiles, span, cubes, learn_delay_curve(cohorts, AS_OF, AFTER_DAYS))


def raw(root: Path) -> pd.DataFrame:
    """Return the rows of the five days, with ``fraud`` as known at the end of AS_OF; null for the blocked ones."""
    tables = [pd.read_parquet(root / MODEL / "features" / f"day={day}" / "part-0.parquet") for day in DAYS]
    rows = pd.concat([table.assign(day=day) for table, day in zip(tables, DAYS, strict=True)], ignore_index=True)
    events = pd.concat([pd.read_parquet(file) for file in sorted((root / MODEL / "labels").glob("*/*.parquet"))])
    newest = events.sort_values("known_at").groupby("payment_id").is_fraud.last()
    fraud = rows.payment_id.map(newest).eq(True)  # null, a payment without a label, is not fraud
    return rows.assign(fraud=fraud.where(rows.action != "block").astype("boolean"))


def labelled(rows: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return the scores and labels of the rows that were not blocked."""
    mine = rows[rows.fraud.notna()]
    return mine.score.to_numpy(), mine.fraud.to_numpy(dtype=bool)


def finite(rows: pd.DataFrame, column: str) -> np.ndarray:
    return rows[column].dropna().to_numpy(dtype=float)


def borders(grid: Grid) -> np.ndarray:
    return np.array([grid.edge(cell) for cell in range(-grid.half, grid.half + 1)])


@pytest.fixture(scope="module")
def moved(bank: Bank) -> dict[tuple[str, str], float]:
    """Return the shifted day's distances by (metric, column), for everyone."""
    learned = calibration.learn_calibration(bank.spec, bank.frame, {day: bank.profiles[day] for day in DAYS[:-1]})
    found = daily_drift.measure_drift(bank.spec, bank.frame, SHIFTED, bank.profiles[SHIFTED], learned)
    return {(m.metric, m.feature): m.value for m in found if not m.slice and m.value is not None}


def test_the_sum_of_day_profiles_is_the_profile_of_the_span(bank: Bank, tmp_path: Path) -> None:
    everything = tmp_path / MODEL / "features" / f"day={FIRST}"
    everything.mkdir(parents=True)
    bank.rows.drop(columns=["day", "fraud"]).to_parquet(everything / "all.parquet", index=False)
    (as_one,) = ParquetWarehouse(tmp_path).profile(bank.spec, bank.frame, FIRST, FIRST).values()
    assert as_one == bank.span
    assert as_one.rows == len(bank.rows) > 90_000


@pytest.mark.parametrize("column", NUMBERS)
def test_jensen_shannon_of_a_number_is_scipy_s_on_a_histogram_of_the_rows(bank, moved, column):
    grid = bank.frame.numbers[column]
    sides = (np.histogram(finite(rows, column), borders(grid))[0] for rows in (bank.today, bank.baseline))
    assert moved["jensen_shannon", column] == pytest.approx(jensenshannon(*sides, base=2), abs=1e-9)


@pytest.mark.parametrize("column", CATEGORIES)
def test_distances_of_a_category_are_those_of_its_value_counts(bank, moved, column):
    now, before = (rows[column].value_counts() for rows in (bank.today, bank.baseline))
    levels = now.index.union(before.index)
    a, b = (side.reindex(levels, fill_value=0).to_numpy() for side in (now, before))
    assert moved["jensen_shannon", column] == pytest.approx(jensenshannon(a, b, base=2), abs=1e-9)
    p, q = (np.maximum(side, 0.5) / side.sum() for side in (a, b))
    assert moved["psi", column] == pytest.approx(np.sum((p - q) * np.log(p / q)), abs=1e-12)


@pytest.mark.parametrize("column", ["amount_gbp", "balance_share", "session_minutes", "account_age_days"])
def test_psi_of_a_number_is_that_of_the_baseline_s_deciles(bank, moved, column):
    """Deciles are drawn on cell borders, so a bin's edge is off by a cell: a hundredth of the rows or so."""
    now, before = (finite(rows, column) for rows in (bank.today, bank.baseline))
    edges = np.quantile(before, np.arange(0.1, 1, 0.1))
    p, q = (np.bincount(np.searchsorted(edges, x), minlength=10) / len(x) for x in (now, before))
    expected = float(np.sum((p - q) * np.log(p / q)))
    assert moved["psi", column] == pytest.approx(expected, rel=0.05, abs=0.001)


@pytest.mark.parametrize("column", NUMBERS)
def test_ks_is_scipy_s_on_the_rows_less_at_most_a_cell_s_share(bank, moved, column):
    now, before = (finite(rows, column) for rows in (bank.today, bank.baseline))
    exact = ks_2samp(now, before).statistic
    bins = borders(bank.frame.numbers[column])
    most_in_a_cell = max(np.max(np.histogram(x, bins)[0]) / len(x) for x in (now, before))
    assert exact - most_in_a_cell - 1e-9 <= moved["ks", column] <= exact + 1e-9


@pytest.mark.parametrize("column", NUMBERS)
def test_wasserstein_is_scipy_s_on_the_rows_within_what_the_cells_displace(bank, moved, column):
    """By the triangle inequality the distance is off by at most the rows' mean displacement to their cells' places,
    and the standard deviation by at most its root mean square."""
    grid = bank.frame.numbers[column]
    now, before = (finite(rows, column) for rows in (bank.today, bank.baseline))
    displaced = [bin_midpoints(grid)[grid.bin_of(x) + grid.half] - x for x in (now, before)]
    off = sum(float(np.abs(d).mean()) for d in displaced)
    spread, spread_off = float(before.std()), float(np.sqrt((displaced[1] ** 2).mean()))
    exact = wasserstein_distance(now, before)
    assert (
        (exact - off) / (spread + spread_off) <= moved["wasserstein", column] <= (exact + off) / (spread - spread_off)
    )
    assert off + exact * spread_off / spread < 0.1 * spread, "the cells are fine enough for the bound to mean something"


def test_the_shift_is_seen_where_it_was_made_and_nowhere_else(moved):
    shifted = {"balance_share", "amount_gbp", "session_minutes", "payment_reason"}
    assert min(moved["psi", column] for column in shifted) > 0.03
    assert (
        max(moved["psi", column] for column in {*NUMBERS, *CATEGORIES} - shifted) < 0.021
    )  # of 240 banks chance alone makes 0.015


@pytest.fixture(scope="module")
def performed(bank: Bank) -> dict[tuple[date, str], float]:
    """Return the figures of each cohort day by (day, metric), for everyone, as of AS_OF."""
    found = by_cohort.measure_cohort_performance(bank.spec, bank.frame, AS_OF, bank.cubes, bank.curve, DAYS)
    return {(m.day, m.metric): m.value for m in found if not m.slice and m.value is not None}


@pytest.mark.parametrize("day", DAYS)
def test_roc_auc_is_scikit_learn_s_within_half_the_pairs_that_share_a_cell(bank, performed, day):
    """Half of these payments score about 0.0004, all in one cell, and a few frauds with them: a bad case."""
    score, fraud = labelled(bank.on(day))
    bins = bank.frame.score.bin_of(score)
    a, b = (np.bincount(bins[of] + bank.frame.score.half, minlength=800) for of in (fraud, ~fraud))
    error = float(a @ b) / (2 * a.sum() * b.sum())
    exact = roc_auc_score(fraud, score)
    assert performed[day, "roc_auc"] == pytest.approx(exact, abs=error + 1e-12)
    assert performed[day, "roc_auc"] == pytest.approx(exact, abs=0.005)


@pytest.mark.parametrize("day", DAYS)
def test_average_precision_is_scikit_learn_s_on_scores_read_to_a_cell(bank, performed, day):
    """On raw scores it is higher by what ties cost: under 0.005."""
    score, fraud = labelled(bank.on(day))
    in_cells = average_precision_score(fraud, bank.frame.score.bin_of(score))
    assert performed[day, "pr_auc"] == pytest.approx(in_cells, abs=1e-9)
    assert performed[day, "pr_auc"] == pytest.approx(average_precision_score(fraud, score), abs=0.005)


@pytest.mark.parametrize("day", DAYS)
def test_calibration_error_is_that_of_ten_equal_bins_of_the_rows_without_their_noise(bank, performed, day):
    """A cell goes into a bin whole, which moves at most a cell's rows between neighbouring bins.

    Noise alone lifts the plain mean of distances, by at most what a perfect score would show.
    """
    score, fraud = labelled(bank.on(day))
    order = np.argsort(score, kind="stable")
    bins = zip(np.array_split(score[order], 10), np.array_split(fraud[order], 10), strict=True)
    pairs = [(p.sum(), abs(p.sum() - y.sum()), (p * (1 - p)).sum()) for p, y in bins]
    plain = sum(gap for _, gap, _ in pairs) / len(score)
    noise = sum(np.sqrt(2 * variance / np.pi) for _, _, variance in pairs) / len(score)
    assert plain - noise - 0.0003 < performed[day, "calibration_error"] < plain + 0.0003


@pytest.mark.parametrize("day", DAYS)
def test_what_is_counted_at_the_threshold_is_exact(bank, performed, day):
    score, fraud = labelled(bank.on(day))
    raised, amount = score >= bank.spec.score.threshold, bank.on(day).amount_gbp[bank.on(day).fraud.notna()].to_numpy()
    assert performed[day, "recall"] == raised[fraud].mean()
    assert performed[day, "precision"] == fraud[raised].mean()
    assert performed[day, "false_positive_rate"] == raised[~fraud].mean()
    assert performed[day, "alert_rate"] == (bank.on(day).score >= bank.spec.score.threshold).mean()
    caught, all_fraud = amount[raised & fraud].sum(), amount[fraud].sum()
    assert performed[day, "value_detection_rate"] == pytest.approx(caught / all_fraud, abs=1e-6)  # pence


@pytest.mark.parametrize("column", ["age_band", "sex"])
def test_fairness_by_group_is_fairlearn_s(bank: Bank, column: str) -> None:
    found = group_rates.measure_group_rates(bank.spec, bank.frame, AS_OF, bank.cubes, bank.curve)
    value = {(m.metric, m.slice): m.value for m in found}
    reference = bank.spec.protected[column].reference
    rates = {
        "selection_rate": fair.selection_rate,
        "false_positive_rate": fair.false_positive_rate,
        "true_positive_rate": fair.true_positive_rate,
    }
    for rate, function in rates.items():
        # Everyone scored may be selected; error rates need a label, which the blocked never get.
        rows = bank.rows[bank.rows[column].notna() & ((rate == "selection_rate") | bank.rows.fraud.notna())]
        raised = rows.score >= bank.spec.score.threshold
        fraud = rows.fraud.fillna(value=False).astype(bool)
        by_group = fair.MetricFrame(metrics=function, y_true=fraud, y_pred=raised, sensitive_features=rows[column])
        for group, expected in by_group.by_group.items():
            assert value[rate, f"{column}={group}"] == pytest.approx(expected, abs=1e-12), (rate, group)
            if group != reference:
                other = by_group.by_group[reference]
                assert value[f"{rate}_difference", f"{column}={group}"] == pytest.approx(expected - other, abs=1e-12)
                assert value[f"{rate}_ratio", f"{column}={group}"] == pytest.approx(expected / other, abs=1e-12)


PAYMENTS = 300
SMALL = Spec(
    model="small",
    features=Features(table="payments"),
    score=Score(threshold=0.5, amount="amount_gbp"),
    labels=Labels(table="labels", negative=AfterDays(after_days=AFTER_DAYS), horizon_days=AFTER_DAYS),
    baseline=Baseline(start=FIRST, end=FIRST),
)
T = FIRST + timedelta(days=AFTER_DAYS)
MIDNIGHT_AFTER_T = datetime.combine(T + timedelta(days=1), datetime.min.time())


def events(hours: st.SearchStrategy[int]) -> st.SearchStrategy[list[tuple[int, bool, datetime]]]:
    """Return label histories: payment, label, and when it became known, in hours from the end of T."""
    known_at = hours.map(lambda hour: MIDNIGHT_AFTER_T + timedelta(hours=hour))
    return st.lists(st.tuples(st.integers(0, PAYMENTS - 1), st.booleans(), known_at), min_size=1, max_size=80)


def figures(root: Path, labels: list[tuple[int, bool, datetime]], as_of: date = T) -> list[Measurement]:
    """Return what the product says of the cohort as of a day, when its label table holds these events."""
    (root / "labels").mkdir(exist_ok=True)
    table = pd.DataFrame(labels, columns=["payment_id", "is_fraud", "known_at"])
    table.astype({"known_at": "datetime64[us]"}).to_parquet(root / "labels" / "all.parquet", index=False)
    warehouse = ParquetWarehouse(root)
    frame = warehouse.fit_profile_schema(SMALL)
    cohorts = warehouse.label_changes(SMALL, frame, FIRST, FIRST, None, as_of)
    cube = warehouse.profile(SMALL, frame, FIRST, FIRST)[FIRST].cube.labelled(cohorts[FIRST].labels)
    curve = learn_delay_curve(cohorts, T, AFTER_DAYS)
    return by_cohort.measure_cohort_performance(SMALL, frame, T, {FIRST: cube}, curve, [FIRST])


def payments(root: Path) -> None:
    rng = np.random.default_rng(3)
    score, amount = rng.random(PAYMENTS), rng.lognormal(3, 1, PAYMENTS).round(2)
    folder = root / "payments" / f"day={FIRST}"
    folder.mkdir(parents=True)
    table = pd.DataFrame({"payment_id": np.arange(PAYMENTS), "amount_gbp": amount, "score": score})
    table.to_parquet(folder / "part-0.parquet", index=False)


@settings(max_examples=25, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(before=events(st.integers(-24 * 8, -1)), after=events(st.integers(0, 24 * 60)))
def test_what_was_known_of_a_cohort_as_of_a_day_never_changes_with_later_labels(before, after):
    with tempfile.TemporaryDirectory() as folder:
        payments(Path(folder))
        assert figures(Path(folder), before + after) == figures(Path(folder), before)


def test_later_labels_do_count_as_of_a_later_day(tmp_path):
    payments(tmp_path)
    before = [(i, True, MIDNIGHT_AFTER_T - timedelta(hours=1)) for i in range(60)]
    after = [(i, False, MIDNIGHT_AFTER_T) for i in range(30)]
    assert figures(tmp_path, before + after, T) == figures(tmp_path, before)
    assert figures(tmp_path, before + after, T + timedelta(days=1)) != figures(tmp_path, before)
