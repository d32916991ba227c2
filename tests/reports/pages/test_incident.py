"""An incident's page leads from its cause to what it reached, and tells in words what people and messages did."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from catalogue import causes
from ledger.records.events import Event
from ledger.records.incidents import Incident, Status
from ledger.records.measurements import Measurement, Verdict
from ledger.records.messages import Message
from ledger.records.runs import Run
from ledger.store import Ledger
from models.spec import Spec
from reports import site
from reports.pages import cause_tree
from reports.pages.cause_tree import Branch
from reports.views.model_view import ModelView, no_runbook
from reports.wording.timeline import build_incident_timeline, describe_message_kind
from tests.reports import made

DAY = date(2026, 4, 30)
LONDON = ZoneInfo("Europe/London")


def texts(branch: Branch) -> dict[str, list[str]]:
    return {each.text: [leaf.text.replace("\u00a0", " ") for leaf in each.branches] for each in branch.branches}


def flood(ledger: Ledger, model: str) -> Incident:
    return next(i for i in ledger.incidents(model) if i.cause == causes.COLUMN_FAULT)


def test_the_first_step_leads_to_the_runbook_of_its_cause_where_there_is_documentation(
    ledger: Ledger, specs: list[Spec], tmp_path: Path
) -> None:
    found = flood(ledger, "card_payments")
    for folder, runbook in (("with", lambda cause: f"https://docs.example/runbook/{cause}/"), ("without", no_runbook)):
        site.build_site(ledger, specs, tmp_path / folder, runbook=runbook)
    linked = (tmp_path / "with" / found.page).read_text(encoding="utf-8")
    assert '<a href="https://docs.example/runbook/column_fault/">Runbook</a>' in linked
    assert "Runbook" not in (tmp_path / "without" / found.page).read_text(encoding="utf-8")


def test_the_tree_leads_from_the_cause_to_features_and_score(ledger: Ledger, specs: list[Spec]) -> None:
    found = cause_tree.build_cause_tree(ModelView(ledger, specs[0]), flood(ledger, "card_payments"), "The feed broke")
    assert found is not None
    assert found.text == "The feed broke"
    told = texts(found)
    assert list(told)[:3] == ["What shows it", "Reaches features", "Reaches the score"]
    assert told["What shows it"][0].startswith("Share of nulls: device_age_days: 3")
    assert len(told["Reaches features"]) == 2
    assert "It also explains 11 other breaches" in told
    quiet = next(text for text in told if text.startswith("Nothing over a limit"))
    assert "realised performance" in quiet
    assert "features" not in quiet


def test_a_figure_of_a_feature_leads_to_its_page(ledger: Ledger, specs: list[Spec]) -> None:
    found = cause_tree.build_cause_tree(ModelView(ledger, specs[0]), flood(ledger, "card_payments"), "")
    assert found is not None
    (leaf, *_) = found.branches[0].branches
    assert leaf.link == "../models/card_payments/features/device_age_days.html"


def test_a_stage_that_could_not_be_measured_is_not_called_quiet(tmp_path: object) -> None:
    ledger, spec = Ledger.open("sqlite://"), made.spec()
    base = Measurement(spec.model, DAY, DAY, "drift", "psi", "amount_gbp", "", 0.4, n=100, limit=0.1)
    failed = replace(base, monitor="score", feature="score", verdict=Verdict.ERRORED)
    young = replace(base, monitor="decay", metric="recall", feature="", verdict=Verdict.IMMATURE)
    saved = [replace(base, verdict=Verdict.BREACH), failed, replace(failed, metric="ks", verdict=Verdict.OK), young]
    ledger.save_measurements(spec.model, DAY, ("drift", "score", "decay"), saved)
    ledger.save_run(Run(spec.model, DAY, "1", 100, live=True, steps={}))
    incident = replace(made_up(spec), explained=(), explains=3)
    found = cause_tree.build_cause_tree(ModelView(ledger, spec), incident, "A shift")
    assert found is not None
    assert texts(found) == {"What shows it": ["PSI: amount_gbp: 0.400, limit 0.100"], "It also explains 3 breaches": []}
    assert (
        cause_tree.build_cause_tree(ModelView(ledger, spec), replace(incident, figures=("drift/psi/gone/",)), "A shift")
        is None
    )


def made_up(spec: Spec) -> Incident:
    return Incident(
        f"{spec.model}-1", spec.model, causes.POPULATION_SHIFT, DAY, DAY, DAY, Status.FIRING, fired=DAY,
        figures=("drift/psi/amount_gbp/",), explains=3,
    )  # fmt: skip


def test_what_people_did_stands_in_the_timeline_with_who_was_notified() -> None:
    incident = made_up(made.spec())
    at = datetime(2026, 4, 30, 5, 4, tzinfo=UTC)
    log = [
        Event(6, at, incident.model, incident.id, "system", "fired", "", {}, "", ""),
        Event(7, at, incident.model, incident.id, "on-call", "acknowledged", "looking at it", {}, "", ""),
    ]
    opened = Message(incident.id, DAY, "opened", "#fraud", "It broke", [], sent_at=at)
    messages = [opened, replace(opened, kind="handled 7"), replace(opened, kind="resolved", sent_at=None),
                replace(opened, kind="updated", sent_at=None, attempts=2, last_error="429")]  # fmt: skip
    ((day,),) = [build_incident_timeline([incident], messages, [], log, LONDON)]
    assert [text for kind, text in day["events"] if kind in ("message", "person")] == [
        "Notified (#fraud) at 06:04 BST",
        "Notified that it changed (#fraud): not delivered yet after 2 attempts: 429",
        "Notified that it is resolved (#fraud): not delivered yet",
        "Acknowledged by on-call at 06:04 BST: looking at it (notified: #fraud)",
    ]
    assert describe_message_kind(replace(opened, kind="handled 9")) == "Notified of what was done"
