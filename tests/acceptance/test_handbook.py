"""It watches tables that aren't ours: two months of the Fraud Detection Handbook's payments, by the command line.

The user brings a folder of Parquet split by day, columns under the bank's own names, and a model file of five lines.
"""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from tests.acceptance.reference import DATA, NEEDS_DATA
from watchkeeper.cli import main

pytestmark = NEEDS_DATA

THRESHOLD = 0.5
KNOWN_AFTER_DAYS = 7  # the book's delay until a fraud is known
BASELINE = pd.Timestamp("2018-07-01"), pd.Timestamp("2018-07-20")
WATCHED = [date(2018, 7, 21) + timedelta(days=i) for i in range(60)]
LAST = WATCHED[-1]
MATURE = [day for day in WATCHED if (LAST - day).days >= KNOWN_AFTER_DAYS]
TRAINED = [date(2018, 7, 25) + timedelta(days=i) for i in range(7)]  # the forest has seen the answers of this week

SCORED = """\
model: handbook
features: {table: card_transactions, id: TRANSACTION_ID, time: TX_DATETIME}
score: {column: score_rf, threshold: 0.5, amount: TX_AMOUNT}
labels: {table: fraud_reports, id: TRANSACTION_ID, negative: {after_days: 7}, horizon_days: 30}
baseline: {from: 2018-07-01, to: 2018-07-20}
"""
WINDOWS = """\
model: %s
features:
  table: card_features
  id: TRANSACTION_ID
  time: TX_DATETIME
  columns:
    TX_AMOUNT: {kind: number}
    TX_DURING_NIGHT: {kind: category}
    CUSTOMER_ID_NB_TX_1DAY_WINDOW: {kind: number}
    CUSTOMER_ID_AVG_AMOUNT_7DAY_WINDOW: {kind: number}
    CUSTOMER_ID_NB_TX_30DAY_WINDOW: {kind: number}
    TERMINAL_ID_NB_TX_30DAY_WINDOW: {kind: number}
baseline: {from: %s, to: %s}
"""


class Watched(NamedTuple):
    """What the command line said of a model, and the folder it was said in."""

    root: Path
    statuses: list[int]
    runs: list[dict[str, Any]]
    measurements: list[dict[str, Any]]
    incidents: list[dict[str, Any]]


def say(*arguments: str) -> tuple[int, str]:
    """Run the command line as a user would; return its exit status and what it printed."""
    out, status = io.StringIO(), 0
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(out):
        patch.setattr("sys.argv", ["watchkeeper", *arguments])
        try:
            main()
        except SystemExit as stop:
            status = int(stop.code or 0)
    return status, out.getvalue()


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return an empty place for a bank, named by the settings in the environment."""
    root = tmp_path_factory.mktemp("handbook")
    (root / "models").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        for name in ("models", "warehouse", "site", "registry"):
            patch.setenv(f"WATCHKEEPER_{name.upper()}", str(root / name))
        patch.setenv("WATCHKEEPER_LEDGER", f"sqlite:///{root}/ledger.db")
        patch.setenv("WATCHKEEPER_MESSAGES", str(root / "messages.txt"))
        patch.setenv("WATCHKEEPER_HEARTBEAT", str(root / "heartbeat.json"))
        yield root


@pytest.fixture(scope="module")
def by_day(rows: pd.DataFrame) -> dict[date, pd.DataFrame]:
    return dict(iter(rows.groupby(rows.TX_DATETIME.dt.date)))


def split_by_day(rows: pd.DataFrame, table: Path, day: pd.Series) -> None:
    for of_day, part in rows.groupby(day.dt.date):
        folder = table / f"day={of_day}"
        folder.mkdir(parents=True)
        part.to_parquet(folder / "export.parquet", index=False)


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    """Return the payments of baseline and watch with the truth."""
    span = [("TX_DATETIME", ">=", BASELINE[0]), ("TX_DATETIME", "<", pd.Timestamp(LAST + timedelta(days=1)))]
    columns = ["TRANSACTION_ID", "TX_DATETIME", "CUSTOMER_ID", "TERMINAL_ID", "TX_AMOUNT", "score_rf", "TX_FRAUD"]
    return pd.read_parquet(DATA / "handbook_scored.parquet", columns=columns, filters=span)


@pytest.fixture(scope="module")
def watched(root: Path, rows: pd.DataFrame) -> Watched:
    """Write the tables, watch 59 days in one go and the last one as on a morning, and ask for what was found."""
    split_by_day(rows.drop(columns="TX_FRAUD"), root / "warehouse" / "card_transactions", rows.TX_DATETIME)
    frauds = rows[rows.TX_FRAUD == 1]
    known_at = frauds.TX_DATETIME + pd.Timedelta(days=KNOWN_AFTER_DAYS)
    reports = pd.DataFrame({"TRANSACTION_ID": frauds.TRANSACTION_ID, "is_fraud": 1, "known_at": known_at})
    split_by_day(reports, root / "warehouse" / "fraud_reports", known_at)
    (root / "models" / "handbook.yaml").write_text(SCORED)
    statuses = [say("validate")[0]]
    backfilled, before = say("backfill", "--from", str(WATCHED[0]), "--to", str(WATCHED[-2]), "--no-site", "--json")
    ran, newest = say("run", "--day", str(LAST), "--json")
    answers = [say(what, "--model", "handbook", "--json") for what in ("measurements", "incidents")]
    statuses += [backfilled, ran, *(status for status, _ in answers)]
    runs = json.loads(before) + json.loads(newest)
    return Watched(root, statuses, runs, *(json.loads(answer) for _, answer in answers))


def test_every_day_of_sixty_is_watched_and_published_and_nothing_errors(watched, by_day):
    assert watched.statuses == [0, 0, 0, 0, 0]
    assert [(run["day"], run["rows"]) for run in watched.runs] == [(str(day), len(by_day[day])) for day in WATCHED]
    assert not [m for m in watched.measurements if m["verdict"] in ("errored", "missing")]
    assert (watched.root / "site" / "models" / "handbook" / "days" / f"{LAST}.html").exists()


def test_columns_left_out_of_the_model_file_are_watched_by_their_type(watched):
    features = {m["feature"] for m in watched.measurements if m["monitor"] == "drift"}
    assert features == {"CUSTOMER_ID", "TERMINAL_ID", "TX_AMOUNT"}


@pytest.fixture(scope="module")
def performed(watched: Watched) -> dict[tuple[str, str], dict[str, Any]]:
    """Return each cohort day's figures, by day and metric."""
    return {(m["day"], m["metric"]): m for m in watched.measurements if m["monitor"] == "performance"}


@pytest.mark.parametrize(("metric", "cell_error"), [("roc_auc", 1e-4), ("pr_auc", 1e-3)])
def test_areas_under_curves_of_mature_days_are_scikit_learn_s_on_the_rows(performed, by_day, metric, cell_error):
    """The forest's votes are hundredths; only about 0.5 do two of them share a cell, and are tied."""
    function = {"roc_auc": roc_auc_score, "pr_auc": average_precision_score}[metric]
    for day in MATURE:
        of_day = by_day[day]
        found = performed[str(day), metric]
        assert found["verdict"] == "ok"
        assert found["value"] == pytest.approx(function(of_day.TX_FRAUD, of_day.score_rf), abs=cell_error), day
        assert found["low"] <= found["value"] <= found["high"]


def test_what_is_counted_at_the_threshold_is_exact_on_mature_days(performed, by_day):
    for day in MATURE:
        of_day = by_day[day]
        raised, fraud, amount = of_day.score_rf >= THRESHOLD, of_day.TX_FRAUD == 1, of_day.TX_AMOUNT
        for metric, expected, n in (
            ("recall", raised[fraud].mean(), fraud.sum()),
            ("precision", fraud[raised].mean(), raised.sum()),
            ("false_positive_rate", raised[~fraud].mean(), (~fraud).sum()),
            ("alert_rate", raised.mean(), len(of_day)),
            ("value_detection_rate", amount[raised & fraud].sum() / amount[fraud].sum(), None),
        ):
            found = performed[str(day), metric]
            assert found["value"] == pytest.approx(expected, abs=1e-9), (day, metric)
            assert n in (None, found["n"])


def test_days_whose_labels_are_still_coming_have_no_figure_that_needs_them(performed):
    for day in (day for day in WATCHED if day not in MATURE):
        assert performed[str(day), "alert_rate"]["verdict"] == "ok"
        for metric in ("precision", "roc_auc", "pr_auc", "false_positive_rate"):
            assert (performed[str(day), metric]["verdict"], performed[str(day), metric]["value"]) == ("immature", None)


def pooled(by_day: dict[date, pd.DataFrame], first: date, last: date) -> tuple[int, int, int]:
    """Return false alarms, legitimate payments and alerts of a span of days."""
    part = pd.concat([of_day for day, of_day in by_day.items() if first <= day <= last])
    raised, legitimate = part.score_rf >= THRESHOLD, part.TX_FRAUD == 0
    return int((raised & legitimate).sum()), int(legitimate.sum()), int(raised.sum())


def test_the_incidents_are_the_week_of_training_and_a_cluster_of_false_alarms(watched, by_day):
    """Both are in the rows; the simulated payments themselves never change, and no feature is ever reported.

    - 25 to 31 July: the forest was trained on that week, and knows its frauds by heart. All of them raise an alert,
      which is half as many again as on other days: a shift of the score without a shift of the features.
    - 20 to 26 August: 25 false alarms among 66,500 legitimate payments, against 26 among 190,000 in the baseline.
      17 of the 25 are at terminals with three frauds or more in the three weeks before: false alarms come in
      clusters, when a terminal that was taken over is honest again. It is in the figures, and small.
    """
    found = [(i["cause"], i["opened"], i["data_fault"]) for i in reversed(watched.incidents)]
    assert found == [
        ("score_shift", str(TRAINED[0]), False),
        ("performance_decay", "2018-09-02", False),
    ]
    breached = [m for m in watched.measurements if m["verdict"] == "breach"]
    assert {m["metric"] for m in breached} == {
        "psi", "ks", "jensen_shannon", "alert_rate", "false_positive_rate",
    }  # fmt: skip
    assert {m["day"] for m in breached if m["monitor"] == "score"} <= {str(day) for day in TRAINED}
    shift, decay = reversed(watched.incidents)
    assert (shift["status"], shift["resolved"]) == ("resolved", "2018-08-03")
    assert "false-positive rate rose to 0.0376 %" in decay["summary"]

    normal = pooled(by_day, BASELINE[0].date(), BASELINE[1].date())
    assert pooled(by_day, TRAINED[0], TRAINED[-1])[2] / 7 > 1.5 * normal[2] / 20
    alarms, legitimate, _ = pooled(by_day, date(2018, 8, 20), date(2018, 8, 26))
    assert (alarms, f"{alarms / legitimate:.4%}") == (25, "0.0376%")
    assert alarms / legitimate > 2.5 * normal[0] / normal[1]


@pytest.fixture(scope="module")
def windows(root: Path, watched: Watched) -> Path:
    """Add the book's features, whose windows fill from 1 April on; return the bank's folder."""
    columns = ["TRANSACTION_ID", "TX_DATETIME", *(line.split(":")[0].strip() for line in WINDOWS.split("\n")[6:12])]
    until = [("TX_DATETIME", "<", pd.Timestamp("2018-06-01"))]
    features = pd.read_parquet(DATA / "handbook_features_2018-04_to_2018-06.parquet", columns=columns, filters=until)
    split_by_day(features, root / "warehouse" / "card_features", features.TX_DATETIME)
    (root / "models" / "filling.yaml").write_text(WINDOWS % ("filling", "2018-04-01", "2018-04-20"))
    (root / "models" / "full.yaml").write_text(WINDOWS % ("full", "2018-05-12", "2018-05-25"))
    return root


def moved(model: str, start: str, end: str) -> set[str]:
    """Watch days through the command line and return the features of which it complains."""
    assert say("backfill", "--model", model, "--from", start, "--to", end, "--no-site")[0] == 0
    found = json.loads(say("measurements", "--model", model, "--verdict", "breach", "--json")[1])
    errored = json.loads(say("measurements", "--model", model, "--verdict", "errored", "--json")[1])
    assert not errored
    return {m["feature"] for m in found}


def test_features_whose_windows_are_still_filling_follow_the_trend_of_their_baseline_and_are_quiet(windows):
    """In the baseline a thirty-day window held ten days on average, and more each day: that is learned as a trend."""
    assert moved("filling", "2018-04-24", "2018-04-27") == set()


def test_features_whose_windows_are_full_are_quiet(windows):
    assert moved("full", "2018-05-26", "2018-05-29") == set()
    assert json.loads(say("incidents", "--model", "full", "--json")[1]) == []
