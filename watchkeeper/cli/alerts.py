"""``watchkeeper alerts``: try the channels, and see or resend what couldn't be sent."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Annotated

import typer
from rich.console import Console

from alerting.notifications.channels.errors import DeliveryError
from alerting.notifications.channels.protocol import Channel
from alerting.notifications.grouping import with_group_details
from alerting.notifications.messages.incident_message import compose_message, compose_thread_note
from alerting.notifications.messages.links import Links
from alerting.notifications.routes.loading import load_routes
from catalogue import causes
from ledger.records.incidents import Incident, Status
from ledger.records.messages import Message
from ledger.store import Ledger
from models.spec import Spec
from watchkeeper.pipeline import notifying, watch
from watchkeeper.settings import read_settings

app = typer.Typer(help="Try the channels, and see what couldn't be sent.", no_args_is_help=True)
out = Console(soft_wrap=True)


@app.command("test")
def send_test_messages(
    channel: Annotated[list[str] | None, typer.Option("--channel", "-c", help="Only these; default: all.")] = None,
) -> None:
    """Send one of each kind of message, marked as a test; the ledger isn't touched. Exit 3 where a channel fails."""
    ctx = watch.open_context(read_settings())
    specs = watch.load_specs(ctx.settings)
    known = {each.name: each for each in notifying.open_channels(ctx, specs, load_routes(ctx.settings.routes))}
    failed = False
    for name in channel or known:
        if name not in known:
            raise typer.BadParameter(f"no channel '{name}'; there are {', '.join(known)}", param_hint="--channel")
        said = _send_samples(known[name], specs[0], ctx.settings.links)
        failed |= said != "ok"
        out.print(f"{name}: {said}", highlight=False, markup=False)
    if failed:
        raise typer.Exit(3)


@app.command()
def undelivered() -> None:
    """List the messages that were given up, and why."""
    ledger = Ledger.open(read_settings().ledger)
    letters = ledger.dead_letters()
    for letter in letters:
        out.print(f"{letter.channel}  {letter.incident}  {letter.kind}: {letter.last_error}", highlight=False)
    if not letters:
        out.print("Nothing: every message was sent or is still being tried.")


@app.command()
def resend() -> None:
    """Have every message that was given up tried again at the next delivery."""
    count = Ledger.open(read_settings().ledger).retry_dead_letters()
    out.print(f"{count} to be tried again at the next delivery.")


def sample_messages(spec: Spec, links: Links, day: date) -> list[Message]:
    """Return one message of each kind about an incident that never was, in the order of sending."""
    incident = Incident(
        id=f"{spec.model}-{datetime.now(UTC):%Y%m%d%H%M%S}-test",
        model=spec.model,
        cause=causes.COLUMN_FAULT,
        concluded=day,
        opened=day,
        last_bad=day,
        status=Status.FIRING,
        fired=day,
        summary="this is a test of Watchkeeper's messages; nothing is wrong",
        confidence="Certain: somebody ran `watchkeeper alerts test`",
        first_step="None: if you can read this, the channel works.",
    )
    ended = replace(incident, status=Status.RESOLVED, resolved=day, clean_days=1)
    messages = []
    for kind, state in (("opened", incident), ("updated", incident), ("repeated", incident), ("resolved", ended)):
        text, blocks = compose_message(spec, state, kind, links)
        note = f"Test of a reminder, on {day}." if kind == "repeated" else compose_thread_note(state, kind)
        messages.append(
            with_group_details(Message(incident.id, day, kind, "test", text, blocks, note), spec, state, links)
        )
    return messages


def _send_samples(channel: Channel, spec: Spec, links: Links) -> str:
    place = None
    for message in sample_messages(spec, links, datetime.now(UTC).date()):
        try:
            place = channel.send(message, place)
        except DeliveryError as error:
            return f"{message.kind}: {error}"
    return "ok"
