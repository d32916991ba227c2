"""Which channels there are, what is put into their outboxes, and its delivery."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from functools import partial

import alerting.outbox
from alerting.channels import Channel, ConsoleChannel, SlackChannel, built
from alerting.reminders import remind
from alerting.routes import Routes, Severity, channel_of, load, severity, severity_on
from ledger.records import Incident
from models.spec import Spec
from watchkeeper import acts
from watchkeeper.picture import picture
from watchkeeper.settings import SECRETS
from watchkeeper.stored import Context


def enqueue(ctx: Context, spec: Spec, day: date) -> int:
    """Put what is news of a model into the outbox of every channel it is told on; return how many messages."""
    routes = load()
    levels: dict[str, Callable[[Incident], Severity | None]] = {
        channel_name(ctx, spec, routes): partial(severity, routes, spec)
    }
    levels |= {name: partial(severity_on, routes, name, spec) for name in routes.channels}
    handled = acts.handled_now(ctx, spec)
    put = partial(alerting.outbox.enqueue, ctx.ledger, spec, day)
    drawn = partial(picture, ctx)
    return sum(
        put(name, ctx.settings.links, handled, loudness=loudness, picture=drawn) for name, loudness in levels.items()
    )


def deliver(ctx: Context, specs: Sequence[Spec]) -> str:
    """Remind, and deliver what waits; a dead channel delays a message and never drops it. Return what became of it."""
    routes = load()
    for spec in specs:
        logged = acts.handlings(ctx.ledger, spec.model)
        taken_on = {id_ for id_, each in acts.handled_now(ctx, spec, logged).items() if each.quiet}
        taken_on |= {id_ for id_, each in logged.items() if each.acknowledged}
        remind(ctx.ledger, spec, routes, channel_name(ctx, spec, routes), ctx.now, taken_on)
    models = [spec.model for spec in specs]
    total = alerting.outbox.Delivery()
    for channel in channels(ctx, specs, routes):
        total += alerting.outbox.deliver(ctx.ledger, channel, ctx.now, models)
    return f"{total.sent} sent, {total.waiting} waiting" + (f", {total.failed} failed" if total.failed else "")


def channel_name(ctx: Context, spec: Spec, routes: Routes | None = None) -> str:
    """Return the channel that a model's owner reads: Slack's, or the terminal without a token."""
    return channel_of(spec, ctx.settings.slack_channel, routes or load()) if ctx.settings.slack_token else "console"


def channels(ctx: Context, specs: Sequence[Spec], routes: Routes) -> list[Channel]:
    """Return the channels on which these models are told, each ready to send."""
    settings = ctx.settings
    others = [
        built(name, further, settings.secrets.get(secret_name(name), ""), secret_name(name))
        for name, further in routes.channels.items()
    ]
    if not settings.slack_token:
        return [ConsoleChannel(settings.messages), *others]
    names = sorted({channel_name(ctx, spec, routes) for spec in specs})
    return [*(SlackChannel(settings.slack_token, name, settings.slack_base_url) for name in names), *others]


def further_names() -> list[str]:
    """Return the names of the channels besides each owner's own."""
    return list(load().channels)


def secret_name(name: str) -> str:
    """Return the environment variable of a channel's secret."""
    return f"{SECRETS}{name.upper().replace('-', '_')}"
