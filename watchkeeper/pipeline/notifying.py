"""Which channels there are, what is put into their outboxes, and its delivery."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from functools import partial

from alerting.notifications.channels.console.settings import ConsoleSettings
from alerting.notifications.channels.protocol import Channel
from alerting.notifications.channels.registry import build_channel
from alerting.notifications.channels.secrets import secret_variable
from alerting.notifications.channels.slack.settings import SlackSettings
from alerting.notifications.outbox import Delivery, deliver_messages, enqueue_incident_messages
from alerting.notifications.reminders import enqueue_reminders
from alerting.notifications.routes.loading import load_routes
from alerting.notifications.routes.schema import OWNERS_CONSOLE, Routes, Severity
from alerting.notifications.routes.severity import severity_of, severity_on_channel, slack_channel_of
from ledger.records.incidents import Incident
from models.spec import Spec
from watchkeeper import incident_actions
from watchkeeper.context import Context
from watchkeeper.pipeline.picture import incident_chart
from watchkeeper.settings import Settings


def enqueue_news(ctx: Context, spec: Spec, day: date) -> int:
    """Put what is news of a model into the outbox of every channel it is notified on; return how many messages."""
    routes = load_routes(ctx.settings.routes)
    levels: dict[str, Callable[[Incident], Severity | None]] = {
        owner_channel_name(ctx.settings, spec, routes): partial(severity_of, routes, spec)
    }
    levels |= {name: partial(severity_on_channel, routes, name, spec) for name in routes.channels}
    incident_states = incident_actions.current_incident_states(ctx, spec)
    put = partial(enqueue_incident_messages, ctx.ledger, spec, day)
    drawn = partial(incident_chart, ctx)
    return sum(
        put(name, ctx.settings.links, incident_states, severity_for=severity_for, picture=drawn)
        for name, severity_for in levels.items()
    )


def deliver_waiting_messages(ctx: Context, specs: Sequence[Spec]) -> str:
    """Remind, and deliver what waits; a dead channel delays a message and never drops it. Return what became of it."""
    routes = load_routes(ctx.settings.routes)
    for spec in specs:
        logged = incident_actions.handlings_by_incident(ctx.ledger, spec.model)
        taken_on = {
            id_ for id_, each in incident_actions.current_incident_states(ctx, spec, logged).items() if each.quiet
        }
        taken_on |= {id_ for id_, each in logged.items() if each.acknowledged}
        enqueue_reminders(ctx.ledger, spec, routes, owner_channel_name(ctx.settings, spec, routes), ctx.now, taken_on)
    models = [spec.model for spec in specs]
    total = Delivery()
    for channel in open_channels(ctx, specs, routes):
        total += deliver_messages(ctx.ledger, channel, ctx.now, models)
    return f"{total.sent} sent, {total.waiting} waiting" + (f", {total.failed} failed" if total.failed else "")


def owner_channel_name(settings: Settings, spec: Spec, routes: Routes | None = None) -> str:
    """Return the channel that a model's owner reads: Slack's, or the terminal without a token."""
    if not settings.slack_token:
        return OWNERS_CONSOLE
    return slack_channel_of(routes or load_routes(settings.routes), spec, settings.slack_channel)


def open_channels(ctx: Context, specs: Sequence[Spec], routes: Routes) -> list[Channel]:
    """Return the channels on which people are notified of these models, each ready to send."""
    settings = ctx.settings
    further = [
        build_channel(name, each, settings.secrets.get(secret_variable(name), ""))
        for name, each in routes.channels.items()
    ]
    if not settings.slack_token:
        return [ConsoleSettings(kind="console", file=str(settings.messages)).build(OWNERS_CONSOLE, ""), *further]
    names = sorted({owner_channel_name(settings, spec, routes) for spec in specs})
    owners = [owner_slack_settings(settings, name).build(name, settings.slack_token) for name in names]
    return [*owners, *further]


def owner_slack_settings(settings: Settings, channel: str) -> SlackSettings:
    """Return the settings of an owner's Slack channel, which holds its token in ``WATCHKEEPER_SLACK_TOKEN``."""
    # not validated: what WATCHKEEPER_SLACK_CHANNEL says is for Slack to judge
    return SlackSettings.model_construct(kind="slack", channel=channel, url=settings.slack_base_url)
