"""The commands that judge stored days again: ``watchkeeper replay`` and ``watchkeeper drill``."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from models.errors import WatchkeeperError
from watchkeeper import show, watch
from watchkeeper.settings import read

out = Console()
Json = Annotated[bool, typer.Option("--json", help="Answer as JSON.")]


def replay(
    model: Annotated[str, typer.Option("--model", "-m", help="Model whose stored days are judged again.")],
    start: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="First day, YYYY-MM-DD.")],
    end: Annotated[datetime, typer.Option("--to", formats=["%Y-%m-%d"], help="Last day, YYYY-MM-DD.")],
    rules: Annotated[
        Path | None, typer.Option(help="A model file, or only its changed top-level keys, such as 'alerts:'.")
    ] = None,
    json: Json = False,
) -> None:
    """Say what other limits and alert rules would have told of past days, beside today's; reads no table."""
    from watchkeeper import replay as replaying  # noqa: PLC0415  the other commands start without it

    ctx = watch.context(read(), live=False)
    (spec,) = watch.known_specs(ctx.settings, [model])
    if end < start:
        raise WatchkeeperError(f"--to {end:%Y-%m-%d} is before --from {start:%Y-%m-%d}")
    found = replaying.replay(ctx, spec, start.date(), end.date(), rules)
    if json:
        out.file.write(show.as_json(replaying.as_content(found)) + "\n")
        return
    if found.told:
        out.print(show.replay_table([replaying.cells(found, told) for told in found.told]))
    for sentence in replaying.sentences(found):
        out.print(sentence, markup=False, highlight=False, soft_wrap=True)


def drill(
    model: Annotated[str, typer.Option("--model", "-m", help="Model whose stored days are broken, in memory only.")],
    days: Annotated[int, typer.Option(min=1, max=91, help="How many days each fault lasts.")] = 14,
    seed: Annotated[int, typer.Option(min=0, help="Draws the broken columns; the same seed draws the same.")] = 1,
    json: Json = False,
) -> None:
    """Break stored days in known ways and say which faults would be noticed, when, as what, and at what cost."""
    from watchkeeper import drill as drilling  # noqa: PLC0415  see above

    ctx = watch.context(read(), live=False)
    (spec,) = watch.known_specs(ctx.settings, [model])
    found = drilling.drill(ctx, spec, days, seed)
    show.answer(out, [drilling.as_row(each) for each in found], show.drill_table(found), machine=json)
    if not json:
        out.print(drilling.sentence(found), markup=False, highlight=False, soft_wrap=True)
