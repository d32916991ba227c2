"""The commands with which people handle incidents: ``watchkeeper incident ...`` and ``watchkeeper silence ...``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from shlex import quote
from typing import Annotated, Any

import typer
from rich.console import Console

from alerting.handled import UNHANDLED
from alerting.message import compose, handled_too
from alerting.routes import load
from ledger.records import Event, Status
from ledger.store import Ledger
from models.spec import Spec
from watchkeeper import acts, show, watch
from watchkeeper.settings import read
from watchkeeper.stored import Context

incident = typer.Typer(no_args_is_help=True, help="Show, acknowledge, snooze, close or note an incident.")
silence = typer.Typer(no_args_is_help=True, help="Keep quiet beforehand, as in a maintenance window.")
out = Console()
err = Console(stderr=True)

Id = Annotated[str, typer.Argument(help="The incident's id, as in its message.")]
By = Annotated[str, typer.Option("--by", help="Who does it; kept in the log.")]
Reason = Annotated[str, typer.Option("--reason", help="Why, in words; kept in the log.")]
Json = Annotated[bool, typer.Option("--json", help="Answer as JSON.")]


@incident.command("show")
def show_(id_: Id, json: Json = False) -> None:
    """Show what an incident's message says: the cause, the evidence, the first step, and what people did."""
    ctx, specs = _open()
    found, spec = acts.found(ctx.ledger, specs, id_)
    logged = acts.handlings(ctx.ledger, spec.model)
    handled, handling = acts.handled_now(ctx, spec, logged).get(found.id, UNHANDLED), logged.get(found.id)
    if json:
        row = show.incident_row(found, handling, handled)
        out.file.write(show.as_json(row | {"evidence": found.evidence, "first_step": found.first_step}) + "\n")
        return
    kind = "resolved" if found.status is Status.RESOLVED else "opened"
    text, _ = handled_too(*compose(spec, found, kind, ctx.settings.links), handled.lines)
    said = [text]
    if found.status is Status.FIRING and not (handling and handling.acknowledged):
        said.append(f"Take it on: watchkeeper incident acknowledge {quote(found.id)} --by YOU")
    out.print("\n".join(said), markup=False, highlight=False, soft_wrap=True)


@incident.command()
def acknowledge(id_: Id, by: By, reason: Reason = "looks at it", json: Json = False) -> None:
    """Say that you took an incident on; its message shows it."""
    ctx, specs = _open()
    _told(ctx, specs, acts.acknowledge(ctx, specs, id_, by, reason), machine=json)


@incident.command()
def snooze(
    id_: Id,
    by: By,
    reason: Reason,
    until: Annotated[
        datetime | None,
        typer.Option("--until", formats=["%Y-%m-%d"], help="Morning on which it speaks again. Default: once resolved."),
    ] = None,
    json: Json = False,
) -> None:
    """Tell nothing more of an incident until a day, or until it is resolved."""
    ctx, specs = _open()
    day = until.date() if until else None
    _told(ctx, specs, acts.snooze(ctx, specs, id_, by, reason, day), machine=json)


@incident.command()
def unsnooze(id_: Id, by: By, reason: Reason, json: Json = False) -> None:
    """Let a snoozed incident speak again."""
    ctx, specs = _open()
    _told(ctx, specs, acts.unsnooze(ctx, specs, id_, by, reason), machine=json)


@incident.command()
def close(id_: Id, by: By, reason: Reason, json: Json = False) -> None:
    """End an incident whose end the data can't tell; one that is still bad can't be closed."""
    ctx, specs = _open()
    _told(ctx, specs, acts.close(ctx, specs, id_, by, reason), machine=json)


@incident.command()
def note(id_: Id, by: By, reason: Reason, json: Json = False) -> None:
    """Keep in the log what you found out."""
    ctx, specs = _open()
    _told(ctx, specs, acts.note(ctx, specs, id_, by, reason), machine=json)


@incident.command("log")
def log(id_: Id, json: Json = False) -> None:
    """Show what happened to an incident, and who did what."""
    events = Ledger.open(read().ledger).events(incident=id_)
    show.answer(out, [show.event_row(e) for e in events], show.event_table(events), machine=json)


@silence.command("add")
def add(
    to: Annotated[datetime, typer.Option("--to", formats=["%Y-%m-%d"], help="Last day of data that it covers.")],
    by: By,
    comment: Annotated[str, typer.Option("--comment", help="Why, in words; shown in messages.")],
    start: Annotated[
        datetime | None,
        typer.Option("--from", formats=["%Y-%m-%d"], help="First day of data that it covers. Default: today."),
    ] = None,
    model: Annotated[str | None, typer.Option(help="Model, exact or as a glob such as card_*.")] = None,
    cause: Annotated[str | None, typer.Option(help="e.g. column_fault")] = None,
    feature: Annotated[str | None, typer.Option(help="Column, exact or as a glob.")] = None,
    slice_: Annotated[str | None, typer.Option("--slice", help="e.g. age_band=60+")] = None,
    owner: Annotated[str | None, typer.Option(help="Owner in the model file.")] = None,
    tier: Annotated[str | None, typer.Option(help="Tier in the model file.")] = None,
    json: Json = False,
) -> None:
    """Tell nobody of what every matcher fits, on some days of data."""
    given = {"model": model, "cause": cause, "feature": feature, "slice": slice_, "owner": owner, "tier": tier}
    matchers = {name: wanted for name, wanted in given.items() if wanted is not None}
    ctx, _ = _open()
    first = start.date() if start else min(ctx.now.date(), to.date())
    added = acts.add_silence(ctx, matchers, first, to.date(), by, comment)
    show.answer(out, [show.silence_row(added)], show.silence_table([added]), machine=json)


@silence.command("list")
def list_(
    every: Annotated[bool, typer.Option("--all", help="Also those ended or over.")] = False, json: Json = False
) -> None:
    """Show the silences that hold or are to come, and the maintenance windows of alerting/routes.yaml."""
    ctx, _ = _open()
    found = [*acts.known_silences(ctx.ledger), *load().silences]
    known = [s for s in found if every or (not s.ended and s.end >= _yesterday(ctx))]
    show.answer(out, [show.silence_row(s) for s in known], show.silence_table(known), machine=json)


@silence.command("end")
def end(
    id_: Annotated[str, typer.Argument(help="The silence's id, as in 'silence list'.")],
    by: By,
    reason: Reason,
    json: Json = False,
) -> None:
    """Lift a silence before its last day."""
    ctx, _ = _open()
    ended = acts.end_silence(ctx, id_, by, reason)
    show.answer(out, [show.silence_row(ended)], show.silence_table([ended]), machine=json)


def _open() -> tuple[Context, list[Spec]]:
    ctx = watch.context(read())
    return ctx, watch.known_specs(ctx.settings)


def _yesterday(ctx: Context) -> date:
    return date.fromordinal(ctx.now.date().toordinal() - 1)  # whose data is watched today


def _told(ctx: Context, specs: Sequence[Spec], event: Event, *, machine: bool) -> None:
    row: dict[str, Any] = show.event_row(event)
    if machine:
        show.answer(out, [row], show.event_table([event]), machine=True)
    else:
        told = f"{event.incident}: {event.kind} by {event.actor}"
        out.print(told, markup=False, highlight=False, soft_wrap=True)
    messages = watch.deliver(ctx, [spec for spec in specs if spec.model == event.model])
    err.print(f"messages: {messages}", highlight=False)
