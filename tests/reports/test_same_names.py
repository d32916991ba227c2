"""A metric has one name, wherever a person meets it: in a message, on a page, in JSON, at the command line, in docs."""

from __future__ import annotations

from datetime import date

import pytest

import catalogue
from alerting.incidents.conclude import conclude_incidents
from ledger.records.measurements import Measurement, Verdict
from reports.pages import methods
from reports.wording import naming
from tests.reports import made
from watchkeeper import reference
from watchkeeper.cli import show

DAY = date(2026, 4, 30)
REFERENCE = reference.reference_pages()["metrics.md"]
METHODS = {method.metric: method.title for part in methods.methods_by_section().values() for method in part}
DERIVED = ("recall_ratio", "false_positive_rate_difference", "recall_estimate_error", "worst_recall")


def measured(metric: str) -> Measurement:
    return Measurement(
        "card_payments", DAY, DAY, "biometrics", metric, value=0.4, limit=0.1, n=900, verdict=Verdict.BREACH
    )


@pytest.mark.parametrize("metric", [*catalogue.METRICS, *DERIVED])
def test_a_metric_has_the_catalogues_name_in_message_page_and_command_line(metric: str) -> None:
    entry = catalogue.metric(metric)
    (incident,) = conclude_incidents(made.spec(), DAY, [measured(metric)], [])
    assert entry.phrase in incident.summary
    assert naming.metric_title(metric) == entry.title
    assert list(show.measurement_table([measured(metric)]).columns[3].cells) == [entry.title]


@pytest.mark.parametrize("metric", catalogue.METRICS)
def test_a_metric_has_the_catalogues_name_on_the_methods_page_and_in_the_reference(metric: str) -> None:
    entry = catalogue.metric(metric)
    assert METHODS[metric] == entry.title
    assert f"| `{metric}` | {entry.title} |" in REFERENCE


@pytest.mark.parametrize("metric", catalogue.METRICS)
def test_the_phrase_of_a_sentence_begins_as_the_title_does(metric: str) -> None:
    entry = catalogue.metric(metric)
    assert entry.title.lower().startswith(entry.phrase.lower())
