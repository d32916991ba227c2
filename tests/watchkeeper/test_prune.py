from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
import yaml

from ledger.records.retraining import BaselineChange
from ledger.snapshot import snapshot_ledger
from ledger.storage import tables
from models.spec import Labels, Retention, Spec
from profiles.profile import EVERYONE
from tests.warehouse import made
from tests.warehouse.made import DAY
from tests.watchkeeper.conftest import FIRST, MODEL, Say, one_sentence
from tests.watchkeeper.counted import Counted
from watchkeeper.context import Context
from watchkeeper.pipeline import watch
from watchkeeper.pipeline.day_cache import DayCache
from watchkeeper.pipeline.load_day import load_baseline
from watchkeeper.pipeline.take_in import ensure_profile_schema, scan_baseline, scan_missing_days
from watchkeeper.prune import prune_ledger
from watchkeeper.settings import Settings

NEWEST = DAY + timedelta(days=179)
SHORTEST = Retention(profile_days=153, slice_days=90, restatement_days=63)
EVIDENCE = (tables.baselines, tables.measurements, tables.incidents, tables.runs, tables.decisions, tables.messages)


@pytest.fixture(scope="module")
def half_year(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a warehouse of 181 small days, whose frauds become known day by day."""
    root = tmp_path_factory.mktemp("half_year")
    for i in range(181):
        day = DAY + timedelta(days=i)
        made.write(root, made.payments(60, seed=i, first_id=1000 * i), day)
        late = [(1000 * j + i - j, True, f"{day}T09:00") for j in range(max(0, i - 20), i + 1)]
        made.labels(root, late, day)  # type: ignore[arg-type]
    return root


@pytest.fixture
def cards() -> Spec:
    return made.spec(labels=Labels(table="cards/labels", horizon_days=30), retention=SHORTEST)


@pytest.fixture
def watched(half_year: Path, settings: Settings, cards: Spec) -> Context:
    """Return a ledger with a profile of every day, and three watched days."""
    ctx = watch.open_context(replace(settings, warehouse=str(half_year), now="2026-08-01T00:00:00"))
    scan_missing_days(ctx, cards, ensure_profile_schema(ctx, cards), (DAY, NEWEST), (), DayCache())
    for day in (NEWEST - timedelta(days=80), NEWEST - timedelta(days=70), NEWEST):
        watch.watch_day(ctx, cards, day)
    return ctx


def days_between(ctx: Context, spec: Spec, start: date, end: date) -> list[date]:
    return list(ctx.ledger.row_counts(spec.model, ensure_profile_schema(ctx, spec).id, start, end))


def evidence(ctx: Context) -> dict[str, list[object]]:
    return {table.name: list(ctx.ledger.database.rows(sa.select(table))) for table in EVIDENCE}


def test_tidying_applies_the_policy_counted_from_the_newest_watched_day(watched: Context, cards: Spec) -> None:
    normal = [DAY + timedelta(days=i) for i in range(7)]
    concluded, before = evidence(watched), snapshot_ledger(watched.ledger)
    told = prune_ledger(watched.ledger, cards, dry_run=True)
    assert snapshot_ledger(watched.ledger) == before
    assert prune_ledger(watched.ledger, cards) == told
    assert [(each.what, each.before) for each in told] == [
        ("profiles", NEWEST - timedelta(days=153)),
        ("slices", NEWEST - timedelta(days=90)),
        ("restatements", NEWEST - timedelta(days=63)),
        ("label_versions", NEWEST - timedelta(days=7)),
    ]
    assert [each.rows for each in told[:2]] == [26 - 7, 63]
    assert told[2].rows > 0
    assert told[3].rows == 2
    assert all(each.bytes > 0 for each in told)
    assert days_between(watched, cards, DAY, NEWEST) == [
        *normal,
        *(NEWEST - timedelta(days=i) for i in reversed(range(154))),
    ]
    profiles = watched.ledger.profiles(cards.model, ensure_profile_schema(watched, cards).id, DAY, NEWEST)
    whole = {day for day, profile in profiles.items() if len(profile.features) > 1}
    assert whole == {*normal, *(NEWEST - timedelta(days=i) for i in range(91))}
    assert all(EVERYONE in profile.features and len(profile.cube.bins) > 5 for profile in profiles.values())
    assert evidence(watched) == concluded
    after = snapshot_ledger(watched.ledger)
    assert {each.rows for each in prune_ledger(watched.ledger, cards)} == {0}
    assert snapshot_ledger(watched.ledger) == after


def test_nothing_that_was_tidied_is_scanned_again_nor_changes_a_figure(watched: Context, cards: Spec) -> None:
    latest, late = NEWEST + timedelta(days=1), NEWEST - timedelta(days=6)

    def figures() -> list[object]:
        for day in (latest, late):
            watch.watch_day(watched, cards, day)
        return [watched.ledger.measurements(cards.model, as_of=day) for day in (latest, late)]

    figures()  # takes in the labels of days between the three that were watched
    expected = figures()
    prune_ledger(watched.ledger, cards)
    counted = Counted(watched.warehouse)
    ctx = replace(watched, warehouse=counted)  # type: ignore[arg-type]  # it passes everything on
    for day in (latest, late):
        watch.watch_day(ctx, cards, day)
    assert counted.scanned() == [(latest, latest), (late, late)]
    for day, own in zip((latest, late), expected, strict=True):
        again = ctx.ledger.measurements(cards.model, as_of=day)
        assert [m for m in again if m not in own] == [] == [m for m in own if m not in again]


def test_an_old_day_that_is_watched_again_after_tidying_knows_the_same_labels(watched: Context, cards: Spec) -> None:
    old = NEWEST - timedelta(days=70)
    frame = ensure_profile_schema(watched, cards)

    watch.watch_day(watched, cards, old)
    labels = watched.ledger.cohorts(cards.model, frame.id, old - timedelta(days=30), old, old)
    figures = watched.ledger.measurements(cards.model, as_of=old, monitors=("performance",))
    assert {each.what for each in prune_ledger(watched.ledger, cards) if each.rows} >= {
        "restatements",
        "label_versions",
    }
    watch.watch_day(watched, cards, old)
    assert watched.ledger.cohorts(cards.model, frame.id, old - timedelta(days=30), old, old) == labels
    again = watched.ledger.measurements(cards.model, as_of=old)  # of more days: what was known of them before is gone
    assert figures
    assert [m for m in figures if m not in again] == []


def test_a_recorded_baseline_stays_whole_and_one_recorded_later_is_scanned_anew(watched: Context, cards: Spec) -> None:
    start = DAY + timedelta(days=10)
    watched.ledger.save_baseline(BaselineChange(cards.model, NEWEST, start, start + timedelta(days=4), "promoted"))
    prune_ledger(watched.ledger, cards)
    counted = Counted(watched.warehouse)
    ctx = replace(watched, warehouse=counted)  # type: ignore[arg-type]
    frame = ensure_profile_schema(ctx, cards)
    scan_baseline(ctx, cards, frame, NEWEST, DayCache())
    assert counted.scanned() == []
    first, last = NEWEST - timedelta(days=120), NEWEST - timedelta(days=116)
    ctx.ledger.save_baseline(BaselineChange(cards.model, NEWEST + timedelta(days=1), first, last, "promoted"))
    cache, later = DayCache(), NEWEST + timedelta(days=1)
    stored = scan_baseline(ctx, cards, frame, later, cache)
    assert counted.scanned() == [(first, last)]
    baseline = load_baseline(ctx.ledger, cache, cards, stored, later)
    assert all(len(profile.features) > 1 for profile in baseline.values())


def test_a_tidying_that_is_killed_half_way_frees_nothing(watched: Context, cards: Spec) -> None:
    before = snapshot_ledger(watched.ledger)

    def kill(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if statement.startswith("DELETE FROM cohorts"):
            raise KeyboardInterrupt

    sa.event.listen(watched.ledger.engine, "before_cursor_execute", kill)
    with pytest.raises(KeyboardInterrupt):
        prune_ledger(watched.ledger, cards)
    assert snapshot_ledger(watched.ledger) == before


def test_a_model_that_was_never_watched_loses_nothing(ctx: Context, spec: Spec) -> None:
    scan_missing_days(ctx, spec, ensure_profile_schema(ctx, spec), (FIRST, FIRST), (), DayCache())
    assert [(each.before, each.rows, each.bytes) for each in prune_ledger(ctx.ledger, spec)] == [(None, 0, 0)] * 4


def test_the_command_says_what_it_frees_as_a_table_or_json(say: Say, settings: Settings) -> None:
    answer = say("prune", "--dry-run", "--json")
    rows = json.loads(answer.out)
    assert [(row["model"], row["what"], row["rows"]) for row in rows] == [
        (MODEL, "profiles", 0),
        (MODEL, "slices", 0),
        (MODEL, "restatements", 0),
        (MODEL, "label_versions", 0),
    ]
    assert "restatements" in say("prune").out
    file = settings.models / f"{MODEL}.yaml"
    file.write_text(yaml.safe_dump(yaml.safe_load(file.read_text()) | {"retention": {"profile_days": 100}}))
    sentence = one_sentence(say("prune"))
    assert "retention: profile_days: 100 is too short; accepted is 153 or more" in sentence
