from __future__ import annotations

from pathlib import Path

import pytest

from models.errors import WatchkeeperError
from models.load import SCHEMA_FILE, SpecError, list_model_files, load_model_file, load_model_files, spec_json_schema

LEAST = """\
model: small
features: {table: small/features}
baseline: {from: 2026-01-01, to: 2026-01-31}
"""


def write(folder: Path, text: str, name: str = "small.yaml") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def problems(folder: Path, text: str, name: str = "small.yaml") -> str:
    with pytest.raises(SpecError) as caught:
        load_model_file(write(folder, text, name))
    return str(caught.value)


def test_a_model_file_needs_little(tmp_path: Path) -> None:
    spec = load_model_file(write(tmp_path, LEAST))
    assert spec.name == "Small"
    assert (spec.features.day, spec.features.id, spec.score.column) == ("day", "payment_id", "score")
    assert len(spec.baseline.days()) == 31


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("titel: x", "line 4: titel: unknown key; accepted are alerts,"),
        ("titel: x", "did you mean 'title'?"),
        ("score: {threshold: high}", "line 4: score.threshold: input should be a valid number, not 'high'"),
        ("score: {threshold: 1.5}", "outside the score's range 0.0 to 1.0"),
        ("score: {range: [1, 0]}", "score: range: 1.0 must be below 0.0"),
        ("protected: {sex: {refrence: M}}", "protected.sex.refrence: unknown key; accepted are min_rows, reference"),
        ("slices: channel", "line 4: slices: input should be a valid list"),
        ("retraining: {approval: requierd}", "did you mean 'required'?"),
        ("checks: [{a: {}, b: {}}]", "entry 1 must be one expectation type with its arguments, not 2 keys"),
        ("tier: '1'", "tier: input should be 1, 2 or 3, not '1'"),
        ("labels: {table: l, maturity: 90}", "labels.maturity: input should be less than or equal to 1, not 90"),
    ],
)
def test_a_problem_names_file_line_key_and_what_is_accepted(tmp_path: Path, line: str, said: str) -> None:
    told = problems(tmp_path, LEAST + line + "\n")
    assert told.startswith(f"{tmp_path / 'small.yaml'}: line ")
    assert said in told


def test_a_misspelt_kind_points_to_the_right_one(tmp_path: Path) -> None:
    text = LEAST.replace("{table: small/features}", "{table: t, columns: {amount_gbp: {kind: nummber}}}")
    assert "features.columns.amount_gbp.kind: " in problems(tmp_path, text)
    assert "did you mean 'number'?" in problems(tmp_path, text)


def test_every_problem_of_a_file_is_told_at_once(tmp_path: Path) -> None:
    assert len(problems(tmp_path, LEAST + "titel: x\ntier: 9\n").splitlines()) == 2


def test_a_file_that_is_not_yaml_is_told_by_its_line(tmp_path: Path) -> None:
    assert "line 2: " in problems(tmp_path, "model: [\nfeatures: }")


def test_a_list_or_an_empty_file_is_no_model_file(tmp_path: Path) -> None:
    assert "must be a mapping that starts with 'model:'" in problems(tmp_path, "- a\n")
    assert "must be a mapping that starts with 'model:'" in problems(tmp_path, "")


def test_a_model_has_the_name_of_its_file(tmp_path: Path) -> None:
    assert "'small' must be the name of its file, 'other'" in problems(tmp_path, LEAST, "other.yaml")


def test_a_missing_file_a_missing_folder_and_an_empty_one_are_told(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="no such file"):
        load_model_file(tmp_path / "none.yaml")
    with pytest.raises(WatchkeeperError, match="set WATCHKEEPER_MODELS"):
        list_model_files(tmp_path / "none")
    with pytest.raises(WatchkeeperError, match="holds no model file"):
        list_model_files(tmp_path)


def test_a_baseline_that_ends_before_it_begins_is_refused(tmp_path: Path) -> None:
    assert "to: 2026-01-31 is before from: 2026-02-01" in problems(tmp_path, LEAST.replace("01-01", "02-01"))


def test_the_demo_bank_has_three_models() -> None:
    assert [spec.model for spec in load_model_files(Path(__file__).parents[2] / "demo" / "models")] == [
        "account_opening",
        "app_scams",
        "card_payments",
    ]


def test_the_schema_for_editors_is_the_one_the_code_generates() -> None:
    assert SCHEMA_FILE.read_text() == spec_json_schema(), "run `make generate`"


@pytest.mark.parametrize(
    ("text", "count"),
    [("500 GB", 500 * 10**9), ("0.5TB", 5 * 10**11), ("1 TiB", 2**40), ("12 kB", 12_000), ("7", 7)],
)
def test_a_budget_is_a_size_in_words_or_bytes(tmp_path: Path, text: str, count: int) -> None:
    assert (
        load_model_file(write(tmp_path, LEAST + f"budget: {{bytes_per_day: {text}}}\n")).budget.bytes_per_day == count
    )


@pytest.mark.parametrize("text", ["500 gb", "GB", "'500'", "-1 GB", "1e3 GB"])
def test_a_budget_that_is_no_size_is_told_with_what_is_accepted(tmp_path: Path, text: str) -> None:
    said = problems(tmp_path, LEAST + f"budget: {{bytes_per_day: {text}}}\n")
    assert "line 4: budget.bytes_per_day: must be a size such as '500 GB', in B, kB, MB," in said


@pytest.mark.parametrize("text", ["0", "0 GB", "-5"])
def test_a_budget_of_nothing_is_refused(tmp_path: Path, text: str) -> None:
    assert "budget.bytes_per_day: input should be greater than 0" in problems(
        tmp_path, LEAST + f"budget: {{bytes_per_day: {text}}}\n"
    )


@pytest.mark.parametrize(
    ("labels", "policy", "said"),
    [
        ("{}", "{profile_days: 152}", "line 5: retention: profile_days: 152 is too short; accepted is 153 or more"),
        ("{horizon_days: 200}", "{profile_days: 296}", "profile_days: 296 is too short; accepted is 297 or more"),
        ("{horizon_days: 60, negative: {after_days: 300}}", "{profile_days: 396}", "accepted is 397 or more"),
        ("{horizon_days: 200}", "{restatement_days: 206}", "restatement_days: 206 is too short; accepted is 207"),
        ("{horizon_days: 200}", "{slice_days: 89}", "retention.slice_days: input should be greater than or equal to"),
    ],
)
def test_what_a_watched_day_still_reads_can_t_be_tidied_away(
    tmp_path: Path, labels: str, policy: str, said: str
) -> None:
    line = "labels: " + ("null" if labels == "{}" else labels.replace("{", "{table: l, ", 1))
    assert said in problems(tmp_path, f"{LEAST}{line}\nretention: {policy}\n")


@pytest.mark.parametrize("negative", ["{after_days: 730}", "explicit"])
def test_the_usual_policy_is_long_enough_for_every_horizon(tmp_path: Path, negative: str) -> None:
    labels = f"labels: {{table: l, horizon_days: 730, negative: {negative}}}\n"
    usual = load_model_file(write(tmp_path, LEAST + labels)).retention
    told = f"retention: {{profile_days: {usual.profile_days}, restatement_days: {usual.restatement_days}}}\n"
    assert load_model_file(write(tmp_path, LEAST + labels + told)).retention == usual
