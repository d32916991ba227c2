"""The commands about a champion: ``watchkeeper rollback`` and ``watchkeeper answer``."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer
from rich.console import Console

from watchkeeper.pipeline import watch
from watchkeeper.retraining import promotion, retrain
from watchkeeper.settings import read_settings

out, err = Console(), Console(stderr=True)


class Outcome(StrEnum):
    """What became of a retraining elsewhere."""

    PROMOTED = "promoted"
    KEPT = "kept-champion"


def rollback(
    model: Annotated[str, typer.Option("--model", "-m", help="Model whose champion is to go.")],
    reason: Annotated[str, typer.Option(help="Why, for whoever reads the record.")],
) -> None:
    """Put the champion before the present one back in charge, with its baseline; say so in the incident's thread."""
    ctx = watch.open_context(read_settings())
    (spec,) = watch.load_specs(ctx.settings, [model])
    outcome = promotion.roll_back_champion(ctx, spec, reason, ctx.now.date())
    out.print(f"{model}: {outcome.champion} was rolled back to {outcome.challenger}", markup=False, soft_wrap=True)
    err.print(f"messages: {watch.deliver_and_write_heartbeat(ctx, [spec])}", highlight=False)


def answer(
    request: Annotated[str, typer.Argument(help="The request that was answered elsewhere, as MODEL/YYYY-MM-DD.")],
    outcome: Annotated[Outcome, typer.Option(help="What became of it.")],
    reason: Annotated[list[str], typer.Option(help="Why; may be given again.")],
    challenger: Annotated[str, typer.Option(help="Name of the trained model.")] = "",
    by: Annotated[str, typer.Option(help="Who approved of it.")] = "",
) -> None:
    """Record what became of a retraining that ran elsewhere; once recorded it stands."""
    ctx = watch.open_context(read_settings())
    (spec,) = watch.load_specs(ctx.settings, [request.partition("/")[0]])
    wanted = outcome.value.replace("-", " ")
    said = retrain.record_answer(ctx, spec, request, wanted, challenger, reason, by)
    if said.outcome != wanted:
        err.print(f"{request}: was answered before, which stands", markup=False, highlight=False, soft_wrap=True)
    out.print(f"{request}: {said.outcome}", markup=False, soft_wrap=True)
    err.print(f"messages: {watch.deliver_and_write_heartbeat(ctx, [spec])}", highlight=False)
