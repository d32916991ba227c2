"""What a bank's plug-in adds to the catalogue shows on the pages without any change to them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

import catalogue
from catalogue import Cause, Metric, Monitor, Unit, causes, registers
from ledger.records.incidents import Incident, Status
from ledger.records.measurements import Measurement, Verdict
from ledger.records.runs import Run
from ledger.store import Ledger
from reports.site import MIN_MODELS_FOR_PROCESSES, build_site
from tests.reports import made
from tests.reports.test_site import fresh

RHYTHM = Metric(
    key="typing_rhythm",
    title="Change of typing rhythm",
    phrase="change of typing rhythm",
    formula="mean |t - t₀|",
    meaning="How far customers' typing moved.",
    caveat="Only where the app sends it.",
    section="Biometrics",
    unit=Unit.SHARE,
    monitors=("biometrics",),
)
BIOMETRICS = Monitor("biometrics", "Biometrics of the app", 65)
APP_REWRITTEN = Cause(
    key="app_rewritten",
    title="The app was rewritten",
    order=70,
    precedence=70,
    data_fault=False,
    summary="{metric} moved",
    probable_cause="a release of the app.",
    first_step="Ask the app's team.",
)


@pytest.fixture
def plug_in() -> Iterator[None]:
    """Register a metric, a monitor and a cause, and forget them afterwards."""
    with registers.added_for_now():
        catalogue.add_monitor(BIOMETRICS)
        catalogue.add_metric(RHYTHM)
        catalogue.add_cause(APP_REWRITTEN)
        yield


def breached(tmp_path: Path) -> Ledger:
    """Return a ledger in which the invented figure is over its limit, with incidents of an invented and of no cause."""
    ledger, spec, day = fresh(tmp_path), made.spec(), made.LAST
    m = Measurement(
        spec.model, day, day, "biometrics", "typing_rhythm", "", "", 0.31, 0.28, 0.34, 900, 0.1, Verdict.BREACH,
        "31 % slower, normally 2 %",
    )  # fmt: skip
    ledger.save_measurements(spec.model, day, ("biometrics",), [m])
    ledger.save_run(Run(spec.model, day, "1", 900, live=True, steps={}))
    incidents = [
        Incident(f"{cause}-1", spec.model, cause, day, day, day, Status.FIRING, fired=day, figures=(m.figure,))
        for cause in (APP_REWRITTEN.key, causes.UNCLASSIFIED_BREACH)
    ]
    ledger.save_incidents(spec.model, day, incidents)
    return ledger


def test_an_invented_metric_monitor_and_cause_show_on_every_page_and_in_its_json(tmp_path: Path, plug_in: None) -> None:
    build_site(breached(tmp_path), [made.spec()], tmp_path / "site")
    model = tmp_path / "site/models/card_payments"
    for page in (model / "index.html", model / f"days/{made.LAST}.html", tmp_path / "site/methods.html"):
        text = page.read_text(encoding="utf-8")
        assert RHYTHM.title in text, page
        assert BIOMETRICS.title in text, page
    for page in (model / "index.html", tmp_path / "site/methods.html"):
        assert APP_REWRITTEN.title in page.read_text(encoding="utf-8")
    text = (model / f"days/{made.LAST}.html").read_text(encoding="utf-8").replace("\u00a0", " ")
    assert "31 % slower, normally 2 %" in text
    for name in ("index", f"days/{made.LAST}"):
        assert '"metric":"typing_rhythm"' in (model / f"{name}.json").read_text(encoding="utf-8")
    methods = json.loads((tmp_path / "site/methods.json").read_text(encoding="utf-8"))
    assert "typing_rhythm" in [line["metric"] for line in methods["methods"]]
    assert "biometrics" in [line["monitor"] for line in methods["monitors"]]
    assert "app_rewritten" in [line["cause"] for line in methods["causes"]]


def test_an_unclassified_breach_is_shown_as_what_nothing_explains_and_never_as_a_real_change(
    tmp_path: Path, plug_in: None
) -> None:
    build_site(breached(tmp_path), [made.spec()], tmp_path / "site")
    title = catalogue.cause(causes.UNCLASSIFIED_BREACH).title
    for page in ("index.html", "models/card_payments/index.html", "incidents/unclassified_breach-1.html"):
        text = (tmp_path / "site" / page).read_text(encoding="utf-8")
        assert title in text
        assert "unexplained breach" in text or "Not explained yet" in text
    fleet = json.loads((tmp_path / "site/index.json").read_text(encoding="utf-8"))
    kinds = {found["cause"]: found["kind"] for found in fleet["models"][0]["open"]}
    assert kinds == {title: "unexplained breach", APP_REWRITTEN.title: "real change"}


def test_several_processes_know_what_was_registered(tmp_path: Path, plug_in: None) -> None:
    specs = [made.spec(), *(made.spec(f"model_{number}") for number in range(MIN_MODELS_FOR_PROCESSES - 1))]
    build_site(breached(tmp_path), specs, tmp_path / "site", processes=2)
    assert BIOMETRICS.title in (tmp_path / "site/models/card_payments/index.html").read_text(encoding="utf-8")


def test_a_ledger_whose_plug_in_is_gone_still_becomes_a_site(tmp_path: Path) -> None:
    build_site(breached(tmp_path), [made.spec()], tmp_path / "site")
    assert "app_rewritten" in (tmp_path / "site/index.html").read_text(encoding="utf-8")
