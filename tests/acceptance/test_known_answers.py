"""Published answers on data that others made; skipped where the data isn't there."""

from __future__ import annotations

from datetime import UTC, date, datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from ledger.records.measurements import Verdict
from models.spec import Spec
from monitors.fairness import group_rates
from monitors.performance import figures
from monitors.performance.maturity import learn_delay_curve
from monitors.stats import ranking
from profiles.bins import score_grid
from profiles.profile import COUNT, FRAUD, LEGITIMATE
from tests.acceptance.reference import DATA, NEEDS_DATA
from warehouse.duckdb.warehouse import ParquetWarehouse

pytestmark = NEEDS_DATA


def rows(name, columns):
    table = pq.read_table(DATA / name, columns=columns)
    return {column: table[column].to_numpy() for column in columns}


def part(score, fraud, threshold=0.5):
    """Return the cube's array of labelled scores in [0, 1]."""
    grid = score_grid(0.0, 1.0, threshold)
    made = np.zeros((2 * grid.half, 4, 3), np.int64)
    state = np.where(fraud, FRAUD, LEGITIMATE)
    np.add.at(made, (grid.bin_of(np.asarray(score, float)) + grid.half, state, COUNT), 1)
    return made


@pytest.mark.parametrize(
    ("column", "auc", "ap"),
    [("score_lr", 0.870, 0.605), ("score_dt2", 0.763, 0.496), ("score_rf", 0.867, 0.658)],
)
def test_the_handbook_s_table_of_auc_and_average_precision(column, auc, ap):
    data = rows("handbook_scored.parquet", ["TX_FRAUD", "in_book_test", column])
    tested = data["in_book_test"]
    made = part(data[column][tested], data["TX_FRAUD"][tested] == 1)
    assert (made[:, FRAUD, COUNT].sum(), made[:, :, COUNT].sum()) == (385, 58_264)
    frauds, legitimate = made[:, FRAUD, COUNT], made[:, LEGITIMATE, COUNT]
    for found, published, cell_error in (
        (ranking.roc_auc(frauds, legitimate), auc, 0.001),
        (ranking.average_precision(frauds, legitimate), ap, 0.005),
    ):
        assert found.value == pytest.approx(published, abs=0.0005 + cell_error)
        assert found.low < published < found.high


def test_nannyml_s_car_loan_by_chunk_of_5000():
    realised = [0.970962, 0.970248, 0.976282, 0.967721, 0.969886, 0.960050, 0.958530, 0.959041, 0.963094, 0.957556]
    data = rows("nannyml_car_loan.parquet", ["part", "y_pred_proba", "repaid"])
    analysis = data["part"] == "analysis"
    score, label = data["y_pred_proba"][analysis], data["repaid"][analysis] == 1
    for chunk, expected in enumerate(realised):
        at = slice(5000 * chunk, 5000 * (chunk + 1))
        made = part(score[at], label[at])
        assert ranking.roc_auc(made[:, FRAUD, COUNT], made[:, LEGITIMATE, COUNT]).value == pytest.approx(
            expected, abs=5e-4
        )


RECIDIVISM = Spec.model_validate(
    {
        "model": "compas",
        "features": {"table": "compas", "id": "id"},
        "score": {"threshold": 0.5},
        "labels": {"table": "outcomes", "id": "id", "label": "two_year_recid", "negative": "explicit",
                   "horizon_days": 1},
        "protected": {"race": {"reference": "Caucasian", "min_rows": 20}},
        "baseline": {"from": date(2026, 1, 1), "to": date(2026, 1, 1)},
    }
)  # fmt: skip


@pytest.fixture(scope="module")
def compas(tmp_path_factory):
    """Return what the product reads of COMPAS tables: 'fraud' is recidivism, an alert is medium or high risk."""
    root, day = tmp_path_factory.mktemp("compas"), RECIDIVISM.baseline.start
    table = pq.read_table(DATA / "compas_scores_two_years.parquet", columns=["id", "race", "score_text"])
    low = pc.equal(table["score_text"], "Low")
    scored = table.drop_columns("score_text").append_column("score", pc.if_else(low, 0.1, 0.9))
    outcomes = pq.read_table(DATA / "compas_scores_two_years.parquet", columns=["id", "two_year_recid"])
    outcomes = outcomes.append_column("known_at", pa.array([datetime(2026, 1, 2, tzinfo=UTC)] * len(outcomes)))
    for name, content in (("compas", scored), ("outcomes", outcomes)):
        (root / name / f"day={day}").mkdir(parents=True)
        pq.write_table(content, root / name / f"day={day}" / "part-0.parquet")
    warehouse, as_of = ParquetWarehouse(root), date(2026, 1, 5)
    frame = warehouse.fit_profile_schema(RECIDIVISM)
    cohorts = warehouse.label_changes(RECIDIVISM, frame, day, day, None, as_of)
    cube = warehouse.profile(RECIDIVISM, frame, day, day)[day].cube.labelled(cohorts[day].labels)
    measured = group_rates.measure_group_rates(
        RECIDIVISM, frame, as_of, {day: cube}, learn_delay_curve(cohorts, as_of, 1)
    )
    return cube, {(m.metric, m.slice): m for m in measured}


def test_compas_false_positive_rates_by_group_and_groups_too_small_to_tell(compas):
    _, found = compas
    rate = "false_positive_rate"
    for race, events, n, low, high in (
        ("African-American", 805, 1795, 0.425, 0.472),
        ("Caucasian", 349, 1488, 0.213, 0.257),
        ("Asian", 2, 23, 0.011, 0.280),
    ):
        m = found[rate, f"race={race}"]
        assert (m.value, m.n) == (pytest.approx(events / n), n)
        assert (m.low, m.high) == pytest.approx((low, high), abs=6e-4)
    ratio = found[f"{rate}_ratio", "race=African-American"]
    assert ratio.value == pytest.approx(0.4485 / 0.2345, abs=1e-3)
    assert ratio.verdict is Verdict.BREACH
    for miss, race in ((0.2799, "African-American"), (0.4772, "Caucasian")):
        assert 1 - found["true_positive_rate", f"race={race}"].value == pytest.approx(miss, abs=6e-5)
    for race in ("Asian", "Native American"):
        for metric in (rate, f"{rate}_difference", f"{rate}_ratio"):
            assert found[metric, f"race={race}"].verdict is Verdict.INSUFFICIENT
    assert found[rate, "race=Native American"].value is None  # eighteen people are fewer than may be shown


def test_compas_counts_of_the_smallest_group(compas):
    cube, _ = compas
    counts = figures.count_confusion(cube.bins["race", "Native American"])
    assert (counts.false_alarms, counts.legitimate) == (3, 8)
