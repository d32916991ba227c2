from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from catalogue import causes
from ledger.records.incidents import Incident, Status
from ledger.records.measurements import Measurement, Verdict
from models.spec import Spec
from tests.alerting.conftest import slack
from tests.alerting.notifications.channels.slack.server import CHANNEL_NAME, TOKEN, Slack
from tests.watchkeeper.conftest import MODEL
from watchkeeper.context import Context
from watchkeeper.pipeline import notifying, watch
from watchkeeper.pipeline.picture import CHART_DAYS, incident_chart
from watchkeeper.settings import Settings

__all__ = ["slack"]
BAD = date(2026, 1, 20)
INCIDENT = Incident(
    f"{MODEL}-20260120-column_fault-session_minutes", MODEL, causes.COLUMN_FAULT, BAD, BAD, BAD, Status.FIRING,
    feature="session_minutes", summary="`session_minutes` is 31 % empty",
    figures=("drift/null_share/session_minutes/",),
)  # fmt: skip


@pytest.fixture
def ctx(settings: Settings, slack: Slack) -> Context:
    told = {"slack_token": TOKEN, "slack_channel": CHANNEL_NAME, "slack_base_url": slack.url}
    return watch.open_context(replace(settings, **told))  # type: ignore[arg-type]


def measured(ctx: Context, days: int, metric: str = "null_share") -> None:
    """Save a figure of so many days up to the bad one, quiet but for that."""
    for back in range(days):
        day, bad = BAD - timedelta(days=back), back == 0
        m = Measurement(
            MODEL, day, day, "drift", metric, "session_minutes", "", 0.31 if bad else 0.002, n=1000,
            limit=0.01, verdict=Verdict.BREACH if bad else Verdict.OK,
        )  # fmt: skip
        ctx.ledger.save_measurements(MODEL, day, ["drift"], [m, replace(m, slice="channel=app", value=0.9)])


def test_the_first_message_brings_a_picture_of_its_strongest_figure_into_the_thread(
    ctx: Context, spec: Spec, slack: Slack
) -> None:
    measured(ctx, 10)
    ctx.ledger.save_incidents(MODEL, BAD, [INCIDENT])
    notifying.enqueue_news(ctx, spec, BAD)
    assert notifying.deliver_waiting_messages(ctx, [spec]) == "1 sent, 0 waiting"
    worse = replace(INCIDENT, summary="`session_minutes` is 40 % empty", concluded=BAD + timedelta(days=1))
    ctx.ledger.save_incidents(MODEL, worse.concluded, [worse])
    notifying.enqueue_news(ctx, spec, worse.concluded)
    assert notifying.deliver_waiting_messages(ctx, [spec]) == "1 sent, 0 waiting"
    (message,), (shown,) = slack.posted, slack.pictures
    assert shown["thread_ts"] == message["ts"]
    assert shown["title"] == "Share of nulls: session_minutes (%)"
    assert shown["alt_txt"].endswith(": 31 % on Tue 20 Jan; it was 0.20 % to 0.20 % in the 9 days before.")


def test_the_picture_has_per_cent_the_limit_and_sixty_days_at_most(ctx: Context) -> None:
    measured(ctx, 90)
    drawn = incident_chart(ctx, INCIDENT)
    assert drawn is not None
    assert len(drawn.points) == CHART_DAYS
    assert (drawn.points[-1].value, drawn.points[-1].limit, drawn.unit) == (31.0, 1.0, " %")
    assert [p.day for p in drawn.points if p.bad] == [BAD] == [drawn.since]


def test_a_figure_without_a_unit_has_none(ctx: Context) -> None:
    measured(ctx, 10, "psi")
    drawn = incident_chart(ctx, replace(INCIDENT, figures=("drift/psi/session_minutes/",)))
    assert drawn is not None
    assert (drawn.title, drawn.unit, drawn.points[-1].value) == ("PSI: session_minutes", "", 0.31)


@pytest.mark.parametrize(
    "figures", [(), ("drift/null_share/another/",), ("arrival/row_count//",), ("drift/psi/session_minutes/",)]
)
def test_where_too_little_was_measured_there_is_no_picture(ctx: Context, figures: tuple[str, ...]) -> None:
    measured(ctx, 3, "psi")
    assert incident_chart(ctx, replace(INCIDENT, figures=figures)) is None


def test_days_that_ended_before_the_incident_are_no_picture_of_it(ctx: Context) -> None:
    measured(ctx, 10)
    later = BAD + timedelta(days=1)
    assert incident_chart(ctx, replace(INCIDENT, opened=later, last_bad=later)) is None
