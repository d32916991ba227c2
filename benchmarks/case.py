"""`python -m benchmarks.case NAME JSON`: prepare one case, measure its work, print what it took as a line of JSON.

It needs the standard library only, so that a peer's environment can run it.
"""

from __future__ import annotations

import importlib
import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

MARK = "MEASURED "


def main() -> None:
    """Run the case that the arguments name: in full CPU seconds (user and system, children included)."""
    name, arguments = sys.argv[1], json.loads(sys.argv[2])
    module = importlib.import_module(f"benchmarks.cases.{name}")
    work = module.prepare(**arguments)
    ready_cpu_s = cpu_s()
    if "span" in arguments:
        _warm(arguments)
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # forget the most memory held so far
    start_cpu_s, began = cpu_s(), time.perf_counter()
    result = work()
    found = {
        "cpu_s": cpu_s() - start_cpu_s,
        "wall_s": time.perf_counter() - began,
        "start_cpu_s": ready_cpu_s,
        "peak_mb": peak_mb(),
    }
    found["answer"] = module.answer(result)
    print(f"\n{MARK}{json.dumps(found)}")


def _warm(table: dict[str, Any]) -> None:
    """Read the files of a case once: whether they are still in memory depends on what ran before, not on the case."""
    from benchmarks.data import Table  # noqa: PLC0415

    days = min(2 * table["span"], table["days"])
    for file in Table(table["rows"], table["days"], table["columns"]).files(Path(table["root"]), 0, days):
        with file.open("rb", buffering=0) as stream:
            while stream.read(1 << 20):
                pass


def cpu_s() -> float:
    """Return the CPU seconds of this process and of the children it waited for."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def peak_mb() -> float:
    """Return the most memory that the work held, imports included, in MB.

    Linux keeps it; ``ru_maxrss`` would also remember the process that started this one.
    """
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1000


if __name__ == "__main__":
    main()
