"""Five watched days, one of them broken, judged again in memory."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
import yaml

from catalogue import causes
from ledger.snapshot import snapshot_ledger
from models.errors import WatchkeeperError
from models.load import load_changed_spec
from models.spec import Spec
from tests.watchkeeper.conftest import BROKEN, FROM, MODEL, TO, Say, days, one_sentence
from watchkeeper.context import Context
from watchkeeper.pipeline.take_in import ensure_profile_schema
from watchkeeper.settings import Settings
from watchkeeper.whatif.history import conclude_days, fired_incidents, load_history
from watchkeeper.whatif.replay import refused_changes, replay_content, replay_days


def rules(path: Path, **keys: object) -> Path:
    path.write_text(yaml.safe_dump(keys))
    return path


def test_todays_rules_say_again_what_the_watch_said_without_a_table_or_a_write(watched: Context, spec: Spec) -> None:
    before = snapshot_ledger(watched.ledger)
    past = load_history(watched, spec, FROM, TO)
    again = conclude_days(spec, past.days, lambda day: past.measured(spec, day))
    for day in days(FROM, TO):
        wanted = [i for i in watched.ledger.incidents(MODEL, as_of=day) if i.concluded == day]
        assert [i for i in again[day] if i.status != "withdrawn"] == wanted
    assert [(i.cause, i.feature, i.fired) for i in fired_incidents(again)] == [
        (causes.COLUMN_FAULT, "session_minutes", BROKEN)
    ]
    assert snapshot_ledger(watched.ledger) == before


def test_every_figure_of_every_day_is_measured_again_to_the_last_digit_whatever_days_were_before_it(
    watched: Context, spec: Spec
) -> None:
    past = load_history(watched, spec, FROM, TO)
    of_cohorts = ("performance", "nowcast")  # those of days whose labels changed are stored only
    for day in [*reversed(past.days), *past.days]:
        stored = [m for m in watched.ledger.measurements(MODEL, as_of=day) if m.monitor not in of_cohorts]
        again = [m for m in past.measured(spec, day) if m.monitor not in of_cohorts]
        assert sorted(again, key=repr) == sorted(stored, key=repr), day


def test_looser_rules_miss_what_todays_catch_and_strict_ones_tell_more(
    watched: Context, spec: Spec, tmp_path: Path
) -> None:
    loose = replay_days(watched, spec, FROM, TO, rules(tmp_path / "loose.yaml", alerts={"limits": {"null_share": 0.5}}))
    (only,) = loose.incidents
    assert (only.incident.feature, only.today, only.changed) == ("session_minutes", BROKEN, None)
    features = spec.features.model_dump(by_alias=True, exclude_unset=True) | {"arrives_by": "00:01"}
    strict = replay_days(watched, spec, FROM, TO, rules(tmp_path / "strict.yaml", features=features))
    assert (strict.alert_count(changed=False), strict.alerts_per_week(changed=False)) == (1, 7 / 5)
    assert strict.alert_count(changed=True) > 1
    assert {t.incident.cause for t in strict.incidents if t.today is None} == {causes.LATE_PARTITION}
    assert replay_content(strict)["changed"]["pages"] == strict.alert_count(changed=True)


def test_another_baseline_is_in_force_on_every_day(watched: Context, spec: Spec, tmp_path: Path) -> None:
    other = load_changed_spec(
        rules(tmp_path / "rules.yaml", baseline={"from": date(2026, 1, 1), "to": date(2026, 1, 7)}), spec
    )
    reasons = [
        m.reason for m in load_history(watched, spec, FROM, TO).under(other, new_baseline=True).measured(other, TO)
    ]
    assert any("7 baseline days" in reason for reason in reasons)
    early = {"from": date(2020, 1, 1), "to": date(2020, 1, 7)}
    never = load_changed_spec(rules(tmp_path / "rules.yaml", baseline=early), spec)
    with pytest.raises(WatchkeeperError, match="holds no profile of 2020-01-01 to 2020-01-07"):
        load_history(watched, spec, FROM, TO).under(never, new_baseline=True)


@pytest.mark.parametrize(
    ("keys", "problem"),
    [
        ({"score": {"column": "score", "threshold": 0.04}}, "score.threshold: needs the tables to be read again"),
        ({"slices": ["payment_reason"]}, "slices: 'payment_reason' was never profiled"),
        ({"slices": ["sex"]}, "slices: 'sex' was profiled as a protected column only"),
        ({"checks": []}, "checks: needs the tables to be read again"),
    ],
)
def test_what_would_need_a_scan_is_refused_in_a_sentence(
    ctx: Context, spec: Spec, tmp_path: Path, keys: dict[str, object], problem: str
) -> None:
    other = load_changed_spec(rules(tmp_path / "rules.yaml", **keys), spec)
    assert any(said.startswith(problem) for said in refused_changes(spec, other, ensure_profile_schema(ctx, spec)))


def test_limits_importances_and_a_feature_left_out_need_no_scan(ctx: Context, spec: Spec, tmp_path: Path) -> None:
    features = spec.features.model_dump(by_alias=True, exclude_unset=True)
    del features["columns"]["hour"]
    features["columns"]["amount_gbp"]["importance"] = 0.5
    other = load_changed_spec(
        rules(tmp_path / "rules.yaml", alerts={"pending_days": 1}, features=features, slices=[], protected={}), spec
    )
    assert refused_changes(spec, other, ensure_profile_schema(ctx, spec)) == []


def test_the_command_answers_people_and_machines_and_refuses_in_a_sentence(
    say: Say, watched: Context, settings: Settings, tmp_path: Path
) -> None:
    span = ("replay", "--model", MODEL, "--from", str(FROM), "--to", str(TO))
    told = say(*span)
    assert told.status == 0, told.err
    assert "Today's rules: 1 page, 1.4 a week." in told.out
    file = rules(tmp_path / "rules.yaml", alerts={"limits": {"null_share": 0.5}})
    answer = json.loads(say(*span, "--rules", str(file), "--json").out)
    assert (answer["today"]["pages"], answer["changed"]["pages"]) == (1, 0)
    assert answer["incidents"][0]["changed"] is None
    assert "miss 1 incident of today's and add 0" in say(*span, "--rules", str(file)).out
    wrong = one_sentence(say(*span, "--rules", str(rules(tmp_path / "rules.yaml", alerts={"pending": 1}))))
    assert "alerts.pending: unknown key" in wrong
    late = one_sentence(say("replay", "--model", MODEL, "--from", "2027-01-01", "--to", "2027-01-02"))
    assert "no day from 2027-01-01 to 2027-01-02 was watched" in late
