"""``watchkeeper alerts``: try the channels, and see or resend what couldn't be told."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Annotated

import typer
from rich.console import Console

from alerting.channels import Channel, Undeliverable
from alerting.grouping import marked
from alerting.links import Links
from alerting.message import compose, thread_note
from alerting.routes import load
from ledger.records import Cause, Incident, Message, Status
from ledger.store import Ledger
from models.spec import Spec
from watchkeeper import telling, watch
from watchkeeper.settings import read

app = typer.Typer(help="Try the channels, and see what couldn't be told.", no_args_is_help=True)
out = Console(soft_wrap=True)


@app.command("test")
def try_out(
    channel: Annotated[list[str] | None, typer.Option("--channel", "-c", help="Only these; default: all.")] = None,
) -> None:
    """Send one of each kind of message, marked as a test; the ledger isn't touched. Exit 3 where a channel fails."""
    ctx = watch.context(read())
    specs = watch.known_specs(ctx.settings)
    known = {each.name: each for each in telling.channels(ctx, specs, load())}
    failed = False
    for name in channel or known:
        if name not in known:
            raise typer.BadParameter(f"no channel '{name}'; there are {', '.join(known)}", param_hint="--channel")
        said = _try(known[name], specs[0], ctx.settings.links)
        failed |= said != "ok"
        out.print(f"{name}: {said}", highlight=False, markup=False)
    if failed:
        raise typer.Exit(3)


@app.command()
def undelivered() -> None:
    """List the messages that were given up, and why."""
    ledger = Ledger.open(read().ledger)
    letters = ledger.dead_letters()
    for letter in letters:
        out.print(f"{letter.channel}  {letter.incident}  {letter.kind}: {letter.last_error}", highlight=False)
    if not letters:
        out.print("Nothing: every message was told or is still being tried.")


@app.command()
def resend() -> None:
    """Have every message that was given up tried again at the next delivery."""
    count = Ledger.open(read().ledger).revive()
    out.print(f"{count} to be tried again at the next delivery.")


def samples(spec: Spec, links: Links, day: date) -> list[Message]:
    """Return one message of each kind about an incident that never was, in the order of telling."""
    incident = Incident(
        id=f"{spec.model}-{datetime.now(UTC):%Y%m%d%H%M%S}-test",
        model=spec.model,
        cause=Cause.COLUMN_FAULT,
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
    told = []
    for kind, state in (("opened", incident), ("updated", incident), ("repeated", incident), ("resolved", ended)):
        text, blocks = compose(spec, state, kind, links)
        note = f"Test of a reminder, on {day}." if kind == "repeated" else thread_note(state, kind)
        told.append(marked(Message(incident.id, day, kind, "test", text, blocks, note), spec, state, links))
    return told


def _try(channel: Channel, spec: Spec, links: Links) -> str:
    place = None
    for message in samples(spec, links, datetime.now(UTC).date()):
        try:
            place = channel.send(message, place)
        except Undeliverable as error:
            return f"{message.kind}: {error}"
    return "ok"
