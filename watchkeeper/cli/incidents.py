"""The commands with which people handle incidents: ``watchkeeper incident ...`` and ``watchkeeper silence ...``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from shlex import quote
from typing import Annotated, Any

import typer
from rich.console import Console

from alerting.incidents.state import UNTOUCHED
from alerting.notifications.messages.incident_message import compose_message, with_state_lines
from alerting.notifications.routes.loading import load_routes
from ledger.records.events import Event
from ledger.records.incidents import Status
from ledger.store import Ledger
from models.errors import WatchkeeperError, did_you_mean
from models.spec import Spec
from watchkeeper import incident_actions
from watchkeeper.cli import show
from watchkeeper.context import Context
from watchkeeper.pipeline import watch
from watchkeeper.settings import read_settings

incident_app = typer.Typer(no_args_is_help=True, help="Show, acknowledge, snooze, close or note an incident.")
silence_app = typer.Typer(no_args_is_help=True, help="Keep quiet beforehand, as in a maintenance window.")
out = Console()
err = Console(stderr=True)

IdArgument = Annotated[str, typer.Argument(help="The incident's id, as in its message.")]
ByOption = Annotated[str, typer.Option("--by", help="Who does it; kept in the log.")]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why, in words; kept in the log.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Answer as JSON.")]


@incident_app.command("show")
def show_incident(id_: IdArgument, json: JsonOption = False) -> None:
    """Show what an incident's message says: the cause, the evidence, the first step, and what people did."""
    ctx, specs = _open_context()
    found, spec = incident_actions.find_incident(ctx.ledger, specs, id_)
    logged = incident_actions.handlings_by_incident(ctx.ledger, spec.model)
    incident_state, handling = (
        incident_actions.current_incident_states(ctx, spec, logged).get(found.id, UNTOUCHED),
        logged.get(found.id),
    )
    if json:
        row = show.incident_row(found, handling, incident_state)
        out.file.write(show.to_json(row | {"evidence": found.evidence, "first_step": found.first_step}) + "\n")
        return
    kind = "resolved" if found.status is Status.RESOLVED else "opened"
    text, _ = with_state_lines(*compose_message(spec, found, kind, ctx.settings.links), incident_state.lines)
    said = [text]
    if found.status is Status.FIRING and not (handling and handling.acknowledged):
        said.append(f"Take it on: watchkeeper incident acknowledge {quote(found.id)} --by YOU")
    out.print("\n".join(said), markup=False, highlight=False, soft_wrap=True)


@incident_app.command()
def acknowledge(id_: IdArgument, by: ByOption, reason: ReasonOption = "looks at it", json: JsonOption = False) -> None:
    """Say that you took an incident on; its message shows it."""
    ctx, specs = _open_context()
    _report_event(ctx, specs, incident_actions.acknowledge_incident(ctx, specs, id_, by, reason), machine=json)


@incident_app.command()
def snooze(
    id_: IdArgument,
    by: ByOption,
    reason: ReasonOption,
    until: Annotated[
        datetime | None,
        typer.Option("--until", formats=["%Y-%m-%d"], help="Morning on which it speaks again. Default: once resolved."),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Notify nobody of an incident until a day, or until it is resolved."""
    ctx, specs = _open_context()
    day = until.date() if until else None
    _report_event(ctx, specs, incident_actions.snooze_incident(ctx, specs, id_, by, reason, day), machine=json)


@incident_app.command()
def unsnooze(id_: IdArgument, by: ByOption, reason: ReasonOption, json: JsonOption = False) -> None:
    """Let a snoozed incident speak again."""
    ctx, specs = _open_context()
    _report_event(ctx, specs, incident_actions.unsnooze_incident(ctx, specs, id_, by, reason), machine=json)


@incident_app.command()
def close(id_: IdArgument, by: ByOption, reason: ReasonOption, json: JsonOption = False) -> None:
    """End an incident whose end the data can't show; one that is still bad can't be closed."""
    ctx, specs = _open_context()
    _report_event(ctx, specs, incident_actions.close_incident(ctx, specs, id_, by, reason), machine=json)


@incident_app.command()
def note(id_: IdArgument, by: ByOption, reason: ReasonOption, json: JsonOption = False) -> None:
    """Keep in the log what you found out."""
    ctx, specs = _open_context()
    _report_event(ctx, specs, incident_actions.add_incident_note(ctx, specs, id_, by, reason), machine=json)


@incident_app.command("log")
def show_log(id_: IdArgument, json: JsonOption = False) -> None:
    """Show what happened to an incident, and who did what."""
    ledger = Ledger.open(read_settings().ledger)
    known = [incident.id for incident in ledger.incidents(withdrawn=True)]
    events = ledger.events(incident=id_)
    if not events and id_ not in known:
        raise WatchkeeperError(f"there is no incident '{id_}'{did_you_mean(id_, known)}")
    show.print_answer(out, [show.event_row(e) for e in events], show.event_table(events), machine=json)


@silence_app.command("add")
def add_silence(
    to: Annotated[datetime, typer.Option("--to", formats=["%Y-%m-%d"], help="Last day of data that it covers.")],
    by: ByOption,
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
    json: JsonOption = False,
) -> None:
    """Notify nobody of what every matcher fits, on some days of data."""
    given = {"model": model, "cause": cause, "feature": feature, "slice": slice_, "owner": owner, "tier": tier}
    matchers = {name: wanted for name, wanted in given.items() if wanted is not None}
    ctx, _ = _open_context()
    first = start.date() if start else min(ctx.now.date(), to.date())
    added = incident_actions.add_silence(ctx, matchers, first, to.date(), by, comment)
    show.print_answer(out, [show.silence_row(added)], show.silence_table([added]), machine=json)


@silence_app.command("list")
def list_silences(
    every: Annotated[bool, typer.Option("--all", help="Also those ended or over.")] = False, json: JsonOption = False
) -> None:
    """Show the silences that hold or are to come, and the maintenance windows of the routes file."""
    ctx, _ = _open_context()
    found = [*incident_actions.known_silences(ctx.ledger), *load_routes(ctx.settings.routes).silences]
    known = [s for s in found if every or (not s.ended and s.end >= _yesterday(ctx))]
    show.print_answer(out, [show.silence_row(s) for s in known], show.silence_table(known), machine=json)


@silence_app.command("end")
def end_silence(
    id_: Annotated[str, typer.Argument(help="The silence's id, as in 'silence list'.")],
    by: ByOption,
    reason: ReasonOption,
    json: JsonOption = False,
) -> None:
    """Lift a silence before its last day."""
    ctx, _ = _open_context()
    ended = incident_actions.end_silence(ctx, id_, by, reason)
    show.print_answer(out, [show.silence_row(ended)], show.silence_table([ended]), machine=json)


def _open_context() -> tuple[Context, list[Spec]]:
    ctx = watch.open_context(read_settings())
    return ctx, watch.load_specs(ctx.settings)


def _yesterday(ctx: Context) -> date:
    return date.fromordinal(ctx.now.date().toordinal() - 1)  # whose data is watched today


def _report_event(ctx: Context, specs: Sequence[Spec], event: Event, *, machine: bool) -> None:
    row: dict[str, Any] = show.event_row(event)
    if machine:
        show.print_answer(out, [row], show.event_table([event]), machine=True)
    else:
        sentence = f"{event.incident}: {event.kind} by {event.actor}"
        out.print(sentence, markup=False, highlight=False, soft_wrap=True)
    messages = watch.deliver_messages(ctx, [spec for spec in specs if spec.model == event.model])
    err.print(f"messages: {messages}", highlight=False)
