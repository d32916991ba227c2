"""A newcomer brings a table that nobody described, and gets a model file that says what was guessed and why."""

from __future__ import annotations

import io
import json
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from models.load import load_model_file
from tests.watchkeeper.conftest import Say, one_sentence
from watchkeeper.onboarding import column_names, guess

DAYS = 20


def payments() -> pd.DataFrame:
    """Return 20 days of 200 payments with columns under a bank's own names."""
    rng, n = np.random.default_rng(3), DAYS * 200
    fraud = rng.random(n) < 0.05
    channel = rng.choice(["app", "web", "phone"], n)
    return pd.DataFrame(
        {
            "PAYMENT_ID": rng.permutation(n) + 10**6,
            "paid_at": pd.Timestamp("2026-01-01") + pd.to_timedelta(np.arange(n) * 86400 // 200, unit="s"),
            "customer_id": rng.integers(0, 500, n),
            "amount": rng.lognormal(3, 1, n).round(2),
            "channel": channel,
            "age_band": rng.choice(["18-29", "30-59", "60+"], n, p=[0.2, 0.6, 0.2]),
            "days_since_launch": np.arange(n) // 200,
            "score": np.clip(rng.beta(1, 8, n) + fraud * 0.5, 0, 0.999),
            "is_fraud": fraud.astype(int),
            "fraud_type": np.where(fraud, "scam", "none"),
        }
    )


@pytest.fixture
def csv(tmp_path: Path) -> Path:
    payments().to_csv(tmp_path / "Card payments.csv", index=False)
    return tmp_path / "Card payments.csv"


@pytest.fixture
def places(tmp_path: Path) -> dict[str, str]:
    """Return empty places for model files and tables, with the newcomer's clock some days after the last payment."""
    return {"models": str(tmp_path / "mine"), "warehouse": str(tmp_path / "tables"), "now": "2026-02-20T00:00:00"}


def test_a_csv_becomes_a_model_that_validates_and_a_first_report(
    say: Say, csv: Path, places: dict[str, str], tmp_path: Path
) -> None:
    told = say("init", str(csv), "--yes", "--lay-out", **places)
    assert told.status == 0, told.err
    assert say("validate", **places).status == 0
    spec = load_model_file(tmp_path / "mine" / "card_payments.yaml")
    assert (spec.features.id, spec.features.time, spec.features.day) == ("PAYMENT_ID", "paid_at", "day")
    assert (spec.score.column, spec.score.amount, spec.score.entity) == ("score", "amount", "customer_id")
    assert spec.labels is not None
    assert (spec.labels.label, spec.labels.negative) == ("is_fraud", "explicit")
    assert spec.slices == ["channel"]
    assert {name: group.reference for name, group in spec.protected.items()} == {"age_band": "30-59"}
    assert set(spec.features.columns) == {"amount", "channel"}
    assert (spec.baseline.start, spec.baseline.end) == (date(2026, 1, 1), date(2026, 1, 14))
    assert say("suggest", "--model", "card_payments", "--write", **places).status == 0
    day = ("--from", "2026-01-15", "--to", "2026-01-16")
    watched = say("backfill", "--model", "card_payments", *day, "--fail-on", "critical", **places)
    assert watched.status == 0, watched.out + watched.err
    assert (tmp_path / "site" / "index.html").is_file()


def test_every_guess_stands_in_the_file_with_its_reason(
    say: Say, csv: Path, places: dict[str, str], tmp_path: Path
) -> None:
    say("init", str(csv), "--yes", "--lay-out", **places)
    text = (tmp_path / "mine" / "card_payments.yaml").read_text()
    for line in (
        "id: PAYMENT_ID # every row has a value of its own",
        "# days_since_launch is left out: it grows with time",
        "# fraud_type is left out: its name says that it comes from the label is_fraud",
        "as many alerts as there are frauds",
        "known_at: paid_at # the table doesn't say when is_fraud became known",
        "baseline: # the first 14 of 20 days",
    ):
        assert line in text


def test_the_files_that_are_laid_out_hold_every_row_of_their_day(
    say: Say, csv: Path, places: dict[str, str], tmp_path: Path
) -> None:
    say("init", str(csv), "--yes", "--lay-out", **places)
    folders = sorted((tmp_path / "tables" / "card_payments").iterdir())
    assert [folder.name for folder in folders] == [f"day={date(2026, 1, 1) + timedelta(days=i)}" for i in range(DAYS)]
    assert {len(pd.read_parquet(folder)) for folder in folders} == {200}


def test_an_answer_given_beforehand_is_taken_and_a_column_that_is_not_there_refused(
    say: Say, csv: Path, places: dict[str, str], tmp_path: Path
) -> None:
    assert "did you mean 'channel'?" in one_sentence(
        say("init", str(csv), "--yes", "--lay-out", "--set", "slices=chanel", "--set", "time=paid_at", **places)
    )
    assert "did you mean 'slices'?" in one_sentence(say("init", str(csv), "--yes", "--set", "slice=channel", **places))
    assert not (tmp_path / "mine").exists()
    asked = ("--set", "slices=-", "--set", "threshold=0.7", "--name", "other")
    assert say("init", str(csv), "--yes", "--lay-out", *asked, **places).status == 0
    spec = load_model_file(tmp_path / "mine" / "other.yaml")
    assert (spec.slices, spec.score.threshold) == ([], 0.7)


def test_it_asks_and_takes_what_is_typed(
    say: Say, csv: Path, places: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed = {"threshold": "0.42", "entity": "-"}
    answers = "".join(f"{typed.get(key, '')}\n" for key in asked_in_order())
    monkeypatch.setattr("sys.stdin", io.StringIO(answers))
    told = say("init", str(csv), "--lay-out", **places)
    assert told.status == 0, told.err
    spec = load_model_file(tmp_path / "mine" / "card_payments.yaml")
    assert (spec.score.threshold, spec.score.entity, spec.score.column) == (0.42, None, "score")


def test_answers_that_end_early_write_nothing(
    say: Say, csv: Path, places: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("\n\n"))
    told = say("init", str(csv), "--lay-out", **places)
    assert (told.status, "nothing was written" in told.err) == (2, True)
    assert not (tmp_path / "mine").exists()
    assert not (tmp_path / "tables").exists()


def test_a_model_file_is_never_overwritten(say: Say, csv: Path, places: dict[str, str], tmp_path: Path) -> None:
    assert say("init", str(csv), "--yes", "--lay-out", **places).status == 0
    (tmp_path / "mine" / "card_payments.yaml").write_text("mine")
    assert "is there already" in one_sentence(say("init", str(csv), "--yes", "--lay-out", **places))
    assert (tmp_path / "mine" / "card_payments.yaml").read_text() == "mine"


def test_a_csv_that_is_not_laid_out_says_how(say: Say, csv: Path, places: dict[str, str]) -> None:
    assert "add --lay-out to copy it there" in one_sentence(say("init", str(csv), "--yes", **places))


def test_folders_of_days_are_read_where_they_are(say: Say, csv: Path, places: dict[str, str], tmp_path: Path) -> None:
    assert say("init", str(csv), "--yes", "--lay-out", **places).status == 0
    again = say("init", "card_payments", "--yes", "--name", "again", **places)
    assert again.status == 0, again.err
    first, second = (load_model_file(tmp_path / "mine" / f"{name}.yaml") for name in ("card_payments", "again"))
    assert second.model_copy(update={"model": "card_payments"}) == first


def test_a_table_without_an_id_gets_numbered_rows_when_it_is_laid_out(
    say: Say, places: dict[str, str], tmp_path: Path
) -> None:
    payments().drop(columns=["PAYMENT_ID"]).to_parquet(tmp_path / "no_id.parquet")
    assert "add --lay-out to have the rows numbered" in one_sentence(
        say("init", "no_id.parquet", "--yes", **places | {"warehouse": str(tmp_path)})
    )
    assert say("init", str(tmp_path / "no_id.parquet"), "--yes", "--lay-out", **places).status == 0
    numbers = pd.concat(pd.read_parquet(f) for f in (tmp_path / "tables" / "no_id").rglob("*.parquet"))["row_id"]
    assert sorted(numbers) == list(range(1, DAYS * 200 + 1))


def test_hostile_names_and_values_stay_comments_and_texts(say: Say, places: dict[str, str], tmp_path: Path) -> None:
    table = (
        payments()
        .rename(columns={"is_fraud": "is fraud\nmodel: stolen", "channel": "chan: {nel}</script>"})
        .drop(columns="fraud_type")
    )
    table["chan: {nel}</script>"] = table["chan: {nel}</script>"].replace("app", "a, b # 'c'\"")
    table.to_parquet(tmp_path / "hostile.parquet")
    told = say("init", str(tmp_path / "hostile.parquet"), "--yes", "--lay-out", **places)
    assert told.status == 0, told.err
    spec = load_model_file(tmp_path / "mine" / "hostile.yaml")
    assert (spec.model, spec.slices) == ("hostile", ["chan: {nel}</script>"])
    assert say("suggest", "--model", "hostile", "--write", **places).status == 0
    assert say("validate", **places).status == 0


@pytest.mark.parametrize(
    ("content", "told"),
    [("a,b\n", "has no rows"), ("a,b\n1,2\n3,4\n", "a day is needed"), ("day\n2026-01-01\n", "no column has a value")],
)
def test_a_table_that_can_not_be_watched_says_what_is_missing(
    say: Say, places: dict[str, str], tmp_path: Path, content: str, told: str
) -> None:
    (tmp_path / "thin.csv").write_text(content)
    asked = ["--lay-out"] if "day" not in content else []
    place = places if asked else places | {"warehouse": str(tmp_path)}
    (tmp_path / "thin.parquet").unlink(missing_ok=True)
    name = "thin.csv"
    if not asked:
        pd.DataFrame({"day": ["2026-01-01"] * 3}).to_parquet(tmp_path / "thin.parquet")
        name = "thin.parquet"
    assert told in one_sentence(say("init", str(tmp_path / name), "--yes", *asked, **place))


def test_a_column_called_day_that_is_not_the_day_is_never_dropped(
    say: Say, places: dict[str, str], tmp_path: Path
) -> None:
    payments().assign(day=7).to_parquet(tmp_path / "payments.parquet")
    asked = ("init", str(tmp_path / "payments.parquet"), "--yes", "--lay-out", "--set", "day=paid_at")
    assert "rename it" in one_sentence(say(*asked, **places))
    assert not (tmp_path / "tables").exists()


def test_a_table_in_bigquery_is_not_looked_at_as_files(say: Say, places: dict[str, str]) -> None:
    assert "docs/how-to/bigquery.md" in one_sentence(
        say("init", "dataset.table", "--yes", **places | {"warehouse": "bigquery://bank"})
    )


def test_names_are_read_by_their_words() -> None:
    assert column_names.words_in_name("TX_DATETIME") == {"tx", "datetime"}
    assert column_names.words_in_name("isFraudLabel") == {"is", "fraud", "label"}
    assert column_names.to_model_name("2026 Card-payments!") == "model_2026_card_payments"


def asked_in_order() -> list[str]:
    return [key for key in guess.QUESTIONS if key != "label_id"]


def test_labels_in_a_table_of_their_own_are_joined_by_their_id(
    say: Say, places: dict[str, str], tmp_path: Path
) -> None:
    table = payments()
    frauds = table[table["is_fraud"] == 1]
    events = pd.DataFrame({"PAYMENT_ID": frauds["PAYMENT_ID"], "is_fraud": 1})
    events["known_at"] = frauds["paid_at"] + pd.Timedelta(days=3)
    events.to_csv(tmp_path / "reports.csv", index=False)
    table.drop(columns=["is_fraud", "fraud_type"]).to_csv(tmp_path / "scored.csv", index=False)
    asked = ("init", str(tmp_path / "scored.csv"), "--labels", str(tmp_path / "reports.csv"), "--yes", "--lay-out")
    told = say(*asked, **places)
    assert told.status == 0, told.err
    labels = load_model_file(tmp_path / "mine" / "scored.yaml").labels
    assert labels is not None
    assert (labels.table, labels.id, labels.known_at) == ("scored_labels", "PAYMENT_ID", "known_at")
    assert labels.negative != "explicit"
    found = json.loads(say("doctor", "--json", **places).out)
    (of_labels,) = [each for each in found if each["looked_at"] == "scored: labels"]
    assert of_labels["state"] == "ok"
    assert "half of the frauds after 3 days" in of_labels["told"]


def test_suggestions_are_written_once_and_comments_stay(
    say: Say, csv: Path, places: dict[str, str], tmp_path: Path
) -> None:
    say("init", str(csv), "--yes", "--lay-out", "--set", "slices=-", **places)
    file = tmp_path / "mine" / "card_payments.yaml"
    before = file.read_text()
    assert say("suggest", "--model", "card_payments", "--write", **places).status == 0
    written = file.read_text()
    content = yaml.safe_load(written)
    assert content["slices"] == ["channel"]
    assert len(content["checks"]) > 5
    assert [line for line in before.splitlines() if not line.startswith("slices")] == [
        line for line in written.splitlines() if line in before.splitlines() and not line.startswith("slices")
    ][: len(before.splitlines()) - 1]
    assert "# half of the smallest to twice the largest day: 200 to 200 rows" in written
    again = say("suggest", "--model", "card_payments", "--write", **places)
    assert (again.status, "nothing written" in again.out, file.read_text() == written) == (0, True, True)
