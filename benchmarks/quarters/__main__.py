"""Play quarters and print what the limits made of them: ``python -m benchmarks.quarters [quarters] [rows]``."""

from __future__ import annotations

import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial

from benchmarks.quarters.play import CHANGES, caught, quiet

SEEDS = range(5)


def main(quarters: int = 200, rows: int = 2000) -> None:
    """Print pages and breaches of quiet quarters, then on which day each change is caught."""
    with ProcessPoolExecutor(2) as pool:
        played = list(pool.map(partial(quiet, rows=rows), range(1000, 1000 + quarters)))
        pages = [page for one in played for page in one.pages]
        error = (max(1, len(pages)) ** 0.5) / quarters
        print(f"{quarters} quiet quarters at {rows:,} rows: {len(pages) / quarters:.3f} +- {error:.3f} pages a quarter")
        print(f"  {sum(bool(one.breaches) for one in played)} quarters with any breach")
        for page in pages:
            print("  ", page)
        for name in CHANGES:
            print(f"{name}: caught on day {list(pool.map(partial(caught, name, rows=rows), SEEDS))}", flush=True)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
