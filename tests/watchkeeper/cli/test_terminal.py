from __future__ import annotations

import os
import subprocess
import sys

import pytest
from rich.console import Console
from rich.progress import Progress

from watchkeeper.cli import onboarding, terminal
from watchkeeper.settings import Settings


def printed(**environment: str) -> str:
    code = "from watchkeeper.cli.terminal import print_plain; print_plain('[bold]a', 'red')"
    kept = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR")}
    told = subprocess.run(
        [sys.executable, "-c", code], env=kept | environment, capture_output=True, text=True, check=True
    )
    return told.stdout


def test_colours_are_for_terminals_and_never_with_no_color() -> None:
    assert printed() == "[bold]a\n"
    assert "\x1b[31m" in printed(FORCE_COLOR="1", TERM="xterm")
    assert "\x1b[31m" not in printed(FORCE_COLOR="1", TERM="xterm", NO_COLOR="1")


def test_a_log_has_no_progress_bar(capfd: pytest.CaptureFixture[str]) -> None:
    with terminal.progress_bar() as bar:
        task = bar.add_task("model", total=2)
        bar.advance(task)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(("seconds", "told"), [(0.5, "2.0 days a second"), (40.0, "40.0 s a day")])
def test_a_backfill_tells_its_rate(seconds: float, told: str) -> None:
    now = [0.0]
    bar = Progress(
        terminal.RateColumn(), console=Console(quiet=True), get_time=lambda: now[0], speed_estimate_period=600
    )
    task = bar.add_task("model", total=10)
    bar.start_task(task)
    for _ in range(4):
        now[0] += seconds
        bar.advance(task)
    assert terminal.RateColumn().render(bar.tasks[0]).plain == told


def test_the_shell_completes_names_of_models(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHKEEPER_MODELS", str(settings.models))
    assert onboarding.complete_model_name("app") == ["app_scams"]
    assert onboarding.complete_model_name("card") == []
    monkeypatch.setenv("WATCHKEEPER_MODELS", "/nowhere")
    assert onboarding.complete_model_name("") == []
