"""A statistic, a monitor and a cause from outside, an entry and a function each, show wherever the built-in ones do."""

from __future__ import annotations

import html
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

import catalogue
from alerting.incidents.detection import registry as detection
from alerting.incidents.detection.breaches import breaches_of, finding_of
from alerting.incidents.detection.registry import detects
from alerting.incidents.inhibition import Finding
from catalogue import Cause, Effect, Evidence, Limit, Metric, Monitor, Unit, causes
from ledger.records.incidents import Incident, Status
from ledger.records.measurements import Measurement, Verdict
from models.spec import Spec
from monitors import registry as monitor_registry
from monitors.inputs import DayInputs
from monitors.registry import monitor
from monitors.stats.registry import registered_for_now, statistic
from profiles.bins import Floats
from simulator import incidents as trouble
from simulator.bank import build_bank
from tests.watchkeeper.conftest import FIRST, MODEL, Say, days
from watchkeeper.context import Context
from watchkeeper.pipeline import watch
from watchkeeper.pipeline.day_cache import DayCache
from watchkeeper.settings import Settings

BEGAN, TO = date(2026, 1, 20), date(2026, 1, 22)

HELLINGER = Metric(
    key="hellinger",
    title="Hellinger distance",
    phrase="Hellinger distance",
    formula="√(½ Σ (√p − √q)²)",
    meaning="How far a distribution moved, from 0 to 1.",
    caveat="Small samples make it larger by chance.",
    section="Drift, a day against the baseline",
    effect=Effect.DISTANCE,
    minimum_effect=0.05,
    limit=Limit.DAILY_DISTANCES,
    columns=("number",),
    evidence=Evidence.SOFT,
)
BRANCHES = Monitor("branches", "Branches of the bank", 65)
BUSY_BRANCHES = Metric(
    key="busy_branches",
    title="Share of busy branches",
    phrase="share of busy branches",
    formula="busy branches / branches",
    meaning="How many branches are busy.",
    caveat="A branch counts once.",
    section="Branches",
    unit=Unit.SHARE,
    limit=Limit.FIXED,
    monitors=("branches",),
)
CLOSED_BRANCHES = Metric(
    key="closed_branches",
    title="Share of closed branches",
    phrase="share of closed branches",
    formula="closed branches / branches",
    meaning="How many branches are closed.",
    caveat="A branch counts once.",
    section="Branches",
    unit=Unit.SHARE,
    limit=Limit.FIXED,
    monitors=("branches",),
)
BRANCH_RUSH = Cause(
    key="branch_rush",
    title="Customers rush to the branches",
    order=75,
    precedence=75,
    data_fault=True,
    summary="the {metric} is {value}, limit {limit}",
    probable_cause="the app is down, so customers come to the branches.",
    first_step="Ask whether the app is down.",
)


def hellinger(today: Floats, before: Floats) -> Floats:
    p, q = today / today.sum(axis=1, keepdims=True), before / before.sum(axis=1, keepdims=True)
    return np.asarray(np.sqrt(((np.sqrt(p) - np.sqrt(q)) ** 2).sum(axis=1) / 2))


def measure_branches(inputs: DayInputs) -> list[Measurement]:
    """Return an invented figure of a branch's cause, and one that no cause knows."""
    rows = inputs.profile.rows if inputs.profile else 0

    def over_its_limit(metric: str) -> Measurement:
        return Measurement(
            inputs.spec.model, inputs.day, inputs.day, "branches", metric, value=0.61, low=0.58, high=0.64, n=rows,
            limit=0.4, verdict=Verdict.BREACH, reason="61 %, normally 12 %",
        )  # fmt: skip

    return [over_its_limit("busy_branches"), over_its_limit("closed_branches")]


def detect_branch_rush(_: Spec, unclaimed: Sequence[Measurement]) -> Iterator[Finding]:
    yield from finding_of(BRANCH_RUSH.key, breaches_of(unclaimed, "branches", {"busy_branches"}))


@pytest.fixture
def _plug_in(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Add them as a plug-in does when it is imported, for one test."""
    monkeypatch.setattr(monitor_registry, "_functions", dict(monitor_registry._functions))
    monkeypatch.setattr(detection, "DETECTORS", dict(detection.DETECTORS))
    with catalogue.added_for_now(), registered_for_now():
        catalogue.add_metric(HELLINGER)
        statistic("hellinger", largest=1.0)(hellinger)
        catalogue.add_monitor(BRANCHES)
        catalogue.add_metric(BUSY_BRANCHES)
        catalogue.add_metric(CLOSED_BRANCHES)
        monitor("branches")(measure_branches)
        catalogue.add_cause(BRANCH_RUSH)
        detects(BRANCH_RUSH.key)(detect_branch_rush)
        yield


@pytest.fixture
def watched_bank(tmp_path: Path, bank: Path, settings: Settings, _plug_in: None) -> Context:
    """Return a context on a bank whose customers changed, its last days watched live and its site built."""
    root = tmp_path / "moved"
    for file in bank.rglob("*.parquet"):
        if not any(f"features/day={day}" in file.as_posix() for day in days(BEGAN, TO)):
            (root / file.relative_to(bank)).parent.mkdir(parents=True, exist_ok=True)
            (root / file.relative_to(bank)).hardlink_to(file)
    moved = trouble.population_shift(MODEL, 0.5, BEGAN, scale={"session_minutes": 3.0}, levels={})
    build_bank(root, [MODEL], BEGAN, TO, 7, [moved])
    ctx = watch.open_context(replace(settings, warehouse=str(root)))
    (spec,) = watch.load_specs(ctx.settings)
    cache = DayCache()
    for day in days(BEGAN, TO):
        watch.watch_day(ctx, spec, day, cache=cache)
    watch.publish_site(ctx, [spec])
    return ctx


def plain(path: Path) -> str:
    return html.unescape(path.read_text(encoding="utf-8")).replace("\u00a0", " ")


def incident_of(ctx: Context, cause: str) -> Incident:
    return next(i for i in ctx.ledger.incidents(MODEL) if i.cause == cause)


def test_they_are_found_in_measurements_limits_incidents_messages_pages_json_and_replay(
    watched_bank: Context, say: Say, tmp_path: Path
) -> None:
    ctx = watched_bank
    found = {(m.metric, m.feature): m for m in ctx.ledger.measurements(MODEL, as_of=TO)}
    moved = found["hellinger", "session_minutes"]
    assert moved.verdict is Verdict.BREACH
    assert moved.limit is not None
    assert moved.value is not None
    assert moved.limit < moved.value
    assert "baseline days" in moved.reason  # its limit was learned like any other
    assert found["hellinger", "call_minutes"].verdict is Verdict.OK
    assert found["busy_branches", ""].verdict is Verdict.BREACH

    rush = incident_of(ctx, BRANCH_RUSH.key)
    assert (rush.status, rush.data_fault, rush.fired) == (Status.FIRING, True, BEGAN)
    assert rush.summary == "the share of busy branches is 61 %, limit 40 %"
    assert "drift/hellinger/session_minutes/" in incident_of(ctx, causes.POPULATION_SHIFT).figures
    unclassified = incident_of(ctx, causes.UNCLASSIFIED_BREACH)
    assert unclassified.status is Status.FIRING
    assert "branches/closed_branches//" in unclassified.figures

    messages = {m.incident: m for m in ctx.ledger.messages() if m.kind == "opened"}
    for incident, said in ((rush, "share of busy branches"), (unclassified, "hare of closed branches")):
        assert said in json.dumps(messages[incident.id].blocks)
        assert said in messages[incident.id].text
    assert BRANCH_RUSH.first_step in messages[rush.id].text
    assert "Hellinger distance" in json.dumps(messages[incident_of(ctx, causes.POPULATION_SHIFT).id].blocks)

    model = ctx.settings.site / "models" / MODEL
    for title in (HELLINGER.title, BUSY_BRANCHES.title, CLOSED_BRANCHES.title, BRANCHES.title):
        for page in (model / f"days/{TO}.html", ctx.settings.site / "methods.html"):
            assert title in plain(page), (title, page)
    assert BRANCHES.title in plain(model / "index.html")
    assert BRANCH_RUSH.title in plain(model / "index.html")
    assert "Hellinger distance" in plain(model / "features/session_minutes.html")
    for metric in ("hellinger", "busy_branches", "closed_branches"):
        assert f'"metric":"{metric}"' in (model / f"days/{TO}.json").read_text(encoding="utf-8")
        assert metric in (ctx.settings.site / "methods.json").read_text(encoding="utf-8")

    rules = tmp_path / "rules.yaml"
    rules.write_text("alerts: {limits: {hellinger: 0.9}}\n")
    ctx.ledger.close()
    answer = say(
        "replay", "--model", MODEL, "--from", str(BEGAN), "--to", str(TO), "--rules", str(rules), "--json",
        warehouse=str(tmp_path / "moved"),
    )  # fmt: skip
    replayed = json.loads(answer.out)
    assert {i["cause"] for i in replayed["incidents"]} >= {BRANCH_RUSH.key, causes.UNCLASSIFIED_BREACH}


def test_without_them_nothing_of_them_is_known() -> None:
    assert "hellinger" not in catalogue.METRICS
    assert "branches" not in catalogue.MONITORS
    assert "branch_rush" not in catalogue.CAUSES
    assert FIRST < BEGAN
