"""The terminal: colours and progress for a person, plain lines in a log; rich honours NO_COLOR by itself."""

from __future__ import annotations

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

SPEED_WINDOW_SECONDS = 600.0
"""The rate is that of the last ten minutes: a day of a large table takes longer than rich's own half minute."""
out = Console()
err = Console(stderr=True)


class RateColumn(ProgressColumn):
    """Days (or what else is counted) a second, or seconds a day where that is more."""

    def __init__(self, unit: str = "day") -> None:
        super().__init__()
        self.unit = unit

    def render(self, task: Task) -> Text:
        """Return the rate in words, empty until it is known."""
        speed = task.finished_speed or task.speed
        if not speed:
            return Text("")
        return Text(
            f"{speed:.1f} {self.unit}s a second" if speed >= 1 else f"{1 / speed:.1f} s a {self.unit}", style="dim"
        )


def progress_bar(unit: str = "day") -> Progress:
    """Return a progress bar on standard error; nothing at all where that is no terminal."""
    rate = RateColumn(unit)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), rate, TimeRemainingColumn())
    return Progress(*columns, console=err, disable=not err.is_terminal, speed_estimate_period=SPEED_WINDOW_SECONDS)


def print_plain(text: str, style: str | None = None) -> None:
    """Print text as it is, on as many lines as it has."""
    out.print(text, style=style, markup=False, highlight=False, soft_wrap=True)
