"""What somebody adds from outside: a cause by its entry and one function, and figures that no cause knows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest

import catalogue
from alerting.incidents.causes import find_causes
from alerting.incidents.detection import registry
from alerting.incidents.detection.breaches import breaches_of, finding_of
from alerting.incidents.detection.registry import detectors_in_order, detects, narrows
from alerting.incidents.inhibition import Finding
from alerting.notifications.messages.incident_message import compose_message
from alerting.notifications.messages.links import Links
from alerting.notifications.routes.schema import Routes, Severity
from alerting.notifications.routes.severity import severity_of
from catalogue import CatalogueError, Cause, Inhibition, causes, registers
from ledger.records.incidents import Status
from ledger.records.measurements import Measurement
from models.spec import Spec
from tests.alerting import made
from tests.alerting.made import ARRIVED, MATURE, m, on, one_day, spec, timeline

CLOCK = Cause(
    key="clock_fault",
    title="The feed's clock is wrong",
    order=95,
    precedence=85,
    data_fault=True,
    summary="the {metric}{of_column} is {value}, limit {limit}: the clock of {table} is wrong",
    probable_cause="the job that writes the table runs with another time zone.",
    first_step="Compare the clock of the job that writes {table} with UTC.",
    inhibits=Inhibition(monitors=("drift",)),
)
AHEAD = m("drift", "clock_ahead_minutes", "created_at", 61.0, low=61.0, high=61.0, limit=5.0, reason="61 minutes ahead")


def detect_clock_fault(_: Spec, unclaimed: Sequence[Measurement]) -> Iterator[Finding]:
    yield from finding_of(CLOCK.key, breaches_of(unclaimed, "drift", {"clock_ahead_minutes"}))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Add the invented cause as a plug-in does, for one test."""
    monkeypatch.setitem(registers._causes, CLOCK.key, CLOCK)
    monkeypatch.setattr(registry, "DETECTORS", dict(registry.DETECTORS))
    registers.add_cause(CLOCK)
    detects(CLOCK.key)(detect_clock_fault)


@pytest.mark.usefixtures("clock")
def test_a_cause_is_an_entry_and_a_function_and_then_opens_an_incident_with_its_words() -> None:
    (incident,) = one_day(AHEAD, made.AMOUNT_DRIFT)
    assert (incident.cause, incident.status, incident.data_fault) == (CLOCK.key, Status.FIRING, True)
    assert incident.summary == (
        "the clock ahead minutes of `created_at` is 61 minutes, limit 5 minutes: "
        "the clock of `card_payments/features` is wrong"
    )
    assert incident.first_step == "Compare the clock of the job that writes `card_payments/features` with UTC."
    assert incident.evidence[0] == f"Probable cause: {CLOCK.probable_cause}"
    assert (incident.explains, incident.id) == (1, "card_payments-20260303-clock_fault")


@pytest.mark.usefixtures("clock")
def test_such_an_incident_is_as_severe_as_its_entry_says_and_shows_in_slack() -> None:
    (incident,) = one_day(AHEAD)
    routes = Routes.model_validate({"default": "#fraud"})
    assert severity_of(routes, spec(tier=1), incident) is Severity.PAGE
    digest = Routes.model_validate({"default": "#fraud", "digest": {"causes": [CLOCK.key]}})
    assert severity_of(digest, spec(tier=2), incident) is Severity.DIGEST
    text, blocks = compose_message(spec(), incident, "opened", Links("https://watch.example", "https://docs.example"))
    assert text.startswith("🔴 Card payments: the clock ahead minutes of created_at is 61 minutes")
    assert "First step: Compare the clock of the job" in text
    assert "https://docs.example/runbook/clock_fault/" in text
    assert "Data fault, not a change in customers." in blocks[1]["text"]["text"]


def test_a_function_without_an_entry_fails_at_import_with_one_sentence() -> None:
    with pytest.raises(CatalogueError, match=r"^cause colum_fault: .* did you mean column_fault\?$"):
        detects("colum_fault")(detect_clock_fault)
    with pytest.raises(CatalogueError, match="cause column_fault: it has a detection function already"):
        detects(causes.COLUMN_FAULT)(detect_clock_fault)


def test_an_entry_without_a_function_fails_at_import_with_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registers._causes, CLOCK.key, CLOCK)
    with pytest.raises(CatalogueError, match="cause clock_fault: no function finds it; write one and mark it @detects"):
        detectors_in_order()
    monkeypatch.setitem(registers._causes, CLOCK.key, replace(CLOCK, narrows=causes.COLUMN_FAULT))
    with pytest.raises(CatalogueError, match="@narrows"):
        detectors_in_order()


def test_a_narrower_cause_names_the_one_that_it_narrows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registers._causes, CLOCK.key, CLOCK)
    with pytest.raises(CatalogueError, match="names no broader cause"):
        narrows(CLOCK.key)(lambda _finding, _measurements: True)


def test_a_text_that_names_what_nothing_fills_is_refused() -> None:
    with pytest.raises(CatalogueError, match=r"cause x: summary names \{colum\}; accepted are column, group,"):
        registers.add_cause(replace(CLOCK, key="x", summary="{colum} is late"))


HELLINGER = made.UNKNOWN
OWN_MONITOR = m("mynew", "psi", value=0.4, low=0.35, high=0.45, limit=0.3)


def test_a_figure_that_no_cause_takes_opens_an_incident_that_must_hold_first() -> None:
    clean = [*ARRIVED, *made.ok(HELLINGER)]
    days = timeline([[*ARRIVED, HELLINGER], [*ARRIVED, HELLINGER], clean, clean])
    assert [day[0].cause for day in days] == [causes.UNCLASSIFIED_BREACH] * 4
    assert [day[0].status for day in days] == [Status.PENDING, Status.FIRING, Status.FIRING, Status.RESOLVED]
    incident = days[1][0]
    assert (incident.feature, incident.figures) == ("amount_gbp", ("drift/hellinger/amount_gbp/",))
    assert (
        incident.summary == "hellinger of `amount_gbp` is 0.31, beyond its limit of 0.1, and no known cause explains it"
    )
    assert not incident.data_fault


def test_a_monitor_that_nobody_knows_is_no_silent_one() -> None:
    (incident,) = one_day(OWN_MONITOR)
    assert (incident.cause, incident.feature) == (causes.UNCLASSIFIED_BREACH, "")
    assert incident.summary == "PSI is 0.4, beyond its limit of 0.3, and no known cause explains it"


def test_figures_of_one_column_share_an_incident_and_a_metric_over_its_limit_everywhere_is_one_too() -> None:
    in_slice = replace(HELLINGER, metric="energy", slice="channel=app")
    (incident,) = one_day(HELLINGER, in_slice)
    assert incident.figures == ("drift/hellinger/amount_gbp/", "drift/energy/amount_gbp/channel=app")
    assert incident.summary.startswith(
        "2 figures are over their limits, and no known cause explains them: Hellinger of"
    )
    two = [replace(HELLINGER, feature=f"feature_{number}") for number in range(2)]
    assert [i.feature for i in one_day(*two)] == ["feature_0", "feature_1"]
    forty = [replace(HELLINGER, feature=f"feature_{number}") for number in range(40)]
    (incident,) = one_day(*forty)
    assert (incident.feature, len(incident.figures)) == ("", 40)


def test_a_cause_that_accounts_for_a_column_accounts_for_its_unknown_figures() -> None:
    assert made.causes_of(made.UNIT_ERROR, HELLINGER) == [causes.COLUMN_FAULT]
    assert made.causes_of(made.AMOUNT_DRIFT, HELLINGER) == [causes.POPULATION_SHIFT]


SCORE_MEAN = m("check", "expect_column_mean_to_be_between", "score", 0.2, limit=0.1)


@pytest.mark.parametrize(
    "silent",
    [
        m("estimate", "recall", value=0.5, limit=0.7),
        m("check", "expect_column_values_to_be_between", "amount_gbp"),
    ],
)
def test_what_only_supports_others_or_is_a_warning_stays_silent(silent: Measurement) -> None:
    assert one_day(silent) == []


def test_what_another_figure_says_already_stays_silent() -> None:
    assert made.causes_of(made.SCORE_DRIFT, SCORE_MEAN) == [causes.SCORE_SHIFT]
    together = m("drift", "correlation_shift", value=0.4, limit=0.2)
    assert made.causes_of(together, replace(together, slice="channel=app")) == [causes.POPULATION_SHIFT]


def test_evidence_of_a_live_change_stays_with_it() -> None:
    rates = [*ARRIVED, made.SCORE_DRIFT, made.ALERT_RATE]
    days = timeline([rates, rates, [*ARRIVED, made.RECALL, made.ALERT_RATE]])
    assert [i.cause for i in days[-1]] == [causes.SCORE_SHIFT, causes.PERFORMANCE_DECAY]


def test_a_cause_that_the_catalogue_no_longer_knows_is_shown_as_it_is_and_carried_on() -> None:
    (old,) = one_day(made.NULL_FLOOD)
    gone = replace(old, cause="sunspots", id="card_payments-20260303-sunspots")
    assert (gone.cause_entry.title, gone.data_fault, gone.cause_entry.kind) == ("sunspots", False, "unexplained breach")
    found = find_causes(spec(), on(made.FIRST, *ARRIVED, HELLINGER), [gone])
    assert [finding.cause for finding in found] == [causes.UNCLASSIFIED_BREACH]
    assert "sunspots" not in catalogue.CAUSES
    text, _ = compose_message(spec(), gone, "updated", Links("https://watch.example", "https://docs.example"))
    assert "docs.example" not in text


def test_an_unclassified_breach_neither_asks_for_retraining_nor_blocks_it_and_a_request_says_so() -> None:
    from tests.alerting.retraining.test_decision import decided, firing

    unknown = firing(HELLINGER)
    alone = decided(unknown)
    assert alone.verdict == "not needed"
    assert alone.reasons == (f"{unknown[0].summary}, but an unexplained figure is no measured loss",)
    with_decay = decided([*firing(made.RECALL), *unknown], measurements=MATURE)
    assert with_decay.verdict == "requested"
    assert with_decay.excluded == ()
    assert with_decay.reasons[-1].startswith(
        "not explained yet, so look at it before learning from these days: hellinger"
    )
