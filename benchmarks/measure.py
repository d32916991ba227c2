"""Runs each case in a process of its own, the repeats of a group taking turns."""

from __future__ import annotations

import json
import os
import resource
import signal
import statistics
import subprocess
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.case import MARK

REPOSITORY = Path(__file__).parents[1]
MOST_MEMORY = 0.75
"""Share of the machine's memory that a case may take before it is refused more."""
QUIET = {"GX_ANALYTICS_ENABLED": "false", "DO_NOT_TRACK": "1", "NML_DISABLE_USAGE_LOGGING": "1",
         "WHYLOGS_NO_ANALYTICS": "True", "PYTHONWARNINGS": "ignore"}  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A case under its key: the module in ``benchmarks/cases``, its arguments, and the Python that runs it.

    It is stopped after ``most_cpu_s`` seconds of CPU, and run ``times`` a turn: what takes less than a second varies
    most.
    """

    key: str
    module: str
    python: Path
    arguments: dict[str, Any] = field(default_factory=dict)
    most_cpu_s: int = 900
    times: int = 1


Figure = dict[str, Any]
"""Means ``cpu_s``, ``wall_s``, ``start_cpu_s`` (before the work), the most ``peak_mb``, ``repeats`` and ``answer``;
or ``failed``: why there are none."""


def take_turns(
    cases: Sequence[Case], repeats: int, told: Callable[[str], None], kept: Path | None = None
) -> dict[str, Figure]:
    """Run the cases A, B, A, B, ... and return the means of each; a case that fails is not run again.

    Each run is a line of the file ``kept``, and one that is there already isn't made again.
    """
    runs: dict[str, list[Figure]] = {case.key: [] for case in cases}
    failed: dict[str, Figure] = {}
    before = _lines(kept)
    for case in [each for _ in range(repeats) for each in cases for _ in range(each.times)]:
        if case.key in failed:
            continue
        i = len(runs[case.key])
        found = before.get((case.key, i)) or _run(case)
        if kept is not None and (case.key, i) not in before:
            with kept.open("a", encoding="utf-8") as file:
                file.write("\n" + json.dumps({"key": case.key, "run": i, "found": found}))
        if "failed" in found:
            failed[case.key] = found
        else:
            runs[case.key].append(found)
        told(f"{case.key}: {found.get('failed') or str(round(found['cpu_s'], 2)) + ' s of CPU'}")
    return {key: failed.get(key) or _together(found) for key, found in runs.items()}


def _lines(kept: Path | None) -> dict[tuple[str, int], Figure]:
    """Return what a file of runs has; the line at which a killed command was is left out."""
    found: dict[tuple[str, int], Figure] = {}
    for line in kept.read_text(encoding="utf-8").splitlines() if kept is not None and kept.exists() else ():
        with suppress(json.JSONDecodeError):
            one = json.loads(line)
            found[one["key"], one["run"]] = one["found"]
    return found


def _together(runs: Sequence[Figure]) -> Figure:
    """Return the mean times of runs and the most memory.

    A machine that others share has fast and slow spells. What takes minutes averages over them by itself; of what takes
    half a second a median would be that of one kind of spell.
    """
    times = ("cpu_s", "wall_s", "start_cpu_s")
    found = {name: round(statistics.fmean(run[name] for run in runs), 4) for name in times}
    return found | {"peak_mb": max(run["peak_mb"] for run in runs), "repeats": len(runs), "answer": runs[-1]["answer"]}


def _run(case: Case) -> Figure:
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_CPU, (case.most_cpu_s, case.most_cpu_s + 10))
        resource.setrlimit(resource.RLIMIT_DATA, (int(total * MOST_MEMORY),) * 2)

    done = subprocess.run(
        [str(case.python), "-m", "benchmarks.case", case.module, json.dumps(case.arguments)],
        cwd=REPOSITORY,
        env={**os.environ, **QUIET},
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=limit,
    )
    if done.returncode == 0:
        found: Figure = json.loads(done.stdout.rsplit(MARK, 1)[1])
        return found
    said = done.stderr.strip().splitlines()
    if -done.returncode == signal.SIGXCPU:
        return {"failed": f"stopped after {case.most_cpu_s} s of CPU", "most_cpu_s": case.most_cpu_s}
    if (
        -done.returncode in (signal.SIGKILL, signal.SIGABRT)
        or "MemoryError" in done.stderr
        or "Out of Memory" in done.stderr
    ):
        return {"failed": f"ran out of memory ({total * MOST_MEMORY / 1e9:.0f} GB)"}
    return {"failed": said[-1][:200] if said else f"exit status {done.returncode}"}
