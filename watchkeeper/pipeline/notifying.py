"""Which channels there are, what is put into their outboxes, and its delivery."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from functools import partial

from alerting.notifications.channels.console import Channel, ConsoleChannel, SlackChannel, build_channel
from alerting.notifications.outbox import Delivery, deliver_messages, enqueue_incident_messages
from alerting.notifications.reminders import enqueue_reminders
from alerting.notifications.routes import (
    Routes,
    Severity,
    load_routes,
    severity_of,
    severity_on_channel,
    slack_channel_of,
)
from ledger.records.incidents import Incident
from models.spec import Spec
from watchkeeper import incident_actions
from watchkeeper.context import Context
from watchkeeper.pipeline.picture import incident_chart
from watchkeeper.settings import SECRETS


def enqueue_news(ctx: Context, spec: Spec, day: date) -> int:
    """Put what is news of a model into the outbox of every channel it is told on; return how many messages."""
    routes = load_routes()
    levels: dict[str, Callable[[Incident], Severity | None]] = {
        owner_channel_name(ctx, spec, routes): partial(severity_of, routes, spec)
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
    routes = load_routes()
    for spec in specs:
        logged = incident_actions.handlings_by_incident(ctx.ledger, spec.model)
        taken_on = {
            id_ for id_, each in incident_actions.current_incident_states(ctx, spec, logged).items() if each.quiet
        }
        taken_on |= {id_ for id_, each in logged.items() if each.acknowledged}
        enqueue_reminders(ctx.ledger, spec, routes, owner_channel_name(ctx, spec, routes), ctx.now, taken_on)
    models = [spec.model for spec in specs]
    total = Delivery()
    for channel in open_channels(ctx, specs, routes):
        total += deliver_messages(ctx.ledger, channel, ctx.now, models)
    return f"{total.sent} sent, {total.waiting} waiting" + (f", {total.failed} failed" if total.failed else "")


def owner_channel_name(ctx: Context, spec: Spec, routes: Routes | None = None) -> str:
    """Return the channel that a model's owner reads: Slack's, or the terminal without a token."""
    return (
        slack_channel_of(spec, ctx.settings.slack_channel, routes or load_routes())
        if ctx.settings.slack_token
        else "console"
    )


def open_channels(ctx: Context, specs: Sequence[Spec], routes: Routes) -> list[Channel]:
    """Return the channels on which these models are told, each ready to send."""
    settings = ctx.settings
    others = [
        build_channel(name, further, settings.secrets.get(secret_variable(name), ""), secret_variable(name))
        for name, further in routes.channels.items()
    ]
    if not settings.slack_token:
        return [ConsoleChannel(settings.messages), *others]
    names = sorted({owner_channel_name(ctx, spec, routes) for spec in specs})
    return [*(SlackChannel(settings.slack_token, name, settings.slack_base_url) for name in names), *others]


def further_channel_names() -> list[str]:
    """Return the names of the channels besides each owner's own."""
    return list(load_routes().channels)


def secret_variable(name: str) -> str:
    """Return the environment variable of a channel's secret."""
    return f"{SECRETS}{name.upper().replace('-', '_')}"
