"""What a watched day measures is what the catalogue has."""

from __future__ import annotations

import catalogue
from ledger.store import Ledger
from tests.watchkeeper.conftest import LAST, MODEL, Say
from watchkeeper.settings import Settings


def test_every_figure_of_watched_days_has_its_monitor_and_its_metric_in_the_catalogue(
    say: Say, settings: Settings
) -> None:
    assert say("run", "--day", str(LAST)).status in (0, 1)
    found = {(m.monitor, m.metric) for m in Ledger.open(settings.ledger).measurements(MODEL)}
    assert {monitor for monitor, _ in found} >= {"arrival", "schema", "drift", "score", "fault", "slow", "decay"}
    assert sorted(figure for figure in found if not catalogue.measures(*figure)) == []
