"""`python -m benchmarks`: measure everything in one run and write docs/performance.md, its figures and its plot."""

from __future__ import annotations

import argparse
import os
import platform
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks import peers, report
from benchmarks.measure import REPOSITORY, Figure, take_turns
from benchmarks.plan import PEERS, SIZES, groups

SCRATCH = REPOSITORY / ".bench"
ROOMS = ("models", "warehouse", "ledger", "checks", "monitors", "reports", "watchkeeper", "dags", "benchmarks")
LIBRARIES = ("duckdb", "numpy", "pyarrow", "great-expectations", "apache-airflow")


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure what was asked for, and write it."""
    asked = _parser().parse_args(arguments)
    installed, missing = _install() if asked.peers else ({}, dict.fromkeys(PEERS, "not asked for"))
    figures: dict[str, Figure] = {}
    root = SCRATCH / f"data-{asked.size}"  # stands, with the runs made so far, where the command was stopped
    kept = root / f"runs-{_code()}.jsonl"
    root.mkdir(parents=True, exist_ok=True)
    if kept.exists():
        print(f"going on with the runs of {kept}; delete it to begin anew")
    for group in groups(SIZES[asked.size], root, installed):
        laid = take_turns(group.lays, 1, print)
        if broken := [f"{key}: {found['failed']}" for key, found in laid.items() if "failed" in found]:
            raise SystemExit("\n".join(broken))
        figures |= take_turns(group.cases, group.repeats, print, kept)
    shape = {"rows": SIZES[asked.size].rows, "columns": SIZES[asked.size].columns}
    run = {**_machine(), **shape, "missing": missing, "figures": figures}
    report.write(asked.to, run)
    shutil.rmtree(root)
    print(f"written: {asked.to / report.PAGE}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure what Watchkeeper costs.")
    parser.add_argument("--size", choices=list(SIZES), default="full", help="how much is measured (full)")
    parser.add_argument("--no-peers", dest="peers", action="store_false", help="without Evidently, NannyML, whylogs")
    parser.add_argument("--to", type=Path, default=REPOSITORY / "docs", metavar="FOLDER", help="where to write (docs)")
    return parser


def _install() -> tuple[dict[str, Path], dict[str, str]]:
    """Return the Python of each peer that could be installed, and why the others could not."""
    installed, missing = {}, {}
    for name in PEERS:
        try:
            installed[name] = peers.install(name, SCRATCH / "peers")
        except OSError as error:
            missing[name] = str(error)
            print(f"{name}: {error}")
    return installed, missing


def _code() -> str:
    """Return a digest of the code that is measured: a run of other code is none of this one's."""
    files = (path for room in ROOMS for path in sorted((REPOSITORY / room).rglob("*.py")))
    return sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:12]


def _machine() -> dict[str, Any]:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")
    memory_gb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": f"{os.cpu_count()} cores ({model}), {memory_gb:.0f} GiB of memory, {platform.system()}",
        "versions": {
            "watchkeeper": f"{version('watchkeeper')}, Python {platform.python_version()}, {libraries}",
            **{name: peers.versions(name) for name in PEERS},
        },
    }


if __name__ == "__main__":
    main()
