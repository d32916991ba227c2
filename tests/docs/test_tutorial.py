"""The tutorial does what it says: its commands are run as they stand, in order, in one shell."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
BLOCK = re.compile(r"^```(bash|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
TUTORIAL = REPOSITORY / "docs" / "tutorial.md"


@pytest.mark.skipif(shutil.which("bash") is None, reason="the tutorial is written for bash")
def test_every_command_of_the_tutorial_does_what_it_says(tmp_path: Path) -> None:
    blocks = BLOCK.findall(TUTORIAL.read_text(encoding="utf-8"))
    commands = "".join(f"{text}echo '=== end of block'\n" for kind, text in blocks if kind == "bash")
    told = subprocess.run(
        ["bash", "-euc", commands],
        cwd=tmp_path,
        env=environment(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
        check=False,
    )
    assert told.returncode == 0, told.stdout[-3000:]
    answers = iter(told.stdout.split("=== end of block\n"))
    answer = ""
    for kind, text in blocks:
        if kind == "bash":
            answer = next(answers)
        else:
            missing = [line for line in text.splitlines() if line.strip() not in answer]
            assert not missing, f"{missing} not in:\n{answer}"


def environment(folder: Path) -> dict[str, str]:
    """Return a newcomer's environment: this Python, this checkout, and nothing else of ours."""
    commands = folder / "bin"
    commands.mkdir()
    for name, arguments in (("python", ""), ("watchkeeper", " -m watchkeeper")):
        (commands / name).write_text(f'#!/bin/sh\nexec "{sys.executable}"{arguments} "$@"\n')
        (commands / name).chmod(0o755)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("WATCHKEEPER_", "AIRFLOW"))}
    return kept | {"PATH": f"{commands}:{os.environ['PATH']}", "PYTHONPATH": str(REPOSITORY), "COLUMNS": "400"}
