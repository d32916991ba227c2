"""What Prometheus scrapes: how the watch stands, for a bank's own dead man's switch and dashboards."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, time

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from ledger.records.incidents import Incident, Status
from service.responses import ModelAnswer

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def render_metrics(statuses: Iterable[ModelAnswer], incidents: Iterable[Incident], waiting: int) -> bytes:
    """Return the figures as Prometheus reads them; ``waiting`` counts the messages that weren't delivered yet."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_WatchCollector(list(statuses), list(incidents), waiting))
    return generate_latest(registry)


class _WatchCollector(Collector):
    def __init__(self, statuses: list[ModelAnswer], incidents: list[Incident], waiting: int) -> None:
        self.statuses, self.incidents, self.waiting = statuses, incidents, waiting

    def describe(self) -> Iterator[Metric]:
        return iter(())

    def collect(self) -> Iterator[Metric]:
        watched = GaugeMetricFamily(
            "watchkeeper_newest_watched_day_seconds", "The newest watched day, as its midnight UTC.", labels=["model"]
        )
        overdue = GaugeMetricFamily(
            "watchkeeper_overdue", "1 while a model was not watched as late as it must have been.", labels=["model"]
        )
        for status in self.statuses:
            if status.newest_day:
                midnight = datetime.combine(status.newest_day, time(), UTC)
                watched.add_metric([status.model], midnight.timestamp())
            overdue.add_metric([status.model], float(status.health in {"overdue", "unwatched"}))
        counts = Counter((i.model, i.status) for i in self.incidents)
        incidents = GaugeMetricFamily(
            "watchkeeper_incidents", "Incidents by where they are in their life.", labels=["model", "status"]
        )
        money = GaugeMetricFamily(
            "watchkeeper_at_stake_gbp_per_day", "Money at stake in a model's firing incidents.", labels=["model"]
        )
        for status in self.statuses:
            for each in (Status.PENDING, Status.FIRING, Status.RESOLVED):
                incidents.add_metric([status.model, each], counts[status.model, each])
            firing = [i for i in self.incidents if i.model == status.model and i.status is Status.FIRING]
            money.add_metric([status.model], sum(i.amount_gbp_per_day or 0.0 for i in firing))
        yield from (watched, overdue, incidents, money)
        yield GaugeMetricFamily(
            "watchkeeper_messages_waiting", "Messages that wait to be delivered.", value=self.waiting
        )
