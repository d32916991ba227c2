"""What other programs read of the site is what they expect: schema, feed, badge, Prometheus, dashboard, methods."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import jsonschema
import pytest
from prometheus_client.parser import text_string_to_metric_families as parsed

import catalogue
from ledger.records.measurements import Measurement
from ledger.store import Ledger
from models.spec import Spec
from reports.export import feeds
from reports.pages import methods
from reports.site import build_site
from reports.wording import states
from tests.reports import made
from tests.reports.test_browser import contrast
from tests.reports.test_site import hostile

ATOM = "{http://www.w3.org/2005/Atom}"


def test_the_json_beside_every_page_is_as_the_schema_says(site: Path) -> None:
    schema = json.loads((site / "assets/schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    kinds: dict[str, set[Path]] = defaultdict(set)
    for path in site.rglob("*.json"):
        if path.parent.name == "assets":
            continue
        folder = path.parent.name
        kind = {"days": "day", "features": "feature", "incidents": "incident", site.name: path.stem}.get(
            folder, "explore" if path.stem == "explore" else "model"
        )
        kind = "days" if (kind, path.stem) == ("day", "index") else kind
        kinds["fleet" if kind == "index" else kind].add(path)
    assert kinds.keys() == {"fleet", "model", "explore", "feature", "day", "days", "incident", "coverage", "methods"}
    for kind, paths in kinds.items():
        judge = jsonschema.Draft202012Validator({"$defs": schema["$defs"], "$ref": f"#/$defs/{kind}"})
        for path in sorted(paths)[:12]:
            judge.validate(json.loads(path.read_text(encoding="utf-8")))


def test_a_key_that_the_schema_does_not_know_is_refused(site: Path) -> None:
    schema = json.loads((site / "assets/schema.json").read_text(encoding="utf-8"))
    page = json.loads((site / "coverage.json").read_text(encoding="utf-8"))
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(page | {"more": 1}, {"$defs": schema["$defs"], "$ref": "#/$defs/coverage"})


def test_an_owners_feed_tells_each_incident_once_with_a_link_that_leads_to_it(site: Path, ledger: Ledger) -> None:
    (path,) = (site / "feeds").iterdir()
    feed = ET.parse(path).getroot()
    fired = [incident for incident in ledger.incidents() if incident.fired]
    entries = feed.findall(f"{ATOM}entry")
    ids = [entry.findtext(f"{ATOM}id") for entry in entries]
    assert len(set(ids)) == len(ids) == len(fired)
    for entry in entries:
        link = entry.find(f"{ATOM}link")
        assert link is not None
        assert (path.parent / link.attrib["href"]).exists()
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT00:00:00Z", entry.findtext(f"{ATOM}updated") or "")
    updated = [entry.findtext(f"{ATOM}updated") or "" for entry in entries]
    assert updated == sorted(updated, reverse=True)


def test_prometheus_reads_what_the_fleet_page_shows(site: Path) -> None:
    families = {family.name: family for family in parsed((site / "metrics.prom").read_text(encoding="utf-8"))}
    fleet = json.loads((site / "index.json").read_text(encoding="utf-8"))["models"]
    opened = {sample.labels["model"]: sample.value for sample in families["watchkeeper_open_incidents"].samples}
    assert opened == {card["model"]: len(card["open"]) for card in fleet}
    states = [s.labels for s in families["watchkeeper_model_state"].samples if s.value == 1]
    assert {(s["model"], s["state"]) for s in states} == {(card["model"], card["state"]) for card in fleet}
    assert all(family.documentation for family in families.values())


def test_the_dashboard_asks_for_metrics_that_there_are(site: Path) -> None:
    dashboard = json.loads((site / "assets/grafana.json").read_text(encoding="utf-8"))
    told = set(re.findall(r"^# TYPE (\w+)", (site / "metrics.prom").read_text(encoding="utf-8"), re.MULTILINE))
    asked = {
        name
        for panel in dashboard["panels"]
        for target in panel["targets"]
        for name in re.findall(r"watchkeeper_\w+", target["expr"])
    }
    assert asked
    assert asked <= told
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])


def test_a_badge_is_a_picture_that_says_the_state_and_can_be_read(site: Path) -> None:
    picture = ET.parse(site / "models/card_payments/badge.svg").getroot()
    assert picture.attrib["aria-label"] == "Card payments, real-time score: incident"
    assert set(feeds.BADGE_COLOURS) == set(states.STATE_TITLES)
    assert all(contrast("#ffffff", colour) >= 4.5 for colour in (*feeds.BADGE_COLOURS.values(), "#3a4148"))


def test_hostile_names_break_no_feed_badge_or_metric(tmp_path: Path) -> None:
    ledger, spec = hostile(tmp_path)
    build_site(ledger, [spec], tmp_path / "site")
    (feed,) = (tmp_path / "site/feeds").iterdir()
    titles = [entry.findtext(f"{ATOM}title") or "" for entry in ET.parse(feed).getroot().iter(f"{ATOM}entry")]
    assert "</script>" in titles[0]
    ET.parse(tmp_path / f"site/models/{spec.model}/badge.svg")
    (family, *_) = parsed((tmp_path / "site/metrics.prom").read_text(encoding="utf-8"))
    assert {sample.labels["owner"] for sample in family.samples} == {spec.owner}


def test_the_newest_day_is_always_under_the_same_name(site: Path) -> None:
    days = site / "models/card_payments/days"
    assert (days / "latest.json").read_bytes() == (days / f"{made.LAST}.json").read_bytes()
    assert f"url={made.LAST}.html" in (days / "latest.html").read_text(encoding="utf-8")


def every_metric(ledger: Ledger, spec: Spec) -> set[str]:
    found: list[Measurement] = ledger.measurements(spec.model)
    return {m.metric for m in found if m.monitor != "check"}


def test_every_metric_has_its_formula_its_meaning_and_its_limits(ledger: Ledger, specs: list[Spec]) -> None:
    assert [metric for metric in sorted(every_metric(ledger, specs[0])) if catalogue.find_metric(metric) is None] == []
    shown = [method for part in methods.methods_by_section().values() for method in part]
    assert {method.metric for method in shown} == catalogue.METRICS.keys() | catalogue.DERIVED.keys()
    for method in shown:
        assert all(len(text) > 1 for text in (method.title, method.formula, method.tells, method.limits)), method


def test_the_methods_page_names_every_monitor_and_every_cause_with_its_first_step(site: Path) -> None:
    machine = json.loads((site / "methods.json").read_text(encoding="utf-8"))
    assert {line["monitor"] for line in machine["monitors"]} == catalogue.MONITORS.keys()
    assert {line["cause"] for line in machine["causes"]} == catalogue.CAUSES.keys()
    steps = [line["first_step"] for line in machine["causes"]]
    assert all(steps)
    assert "{" not in "".join(steps)


def test_the_coverage_page_says_what_is_not_watched_of_whom(site: Path) -> None:
    machine: dict[str, Any] = json.loads((site / "coverage.json").read_text(encoding="utf-8"))
    blind = {line["model"]: set(line["blind"]) for line in machine["models"]}
    assert blind["card_payments"] == set()
    assert {"Performance", "Alerts", "Fairness", "Slices", "Checks"} <= blind["account_opening"]
    assert machine["models"][0]["model"] == "account_opening"
