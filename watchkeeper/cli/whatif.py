"""The commands that judge stored days again: ``watchkeeper replay`` and ``watchkeeper drill``."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from models.errors import WatchkeeperError
from watchkeeper.cli import show
from watchkeeper.pipeline import watch
from watchkeeper.settings import read_settings

out = Console()
JsonOption = Annotated[bool, typer.Option("--json", help="Answer as JSON.")]


def replay(
    model: Annotated[str, typer.Option("--model", "-m", help="Model whose stored days are judged again.")],
    start: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="First day, YYYY-MM-DD.")],
    end: Annotated[datetime, typer.Option("--to", formats=["%Y-%m-%d"], help="Last day, YYYY-MM-DD.")],
    rules: Annotated[
        Path | None, typer.Option(help="A model file, or only its changed top-level keys, such as 'alerts:'.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Show of what people would be notified under other limits and alert rules, beside today's; reads no table."""
    from watchkeeper.whatif import replay as replaying  # noqa: PLC0415  the other commands start without it

    ctx = watch.open_context(read_settings(), live=False)
    (spec,) = watch.load_specs(ctx.settings, [model])
    if end < start:
        raise WatchkeeperError(f"--to {end:%Y-%m-%d} is before --from {start:%Y-%m-%d}")
    found = replaying.replay_days(ctx, spec, start.date(), end.date(), rules)
    if json:
        out.file.write(show.to_json(replaying.replay_content(found)) + "\n")
        return
    if found.incidents:
        out.print(show.replay_table([replaying.replay_row(found, replayed) for replayed in found.incidents]))
    for sentence in replaying.describe_replay(found):
        out.print(sentence, markup=False, highlight=False, soft_wrap=True)


def drill(
    model: Annotated[str, typer.Option("--model", "-m", help="Model whose stored days are broken, in memory only.")],
    days: Annotated[int, typer.Option(min=1, max=91, help="How many days each fault lasts.")] = 14,
    seed: Annotated[int, typer.Option(min=0, help="Draws the broken columns; the same seed draws the same.")] = 1,
    json: JsonOption = False,
) -> None:
    """Break stored days in known ways and say which faults would be noticed, when, as what, and at what cost."""
    from watchkeeper.whatif import drill as drilling  # noqa: PLC0415  see above

    ctx = watch.open_context(read_settings(), live=False)
    (spec,) = watch.load_specs(ctx.settings, [model])
    found = drilling.run_drill(ctx, spec, days, seed)
    show.print_answer(out, [drilling.drilled_row(each) for each in found], show.drill_table(found), machine=json)
    if not json:
        out.print(drilling.describe_drill(found), markup=False, highlight=False, soft_wrap=True)
